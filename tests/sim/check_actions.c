/* Each action that the core takes: was it allowed? And what the model learns from it. */
#include "tests/sim/checker.h"

#include "supervisor/signals.h"
#include "supervisor/worker.h"

/* --- asking a worker to stop --- */

/* Whether there is a reason to stop this one, other than the container's stop. */
static bool has_own_reason(const struct checker *checker, const struct model_worker *worker) {
    bool late = worker->deadline != MSEC_NEVER && checker->now >= worker->deadline;
    bool alone = !worker->leader && worker->members;
    return late || worker->unhealthy || worker->job_done || worker->wish != WISH_NONE || alone || worker->spawn_failed;
}

void model_ask(struct checker *checker, struct model_worker *worker, enum cause cause) {
    const struct model_stop *stop = &checker->stop;
    if (worker->asked)
        return;
    if (!has_own_reason(checker, worker)) {
        if (!stop->begun)
            worker_violation(checker, worker, "is stopped without a reason");
        else if (!model_above_clear(checker, worker->group) && !model_urged(checker, worker) &&
                 checker->now < stop->kill_at)
            worker_violation(checker, worker, "is stopped before those that need it are gone");
    }
    /* Of two reasons in the same millisecond the core may take either. */
    bool late = worker->leader && worker->deadline != MSEC_NEVER && checker->now >= worker->deadline;
    bool stopped = stop->begun && (model_above_clear(checker, worker->group) || model_urged(checker, worker));
    bool alone = worker->wish == WISH_NONE && !stopped;
    worker->timed_out = late && !worker->ready && (alone || cause == CAUSE_START_TIMEOUT);
    worker->unhealthy |= late && worker->ready && (alone || cause == CAUSE_UNHEALTHY);
    worker->asked = true;
    worker->asked_at = checker->now;
    if (worker->leader)
        worker->grace_from = checker->now;
    worker->owed = 0;
    model_set_up(checker, worker, false);
}

static bool is_stop_signal(const struct checker *checker, const struct model_worker *worker, int signal) {
    const struct spec_group *spec = model_spec(checker, worker);
    bool missed = worker->interval && worker->deadline != MSEC_NEVER && worker->asked_at >= worker->deadline;
    if (worker->triggered || (missed && signal == SIGNAL_ABRT))
        return signal == SIGNAL_ABRT;
    if (spec->stop_signal)
        return signal == spec->stop_signal;
    return signal == SIGNAL_TERM || (checker->stop.requested && signal == checker->stop.signal);
}

static void check_stop_signal(struct checker *checker, struct model_worker *worker, const struct action *action) {
    const struct spec_group *spec = model_spec(checker, worker);
    bool to_leader = spec->stop_to == STOP_TO_LEADER && worker->leader;
    model_ask(checker, worker, CAUSE_STOP_SIGNAL);
    /* stop_to = leader: what the leader leaves behind is asked when he is gone. */
    bool again = worker->signalled_at != MSEC_NEVER;
    bool heirs = spec->stop_to == STOP_TO_LEADER && !worker->leader && !worker->heirs_asked;
    if (again && !heirs)
        worker_violation(checker, worker, "gets its stop signal twice");
    worker->heirs_asked |= again;
    if (!is_stop_signal(checker, worker, action->signal))
        worker_violation(checker, worker, "gets another signal than its stop signal");
    if (action->to_leader != to_leader)
        worker_violation(checker, worker, "its stop signal goes to the wrong ones (stop_to)");
    bool hook_first = worker->hook || (worker->leader && model_hook_due(checker, worker));
    if (hook_first && !model_urged(checker, worker))
        worker_violation(checker, worker, "gets its stop signal before its stop hook has ended");
    if (again) /* they have what is left of the grace period */
        return;
    worker->signalled_at = checker->now;
    if (checker->stop.begun && !checker->stop.second)
        checker->stop.kill_by = msec_max(checker->stop.kill_by, checker->now + checker->spec->grace / 4);
}

/* --- KILL --- */

static bool may_kill(const struct checker *checker, const struct model_worker *worker) {
    const struct model_stop *stop = &checker->stop;
    return stop->second || stop->second_maybe || (worker->asked && model_grace(checker, worker) == 0) ||
           checker->now >= model_kill_due(checker, worker);
}

static void note_kill(struct checker *checker) {
    checker->stop.killed |= checker->stop.begun && checker->stop.requested;
}

