/* Restart policy: when a failed worker is started again, and when it has failed for good. Pure arithmetic. */
#ifndef SUPERVISOR_BACKOFF_H
#define SUPERVISOR_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/msec.h"

/* failures: a ring of the times of the last `limit` failures, owned by the caller; unused where limit is 0. */
struct backoff {
    msec_t delay;   /* of the last restart, 0: none yet */
    uint32_t next;  /* where the next failure goes in the ring */
    uint32_t known; /* how many of the ring are filled */
};

/* The next delay: first, then doubled up to last. */
msec_t backoff_next(struct backoff *backoff, msec_t first, msec_t last);

/* The worker was well for long enough: the next delay is the first again. The failures stay. */
void backoff_reset(struct backoff *backoff);

/* Notes a failure at `now`; true where it is one more than `limit` within `window` (inclusive). limit 0: never. */
bool backoff_exceeded(struct backoff *backoff, msec_t *failures, uint32_t limit, msec_t window, msec_t now);

#endif
