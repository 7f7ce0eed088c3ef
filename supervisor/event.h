/* Every fact that may enter the core, with its time. Facts are past: something has happened.
 *
 * A process is named by its slot and the slot's generation, never by a pid: a late READY or EXITED of a former
 * incarnation is told apart and dropped by the core. The shell reports, for one incarnation and in this order:
 *   SPAWN_FAILED                                  (there was never a process), or
 *   EXECUTED | EXEC_FAILED?  READY?  EXITED  GROUP_EMPTY?
 * EXECUTED may be missing where the process died before its exec; GROUP_EMPTY comes once after an EXITED that has
 * members_left, for workers only.
 *
 * Each ACTION_PROBE is answered by exactly one PROBED, ACTION_PROBE_END or not, when the probe is over: whoever probes
 * by a process has reaped it by then, and keeps that process's own facts to itself.
 *
 * MAINPID is the shell's business: once a worker has named a process as its main one, EXITED is about that. */
#ifndef SUPERVISOR_EVENT_H
#define SUPERVISOR_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/msec.h"

enum slot_kind {
    SLOT_CONTAINER, /* brood as a whole: subject of reports, never spawned */
    SLOT_PRIMARY,   /* index 0: its start, 1: its stop hook */
    SLOT_WORKER,    /* index: WORKER_ID */
    SLOT_HOOK,      /* the stop hook of the worker with this index; generation: the worker's */
    SLOT_PROBE,     /* the readiness probe of the worker with this index; generation: the worker's */
    SLOT_KINDS,
};

enum { PRIMARY_START = 0, PRIMARY_STOP = 1 };

struct slot {
    enum slot_kind kind;
    uint32_t index;
    uint32_t generation;
};

enum ending_kind { ENDING_NONE, ENDING_EXITED, ENDING_KILLED };

/* How a process ended: exited with a code, or killed by a signal. */
struct ending {
    enum ending_kind kind;
    uint8_t number;
    bool unexecuted; /* its program never ran: number is brood's own word for that, 126 or 127 */
};

/* Where a forked child stood when it failed. */
enum spawn_stage {
    STAGE_FORK,        /* of brood itself: the system refused; not a failure of the worker */
    STAGE_SETUP,       /* session, descriptors, limits, identity */
    STAGE_DIRECTORY,   /* working_directory */
    STAGE_EXEC,        /* the program */
    STAGE_INTERPRETER, /* the program is there, what its #! line names isn't */
};

enum event_kind {
    EVENT_BOOT,          /* everything is in place, begin; exactly once, signals may come before it */
    EVENT_TICK,          /* nothing but the time */
    EVENT_SIGNAL,        /* a signal for brood itself: .signal */
    EVENT_SPAWN_FAILED,  /* .slot was not forked: .error */
    EVENT_EXECUTED,      /* .slot runs its program */
    EVENT_EXEC_FAILED,   /* .slot failed before it ran its program: .error, .stage; its EXITED follows */
    EVENT_READY,         /* .slot says it is ready, or a probe does (never sent for ready = none) */
    EVENT_UNREADY,       /* .slot says that it is stopping by itself (STOPPING=1) */
    EVENT_EXITED,        /* .slot was reaped: .ending, .members_left */
    EVENT_GROUP_EMPTY,   /* nobody is left in the process group of the worker .slot */
    EVENT_CHILDREN_GONE, /* brood has no child process at all any more */
    EVENT_EXTEND,        /* .slot asks for .duration from now on before startup_timeout or watchdog strikes */
    EVENT_WATCHDOG,      /* .slot pings its watchdog; .duration, where it isn't 0: and changes how often it must */
    EVENT_UNHEALTHY,     /* .slot says that its watchdog is to strike (WATCHDOG=trigger) */
    EVENT_PROBED,        /* the probe .slot is over: .success */
    EVENT_WORKER_START,  /* an operator: start worker .slot.index (any generation) */
    EVENT_WORKER_STOP,
    EVENT_WORKER_RESTART,
    EVENT_SHUTDOWN, /* an operator: stop the container as TERM would */
    EVENT_KINDS,
};

struct event {
    msec_t time; /* never before the event before; the core corrects one that is */
    enum event_kind kind;
    struct slot slot;
    int signal;  /* SIGNAL */
    bool hangup; /* SIGNAL: HUP from the kernel, brood's terminal is gone */
    int error;   /* an errno, positive */
    enum spawn_stage stage;
    struct ending ending;
    bool members_left; /* EXITED of a worker: others are left in its process group */
    bool success;      /* PROBED */
    msec_t duration;   /* EXTEND; WATCHDOG: the new interval, 0: the one it had */
};

#endif
