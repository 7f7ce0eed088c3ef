/* What the three files of children.h share: the children themselves.
 *
 * children.c has the slots and their beginning, children_tell.c what they say by themselves (exec, readiness,
 * sd_notify, MAINPID), children_reap.c their signals and their end.
 *
 * A worker may name a main process (MAINPID), which its end is about from then on. So two things are kept apart:
 * `live`, the process that brood has forked is not reaped yet, and `running`, EXITED is still to be told. Either may be
 * over first. The main process's pid is in the table of pids beside the leader's: brood adopts it when those above it
 * end. */
#ifndef INIT_CHILDREN_INTERNAL_H
#define INIT_CHILDREN_INTERNAL_H

#include "init/children.h"
#include "init/pids.h"

#define DATAGRAMS_PER_TURN 16 /* of one worker */
#define DATAGRAMS_AT_END 1024 /* more than a socket can hold: an ended worker's are read to the last */

struct child {
    pid_t pid;      /* the leader's, of this generation, also when it is reaped; 0: never forked */
    pid_t group;    /* the process group whose members are looked for: the leader's, or its main process's own */
    pid_t main_pid; /* MAINPID, also when it has ended; 0: the leader */
    uint32_t generation;
    int status_fd;    /* its status pipe until the exec is known, -1: none */
    int ready_fd;     /* its readiness pipe, -1: none */
    int notify_fd;    /* its notify socket, -1: none */
    int main_fd;      /* pidfd of main_pid while that lives, in epoll; -1: none */
    int group_fd;     /* pidfd of the reaped process that led `group`, -1: none */
    int member_fd;    /* pidfd of a member, in epoll; -1: none */
    int32_t error;    /* ERRNO that it has reported, 0: none */
    int32_t reported; /* EXIT_STATUS that it has reported, -1: none */
    bool live;        /* the leader is forked and not reaped */
    bool running;     /* EXITED is not told yet */
    bool members;     /* EXITED is told, and others of its group are left */
    bool unsure;      /* … and no descriptor tells when they are gone: look after each reap */
    bool ready_told;
    bool stopping_told;
    bool unexecuted; /* it never ran its program */
};

struct children {
    struct children_input input;
    uint32_t workers; /* children[0 …]: workers, then as many hooks, then the primary's two, then probes if they fork */
    uint32_t count;
    uint32_t unsure;    /* how many children are */
    uint32_t look_next; /* where the next look at them begins */
    bool due;
    bool none; /* told that there is no child */
    struct pids pids;
    pid_t *groups;
    struct child children[];
};

struct slot children_slot_of(const struct children *children, const struct child *child);

/* The child of exactly this generation, NULL where it is another one's time. */
struct child *children_find(struct children *children, struct slot slot);

static inline void children_push(struct children *children, const struct child *child, enum event_kind kind) {
    inbox_push(children->input.inbox, (struct event){.kind = kind, .slot = children_slot_of(children, child)});
}

/* Closes what a worker speaks through, and removes its socket. */
void children_close_ready(struct children *children, struct child *child);

void children_set_unsure(struct children *children, struct child *child, bool unsure);

/* Reads at most `datagrams` of what the child says and tells the core. */
void children_listen(struct children *children, struct child *child, unsigned datagrams);

/* Forgets the main process, which has ended or isn't the main one any more. main_pid stays, for records. */
void children_release_main(struct children *children, struct child *child);

/* Signal 0 asks. To the group of the ended leader. Returns 0, or -errno (-ESRCH: nobody is left in it). */
int children_signal_members(const struct child *child, int signal);

#endif
