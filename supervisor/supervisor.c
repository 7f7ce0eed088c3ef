/* One fact in, what must be done out.
 *
 * An event goes to the file that knows its subject and is answered at once: that is a handful of actions. What concerns
 * many workers (a stop, a group that became ready) only puts them into a queue; pump() then takes them out one by one
 * while the list has room for whatever one of them may want, and decides each of them at that moment, by the state the
 * container is in then. A worker that was queued to be started when a TERM came is never started. */
#include "supervisor/core.h"

#include <assert.h>
#include <stdalign.h>

/* --- memory: one block, in this order --- */

struct layout {
    size_t workers, groups, deadlines, places, heap, failures, clearing, end;
};

static size_t place(size_t *end, size_t count, size_t size) {
    size_t begin = (*end + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    *end = begin + count * size;
    return begin;
}

static struct layout layout_of(const struct spec *spec) {
    struct layout layout = {0};
    size_t failures = 0;
    for (uint32_t i = 0; i < spec->groups_count; i++)
        failures += (size_t)spec->groups[i].count * spec->groups[i].limit_failures;
    size_t end = sizeof(struct sv);
    layout.workers = place(&end, spec->workers_count, sizeof(struct worker));
    layout.groups = place(&end, spec->groups_count, sizeof(struct group));
    layout.deadlines = place(&end, spec->workers_count, sizeof(msec_t));
    layout.places = place(&end, spec->workers_count, sizeof(uint32_t));
    layout.heap = place(&end, spec->workers_count, sizeof(uint32_t));
    layout.failures = place(&end, failures, sizeof(msec_t));
    layout.clearing = place(&end, spec->groups_count, sizeof(uint16_t));
    layout.end = end;
    return layout;
}

size_t sv_bytes(const struct spec *spec) {
    return layout_of(spec).end;
}

struct sv *sv_init(const struct spec *spec, void *memory) {
    struct layout layout = layout_of(spec);
    char *bytes = memory;
    struct sv *sv = memory;
    *sv = (struct sv){.spec = spec,
                      .workers = (void *)(bytes + layout.workers),
                      .groups = (void *)(bytes + layout.groups),
                      .attention = {NOBODY, NOBODY},
                      .spawn = {NOBODY, NOBODY},
                      .probe = {NOBODY, NOBODY},
                      .unready = spec->groups_count,
                      .unfinished = spec->workers_count,
                      .live = spec->workers_count,
                      .clearing = (void *)(bytes + layout.clearing)};
    timers_init(&sv->timers, spec->workers_count, (void *)(bytes + layout.deadlines), (void *)(bytes + layout.places),
                (void *)(bytes + layout.heap));
    lifecycle_init(sv);
    msec_t *failures = (void *)(bytes + layout.failures);
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        group_init(sv, (uint16_t)i);
        for (uint32_t j = 0; j < spec->groups[i].count; j++) {
            worker_init(sv, spec->groups[i].first_worker + j, (uint16_t)i, failures);
            failures += spec->groups[i].limit_failures;
        }
    }
    return sv;
}

/* --- the queues --- */

void sv_queue_attention(struct sv *sv, uint32_t index) {
    struct worker *worker = &sv->workers[index];
    if (worker->in_attention)
        return;
    worker->in_attention = true;
    worker->next_attention = NOBODY;
    if (sv->attention.head == NOBODY)
        sv->attention.head = index;
    else
        sv->workers[sv->attention.tail].next_attention = index;
    sv->attention.tail = index;
}

void sv_queue_spawn(struct sv *sv, uint32_t index) {
    struct worker *worker = &sv->workers[index];
    if (worker->in_spawn)
        return;
    worker->in_spawn = true;
    worker->next_spawn = NOBODY;
    if (sv->spawn.head == NOBODY)
        sv->spawn.head = index;
    else
        sv->workers[sv->spawn.tail].next_spawn = index;
    sv->spawn.tail = index;
}

void sv_queue_probe(struct sv *sv, uint32_t index) {
    struct worker *worker = &sv->workers[index];
    assert(!worker->in_probe); /* who is in line has no deadline that could put it there again */
    worker->in_probe = true;
    worker->next_probe = NOBODY;
    if (sv->probe.head == NOBODY)
        sv->probe.head = index;
    else
        sv->workers[sv->probe.tail].next_probe = index;
    sv->probe.tail = index;
}

static uint32_t take_attention(struct sv *sv) {
    uint32_t index = sv->attention.head;
    sv->attention.head = sv->workers[index].next_attention;
    sv->workers[index].in_attention = false;
    return index;
}

static uint32_t take_spawn(struct sv *sv) {
    uint32_t index = sv->spawn.head;
    sv->spawn.head = sv->workers[index].next_spawn;
    sv->workers[index].in_spawn = false;
    return index;
}

static uint32_t take_probe(struct sv *sv) {
    uint32_t index = sv->probe.head;
    sv->probe.head = sv->workers[index].next_probe;
    sv->workers[index].in_probe = false;
    return index;
}

struct report *sv_report(struct actions *actions, struct slot slot, enum cause cause, uint8_t former, uint8_t state) {
    struct action *action = actions_append(actions, ACTION_REPORT);
    action->slot = slot;
    action->report = (struct report){
        .cause = cause, .former = former, .state = state, .duration = MSEC_NEVER, .cause_worker = NOBODY};
    return &action->report;
}

static bool may_forward(const struct sv *sv) {
    return (sv->forward != 0 || sv->forwarding != 0) && sv->life.phase != PHASE_BOOT;
}

