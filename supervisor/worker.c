/* One worker: inputs of the table (worker_table.c), and what the table says becomes actions. What facts have to do with
 * it stands in worker_facts.c.
 *
 * A worker is gone when three things are: its leader (reaped), the members of its process group, and its stop hook.
 * Each of the three facts asks remains() first; the last of them is answered with the verdict (INPUT_ENDED_*): what
 * becomes of the worker now. So the table never asks how a process ended, and no state exists twice for "and a hook
 * runs too". */
#include "supervisor/worker_internal.h"
#include "supervisor/worker_table.h"

#include <assert.h>

/* --- what the inputs are computed from --- */

const struct spec_group *worker_spec(const struct sv *sv, const struct worker *worker) {
    return &sv->spec->groups[worker->group];
}

struct slot worker_slot(const struct sv *sv, uint32_t index, enum slot_kind kind) {
    return (struct slot){.kind = kind, .index = index, .generation = sv->workers[index].generation};
}

void worker_init(struct sv *sv, uint32_t index, uint16_t group, msec_t *failures) {
    sv->workers[index] = (struct worker){.group = group,
                                         .failures = failures,
                                         .ready_at = MSEC_NEVER,
                                         .kill_at = MSEC_NEVER,
                                         .start_by = MSEC_NEVER,
                                         .urge_at = MSEC_NEVER,
                                         .probe_at = MSEC_NEVER,
                                         .retry_at = MSEC_NEVER,
                                         .next_attention = NOBODY,
                                         .next_spawn = NOBODY,
                                         .next_probe = NOBODY,
                                         .state = WORKER_WAITING};
}

bool worker_has_process(const struct worker *worker) {
    return worker->leader || worker->members;
}

/* Whether anything of it is left: a worker is gone when nothing is. */
static bool remains(const struct worker *worker) {
    return worker_has_process(worker) || worker->hook == TASK_WANTED || worker->hook == TASK_RUNNING ||
           worker->hook == TASK_KILLED;
}

static bool is_success(const struct spec_success *success, struct ending ending) {
    switch (ending.kind) {
    case ENDING_NONE:
        return false;
    case ENDING_EXITED:
        return success->codes[ending.number / 64] >> (ending.number % 64) & 1;
    case ENDING_KILLED:
        return ending.number < 64 ? success->signals >> ending.number & 1 : false;
    }
    return false;
}

static msec_t grace_of(const struct sv *sv, const struct worker *worker) {
    msec_t grace = worker_spec(sv, worker)->grace;
    return grace != MSEC_NEVER ? grace : sv->spec->grace;
}

int worker_stop_signal(const struct sv *sv, const struct worker *worker) {
    if (worker->stop_signal)
        return worker->stop_signal;
    if (worker_spec(sv, worker)->stop_signal)
        return worker_spec(sv, worker)->stop_signal;
    return lifecycle_stopping(sv) && sv->life.requested ? sv->life.stop_signal : SIGNAL_TERM;
}

/* --- the effects of a transition --- */

static struct action *signal_slot(struct actions *actions, struct slot slot, int signal) {
    struct action *action = actions_append(actions, ACTION_SIGNAL);
    action->slot = slot;
    action->signal = signal;
    return action;
}

/* Asks its leader, or its group; nothing where there is neither. */
static void signal_worker(struct sv *sv, uint32_t index, int signal, struct actions *actions) {
    const struct worker *worker = &sv->workers[index];
    if (!worker_has_process(worker))
        return;
    struct action *action = signal_slot(actions, worker_slot(sv, index, SLOT_WORKER), signal);
    action->to_leader = worker_spec(sv, worker)->stop_to == STOP_TO_LEADER && worker->leader;
    action->then_continue = true;
}

/* Whoever is asked has a quarter of the grace period, also where brood comes late to it (a paused container). */
static void send_stop_signal(struct sv *sv, uint32_t index, int signal, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    msec_t grace = grace_of(sv, worker);
    if (!worker_has_process(worker))
        return;
    if (lifecycle_stopping(sv)) {
        grace = msec_min(grace, sv->life.grace);
        lifecycle_postpone_kill(sv);
    }
    worker->kill_at = msec_max(worker->kill_at, msec_add(sv->now, grace / 4));
    signal_worker(sv, index, signal, actions);
}

