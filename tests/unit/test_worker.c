/* Every pair of worker state and input is either written in the table or listed here with the reason why it can't
 * happen; and every event in every state that a story can reach leaves the core standing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisor/worker.h"
#include "tests/unit/spec_builder.h"

/* Inputs that need something running, something gone, or a wish that only exists in some states: the pairs that the
 * code before the table can't produce. One line a state, one letter an input in the order of enum worker_input:
 * x written, . can't happen. */
static const char *const expected[WORKER_STATES] = {
    /* SPAWN SPAWN_FAILED EXECUTED READY | ASK_HOOK ASK_SIGNAL URGE GRACE_OVER | LEADER MEMBERS HOOK |
     *                       ENDED: HOOK RETRY AGAIN COMPLETED FAILED DOWN | DUE GIVE_UP REVIVE */
    [WORKER_WAITING] = "x... .x.x ... ...... .xx",  [WORKER_STARTING] = ".xxx .x.x x.. .x.xxx ..x",
    [WORKER_READY] = "..xx xx.x x.. xx.xxx ..x",    [WORKER_HOOK] = "..xx .xxx xxx .xxxxx ...",
    [WORKER_STOPPING] = "..xx .x.x xxx xxxxxx ...", [WORKER_KILLED] = "..xx .x.x xxx xxxxxx ...",
    [WORKER_CLEANUP] = ".... .x.x ... .xxxxx ...",  [WORKER_BACKOFF] = ".... .x.x ... ...... x.x",
    [WORKER_DOWN] = ".... .x.x ... ...... ..x",     [WORKER_COMPLETED] = ".... .x.x ... ...... ..x",
    [WORKER_FAILED] = ".... .x.x ... ...... ..x",
};

static void every_pair_is_decided(void **state) {
    (void)state;
    for (int i = 0; i < WORKER_STATES; i++) {
        const char *letter = expected[i];
        for (int j = 0; j < WORKER_INPUTS; j++, letter++) {
            while (*letter == ' ')
                letter++;
            enum worker_state next = WORKER_STATES;
            bool written = worker_cell((enum worker_state)i, (enum worker_input)j, &next);
            if (written != (*letter == 'x'))
                fail_msg("%s, %s: %s", worker_state_name((enum worker_state)i), worker_input_name((enum worker_input)j),
                         written ? "written" : "not written");
            if (written)
                assert_true(next < WORKER_STATES);
        }
    }
}

static void names_are_complete(void **state) {
    (void)state;
    for (int i = 0; i < WORKER_STATES; i++)
        assert_non_null(worker_state_name((enum worker_state)i));
    for (int i = 0; i < WORKER_INPUTS; i++)
        assert_non_null(worker_input_name((enum worker_input)i));
}

/* --- every event in every state --- */

static struct actions actions;

static void step(struct sv *sv, msec_t time, enum event_kind kind, struct event event) {
    event.time = time;
    event.kind = kind;
    actions = (struct actions){.capacity = ACTIONS_MAX};
    sv_step(sv, &event, &actions);
}

static const struct slot worker0 = {.kind = SLOT_WORKER, .index = 0, .generation = 1};
static const struct slot hook0 = {.kind = SLOT_HOOK, .index = 0, .generation = 1};
static const struct slot probe0 = {.kind = SLOT_PROBE, .index = 0, .generation = 1};

#define WORKER(...) ((struct event){.slot = worker0, __VA_ARGS__})

/* Brings worker 0 of a fresh core into a state, the shortest way; the time is then 1000. */
static struct sv *core_in(const struct spec *spec, enum worker_state state) {
    struct sv *sv = core_make(spec);
    struct ending failure = {.kind = ENDING_EXITED, .number = 1};
    step(sv, 0, EVENT_BOOT, (struct event){0});
    if (state == WORKER_STARTING)
        return sv;
    step(sv, 1, EVENT_EXECUTED, WORKER());
    step(sv, 2, EVENT_READY, WORKER());
    if (state == WORKER_HOOK || state == WORKER_STOPPING || state == WORKER_DOWN || state == WORKER_KILLED)
        step(sv, 3, EVENT_WORKER_STOP, WORKER());
    if (state == WORKER_STOPPING || state == WORKER_DOWN || state == WORKER_KILLED)
        step(sv, 4, EVENT_EXITED, (struct event){.slot = hook0, .ending = {.kind = ENDING_EXITED, .number = 0}});
    if (state == WORKER_KILLED)
        step(sv, 900, EVENT_TICK, (struct event){0});
    if (state == WORKER_DOWN)
        step(sv, 5, EVENT_EXITED, WORKER(.ending = failure));
    if (state == WORKER_CLEANUP || state == WORKER_BACKOFF)
        step(sv, 6, EVENT_EXITED, WORKER(.ending = failure));
    if (state == WORKER_COMPLETED)
        step(sv, 6, EVENT_EXITED, WORKER(.ending = {.kind = ENDING_EXITED, .number = 0}));
    if (state == WORKER_BACKOFF || state == WORKER_COMPLETED)
        step(sv, 7, EVENT_EXITED, (struct event){.slot = hook0, .ending = {.kind = ENDING_EXITED, .number = 0}});
    return sv;
}

