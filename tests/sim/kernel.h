/* A fake kernel in virtual time: it does what actions ask for and makes the facts that follow.
 *
 * A process is a small script drawn when it is forked, keyed by (seed, kind of slot, group, index, generation): when
 * its exec is through, when it is ready, when it ends and how, what it does about signals, whom it leaves behind. So
 * the same life is lived whatever happens around it, with any capacity of the action list. Facts come out in the
 * order in which they happened; kernel_collect() hands out those that are due, as a batch. */
#ifndef TESTS_SIM_KERNEL_H
#define TESTS_SIM_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/action.h"
#include "tests/sim/scenario.h"

#define KERNEL_MEMBERS_MAX 2
#define KERNEL_STRAGGLERS_MAX 64
#define KERNEL_PENDING_MAX 32768
#define KERNEL_BATCH_MAX 4096

/* What a process does about a signal. */
struct reaction {
    bool ignores;
    msec_t delay;
    struct ending ending; /* kind NONE: killed by that signal */
};

struct process {
    bool alive;
    uint32_t generation;
    uint64_t key;
    msec_t exit_at;
    struct ending ending;
    struct reaction stop;
    struct reaction forward;
    msec_t kill_delay; /* MSEC_NEVER: the kernel does not let it go */
};

struct member {
    bool alive;
    bool unreapable; /* once dead, its parent outside never reaps it */
    msec_t exit_at;
    struct reaction stop;
    msec_t kill_delay;
};

/* The one that is in flight, for whatever life of its worker. */
struct probe {
    bool alive;
    bool child;          /* a process, so that brood is not childless before it is over */
    uint32_t generation; /* of the life it is for */
    uint32_t number;     /* in that life */
    uint64_t key;
    msec_t over_at;
    bool success;
    msec_t end_delay; /* how long it takes to be over once it is given up */
    bool end_success; /* and what it says then */
};

struct sim_worker {
    struct process leader;
    struct process hook;
    struct probe probe;
    struct member members[KERNEL_MEMBERS_MAX];
    uint32_t generation; /* the members' */
    uint32_t group;
    bool members_told; /* EXITED said members_left */
};

struct straggler {
    bool alive;
    bool stuck;
    msec_t exit_at;
    struct reaction stop;
    bool told; /* a signal other than KILL reaches each process once */
};

enum pending_kind { PENDING_FACT, PENDING_EXIT, PENDING_MEMBER, PENDING_STRAGGLER, PENDING_PROBE };

struct pending {
    msec_t at;
    uint64_t key;
    uint64_t sequence;
    enum pending_kind kind;
    struct event fact; /* FACT; its slot names the process for the others too */
    uint32_t which;
};

struct kernel {
    const struct scenario *scenario;
    msec_t now;
    struct sim_worker workers[SIM_WORKERS_MAX];
    struct process primary[2];
    struct straggler stragglers[KERNEL_STRAGGLERS_MAX];
    struct pending heap[KERNEL_PENDING_MAX];
    uint32_t heap_count;
    uint64_t sequence;
    uint32_t children;    /* processes that brood is the parent of, or will be */
    bool asked_childless; /* CHILDREN_GONE is wanted */
};

void kernel_init(struct kernel *kernel, const struct scenario *scenario);

/* Does one action at time now. Reports are nothing to a kernel. */
void kernel_perform(struct kernel *kernel, const struct action *action, msec_t now);

/* When the next fact happens, MSEC_NEVER: not without a signal. */
msec_t kernel_next(const struct kernel *kernel);

/* What has happened up to now (inclusive), in order, as a batch of at most KERNEL_BATCH_MAX events with their keys
 * (equal keys: the same process, whose order is to be kept). Returns how many. */
uint32_t kernel_collect(struct kernel *kernel, msec_t now, struct event *ret_events, uint64_t *ret_keys);

/* --- shared by kernel.c and lives.c --- */

struct process *kernel_process(struct kernel *kernel, struct slot slot);

/* Something is to happen; at MSEC_NEVER it never does. */
void kernel_push(struct kernel *kernel, struct pending pending);

/* The process ends at `at`, where that is earlier than it would otherwise. */
void kernel_schedule_exit(struct kernel *kernel, struct slot slot, struct process *process, msec_t at,
                          struct ending ending);

/* Forks it, or doesn't, and draws what it will do. */
void kernel_spawn(struct kernel *kernel, struct slot slot);

/* Begins a probe and draws what it will say; gives one up. */
void kernel_probe(struct kernel *kernel, struct slot slot);
void kernel_probe_end(struct kernel *kernel, struct slot slot);

#endif
