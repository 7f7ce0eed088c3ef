/* Every effect that may leave the core. init/perform.c does them in order; what fails comes back as an event.
 *
 * A list has a capacity of at least ACTIONS_MIN; the caller owns it, sv_step() empties it first. */
#ifndef SUPERVISOR_ACTION_H
#define SUPERVISOR_ACTION_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/event.h"
#include "supervisor/limits.h"
#include "supervisor/msec.h"

enum action_kind {
    ACTION_SPAWN,             /* .slot: fork it. A hook gets .ending: how its worker ended (NONE: it is alive) */
    ACTION_SIGNAL,            /* .slot: .signal to its process group (.to_leader: to the leader alone), CONT after
                                 it where .then_continue */
    ACTION_SIGNAL_STRAGGLERS, /* .signal, each process once, to every descendant that is in no group of a live
                                 slot; KILL: to all of them, again and again until no new one appears. Where brood has
                                 no child at all, EVENT_CHILDREN_GONE comes back */
    ACTION_PROBE,             /* .slot PROBE: begin one probe of ready = tcp:, unix:, file: or exec:. One at most is
                                 in flight for a worker, over its generations too */
    ACTION_PROBE_END,         /* .slot PROBE: give up the one in flight: an exec probe's process group is killed, a
                                 connect closed. Its PROBED is still to come */
    ACTION_NOTIFY,            /* .notify, .duration: to brood's own manager ($NOTIFY_SOCKET), under a config only */
    ACTION_REPORT,            /* .report: what happened, for the log and for traces */
    ACTION_KINDS,
};

/* What a manager above brood is told, see sd_notify(3). */
enum notify_kind {
    NOTIFY_READY,    /* READY=1: every group is, or was, ready; once */
    NOTIFY_STOPPING, /* STOPPING=1: the stop begins; once */
    NOTIFY_EXTEND,   /* EXTEND_TIMEOUT_USEC: what is under way may take .duration from now on */
};

/* Why something changed: the left side of "web/0: exited 1 -> backoff 100ms". */
enum cause {
    CAUSE_BOOT,
    CAUSE_SPAWN,
    CAUSE_SPAWN_FAILED, /* number: errno */
    CAUSE_EXECUTED,
    CAUSE_EXEC_FAILED, /* number: errno, stage */
    CAUSE_READY,
    CAUSE_UNREADY,
    CAUSE_EXITED, /* number: the code */
    CAUSE_KILLED, /* number: the signal */
    CAUSE_MEMBERS_GONE,
    CAUSE_STOP_HOOK, /* its stop hook begins */
    CAUSE_HOOK_ENDED,
    CAUSE_STOP_SIGNAL, /* number: the signal it is sent */
    CAUSE_STOP,        /* the container stops, there is nothing to signal */
    CAUSE_START_TIMEOUT,
    CAUSE_UNHEALTHY,
    CAUSE_GRACE_OVER,    /* KILL; duration: the grace it had */
    CAUSE_SECOND_SIGNAL, /* number: the signal */
    CAUSE_DUE,           /* the delay is over */
    CAUSE_AFTER_FAILED,  /* a group it waits for has failed for good */
    CAUSE_COMPLETED,     /* a job reported that its work is done */
    CAUSE_OPERATOR,
    CAUSE_SIGNAL,           /* container: number */
    CAUSE_WORKER_FAILED,    /* container: .cause_worker */
    CAUSE_WORKER_COMPLETED, /* container: .cause_worker */
    CAUSE_PRIMARY_FAILED,
    CAUSE_PRIMARY_DONE,
    CAUSE_NO_WORKER_LEFT,
    CAUSE_NO_PROCESS_LEFT,
    CAUSE_FINISHED,      /* the primary's stop hook has ended */
    CAUSE_PATIENCE_OVER, /* killed processes that the kernel does not let go */
    CAUSES,
};

/* The right side. Workers use their own states (worker.h), the container its phases (lifecycle.h). */
struct report {
    enum cause cause;
    int number;
    enum spawn_stage stage;
    msec_t duration; /* MSEC_NEVER: none; "backoff 100ms", "stop, 10s" */
    uint8_t state;   /* enum worker_state, enum phase or enum task_state, by the kind of the slot */
    uint8_t former;  /* the state before */
    uint32_t cause_worker;
};

struct action {
    enum action_kind kind;
    struct slot slot;
    int signal;
    bool to_leader;
    bool then_continue;
    enum notify_kind notify;
    msec_t duration; /* NOTIFY_EXTEND */
    struct ending ending;
    struct report report;
};

struct actions {
    uint32_t count;
    uint32_t capacity; /* ACTIONS_MIN to ACTIONS_MAX */
    struct action items[ACTIONS_MAX];
};

static inline uint32_t actions_free(const struct actions *actions) {
    return actions->capacity - actions->count;
}

/* The next item, zeroed; the caller has made sure that one is free. */
static inline struct action *actions_append(struct actions *actions, enum action_kind kind) {
    assert(actions->count < actions->capacity);
    struct action *action = &actions->items[actions->count++];
    *action = (struct action){.kind = kind};
    return action;
}

#endif