static void send_kill(struct sv *sv, uint32_t index, msec_t grace, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    if (worker_has_process(worker)) {
        signal_slot(actions, worker_slot(sv, index, SLOT_WORKER), SIGNAL_KILL);
        lifecycle_note_kill(sv, worker_slot(sv, index, SLOT_WORKER), grace);
    }
    if (worker->hook == TASK_RUNNING) {
        signal_slot(actions, worker_slot(sv, index, SLOT_HOOK), SIGNAL_KILL);
        lifecycle_note_kill(sv, worker_slot(sv, index, SLOT_HOOK), grace);
        worker->hook = TASK_KILLED;
    } else if (worker->hook == TASK_WANTED) {
        worker->hook = TASK_ENDED;
    }
}

/* --- a transition --- */

/* That, or when a hook that could not be forked is tried again. */
static msec_t or_retry(const struct worker *worker, msec_t deadline) {
    bool waits = worker->hook == TASK_WANTED && !worker->in_spawn;
    return waits ? msec_min(deadline, worker->retry_at) : deadline;
}

/* The deadline of the state that the worker is in, `why` where it has just entered BACKOFF. */
static msec_t deadline_of(const struct sv *sv, const struct worker *worker, const struct why *why) {
    switch ((enum worker_state)worker->state) {
    case WORKER_STARTING:
        return probe_deadline(worker);
    case WORKER_READY:
        return worker->watchdog ? msec_add(sv->now, worker->watchdog) : MSEC_NEVER;
    case WORKER_HOOK:
        return or_retry(worker, worker->urge_at);
    case WORKER_STOPPING:
    case WORKER_CLEANUP:
        /* The end of the container's grace period is no deadline of each worker: everyone is attended to then. */
        return or_retry(worker,
                        lifecycle_stopping(sv) && worker->kill_at >= sv->life.kill_at ? MSEC_NEVER : worker->kill_at);
    case WORKER_KILLED:
        /* A zombie that a living parent outside of the group doesn't reap is a member for ever. */
        return worker->leader || !worker->members ? MSEC_NEVER : msec_add(sv->now, MEMBERS_PATIENCE_MS);
    case WORKER_BACKOFF:
        return msec_add(sv->now, why->duration);
    case WORKER_WAITING:
    case WORKER_DOWN:
    case WORKER_COMPLETED:
    case WORKER_FAILED:
    case WORKER_STATES:
        break;
    }
    return MSEC_NEVER;
}

/* A new life: nothing of the one before but its place, its failures and perhaps a probe that isn't over yet. */
static void begin_life(struct sv *sv, struct worker *worker) {
    const struct spec_group *spec = worker_spec(sv, worker);
    worker->generation++;
    worker->leader = worker->in_flight = true;
    sv->spawning++;
    worker->ending = (struct ending){.kind = ENDING_NONE};
    worker->reason = REASON_NONE;
    worker->hook = TASK_IDLE;
    worker->ready_at = MSEC_NEVER;
    worker->stop_signal = 0;
    worker->start_by = spec->ready == READY_NONE ? MSEC_NEVER : msec_add(sv->now, spec->startup_timeout);
    worker->probe_at = MSEC_NEVER;
    worker->probe_delay = 0;
    worker->watchdog = spec->watchdog;
    group_begin(sv, worker->group);
}

