/* A small system for the tests of reach = strict: a mount namespace of the story's own, a tmpfs on /srv with a program
 * and a shim in it, an empty /run. Each story runs in a child, which may drop capabilities and mount what it likes;
 * a check that fails ends it with its line.
 *
 * The program and the shim are copies of sh and false: what was executed shows in the exit status (7 or 1). */
#ifndef TESTS_UNIT_STRICT_HELPER_H
#define TESTS_UNIT_STRICT_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wrap/context.h"
#include "wrap/strict.h"

#define KEY "Kz81Qa"
#define SHIMS "/srv/shims-" KEY
#define SHIM SHIMS "/shim"
#define JOURNAL SHIMS "/journal"
#define RUN_JOURNAL "/run/brood/journal-" KEY
#define BIN "/srv/bin"
#define PROG BIN "/prog"
#define BACKUP BIN "/.brood-" KEY
#define NOBODY 65534
#define RAN_PROGRAM 7
#define RAN_SHIM 1

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

static inline void check(bool holds, const char *condition, const char *file, int line) {
    if (holds)
        return;
    dprintf(STDERR_FILENO, "%s:%d: %s (errno %s)\n", file, line, condition, strerror(errno));
    _exit(1);
}

/* r of a function that says why. */
#define WORKS(call) works((call), #call, error, __LINE__)

static inline int works(int r, const char *call, const char *error, int line) {
    if (r < 0)
        dprintf(STDERR_FILENO, "line %d: %s: %s: %s\n", line, call, strerror(-r), error);
    CHECK(r >= 0);
    return r;
}

static inline int status_of(pid_t pid) {
    int status = -1;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void copy_file(const char *from, const char *to, mode_t mode) {
    static char bytes[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(in >= 0 && out >= 0);
    ssize_t length;
    while ((length = read(in, bytes, sizeof bytes)) > 0)
        CHECK(write(out, bytes, (size_t)length) == length);
    CHECK(length == 0 && fchmod(out, mode) == 0);
    close(in);
    close(out);
}

static inline void write_file(const char *path, const char *text, size_t length) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, length) == (ssize_t)length && close(fd) == 0);
}

static inline size_t read_file(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    ssize_t length = read(fd, text, size - 1);
    CHECK(length >= 0 && close(fd) == 0);
    text[length] = '\0';
    return (size_t)length;
}

static inline void make_shim(const char *path, const char *key, mode_t mode) {
    copy_file("/bin/false", path, mode);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, "b", 1, SHIM_MARK_OFFSET) == 1 && pwrite(fd, key, 6, SHIM_KEY_OFFSET) == 6 &&
          close(fd) == 0);
}

static inline bool exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

static inline ino_t inode(const char *path) {
    struct stat status;
    CHECK(lstat(path, &status) == 0);
    return status.st_ino;
}

static inline int count_entries(const char *path) {
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    int count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}

static inline void become(uid_t uid) {
    CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
}

/* The exit status of `path -c 'exit 7'` as uid. */
static inline int execute(const char *path, uid_t uid) {
    pid_t child = fork();
    if (child == 0) {
        if (uid != 0)
            become(uid);
        execl(path, "prog", "-c", "exit 7", (char *)NULL);
        _exit(126);
    }
    return status_of(child);
}

static inline void drop_admin(void) {
    cap_value_t admin = CAP_SYS_ADMIN;
    cap_t set = cap_get_proc();
    CHECK(set != NULL && cap_set_flag(set, CAP_EFFECTIVE, 1, &admin, CAP_CLEAR) == 0);
    CHECK(cap_set_flag(set, CAP_PERMITTED, 1, &admin, CAP_CLEAR) == 0 && cap_set_proc(set) == 0);
    cap_free(set);
}

static inline void make_directory(const char *path) {
    CHECK(mkdir(path, 0755) == 0 && chmod(path, 0755) == 0);
}

static inline void make_world(void) {
    umask(077);
    if (unshare(CLONE_NEWNS) < 0) {
        dprintf(STDERR_FILENO, "needs CAP_SYS_ADMIN for mount namespaces: %s\n", strerror(errno));
        _exit(1);
    }
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0);
    CHECK(mount("tmpfs", "/srv", "tmpfs", 0, "mode=755") == 0);
    make_directory(SHIMS);
    make_directory(BIN);
    copy_file("/bin/sh", PROG, 0755);
    make_shim(SHIM, KEY, 0711);
    CHECK(execute(PROG, NOBODY) == RAN_PROGRAM && execute(SHIM, NOBODY) == RAN_SHIM);
}

struct story {
    void (*tell)(void);
};

/* The story in a child, in a world of its own. */
static inline void play(void **state) {
    const struct story *story = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        make_world();
        story->tell();
        _exit(0);
    }
    assert_int_equal(status_of(child), 0);
}

#define STORY(name)                                                                                                    \
    {                                                                                                                  \
#name, play, NULL, NULL, &(struct story) {                                                                     \
            name                                                                                                       \
        }                                                                                                              \
    }

/* Nothing of brood's is left: the original inode runs, no mount, no file. */
static inline void check_restored(ino_t original) {
    CHECK(inode(PROG) == original && execute(PROG, NOBODY) == RAN_PROGRAM);
    CHECK(count_entries(BIN) == 1 && !exists(SHIMS "/real"));
    CHECK(!exists(JOURNAL) && !exists(RUN_JOURNAL));
}

#endif
