/* What leads to an exec inside the C library, where the preload library can't see it: posix_spawn(), posix_spawnp(),
 * system() and popen(). The real one does the work; file and environment are put right before it is called.
 *
 * The exec is done by a child that may have changed its directory before (file actions): a relative path is turned only
 * by its name then, and the shim looks for the file where it finds itself. What sh, which system() and popen() execute,
 * leads to is seen by the library in the shell; they only need `environ` to have it, for the time of the call. */
#include "wrap/preload.h"

#include <errno.h>

#include "wrap/paths.h"
#include "wrap/repair.h"
#include "wrap/syscalls.h"
#include "wrap/text.h"

#define STACK_SPAWN 10240        /* bytes that redirect_exec() and the real one need */
#define STACK_SEARCH 14336       /* … with a candidate */
#define SHELL_VARIABLES_MAX 4096 /* with more variables system() and popen() go as they are */

typedef int spawn_function(int *pid, const char *path, const void *actions, const void *attributes, vector argv,
                           vector envp);
typedef int system_function(const char *command);
typedef void *popen_function(const char *command, const char *type);

EXPORTED spawn_function posix_spawn;
EXPORTED spawn_function posix_spawnp;
EXPORTED system_function system;
EXPORTED popen_function popen;

/* --- posix_spawn -------------------------------------------------------------------------------------------------- */

struct spawn {
    spawn_function *real;
    int *pid;
    const char *path;
    const void *actions;
    const void *attributes;
    vector argv;
    vector envp;
    int result;
};

static int call(const struct spawn *spawn) {
    return spawn->real(spawn->pid, spawn->path, spawn->actions, spawn->attributes, spawn->argv, spawn->envp);
}

static void perform(void *what, vector envp) {
    struct spawn *spawn = what;
    spawn->envp = envp;
    spawn->result = call(spawn);
}

static spawn_function *real_spawn(enum preload_function function) {
    union {
        void *from;
        spawn_function *to;
    } found = {.from = preload_real(function)};
    return found.to;
}

/* A path that only the child can resolve. */
static void redirect_relative(const struct context *context, struct redirect *redirect) {
    const char *base = text_base(redirect->path);
    for (uint32_t i = 0; i < context->programs_count; i++) {
        const struct context_program *program = context_program_at(context, i);
        if (program->flags != (PROGRAM_IS_NAME | PROGRAM_BY_FILE) ||
            !text_same(base, context_string(context, program->name)))
            continue;
        struct text_builder told = {.bytes = redirect->told, .size = sizeof redirect->told};
        text_add(&told, VARIABLE_TOLD "=");
        text_add_number(&told, (unsigned long)raw_getpid());
        text_add(&told, " file ");
        text_add(&told, redirect->path);
        if (!told.failed && redirect_entry(context, i, CONTEXT_TOLD, 0, redirect->entry)) {
            redirect->path = redirect->entry;
            redirect->turned = true;
        } else {
            redirect->told[0] = '\0';
        }
        return;
    }
}

/* Calls the real posix_spawn() on the shim, or else the one in `spawn` on what is in it. Unlike an exec a spawn isn't
 * tried twice, its file actions have effects: whether the shim can be executed is asked before. */
static int spawn_redirected(const struct context *context, const struct spawn *spawn, const struct redirect *redirect) {
    struct spawn changed = *spawn;
    spawn_function *direct = redirect->turned ? real_spawn(REAL_POSIX_SPAWN) : NULL;
    bool turned = direct != NULL && raw_faccessat(AT_FDCWD, redirect->path, 1) == 0;
    const char *told = turned ? redirect->told : "";
    if (turned) {
        changed.real = direct;
        changed.path = redirect->path;
    }
    if (!repair_needed(context, spawn->envp, redirect->preloadable, told))
        return call(&changed);
    if (!preload_repair(context, spawn->envp, redirect->preloadable, told, perform, &changed))
        return call(spawn);
    return changed.result;
}

static NOINLINE int spawn_path(const struct context *context, const struct spawn *spawn) {
    struct redirect redirect = {.path = spawn->path, .preloadable = true};
    if (spawn->path[0] != '/' && spawn->actions != NULL)
        redirect_relative(context, &redirect);
    else
        redirect_exec(context, AT_FDCWD, spawn->path, 0, raw_getpid(), &redirect);
    return spawn_redirected(context, spawn, &redirect);
}

int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes, vector argv, vector envp) {
    const struct context *context = preload_context();
    struct spawn spawn = {real_spawn(REAL_POSIX_SPAWN), pid, path, actions, attributes, argv, envp, 0};
    if (spawn.real == NULL)
        return ENOSYS;
    if (context == NULL || path == NULL || !preload_stack_has(STACK_SPAWN))
        return call(&spawn);
    return spawn_path(context, &spawn);
}

/* --- posix_spawnp ------------------------------------------------------------------------------------------------- */

