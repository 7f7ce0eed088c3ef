/* The core at its limits: ten thousand workers in one group, five hundred groups in a chain, every action list at its
 * smallest; what it costs in memory; and that it asks for nothing while nothing happens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/spec_builder.h"

/* A shell that obeys: what is spawned is executed, what is probed is ready, what is signalled exits with 0, nobody is
 * ever a straggler. */
struct shell {
    struct sv *sv;
    msec_t now;
    struct event *inbox;
    size_t head, tail, room;
    uint32_t capacity;
    uint32_t spawns, signals, in_flight, most_in_flight;
    uint32_t probes, probing, most_probing, notified[3];
    uint32_t last_signalled;
};

static void say(struct shell *shell, struct event event) {
    event.time = shell->now;
    assert_true(shell->tail < shell->room);
    shell->inbox[shell->tail++] = event;
}

static void obey(struct shell *shell, const struct action *action) {
    if (action->kind == ACTION_SPAWN) {
        shell->spawns++;
        shell->in_flight++;
        if (shell->in_flight > shell->most_in_flight)
            shell->most_in_flight = shell->in_flight;
        say(shell, (struct event){.kind = EVENT_EXECUTED, .slot = action->slot});
    } else if (action->kind == ACTION_SIGNAL) {
        shell->signals++;
        shell->last_signalled = action->slot.index;
        say(shell,
            (struct event){.kind = EVENT_EXITED, .slot = action->slot, .ending = {.kind = ENDING_EXITED, .number = 0}});
    } else if (action->kind == ACTION_PROBE) {
        shell->probes++;
        shell->probing++;
        if (shell->probing > shell->most_probing)
            shell->most_probing = shell->probing;
        say(shell, (struct event){.kind = EVENT_PROBED, .slot = action->slot, .success = true});
    } else if (action->kind == ACTION_NOTIFY) {
        shell->notified[action->notify]++;
    } else if (action->kind == ACTION_SIGNAL_STRAGGLERS) {
        say(shell, (struct event){.kind = EVENT_CHILDREN_GONE});
    }
}

static void take(struct shell *shell, const struct event *event) {
    static struct actions actions;
    actions.capacity = shell->capacity;
    if (event->kind == EVENT_EXECUTED)
        shell->in_flight--;
    if (event->kind == EVENT_PROBED)
        shell->probing--;
    sv_step(shell->sv, event, &actions);
    for (uint32_t i = 0; i < actions.count; i++)
        obey(shell, &actions.items[i]);
}

/* Until nothing is left to be said or done at this time. */
static void settle(struct shell *shell) {
    for (;;) {
        if (shell->head < shell->tail) {
            struct event event = shell->inbox[shell->head++];
            take(shell, &event);
        } else if (sv_deadline(shell->sv) <= shell->now) {
            take(shell, &(struct event){.time = shell->now, .kind = EVENT_TICK});
        } else {
            return;
        }
    }
}

static struct shell shell_make(const struct spec *spec, uint32_t capacity) {
    size_t room = (size_t)spec->workers_count * 4 + 100;
    struct shell shell = {.sv = core_make(spec), .room = room, .capacity = capacity};
    shell.inbox = calloc(room, sizeof(struct event));
    assert_non_null(shell.inbox);
    return shell;
}

static void shell_free(struct shell *shell) {
    free(shell->sv);
    free(shell->inbox);
}

static void run_and_stop(const struct spec *spec, uint32_t capacity, uint32_t expected_last) {
    struct shell shell = shell_make(spec, capacity);
    say(&shell, (struct event){.kind = EVENT_BOOT});
    settle(&shell);
    assert_int_equal(shell.spawns, spec->workers_count);
    assert_true(shell.most_in_flight <= SPAWNING_MAX);
    for (uint32_t i = 0; i < spec->workers_count; i++)
        assert_int_equal(sv_worker_state(shell.sv, i), WORKER_READY);
    assert_true(sv_deadline(shell.sv) == MSEC_NEVER); /* idle is idle */
    assert_int_equal(shell.notified[NOTIFY_READY], 1);
    assert_int_equal(shell.notified[NOTIFY_STOPPING], 0);
    uint32_t probes = spec->groups[0].ready == READY_TCP ? spec->workers_count : 0;
    assert_int_equal(shell.probes, probes);
    assert_true(shell.most_probing <= PROBES_MAX);

    shell.now = 1000;
    say(&shell, (struct event){.kind = EVENT_SIGNAL, .signal = 15});
    settle(&shell);
    assert_true(sv_done(shell.sv));
    assert_int_equal(sv_exit_status(shell.sv), 0);
    assert_int_equal(shell.signals, spec->workers_count);
    assert_int_equal(shell.last_signalled, expected_last);
    assert_int_equal(shell.notified[NOTIFY_READY], 1);
    assert_int_equal(shell.notified[NOTIFY_STOPPING], 1);
    shell_free(&shell);
}

