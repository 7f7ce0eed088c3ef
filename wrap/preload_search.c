/* The search of PATH, as the C library of the process does it: each file that it would try is an exec of ours.
 *
 * glibc and musl differ, and a program may count on either: in what is searched without a PATH, in which errors end the
 * search, and in that only glibc hands a file that the kernel can't execute to a shell. Sources: execvp(3); POSIX,
 * "exec", "file". */
#include "wrap/preload.h"

#include <errno.h>

#include "wrap/paths.h"
#include "wrap/syscalls.h"
#include "wrap/text.h"

#define NAME_BYTES_MAX 255
#define SEARCH_BYTES_MAX 4095 /* of PATH, an entry's; glibc looks at no longer one */
#define CANDIDATE_SHORT 512
#define SHELL "/bin/sh"

/* Of a script without a #! line. The last one is a MiB, taken where the stack has it, as glibc does with any number. */
#define SCRIPT_SHORT 64
#define SCRIPT_LONG 4096
#define SCRIPT_MAX 131072

/* --- files without a #! line, for a shell ------------------------------------------------------------------------- */

static long script_exec(const char *path, vector argv, vector envp, const char **array) {
    size_t count = 0;
    union {
        const char **from;
        vector to; /* exec takes its arguments without const, and doesn't change them */
    } made = {.from = array};
    array[count++] = SHELL;
    array[count++] = path;
    if (argv != NULL && argv[0] != NULL)
        for (argv++; *argv != NULL; argv++)
            array[count++] = *argv;
    array[count] = NULL;
    return preload_exec_path(SHELL, made.to, envp);
}

static NOINLINE long script_short(const char *path, vector argv, vector envp) {
    const char *array[SCRIPT_SHORT + 3];
    return script_exec(path, argv, envp, array);
}

static NOINLINE long script_long(const char *path, vector argv, vector envp) {
    const char *array[SCRIPT_LONG + 3];
    return script_exec(path, argv, envp, array);
}

static NOINLINE long script_max(const char *path, vector argv, vector envp) {
    const char *array[SCRIPT_MAX + 3];
    return script_exec(path, argv, envp, array);
}

static long script(const char *path, vector argv, vector envp) {
    size_t count = 0;
    while (argv != NULL && argv[count] != NULL)
        count++;
    if (count <= SCRIPT_SHORT)
        return script_short(path, argv, envp);
    if (count <= SCRIPT_LONG && preload_stack_has(SCRIPT_LONG * sizeof(char *)))
        return script_long(path, argv, envp);
    if (count <= SCRIPT_MAX && preload_stack_has(SCRIPT_MAX * sizeof(char *)))
        return script_max(path, argv, envp);
    return -E2BIG;
}

static long try_file(const char *path, vector argv, vector envp) {
    long error = preload_exec_path(path, argv, envp);
    return error == -ENOEXEC && !preload_is_musl() ? script(path, argv, envp) : error;
}

/* --- PATH --------------------------------------------------------------------------------------------------------- */

static bool goes_on(long error) {
    if (error == -EACCES || error == -ENOENT || error == -ENOTDIR)
        return true;
    return (error == -ESTALE || error == -ENODEV || error == -ETIMEDOUT) && !preload_is_musl();
}

bool preload_candidate(const char **list, const char *file, char *buffer, size_t size) {
    const char *begin = *list, *end = begin;
    while (*end != '\0' && *end != ':')
        end++;
    *list = *end == ':' ? end + 1 : NULL;
    size_t length = (size_t)(end - begin);
    struct text_builder candidate = {.bytes = buffer, .size = size};
    if (length > SEARCH_BYTES_MAX)
        return false;
    text_add_bytes(&candidate, begin, length);
    if (length > 0) /* an empty entry is the current directory */
        text_add(&candidate, "/");
    text_add(&candidate, file);
    return !candidate.failed;
}

/* A program that is wrapped but isn't there (a mock) is found by those too whose PATH has lost the shim directory. */
static long search_ours(const char *file, vector argv, vector envp, long error, char *buffer, size_t size) {
    const struct context *context = preload_context();
    if (context == NULL)
        return error;
    const char *names = context_string(context, context->names);
    if (paths_has(preload_getenv("PATH"), names) || text_length(names) + text_length(file) + 2 > size)
        return error;
    preload_candidate(&names, file, buffer, size);
    if (raw_faccessat(AT_FDCWD, buffer, 1) == 0)
        preload_exec_path(buffer, argv, envp);
    return error;
}

static long search(const char *file, vector argv, vector envp, const char *list, char *buffer, size_t size) {
    bool refused = false;
    long error = -ENOENT;
    while (list != NULL) {
        if (!preload_candidate(&list, file, buffer, size))
            continue;
        error = try_file(buffer, argv, envp);
        refused = refused || error == -EACCES;
        if (!goes_on(error))
            return error;
    }
    return search_ours(file, argv, envp, refused ? -EACCES : error, buffer, size);
}

static NOINLINE long search_short(const char *file, vector argv, vector envp, const char *list) {
    char buffer[CANDIDATE_SHORT];
    return search(file, argv, envp, list, buffer, sizeof buffer);
}

static NOINLINE long search_long(const char *file, vector argv, vector envp, const char *list) {
    char buffer[PRELOAD_CANDIDATE_BYTES];
    return search(file, argv, envp, list, buffer, sizeof buffer);
}

long preload_search(const char *file, vector argv, vector envp) {
    if (file[0] == '\0')
        return -ENOENT;
    if (text_has(file, '/'))
        return try_file(file, argv, envp);
    const char *list = preload_getenv("PATH");
    size_t length = text_length(file);
    if (length > NAME_BYTES_MAX)
        return -ENAMETOOLONG;
    if (list == NULL)
        list = preload_is_musl() ? PRELOAD_SEARCH_MUSL : PRELOAD_SEARCH_GLIBC;
    if (text_length(list) + length + 2 <= CANDIDATE_SHORT)
        return search_short(file, argv, envp, list);
    return search_long(file, argv, envp, list);
}