void worker_take(struct sv *sv, uint32_t index, enum worker_input input, struct why why, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    enum worker_state former = (enum worker_state)worker->state;
    const struct worker_cell *cell = &worker_table[former][input];

    assert(cell->effects & HAPPENS);
    sv->cells[(uint32_t)former * WORKER_INPUTS + input]++;

    msec_t grace = why.duration;
    worker->state = cell->next;
    if (cell->effects & SPAWN)
        begin_life(sv, worker);
    if (!(cell->effects & QUIET)) {
        struct report *report =
            sv_report(actions, worker_slot(sv, index, SLOT_WORKER), why.cause, (uint8_t)former, worker->state);
        report->number = why.number;
        report->duration = why.duration;
    }
    if (former == WORKER_STARTING && worker->state != WORKER_STARTING)
        probe_give_up(sv, index, actions);
    if (cell->effects & SPAWN)
        actions_append(actions, ACTION_SPAWN)->slot = worker_slot(sv, index, SLOT_WORKER);
    if (cell->effects & SIGNAL)
        send_stop_signal(sv, index, worker_stop_signal(sv, worker), actions);
    if (cell->effects & KILL)
        send_kill(sv, index, grace, actions);
    if (cell->effects & HOOK) {
        worker->hook = TASK_WANTED;
        sv_queue_spawn(sv, index);
    }
    if (worker->state != former) {
        timers_set(&sv->timers, index, deadline_of(sv, worker, &why));
        group_note(sv, index, former, (enum worker_state)worker->state);
        if (worker->state == WORKER_WAITING)
            sv_queue_spawn(sv, index);
        if (worker->state == WORKER_DOWN || worker->state == WORKER_COMPLETED || worker->state == WORKER_FAILED)
            lifecycle_settled(sv, index, actions);
    }
}

/* --- being asked to stop --- */

static void begin_grace(struct sv *sv, struct worker *worker) {
    worker->kill_at = msec_add(sv->now, grace_of(sv, worker));
    if (lifecycle_stopping(sv))
        worker->kill_at = msec_min(worker->kill_at, sv->life.kill_at);
}

/* Whether its stop hook is still to be run. */
static bool hook_due(const struct sv *sv, const struct worker *worker) {
    return worker->ready_at != MSEC_NEVER && worker_spec(sv, worker)->stop.argc > 0 && worker->hook == TASK_IDLE &&
           grace_of(sv, worker) > 0 && !sv->life.killed && sv->life.phase <= PHASE_STOP;
}

static void ask(struct sv *sv, uint32_t index, enum cause cause, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    bool live = worker->state == WORKER_STARTING || worker->state == WORKER_READY;
    msec_t grace = grace_of(sv, worker);

    if (live)
        begin_grace(sv, worker);
    if (live && grace == 0) {
        worker_take(sv, index, INPUT_GRACE_OVER, because_for(CAUSE_GRACE_OVER, 0, 0), actions);
    } else if (worker->state == WORKER_READY && hook_due(sv, worker)) {
        worker->urge_at = grace == MSEC_NEVER ? MSEC_NEVER : msec_add(sv->now, grace / 2);
        worker_take(sv, index, INPUT_ASK_HOOK, because(cause == CAUSE_STOP_SIGNAL ? CAUSE_STOP_HOOK : cause), actions);
    } else if (live) {
        worker_take(sv, index, INPUT_ASK_SIGNAL, because_number(cause, worker_stop_signal(sv, worker)), actions);
    } else {
        worker_take(sv, index, INPUT_ASK_SIGNAL, because(cause == CAUSE_STOP_SIGNAL ? CAUSE_STOP : cause), actions);
    }
}

void worker_stop_for(struct sv *sv, uint32_t index, enum reason reason, enum cause cause, struct actions *actions) {
    if (reason > sv->workers[index].reason)
        sv->workers[index].reason = (uint8_t)reason;
    ask(sv, index, cause, actions);
}

/* --- the verdict --- */

/* What becomes of a worker of which nothing is left; the delay of a retry to *delay. */
static enum worker_input verdict(struct sv *sv, uint32_t index, msec_t *delay) {
    struct worker *worker = &sv->workers[index];
    const struct spec_group *spec = worker_spec(sv, worker);
    bool success = is_success(&spec->success, worker->ending) && worker->reason != REASON_TIMEOUT &&
                   worker->reason != REASON_UNHEALTHY;

