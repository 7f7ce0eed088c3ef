/* Who is who among brood's children: slots, generations, pids, what is left of a worker when its leader has ended, and
 * the process that a worker has named as its main one in the leader's place (MAINPID).
 *
 * The only waitid() of brood is here, and the only sender of signals to slots. Pids leave this file for records and for
 * environments alone: a pid is forgotten in the step that reaps it, so a reused one is never signalled. */
#ifndef INIT_CHILDREN_H
#define INIT_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/descendants.h"
#include "init/inbox.h"
#include "init/probes.h"
#include "init/readiness.h"
#include "supervisor/event.h"
#include "supervisor/spec.h"

struct children;

/* What children needs of the rest; everything is the caller's and outlives it. */
struct children_input {
    const struct spec *spec;
    int epoll;
    struct inbox *inbox;
    struct descendants *descendants;
    const struct readiness *readiness;
    struct probes *probes;
    enum log_level reaped; /* the level of the record that an orphan was reaped */
};

/* Brood's ends of what a child speaks through, in epoll already; -1: none. */
struct children_fds {
    int status; /* a pipe: how its exec went */
    int ready;  /* a pipe: fd:N */
    int notify; /* the notify socket */
};

/* Returns 0 with *ret owned by the caller, or -ENOMEM. */
int children_open(const struct children_input *input, struct children **ret);
void children_close(struct children *children); /* takes NULL; closes descriptors, signals nobody */

/* A fork succeeded. Takes over the descriptors. */
void children_add(struct children *children, struct slot slot, pid_t pid, const struct children_fds *fds);

/* What epoll says about a slot's descriptors; nothing happens where it speaks of a former incarnation. */
void children_read_status(struct children *children, struct slot slot);
void children_read_ready(struct children *children, struct slot slot);
void children_look(struct children *children, struct slot slot);
void children_main_ended(struct children *children, struct slot slot);

/* Reaps what has ended (at most REAPS_PER_TURN), adopted orphans too, and looks again at the groups that no descriptor
 * watches. What was not done this time makes children_due() true. */
void children_reap(struct children *children);
bool children_due(const struct children *children);

/* Takes this child alone, where it has ended. */
void children_reap_one(struct children *children, pid_t pid);

/* The signal that has stopped the live process of this worker since the last call; 0: none has. */
int children_stopped(const struct children *children, uint32_t worker);
void children_continue(const struct children *children, uint32_t worker); /* CONT to its group */

/* Whether brood has a child, a zombie counts; without any, it has no descendant. */
bool children_any(const struct children *children);

/* Asks for EVENT_CHILDREN_GONE at the next children_reap(), where there is no child then. Makes children_due() true. */
void children_report_none(struct children *children);

/* Sends a signal, and CONT after it where then_continue, to the slot's process group, and to the main process that the
 * worker named where that isn't in it (to_leader: to the main process, else the leader, alone). Nothing where its
 * process is gone: that fact is on its way. Returns 0, or the -errno of a refusal (-EPERM). */
int children_signal(struct children *children, struct slot slot, int signal, bool to_leader, bool then_continue);

/* The pid that a slot of this generation has or had, its main process's where it named one; 0: none. For records. */
pid_t children_pid(const struct children *children, struct slot slot);
/* The same until its end is reported, else 0. For WORKER_PID. */
pid_t children_live_pid(const struct children *children, struct slot slot);

/* The process groups of all slots that may have somebody in them, into an array that belongs to children and is valid
 * until the next call (the caller may sort it). Returns how many. */
size_t children_groups(struct children *children, pid_t **ret);

#endif
