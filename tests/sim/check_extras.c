/* Probes, forwarded signals, and what a manager above brood is told: for each, what facts say about it, which actions
 * are allowed, and what is missing at rest. */
#include "tests/sim/checker.h"

#include <string.h>

/* --- probes --- */

static bool is_probed(const struct checker *checker, const struct model_worker *worker) {
    enum ready_kind ready = model_spec(checker, worker)->ready;
    return ready == READY_TCP || ready == READY_UNIX || ready == READY_FILE || ready == READY_EXEC;
}

/* It runs, is not ready, and nobody wants it to end. */
bool model_starting(const struct model_worker *worker) {
    return worker->leader && !worker->ready && !worker->asked;
}

void probe_executed(struct checker *checker, struct model_worker *worker) {
    worker->executed = true;
    if (model_starting(worker) && is_probed(checker, worker))
        worker->probe_due = checker->now;
}

/* The first wait is 100 ms, each after it twice as long, up to 1 s. */
void probe_event(struct checker *checker, const struct event *event) {
    struct model_worker *worker = &checker->workers[event->slot.index];
    if (event->slot.generation != worker->probe) {
        worker_violation(checker, worker, "a probe is over that was not begun: the simulator is wrong");
        return;
    }
    worker->probe = 0;
    checker->probing--;
    if (event->slot.generation != worker->generation || !model_starting(worker))
        return;
    if (event->success) {
        model_note_ready(checker, worker);
        return;
    }
    worker->probe_delay = worker->probe_delay == 0 ? 100 : msec_min(1000, 2 * worker->probe_delay);
    worker->probe_due = checker->now + worker->probe_delay;
}

void check_probe(struct checker *checker, const struct action *action) {
    struct model_worker *worker = &checker->workers[action->slot.index];
    if (action->slot.kind != SLOT_PROBE || action->slot.generation != worker->generation)
        worker_violation(checker, worker, "a probe for a life that it has not");
    if (!is_probed(checker, worker))
        worker_violation(checker, worker, "a probe, and it has none");
    if (worker->probe != 0)
        worker_violation(checker, worker, "has two probes in flight");
    if (!model_starting(worker) || !worker->executed)
        worker_violation(checker, worker, "is probed while it is not starting");
    if (checker->now < worker->probe_due)
        worker_violation(checker, worker, "is probed too early");
    if (checker->probing >= PROBES_MAX)
        worker_violation(checker, worker, "is probed while too many probes are in flight");
    worker->probe = action->slot.generation;
    worker->probe_ended = false;
    worker->probe_from = checker->now;
    checker->probing++;
}

/* Its time is over, or nobody wants to know any more. */
static bool is_void(const struct checker *checker, const struct model_worker *worker) {
    bool another = worker->probe != worker->generation || !model_starting(worker);
    return worker->probe != 0 && (another || checker->now >= worker->probe_from + 2000);
}

void check_probe_end(struct checker *checker, const struct action *action) {
    struct model_worker *worker = &checker->workers[action->slot.index];
    if (action->slot.kind != SLOT_PROBE || worker->probe == 0 || action->slot.generation != worker->probe)
        worker_violation(checker, worker, "a probe is given up that is not there");
    if (worker->probe_ended)
        worker_violation(checker, worker, "its probe is given up twice");
    if (!is_void(checker, worker))
        worker_violation(checker, worker, "its probe is given up before its time");
    worker->probe_ended = true;
}

static bool may_begin(const struct checker *checker, const struct model_worker *worker) {
    bool starting = model_starting(worker) && worker->executed && is_probed(checker, worker);
    return starting && worker->probe == 0 && checker->probing < PROBES_MAX;
}

void rest_probe(struct checker *checker, const struct model_worker *worker) {
    if (is_void(checker, worker) && !worker->probe_ended)
        worker_violation(checker, worker, "its probe should have been given up");
    if (may_begin(checker, worker) && checker->now >= worker->probe_due)
        worker_violation(checker, worker, "should have been probed");
}

msec_t probe_next(const struct checker *checker, const struct model_worker *worker) {
    if (may_begin(checker, worker))
        return worker->probe_due;
    return worker->probe != 0 && !worker->probe_ended ? worker->probe_from + 2000 : MSEC_NEVER;
}

/* --- forwarded signals --- */

void forward_event(struct checker *checker, const struct spec_signal *policy, int number) {
    uint64_t bit = (uint64_t)1 << (number - 1);
    checker->forward_open |= bit;
    for (uint32_t i = 0; i < checker->spec->groups_count; i++)
        if (policy->group < 0 || i == (uint32_t)policy->group)
            checker->groups[i].sent[number]++;
    for (uint32_t i = 0; i < checker->spec->workers_count && !checker->stop.begun; i++) {
        struct model_worker *worker = &checker->workers[i];
        bool meant = policy->group < 0 || worker->group == (uint32_t)policy->group;
        if (worker->leader && !worker->asked && meant && checker->booted)
            worker->owed |= bit;
    }
}