static void check_kill(struct checker *checker, struct model_worker *worker) {
    const struct model_stop *stop = &checker->stop;
    msec_t own = model_grace(checker, worker);
    if (worker->leader)
        model_ask(checker, worker, CAUSE_STOP_SIGNAL);
    if (!may_kill(checker, worker))
        worker_violation(checker, worker, "is killed before its grace period ends");
    msec_t grace = stop->begun ? msec_min(own, checker->spec->grace) : own;
    bool asked = worker->signalled_at != MSEC_NEVER && worker->signalled_at <= checker->now - grace / 4;
    if (grace > 0 && !asked && !stop->second && !stop->second_maybe)
        worker_violation(checker, worker, "is killed without a stop signal a quarter of its grace period before");
    if (worker->killed_at == MSEC_NEVER)
        worker->killed_at = worker->patience_from = checker->now;
    note_kill(checker);
}

static void check_hook_signal(struct checker *checker, struct model_worker *worker, const struct action *action) {
    if (!worker->hook || action->slot.generation != worker->generation)
        worker_violation(checker, worker, "a signal for a hook that is not there");
    if (action->signal != SIGNAL_KILL)
        worker_violation(checker, worker, "its hook gets a signal that is not KILL");
    if (!may_kill(checker, worker))
        worker_violation(checker, worker, "its hook is killed before its grace period ends");
    worker->hook_killed = true;
    note_kill(checker);
}

static void check_primary_signal(struct checker *checker, const struct action *action) {
    struct model_task *task = &checker->primary[action->slot.index];
    const struct model_stop *stop = &checker->stop;
    bool start = action->slot.index == PRIMARY_START;
    if (!task->alive || task->generation != action->slot.generation)
        violation(checker, "[%lld] a signal for a primary that is not there", (long long)checker->now);
    if (action->signal != SIGNAL_KILL) {
        if (!start || !stop->begun || task->signalled_at != MSEC_NEVER || action->signal != stop->signal)
            violation(checker, "[%lld] the primary gets a wrong signal", (long long)checker->now);
        task->signalled_at = checker->now;
        return;
    }
    msec_t due = start ? stop->kill_at : checker->finish_at;
    if (checker->now < due && !stop->second && !stop->second_maybe)
        violation(checker, "[%lld] the primary is killed before its time", (long long)checker->now);
    if (!start && stop->second_maybe)
        checker->finish_at = msec_min(checker->finish_at, checker->now);
    task->killed = true;
    note_kill(checker);
}

static void check_signal(struct checker *checker, const struct action *action) {
    struct model_worker *worker = &checker->workers[action->slot.index];
    if (action->slot.kind == SLOT_PRIMARY) {
        check_primary_signal(checker, action);
    } else if (action->slot.kind == SLOT_HOOK) {
        check_hook_signal(checker, worker, action);
    } else if (action->slot.generation != worker->generation || (!worker->leader && !worker->members)) {
        worker_violation(checker, worker, "a signal for a process that was reaped");
    } else if (action->signal == SIGNAL_KILL) {
        check_kill(checker, worker);
    } else if (action->then_continue) {
        check_stop_signal(checker, worker, action);
    } else {
        check_forward(checker, worker, action);
    }
}

static void check_straggler_signal(struct checker *checker, int signal) {
    struct model_stop *stop = &checker->stop;
    bool finish = checker->finish_at != MSEC_NEVER;
    bool workers = false;
    for (uint32_t i = 0; i < checker->spec->groups_count; i++)
        workers |= checker->groups[i].alive > 0;
    if (!stop->begun) {
        violation(checker, "[%lld] stragglers are signalled before the stop", (long long)checker->now);
    } else if (signal == SIGNAL_KILL) {
        if (stop->second_maybe && !stop->second && checker->now < stop->kill_by) {
            stop->second = true; /* so this was brood's reading */
            stop->kill_at = stop->kill_by = msec_min(stop->kill_at, checker->now);
        }
        bool waited = checker->not_let_go && !checker->primary[PRIMARY_STOP].alive; /* … and the hook is done */
        bool over = waited || stop->second || stop->second_maybe ||
                    checker->now >= (finish ? checker->finish_at : stop->kill_at);
        if (!over)
            violation(checker, "[%lld] stragglers are killed before the grace period ends", (long long)checker->now);
        if (over && !checker->straggler_term && checker->spec->grace > 0 && !stop->second && !stop->second_maybe)
            violation(checker, "[%lld] stragglers are killed unasked", (long long)checker->now);
        checker->straggler_kill_at = checker->now;
    } else {
        if (workers && !finish && checker->now < stop->stragglers_at)
            violation(checker, "[%lld] stragglers are asked while workers are left", (long long)checker->now);
        checker->straggler_term = true;
    }
    checker->childless = false;
}

