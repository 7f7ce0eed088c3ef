/* The environment of a child. Pure: brood's own and the facts of one process in, an array for exec out. */
#ifndef INIT_ENVIRONMENT_H
#define INIT_ENVIRONMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervisor/event.h"
#include "supervisor/spec.h"

struct environment;

/* What differs from process to process. */
struct environment_facts {
    struct slot slot;
    uint32_t group;            /* of the worker; unused for the primary */
    pid_t worker_pid;          /* a hook whose worker lives; 0: none */
    struct ending ending;      /* a hook whose worker has ended; ENDING_NONE: none */
    const char *notify_socket; /* its path; NULL: none */
};

/* Takes brood's own environment (kept, not copied; the strings must stay). Under a config what is addressed to brood
 * alone is left out: NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*, NODE_CHANNEL_FD, WORKER_*. Returns 0 with *ret owned by the
 * caller, or -ENOMEM. */
int environment_open(const struct spec *spec, char *const *own, struct environment **ret);
void environment_close(struct environment *environment); /* takes NULL */

/* The environment of one process; the environment's, and valid until the next call. */
char **environment_of(struct environment *environment, const struct environment_facts *facts);

/* Between fork and exec: LISTEN_PID and WATCHDOG_PID that name `former` name `pid` from now on; others stay. Replaces
 * pointers in envp by static ones. */
void environment_rename_pid(char **envp, pid_t former, pid_t pid);

#endif
