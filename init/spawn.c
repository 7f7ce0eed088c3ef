/* The child's side of a spawn. The child is single-threaded and a copy of brood, so ordinary functions may be called;
 * what it must not do is return, write to the log or let brood's descriptors through its exec.
 *
 * The order is the point. Descriptors come before the limit of open files, which may be lower than their numbers. The
 * signal mask comes last: until then a TERM waits, and then it meets the dispositions that the program will have. */
#include "init/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/environment.h"
#include "init/fd.h"
#include "init/inherited.h"
#include "init/newer.h"
#include "wrap/redirect.h"
#include "wrap/repair.h"

#define STATUS_CANNOT_EXECUTE 126 /* as shells say it */
#define STATUS_NOT_FOUND 127

_Static_assert(sizeof(struct spawn_failure) <= 512, "POSIX lets a pipe take 512 bytes whole");

/* --- telling brood what failed --- */

static _Noreturn void give_up(int status_fd, const struct spawn_failure *failure) {
    ssize_t written = write(status_fd, failure, sizeof *failure);
    (void)written; /* brood is there: it is this child's parent */
    bool missing = failure->stage == STAGE_EXEC && failure->error == ENOENT;
    _exit(missing ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE);
}

static _Noreturn void fail(int status_fd, enum spawn_stage stage, int error, const char *what, const char *name) {
    struct spawn_failure failure = {.stage = stage, .error = error};
    snprintf(failure.text, sizeof failure.text, "%s%.380s: %s", what, name, strerror(error));
    give_up(status_fd, &failure);
}

/* --- descriptors --- */

static int compare_descriptors(const void *a, const void *b) {
    const int *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Closes this copy of whatever brood has open but what is still needed here. */
static void make_room(const struct spawn_plan *plan, int status_fd, const int *moved, uint32_t count) {
    int kept[2 * DESCRIPTORS_MAX + 1];
    uint32_t kept_count = 0;
    unsigned from = 3;
    kept[kept_count++] = status_fd;
    for (uint32_t i = 0; i < count; i++)
        kept[kept_count++] = moved[i];
    for (uint32_t i = count; i < plan->fds_count; i++)
        kept[kept_count++] = plan->fds[i].source;
    qsort(kept, kept_count, sizeof kept[0], compare_descriptors);
    for (uint32_t i = 0; i < kept_count; i++) {
        unsigned fd = (unsigned)kept[i];
        if (fd > from)
            syscall(SYS_close_range, from, fd - 1, 0);
        if (fd >= from)
            from = fd + 1;
    }
    syscall(SYS_close_range, from, ~0U, 0);
}

/* Two passes: wanted numbers and sources may overlap in any way, so everything is first moved above all of them. Where
 * brood has used its limit up to the last descriptor, what this child inherits of them goes first: it must not fail for
 * brood's lack of descriptors. */
static void place_descriptors(const struct spawn_plan *plan, int *status_fd) {
    int above = 3;
    int moved[DESCRIPTORS_MAX] = {0};

    for (uint32_t i = 0; i < plan->fds_count; i++)
        if (plan->fds[i].target >= above)
            above = plan->fds[i].target + 1;
    if (*status_fd < above) {
        int fd = fcntl(*status_fd, F_DUPFD_CLOEXEC, above);
        if (fd < 0 && errno == EMFILE) {
            make_room(plan, *status_fd, moved, 0);
            fd = fcntl(*status_fd, F_DUPFD_CLOEXEC, above);
        }
        if (fd < 0)
            fail(*status_fd, STAGE_SETUP, errno, "cannot arrange descriptors", "");
        *status_fd = fd;
    }
    for (uint32_t i = 0; i < plan->fds_count; i++) {
        moved[i] = fcntl(plan->fds[i].source, F_DUPFD_CLOEXEC, above);
        if (moved[i] < 0 && errno == EMFILE) {
            make_room(plan, *status_fd, moved, i);
            moved[i] = fcntl(plan->fds[i].source, F_DUPFD_CLOEXEC, above);
        }
        if (moved[i] < 0)
            fail(*status_fd, STAGE_SETUP, errno, "cannot arrange descriptors", "");
    }
    for (uint32_t i = 0; i < plan->fds_count; i++)
        if (dup2(moved[i], plan->fds[i].target) < 0) /* clears close-on-exec at the target */
            fail(*status_fd, STAGE_SETUP, errno, "cannot arrange descriptors", "");
}

/* --- the program --- */

/* The first bytes of a file, with a NUL; none where it can't be read. */
static void read_head(const char *path, char *head, size_t size) {
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, head, size - 1);
    head[length < 0 ? 0 : length] = '\0';
}

static bool is_elf(const char *head) {
    return strncmp(head, "\177ELF", 4) == 0;
}

