/* The life of a process, drawn when it is forked: see kernel.h. Each purpose has a generator of its own, so that one
 * more draw for members changes nothing about when the leader is ready. */
#include "tests/sim/kernel.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "supervisor/signals.h"
#include "tests/sim/random.h"

enum { KEY_PROCESS = 100 };

static void push_fact(struct kernel *kernel, const struct process *process, msec_t at, struct event fact) {
    kernel_push(kernel, (struct pending){.at = at, .key = process->key, .kind = PENDING_FACT, .fact = fact});
}

static const struct mood *mood_of(const struct kernel *kernel, struct slot slot) {
    const struct scenario *scenario = kernel->scenario;
    if (slot.kind == SLOT_PRIMARY)
        return &scenario->primary_mood;
    return &scenario->moods[kernel->workers[slot.index].group];
}

static struct random random_for(const struct kernel *kernel, struct slot slot, uint64_t purpose) {
    const struct scenario *scenario = kernel->scenario;
    uint64_t who = slot.index;
    if (slot.kind != SLOT_PRIMARY) {
        uint32_t group = kernel->workers[slot.index].group;
        who = ((uint64_t)scenario->ids[group] << 32) | (slot.index - scenario->groups[group].first_worker);
    }
    return random_keyed(scenario->seed, purpose * 16 + slot.kind, who, slot.generation);
}

static struct reaction draw_reaction(struct random *random, const struct mood *mood) {
    static const int64_t slow[] = {50, 400, 3000, 9000, 20000};
    struct reaction reaction = {.delay = random_between(random, 0, 4)};
    reaction.ignores = random_permille(random, mood->stubborn);
    if (random_permille(random, mood->slow_stop))
        reaction.delay = random_between(random, 1, RANDOM_OF(random, slow));
    uint32_t how = random_below(random, 10);
    if (how < 4)
        reaction.ending = (struct ending){.kind = ENDING_EXITED, .number = 0};
    else if (how < 6)
        reaction.ending = (struct ending){.kind = ENDING_EXITED, .number = (uint8_t)random_below(random, 256)};
    return reaction;
}

static msec_t draw_kill_delay(struct random *random, const struct mood *mood) {
    if (!random_permille(random, mood->stuck))
        return random_between(random, 0, 2);
    return random_permille(random, 300) ? MSEC_NEVER : random_between(random, 100, 12000);
}

static struct ending draw_ending(struct random *random, const struct mood *mood) {
    static const uint8_t signals[] = {SIGNAL_KILL, 11, SIGNAL_ABRT, SIGNAL_TERM};
    if (random_permille(random, mood->success))
        return (struct ending){.kind = ENDING_EXITED, .number = 0};
    if (random_permille(random, 300))
        return (struct ending){.kind = ENDING_KILLED, .number = RANDOM_OF(random, signals)};
    return (struct ending){.kind = ENDING_EXITED, .number = (uint8_t)(1 + random_below(random, 3))};
}

static void draw_members(struct kernel *kernel, struct slot slot, const struct mood *mood, msec_t end) {
    struct random random = random_for(kernel, slot, KEY_PROCESS + 1);
    struct sim_worker *worker = &kernel->workers[slot.index];
    memset(worker->members, 0, sizeof(worker->members));
    worker->generation = slot.generation;
    worker->members_told = false;
    if (!random_permille(&random, mood->members))
        return;
    uint32_t count = 1 + random_below(&random, KERNEL_MEMBERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct member *member = &worker->members[i];
        member->alive = true;
        member->unreapable = random_permille(&random, 50);
        member->stop = draw_reaction(&random, mood);
        member->kill_delay = draw_kill_delay(&random, mood);
        /* Some outlive their leader by a little, some for ever; most end before it. */
        uint32_t how = random_below(&random, 4);
        member->exit_at =
            how == 0 || end == MSEC_NEVER ? MSEC_NEVER : end + random_between(&random, how == 1 ? -20 : 0, 500);
        kernel_push(kernel, (struct pending){.at = member->exit_at,
                                             .key = worker->leader.key,
                                             .kind = PENDING_MEMBER,
                                             .fact = {.slot = slot},
                                             .which = i});
    }
}

