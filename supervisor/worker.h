/* One worker process: its states, and the inputs that move it from one to another.
 *
 * worker.c computes the input first (INPUT_ENDED_RETRY), worker_table.c says what it does. docs/worker-states.md is
 * printed from that table. */
#ifndef SUPERVISOR_WORKER_H
#define SUPERVISOR_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/action.h"
#include "supervisor/backoff.h"
#include "supervisor/event.h"
#include "supervisor/msec.h"
#include "supervisor/spec.h"

enum worker_state {
    WORKER_WAITING,  /* for the groups in `after`, or for its turn to be forked */
    WORKER_STARTING, /* forked, not ready yet */
    WORKER_READY,
    WORKER_HOOK,      /* asked to stop: its stop hook runs, the signal comes after it */
    WORKER_STOPPING,  /* its stop signal is sent; until leader, members of its group and hook are gone */
    WORKER_KILLED,    /* SIGKILL is sent; until they are gone */
    WORKER_CLEANUP,   /* ended by itself: its stop hook runs after it */
    WORKER_BACKOFF,   /* started again when the delay is over */
    WORKER_DOWN,      /* stopped on request */
    WORKER_COMPLETED, /* its work is done */
    WORKER_FAILED,    /* for good */
    WORKER_STATES,
};

enum worker_input {
    INPUT_SPAWN,        /* its turn to be forked */
    INPUT_SPAWN_FAILED, /* fork was refused by the system */
    INPUT_EXECUTED,     /* it runs, readiness is to come */
    INPUT_READY,        /* it is ready (ready = none: it runs) */
    INPUT_ASK_HOOK,     /* asked to stop; its stop hook comes first */
    INPUT_ASK_SIGNAL,   /* asked to stop; nothing comes before the signal */
    INPUT_URGE,         /* half of its grace is gone: the signal, whatever the hook does */
    INPUT_GRACE_OVER,   /* no grace is left: SIGKILL to whatever there is */
    INPUT_LEADER_ENDED, /* the leader was reaped, members of its group or its hook are left */
    INPUT_MEMBERS_GONE, /* the last member of its group is gone, leader or hook are left */
    INPUT_HOOK_ENDED,   /* its hook was reaped, leader or members are left */
    INPUT_ENDED_HOOK,   /* ended by itself, nobody left: its stop hook runs now */
    INPUT_ENDED_RETRY,  /* everything is gone; to be started again after a delay */
    INPUT_ENDED_AGAIN,  /* … to be started again at once (an operator's restart) */
    INPUT_ENDED_COMPLETED,
    INPUT_ENDED_FAILED,
    INPUT_ENDED_DOWN,
    INPUT_DUE,     /* the delay is over */
    INPUT_GIVE_UP, /* a group it waits for has failed for good */
    INPUT_REVIVE,  /* an operator starts it again */
    WORKER_INPUTS,
};

const char *worker_state_name(enum worker_state state); /* "ready": for people, never NULL */
const char *worker_input_name(enum worker_input input); /* "ended retry" */

/* How a cell of the table reads: its next state and what happens, for the diagram and for tests.
 * ret_next is the next state; returns false for a pair that can't happen (an assert). */
bool worker_cell(enum worker_state state, enum worker_input input, enum worker_state *ret_next);

#endif
