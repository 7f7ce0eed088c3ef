/* The model: what facts and the operator have said so far. It never looks at what the core thinks. */
#include "tests/sim/checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/signals.h"

void violation(struct checker *checker, const char *format, ...) {
    if (checker->failed)
        return;
    checker->failed = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(checker->failure, sizeof(checker->failure), format, arguments);
    va_end(arguments);
}

void worker_violation(struct checker *checker, const struct model_worker *worker, const char *text) {
    const struct spec_group *group = model_spec(checker, worker);
    uint32_t index = (uint32_t)(worker - checker->workers) - group->first_worker;
    violation(checker, "[%lld] %s/%u#%u: %s", (long long)checker->now, group->name, index, worker->generation, text);
}

void checker_init(struct checker *checker, const struct spec *spec) {
    memset(checker, 0, offsetof(struct checker, workers));
    checker->spec = spec;
    checker->failed = false;
    checker->stop.first_signal_at = checker->stop.at = checker->stop.kill_at = checker->stop.kill_by = MSEC_NEVER;
    checker->stop.urge_at = checker->stop.stragglers_at = MSEC_NEVER;
    checker->straggler_kill_at = checker->finish_at = MSEC_NEVER;
    checker->unfinished = spec->workers_count;
    for (uint32_t i = 0; i < 2; i++)
        checker->primary[i].signalled_at = MSEC_NEVER;
    for (uint32_t group = 0; group < spec->groups_count; group++) {
        for (uint32_t i = 0; i < spec->groups[group].count; i++) {
            struct model_worker *worker = &checker->workers[spec->groups[group].first_worker + i];
            *worker = (struct model_worker){.group = group, .stage = MODEL_IDLE};
        }
    }
}

/* --- small questions --- */

const struct spec_group *model_spec(const struct checker *checker, const struct model_worker *worker) {
    return &checker->spec->groups[worker->group];
}

/* Its own grace period, or the container's. */
msec_t model_grace(const struct checker *checker, const struct model_worker *worker) {
    msec_t grace = model_spec(checker, worker)->grace;
    return grace == MSEC_NEVER ? checker->spec->grace : grace;
}

/* Killed members that nobody reaps (a zombie whose parent is outside of the group) don't hold brood up. */
bool model_forgiven(const struct checker *checker, const struct model_worker *worker) {
    return worker->members && !worker->leader && worker->killed_at != MSEC_NEVER &&
           checker->now >= worker->patience_from + MEMBERS_PATIENCE_MS;
}

bool model_has_process(const struct model_worker *worker) {
    return worker->leader || worker->members;
}

bool model_gone(const struct model_worker *worker) {
    return !model_has_process(worker) && !worker->hook;
}

/* When whatever is left of it is to be KILLed. */
msec_t model_kill_due(const struct checker *checker, const struct model_worker *worker) {
    msec_t due = checker->stop.begun ? checker->stop.kill_at : MSEC_NEVER;
    if (worker->grace_from != MSEC_NEVER)
        due = msec_min(due, msec_add(worker->grace_from, model_grace(checker, worker)));
    return due;
}

/* Whether its stop hook must still be run. */
bool model_hook_due(const struct checker *checker, const struct model_worker *worker) {
    const struct model_stop *stop = &checker->stop;
    bool over = stop->begun && (stop->second || stop->second_maybe || checker->now >= stop->kill_at);
    over = over || checker->now >= model_kill_due(checker, worker); /* its turn to be forked came too late */
    return worker->ready && model_spec(checker, worker)->stop.argc > 0 && !worker->hook_ran && !over &&
           model_grace(checker, worker) > 0;
}

bool model_above_clear(const struct checker *checker, uint32_t group) {
    const struct spec_group *spec = &checker->spec->groups[group];
    for (uint32_t i = 0; i < spec->before_count; i++)
        if (checker->groups[spec->before[i]].alive > 0 || !model_above_clear(checker, spec->before[i]))
            return false;
    return true;
}

/* Half of a grace period is gone: the signal comes whatever the order or the hook says. */
bool model_urged(const struct checker *checker, const struct model_worker *worker) {
    if (checker->stop.begun && checker->now >= checker->stop.urge_at)
        return true;
    return worker->asked && checker->now >= msec_add(worker->asked_at, model_grace(checker, worker) / 2);
}

/* The primary's start is through, or there is none. */
bool model_started(const struct checker *checker) {
    const struct model_task *start = &checker->primary[PRIMARY_START];
    if (checker->spec->primary.start.argc == 0)
        return checker->booted;
    return start->ended && start->ending.kind == ENDING_EXITED && start->ending.number == 0;
}

/* --- what changes --- */

