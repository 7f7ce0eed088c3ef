/* The exit status: a second reading of the table in brood(1), over what the model has seen. */
#include "tests/sim/checker.h"

static int status_of(struct ending ending) {
    return ending.kind == ENDING_KILLED ? 128 + ending.number : ending.number;
}

static int requested_status(const struct checker *checker) {
    if (checker->stop.killed)
        return 137;
    return checker->stop.cut_job ? 128 + checker->stop.signal : 0;
}

static int expected_status(const struct checker *checker) {
    const struct spec *spec = checker->spec;
    const struct model_task *start = &checker->primary[PRIMARY_START];
    int by_signal = 128 + checker->stop.signal;
    bool requested = checker->stop.requested;
    if (spec->command_group >= 0) {
        const struct model_worker *command = &checker->workers[spec->groups[spec->command_group].first_worker];
        if (command->ending.kind != ENDING_NONE)
            return status_of(command->ending);
        if (command->leader) /* it outlived its KILL */
            return 137;
        if (requested)
            return by_signal;
    }
    if (spec->primary.start.argc > 0 && requested && checker->stop.cut_start)
        return by_signal;
    if (spec->primary.start.argc > 0 && !model_started(checker))
        return status_of(start->ending);
    if (requested)
        return requested_status(checker);
    return checker->failed_any ? checker->failed_status : 0;
}

static void check_end(struct checker *checker) {
    const struct model_stop *stop = &checker->stop;
    const struct spec *spec = checker->spec;
    bool killing = checker->now >= stop->kill_at + KILL_PATIENCE_MS;
    bool finishing = checker->finish_at != MSEC_NEVER && checker->now >= checker->finish_at + KILL_PATIENCE_MS;
    if (!stop->begun) {
        violation(checker, "[%lld] it is done without a stop", (long long)checker->now);
        return;
    }
    for (uint32_t i = 0; i < spec->workers_count && !killing; i++)
        if (checker->workers[i].stage == MODEL_LIFE)
            worker_violation(checker, &checker->workers[i], "brood ends before it");
    if (!checker->childless && !killing && !finishing)
        violation(checker, "[%lld] it is done while processes are left", (long long)checker->now);
    bool wanted = spec->primary.stop.argc > 0 && spec->finish_grace > 0 && checker->booted && !stop->cut_start &&
                  model_started(checker);
    wanted = wanted && !stop->second && !stop->second_maybe; /* it may be too late to fork it */
    if (wanted && checker->primary[PRIMARY_STOP].spawns == 0)
        violation(checker, "[%lld] the primary's stop hook was not run", (long long)checker->now);
    if (checker->primary[PRIMARY_STOP].alive && !finishing)
        violation(checker, "[%lld] it is done before the primary's stop hook", (long long)checker->now);
}

void checker_done(struct checker *checker, int status) {
    check_end(checker);
    manager_done(checker);
    checker->done = true;
    int expected = expected_status(checker);
    if (status != expected)
        violation(checker, "[%lld] exit status %d, should be %d", (long long)checker->now, status, expected);
}
