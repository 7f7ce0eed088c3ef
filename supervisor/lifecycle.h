/* The container as a whole: its phases, the grace period, and what the exit status will be. */
#ifndef SUPERVISOR_LIFECYCLE_H
#define SUPERVISOR_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/action.h"
#include "supervisor/event.h"
#include "supervisor/msec.h"
#include "supervisor/spec.h"

enum phase {
    PHASE_BOOT,    /* nothing is started yet */
    PHASE_PRIMARY, /* the primary's start runs */
    PHASE_RUN,
    PHASE_STOP,       /* workers are being stopped */
    PHASE_STRAGGLERS, /* the workers are gone; descendants that left their group are being stopped */
    PHASE_FINISH,     /* the primary's stop hook runs */
    PHASE_DONE,
    PHASES,
};

/* The state of a process that is no worker: a hook, or the primary's start or stop. */
enum task_state { TASK_IDLE, TASK_WANTED, TASK_RUNNING, TASK_KILLED, TASK_ENDED };

const char *phase_name(enum phase phase);
const char *task_state_name(enum task_state state);

#endif