void model_set_up(struct checker *checker, struct model_worker *worker, bool up) {
    struct model_group *group = &checker->groups[worker->group];
    group->up = group->up + up - worker->up;
    worker->up = up;
    if (group->up == model_spec(checker, worker)->count)
        group->ready = true;
}

void model_begin_stop(struct checker *checker, bool requested, int signal) {
    struct model_stop *stop = &checker->stop;
    msec_t grace = checker->spec->grace;
    if (stop->begun)
        return;
    stop->begun = true;
    stop->requested = requested;
    stop->signal = signal;
    stop->at = checker->now;
    stop->urge_at = checker->now + grace / 2;
    stop->stragglers_at = checker->now + grace / 4 * 3;
    stop->kill_at = stop->kill_by = checker->now + grace;
    stop->cut_start = requested && checker->spec->primary.start.argc > 0 && !checker->running;
}

/* --- facts about workers --- */

static void land(struct checker *checker, bool *in_flight) {
    checker->in_flight -= *in_flight;
    *in_flight = false;
}

void model_note_ready(struct checker *checker, struct model_worker *worker) {
    const struct spec_group *spec = model_spec(checker, worker);
    if (worker->ready || worker->asked)
        return;
    worker->ready = true;
    worker->ready_at = checker->now;
    worker->deadline = worker->interval ? checker->now + worker->interval : MSEC_NEVER;
    worker->job_done = spec->kill_after_completed && spec->ready != READY_NONE;
    model_set_up(checker, worker, !spec->kill_after_completed);
}

static void note_exit(struct checker *checker, struct model_worker *worker, const struct event *event) {
    const struct spec_group *spec = model_spec(checker, worker);
    land(checker, &worker->in_flight);
    worker->leader = false;
    worker->ending = event->ending;
    worker->members = worker->members_left = event->members_left;
    worker->owed = 0;
    if (worker->ready && checker->now - worker->ready_at >= spec->stable_after)
        worker->delay = 0;
    if (!worker->asked) {
        worker->grace_from = checker->now;
        model_set_up(checker, worker, false);
    }
    if (worker->killed_at != MSEC_NEVER)
        worker->patience_from = checker->now;
}

static void note_extend(struct checker *checker, struct model_worker *worker, msec_t until) {
    if (worker->asked || worker->deadline == MSEC_NEVER)
        return;
    worker->deadline = msec_max(worker->deadline, until);
    if (!worker->ready)
        manager_extend(checker, until);
}

static void note_ping(struct checker *checker, struct model_worker *worker, msec_t interval) {
    if (interval > 0)
        worker->interval = interval;
    if (worker->ready && !worker->asked && worker->interval > 0)
        worker->deadline = checker->now + worker->interval;
}

static void worker_fact(struct checker *checker, struct model_worker *worker, const struct event *event) {
    const struct spec_group *spec = model_spec(checker, worker);
    if (event->kind == EVENT_SPAWN_FAILED) {
        land(checker, &worker->in_flight);
        worker->leader = false;
        worker->spawn_failed = true;
    } else if (event->kind == EVENT_EXECUTED) {
        land(checker, &worker->in_flight);
        if (spec->ready == READY_NONE)
            model_note_ready(checker, worker);
        else
            probe_executed(checker, worker);
    } else if (event->kind == EVENT_EXEC_FAILED) {
        land(checker, &worker->in_flight);
    } else if (event->kind == EVENT_READY) {
        model_note_ready(checker, worker);
    } else if (event->kind == EVENT_EXITED) {
        note_exit(checker, worker, event);
    } else if (event->kind == EVENT_EXTEND) {
        note_extend(checker, worker, checker->now + event->duration);
    } else if (event->kind == EVENT_WATCHDOG) {
        note_ping(checker, worker, event->duration);
    } else if (event->kind == EVENT_UNHEALTHY) {
        worker->triggered |= worker->ready && !worker->asked;
        worker->unhealthy |= worker->triggered;
    }
}

static void worker_event(struct checker *checker, const struct event *event) {
    struct model_worker *worker = &checker->workers[event->slot.index];
    if (event->slot.generation != worker->generation)
        return;
    if (event->slot.kind == SLOT_HOOK) {
        bool ended = event->kind == EVENT_EXITED || event->kind == EVENT_SPAWN_FAILED;
        land(checker, &worker->hook_in_flight);
        worker->hook = worker->hook && !ended;
        if (event->kind == EVENT_SPAWN_FAILED && !worker->hook_killed) {
            worker->hook_ran = false;
            worker->hook_retry_at = checker->now + RETRY_MS;
        }
        if (ended && worker->killed_at != MSEC_NEVER)
            worker->patience_from = checker->now;
    } else if (event->kind == EVENT_GROUP_EMPTY) {
        worker->members = false;
    } else if (worker->leader) {
        worker_fact(checker, worker, event);
    }
}

