/* Every bound of brood, with its reason. What is not bounded here is bounded by the memory handed in.
 *
 * A limit that a user can run into has a config fault or a log line that names it; the others are asserted. */
#ifndef SUPERVISOR_LIMITS_H
#define SUPERVISOR_LIMITS_H

#include <stdint.h>

#define WORKERS_MAX 10000             /* in all groups together, the command included */
#define GROUPS_MAX 500                /* [worker:…] sections; the command's group `main` is one more */
#define NAME_MAX_BYTES 32             /* of a group or wrap name: it becomes part of log lines and file names */
#define ARGUMENTS_MAX 4096            /* words of one command; the kernel's own limit is in bytes */
#define FAULTS_MAX 1000               /* config faults kept; what comes after is counted in one last line */
#define CONFIG_BYTES_MAX (64u << 20)  /* of a config file; larger ones are surely not meant */
#define ENV_FILE_BYTES_MAX (1u << 20) /* of an env_file; exec takes less than that anyway */
#define DURATION_MAX_MS (365ll * 24 * 60 * 60 * 1000)
#define RESTART_LIMIT_MAX 1000 /* failures remembered per worker: 8 bytes each */
#define LISTEN_MAX 64          /* sockets of one group: each is a descriptor of every worker */
#define SIGNALS_END 65         /* signal numbers are 1 to 64 on Linux */

/* One sv_step appends at most this many actions, so that one signal for 10,000 workers never starves a reap. */
#define ACTIONS_MAX 64
/* What one event for one worker may append at the most; sv_step goes on with the next worker only where this
 * much is free. It is also the smallest capacity an action list may have. */
#define ACTIONS_MIN 8

/* Processes forked whose exec has not been confirmed yet: each holds one descriptor of brood's. */
#define SPAWNING_MAX 64
/* Probes begun and not over: each may be a process or hold a descriptor, and may be answered in the turn it begins. */
#define PROBES_MAX 64

#define SECOND_SIGNAL_MS 300     /* one keystroke can reach brood by two ways: as many milliseconds make it one */
#define RETRY_MS 100             /* a primary or hook that could not be forked (EAGAIN, ENOMEM) is tried again */
#define PROBE_MS 2000            /* what one readiness probe may take */
#define PROBE_DELAY_MS 100       /* from a probe that failed to the next one, doubling … */
#define PROBE_DELAY_MAX_MS 1000  /* … up to this */
#define REKILL_MS 100            /* after the grace period: between two looks for processes that appeared since */
#define KILL_PATIENCE_MS 5000    /* and how long it waits for killed ones that the kernel does not let go */
#define MEMBERS_PATIENCE_MS 2000 /* how long a killed worker waits for killed members that nobody reaps */

_Static_assert(ACTIONS_MIN <= ACTIONS_MAX, "one worker's step must fit");
_Static_assert(PROBE_DELAY_MAX_MS <= UINT16_MAX, "a worker keeps its delay in 16 bits");
_Static_assert(REKILL_MS < KILL_PATIENCE_MS, "at least one second look");

#endif
