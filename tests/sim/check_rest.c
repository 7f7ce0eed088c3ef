/* At rest: nothing that is due by now is missing, and brood will be awake for what is due next. */
#include "tests/sim/checker.h"

static void need(struct checker *checker, const struct model_worker *worker, bool due, bool done, const char *text) {
    if (due && !done)
        worker_violation(checker, worker, text);
}

static bool may_spawn(const struct checker *checker) {
    return checker->in_flight < SPAWNING_MAX;
}

/* When it must have been killed: as late as it was signalled late, so that it has a quarter of its time. */
static msec_t kill_by(const struct checker *checker, const struct model_worker *worker) {
    const struct model_stop *stop = &checker->stop;
    msec_t own = model_grace(checker, worker), due = MSEC_NEVER;
    if (worker->grace_from != MSEC_NEVER)
        due = msec_add(worker->grace_from, own);
    if (worker->signalled_at != MSEC_NEVER)
        due = msec_max(due, msec_add(worker->signalled_at, own / 4));
    return stop->begun && due >= stop->kill_at ? stop->kill_by : due;
}

static bool may_spawn_hook(const struct checker *checker, const struct model_worker *worker) {
    return may_spawn(checker) && checker->now >= worker->hook_retry_at;
}

/* Whether it may be that only its stop hook is left, whose turn to be forked has not come. */
static bool hook_waits(const struct checker *checker, const struct model_worker *worker) {
    bool wanted = worker->ready && model_spec(checker, worker)->stop.argc > 0 && !worker->hook_ran;
    return wanted && !may_spawn_hook(checker, worker) && model_grace(checker, worker) > 0;
}

/* In a life: asked when there is a reason, urged, killed, its hook run, settled. */
static void check_life(struct checker *checker, struct model_worker *worker) {
    const struct model_stop *stop = &checker->stop;
    need(checker, worker, model_forgiven(checker, worker), false, "still waits for members that nobody reaps");
    bool process = model_has_process(worker);
    bool killed = worker->killed_at != MSEC_NEVER;
    bool late = worker->deadline != MSEC_NEVER && checker->now >= worker->deadline;
    bool stop_due = stop->begun && (model_above_clear(checker, worker->group) || checker->now >= stop->urge_at);
    bool reason = late || worker->unhealthy || worker->job_done || worker->wish != WISH_NONE || stop_due;

    if (model_gone(worker)) {
        need(checker, worker, true, hook_waits(checker, worker), "is gone, and nothing follows");
        return;
    }
    need(checker, worker, worker->leader && reason, worker->asked, "should have been asked to stop");
    bool hook_due = worker->asked && worker->leader && model_hook_due(checker, worker);
    need(checker, worker, hook_due && may_spawn_hook(checker, worker), worker->signalled_at != MSEC_NEVER || killed,
         "should have its stop hook running");
    bool members_alone = process && !worker->leader && !worker->hook && !model_hook_due(checker, worker);
    bool ask_over = worker->asked && process && !worker->hook && !model_hook_due(checker, worker);
    bool urged = process && (worker->asked || stop->begun) && model_urged(checker, worker);
    need(checker, worker, members_alone || ask_over || urged, worker->signalled_at != MSEC_NEVER || killed,
         "should have got its stop signal");
    bool over = checker->now >= kill_by(checker, worker);
    need(checker, worker, over && process, killed, "should have been killed");
    need(checker, worker, over && worker->hook, worker->hook_killed, "its hook should have been killed");
    need(checker, worker, worker->owed != 0, false, "has not got a forwarded signal");
    need(checker, worker, worker->ready && worker->leader && !worker->asked, worker->said_ready, "should be ready");
}

static void check_worker(struct checker *checker, struct model_worker *worker) {
    const struct spec_group *spec = model_spec(checker, worker);
    bool open = model_started(checker) && !checker->stop.begun;
    bool ready = true;
    rest_probe(checker, worker);
    if (worker->stage == MODEL_LIFE) {
        check_life(checker, worker);
        return;
    }
    for (uint32_t i = 0; i < spec->after_count; i++)
        ready = ready && checker->groups[spec->after[i]].ready;
    bool doomed = checker->groups[worker->group].doomed;
    if (worker->stage == MODEL_IDLE) {
        need(checker, worker, open && ready && !doomed && may_spawn(checker), false, "should have been spawned");
        need(checker, worker, open && doomed, worker->revived, "should have failed with the group it waits for");
    }
    if (worker->stage == MODEL_BACKOFF)
        need(checker, worker, open && checker->now >= worker->due && may_spawn(checker), false,
             "its delay is over, and it was not spawned");
}

