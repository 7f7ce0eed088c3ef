/* One exec of the preload library: to the shim where there is one, with the environment put right; else as asked.
 *
 * In the usual case nothing is lacking and nothing is copied: a few lookups by name, then the kernel. Where variables
 * have to be added a new array of pointers is made on the stack, in functions of their own, so that a small environment
 * needs a small frame. The stack of a thread or of a signal handler may be too small even for that, and an overrun
 * would destroy the process: preload_stack_has() asks the kernel first. */
#include "wrap/preload.h"

#include <errno.h>
#include <signal.h>

#include "wrap/repair.h"
#include "wrap/syscalls.h"
#include "wrap/text.h"

/* Bytes of stack, measured with -fstack-usage and rounded up. */
#define STACK_LOOK 5632    /* redirect_exec() and what is below it */
#define STACK_REPAIR 16384 /* struct repair, and 5 KiB for what is called; without the array */

#define VARIABLES_SOME 128 /* arrays of the environment: usual, */
#define VARIABLES_MANY 512
#define VARIABLES_MAX 4096 /* more: as asked */

#define PAGE 4096
#define SIGNALS_BYTES 8 /* of the kernel's sigset_t */

/* An alternate stack says how large it is, and may lie anywhere: amid a heap too. Of any other one the kernel knows
 * what can be written: it is asked to store something harmless (the signal mask), page by page and downwards, so that
 * a growing stack grows and a guard page answers EFAULT where we would die. */
NOINLINE bool preload_stack_has(size_t bytes) {
    char *here = __builtin_frame_address(0);
    stack_t alternate;
    if (raw_call(__NR_sigaltstack, 0, raw_pointer(&alternate), 0, 0, 0) == 0 && (alternate.ss_flags & SS_ONSTACK) != 0)
        return (size_t)(here - (char *)alternate.ss_sp) >= bytes;
    for (size_t depth = PAGE; depth < bytes + PAGE; depth += PAGE) {
        if (raw_call(__NR_rt_sigprocmask, SIG_BLOCK, 0, raw_pointer(here - depth), SIGNALS_BYTES, 0) != 0)
            return false;
    }
    return true;
}

/* --- the environment ---------------------------------------------------------------------------------------------- */

struct repaired {
    const struct repair *repair;
    vector envp;
    preload_perform *perform;
    void *what;
};

static void apply(const struct repaired *repaired, const char **array) {
    union {
        const char **from;
        vector to; /* the strings of an environment are never written to */
    } made = {.from = array};
    repair_apply(repaired->repair, repaired->envp, array);
    repaired->perform(repaired->what, made.to);
}

static NOINLINE void apply_some(const struct repaired *repaired) {
    const char *array[VARIABLES_SOME + REPAIR_ADDED_MAX + 1];
    apply(repaired, array);
}

static NOINLINE void apply_many(const struct repaired *repaired) {
    const char *array[VARIABLES_MANY + REPAIR_ADDED_MAX + 1];
    apply(repaired, array);
}

static NOINLINE void apply_max(const struct repaired *repaired) {
    const char *array[VARIABLES_MAX + REPAIR_ADDED_MAX + 1];
    apply(repaired, array);
}

static NOINLINE void plan_and_apply(const struct context *context, struct repaired *repaired, size_t count,
                                    bool preloadable, const char *told) {
    struct repair repair;
    repair_plan(context, repaired->envp, preloadable, told, &repair);
    repaired->repair = &repair;
    if (count <= VARIABLES_SOME)
        apply_some(repaired);
    else if (count <= VARIABLES_MANY)
        apply_many(repaired);
    else
        apply_max(repaired);
    repaired->repair = NULL;
}

bool preload_repair(const struct context *context, vector envp, bool preloadable, const char *told,
                    preload_perform *perform, void *what) {
    struct repaired repaired = {.envp = envp, .perform = perform, .what = what};
    size_t count = repair_count(envp);
    size_t room = count <= VARIABLES_SOME ? VARIABLES_SOME : count <= VARIABLES_MANY ? VARIABLES_MANY : VARIABLES_MAX;
    if (count > room || !preload_stack_has(STACK_REPAIR + room * sizeof(char *)))
        return false;
    plan_and_apply(context, &repaired, count, preloadable, told);
    return true;
}

/* --- the exec ----------------------------------------------------------------------------------------------------- */

static long as_asked(const struct request *request) {
    if (request->directory == AT_FDCWD && request->flags == 0)
        return raw_execve(request->path, request->argv, request->envp);
    return raw_execveat(request->directory, request->path, request->argv, request->envp, request->flags);
}

struct attempt {
    struct request request;
    long error;
};

static void perform(void *what, vector envp) {
    struct attempt *attempt = what;
    attempt->request.envp = envp;
    attempt->error = as_asked(&attempt->request);
}

/* Where the way of our own fails (a chroot, a brood that is gone, a little too much for the kernel's limit), the one
 * that was asked for may still succeed. */
static NOINLINE long look_and_exec(const struct context *context, const struct request *request) {
    struct redirect redirect;
    struct attempt attempt = {.request = *request};
    redirect_exec(context, request->directory, request->path, request->flags, raw_getpid(), &redirect);
    if (redirect.turned) {
        attempt.request.directory = AT_FDCWD;
        attempt.request.path = redirect.path;
        attempt.request.flags = 0;
    }
    bool lacking = repair_needed(context, request->envp, redirect.preloadable, redirect.told);
    if (!lacking)
        attempt.error = as_asked(&attempt.request);
    else if (!preload_repair(context, request->envp, redirect.preloadable, redirect.told, perform, &attempt))
        return as_asked(request);
    return redirect.turned || (lacking && attempt.error == -E2BIG) ? as_asked(request) : attempt.error;
}

/* What isn't there, or no valid pointer, is the kernel's to refuse. */
static bool may_be_there(const struct request *request) {
    if (request->path == NULL)
        return false;
    return raw_faccessat(request->directory, request->path, 0) == 0 || (request->flags & AT_EMPTY_PATH) != 0;
}

long preload_exec(const struct request *request) {
    const struct context *context = preload_context();
    if (context == NULL || !may_be_there(request) || !preload_stack_has(STACK_LOOK))
        return as_asked(request);
    return look_and_exec(context, request);
}

long preload_exec_path(const char *path, vector argv, vector envp) {
    struct request request = {.directory = AT_FDCWD, .path = path, .argv = argv, .envp = envp};
    return preload_exec(&request);
}
