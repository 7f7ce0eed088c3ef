/* Deadlines of many workers in a binary heap: the earliest is at the top, each worker has at most one.
 * Memory is handed in; nothing fails. */
#ifndef SUPERVISOR_TIMERS_H
#define SUPERVISOR_TIMERS_H

#include <stdint.h>

#include "supervisor/msec.h"

struct timers {
    msec_t *deadline; /* by worker; MSEC_NEVER: none */
    uint32_t *place;  /* of a worker in the heap, UINT32_MAX: not there */
    uint32_t *heap;   /* workers */
    uint32_t count;
};

/* Takes the arrays, each with room for `workers` items, and empties them. */
void timers_init(struct timers *timers, uint32_t workers, msec_t *deadline, uint32_t *place, uint32_t *heap);

/* Sets a worker's deadline, in place of the one it had; MSEC_NEVER takes it away. O(log n). */
void timers_set(struct timers *timers, uint32_t worker, msec_t deadline);

/* The earliest deadline, MSEC_NEVER where there is none. */
msec_t timers_earliest(const struct timers *timers);

/* The worker whose deadline is the earliest; there must be one. */
uint32_t timers_top(const struct timers *timers);

#endif