/* Nothing that the kernel, the worker or an operator can say in any state may trip an assert. */
static void every_event_in_every_state_of(enum ready_kind ready) {
    struct spec spec;
    struct spec_group groups[2];
    spec_build(&spec, groups, 2, 1);
    for (int i = 0; i < 2; i++) {
        groups[i].ready = ready;
        groups[i].startup_timeout = 60000;
        groups[i].stop = test_command;
        groups[i].grace = 800;
        groups[i].watchdog = 100000;
        groups[i].limit_failures = 10;
    }
    static const enum worker_state reached[] = {WORKER_STARTING, WORKER_READY,     WORKER_HOOK,
                                                WORKER_STOPPING, WORKER_KILLED,    WORKER_CLEANUP,
                                                WORKER_DOWN,     WORKER_COMPLETED, WORKER_BACKOFF};
    int fed = 0;
    for (size_t i = 0; i < sizeof(reached) / sizeof(reached[0]); i++) {
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            for (int variant = 0; variant < 16; variant++) {
                struct sv *sv = core_in(&spec, reached[i]);
                if (sv_worker_state(sv, 0) != reached[i])
                    fail_msg("no %s: %s", worker_state_name(reached[i]), worker_state_name(sv_worker_state(sv, 0)));
                struct event event = {
                    .slot = variant & 8   ? probe0
                            : variant & 1 ? hook0
                                          : worker0,
                    .success = variant & 4,
                    .members_left = variant & 2,
                    .ending = {.kind = variant & 4 ? ENDING_KILLED : ENDING_EXITED, .number = variant & 4 ? 9 : 0},
                    .signal = variant & 1 ? 15 : 10,
                    .error = 11,
                    .duration = 5};
                step(sv, 1000, (enum event_kind)kind, event);
                step(sv, 1000, (enum event_kind)kind, event);
                for (msec_t time = 1000; time < 60000 && !sv_done(sv); time += 500)
                    step(sv, time, EVENT_TICK, (struct event){0});
                fed++;
                free(sv);
            }
        }
    }
    assert_int_equal(fed, 9 * 16 * EVENT_KINDS);
}

static void every_event_in_every_state(void **state) {
    (void)state;
    every_event_in_every_state_of(READY_NOTIFY);
    every_event_in_every_state_of(READY_EXEC);
}

/* The answer to a probe that nobody asked for, or to one that is over already. */
static void probes_that_were_not_begun_are_void(void **state) {
    (void)state;
    struct spec spec;
    struct spec_group group;
    spec_build(&spec, &group, 1, 1);
    group.ready = READY_UNIX;
    struct sv *sv = core_make(&spec);
    struct event success = {.slot = probe0, .success = true};
    step(sv, 0, EVENT_BOOT, (struct event){0});
    step(sv, 1, EVENT_PROBED, success);
    assert_int_equal(actions.count, 0);
    step(sv, 2, EVENT_EXECUTED, WORKER());
    assert_int_equal(actions.count, 2);
    assert_int_equal(actions.items[1].kind, ACTION_PROBE);
    assert_int_equal(actions.items[1].slot.kind, SLOT_PROBE);
    assert_int_equal(actions.items[1].slot.generation, 1);
    assert_int_equal(sv_deadline(sv), 2002);
    step(sv, 3, EVENT_PROBED, (struct event){.slot = probe0});
    assert_int_equal(actions.count, 0);
    assert_int_equal(sv_deadline(sv), 103);
    step(sv, 4, EVENT_PROBED, success);
    assert_int_equal(actions.count, 0);
    assert_int_equal(sv_worker_state(sv, 0), WORKER_STARTING);
    free(sv);
}

/* A fact of a former incarnation changes nothing. */
static void stale_facts_are_void(void **state) {
    (void)state;
    struct spec spec;
    struct spec_group group;
    spec_build(&spec, &group, 1, 1);
    struct sv *sv = core_make(&spec);
    step(sv, 0, EVENT_BOOT, (struct event){0});
    step(sv, 1, EVENT_EXECUTED, WORKER());
    struct event stale = WORKER(.ending = {.kind = ENDING_EXITED, .number = 1});
    stale.slot.generation = 0;
    step(sv, 2, EVENT_EXITED, stale);
    assert_int_equal(actions.count, 0);
    assert_int_equal(sv_worker_state(sv, 0), WORKER_READY);
    free(sv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_decided),
        cmocka_unit_test(names_are_complete),
        cmocka_unit_test(every_event_in_every_state),
        cmocka_unit_test(stale_facts_are_void),
        cmocka_unit_test(probes_that_were_not_begun_are_void),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
