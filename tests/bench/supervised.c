/* See workers.h. */
#include "tests/bench/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/figures.h"

static void make_directory(const char *path) {
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        cannot(path, strerror(errno));
}

static void config_path(const struct paths *paths, size_t count, char *path, size_t size) {
    snprintf(path, size, "%s/%zu.ini", paths->directory, count);
}

void workers_write_config(const struct paths *paths, size_t count) {
    char path[4096];
    config_path(paths, count, path, sizeof path);
    FILE *file = fopen(path, "we");
    if (!file ||
        fprintf(file, "[supervisor]\nlog_level = warning\n[worker:small]\nstart = %s\ncount = %zu\n", paths->pause,
                count) < 0 ||
        fclose(file) != 0)
        cannot(path, strerror(errno));
}

void workers_make_services(const struct paths *paths, size_t count) {
    char path[4096];
    snprintf(path, sizeof path, "%s/s6", paths->directory);
    make_directory(path);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/s6/%zu", paths->directory, i);
        make_directory(path);
        snprintf(path, sizeof path, "%s/s6/%zu/run", paths->directory, i);
        if (symlink(paths->pause, path) < 0 && errno != EEXIST)
            cannot(path, strerror(errno));
    }
}

static _Noreturn void execute(char *const *argv, int out) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDIN_FILENO) < 0)
        _exit(126);
    execvp(argv[0], argv);
    _exit(127);
}

static pid_t forked(pid_t pid) {
    if (pid < 0)
        cannot("fork", strerror(errno));
    return pid;
}

static void start_loop(const struct paths *paths, size_t count, int out, struct supervised *ret) {
    char *argv[] = {(char *)(uintptr_t)paths->pause, NULL};
    ret->pids = calloc(count, sizeof *ret->pids);
    if (!ret->pids)
        cannot("memory", strerror(errno));
    for (size_t i = 0; i < count; i++) {
        ret->pids[i] = forked(fork());
        if (ret->pids[i] == 0) {
            if (dup2(out, STDOUT_FILENO) >= 0)
                execv(argv[0], argv);
            _exit(127);
        }
    }
}

static void start_supervisor(const struct paths *paths, int supervisor, size_t count, int out, struct supervised *ret) {
    static char svscan[] = "s6-svscan", most[] = "-c", number[] = "10100", scan[] = "-t", never[] = "0",
                config[] = "-c";
    char path[4096];
    char *brood[] = {(char *)(uintptr_t)paths->brood, config, path, NULL};
    char *s6[] = {svscan, most, number, scan, never, path, NULL};
    if (supervisor == BROOD)
        config_path(paths, count, path, sizeof path);
    else
        snprintf(path, sizeof path, "%s/s6", paths->directory);
    ret->pid = forked(fork());
    if (ret->pid == 0)
        execute(supervisor == BROOD ? brood : s6, out);
}

struct supervised workers_start(const struct paths *paths, int supervisor, size_t count) {
    struct supervised supervised = {.count = count};
    char bytes[4096];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        cannot("pipe", strerror(errno));
    if (supervisor == BARE)
        start_loop(paths, count, ends[1], &supervised);
    else
        start_supervisor(paths, supervisor, count, ends[1], &supervised);
    close(ends[1]);
    for (size_t running = 0; running < count;) {
        ssize_t length = read(ends[0], bytes, sizeof bytes);
        if (length <= 0)
            cannot("workers", "not all of them were started");
        running += (size_t)length;
    }
    supervised.from = ends[0];
    return supervised;
}

void workers_stop(struct supervised *supervised) {
    char byte;
    if (supervised->pids) {
        for (size_t i = 0; i < supervised->count; i++)
            kill(supervised->pids[i], SIGTERM);
        for (size_t i = 0; i < supervised->count; i++)
            if (waitpid(supervised->pids[i], NULL, 0) < 0)
                cannot("waitpid", strerror(errno));
        free(supervised->pids);
    } else {
        kill(supervised->pid, SIGTERM);
        if (waitpid(supervised->pid, NULL, 0) < 0)
            cannot("waitpid", strerror(errno));
    }
    if (read(supervised->from, &byte, 1) != 0)
        cannot("workers", "some were started twice, or are left");
    close(supervised->from);
}