/* stop_to of a config is about stop signals alone; a command under another init's name is meant by all of them. */
static bool goes_to_leader(const struct sv *sv, const struct worker *worker) {
    bool wanted = sv->spec->groups[worker->group].stop_to == STOP_TO_LEADER;
    return sv->spec->command_only && wanted && worker->leader;
}

/* One signal after the other goes to everybody: what comes meanwhile waits for its own turn, the same one too, or those
 * who had theirs already would miss it. */
static void forward_one(struct sv *sv, struct actions *actions) {
    if (sv->forwarding == 0) {
        sv->forwarding = 1;
        while (!(sv->forward >> (sv->forwarding - 1) & 1))
            sv->forwarding++;
        sv->forward &= ~(UINT64_C(1) << (sv->forwarding - 1));
        sv->forward_next = 0;
    }
    const struct spec_signal *spec = &sv->spec->signals[sv->forwarding];
    while (sv->forward_next < sv->spec->workers_count) {
        uint32_t index = sv->forward_next++;
        const struct worker *worker = &sv->workers[index];
        if (!worker_has_process(worker) || (spec->group >= 0 && worker->group != spec->group))
            continue;
        struct action *action = actions_append(actions, ACTION_SIGNAL);
        action->slot = worker_slot(sv, index, SLOT_WORKER);
        action->signal = spec->policy == SIGNAL_FORWARD ? spec->number : sv->forwarding;
        action->to_leader = goes_to_leader(sv, worker);
        return;
    }
    sv->forwarding = 0;
}

static bool may_spawn(const struct sv *sv) {
    return sv->spawn.head != NOBODY && sv->spawning < SPAWNING_MAX;
}

static bool may_probe(const struct sv *sv) {
    return sv->probe.head != NOBODY && sv->probing < PROBES_MAX;
}

static void pump(struct sv *sv, struct actions *actions) {
    sv->more = true;
    while (actions_free(actions) >= ACTIONS_MIN) {
        if (lifecycle_review(sv, actions))
            continue;
        else if (sv->attention.head != NOBODY)
            worker_attend(sv, take_attention(sv), actions);
        else if (timers_earliest(&sv->timers) <= sv->now)
            worker_due(sv, timers_top(&sv->timers), actions);
        else if (may_spawn(sv))
            worker_spawn(sv, take_spawn(sv), actions);
        else if (may_probe(sv))
            worker_probe(sv, take_probe(sv), actions);
        else if (may_forward(sv))
            forward_one(sv, actions);
        else {
            sv->more = false;
            return;
        }
    }
}

/* --- the step --- */

static void dispatch(struct sv *sv, const struct event *event, struct actions *actions) {
    switch (event->kind) {
    case EVENT_TICK:
        return;
    case EVENT_BOOT:
    case EVENT_SIGNAL:
    case EVENT_CHILDREN_GONE:
    case EVENT_SHUTDOWN:
        lifecycle_event(sv, event, actions);
        return;
    case EVENT_WORKER_START:
    case EVENT_WORKER_STOP:
    case EVENT_WORKER_RESTART:
        assert(event->slot.index < sv->spec->workers_count);
        worker_operate(sv, event->slot.index, event->kind, actions);
        return;
    case EVENT_SPAWN_FAILED:
    case EVENT_EXECUTED:
    case EVENT_EXEC_FAILED:
    case EVENT_READY:
    case EVENT_UNREADY:
    case EVENT_EXITED:
    case EVENT_GROUP_EMPTY:
    case EVENT_EXTEND:
    case EVENT_WATCHDOG:
    case EVENT_UNHEALTHY:
    case EVENT_PROBED:
        if (event->slot.kind == SLOT_PRIMARY) {
            lifecycle_event(sv, event, actions);
        } else {
            assert(event->slot.index < sv->spec->workers_count);
            worker_event(sv, event, actions);
        }
        return;
    case EVENT_KINDS:
        break;
    }
    assert(false && "an event of no kind");
}

void sv_step(struct sv *sv, const struct event *event, struct actions *actions) {
    assert(actions->capacity >= ACTIONS_MIN && actions->capacity <= ACTIONS_MAX);
    actions->count = 0;
    if (sv_done(sv))
        return;
    sv->now = msec_max(sv->now, event->time);
    dispatch(sv, event, actions);
    pump(sv, actions);
}

msec_t sv_deadline(const struct sv *sv) {
    if (sv_done(sv))
        return MSEC_NEVER;
    if (sv->more)
        return sv->now;
    return msec_max(sv->now, msec_min(timers_earliest(&sv->timers), lifecycle_deadline(sv)));
}

bool sv_done(const struct sv *sv) {
    return sv->life.phase == PHASE_DONE;
}

/* --- looking in --- */

enum phase sv_phase(const struct sv *sv) {
    return sv->life.phase;
}

const struct spec *sv_spec(const struct sv *sv) {
    return sv->spec;
}

enum worker_state sv_worker_state(const struct sv *sv, uint32_t worker) {
    assert(worker < sv->spec->workers_count);
    return (enum worker_state)sv->workers[worker].state;
}

uint32_t sv_generation(const struct sv *sv, enum slot_kind kind, uint32_t index) {
    if (kind == SLOT_PRIMARY)
        return sv->life.primary[index].generation;
    return kind == SLOT_CONTAINER ? 0 : sv->workers[index].generation;
}

const uint64_t *sv_cells(const struct sv *sv) {
    return sv->cells;
}
