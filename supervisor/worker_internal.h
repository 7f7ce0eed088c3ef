/* What the files of one worker share; private to them, the rest of the core sees core.h.
 *
 *     worker.c         inputs, what they do, and what becomes of a worker that is gone
 *     worker_facts.c   facts to inputs
 *     probe.c          readiness probes
 *     worker_table.c   the table */
#ifndef SUPERVISOR_WORKER_INTERNAL_H
#define SUPERVISOR_WORKER_INTERNAL_H

#include "supervisor/core.h"

/* The left side of a report. */
struct why {
    enum cause cause;
    int number;
    msec_t duration;
};

static inline struct why because_for(enum cause cause, int number, msec_t duration) {
    return (struct why){.cause = cause, .number = number, .duration = duration};
}

static inline struct why because_number(enum cause cause, int number) {
    return because_for(cause, number, MSEC_NEVER);
}

static inline struct why because(enum cause cause) {
    return because_for(cause, 0, MSEC_NEVER);
}

/* --- worker.c --- */

const struct spec_group *worker_spec(const struct sv *sv, const struct worker *worker);
int worker_stop_signal(const struct sv *sv, const struct worker *worker);

/* One input: the new state, its report, effects and deadline. The cell must be written. */
void worker_take(struct sv *sv, uint32_t index, enum worker_input input, struct why why, struct actions *actions);

/* brood wants it to stop; of several reasons the one that comes last in the enum counts. */
void worker_stop_for(struct sv *sv, uint32_t index, enum reason reason, enum cause cause, struct actions *actions);

/* Its watchdog strikes: ABRT, and a failure. */
void worker_watchdog(struct sv *sv, uint32_t index, struct actions *actions);

/* Its hook could not be forked, for a reason that is the system's: it is wanted again, a little later. */
void worker_retry_hook(struct sv *sv, uint32_t index);

/* One of leader, members and hook is gone: `partly` where something remains, else its hook or the verdict. */
void worker_after_loss(struct sv *sv, uint32_t index, enum worker_input partly, struct why why,
                       struct actions *actions);

/* --- worker_facts.c --- */

void worker_became_ready(struct sv *sv, uint32_t index, enum cause cause, struct actions *actions);

/* --- probe.c --- */

/* When the next probe, or the end of the start, is due: the deadline of a worker that is STARTING. */
msec_t probe_deadline(const struct worker *worker);
void probe_first(struct sv *sv, uint32_t index);
/* The clock of a worker that is STARTING says so, and it is not the end of its start. */
void probe_due(struct sv *sv, uint32_t index, struct actions *actions);
/* Nobody wants to know any more; nothing where none is in flight. */
void probe_give_up(struct sv *sv, uint32_t index, struct actions *actions);
/* EVENT_PROBED, of whatever generation. */
void probe_answered(struct sv *sv, const struct event *event, struct actions *actions);

#endif
