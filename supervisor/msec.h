/* Time in the core: monotonic milliseconds, always an argument, never a question.
 * MSEC_NEVER is later than every time; sums saturate at it, so that a deadline never wraps. */
#ifndef SUPERVISOR_MSEC_H
#define SUPERVISOR_MSEC_H

#include <stdint.h>

typedef int64_t msec_t;

#define MSEC_NEVER INT64_MAX

/* a + b for b >= 0, MSEC_NEVER where either is or the sum would be. */
static inline msec_t msec_add(msec_t a, msec_t b) {
    if (a == MSEC_NEVER || b == MSEC_NEVER || a > MSEC_NEVER - b)
        return MSEC_NEVER;
    return a + b;
}

static inline msec_t msec_min(msec_t a, msec_t b) {
    return a < b ? a : b;
}

static inline msec_t msec_max(msec_t a, msec_t b) {
    return a > b ? a : b;
}

#endif
