/* The cells of the worker table: what one input does in one state. Private to the core; others ask worker_cell(). */
#ifndef SUPERVISOR_WORKER_TABLE_H
#define SUPERVISOR_WORKER_TABLE_H

#include <stdint.h>

#include "supervisor/worker.h"

enum worker_effect {
    HAPPENS = 1 << 0, /* the pair can happen; an unwritten cell can't, and is an assert */
    QUIET = 1 << 1,   /* nothing changes that is worth a report */
    SPAWN = 1 << 2,   /* fork the worker */
    SIGNAL = 1 << 3,  /* its stop signal */
    KILL = 1 << 4,    /* SIGKILL to group and hook */
    HOOK = 1 << 5,    /* its stop hook, as soon as it may be forked */
};

struct worker_cell {
    uint8_t next;
    uint8_t effects;
};

extern const struct worker_cell worker_table[WORKER_STATES][WORKER_INPUTS];

#endif
