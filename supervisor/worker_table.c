/* The one table of the life of a worker: for each state, what each input does there.
 *
 * Inputs are computed before (worker.c), so that no cell hides a branch. A cell that isn't written is a pair that the
 * code before the table can't produce; worker.c asserts that, and a unit test lists them all. The diagram in
 * docs/worker-states.md is printed from here. */
#include "supervisor/worker_table.h"

/* clang-format off: a table is read by its columns */
#define GO(state, effects)                                                                                             \
    { WORKER_##state, HAPPENS | (effects) }
#define IGNORE(state)                                                                                                  \
    { WORKER_##state, HAPPENS | QUIET }

/* What becomes of a worker that is gone; the same wherever it was. */
#define ENDINGS                                                                                                        \
    [INPUT_ENDED_RETRY] = GO(BACKOFF, 0), [INPUT_ENDED_COMPLETED] = GO(COMPLETED, 0),                                  \
    [INPUT_ENDED_FAILED] = GO(FAILED, 0), [INPUT_ENDED_DOWN] = GO(DOWN, 0)

const struct worker_cell worker_table[WORKER_STATES][WORKER_INPUTS] =
    {
        [WORKER_WAITING] =
            {
                [INPUT_SPAWN] = GO(STARTING, SPAWN),
                [INPUT_ASK_SIGNAL] = GO(DOWN, 0),
                [INPUT_GRACE_OVER] = GO(DOWN, 0),
                [INPUT_GIVE_UP] = GO(FAILED, 0),
                [INPUT_REVIVE] = IGNORE(WAITING),
            },
        [WORKER_STARTING] =
            {
                [INPUT_SPAWN_FAILED] = GO(BACKOFF, 0),
                [INPUT_EXECUTED] = GO(STARTING, 0),
                [INPUT_READY] = GO(READY, 0),
                [INPUT_ASK_SIGNAL] = GO(STOPPING, SIGNAL),
                [INPUT_GRACE_OVER] = GO(KILLED, KILL),
                [INPUT_LEADER_ENDED] = GO(STOPPING, SIGNAL), /* its members, before anything else of it starts */
                [INPUT_REVIVE] = IGNORE(STARTING),
                ENDINGS,
            },
        [WORKER_READY] =
            {
                [INPUT_EXECUTED] = IGNORE(READY),
                [INPUT_READY] = IGNORE(READY),
                [INPUT_ASK_HOOK] = GO(HOOK, HOOK),
                [INPUT_ASK_SIGNAL] = GO(STOPPING, SIGNAL),
                [INPUT_GRACE_OVER] = GO(KILLED, KILL),
                [INPUT_LEADER_ENDED] = GO(STOPPING, SIGNAL),
                [INPUT_ENDED_HOOK] = GO(CLEANUP, HOOK),
                [INPUT_REVIVE] = IGNORE(READY),
                ENDINGS,
            },
        [WORKER_HOOK] =
            {
                [INPUT_EXECUTED] = IGNORE(HOOK),
                [INPUT_READY] = IGNORE(HOOK),
                [INPUT_ASK_SIGNAL] = IGNORE(HOOK),
                [INPUT_URGE] = GO(STOPPING, SIGNAL),
                [INPUT_GRACE_OVER] = GO(KILLED, KILL),
                [INPUT_LEADER_ENDED] = GO(HOOK, 0),
                [INPUT_MEMBERS_GONE] = GO(HOOK, 0),
                [INPUT_HOOK_ENDED] = GO(STOPPING, SIGNAL),
                [INPUT_ENDED_AGAIN] = GO(WAITING, 0),
                ENDINGS,
            },
        [WORKER_STOPPING] =
            {
                [INPUT_EXECUTED] = IGNORE(STOPPING),
                [INPUT_READY] = IGNORE(STOPPING),
                [INPUT_ASK_SIGNAL] = IGNORE(STOPPING),
                [INPUT_GRACE_OVER] = GO(KILLED, KILL),
                [INPUT_LEADER_ENDED] = GO(STOPPING, 0),
                [INPUT_MEMBERS_GONE] = GO(STOPPING, 0),
                [INPUT_HOOK_ENDED] = GO(STOPPING, 0),
                [INPUT_ENDED_HOOK] = GO(CLEANUP, HOOK), /* it ended by itself, what was left is gone now */
                [INPUT_ENDED_AGAIN] = GO(WAITING, 0),
                ENDINGS,
            },
        [WORKER_KILLED] =
            {
                [INPUT_EXECUTED] = IGNORE(KILLED),
                [INPUT_READY] = IGNORE(KILLED),
                [INPUT_ASK_SIGNAL] = IGNORE(KILLED),
                [INPUT_GRACE_OVER] = IGNORE(KILLED),
                [INPUT_LEADER_ENDED] = GO(KILLED, 0),
                [INPUT_MEMBERS_GONE] = GO(KILLED, 0),
                [INPUT_HOOK_ENDED] = GO(KILLED, 0),
                [INPUT_ENDED_HOOK] = GO(CLEANUP, HOOK),
                [INPUT_ENDED_AGAIN] = GO(WAITING, 0),
                ENDINGS,
            },
        [WORKER_CLEANUP] =
            {
                [INPUT_ASK_SIGNAL] = IGNORE(CLEANUP),
                [INPUT_GRACE_OVER] = GO(KILLED, KILL),
                [INPUT_ENDED_AGAIN] = GO(WAITING, 0),
                ENDINGS,
            },
        [WORKER_BACKOFF] =
            {
                [INPUT_DUE] = GO(WAITING, QUIET),
                [INPUT_ASK_SIGNAL] = GO(DOWN, 0),
                [INPUT_GRACE_OVER] = GO(DOWN, 0),
                [INPUT_REVIVE] = GO(WAITING, 0),
            },
        [WORKER_DOWN] =
            {
                [INPUT_ASK_SIGNAL] = IGNORE(DOWN),
                [INPUT_GRACE_OVER] = IGNORE(DOWN),
                [INPUT_REVIVE] = GO(WAITING, 0),
            },
        [WORKER_COMPLETED] =
            {
                [INPUT_ASK_SIGNAL] = IGNORE(COMPLETED),
                [INPUT_GRACE_OVER] = IGNORE(COMPLETED),
                [INPUT_REVIVE] = GO(WAITING, 0),
            },
        [WORKER_FAILED] =
            {
                [INPUT_ASK_SIGNAL] = IGNORE(FAILED),
                [INPUT_GRACE_OVER] = IGNORE(FAILED),
                [INPUT_REVIVE] = GO(WAITING, 0),
            },
};

/* clang-format on */

static const char *const state_names[WORKER_STATES] = {
    [WORKER_WAITING] = "waiting",     [WORKER_STARTING] = "starting", [WORKER_READY] = "ready",
    [WORKER_HOOK] = "stop hook",      [WORKER_STOPPING] = "stopping", [WORKER_KILLED] = "killed",
    [WORKER_CLEANUP] = "cleanup",     [WORKER_BACKOFF] = "backoff",   [WORKER_DOWN] = "down",
    [WORKER_COMPLETED] = "completed", [WORKER_FAILED] = "failed",
};

static const char *const input_names[WORKER_INPUTS] = {
    [INPUT_SPAWN] = "spawn",
    [INPUT_SPAWN_FAILED] = "spawn failed",
    [INPUT_EXECUTED] = "executed",
    [INPUT_READY] = "ready",
    [INPUT_ASK_HOOK] = "ask, hook first",
    [INPUT_ASK_SIGNAL] = "ask",
    [INPUT_URGE] = "urge",
    [INPUT_GRACE_OVER] = "grace over",
    [INPUT_LEADER_ENDED] = "leader ended",
    [INPUT_MEMBERS_GONE] = "members gone",
    [INPUT_HOOK_ENDED] = "hook ended",
    [INPUT_ENDED_HOOK] = "ended, hook after",
    [INPUT_ENDED_RETRY] = "ended, retry",
    [INPUT_ENDED_AGAIN] = "ended, again",
    [INPUT_ENDED_COMPLETED] = "ended, completed",
    [INPUT_ENDED_FAILED] = "ended, failed",
    [INPUT_ENDED_DOWN] = "ended, down",
    [INPUT_DUE] = "due",
    [INPUT_GIVE_UP] = "give up",
    [INPUT_REVIVE] = "revive",
};

const char *worker_state_name(enum worker_state state) {
    return state < WORKER_STATES ? state_names[state] : "?";
}

const char *worker_input_name(enum worker_input input) {
    return input < WORKER_INPUTS ? input_names[input] : "?";
}

bool worker_cell(enum worker_state state, enum worker_input input, enum worker_state *ret_next) {
    const struct worker_cell *cell = &worker_table[state][input];
    if (!(cell->effects & HAPPENS))
        return false;
    *ret_next = (enum worker_state)cell->next;
    return true;
}
