/* Readiness probes of a worker: when the next one is due, and when one has had its time.
 *
 * A worker has one in flight at the most, whatever life of it that is for: the shell can't be rid of a probe at once (a
 * killed process has to be reaped), so that a worker that is started again may have to wait for the end of an old one.
 * The whole container has PROBES_MAX; who is due beyond that gets in line, in the order of their time. */
#include "supervisor/worker_internal.h"

static bool is_probed(const struct spec_group *spec) {
    return spec->ready == READY_TCP || spec->ready == READY_UNIX || spec->ready == READY_FILE ||
           spec->ready == READY_EXEC;
}

/* Of a worker that is STARTING. While its probe waits for its turn, or for the end of one that was given up, that is
 * what moves it on. */
msec_t probe_deadline(const struct worker *worker) {
    bool waits = worker->in_probe || (worker->probe != 0 && worker->probe_ended);
    return waits ? worker->start_by : msec_min(worker->start_by, worker->probe_at);
}

void probe_give_up(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    if (worker->probe == 0 || worker->probe_ended)
        return;
    worker->probe_ended = true;
    struct action *action = actions_append(actions, ACTION_PROBE_END);
    action->slot = (struct slot){.kind = SLOT_PROBE, .index = index, .generation = worker->probe};
}

void worker_probe(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    if (worker->state != WORKER_STARTING) /* it was when it got in line */
        return;
    if (worker->probe == 0 && sv->now >= worker->probe_at) {
        worker->probe = worker->generation;
        worker->probe_ended = false;
        worker->probe_at = msec_add(sv->now, PROBE_MS);
        sv->probing++;
        actions_append(actions, ACTION_PROBE)->slot = worker_slot(sv, index, SLOT_PROBE);
    }
    timers_set(&sv->timers, index, probe_deadline(worker));
}

/* What a starting worker's clock says, other than that its start has failed. */
void probe_due(struct sv *sv, uint32_t index, struct actions *actions) {
    struct worker *worker = &sv->workers[index];
    if (worker->probe == 0)
        sv_queue_probe(sv, index);
    else
        probe_give_up(sv, index, actions);
    timers_set(&sv->timers, index, probe_deadline(worker));
}

/* Its program runs: the first probe is due at once. */
void probe_first(struct sv *sv, uint32_t index) {
    struct worker *worker = &sv->workers[index];
    if (worker->state != WORKER_STARTING || !is_probed(worker_spec(sv, worker)))
        return;
    worker->probe_at = sv->now;
    timers_set(&sv->timers, index, probe_deadline(worker));
}

void probe_answered(struct sv *sv, const struct event *event, struct actions *actions) {
    uint32_t index = event->slot.index;
    struct worker *worker = &sv->workers[index];
    if (worker->probe == 0 || event->slot.generation != worker->probe)
        return;
    bool own = worker->probe == worker->generation;
    worker->probe = 0;
    sv->probing--;
    if (worker->state != WORKER_STARTING)
        return;
    if (own && event->success) {
        worker_became_ready(sv, index, CAUSE_READY, actions);
        return;
    }
    if (own) {
        uint16_t doubled = (uint16_t)msec_min(worker->probe_delay * 2, PROBE_DELAY_MAX_MS);
        worker->probe_delay = worker->probe_delay == 0 ? PROBE_DELAY_MS : doubled;
        worker->probe_at = msec_add(sv->now, worker->probe_delay);
    }
    timers_set(&sv->timers, index, probe_deadline(worker));
}