/* --- the container's --- */

static void repeated_signal(struct checker *checker) {
    struct model_stop *stop = &checker->stop;
    /* Where the stop began with another signal (QUIT), the first TERM may be read as the first or as the second. */
    bool other = stop->signal != 0 && stop->signal != SIGNAL_TERM && stop->signal != SIGNAL_INT;
    if (other && checker->now - stop->at >= SECOND_SIGNAL_MS)
        stop->second_maybe |= checker->spec->kill_on_second_signal;
    if (stop->first_signal_at == MSEC_NEVER) {
        stop->first_signal_at = checker->now;
        return;
    }
    if (checker->now - stop->first_signal_at < SECOND_SIGNAL_MS || !checker->spec->kill_on_second_signal)
        return;
    stop->second = true;
    stop->kill_at = msec_min(stop->kill_at, checker->now);
    stop->kill_by = stop->kill_at;
    if (checker->finish_at != MSEC_NEVER)
        checker->finish_at = msec_min(checker->finish_at, checker->now);
}

static void signal_event(struct checker *checker, const struct event *event) {
    const struct spec_signal *policy = &checker->spec->signals[event->signal];
    bool only = checker->spec->command_only;
    bool strong = event->signal == SIGNAL_TERM || event->signal == SIGNAL_INT;
    bool stops = policy->policy == SIGNAL_STOP || (event->hangup && !only);
    struct model_stop *stop = &checker->stop;
    if (stops && !stop->begun) {
        model_begin_stop(checker, true, event->signal);
        if (strong)
            stop->first_signal_at = checker->now;
        return;
    }
    if (stop->begun && strong && (stops || only))
        repeated_signal(checker);
    if (policy->policy == SIGNAL_FORWARD && (only || !event->hangup))
        forward_event(checker, policy, policy->number);
    else if (stops && only)
        forward_event(checker, policy, event->signal);
}

static void primary_event(struct checker *checker, const struct event *event) {
    struct model_task *task = &checker->primary[event->slot.index];
    if (event->slot.generation != task->generation || !task->alive)
        return;
    if (event->kind == EVENT_SPAWN_FAILED) {
        task->alive = false;
        task->retry_at = checker->now + RETRY_MS;
    } else if (event->kind == EVENT_EXITED) {
        task->alive = false;
        task->ended = true;
        task->ending = event->ending;
    }
}

static void operator_event(struct checker *checker, const struct event *event) {
    struct model_worker *worker = &checker->workers[event->slot.index];
    if (checker->stop.begun)
        return;
    if (event->kind == EVENT_WORKER_STOP)
        worker->wish = WISH_DOWN;
    else if (event->kind == EVENT_WORKER_RESTART)
        worker->wish = WISH_AGAIN;
    else if (worker->wish == WISH_DOWN || worker->stage != MODEL_LIFE)
        worker->wish = WISH_AGAIN;
    if (worker->wish != WISH_NONE) /* takes the place of what was the reason to stop it */
        worker->timed_out = worker->unhealthy = false;
}

/* The stages of the grace period are noticed when brood is awake. Who is asked late still has a quarter of it. */
static void note_stages(struct checker *checker) {
    struct model_stop *stop = &checker->stop;
    bool urge = stop->begun && !checker->urged && checker->now >= stop->urge_at;
    bool straggle = stop->begun && !checker->straggled && checker->now >= stop->stragglers_at;
    checker->urged |= urge;
    checker->straggled |= straggle;
    if ((urge || straggle) && !stop->second)
        stop->kill_by = msec_max(stop->kill_by, checker->now + checker->spec->grace / 4);
}

void checker_event(struct checker *checker, const struct event *event) {
    checker->now = msec_max(checker->now, event->time);
    note_stages(checker);
    switch (event->kind) {
    case EVENT_BOOT:
        checker->booted = !checker->stop.begun;
        return;
    case EVENT_SIGNAL:
        signal_event(checker, event);
        return;
    case EVENT_SHUTDOWN:
        model_begin_stop(checker, true, SIGNAL_TERM);
        return;
    case EVENT_CHILDREN_GONE:
        checker->childless = true;
        return;
    case EVENT_WORKER_START:
    case EVENT_WORKER_STOP:
    case EVENT_WORKER_RESTART:
        operator_event(checker, event);
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
        if (event->slot.kind == SLOT_PRIMARY)
            primary_event(checker, event);
        else
            worker_event(checker, event);
        return;
    case EVENT_PROBED:
        probe_event(checker, event);
        return;
    case EVENT_TICK:
    case EVENT_KINDS:
        return;
    }
}