/* What was set beforehand, with these shims in mind, must not lead around a wrapper: a VARIABLE_TOLD that names PID 1,
 * whose children all would believe it; in VARIABLE_INSIDE a key that everybody can read in the image. */
static void forget_wrappers(const struct context *wraps) {
    const char *key = context_string(wraps, wraps->key);
    char *inside = getenv(VARIABLE_INSIDE);
    unsetenv(VARIABLE_TOLD);
    for (char *item = inside; item && *item != '\0';) {
        char *next = item + strcspn(item, " ");
        next += strspn(next, " ");
        if (strncmp(item, key, CONTEXT_KEY_BYTES) == 0 && item[CONTEXT_KEY_BYTES] == '.')
            memmove(item, next, strlen(next) + 1);
        else
            item = next;
    }
    if (inside && inside[0] == '\0')
        unsetenv(VARIABLE_INSIDE);
}

/* As execv(), but that a wrapped program's file becomes its shim, as the preload library has it for everybody else. */
static void exec_wrapped(const struct context *wraps, const char *path, char *const *argv) {
    static struct redirect redirect;
    static struct repair repair;
    forget_wrappers(wraps);
    redirect_exec(wraps, AT_FDCWD, path, 0, getpid(), &redirect);
    if (repair_needed(wraps, environ, redirect.preloadable, redirect.told)) {
        const char **array = calloc(repair_count(environ) + REPAIR_ADDED_MAX + 1, sizeof *array);
        if (!array)
            return;
        repair_plan(wraps, environ, redirect.preloadable, redirect.told, &repair);
        repair_apply(&repair, environ, array);
        execve(redirect.path, argv, (char **)(uintptr_t)array);
        int error = errno;
        free(array);
        errno = error;
    } else {
        execv(redirect.path, argv);
    }
}

/* What the kernel can't execute is a script for sh, as POSIX wants it, unless it is a program of another architecture:
 * sh would complain about its bytes. Returns the errno. */
static int exec_file(const struct context *wraps, const char *path, char *const *argv) {
    static char shell[] = "/bin/sh";
    char head[8];
    size_t count = 1;

    if (wraps)
        exec_wrapped(wraps, path, argv);
    else
        execv(path, argv);
    if (errno != ENOEXEC)
        return errno;
    read_head(path, head, sizeof head);
    if (is_elf(head))
        return ENOEXEC;
    while (argv[count])
        count++;
    char **words = calloc(count + 2, sizeof *words);
    if (!words)
        return ENOMEM;
    words[0] = shell;
    words[1] = (char *)(uintptr_t)path;
    memcpy(words + 2, argv + 1, (count - 1) * sizeof *words);
    execv(shell, words);
    int error = errno;
    free(words);
    return error;
}

/* The next file that name may be, to path; *search moves on, to NULL behind the last one. False where the path would be
 * too long. */
static bool next_candidate(const char **search, const char *name, char *path, size_t size) {
    const char *directory = *search;
    size_t length = strcspn(directory, ":"), name_length = strlen(name);
    *search = directory[length] == '\0' ? NULL : directory + length + 1;
    if (length + 1 + name_length >= size)
        return false;
    memcpy(path, directory, length);
    if (length > 0)
        path[length++] = '/';
    memcpy(path + length, name, name_length + 1);
    return true;
}

/* The directories to look in, as execvp() has it. */
static const char *search_of(const char *name) {
    const char *search = getenv("PATH");
    if (strchr(name, '/') || name[0] == '\0')
        return "";
    return search ? search : "/bin:/usr/bin";
}

/* The first file of that name, to path: the one that people mean where none could be executed; "": there is none. */
static void find_file(const char *name, char *path, size_t size) {
    const char *search = search_of(name);
    struct stat info;
    while (search)
        if (next_candidate(&search, name, path, size) && stat(path, &info) == 0 && S_ISREG(info.st_mode))
            return;
    path[0] = '\0';
}

/* As execvp(), which hands programs of another architecture to sh. Returns the errno. */
static int exec_program(const struct context *wraps, char *const *argv) {
    const char *search = search_of(argv[0]);
    char candidate[4096];
    int error = ENOENT;
    while (search) {
        int r = next_candidate(&search, argv[0], candidate, sizeof candidate) ? exec_file(wraps, candidate, argv)
                                                                              : ENAMETOOLONG;
        if (r == EACCES)
            error = EACCES; /* unless a later one can be executed */
        else if (r != ENOENT && r != ENOTDIR && r != ENAMETOOLONG)
            return r;
    }
    return error;
}

/* ENOENT for a file that is there means that something it needs isn't: names it. */
static void name_interpreter(const char *path, char *text, size_t size) {
    char head[256];
    read_head(path, head, sizeof head);
    if (strncmp(head, "#!", 2) == 0) {
        const char *word = head + 2 + strspn(head + 2, " \t");
        int length = (int)strcspn(word, " \t\r\n");
        snprintf(text, size,
                 word[length] == '\r' ? "the name of its interpreter %.*s ends with a CR; end its lines with LF alone"
                                      : "its interpreter %.*s is missing",
                 length, word);
    } else if (is_elf(head)) {
        snprintf(text, size, "its dynamic loader is missing");
    } else {
        snprintf(text, size, "its interpreter /bin/sh is missing");
    }
}