    if (worker->reason == REASON_COMPLETED)
        return INPUT_ENDED_COMPLETED;
    if (lifecycle_stopping(sv))
        return spec->kill_after_completed && success ? INPUT_ENDED_COMPLETED : INPUT_ENDED_DOWN;
    if (worker->reason == REASON_DOWN)
        return INPUT_ENDED_DOWN;
    if (worker->reason == REASON_RESTART)
        return INPUT_ENDED_AGAIN;
    if (success) {
        *delay = spec->delay_first;
        return spec->restart == RESTART_ALWAYS && !spec->kill_after_completed ? INPUT_ENDED_RETRY
                                                                              : INPUT_ENDED_COMPLETED;
    }
    bool exceeded =
        backoff_exceeded(&worker->backoff, worker->failures, spec->limit_failures, spec->limit_window, sv->now);
    if (spec->restart == RESTART_NO || exceeded)
        return INPUT_ENDED_FAILED;
    *delay = backoff_next(&worker->backoff, spec->delay_first, spec->delay_last);
    return INPUT_ENDED_RETRY;
}

/* One of leader, members and hook is gone: `partly` where something remains, else its hook or the verdict. */
void worker_after_loss(struct sv *sv, uint32_t index, enum worker_input partly, struct why why,
                       struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    if (remains(worker)) {
        if (worker->state == WORKER_STARTING || worker->state == WORKER_READY)
            begin_grace(sv, worker);
        bool stopping = worker->state == WORKER_STOPPING;
        worker_take(sv, index, partly, why, actions);
        /* The stop signal went to the leader alone, who is gone: now the others are asked. */
        if (stopping && partly == INPUT_LEADER_ENDED && worker_spec(sv, worker)->stop_to == STOP_TO_LEADER)
            signal_worker(sv, index, worker_stop_signal(sv, worker), actions);
        if (worker->state == WORKER_KILLED)
            timers_set(&sv->timers, index, deadline_of(sv, worker, &why));
        return;
    }
    if (hook_due(sv, worker)) {
        begin_grace(sv, worker);
        worker_take(sv, index, INPUT_ENDED_HOOK, why, actions);
        return;
    }
    enum worker_input input = verdict(sv, index, &why.duration);
    worker_take(sv, index, input, why, actions);
}

static void grace_over(struct sv *sv, uint32_t index, enum cause cause, int number, msec_t grace,
                       struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    bool had_process = remains(worker);
    struct why why = because_for(cause, number, grace);
    if (!had_process)
        why = because(CAUSE_STOP);
    worker_take(sv, index, INPUT_GRACE_OVER, why, actions);
    if (had_process && !remains(worker)) /* all there was: a hook not forked yet */
        worker_after_loss(sv, index, INPUT_HOOK_ENDED, because(CAUSE_HOOK_ENDED), actions);
}

/* --- what supervisor.c calls --- */

static void spawn_hook(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    worker->hook = TASK_RUNNING;
    worker->hook_in_flight = true;
    sv->spawning++;
    struct slot slot = worker_slot(sv, index, SLOT_HOOK);
    sv_report(actions, slot, CAUSE_SPAWN, TASK_WANTED, TASK_RUNNING);
    struct action *action = actions_append(actions, ACTION_SPAWN);
    action->slot = slot;
    if (!worker->leader)
        action->ending = worker->ending;
}

void worker_spawn(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    if (worker->hook == TASK_WANTED)
        spawn_hook(sv, index, actions);
    else if (worker->state == WORKER_WAITING && sv->life.phase == PHASE_RUN && group_may_start(sv, worker->group))
        worker_take(sv, index, INPUT_SPAWN, because(CAUSE_SPAWN), actions);
}

/* The system has no process or memory left for its hook. What bounds the hook bounds the attempts. */
void worker_retry_hook(struct sv *sv, uint32_t index) {
    struct worker *worker = &sv->workers[index];
    worker->hook = TASK_WANTED;
    worker->retry_at = msec_add(sv->now, RETRY_MS);
    timers_set(&sv->timers, index, or_retry(worker, sv->timers.deadline[index]));
}

static bool retry_due(struct sv *sv, uint32_t index) {
    struct worker *worker = &sv->workers[index];
    if (worker->hook != TASK_WANTED || worker->in_spawn || sv->now < worker->retry_at)
        return false;
    sv_queue_spawn(sv, index);
    timers_set(&sv->timers, index, deadline_of(sv, worker, NULL));
    return true;
}

