/* Facts about a worker, its stop hook and its probe: what each of them means in the state that the worker is in, as an
 * input of the table or as a deadline that moves. Facts of a former life are void; the answer to a probe may be one and
 * counts all the same, as the end of that probe. */
#include "supervisor/worker_internal.h"

static struct why why_ended(struct ending ending) {
    return because_number(ending.kind == ENDING_KILLED ? CAUSE_KILLED : CAUSE_EXITED, ending.number);
}

static void note_exec(struct sv *sv, bool *in_flight) {
    if (*in_flight)
        sv->spawning--;
    *in_flight = false;
}

static void report_exec_failure(const struct event *event, uint8_t state, struct actions *actions) {
    struct report *report = sv_report(actions, event->slot, CAUSE_EXEC_FAILED, state, state);
    report->number = event->error;
    report->stage = event->stage;
}

void worker_became_ready(struct sv *sv, uint32_t index, enum cause cause, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    const struct spec_group *spec = worker_spec(sv, worker);
    if (worker->state == WORKER_STARTING)
        worker->ready_at = sv->now;
    worker_take(sv, index, INPUT_READY, because(cause), actions);
    if (worker->state == WORKER_READY && spec->kill_after_completed && spec->ready != READY_NONE)
        worker_stop_for(sv, index, REASON_COMPLETED, CAUSE_COMPLETED, actions);
}

static void leader_exited(struct sv *sv, const struct event *event, struct actions *actions) {
    uint32_t index = event->slot.index;
    struct worker *worker = &sv->workers[index];
    const struct spec_group *spec = worker_spec(sv, worker);
    worker->leader = false;
    worker->members = event->members_left;
    worker->ending = event->ending;
    if (worker->ready_at != MSEC_NEVER && sv->now - worker->ready_at >= spec->stable_after)
        backoff_reset(&worker->backoff);
    worker_after_loss(sv, index, INPUT_LEADER_ENDED, why_ended(event->ending), actions);
}

static void hook_event(struct sv *sv, const struct event *event, struct actions *actions) {
    uint32_t index = event->slot.index;
    struct worker *worker = &sv->workers[index];
    bool ended = event->kind == EVENT_EXITED || event->kind == EVENT_SPAWN_FAILED;

    if (worker->hook != TASK_RUNNING && worker->hook != TASK_KILLED)
        return;
    note_exec(sv, &worker->hook_in_flight);
    if (event->kind == EVENT_EXEC_FAILED)
        report_exec_failure(event, worker->hook, actions);
    if (!ended)
        return;

    uint8_t former = worker->hook;
    bool again = event->kind == EVENT_SPAWN_FAILED && former == TASK_RUNNING;
    worker->hook = TASK_ENDED;
    if (again)
        worker_retry_hook(sv, index);
    struct why why =
        event->kind == EVENT_EXITED ? why_ended(event->ending) : because_number(CAUSE_SPAWN_FAILED, event->error);
    struct report *report = sv_report(actions, event->slot, why.cause, former, worker->hook);
    report->number = why.number;
    if (again)
        return;
    int signal = worker_stop_signal(sv, worker);
    bool signals = worker->state == WORKER_HOOK && worker_has_process(worker);
    worker_after_loss(sv, index, INPUT_HOOK_ENDED,
                      signals ? because_number(CAUSE_STOP_SIGNAL, signal) : because(CAUSE_HOOK_ENDED), actions);
}

/* More time to start, or until the next ping; what has no limit gets none by this. */
static void extend(struct sv *sv, const struct event *event) {
    uint32_t index = event->slot.index;
    struct worker *worker = &sv->workers[index];
    msec_t until = msec_add(sv->now, event->duration), deadline = sv->timers.deadline[index];
    if (worker->state == WORKER_STARTING && worker->start_by != MSEC_NEVER) {
        worker->start_by = msec_max(worker->start_by, until);
        sv->life.start_until = msec_max(sv->life.start_until, until);
        timers_set(&sv->timers, index, probe_deadline(worker));
    } else if (worker->state == WORKER_READY && deadline != MSEC_NEVER) {
        timers_set(&sv->timers, index, msec_max(deadline, until));
    }
}

/* A ping; it may change how often the next ones have to come. */
static void ping(struct sv *sv, const struct event *event) {
    struct worker *worker = &sv->workers[event->slot.index];
    if (event->duration > 0)
        worker->watchdog = event->duration;
    if (worker->state == WORKER_READY && worker->watchdog > 0)
        timers_set(&sv->timers, event->slot.index, msec_add(sv->now, worker->watchdog));
}

static void executed(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    const struct spec_group *spec = worker_spec(sv, worker);
    note_exec(sv, &worker->in_flight);
    if (spec->ready == READY_NONE) {
        worker_became_ready(sv, index, CAUSE_EXECUTED, actions);
        return;
    }
    worker_take(sv, index, INPUT_EXECUTED, because(CAUSE_EXECUTED), actions);
    probe_first(sv, index);
}

static void worker_fact(struct sv *sv, const struct event *event, struct actions *actions) {
    uint32_t index = event->slot.index;
    struct worker *worker = &sv->workers[index];

    if (event->kind == EVENT_SPAWN_FAILED) {
        note_exec(sv, &worker->in_flight);
        worker->leader = false;
        struct why why = because_number(CAUSE_SPAWN_FAILED, event->error);
        if (worker->state == WORKER_STARTING) {
            why.duration = worker_spec(sv, worker)->delay_first;
            worker_take(sv, index, INPUT_SPAWN_FAILED, why, actions);
        } else {
            worker_after_loss(sv, index, INPUT_LEADER_ENDED, why, actions);
        }
    } else if (event->kind == EVENT_EXECUTED) {
        executed(sv, index, actions);
    } else if (event->kind == EVENT_EXEC_FAILED) {
        note_exec(sv, &worker->in_flight);
        report_exec_failure(event, worker->state, actions);
    } else if (event->kind == EVENT_READY) {
        worker_became_ready(sv, index, CAUSE_READY, actions);
    } else if (event->kind == EVENT_UNREADY) {
        sv_report(actions, event->slot, CAUSE_UNREADY, worker->state, worker->state);
    } else if (event->kind == EVENT_EXITED) {
        note_exec(sv, &worker->in_flight);
        leader_exited(sv, event, actions);
    } else if (event->kind == EVENT_EXTEND) {
        extend(sv, event);
    } else if (event->kind == EVENT_WATCHDOG) {
        ping(sv, event);
    } else if (event->kind == EVENT_UNHEALTHY) {
        if (worker->state == WORKER_READY)
            worker_watchdog(sv, index, actions);
    }
}

void worker_event(struct sv *sv, const struct event *event, struct actions *actions) {
    uint32_t index = event->slot.index;
    struct worker *worker = &sv->workers[index];
    if (event->slot.kind == SLOT_PROBE && event->kind == EVENT_PROBED)
        probe_answered(sv, event, actions);
    if (event->slot.generation != worker->generation || event->slot.kind == SLOT_PROBE)
        return;
    if (event->slot.kind == SLOT_HOOK) {
        hook_event(sv, event, actions);
    } else if (event->kind == EVENT_GROUP_EMPTY) {
        if (!worker->members)
            return;
        worker->members = false;
        worker_after_loss(sv, index, INPUT_MEMBERS_GONE, because(CAUSE_MEMBERS_GONE), actions);
    } else if (worker->leader) {
        worker_fact(sv, event, actions);
    }
}