static void ten_thousand_workers(void **state) {
    (void)state;
    struct spec spec;
    struct spec_group group;
    spec_build(&spec, &group, 1, WORKERS_MAX);
    run_and_stop(&spec, ACTIONS_MAX, WORKERS_MAX - 1);
    run_and_stop(&spec, ACTIONS_MIN, WORKERS_MAX - 1);
    group.ready = READY_TCP;
    run_and_stop(&spec, ACTIONS_MAX, WORKERS_MAX - 1);
    run_and_stop(&spec, ACTIONS_MIN, WORKERS_MAX - 1);
}

/* Takes a fact and does all that is queued then. Returns how many probes of `worker` were begun. */
static uint32_t fact(struct sv *sv, msec_t time, struct event event, uint32_t worker) {
    static struct actions actions;
    uint32_t begun = 0;
    actions.capacity = ACTIONS_MAX;
    event.time = time;
    do {
        sv_step(sv, &event, &actions);
        for (uint32_t i = 0; i < actions.count; i++)
            begun += actions.items[i].kind == ACTION_PROBE && actions.items[i].slot.index == worker;
        event = (struct event){.time = time, .kind = EVENT_TICK};
    } while (sv_deadline(sv) <= time);
    return begun;
}

/* Three workers end while their probe waits for its turn: one runs again when it comes, one doesn't, one was forked
 * again and is not executed yet. */
static void a_turn_that_comes_late_is_void(void **state) {
    (void)state;
    const struct ending failure = {.kind = ENDING_EXITED, .number = 1};
    const uint32_t again = PROBES_MAX, gone = PROBES_MAX + 1, forked = PROBES_MAX + 2, count = PROBES_MAX + 3;
    struct slot slot = {.kind = SLOT_WORKER, .generation = 1};
    struct spec spec;
    struct spec_group group;
    spec_build(&spec, &group, 1, count);
    group.ready = READY_EXEC;
    struct sv *sv = core_make(&spec);
    fact(sv, 0, (struct event){.kind = EVENT_BOOT}, 0);
    for (slot.index = 0; slot.index < count; slot.index++) {
        uint32_t begun = fact(sv, 0, (struct event){.kind = EVENT_EXECUTED, .slot = slot}, slot.index);
        assert_int_equal(begun, slot.index < PROBES_MAX);
    }
    slot.index = again;
    fact(sv, 10, (struct event){.kind = EVENT_EXITED, .slot = slot, .ending = failure}, again);
    slot.index = forked;
    fact(sv, 10, (struct event){.kind = EVENT_EXITED, .slot = slot, .ending = failure}, forked);
    fact(sv, 110, (struct event){.kind = EVENT_TICK}, again);
    slot.index = again;
    slot.generation = 2;
    assert_int_equal(sv_generation(sv, SLOT_PROBE, again), 2);
    assert_int_equal(fact(sv, 120, (struct event){.kind = EVENT_EXECUTED, .slot = slot}, again), 0);
    slot = (struct slot){.kind = SLOT_WORKER, .index = gone, .generation = 1};
    fact(sv, 130, (struct event){.kind = EVENT_EXITED, .slot = slot, .ending = failure}, gone);
    slot = (struct slot){.kind = SLOT_PROBE, .index = 0, .generation = 1};
    assert_int_equal(fact(sv, 140, (struct event){.kind = EVENT_PROBED, .slot = slot}, again), 1);
    slot.index = 1;
    assert_int_equal(fact(sv, 150, (struct event){.kind = EVENT_PROBED, .slot = slot}, gone), 0);
    assert_int_equal(sv_worker_state(sv, gone), WORKER_BACKOFF);
    assert_int_equal(sv_deadline(sv), 230); /* its delay; nobody waits for a turn now */
    slot = (struct slot){.kind = SLOT_WORKER, .index = forked, .generation = 2};
    assert_int_equal(fact(sv, 160, (struct event){.kind = EVENT_EXECUTED, .slot = slot}, forked), 1);
    free(sv);
}