static void draw_straggler(struct kernel *kernel, struct slot slot, const struct mood *mood) {
    struct random random = random_for(kernel, slot, KEY_PROCESS + 2);
    if (!random_permille(&random, mood->orphans))
        return;
    for (uint32_t i = 0; i < KERNEL_STRAGGLERS_MAX; i++) {
        struct straggler *straggler = &kernel->stragglers[i];
        if (straggler->alive)
            continue;
        *straggler = (struct straggler){.alive = true, .exit_at = MSEC_NEVER};
        straggler->stop = draw_reaction(&random, mood);
        straggler->stuck = random_permille(&random, mood->stuck);
        if (random_permille(&random, 500))
            straggler->exit_at = kernel->now + random_between(&random, 1, 30000);
        kernel->children++;
        kernel_push(kernel,
                    (struct pending){
                        .at = straggler->exit_at, .key = random_next(&random), .kind = PENDING_STRAGGLER, .which = i});
        return;
    }
}

/* READY in time, twice, too early, never; and what else a worker may say. */
static void draw_facts(struct kernel *kernel, struct slot slot, const struct mood *mood, const struct process *process,
                       msec_t executed) {
    static const enum event_kind odd[] = {EVENT_READY, EVENT_UNREADY, EVENT_EXTEND, EVENT_WATCHDOG, EVENT_UNHEALTHY};
    static const int64_t spans[] = {3, 60, 600, 8000};
    struct random random = random_for(kernel, slot, KEY_PROCESS + 3);
    const struct spec_group *group = &kernel->scenario->groups[kernel->workers[slot.index].group];
    msec_t ready = executed + random_between(&random, 0, RANDOM_OF(&random, spans));
    if (group->ready != READY_NONE && !random_permille(&random, mood->never_ready)) {
        if (random_permille(&random, mood->odd_facts) && random_permille(&random, 200))
            ready = kernel->now;
        if (group->ready == READY_NOTIFY || group->ready == READY_FD)
            push_fact(kernel, process, ready, (struct event){.kind = EVENT_READY, .slot = slot});
        for (msec_t ping = ready + 900; group->watchdog && ping < ready + 9000; ping += 900) {
            if (random_permille(&random, mood->odd_facts / 4))
                break;
            push_fact(kernel, process, ping, (struct event){.kind = EVENT_WATCHDOG, .slot = slot});
        }
    }
    while (random_permille(&random, mood->odd_facts)) {
        struct event event = {.kind = RANDOM_OF(&random, odd), .slot = slot};
        event.duration = random_between(&random, 0, 2000);
        if (event.kind == EVENT_READY && group->ready == READY_NONE)
            continue;
        if (event.kind == EVENT_WATCHDOG && random_permille(&random, 500))
            event.duration = 0; /* a ping and no more */
        if (slot.generation > 1 && random_permille(&random, 200))
            event.slot.generation--;
        push_fact(kernel, process, executed + random_between(&random, 0, 3000), event);
    }
}

/* Its exec: confirmed, failed, or never heard of because it died first. Returns when it is over. */
static msec_t draw_exec(struct kernel *kernel, struct slot slot, const struct mood *mood, struct process *process) {
    static const int errors[] = {ENOENT, EACCES, ENOEXEC};
    static const int64_t spans[] = {0, 2, 2, 2, 40};
    struct random random = random_for(kernel, slot, KEY_PROCESS + 4);
    msec_t at = kernel->now + random_between(&random, 0, RANDOM_OF(&random, spans));
    struct event fact = {.kind = EVENT_EXECUTED, .slot = slot};
    if (random_permille(&random, mood->exec_failure)) {
        fact.kind = EVENT_EXEC_FAILED;
        fact.error = RANDOM_OF(&random, errors);
        fact.stage = (enum spawn_stage)random_between(&random, STAGE_SETUP, STAGE_INTERPRETER);
        push_fact(kernel, process, at, fact);
        uint8_t code = fact.error == ENOENT ? 127 : 126;
        kernel_schedule_exit(kernel, slot, process, at, (struct ending){.kind = ENDING_EXITED, .number = code});
        return at;
    }
    if (random_permille(&random, mood->early_death)) {
        kernel_schedule_exit(kernel, slot, process, at, (struct ending){.kind = ENDING_KILLED, .number = SIGNAL_KILL});
        return at;
    }
    push_fact(kernel, process, at, fact);
    return at;
}