static bool is_executable(const char *path) {
    struct stat info;
    return raw_fstatat(AT_FDCWD, path, &info, 0) == 0 && S_ISREG(info.st_mode) && raw_faccessat(AT_FDCWD, path, 1) == 0;
}

/* What the real one will find on PATH; false: that can't be said. */
static bool find(const struct context *context, const struct spawn *spawn, char *buffer, size_t size) {
    const char *former = preload_getenv("PATH"), *list = former;
    const char *names = context_string(context, context->names);
    if (list == NULL)
        list = preload_is_musl() ? PRELOAD_SEARCH_MUSL : PRELOAD_SEARCH_GLIBC;
    while (list != NULL) {
        if (!preload_candidate(&list, spawn->path, buffer, size) || (buffer[0] != '/' && spawn->actions != NULL))
            return false;
        if (is_executable(buffer))
            return true;
    }
    return !paths_has(former, names) && preload_candidate(&names, spawn->path, buffer, size) && is_executable(buffer);
}

/* A shim that only the library knows of, since the PATH that is searched has lost the directory. */
static bool is_mock(const struct context *context, const char *path) {
    const char *names = context_string(context, context->names);
    const char *rest = text_after(path, names);
    return rest != NULL && *rest == '/' && !paths_has(preload_getenv("PATH"), names);
}

static NOINLINE int spawn_searched(const struct context *context, const struct spawn *spawn) {
    struct redirect redirect = {.path = spawn->path, .preloadable = true};
    char candidate[PRELOAD_CANDIDATE_BYTES];
    if (find(context, spawn, candidate, sizeof candidate)) {
        redirect_exec(context, AT_FDCWD, candidate, 0, raw_getpid(), &redirect);
        redirect.turned = redirect.turned || is_mock(context, candidate);
    }
    return spawn_redirected(context, spawn, &redirect);
}

int posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes, vector argv, vector envp) {
    const struct context *context = preload_context();
    struct spawn spawn = {real_spawn(REAL_POSIX_SPAWNP), pid, file, actions, attributes, argv, envp, 0};
    if (spawn.real == NULL)
        return ENOSYS;
    if (context == NULL || file == NULL || !preload_stack_has(STACK_SEARCH))
        return call(&spawn);
    return text_has(file, '/') ? spawn_path(context, &spawn) : spawn_searched(context, &spawn);
}

/* --- system, popen ------------------------------------------------------------------------------------------------ */

struct shell {
    system_function *system;
    popen_function *popen;
    const char *command;
    const char *type;
    int status;
    void *stream;
};

static void call_shell(struct shell *shell) {
    if (shell->system != NULL)
        shell->status = shell->system(shell->command);
    else if (shell->popen != NULL)
        shell->stream = shell->popen(shell->command, shell->type);
}

/* The environment of the process for the time of the call, in static memory: it stays good where a cancelled thread
 * never returns, where another one calls setenv() meanwhile, which copies the array with the strings of ours, or keeps
 * what getenv() gave it. It is used again only when none of that can be the case. */
static struct {
    int taken;
    struct repair repair;
    const char *array[SHELL_VARIABLES_MAX + REPAIR_ADDED_MAX + 1];
} made;

/* NULL: nothing is lacking, or it can't be had. */
static char **make_environment(void) {
    const struct context *context = preload_context();
    union {
        const char **from;
        char **to; /* as `environ` has it; nobody writes to the strings of an environment */
    } array = {.from = made.array};
    if (context == NULL || &preload_environ == NULL || !repair_needed(context, preload_environ, true, "") ||
        repair_count(preload_environ) > SHELL_VARIABLES_MAX ||
        __atomic_exchange_n(&made.taken, 1, __ATOMIC_ACQUIRE) != 0)
        return NULL;
    repair_plan(context, preload_environ, true, "", &made.repair);
    repair_apply(&made.repair, preload_environ, made.array);
    return array.to;
}

static void with_environment(struct shell *shell) {
    char **array = make_environment();
    if (array == NULL) {
        call_shell(shell);
        return;
    }
    char **former = preload_environ;
    preload_environ = array;
    call_shell(shell);
    if (preload_environ == array) {
        preload_environ = former;
        __atomic_store_n(&made.taken, 0, __ATOMIC_RELEASE);
    }
}

int system(const char *command) {
    union {
        void *from;
        system_function *to;
    } real = {.from = preload_real(REAL_SYSTEM)};
    struct shell shell = {.system = real.to, .command = command};
    if (real.to == NULL) {
        preload_set_errno(ENOSYS);
        return -1;
    }
    with_environment(&shell);
    return shell.status;
}

void *popen(const char *command, const char *type) {
    union {
        void *from;
        popen_function *to;
    } real = {.from = preload_real(REAL_POPEN)};
    struct shell shell = {.popen = real.to, .command = command, .type = type};
    if (real.to == NULL) {
        preload_set_errno(ENOSYS);
        return NULL;
    }
    with_environment(&shell);
    return shell.stream;
}