/* path: the file that was found, "": none was. */
static _Noreturn void exec_failed(int status_fd, const char *name, const char *path, int error) {
    char why[320];
    if (error != ENOENT || path[0] == '\0')
        fail(status_fd, STAGE_EXEC, error, "cannot execute ", name[0] ? name : "an empty word");
    struct spawn_failure failure = {.stage = STAGE_INTERPRETER, .error = error};
    name_interpreter(path, why, sizeof why);
    snprintf(failure.text, sizeof failure.text, "cannot execute %.160s: %.300s", path, why);
    give_up(status_fd, &failure);
}

static void set_dispositions(const struct spawn_plan *plan) {
    for (int number = 1; number <= 64; number++) {
        uint64_t bit = signal_bit(number);
        if ((plan->former | plan->ignored) & bit)
            signal_set_ignored(number, plan->ignored & bit);
    }
}

static void pass_stopped(const struct sandbox *sandbox) {
    char number[16];
    if (sandbox->tell_stopped == 0 || fcntl(sandbox->tell_stopped, F_SETFD, 0) < 0)
        return;
    snprintf(number, sizeof number, "%d", sandbox->tell_stopped);
    setenv(SANDBOX_STOPPED_TO, number, 1);
}

/* A probe of a file, which can hang where the file system does. Nobody's descriptors are to be held open by that. */
static _Noreturn void probe_file(const struct spawn_plan *plan) {
    setsid();
    syscall(SYS_close_range, 3U, ~0U, 0U); /* musl 1.2.3 has no function for it */
    _exit(newer_file(plan->file, plan->moment) ? 0 : 1);
}

static void become(const struct spawn_plan *plan, int status_fd) {
    struct privileges_failure failure;
    int r = plan->privileges ? privileges_apply(plan->privileges, &failure) : 0;
    if (r < 0)
        fail(status_fd, STAGE_SETUP, -r, "cannot set ", failure.text);
}

static _Noreturn void child_main(const struct spawn_plan *plan, int status_fd) {
    const char *step;
    if (plan->file)
        probe_file(plan);
    if (plan->start && fchdir(plan->start) < 0)
        fail(status_fd, STAGE_DIRECTORY, errno, "cannot enter the directory in which brood was started", "");
    terminal_join(plan->terminal);
    if (plan->sandbox) {
        int r = sandbox_enter(plan->sandbox, &step);
        if (r < 0)
            fail(status_fd, STAGE_SETUP, -r, "cannot enter the sandbox: ", step);
    }
    place_descriptors(plan, &status_fd);
    if (plan->nofile)
        setrlimit(RLIMIT_NOFILE, plan->nofile);
    become(plan, status_fd);
    if (plan->directory && chdir(plan->directory) < 0) /* as that user, who alone may be let in */
        fail(status_fd, STAGE_DIRECTORY, errno, "cannot enter working directory ", plan->directory);
    if (plan->moment)
        newer_wait(plan->moment);
    if (plan->renamed_pid)
        environment_rename_pid(plan->envp, plan->renamed_pid, getpid());
    set_dispositions(plan);
    environ = plan->envp;
    if (plan->sandbox)
        pass_stopped(plan->sandbox);
    signal_mask_set(plan->mask);
    if (plan->path) { /* --sandbox: brood itself */
        execv(plan->path, plan->argv);
        exec_failed(status_fd, plan->path, "", errno);
    }
    char path[4096];
    int error = exec_program(plan->wraps, plan->argv);
    find_file(plan->argv[0], path, sizeof path);
    exec_failed(status_fd, plan->argv[0], path, error);
}

/* --- the parent's side --- */

int spawn(const struct spawn_plan *plan, int *status_write, pid_t *ret_pid) {
    pid_t pid = plan->sandbox ? sandbox_fork(plan->sandbox) : fork();
    if (pid == 0)
        child_main(plan, *status_write);
    int r = pid > 0 ? 0 : plan->sandbox ? (int)pid : -errno;
    fd_close(status_write); /* before the next fork: nobody but this child may hold it open */
    if (r == 0)
        *ret_pid = pid;
    return r;
}

enum spawn_status spawn_status(int fd, struct spawn_failure *ret) {
    struct spawn_failure failure;
    ssize_t length = read(fd, &failure, sizeof failure);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return SPAWN_PENDING;
    if (length != (ssize_t)sizeof failure)
        return SPAWN_EXECUTED;
    failure.text[sizeof failure.text - 1] = '\0';
    *ret = failure;
    return SPAWN_FAILED;
}