static msec_t worker_due(const struct checker *checker, const struct model_worker *worker) {
    const struct model_stop *stop = &checker->stop;
    msec_t due = MSEC_NEVER;
    if (worker->stage == MODEL_BACKOFF && !stop->begun)
        return may_spawn(checker) && model_started(checker) ? worker->due : MSEC_NEVER;
    if (worker->stage != MODEL_LIFE)
        return MSEC_NEVER;
    if (checker->now < worker->hook_retry_at && model_hook_due(checker, worker))
        due = worker->hook_retry_at;
    if (model_gone(worker))
        return due;
    if (worker->leader && !worker->asked)
        due = msec_min(worker->deadline, probe_next(checker, worker));
    bool process = model_has_process(worker);
    if (process && worker->asked && worker->signalled_at == MSEC_NEVER && worker->killed_at == MSEC_NEVER)
        due = msec_min(due, msec_add(worker->asked_at, model_grace(checker, worker) / 2));
    if ((process && worker->killed_at == MSEC_NEVER) || (worker->hook && !worker->hook_killed))
        due = msec_min(due, kill_by(checker, worker));
    return due;
}

/* The container's own: the primary's processes, the stragglers, the end. Returns when the next of it is due. */
static msec_t check_container(struct checker *checker) {
    struct model_stop *stop = &checker->stop;
    const struct model_task *start = &checker->primary[PRIMARY_START], *finish = &checker->primary[PRIMARY_STOP];
    msec_t due = MSEC_NEVER;
    bool over = stop->begun && checker->now >= stop->kill_by;
    bool wanted = checker->booted && checker->spec->primary.start.argc > 0 && !stop->begun;
    if (model_started(checker) && checker->unfinished == 0 && !stop->begun)
        violation(checker, "[%lld] no worker is left, and nothing follows", (long long)checker->now);
    if (start->ended && !model_started(checker) && !stop->begun)
        violation(checker, "[%lld] the primary's start failed, and nothing follows", (long long)checker->now);
    if (wanted && !start->alive && !start->ended) {
        if (checker->now >= start->retry_at)
            violation(checker, "[%lld] the primary's start should have been spawned", (long long)checker->now);
        due = start->retry_at;
    }
    if (start->alive && stop->begun && !over && start->signalled_at == MSEC_NEVER)
        violation(checker, "[%lld] the primary's start was not signalled", (long long)checker->now);
    if (start->alive && over && !start->killed)
        violation(checker, "[%lld] the primary's start was not killed", (long long)checker->now);
    if (checker->finish_at != MSEC_NEVER && finish->alive && !finish->killed) {
        if (checker->now >= checker->finish_at)
            violation(checker, "[%lld] the primary's stop hook was not killed", (long long)checker->now);
        due = msec_min(due, checker->finish_at);
    }
    if (!stop->begun || checker->finish_at != MSEC_NEVER)
        return due;
    if (checker->now >= stop->stragglers_at && !checker->straggler_term && !over)
        violation(checker, "[%lld] stragglers were not asked", (long long)checker->now);
    if (over && checker->straggler_kill_at == MSEC_NEVER && !checker->done)
        violation(checker, "[%lld] stragglers were not killed", (long long)checker->now);
    if (!over)
        due = msec_min(due, checker->now < stop->urge_at && checker->groups[0].alive ? stop->urge_at : stop->kill_by);
    return due;
}

static void check_time(struct checker *checker) {
    const struct model_stop *stop = &checker->stop;
    msec_t all = checker->spec->grace + checker->spec->finish_grace + 2 * KILL_PATIENCE_MS + 1000 + checker->late;
    if (stop->begun && !checker->done && checker->now > stop->at + all)
        violation(checker, "[%lld] the stop has no end", (long long)checker->now);
}

void checker_rest(struct checker *checker, msec_t deadline) {
    msec_t due = check_container(checker);
    for (uint32_t i = 0; i < checker->spec->workers_count && !checker->failed; i++) {
        check_worker(checker, &checker->workers[i]);
        due = msec_min(due, worker_due(checker, &checker->workers[i]));
    }
    if (due < deadline && !checker->done)
        violation(checker, "[%lld] the next wake-up is at %lld, but something is due at %lld", (long long)checker->now,
                  (long long)deadline, (long long)due);
    rest_forward(checker);
    rest_manager(checker);
    check_time(checker);
}
