/* What the files of the core share: the state of brood, and who may change which part of it.
 *
 *     supervisor.c   takes events apart, runs the queues; the only one that the outside calls
 *     lifecycle.c    the container: struct lifecycle
 *     group.c        a group as a whole: struct group
 *     worker.c       one worker: struct worker (with worker_facts.c and probe.c)
 *     above.c        what a manager above brood is told of it
 *     exit_status.c  reads all of it at the end
 *
 * Private to supervisor/: the shell and the tests see supervisor.h. */
#ifndef SUPERVISOR_CORE_H
#define SUPERVISOR_CORE_H

#include "supervisor/supervisor.h"
#include "supervisor/signals.h"
#include "supervisor/timers.h"

#define NOBODY UINT32_MAX /* no worker */

/* Why a worker is being stopped while it could go on; decides what becomes of it when it is gone. */
enum reason {
    REASON_NONE,      /* it isn't, or the container's stop is the reason */
    REASON_UNHEALTHY, /* a check or its watchdog failed: counts as a failure */
    REASON_TIMEOUT,   /* not ready in time: counts as a failed start */
    REASON_RESTART,   /* an operator wants a new one */
    REASON_DOWN,      /* an operator wants it down */
    REASON_COMPLETED, /* a job reported that its work is done */
};

struct worker {
    msec_t kill_at;  /* end of its own grace period, valid from being asked to stop on */
    msec_t ready_at; /* when it became READY, MSEC_NEVER: it did not */
    msec_t start_by; /* STARTING: not ready by then is a failed start */
    msec_t urge_at;  /* HOOK: its signal comes then, whether the hook has ended or not */
    msec_t probe_at; /* STARTING: when the next probe is due, or the one in flight has had its time */
    msec_t retry_at; /* a hook that could not be forked: not before */
    msec_t watchdog; /* how often it must ping, its group's or its own word; 0: never */
    struct backoff backoff;
    msec_t *failures; /* ring of its group's restart_limit */
    uint32_t generation;
    uint32_t next_attention; /* links of the queues, NOBODY at the end */
    uint32_t next_spawn;
    uint32_t next_probe;
    uint32_t probe; /* the generation that the probe in flight is for, 0: none is */
    uint16_t probe_delay;
    uint16_t group;
    uint8_t stop_signal;  /* instead of the group's (ABRT for a missed watchdog); 0: none */
    uint8_t state;        /* enum worker_state */
    uint8_t reason;       /* enum reason */
    uint8_t hook;         /* enum task_state */
    struct ending ending; /* of its leader, the last time */
    bool leader;          /* forked and not reaped */
    bool in_flight;       /* forked, its exec not confirmed yet */
    bool hook_in_flight;
    bool members; /* the leader is gone, others of its group are not */
    bool up;      /* counts as ready for those that wait for its group */
    bool in_attention;
    bool in_spawn;
    bool in_probe;
    bool probe_ended; /* the one in flight was given up; PROBED is all it is waited for */
};

struct group {
    uint32_t up_count;   /* workers that are up */
    uint32_t live_count; /* workers that are not DOWN, COMPLETED or FAILED */
    uint16_t waits;      /* groups in its `after` that have not been ready yet */
    uint16_t above;      /* STOP: groups that name it in their `after` and are not cleared yet */
    bool ready;          /* all its workers were up at once, some time */
    bool doomed;         /* it waits for a group that has failed for good */
    bool cleared;        /* STOP: it is gone, and so are all above it */
    bool begun;          /* one of its workers was forked, some time */
};

struct task {
    enum task_state state;
    uint32_t generation;
    msec_t retry_at; /* TASK_WANTED: not before */
    struct ending ending;
    int exec_error;
};

struct lifecycle {
    enum phase phase;
    struct task primary[2]; /* PRIMARY_START, PRIMARY_STOP */

    bool requested;  /* the stop was asked for from outside */
    bool cut_start;  /* … before the primary's start had succeeded */
    int stop_signal; /* what asked for it, 0: a failure, a success, the command's end */
    msec_t grace;    /* of this stop */
    msec_t stop_at;
    msec_t urge_at;       /* half of it is gone: order gives way */
    msec_t stragglers_at; /* three quarters */
    msec_t kill_at;
    msec_t rekill_at;
    msec_t finish_at;       /* end of finish_grace */
    msec_t first_signal_at; /* the first TERM or INT of this stop */
    bool urged;
    bool straggled;
    bool killed; /* kill_at has come */
    bool second_signal;
    bool hook_ended; /* FINISH: the primary's stop hook was reaped or never ran */
    bool waited;     /* … and before it for killed processes that the kernel does not let go: not once more */
    bool childless;  /* brood has no child; told once more after each SIGNAL_STRAGGLERS */

    uint32_t failed_worker; /* the first that failed for good before the stop, NOBODY: none */
    struct ending failed_ending;
    uint32_t completed_worker; /* whose success ended the container */
    struct slot killed_slot;   /* the first that had to be killed in a requested stop; generation 0: none */
    msec_t killed_after;       /* the grace it had */
    uint32_t cut_job;          /* a job that a requested stop cut short */