/* A shell that answers nothing: the core begins as many probes as may be in flight and gives each of them up once. */
static void probes_that_hang_pile_up_nowhere(void **state) {
    (void)state;
    static struct actions actions;
    static bool given_up[WORKERS_MAX];
    struct spec spec;
    struct spec_group group;
    uint32_t begun = 0, ended = 0;
    spec_build(&spec, &group, 1, WORKERS_MAX);
    group.ready = READY_EXEC;
    struct sv *sv = core_make(&spec);
    actions.capacity = ACTIONS_MAX;
    struct event event = {.kind = EVENT_BOOT};
    uint32_t executed = 0;
    while (event.time < 20000) {
        sv_step(sv, &event, &actions);
        for (uint32_t i = 0; i < actions.count; i++) {
            const struct action *action = &actions.items[i];
            begun += action->kind == ACTION_PROBE;
            if (action->kind == ACTION_PROBE_END) {
                assert_false(given_up[action->slot.index]);
                given_up[action->slot.index] = true;
                ended++;
            }
        }
        bool more = executed < WORKERS_MAX && sv_worker_state(sv, executed) == WORKER_STARTING;
        event = (struct event){.time = more ? event.time : sv_deadline(sv),
                               .kind = more ? EVENT_EXECUTED : EVENT_TICK,
                               .slot = {.kind = SLOT_WORKER, .index = executed, .generation = 1}};
        executed += more;
    }
    assert_int_equal(executed, WORKERS_MAX);
    assert_int_equal(begun, PROBES_MAX);
    assert_int_equal(ended, PROBES_MAX);
    assert_true(sv_deadline(sv) == MSEC_NEVER); /* nobody is polled for */
    free(sv);
}

/* Each after the one before: started from the first to the last, stopped from the last to the first. */
static void five_hundred_groups_in_a_chain(void **state) {
    (void)state;
    static struct spec_group groups[GROUPS_MAX];
    static uint16_t numbers[GROUPS_MAX];
    struct spec spec;
    spec_build(&spec, groups, GROUPS_MAX, 2);
    for (uint16_t i = 0; i < GROUPS_MAX; i++)
        numbers[i] = i;
    for (uint32_t i = 1; i < GROUPS_MAX; i++) {
        groups[i].after = &numbers[i - 1];
        groups[i].after_count = 1;
        groups[i - 1].before = &numbers[i];
        groups[i - 1].before_count = 1;
    }
    run_and_stop(&spec, ACTIONS_MAX, 1); /* the last that is asked: worker 1 of group 0 */
    run_and_stop(&spec, ACTIONS_MIN, 1);
}

/* The README states this figure. */
static void memory_per_worker(void **state) {
    (void)state;
    struct spec one, many;
    struct spec_group group_one, group_many;
    spec_build(&one, &group_one, 1, 1);
    spec_build(&many, &group_many, 1, 1001);
    size_t each = (sv_bytes(&many) - sv_bytes(&one)) / 1000;
    print_message("%zu bytes a worker\n", each);
    assert_in_range(each, 1, 256);
}

static void time_that_jumps_back_is_corrected(void **state) {
    (void)state;
    struct spec spec;
    struct spec_group group;
    spec_build(&spec, &group, 1, 1);
    struct shell shell = shell_make(&spec, ACTIONS_MAX);
    shell.now = 5000;
    say(&shell, (struct event){.kind = EVENT_BOOT});
    settle(&shell);
    struct event crash = {.time = 10,
                          .kind = EVENT_EXITED,
                          .slot = {.kind = SLOT_WORKER, .generation = 1},
                          .ending = {.kind = ENDING_EXITED, .number = 1}};
    take(&shell, &crash);
    assert_int_equal(sv_worker_state(shell.sv, 0), WORKER_BACKOFF);
    assert_int_equal(sv_deadline(shell.sv), 5100);
    shell_free(&shell);
}

/* Takes an event; returns how many signals go out that are `signal`, and in *ret_to_leader whether the last one goes to
 * the leader alone. */
static uint32_t signals_for(struct sv *sv, struct event event, int signal, bool *ret_to_leader) {
    struct actions actions = {.capacity = ACTIONS_MAX};
    uint32_t count = 0;
    sv_step(sv, &event, &actions);
    for (uint32_t i = 0; i < actions.count; i++) {
        if (actions.items[i].kind != ACTION_SIGNAL || actions.items[i].signal != signal)
            continue;
        count++;
        *ret_to_leader = actions.items[i].to_leader;
    }
    return count;
}