/* --- SPAWN --- */

static void spawn_worker(struct checker *checker, struct model_worker *worker, struct slot slot) {
    const struct spec_group *spec = model_spec(checker, worker);
    if (model_has_process(worker) || worker->hook)
        worker_violation(checker, worker, "is spawned while it lives");
    if (checker->stop.begun)
        worker_violation(checker, worker, "is spawned after the stop");
    if (!checker->booted || !model_started(checker))
        worker_violation(checker, worker, "is spawned before the primary's start is done");
    for (uint32_t i = 0; i < spec->after_count; i++)
        if (!checker->groups[spec->after[i]].ready)
            worker_violation(checker, worker, "is spawned before what it waits for is ready");
    if (worker->stage != MODEL_IDLE && (worker->stage != MODEL_BACKOFF || checker->now < worker->due))
        worker_violation(checker, worker, "is spawned before its delay is over, or without having been settled");
    if (checker->in_flight >= SPAWNING_MAX)
        worker_violation(checker, worker, "is spawned while too many are in flight");
    if (slot.generation == worker->generation)
        worker_violation(checker, worker, "is spawned in a generation that was there before");

    struct model_worker fresh = {.group = worker->group, .stage = MODEL_LIFE, .spawns = worker->spawns + 1};
    fresh.failures_count = worker->failures_count;
    for (uint32_t i = 0; i < CHECKER_FAILURES_MAX; i++)
        fresh.failures[i] = worker->failures[i];
    fresh.delay = worker->delay;
    fresh.generation = slot.generation;
    fresh.leader = fresh.in_flight = true;
    fresh.asked_at = fresh.grace_from = fresh.signalled_at = fresh.killed_at = fresh.patience_from = MSEC_NEVER;
    fresh.deadline = spec->ready == READY_NONE ? MSEC_NEVER : msec_add(checker->now, spec->startup_timeout);
    fresh.interval = spec->watchdog;
    fresh.probe = worker->probe;
    fresh.probe_ended = worker->probe_ended;
    fresh.probe_from = worker->probe_from;
    fresh.probe_due = MSEC_NEVER;
    *worker = fresh;
    manager_begin(checker, worker);
    checker->in_flight++;
    checker->groups[worker->group].alive++;
}

static void spawn_hook(struct checker *checker, struct model_worker *worker, const struct action *action) {
    bool same = action->ending.kind == worker->ending.kind && action->ending.number == worker->ending.number;
    if (worker->stage != MODEL_LIFE || action->slot.generation != worker->generation)
        worker_violation(checker, worker, "a hook for a life that is over");
    if (model_spec(checker, worker)->stop.argc == 0)
        worker_violation(checker, worker, "a hook that it does not have");
    if (!worker->ready)
        worker_violation(checker, worker, "a stop hook though it never was ready");
    if (worker->hook_ran)
        worker_violation(checker, worker, "its stop hook runs twice");
    if (checker->now < worker->hook_retry_at)
        worker_violation(checker, worker, "its stop hook is tried again too soon");
    if (worker->leader ? action->ending.kind != ENDING_NONE : !same)
        worker_violation(checker, worker, "its stop hook is told another ending than it had");
    if (checker->in_flight >= SPAWNING_MAX)
        worker_violation(checker, worker, "its hook is spawned while too many are in flight");
    if (worker->leader)
        model_ask(checker, worker, CAUSE_STOP_SIGNAL);
    worker->hook = worker->hook_ran = worker->hook_in_flight = true;
    checker->in_flight++;
}

static bool anyone_left(const struct checker *checker) {
    for (uint32_t i = 0; i < checker->spec->workers_count; i++)
        if (model_has_process(&checker->workers[i]) || checker->workers[i].hook)
            return true;
    return checker->primary[PRIMARY_START].alive;
}

