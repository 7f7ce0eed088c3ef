/* The loop of init/loop.c, with a fake kernel below it: wait for the earliest of deadline, fact and operator; collect
 * what has come, with one time for the batch; step, perform. Now and then it wakes late, as after a pause of the
 * whole container, takes a batch in another order, or ticks without need. */
#include "tests/sim/run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/describe.h"
#include "supervisor/descriptors.h"
#include "supervisor/supervisor.h"
#include "tests/sim/random.h"

enum { KEY_WAKE = 200 };

struct life {
    struct run *run;
    const struct scenario *scenario;
    struct sv *sv;
    struct run_result *result;
    msec_t now;
    uint32_t script_next;
    bool trace;
};

static void mix(uint64_t *hash, uint64_t value) {
    *hash = random_mix(*hash ^ value) + 0x9e3779b97f4a7c15u;
}

static void hash_slot(uint64_t *hash, struct slot slot) {
    mix(hash, (uint64_t)slot.kind << 56 | (uint64_t)slot.index << 32 | slot.generation);
}

static void hash_event(uint64_t *hash, const struct event *event) {
    mix(hash, (uint64_t)event->time << 8 | (uint64_t)event->kind);
    hash_slot(hash, event->slot);
    mix(hash, (uint64_t)(uint32_t)event->signal << 32 | (uint32_t)event->error);
    mix(hash, (uint64_t)event->duration << 1 | event->success);
    mix(hash, (uint64_t)event->ending.kind << 16 | (uint64_t)event->ending.number << 8 | event->members_left);
}

static void hash_action(uint64_t *hash, const struct action *action) {
    mix(hash, (uint64_t)action->kind << 40 | (uint64_t)(uint32_t)action->signal << 8 |
                  (uint64_t)action->to_leader << 1 | action->then_continue);
    hash_slot(hash, action->slot);
    if (action->kind == ACTION_NOTIFY)
        mix(hash, (uint64_t)action->notify << 56 ^ (uint64_t)action->duration);
    if (action->kind == ACTION_REPORT) {
        mix(hash, (uint64_t)action->report.cause << 32 | (uint64_t)action->report.state << 8 | action->report.former);
        mix(hash, (uint64_t)action->report.duration ^ (uint64_t)(uint32_t)action->report.number);
    }
}

static void trace_event(const struct life *life, const struct event *event) {
    char text[200];
    if (!life->trace || event->kind == EVENT_TICK)
        return;
    describe_event(&life->scenario->spec, event, text, sizeof(text));
    printf("[%6lld] < %s\n", (long long)life->now, text);
}

static void trace_action(const struct life *life, const struct action *action) {
    char text[200];
    if (!life->trace)
        return;
    describe_action(&life->scenario->spec, action, text, sizeof(text));
    printf("[%6lld]   %s\n", (long long)life->now, text);
}

static void fail(struct life *life, const char *text) {
    if (life->result->failure[0] == 0)
        snprintf(life->result->failure, sizeof(life->result->failure), "[%lld] %s", (long long)life->now, text);
}

/* What a process that is forked for this action is given, as init/perform.c would open it. */
static void give(struct life *life, const struct action *action) {
    struct descriptors given;
    if (action->kind != ACTION_SPAWN && action->kind != ACTION_PROBE)
        return;
    descriptors_of(&life->scenario->spec, action->slot, &given);
    checker_given(&life->run->checker, action->slot, &given);
    for (uint32_t i = 0; i < given.count; i++)
        mix(&life->result->hash, (uint64_t)given.items[i].kind << 48 | (uint64_t)given.items[i].socket << 32 |
                                     (uint32_t)given.items[i].number);
}

static void step(struct life *life, struct event event) {
    struct run *run = life->run;
    if (sv_done(life->sv) || life->result->failure[0])
        return;
    /* A clock that goes back is corrected; only where the core knows this moment, so that none passes unseen. */
    bool back = life->scenario->late > 0 && run->checker.now == life->now && life->result->steps % 16 == 7;
    event.time = back ? life->now - 1 : life->now;
    if (++life->result->steps > RUN_STEPS_MAX)
        fail(life, "too many steps");
    trace_event(life, &event);
    hash_event(&life->result->hash, &event);
    checker_event(&run->checker, &event);
    sv_step(life->sv, &event, &run->actions);
    if (run->actions.count > run->actions.capacity)
        fail(life, "more actions than there is room for");
    for (uint32_t i = 0; i < run->actions.count; i++) {
        trace_action(life, &run->actions.items[i]);
        hash_action(&life->result->hash, &run->actions.items[i]);
        checker_action(&run->checker, &run->actions.items[i]);
        give(life, &run->actions.items[i]);
        kernel_perform(&run->kernel, &run->actions.items[i], life->now);
    }
    if (sv_done(life->sv))
        checker_done(&run->checker, sv_exit_status(life->sv));
    else if (sv_deadline(life->sv) > life->now)
        checker_rest(&run->checker, sv_deadline(life->sv));
    if (run->checker.failed && life->result->failure[0] == 0)
        memcpy(life->result->failure, run->checker.failure, sizeof(run->checker.failure));
}

static bool queued(const struct life *life) {
    return !sv_done(life->sv) && sv_deadline(life->sv) <= life->now && life->result->failure[0] == 0;
}

static void tick(struct life *life) {
    step(life, (struct event){.kind = EVENT_TICK});
}

