/* The preload library: turns an exec of a wrapped program's real file into an exec of its shim, in every process that
 * has a dynamic loader, and keeps itself and the shim directory in the environment of what is executed.
 *
 * One object for glibc and musl: it needs no library, and of what it refers to (dlsym, __environ, __errno_location)
 * every name is weak. It lies in processes that know nothing of it, and is called by children of vfork(), by signal
 * handlers and by threads with little stack: so no allocation, no lock, no errno on success, bounded stack (and only
 * where there is enough), system calls of its own. What it can't do, or isn't sure of, goes as it was asked for: an
 * escape is a nuisance, a broken process a disaster.
 *
 * Here: the functions that programs call. preload_exec.c has the exec itself, preload_search.c the search of PATH,
 * preload_spawn.c what leads to an exec inside the C library, preload_bind.c what is no exec at all. */
#include "wrap/preload.h"

#include <elf.h>
#include <errno.h>

#include "wrap/syscalls.h"
#include "wrap/text.h"

#define LIST_SHORT 64  /* arguments of execl(): usual, */
#define LIST_LONG 4096 /* and more than any that a person or a generator writes out */

/* --- the context -------------------------------------------------------------------------------------------------- */

/* A segment of its own, the last one, which brood gives another place in the file and another size. */
const struct context preload_template
    __attribute__((section(".brood_context"), used, aligned(4096), visibility("hidden"))) = {.magic = CONTEXT_MAGIC};
extern const Elf64_Ehdr preload_header __asm__("__ehdr_start") __attribute__((visibility("hidden")));

enum checked { CHECKED_NOT_YET, CHECKED_GOOD, CHECKED_BAD };

/* What of it is mapped: the loader has set that up from the program headers, which brood has written. */
static size_t mapped_bytes(const char *context) {
    const char *base = (const char *)&preload_header;
    const void *table = base + preload_header.e_phoff;
    const Elf64_Phdr *segments = table;
    for (int i = 0; i < preload_header.e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && base + segments[i].p_vaddr == context)
            return segments[i].p_filesz;
    return 0;
}

/* Checked at the first exec, not in a constructor: most processes never exec. Whoever comes at the same time, or shares
 * its memory with its parent after vfork(), finds out and writes the same. */
const struct context *preload_context(void) {
    static int checked = CHECKED_NOT_YET;
    const struct context *context = &preload_template;
    __asm__ volatile("" : "+r"(context)); /* what the compiler sees there isn't what the file has */
    int state = __atomic_load_n(&checked, __ATOMIC_RELAXED);
    if (state == CHECKED_NOT_YET) {
        bool good = context_check(context, mapped_bytes((const char *)context)) && context->library != 0;
        state = good ? CHECKED_GOOD : CHECKED_BAD;
        __atomic_store_n(&checked, state, __ATOMIC_RELAXED);
    }
    return state == CHECKED_GOOD ? context : NULL;
}

/* --- what programs call ------------------------------------------------------------------------------------------- */

static int failed(long error) {
    preload_set_errno((int)-error);
    return -1;
}

EXPORTED int execve(const char *path, vector argv, vector envp);
EXPORTED int execv(const char *path, vector argv);
EXPORTED int execvp(const char *file, vector argv);
EXPORTED int execvpe(const char *file, vector argv, vector envp);
EXPORTED int execl(const char *path, const char *first, ...);
EXPORTED int execlp(const char *file, const char *first, ...);
EXPORTED int execle(const char *path, const char *first, ...);
EXPORTED int fexecve(int fd, vector argv, vector envp);
EXPORTED int execveat(int directory, const char *path, vector argv, vector envp, int flags);

static vector environment(void) {
    return &preload_environ != NULL ? preload_environ : NULL;
}

int execve(const char *path, vector argv, vector envp) {
    return failed(preload_exec_path(path, argv, envp));
}

int execv(const char *path, vector argv) {
    return failed(preload_exec_path(path, argv, environment()));
}

int execvp(const char *file, vector argv) {
    return failed(preload_search(file, argv, environment()));
}

int execvpe(const char *file, vector argv, vector envp) {
    return failed(preload_search(file, argv, envp));
}

int execveat(int directory, const char *path, vector argv, vector envp, int flags) {
    struct request request = {.directory = directory, .path = path, .flags = flags, .argv = argv, .envp = envp};
    return failed(preload_exec(&request));
}

/* glibc refuses these before it asks the kernel; where the kernel has no execveat(), /proc leads to the file. */
int fexecve(int fd, vector argv, vector envp) {
    struct request request = {.directory = fd, .path = "", .flags = AT_EMPTY_PATH, .argv = argv, .envp = envp};
    if (fd < 0 || argv == NULL || envp == NULL)
        return failed(-EINVAL);
    long error = preload_exec(&request);
    if (error == -ENOSYS) {
        char path[32];
        struct text_builder builder = {.bytes = path, .size = sizeof path};
        text_add(&builder, "/proc/self/fd/");
        text_add_number(&builder, (unsigned long)fd);
        error = preload_exec_path(path, argv, envp);
    }
    return failed(error);
}

/* --- argument lists written out ----------------------------------------------------------------------------------- */

enum list_kind { LIST_PATH, LIST_FILE, LIST_ENVIRONMENT };

static size_t list_count(const char *first, va_list *arguments) {
    size_t count = 1;
    if (first == NULL)
        return 0;
    va_list counted;
    va_copy(counted, *arguments);
    while (va_arg(counted, const char *) != NULL)
        count++;
    va_end(counted);
    return count;
}

/* array has room for the list and its NULL. */
static long list_exec(enum list_kind kind, const char *path, const char *first, va_list *arguments, char **array) {
    size_t count = 0;
    union {
        const char *from;
        char *to; /* exec takes its arguments without const, and doesn't change them */
    } word = {.from = first};
    for (; word.from != NULL; word.from = va_arg(*arguments, const char *))
        array[count++] = word.to;
    array[count] = NULL;
    if (kind == LIST_FILE)
        return preload_search(path, array, environment());
    /* With an empty list the environment follows its only NULL, which was `first`. */
    return preload_exec_path(path, array, kind == LIST_ENVIRONMENT ? va_arg(*arguments, vector) : environment());
}

static NOINLINE long list_short(enum list_kind kind, const char *path, const char *first, va_list *arguments) {
    char *array[LIST_SHORT + 1];
    return list_exec(kind, path, first, arguments, array);
}

static NOINLINE long list_long(enum list_kind kind, const char *path, const char *first, va_list *arguments) {
    char *array[LIST_LONG + 1];
    return list_exec(kind, path, first, arguments, array);
}

static int list(enum list_kind kind, const char *path, const char *first, va_list *arguments) {
    size_t count = list_count(first, arguments);
    if (count <= LIST_SHORT)
        return failed(list_short(kind, path, first, arguments));
    if (count <= LIST_LONG && preload_stack_has(LIST_LONG * sizeof(char *)))
        return failed(list_long(kind, path, first, arguments));
    return failed(-E2BIG);
}

/* va_list is an array on x86-64 and a struct on arm64: its address is the one thing that can be handed on in both. */
int execl(const char *path, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    int result = list(LIST_PATH, path, first, &arguments);
    va_end(arguments);
    return result;
}

int execlp(const char *file, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    int result = list(LIST_FILE, file, first, &arguments);
    va_end(arguments);
    return result;
}

int execle(const char *path, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    int result = list(LIST_ENVIRONMENT, path, first, &arguments);
    va_end(arguments);
    return result;
}