static void spawn_primary(struct checker *checker, const struct action *action) {
    struct model_task *task = &checker->primary[action->slot.index];
    const struct model_stop *stop = &checker->stop;
    bool start = action->slot.index == PRIMARY_START;
    bool patience_over = stop->begun && checker->now >= stop->kill_at + KILL_PATIENCE_MS;
    if (task->alive || task->ended || checker->now < task->retry_at)
        violation(checker, "[%lld] the primary is spawned again", (long long)checker->now);
    if (start && (stop->begun || !checker->booted))
        violation(checker, "[%lld] the primary's start is spawned after the stop", (long long)checker->now);
    if (!start && (!stop->begun || ((anyone_left(checker) || !checker->childless) && !patience_over)))
        violation(checker, "[%lld] the primary's stop hook runs before the last process is gone",
                  (long long)checker->now);
    if (!start && checker->spec->primary.start.argc > 0 && (!model_started(checker) || stop->cut_start))
        violation(checker, "[%lld] the primary's stop hook runs though its start failed", (long long)checker->now);
    if (!start && checker->finish_at == MSEC_NEVER) {
        checker->finish_at = checker->now + checker->spec->finish_grace;
        checker->not_let_go = !checker->childless;
    }
    task->alive = true;
    task->spawns++;
    task->generation = action->slot.generation;
    task->signalled_at = MSEC_NEVER;
}

/* --- REPORT --- */

/* When it notices that no worker is left, or that the primary has failed: not at once where its list was full, and
 * what comes between counts. So the moment is the core's to say; whether it is true, and that it comes before rest,
 * is checked. */
static void note_container(struct checker *checker, const struct report *report) {
    const struct model_task *start = &checker->primary[PRIMARY_START];
    bool stops = report->cause == CAUSE_NO_WORKER_LEFT || report->cause == CAUSE_PRIMARY_FAILED;
    if (report->cause == CAUSE_PRIMARY_DONE)
        checker->running = true;
    if (!stops || checker->stop.begun)
        return;
    bool none_left = model_started(checker) && checker->unfinished == 0;
    if (!none_left && !(start->ended && !model_started(checker)))
        violation(checker, "[%lld] it stops without a reason", (long long)checker->now);
    model_begin_stop(checker, false, 0);
}

static void note_report(struct checker *checker, const struct action *action) {
    struct model_worker *worker = &checker->workers[action->slot.index];
    if (action->slot.kind == SLOT_CONTAINER)
        note_container(checker, &action->report);
    if (action->slot.kind == SLOT_WORKER && action->report.cause == CAUSE_PATIENCE_OVER) {
        if (!model_forgiven(checker, worker))
            worker_violation(checker, worker, "its members are given up too early");
        worker->members = false;
    }
    if (action->slot.kind != SLOT_WORKER || action->report.state == action->report.former)
        return;
    switch ((enum worker_state)action->report.state) {
    case WORKER_READY:
        if (!worker->ready)
            worker_violation(checker, worker, "is ready though nobody said so");
        worker->said_ready = true;
        return;
    case WORKER_STARTING:
    case WORKER_STATES:
        return;
    case WORKER_HOOK:
    case WORKER_STOPPING:
    case WORKER_KILLED:
        if (worker->leader)
            model_ask(checker, worker, action->report.cause);
        return;
    case WORKER_CLEANUP:
        if (!model_gone(worker))
            worker_violation(checker, worker, "runs its stop hook for an end that has not come");
        worker->grace_from = checker->now;
        return;
    case WORKER_WAITING:
    case WORKER_BACKOFF:
    case WORKER_DOWN:
    case WORKER_COMPLETED:
    case WORKER_FAILED:
        model_verdict(checker, worker, &action->report);
        return;
    }
}

void checker_action(struct checker *checker, const struct action *action) {
    if (checker->done)
        violation(checker, "[%lld] an action after the end", (long long)checker->now);
    switch (action->kind) {
    case ACTION_SPAWN:
        if (action->slot.kind == SLOT_PRIMARY)
            spawn_primary(checker, action);
        else if (action->slot.kind == SLOT_HOOK)
            spawn_hook(checker, &checker->workers[action->slot.index], action);
        else
            spawn_worker(checker, &checker->workers[action->slot.index], action->slot);
        return;
    case ACTION_SIGNAL:
        check_signal(checker, action);
        return;
    case ACTION_SIGNAL_STRAGGLERS:
        check_straggler_signal(checker, action->signal);
        return;
    case ACTION_PROBE:
        check_probe(checker, action);
        return;
    case ACTION_PROBE_END:
        check_probe_end(checker, action);
        return;
    case ACTION_NOTIFY:
        check_notify(checker, action);
        return;
    case ACTION_REPORT:
        note_report(checker, action);
        return;
    case ACTION_KINDS:
        return;
    }
}
