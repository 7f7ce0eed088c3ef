/* Restart policy: see backoff.h. The ring keeps exact times, not a rate: "10 in 5m" is true for every window, not
 * only for those that begin at a multiple of five minutes. */
#include "supervisor/backoff.h"

msec_t backoff_next(struct backoff *backoff, msec_t first, msec_t last) {
    backoff->delay = backoff->delay == 0 ? first : msec_min(msec_add(backoff->delay, backoff->delay), last);
    return backoff->delay;
}

void backoff_reset(struct backoff *backoff) {
    backoff->delay = 0;
}

bool backoff_exceeded(struct backoff *backoff, msec_t *failures, uint32_t limit, msec_t window, msec_t now) {
    if (limit == 0)
        return false;
    /* Once the ring is full its next place holds the oldest of the last `limit` failures. */
    bool exceeded = backoff->known == limit && now - failures[backoff->next] <= window;
    failures[backoff->next] = now;
    backoff->next = (backoff->next + 1) % limit;
    if (backoff->known < limit)
        backoff->known++;
    return exceeded;
}
