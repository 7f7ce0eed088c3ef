/* The environment of everything below brood. Pure: brood's own, what the config edits in it, and the facts of one
 * process in, an array for exec out. Later ones win: brood's own, [env], then of a group or the primary what its user
 * brings, its env_file and its env.NAME, then what brood itself tells a worker. */
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
    pid_t worker_pid;          /* a hook or probe whose worker lives; 0: none */
    struct ending ending;      /* a hook whose worker has ended; ENDING_NONE: none */
    const char *notify_socket; /* its path; NULL: none. With it come WATCHDOG_USEC, and WATCHDOG_PID with brood's own
                                  pid (environment_rename_pid()), where the group has a watchdog */
    /* "LISTEN_FDNAMES=…" of a worker that is given sockets, NULL: it isn't. With it come LISTEN_FDS, and LISTEN_PID as
     * above */
    char *listen_names;
};

/* Whose environment: the number of a group, or one of these. ENVIRONMENT_CONTAINER is what [env] makes of brood's own;
 * no process has just that, but programs are looked for on its PATH at the start. */
enum { ENVIRONMENT_CONTAINER = -1, ENVIRONMENT_PRIMARY = -2 };

/* Takes brood's own environment (kept, not copied; the strings must stay). Under a config what is addressed to brood
 * alone is left out: NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*, NODE_CHANNEL_FD, WORKER_*. Returns 0 with *ret owned by the
 * caller, or -errno with one line in error: -ENOMEM, -E2BIG where a variable is longer than an exec can take. */
int environment_open(const struct spec *spec, char *const *own, struct environment **ret, char *error, size_t size);
void environment_close(struct environment *environment); /* takes NULL */

/* A value, NULL where it isn't set; the environment's, and valid until the next environment_wrap(). */
const char *environment_get(const struct environment *environment, int32_t user, const char *name);

/* Puts a shim directory before the PATH and a preload library (NULL: none, of either) behind the LD_PRELOAD of a group
 * or of the primary. Returns 0, -ENOMEM, or -E2BIG. */
int environment_wrap(struct environment *environment, int32_t user, const char *directory, const char *library);

/* The environment of one process; the environment's, and valid until the next call. */
char **environment_of(struct environment *environment, const struct environment_facts *facts);

/* Between fork and exec: LISTEN_PID and WATCHDOG_PID that name `former` name `pid` from now on; others stay. Replaces
 * pointers in envp by static ones. */
void environment_rename_pid(char **envp, pid_t former, pid_t pid);

#endif
