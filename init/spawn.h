/* One process from a plan: fork, session, descriptors, directory, signals, exec.
 *
 * Plain fork(): vfork(), posix_spawn() and CLONE_VFORK suspend brood until the exec is done, and an exec can hang on a
 * slow filesystem. How the exec went comes back through a close-on-exec pipe that the loop watches: a message says what
 * failed, the end of file alone that the program runs. */
#ifndef INIT_SPAWN_H
#define INIT_SPAWN_H

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "init/privileges.h"
#include "init/sandbox.h"
#include "init/terminal.h"
#include "supervisor/descriptors.h"
#include "supervisor/event.h"
#include "wrap/context.h"

/* Whatever descriptors of brood's have the numbers in `target`, the child has source there; sources are never lost to
 * another one's target. */
struct spawn_fd {
    int source;
    int target;
};

/* Everything is the caller's and only looked at during spawn(); envp's pointers may be replaced in the child. */
struct spawn_plan {
    const char *path;      /* executed as it is; NULL: argv[0], looked up on the PATH of envp, as execvp() does */
    char *const *argv;     /* ends with NULL */
    char **envp;           /* ends with NULL */
    int start;             /* an O_PATH descriptor of the directory that it starts in; 0: brood's own */
    const char *directory; /* … and that it goes to from there; NULL: none */
    struct spawn_fd fds[DESCRIPTORS_MAX];
    uint32_t fds_count;
    uint64_t mask;                       /* signals blocked in the program; sets as in init/inherited.h */
    uint64_t ignored;                    /* signals ignored in it; all others have their default */
    uint64_t former;                     /* signals ignored in brood, or by its caller */
    const struct rlimit *nofile;         /* NULL: brood's own */
    const struct privileges *privileges; /* who it becomes; NULL: as brood is */
    pid_t renamed_pid;             /* LISTEN_PID and WATCHDOG_PID of this value become the child's pid; 0: they stay */
    const struct sandbox *sandbox; /* NULL: none */
    const struct terminal *terminal; /* that it works at; NULL: none */
    const struct context *wraps;     /* what of its programs is wrapped; NULL: nothing */
    const char *file;                /* no program: exit 0 where this file is newer than `moment`, else 1; NULL: exec */
    const struct timespec *moment;   /* without file: the program starts after it (init/newer.h); NULL: at once */
};

/* What a child says that could not execute its program; one message, small enough for a pipe to take it whole. */
struct spawn_failure {
    enum spawn_stage stage;
    int error;      /* errno */
    char text[496]; /* "cannot execute /x/y: No such file or directory" */
};

/* Forks. *status_write, the write end of a close-on-exec pipe, is closed in the parent in any case. Returns 0, or the
 * -errno of fork, with ret_pid untouched. */
int spawn(const struct spawn_plan *plan, int *status_write, pid_t *ret_pid);

enum spawn_status { SPAWN_PENDING, SPAWN_EXECUTED, SPAWN_FAILED };

/* Reads the (nonblocking) read end of that pipe; ret is written with SPAWN_FAILED only. A child that died before its
 * exec can't be told from one that executed; its exit follows at once. */
enum spawn_status spawn_status(int fd, struct spawn_failure *ret);

#endif