/* Missed, or triggered by the worker itself: the core dump is what a user wants of a worker that hangs. */
void worker_watchdog(struct sv *sv, uint32_t index, struct actions *actions) {
    sv->workers[index].stop_signal = SIGNAL_ABRT;
    worker_stop_for(sv, index, REASON_UNHEALTHY, CAUSE_UNHEALTHY, actions);
}

void worker_due(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    if (retry_due(sv, index))
        return;
    switch ((enum worker_state)worker->state) {
    case WORKER_STARTING:
        if (sv->now >= worker->start_by)
            worker_stop_for(sv, index, REASON_TIMEOUT, CAUSE_START_TIMEOUT, actions);
        else
            probe_due(sv, index, actions);
        return;
    case WORKER_READY:
        worker_watchdog(sv, index, actions);
        return;
    case WORKER_HOOK:
        worker_take(sv, index, INPUT_URGE, because_number(CAUSE_STOP_SIGNAL, worker_stop_signal(sv, worker)), actions);
        return;
    case WORKER_STOPPING:
    case WORKER_CLEANUP:
        grace_over(sv, index, CAUSE_GRACE_OVER, 0, grace_of(sv, worker), actions);
        return;
    case WORKER_KILLED:
        worker->members = false; /* nobody reaps them; they are dead all the same */
        timers_set(&sv->timers, index, MSEC_NEVER);
        worker_after_loss(sv, index, INPUT_MEMBERS_GONE, because(CAUSE_PATIENCE_OVER), actions);
        return;
    case WORKER_BACKOFF:
        worker_take(sv, index, INPUT_DUE, because(CAUSE_DUE), actions);
        return;
    case WORKER_WAITING:
    case WORKER_DOWN:
    case WORKER_COMPLETED:
    case WORKER_FAILED:
    case WORKER_STATES:
        break;
    }
    assert(false && "a worker that waits for nothing has no deadline");
}

void worker_attend(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    const struct lifecycle *life = &sv->life;
    bool live = worker->state == WORKER_STARTING || worker->state == WORKER_READY;

    if (!lifecycle_stopping(sv)) {
        if (worker->state == WORKER_WAITING && sv->groups[worker->group].doomed)
            worker_take(sv, index, INPUT_GIVE_UP, because(CAUSE_AFTER_FAILED), actions);
        return;
    }
    if (life->killed) {
        bool second = life->second_signal;
        grace_over(sv, index, second ? CAUSE_SECOND_SIGNAL : CAUSE_GRACE_OVER, life->stop_signal,
                   second ? sv->now - life->stop_at : life->grace, actions);
        return;
    }
    if (!live || life->urged || group_may_stop(sv, worker->group))
        ask(sv, index, CAUSE_STOP_SIGNAL, actions);
    if (life->urged && worker->state == WORKER_HOOK)
        worker_take(sv, index, INPUT_URGE, because_number(CAUSE_STOP_SIGNAL, worker_stop_signal(sv, worker)), actions);
}

void worker_operate(struct sv *sv, uint32_t index, enum event_kind kind, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    bool being_stopped = remains(worker) && worker->state != WORKER_STARTING && worker->state != WORKER_READY;

    /* What waits for a group that has failed for good would wait for ever. */
    if (lifecycle_stopping(sv) || (kind != EVENT_WORKER_STOP && sv->groups[worker->group].doomed))
        return;
    if (kind == EVENT_WORKER_STOP) {
        worker_stop_for(sv, index, REASON_DOWN, CAUSE_OPERATOR, actions);
    } else if (being_stopped) {
        if (worker->reason == REASON_DOWN || kind == EVENT_WORKER_RESTART)
            worker->reason = worker->reason == REASON_COMPLETED ? REASON_COMPLETED : REASON_RESTART;
    } else if (kind == EVENT_WORKER_RESTART && worker->leader) {
        worker_stop_for(sv, index, REASON_RESTART, CAUSE_OPERATOR, actions);
    } else {
        worker_take(sv, index, INPUT_REVIVE, because(CAUSE_OPERATOR), actions);
    }
}