/* All that is queued, with nothing between. It must come to an end. */
static void drain(struct life *life) {
    uint32_t bound = 1000 + 64 * life->scenario->spec.workers_count;
    for (uint32_t i = 0; queued(life); i++) {
        tick(life);
        if (i > bound)
            fail(life, "its deadline stays in the past");
    }
}

/* Ticks before the deadline must change nothing. */
static void idle_tick(struct life *life, msec_t until) {
    msec_t deadline = sv_deadline(life->sv);
    uint64_t cells[WORKER_STATES * WORKER_INPUTS];
    if (until <= life->now + 1)
        return;
    memcpy(cells, sv_cells(life->sv), sizeof(cells));
    life->now++;
    tick(life);
    bool same = memcmp(cells, sv_cells(life->sv), sizeof(cells)) == 0;
    if (life->run->actions.count > 0 || sv_deadline(life->sv) != deadline || !same)
        fail(life, "a tick before the deadline changed something");
}

static uint32_t collect(struct life *life) {
    struct run *run = life->run;
    const struct scenario *scenario = life->scenario;
    uint32_t count = 0;
    while (life->script_next < scenario->script_count && scenario->script[life->script_next].time <= life->now) {
        run->keys[count] = 0;
        run->batch[count++] = scenario->script[life->script_next++];
    }
    count += kernel_collect(&run->kernel, life->now, run->batch + count, run->keys + count);
    return count;
}

/* Another order of the batch that keeps the order of each process's facts: a stable sort by their keys, salted. */
static void reorder(struct life *life, uint32_t count) {
    struct run *run = life->run;
    uint64_t salt = random_mix((uint64_t)life->now);
    for (uint32_t i = 1; i < count; i++) {
        struct event event = run->batch[i];
        uint64_t key = run->keys[i];
        uint32_t at = i;
        if (event.kind == EVENT_CHILDREN_GONE)
            continue;
        while (at > 0 && random_mix(run->keys[at - 1] ^ salt) > random_mix(key ^ salt)) {
            run->batch[at] = run->batch[at - 1];
            run->keys[at] = run->keys[at - 1];
            at--;
        }
        run->batch[at] = event;
        run->keys[at] = key;
    }
}

/* unfinished: there is queued work from before; some of it comes first. */
static void take_batch(struct life *life, bool unfinished) {
    uint32_t count = collect(life);
    if (life->scenario->reorder)
        reorder(life, count);
    if (count == 0 || unfinished)
        tick(life);
    for (uint32_t i = 0; i < count; i++) {
        step(life, life->run->batch[i]);
        if (life->scenario->drain)
            drain(life);
    }
}

static void turn(struct life *life) {
    const struct scenario *scenario = life->scenario;
    if (queued(life)) {
        /* What has come meanwhile goes between the parts of the queued work, or after all of it. */
        if (scenario->drain)
            drain(life);
        else
            take_batch(life, true);
        return;
    }
    msec_t script = life->script_next < scenario->script_count ? scenario->script[life->script_next].time : MSEC_NEVER;
    msec_t deadline = sv_deadline(life->sv);
    msec_t wake = msec_max(life->now, msec_min(deadline, msec_min(script, kernel_next(&life->run->kernel))));
    if (wake == MSEC_NEVER) {
        fail(life, "nothing will ever happen again, and it is not done");
        return;
    }
    struct random random = random_keyed(scenario->seed, KEY_WAKE, (uint64_t)wake, 0);
    if (random_permille(&random, 100))
        idle_tick(life, wake);
    if (random_permille(&random, scenario->late)) {
        msec_t late = random_between(&random, 1, scenario->late_ms);
        life->run->checker.late += late;
        wake += late;
    }
    life->now = wake;
    take_batch(life, false);
}

/* The last record says something, whatever the end was, and it is the same each time. */
static void check_outcome(struct life *life) {
    char text[200], again[200];
    int length = sv_outcome(life->sv, text, sizeof(text));
    sv_outcome(life->sv, again, sizeof(again));
    if (length <= 0 || length >= (int)sizeof(text) || strcmp(text, again) != 0)
        fail(life, "the outcome is no sentence");
    if (life->trace)
        printf("[%6lld]   outcome: %s\n", (long long)life->now, text);
}

void run_scenario(struct run *run, const struct scenario *scenario, uint32_t capacity, bool trace,
                  struct run_result *ret) {
    struct life life = {.run = run, .scenario = scenario, .result = ret, .trace = trace};
    memset(ret, 0, sizeof(*ret));
    void *memory = malloc(sv_bytes(&scenario->spec));
    assert(memory);
    memset(memory, 0xa5, sv_bytes(&scenario->spec)); /* what sv_init() leaves unset must not matter */
    life.sv = sv_init(&scenario->spec, memory);
    kernel_init(&run->kernel, scenario);
    checker_init(&run->checker, &scenario->spec);
    run->actions.capacity = capacity;
    while (!sv_done(life.sv) && ret->failure[0] == 0)
        turn(&life);

    if (sv_done(life.sv))
        check_outcome(&life);
    ret->end = life.now;
    ret->status = sv_done(life.sv) ? sv_exit_status(life.sv) : -1;
    mix(&ret->hash, (uint64_t)ret->status);
    for (uint32_t i = 0; i < scenario->spec.workers_count; i++)
        ret->spawns[i] = run->checker.workers[i].spawns;
    for (uint32_t i = 0; i < WORKER_STATES * WORKER_INPUTS; i++)
        run->cells[i] += sv_cells(life.sv)[i];
    free(memory);
}