/* As often at the most as it was sent since all of them had arrived; the same one twice may arrive once. */
void check_forward(struct checker *checker, struct model_worker *worker, const struct action *action) {
    const struct model_group *group = &checker->groups[worker->group];
    bool alone = checker->spec->command_only && model_spec(checker, worker)->stop_to == STOP_TO_LEADER;
    int signal = action->signal;
    if (action->to_leader != (alone && worker->leader))
        worker_violation(checker, worker, "a forwarded signal goes to the wrong ones");
    if (group->sent[signal] == 0)
        worker_violation(checker, worker, "gets a signal that nobody sent to it");
    else if (worker->got[signal] >= group->sent[signal])
        worker_violation(checker, worker, "gets a forwarded signal twice");
    worker->got[signal]++;
    worker->owed &= ~((uint64_t)1 << (signal - 1));
}

void rest_forward(struct checker *checker) {
    if (checker->forward_open == 0 || !(checker->booted || checker->stop.begun))
        return;
    checker->forward_open = 0;
    for (uint32_t i = 0; i < checker->spec->groups_count; i++)
        memset(checker->groups[i].sent, 0, sizeof(checker->groups[i].sent));
    for (uint32_t i = 0; i < checker->spec->workers_count; i++)
        memset(checker->workers[i].got, 0, sizeof(checker->workers[i].got));
}

/* --- the manager --- */

static bool all_ready(const struct checker *checker) {
    for (uint32_t i = 0; i < checker->spec->groups_count; i++)
        if (!checker->groups[i].ready)
            return false;
    return true;
}

void manager_extend(struct checker *checker, msec_t until) {
    checker->manager.start_until = msec_max(checker->manager.start_until, until);
}

/* A worker was spawned; the first of its group is the group's beginning. */
void manager_begin(struct checker *checker, struct model_worker *worker) {
    const struct spec_group *spec = model_spec(checker, worker);
    struct model_group *group = &checker->groups[worker->group];
    if (!group->begun && spec->ready != READY_NONE && spec->startup_timeout != MSEC_NEVER)
        manager_extend(checker, checker->now + spec->startup_timeout);
    group->begun = true;
}

/* How long the stop can take from now on, at the very most. */
static msec_t longest_stop(const struct checker *checker) {
    const struct spec *spec = checker->spec;
    msec_t finish = spec->primary.stop.argc > 0 ? spec->finish_grace + KILL_PATIENCE_MS : 0;
    return spec->grace + KILL_PATIENCE_MS + finish;
}

static void check_extend(struct checker *checker, msec_t duration) {
    struct model_manager *manager = &checker->manager;
    msec_t until = checker->now + duration;
    if (duration <= 0 || until <= manager->promised)
        violation(checker, "[%lld] the manager is told nothing new", (long long)checker->now);
    if (!checker->stop.begun && (manager->ready || until != manager->start_until))
        violation(checker, "[%lld] the manager is told a wrong time for the start", (long long)checker->now);
    if (checker->stop.begun && (!manager->stopping || duration > longest_stop(checker)))
        violation(checker, "[%lld] the manager is told a wrong time for the stop", (long long)checker->now);
    manager->promised = until;
}

void check_notify(struct checker *checker, const struct action *action) {
    struct model_manager *manager = &checker->manager;
    if (checker->spec->command_only)
        violation(checker, "[%lld] the manager is told something without a config", (long long)checker->now);
    switch (action->notify) {
    case NOTIFY_READY:
        if (manager->ready || checker->stop.begun || !model_started(checker) || !all_ready(checker))
            violation(checker, "[%lld] the manager is told READY too early or twice", (long long)checker->now);
        manager->ready = true;
        return;
    case NOTIFY_STOPPING:
        if (manager->stopping || !checker->stop.begun)
            violation(checker, "[%lld] the manager is told STOPPING too early or twice", (long long)checker->now);
        manager->stopping = true;
        manager->promised = 0;
        return;
    case NOTIFY_EXTEND:
        check_extend(checker, action->duration);
        return;
    }
}

void rest_manager(struct checker *checker) {
    struct model_manager *manager = &checker->manager;
    bool begun = checker->stop.begun;
    if (checker->spec->command_only)
        return;
    if (!begun && checker->booted && model_started(checker) && all_ready(checker) && !manager->ready)
        violation(checker, "[%lld] the manager was not told READY", (long long)checker->now);
    if (begun && !manager->stopping)
        violation(checker, "[%lld] the manager was not told STOPPING", (long long)checker->now);
    bool starting = !begun && !manager->ready;
    if (starting && manager->start_until > checker->now && manager->promised < manager->start_until)
        violation(checker, "[%lld] the manager was not told how long the start takes", (long long)checker->now);
}

/* What was promised is kept, as far as brood was awake. */
void manager_done(struct checker *checker) {
    const struct model_manager *manager = &checker->manager;
    if (!checker->spec->command_only && checker->now > manager->promised + checker->late)
        violation(checker, "[%lld] the manager was told that it would be over at %lld", (long long)checker->now,
                  (long long)manager->promised);
}
