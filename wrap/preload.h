/* Inside the preload library: what its files share. See preload.c.
 *
 * The interposed functions are declared here and not taken from the C library's headers: those promise the compiler
 * arguments that are never NULL, and callers break that promise and count on EFAULT. */
#ifndef WRAP_PRELOAD_H
#define WRAP_PRELOAD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "wrap/context.h"
#include "wrap/redirect.h"

#define EXPORTED __attribute__((visibility("default")))
#define NOINLINE __attribute__((noinline)) /* its arrays lie on the stack only while it runs */

typedef char *const *vector; /* argv or envp, which ends with NULL */

/* What an exec is asked for, as execveat() has it. */
struct request {
    int directory;
    const char *path;
    int flags;
    vector argv;
    vector envp;
};

/* The context; NULL: this library carries none, all execs go as they are asked for. */
const struct context *preload_context(void);

/* --- preload_exec.c --- */

/* Executes; returns only with -errno. */
long preload_exec(const struct request *request);
long preload_exec_path(const char *path, vector argv, vector envp);

/* Whether so much of the stack is left: more than one page of it is used only where that is certain. */
bool preload_stack_has(size_t bytes);

/* Calls perform(what, an environment put right); false: it wasn't called, for want of stack. The environment, and what
 * is new in it, lie on the stack and are gone afterwards. `what` takes the result. */
typedef void preload_perform(void *what, vector envp);
bool preload_repair(const struct context *context, vector envp, bool preloadable, const char *told,
                    preload_perform *perform, void *what);

/* --- preload_search.c --- */

/* As execvpe(): returns only with -errno. */
long preload_search(const char *file, vector argv, vector envp);

/* The first entry of *list, which is moved behind its colon, or becomes NULL at the end, with `/file` behind it. False:
 * it doesn't fit. */
bool preload_candidate(const char **list, const char *file, char *buffer, size_t size);

#define PRELOAD_CANDIDATE_BYTES (4096 + 256) /* PATH_MAX and NAME_MAX: a longer one can't be executed */
#define PRELOAD_SEARCH_GLIBC "/bin:/usr/bin" /* where PATH isn't set */
#define PRELOAD_SEARCH_MUSL "/usr/local/bin:/bin:/usr/bin"

/* --- preload_real.c --- */

extern char **preload_environ __asm__("__environ") __attribute__((weak));

const char *preload_getenv(const char *name);
void preload_set_errno(int error);
/* The C library's own function; NULL: it has none. Not for signal handlers. */
enum preload_function { REAL_POSIX_SPAWN, REAL_POSIX_SPAWNP, REAL_SYSTEM, REAL_POPEN, REAL_COUNT };
void *preload_real(enum preload_function function);
/* A symbol of the C library as its file has it, by no function of a dynamic loader; NULL: it has none. */
void *preload_symbol(const char *name);
/* Whether the C library is musl and not glibc. */
bool preload_is_musl(void);

#endif