static void forwarded_signals_go_where_they_are_meant_to(void **state) {
    (void)state;
    for (int row = 0; row < 4; row++) {
        struct spec spec;
        struct spec_group group;
        bool only = row & 1, alone = row & 2, to_leader = false;
        spec_build(&spec, &group, 1, 1);
        spec.command_only = only;
        spec.command_group = only ? 0 : -1;
        group.stop_to = alone ? STOP_TO_LEADER : STOP_TO_GROUP;
        spec.signals[10].number = 40;
        struct shell shell = shell_make(&spec, ACTIONS_MAX);
        say(&shell, (struct event){.kind = EVENT_BOOT});
        settle(&shell);
        struct event usr1 = {.kind = EVENT_SIGNAL, .signal = 10};
        assert_int_equal(signals_for(shell.sv, usr1, 40, &to_leader), 1);
        assert_int_equal(to_leader, only && alone);
        struct slot slot = {.kind = SLOT_WORKER, .generation = sv_generation(shell.sv, SLOT_WORKER, 0)};
        struct event exited = {
            .kind = EVENT_EXITED, .slot = slot, .ending = {.kind = ENDING_EXITED, .number = 0}, .members_left = true};
        signals_for(shell.sv, exited, 15, &to_leader);
        assert_int_equal(signals_for(shell.sv, usr1, 40, &to_leader), 1);
        assert_false(to_leader); /* it is gone, the others get it */
        shell_free(&shell);
    }
}

/* Where TERM is forwarded and there is nobody to get it, it must not be lost: PID 1 couldn't be stopped. */
static void a_term_for_a_command_that_cannot_be_forked(void **state) {
    (void)state;
    struct spec spec;
    struct spec_group group;
    spec_build(&spec, &group, 1, 1);
    spec.command_only = true;
    spec.command_group = 0;
    spec.signals[15].policy = SIGNAL_FORWARD;
    struct shell shell = shell_make(&spec, ACTIONS_MAX);
    bool to_leader;
    signals_for(shell.sv, (struct event){.kind = EVENT_BOOT}, 15, &to_leader);
    struct event refused = {.kind = EVENT_SPAWN_FAILED,
                            .slot = {.kind = SLOT_WORKER, .generation = sv_generation(shell.sv, SLOT_WORKER, 0)},
                            .error = 11,
                            .stage = STAGE_FORK};
    signals_for(shell.sv, refused, 15, &to_leader);
    assert_int_equal(sv_worker_state(shell.sv, 0), WORKER_BACKOFF);
    say(&shell, (struct event){.kind = EVENT_SIGNAL, .signal = 1});
    settle(&shell);
    assert_false(sv_done(shell.sv));
    say(&shell, (struct event){.kind = EVENT_SIGNAL, .signal = 15});
    settle(&shell);
    assert_true(sv_done(shell.sv));
    assert_int_equal(sv_exit_status(shell.sv), 143);
    shell_free(&shell);
}

static void nothing_is_said_after_the_end(void **state) {
    (void)state;
    struct spec spec;
    struct spec_group group;
    struct actions actions = {.capacity = ACTIONS_MAX};
    spec_build(&spec, &group, 1, 1);
    struct shell shell = shell_make(&spec, ACTIONS_MAX);
    say(&shell, (struct event){.kind = EVENT_SIGNAL, .signal = 15});
    settle(&shell);
    assert_true(sv_done(shell.sv));
    assert_int_equal(shell.spawns, 0);
    sv_step(shell.sv, &(struct event){.kind = EVENT_BOOT}, &actions);
    assert_int_equal(actions.count, 0);
    assert_true(sv_deadline(shell.sv) == MSEC_NEVER);
    shell_free(&shell);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_workers),
        cmocka_unit_test(probes_that_hang_pile_up_nowhere),
        cmocka_unit_test(a_turn_that_comes_late_is_void),
        cmocka_unit_test(five_hundred_groups_in_a_chain),
        cmocka_unit_test(memory_per_worker),
        cmocka_unit_test(time_that_jumps_back_is_corrected),
        cmocka_unit_test(forwarded_signals_go_where_they_are_meant_to),
        cmocka_unit_test(a_term_for_a_command_that_cannot_be_forked),
        cmocka_unit_test(nothing_is_said_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
