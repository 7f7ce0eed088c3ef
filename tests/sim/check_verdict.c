/* What becomes of a worker of which nothing is left: restarted after which delay, completed, failed for good, down. A
 * second reading of 'Restarts' in brood.ini(5), and of what each verdict means for the container. */
#include "tests/sim/checker.h"

#include "supervisor/worker.h"

struct expected {
    enum worker_state state;
    msec_t delay; /* BACKOFF */
};

static bool succeeded(const struct checker *checker, const struct model_worker *worker) {
    const struct spec_success *success = &model_spec(checker, worker)->success;
    uint8_t number = worker->ending.number;
    if (worker->timed_out || worker->unhealthy)
        return false;
    if (worker->ending.kind == ENDING_EXITED)
        return success->codes[number / 64] >> (number % 64) & 1;
    return worker->ending.kind == ENDING_KILLED && number < 64 && (success->signals >> number & 1);
}

/* Notes a failure; true where it is one too many. */
static bool fail(struct checker *checker, struct model_worker *worker) {
    const struct spec_group *spec = model_spec(checker, worker);
    uint32_t within = 0;
    for (uint32_t i = 0; i < worker->failures_count; i++)
        within += checker->now - worker->failures[i] <= spec->limit_window;
    if (worker->failures_count == CHECKER_FAILURES_MAX) {
        for (uint32_t i = 1; i < CHECKER_FAILURES_MAX; i++)
            worker->failures[i - 1] = worker->failures[i];
        worker->failures_count--;
    }
    worker->failures[worker->failures_count++] = checker->now;
    return spec->limit_failures > 0 && within >= spec->limit_failures;
}

static struct expected expect(struct checker *checker, struct model_worker *worker) {
    const struct spec_group *spec = model_spec(checker, worker);
    bool success = succeeded(checker, worker);
    if (worker->spawn_failed && !worker->asked)
        return (struct expected){WORKER_BACKOFF, spec->delay_first};
    if (worker->job_done)
        return (struct expected){.state = WORKER_COMPLETED};
    if (checker->stop.begun)
        return (struct expected){.state = spec->kill_after_completed && success ? WORKER_COMPLETED : WORKER_DOWN};
    if (worker->wish != WISH_NONE)
        return (struct expected){.state = worker->wish == WISH_DOWN ? WORKER_DOWN : WORKER_WAITING};
    if (success) {
        bool again = spec->restart == RESTART_ALWAYS && !spec->kill_after_completed;
        return (struct expected){again ? WORKER_BACKOFF : WORKER_COMPLETED, spec->delay_first};
    }
    if (fail(checker, worker) || spec->restart == RESTART_NO)
        return (struct expected){.state = WORKER_FAILED};
    worker->delay = worker->delay == 0 ? spec->delay_first : msec_min(2 * worker->delay, spec->delay_last);
    return (struct expected){WORKER_BACKOFF, worker->delay};
}

/* A worker that has no life now: only the operator, the stop, a delay or a failed group it waits for change it. */
static void change_without_life(struct checker *checker, struct model_worker *worker, enum worker_state state) {
    const struct model_group *group = &checker->groups[worker->group];
    bool fine = false;
    if (state == WORKER_DOWN)
        fine = (worker->stage == MODEL_IDLE || worker->stage == MODEL_BACKOFF) &&
               (checker->stop.begun || worker->wish == WISH_DOWN);
    else if (state == WORKER_FAILED)
        fine = worker->stage == MODEL_IDLE && group->doomed;
    else if (state == WORKER_WAITING)
        fine = worker->wish == WISH_AGAIN || (worker->stage == MODEL_BACKOFF && checker->now >= worker->due);
    if (!fine)
        worker_violation(checker, worker, "changes its state without a reason");
}

static void check_life(struct checker *checker, struct model_worker *worker, const struct report *report) {
    if (!model_gone(worker))
        worker_violation(checker, worker, "is settled though something of it is left");
    if (model_hook_due(checker, worker))
        worker_violation(checker, worker, "is settled though its stop hook was not run");
    struct expected expected = expect(checker, worker);
    if (report->state != expected.state)
        violation(checker, "[%lld] %s (worker %u): is %s, should be %s", (long long)checker->now,
                  model_spec(checker, worker)->name, (uint32_t)(worker - checker->workers),
                  worker_state_name((enum worker_state)report->state), worker_state_name(expected.state));
    else if (expected.state == WORKER_BACKOFF && report->duration != expected.delay)
        violation(checker, "[%lld] %s (worker %u): delay %lld, should be %lld", (long long)checker->now,
                  model_spec(checker, worker)->name, (uint32_t)(worker - checker->workers), (long long)report->duration,
                  (long long)expected.delay);
    worker->due = msec_add(checker->now, expected.delay);
    checker->groups[worker->group].alive--;
}

static void doom(struct checker *checker, uint32_t group) {
    const struct spec_group *spec = &checker->spec->groups[group];
    checker->groups[group].hopeless = true;
    for (uint32_t i = 0; i < spec->before_count; i++)
        checker->groups[spec->before[i]].doomed = true;
}

static void note_failed(struct checker *checker, struct model_worker *worker) {
    uint8_t number = worker->ending.number;
    int status = worker->ending.kind == ENDING_KILLED ? 128 + number : number;
    if (!checker->failed_any && !checker->stop.begun) {
        checker->failed_any = true;
        checker->failed_status = worker->ending.kind == ENDING_NONE || status == 0 ? 1 : status;
    }
    if (!checker->groups[worker->group].ready)
        doom(checker, worker->group);
    if (model_spec(checker, worker)->shutdown_on_failure)
        model_begin_stop(checker, false, 0);
}

static bool is_finished(enum model_stage stage) {
    return stage == MODEL_COMPLETED || stage == MODEL_FAILED;
}

static enum model_stage stage_of(enum worker_state state) {
    return state == WORKER_BACKOFF     ? MODEL_BACKOFF
           : state == WORKER_DOWN      ? MODEL_DOWN
           : state == WORKER_COMPLETED ? MODEL_COMPLETED
           : state == WORKER_FAILED    ? MODEL_FAILED
                                       : MODEL_IDLE;
}

void model_verdict(struct checker *checker, struct model_worker *worker, const struct report *report) {
    enum worker_state state = (enum worker_state)report->state;
    enum model_stage former = worker->stage;
    if (former == MODEL_LIFE)
        check_life(checker, worker, report);
    else
        change_without_life(checker, worker, state);

    worker->stage = stage_of(state);
    checker->unfinished = checker->unfinished + is_finished(former) - is_finished(worker->stage);
    worker->revived = state == WORKER_WAITING;
    worker->wish = WISH_NONE;
    model_set_up(checker, worker, worker->stage == MODEL_COMPLETED);
    if (worker->stage == MODEL_DOWN && checker->stop.begun && model_spec(checker, worker)->kill_after_completed)
        checker->stop.cut_job = true;
    if (worker->stage == MODEL_FAILED)
        note_failed(checker, worker);
    if (worker->stage == MODEL_COMPLETED && model_spec(checker, worker)->shutdown_on_success)
        model_begin_stop(checker, false, 0);
}