/* --- probes --- */

/* Most answer at once or soon; some take about as long as they may, some never answer by themselves. */
static msec_t draw_probe_time(struct random *random, const struct mood *mood) {
    uint32_t how = random_below(random, 20);
    if (random_permille(random, mood->stubborn))
        return MSEC_NEVER;
    if (how < 8)
        return 0;
    return how < 18 ? random_between(random, 1, 60) : random_between(random, PROBE_MS - 3, PROBE_MS + 3);
}

void kernel_probe(struct kernel *kernel, struct slot slot) {
    struct sim_worker *worker = &kernel->workers[slot.index];
    struct probe *probe = &worker->probe;
    const struct mood *mood = mood_of(kernel, slot);
    struct random life = random_for(kernel, slot, KEY_PROCESS + 5);
    bool never = random_permille(&life, mood->never_ready);
    uint32_t number = probe->generation == slot.generation ? probe->number + 1 : 0;
    struct random random = random_for(kernel, slot, KEY_PROCESS + 6 + number);

    assert(!probe->alive);
    msec_t time = draw_probe_time(&random, mood);
    *probe = (struct probe){.alive = true,
                            .child = kernel->scenario->groups[worker->group].ready == READY_EXEC,
                            .generation = slot.generation,
                            .number = number,
                            .key = random_next(&random),
                            .over_at = msec_add(kernel->now, time),
                            .success = !never && random_permille(&random, 400)};
    probe->end_success = random_permille(&random, 50);
    probe->end_delay = random_permille(&random, 100) ? random_between(&random, 1, 3000) : random_between(&random, 0, 3);
    kernel->children += probe->child;
    kernel_push(
        kernel,
        (struct pending){
            .at = probe->over_at, .key = probe->key, .kind = PENDING_PROBE, .fact = {.slot = slot}, .which = number});
}

void kernel_probe_end(struct kernel *kernel, struct slot slot) {
    struct probe *probe = &kernel->workers[slot.index].probe;
    msec_t at = kernel->now + probe->end_delay;
    if (!probe->alive || probe->generation != slot.generation || at >= probe->over_at)
        return;
    probe->over_at = at;
    probe->success = probe->end_success;
    kernel_push(
        kernel,
        (struct pending){
            .at = at, .key = probe->key, .kind = PENDING_PROBE, .fact = {.slot = slot}, .which = probe->number});
}

void kernel_spawn(struct kernel *kernel, struct slot slot) {
    struct process *process = kernel_process(kernel, slot);
    const struct mood *mood = mood_of(kernel, slot);
    struct random random = random_for(kernel, slot, KEY_PROCESS);

    *process = (struct process){.generation = slot.generation, .exit_at = MSEC_NEVER, .key = random_next(&random)};
    if (random_permille(&random, mood->spawn_failure)) {
        struct event fact = {.kind = EVENT_SPAWN_FAILED, .slot = slot, .stage = STAGE_FORK};
        fact.error = random_permille(&random, 500) ? EAGAIN : ENOMEM;
        push_fact(kernel, process, kernel->now, fact);
        return;
    }
    process->alive = true;
    process->stop = draw_reaction(&random, mood);
    process->forward = draw_reaction(&random, mood);
    process->forward.ignores = !random_permille(&random, 150);
    process->kill_delay = draw_kill_delay(&random, mood);
    kernel->children++;

    msec_t executed = draw_exec(kernel, slot, mood, process);
    bool ends = slot.kind == SLOT_WORKER ? random_permille(&random, mood->crash) : !random_permille(&random, 100);
    if (ends)
        kernel_schedule_exit(kernel, slot, process, executed + random_between(&random, 1, mood->life_ms),
                             draw_ending(&random, mood));
    if (slot.kind == SLOT_WORKER) {
        draw_members(kernel, slot, mood, process->exit_at);
        draw_facts(kernel, slot, mood, process, executed);
        draw_straggler(kernel, slot, mood);
    }
}