    bool told_ready; /* the manager above brood: READY=1 */
    bool told_stopping;
    msec_t promised;    /* it was told to wait until then */
    msec_t start_until; /* what the groups that have begun may take to get ready, as far as they have a limit */
};

struct queue {
    uint32_t head;
    uint32_t tail;
};

struct sv {
    const struct spec *spec;
    msec_t now;
    struct lifecycle life;
    struct worker *workers;
    struct group *groups;
    struct timers timers;
    struct queue attention; /* workers to look at: the container or their group changed */
    struct queue spawn;     /* workers whose process, or whose hook, is to be forked */
    struct queue probe;     /* workers whose next probe is due */
    uint32_t spawning;      /* forked, exec not confirmed */
    uint32_t probing;       /* probes in flight */
    uint32_t unready;       /* groups that have not been ready yet */
    uint32_t unfinished;    /* workers that are neither COMPLETED nor FAILED */
    uint32_t live;          /* workers that are not DOWN, COMPLETED or FAILED */
    uint64_t forward;       /* signals to be forwarded, by number */
    int forwarding;         /* the one that is being distributed, 0: none */
    uint32_t forward_next;  /* the worker that gets it next */
    bool more;              /* the last step ended because its list was full */
    uint16_t *clearing;     /* room for clear_from() */
    uint64_t cells[WORKER_STATES * WORKER_INPUTS];
};

/* --- supervisor.c --- */

void sv_queue_attention(struct sv *sv, uint32_t worker);
void sv_queue_spawn(struct sv *sv, uint32_t worker);
void sv_queue_probe(struct sv *sv, uint32_t worker);

/* Appends a report about slot; the caller fills in what the cause needs. */
struct report *sv_report(struct actions *actions, struct slot slot, enum cause cause, uint8_t former, uint8_t state);

/* --- worker.c --- */

void worker_init(struct sv *sv, uint32_t index, uint16_t group, msec_t *failures);
struct slot worker_slot(const struct sv *sv, uint32_t index, enum slot_kind kind);

/* A process of it that is not reaped: something that signals can reach. */
bool worker_has_process(const struct worker *worker);

/* Its turn in the spawn queue. */
void worker_spawn(struct sv *sv, uint32_t index, struct actions *actions);
/* Its turn in the queue of probes. */
void worker_probe(struct sv *sv, uint32_t index, struct actions *actions);
/* Its deadline is due. */
void worker_due(struct sv *sv, uint32_t index, struct actions *actions);
/* Looks at the container and its group, and does what follows for this worker. */
void worker_attend(struct sv *sv, uint32_t index, struct actions *actions);
/* A fact about the worker, its hook or its probe. */
void worker_event(struct sv *sv, const struct event *event, struct actions *actions);
/* An operator's wish. */
void worker_operate(struct sv *sv, uint32_t index, enum event_kind kind, struct actions *actions);

/* --- group.c --- */

void group_init(struct sv *sv, uint16_t index);
/* Whether its workers may be started, as far as other groups are concerned. */
bool group_may_start(const struct sv *sv, uint16_t index);
/* Whether its workers may be stopped, as far as other groups are concerned. */
bool group_may_stop(const struct sv *sv, uint16_t index);
/* A worker of it is forked: how long it may take to get ready is what a manager above brood wants to know. */
void group_begin(struct sv *sv, uint16_t index);
/* A worker of it went from one state to another: counts, and wakes whoever waited for that. */
void group_note(struct sv *sv, uint32_t worker, enum worker_state former, enum worker_state state);
/* The container stops: from now on groups are cleared from the top. */
void group_begin_stop(struct sv *sv);

/* --- lifecycle.c --- */

void lifecycle_init(struct sv *sv);
/* BOOT, signals, the primary's processes, CHILDREN_GONE, SHUTDOWN. */
void lifecycle_event(struct sv *sv, const struct event *event, struct actions *actions);
/* A worker has settled for good. */
void lifecycle_settled(struct sv *sv, uint32_t worker, struct actions *actions);
/* What the time and the counts ask for now; called until nothing is appended. True where it did something. */
bool lifecycle_review(struct sv *sv, struct actions *actions);
msec_t lifecycle_deadline(const struct sv *sv);
bool lifecycle_stopping(const struct sv *sv);       /* from the stop on */
bool lifecycle_primary_failed(const struct sv *sv); /* its start was to run, and did not end with 0 */
/* When a container that stops will be gone at the latest, as far as it is known now. */
msec_t lifecycle_end(const struct sv *sv);
/* Somebody was sent a stop signal just now: he has a quarter of the grace period before SIGKILL. */
void lifecycle_postpone_kill(struct sv *sv);
/* SIGKILL was sent to a slot after `grace`: the exit status may depend on it. */
void lifecycle_note_kill(struct sv *sv, struct slot slot, msec_t grace);

/* --- above.c --- */

/* Tells what is to be told now. True where there was something. */
bool above_review(struct sv *sv, struct actions *actions);

#endif
