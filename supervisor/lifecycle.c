/* The container as a whole: its phases, the grace period, and what the exit status will be.
 *
 * lifecycle_review() is level-triggered: it looks at the counts and the time and moves on as far as they allow, so that
 * nothing depends on which fact came last. */
#include "supervisor/core.h"

#include <assert.h>

/* --- the phases --- */

enum step {
    STEP_BOOT,         /* everything is in place, there is no primary to start first */
    STEP_BOOT_PRIMARY, /* … there is */
    STEP_PRIMARY_DONE,
    STEP_PRIMARY_FAILED,
    STEP_STOP,       /* a signal, a failure, a success, the command's end */
    STEP_NO_WORKER,  /* none is left, nor the primary's start */
    STEP_ALONE,      /* no process is left, or none that dies; the primary's stop hook is to be run */
    STEP_ALONE_DONE, /* … there is none to be run */
    STEP_FINISHED,
    STEPS,
};

struct cell {
    uint8_t next;
    bool happens;
};

#define GO(phase)                                                                                                      \
    { PHASE_##phase, true }

static const struct cell table[PHASES][STEPS] = {
    [PHASE_BOOT] = {[STEP_BOOT] = GO(RUN), [STEP_BOOT_PRIMARY] = GO(PRIMARY), [STEP_STOP] = GO(STOP)},
    [PHASE_PRIMARY] = {[STEP_PRIMARY_DONE] = GO(RUN), [STEP_PRIMARY_FAILED] = GO(STRAGGLERS), [STEP_STOP] = GO(STOP)},
    [PHASE_RUN] = {[STEP_STOP] = GO(STOP), [STEP_NO_WORKER] = GO(STRAGGLERS)},
    [PHASE_STOP] = {[STEP_NO_WORKER] = GO(STRAGGLERS)},
    [PHASE_STRAGGLERS] = {[STEP_ALONE] = GO(FINISH), [STEP_ALONE_DONE] = GO(DONE)},
    [PHASE_FINISH] = {[STEP_FINISHED] = GO(DONE)},
};

static const char *const phase_names[PHASES] = {
    [PHASE_BOOT] = "boot", [PHASE_PRIMARY] = "primary",       [PHASE_RUN] = "run",
    [PHASE_STOP] = "stop", [PHASE_STRAGGLERS] = "stragglers", [PHASE_FINISH] = "finish",
    [PHASE_DONE] = "done",
};

const char *phase_name(enum phase phase) {
    return phase < PHASES ? phase_names[phase] : "?";
}

const char *task_state_name(enum task_state state) {
    switch (state) {
    case TASK_IDLE:
        return "idle";
    case TASK_WANTED:
        return "wanted";
    case TASK_RUNNING:
        return "running";
    case TASK_KILLED:
        return "killed";
    case TASK_ENDED:
        return "ended";
    }
    return "?";
}

static const struct slot container = {.kind = SLOT_CONTAINER};

static struct report *go(struct sv *sv, enum step step, enum cause cause, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    enum phase former = life->phase;
    assert(table[former][step].happens);
    life->phase = (enum phase)table[former][step].next;
    return sv_report(actions, container, cause, (uint8_t)former, (uint8_t)life->phase);
}

void lifecycle_init(struct sv *sv) {
    sv->life = (struct lifecycle){.phase = PHASE_BOOT,
                                  .failed_worker = NOBODY,
                                  .completed_worker = NOBODY,
                                  .cut_job = NOBODY,
                                  .first_signal_at = MSEC_NEVER,
                                  .stop_at = MSEC_NEVER,
                                  .urge_at = MSEC_NEVER,
                                  .stragglers_at = MSEC_NEVER,
                                  .kill_at = MSEC_NEVER,
                                  .rekill_at = MSEC_NEVER,
                                  .finish_at = MSEC_NEVER};
}

bool lifecycle_stopping(const struct sv *sv) {
    return sv->life.phase >= PHASE_STOP;
}

/* --- the primary's two processes --- */

static struct slot primary_slot(const struct sv *sv, uint32_t which) {
    return (struct slot){.kind = SLOT_PRIMARY, .index = which, .generation = sv->life.primary[which].generation};
}

static bool task_remains(const struct task *task) {
    return task->state == TASK_WANTED || task->state == TASK_RUNNING || task->state == TASK_KILLED;
}

static void want_task(struct task *task, msec_t at) {
    task->state = TASK_WANTED;
    task->retry_at = at;
}

static void spawn_task(struct sv *sv, uint32_t which, struct actions *actions) {
    struct task *task = &sv->life.primary[which];
    task->state = TASK_RUNNING;
    task->generation++;
    sv_report(actions, primary_slot(sv, which), CAUSE_SPAWN, TASK_WANTED, TASK_RUNNING);
    actions_append(actions, ACTION_SPAWN)->slot = primary_slot(sv, which);
}

static void kill_task(struct sv *sv, uint32_t which, enum cause cause, msec_t grace, struct actions *actions) {
    struct task *task = &sv->life.primary[which];
    if (task->state == TASK_WANTED)
        task->state = TASK_ENDED;
    if (task->state != TASK_RUNNING)
        return;
    task->state = TASK_KILLED;
    sv_report(actions, primary_slot(sv, which), cause, TASK_RUNNING, TASK_KILLED)->duration = grace;
    struct action *action = actions_append(actions, ACTION_SIGNAL);
    action->slot = primary_slot(sv, which);
    action->signal = SIGNAL_KILL;
    lifecycle_note_kill(sv, primary_slot(sv, which), grace);
}

/* --- beginning a stop --- */

static msec_t part_of(msec_t at, msec_t grace, msec_t numerator, msec_t denominator) {
    return grace == MSEC_NEVER ? MSEC_NEVER : msec_add(at, grace / denominator * numerator);
}

/* The one grace period of the container begins. */
static void begin_grace(struct sv *sv) {
    struct lifecycle *life = &sv->life;
    life->grace = sv->spec->grace;
    life->stop_at = sv->now;
    life->urge_at = part_of(sv->now, life->grace, 1, 2);
    life->stragglers_at = part_of(sv->now, life->grace, 3, 4);
    life->kill_at = msec_add(sv->now, life->grace);
}

static void start_everyone(struct sv *sv) {
    for (uint32_t i = 0; i < sv->spec->workers_count; i++)
        sv_queue_spawn(sv, i);
}

static void attend_everyone(struct sv *sv) {
    for (uint32_t i = 0; i < sv->spec->workers_count; i++)
        sv_queue_attention(sv, i);
}

/* signal 0: brood itself wants it. Returns the report, for what the cause needs. */
static struct report *begin_stop(struct sv *sv, int signal, enum cause cause, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    struct task *start = &life->primary[PRIMARY_START];

    begin_grace(sv);
    life->requested = signal != 0;
    life->stop_signal = signal;
    life->cut_start = life->requested && sv->spec->primary.start.argc > 0 && life->phase <= PHASE_PRIMARY;
    struct report *report = go(sv, STEP_STOP, cause, actions);
    report->number = signal;
    report->duration = life->grace;

    if (start->state == TASK_WANTED)
        start->state = TASK_ENDED;
    if (start->state == TASK_RUNNING && life->grace > 0) {
        struct action *action = actions_append(actions, ACTION_SIGNAL);
        action->slot = primary_slot(sv, PRIMARY_START);
        action->signal = signal;
        action->then_continue = true;
    }
    group_begin_stop(sv);
    attend_everyone(sv);
    return report;
}

void lifecycle_note_kill(struct sv *sv, struct slot slot, msec_t grace) {
    struct lifecycle *life = &sv->life;
    if (!life->requested || life->killed_slot.generation != 0)
        return;
    life->killed_slot = slot;
    life->killed_after = grace;
}

void lifecycle_settled(struct sv *sv, uint32_t index, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    struct worker *worker = &sv->workers[index];
    const struct spec_group *spec = &sv->spec->groups[worker->group];
    bool failed = worker->state == WORKER_FAILED;

    if (worker->state == WORKER_DOWN && life->requested && spec->kill_after_completed && life->cut_job == NOBODY)
        life->cut_job = index;
    if (lifecycle_stopping(sv) || worker->state == WORKER_DOWN)
        return;
    if (failed && life->failed_worker == NOBODY) {
        life->failed_worker = index;
        life->failed_ending = worker->ending;
    }
    if (!(failed ? spec->shutdown_on_failure : spec->shutdown_on_success))
        return;
    if (!failed)
        life->completed_worker = index;
    begin_stop(sv, 0, failed ? CAUSE_WORKER_FAILED : CAUSE_WORKER_COMPLETED, actions)->cause_worker = index;
}

/* --- events --- */

static void kill_now(struct sv *sv) {
    struct lifecycle *life = &sv->life;
    life->second_signal = true;
    life->kill_at = msec_min(life->kill_at, sv->now);
}

/* A TERM or INT while the container stops. */
static void repeated_signal(struct sv *sv, int number, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    bool first = life->first_signal_at == MSEC_NEVER;
    if (first) {
        life->first_signal_at = sv->now;
        return;
    }
    if (sv->now - life->first_signal_at < SECOND_SIGNAL_MS)
        return;
    uint8_t phase = (uint8_t)life->phase;
    sv_report(actions, container, CAUSE_SECOND_SIGNAL, phase, phase)->number = number;
    if (sv->spec->kill_on_second_signal)
        kill_now(sv);
}

/* A TERM that is to be forwarded, to a command that the system has refused to fork so far. */
static bool finds_nobody(const struct sv *sv, int number) {
    bool forwarded = sv->spec->command_only && sv->spec->signals[number].policy == SIGNAL_FORWARD;
    return forwarded && number == SIGNAL_TERM && sv->workers[0].state == WORKER_BACKOFF;
}

static void signal_event(struct sv *sv, const struct event *event, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    int number = event->signal;
    assert(number > 0 && number < SIGNALS_END);
    const struct spec_signal *spec = &sv->spec->signals[number];
    bool only = sv->spec->command_only;
    bool stop = spec->policy == SIGNAL_STOP || (event->hangup && !only) || finds_nobody(sv, number);

    if (stop && !lifecycle_stopping(sv)) {
        life->first_signal_at = sv->now;
        begin_stop(sv, number, CAUSE_SIGNAL, actions);
        return;
    }
    if (lifecycle_stopping(sv) && (stop || only) && (number == SIGNAL_TERM || number == SIGNAL_INT))
        repeated_signal(sv, number, actions);
    bool forwarded = spec->policy == SIGNAL_FORWARD && (only || !event->hangup);
    if (forwarded || (stop && only))
        sv->forward |= UINT64_C(1) << (number - 1);
}

static void primary_event(struct sv *sv, const struct event *event, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    uint32_t which = event->slot.index;
    struct task *task = &life->primary[which];
    uint8_t former = (uint8_t)task->state;

    if (event->slot.generation != task->generation || (former != TASK_RUNNING && former != TASK_KILLED))
        return;
    if (event->kind == EVENT_SPAWN_FAILED) {
        bool again = former == TASK_RUNNING && !(which == PRIMARY_START && lifecycle_stopping(sv));
        if (again)
            want_task(task, msec_add(sv->now, RETRY_MS));
        else
            task->state = TASK_ENDED;
        sv_report(actions, event->slot, CAUSE_SPAWN_FAILED, former, (uint8_t)task->state)->number = event->error;
    } else if (event->kind == EVENT_EXEC_FAILED) {
        struct report *report = sv_report(actions, event->slot, CAUSE_EXEC_FAILED, former, former);
        report->number = event->error;
        report->stage = event->stage;
    } else if (event->kind == EVENT_EXITED) {
        task->state = TASK_ENDED;
        task->ending = event->ending;
        enum cause cause = event->ending.kind == ENDING_KILLED ? CAUSE_KILLED : CAUSE_EXITED;
        sv_report(actions, event->slot, cause, former, TASK_ENDED)->number = event->ending.number;
    }
}

void lifecycle_event(struct sv *sv, const struct event *event, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    if (event->kind == EVENT_BOOT && life->phase == PHASE_BOOT) {
        bool primary = sv->spec->primary.start.argc > 0;
        go(sv, primary ? STEP_BOOT_PRIMARY : STEP_BOOT, CAUSE_BOOT, actions);
        if (primary)
            want_task(&life->primary[PRIMARY_START], sv->now);
        else
            start_everyone(sv);
    } else if (event->kind == EVENT_SIGNAL) {
        signal_event(sv, event, actions);
    } else if (event->kind == EVENT_SHUTDOWN) {
        if (!lifecycle_stopping(sv))
            begin_stop(sv, SIGNAL_TERM, CAUSE_OPERATOR, actions);
    } else if (event->kind == EVENT_CHILDREN_GONE) {
        life->childless = true;
        life->waited = false; /* they are gone after all; after a late wake-up this comes once FINISH has begun */
    } else if (event->slot.kind == SLOT_PRIMARY) {
        primary_event(sv, event, actions);
    }
}

/* --- what is to be done now --- */

static void signal_stragglers(struct sv *sv, int signal, struct actions *actions) {
    sv->life.childless = false; /* what is left now is told after this */
    actions_append(actions, ACTION_SIGNAL_STRAGGLERS)->signal = signal;
}

/* Killed is not gone: until when brood waits for those that the kernel does not let go. */
static msec_t patience_end(const struct lifecycle *life) {
    return msec_add(life->phase == PHASE_FINISH ? life->finish_at : life->kill_at, KILL_PATIENCE_MS);
}

static bool is_patient(const struct sv *sv) {
    return !sv->life.killed || sv->now < patience_end(&sv->life);
}

static void kill_stragglers(struct sv *sv, struct actions *actions) {
    sv->life.rekill_at = msec_add(sv->now, REKILL_MS);
    signal_stragglers(sv, SIGNAL_KILL, actions);
}

/* A whole container can be paused (docker pause) while the clock runs on: who is asked late is not killed at once. */
void lifecycle_postpone_kill(struct sv *sv) {
    struct lifecycle *life = &sv->life;
    if (!life->killed && !life->second_signal)
        life->kill_at = msec_max(life->kill_at, msec_add(sv->now, life->grace / 4));
}

/* The stages of the grace period. True where one was due. */
static bool review_grace(struct sv *sv, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    if (!life->urged && sv->now >= life->urge_at && !life->second_signal && life->grace > 0) {
        life->urged = true;
        attend_everyone(sv);
        return true;
    }
    if (!life->straggled && sv->now >= life->stragglers_at && !life->second_signal && life->grace > 0) {
        life->straggled = true;
        lifecycle_postpone_kill(sv);
        signal_stragglers(sv, SIGNAL_TERM, actions);
        return true;
    }
    if (!life->killed && sv->now >= life->kill_at) {
        life->killed = life->urged = life->straggled = true;
        life->kill_at = sv->now; /* patience counts from here */
        enum cause cause = life->second_signal ? CAUSE_SECOND_SIGNAL : CAUSE_GRACE_OVER;
        kill_task(sv, PRIMARY_START, cause, life->grace, actions);
        if (life->phase == PHASE_STOP)
            attend_everyone(sv);
        kill_stragglers(sv, actions);
        return true;
    }
    if (life->killed && life->phase == PHASE_STRAGGLERS && sv->now >= life->rekill_at) {
        kill_stragglers(sv, actions);
        return true;
    }
    return false;
}

static void begin_stragglers(struct sv *sv, enum step step, enum cause cause, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    bool began = lifecycle_stopping(sv);
    go(sv, step, cause, actions);
    if (!began)
        begin_grace(sv);
    life->urged = true; /* no worker is left to be urged */
    if (life->killed)
        kill_stragglers(sv, actions);
    else
        signal_stragglers(sv, SIGNAL_TERM, actions);
}

bool lifecycle_primary_failed(const struct sv *sv) {
    const struct task *start = &sv->life.primary[PRIMARY_START];
    return sv->spec->primary.start.argc > 0 &&
           !(start->state == TASK_ENDED && start->ending.kind == ENDING_EXITED && start->ending.number == 0);
}

static bool review_primary(struct sv *sv, struct actions *actions) {
    struct task *start = &sv->life.primary[PRIMARY_START];
    if (start->state == TASK_WANTED && sv->now >= start->retry_at) {
        spawn_task(sv, PRIMARY_START, actions);
        return true;
    }
    if (start->state != TASK_ENDED)
        return false;
    if (lifecycle_primary_failed(sv)) {
        begin_stragglers(sv, STEP_PRIMARY_FAILED, CAUSE_PRIMARY_FAILED, actions);
    } else {
        go(sv, STEP_PRIMARY_DONE, CAUSE_PRIMARY_DONE, actions);
        start_everyone(sv);
    }
    return true;
}

static bool finish_wanted(const struct sv *sv) {
    return sv->spec->primary.stop.argc > 0 && sv->spec->finish_grace > 0 && !sv->life.cut_start &&
           !lifecycle_primary_failed(sv);
}

static bool review_stragglers(struct sv *sv, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    if (!life->childless && is_patient(sv))
        return review_grace(sv, actions);

    enum cause cause = life->childless ? CAUSE_NO_PROCESS_LEFT : CAUSE_PATIENCE_OVER;
    if (!finish_wanted(sv)) {
        go(sv, STEP_ALONE_DONE, cause, actions);
        return true;
    }
    go(sv, STEP_ALONE, cause, actions);
    want_task(&life->primary[PRIMARY_STOP], sv->now);
    life->finish_at = msec_add(sv->now, sv->spec->finish_grace);
    life->killed = life->second_signal = false; /* finish_grace is another period */
    life->waited = !life->childless;
    return true;
}

/* Those that the kernel does not let go have had their time before the hook, and can't be told from what it left: one
 * look is left to see whether anybody is. */
static void give_up(struct sv *sv, struct actions *actions) {
    sv->life.killed = true;
    sv->life.finish_at = sv->now - KILL_PATIENCE_MS + REKILL_MS;
    kill_stragglers(sv, actions);
}

/* The primary's stop hook, then whatever it left behind, within finish_grace. */
static bool review_finish(struct sv *sv, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    struct task *stop = &life->primary[PRIMARY_STOP];

    bool second = life->second_signal;
    if (!life->killed && (second || sv->now >= life->finish_at)) {
        msec_t since = life->finish_at - sv->spec->finish_grace;
        life->killed = true;
        life->finish_at = sv->now;
        life->hook_ended = true;
        kill_task(sv, PRIMARY_STOP, second ? CAUSE_SECOND_SIGNAL : CAUSE_GRACE_OVER,
                  second ? sv->now - since : sv->spec->finish_grace, actions);
        kill_stragglers(sv, actions);
        return true;
    }
    if (stop->state == TASK_WANTED && sv->now >= stop->retry_at) {
        spawn_task(sv, PRIMARY_STOP, actions);
        return true;
    }
    if (stop->state == TASK_ENDED && !life->hook_ended) {
        life->hook_ended = true;
        if (life->waited)
            give_up(sv, actions);
        else
            signal_stragglers(sv, SIGNAL_TERM, actions);
        return true;
    }
    if ((life->childless && !task_remains(stop)) || !is_patient(sv)) {
        go(sv, STEP_FINISHED, life->childless ? CAUSE_FINISHED : CAUSE_PATIENCE_OVER, actions);
        return true;
    }
    if (life->killed && sv->now >= life->rekill_at) {
        kill_stragglers(sv, actions);
        return true;
    }
    return false;
}

msec_t lifecycle_end(const struct sv *sv) {
    msec_t end = patience_end(&sv->life);
    if (sv->life.phase != PHASE_FINISH && finish_wanted(sv))
        end = msec_add(end, msec_add(sv->spec->finish_grace, KILL_PATIENCE_MS));
    return end;
}

bool lifecycle_review(struct sv *sv, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    if (above_review(sv, actions))
        return true;
    switch (life->phase) {
    case PHASE_BOOT:
    case PHASE_DONE:
    case PHASES:
        return false;
    case PHASE_PRIMARY:
        return review_primary(sv, actions);
    case PHASE_RUN:
        if (sv->unfinished > 0)
            return false;
        begin_stragglers(sv, STEP_NO_WORKER, CAUSE_NO_WORKER_LEFT, actions);
        return true;
    case PHASE_STOP:
        if (review_grace(sv, actions))
            return true;
        if (!is_patient(sv)) {
            begin_stragglers(sv, STEP_NO_WORKER, CAUSE_PATIENCE_OVER, actions);
            return true;
        }
        if (sv->live > 0 || task_remains(&life->primary[PRIMARY_START]))
            return false;
        begin_stragglers(sv, STEP_NO_WORKER, CAUSE_NO_WORKER_LEFT, actions);
        return true;
    case PHASE_STRAGGLERS:
        return review_stragglers(sv, actions);
    case PHASE_FINISH:
        return review_finish(sv, actions);
    }
    return false;
}

msec_t lifecycle_deadline(const struct sv *sv) {
    const struct lifecycle *life = &sv->life;
    const struct task *start = &life->primary[PRIMARY_START], *stop = &life->primary[PRIMARY_STOP];
    msec_t deadline = MSEC_NEVER;
    if (life->phase == PHASE_PRIMARY && start->state == TASK_WANTED)
        deadline = start->retry_at;
    if (life->phase == PHASE_STOP || life->phase == PHASE_STRAGGLERS) {
        if (!life->urged)
            deadline = msec_min(deadline, life->urge_at);
        if (!life->straggled)
            deadline = msec_min(deadline, life->stragglers_at);
        if (!life->killed)
            deadline = msec_min(deadline, life->kill_at);
        else
            deadline = msec_min(deadline, patience_end(life));
        if (life->killed && life->phase == PHASE_STRAGGLERS)
            deadline = msec_min(deadline, life->rekill_at);
    }
    if (life->phase == PHASE_FINISH) {
        deadline = life->finish_at;
        if (life->killed)
            deadline = msec_min(life->rekill_at, patience_end(life));
        if (stop->state == TASK_WANTED)
            deadline = msec_min(deadline, stop->retry_at);
    }
    return deadline;
}
