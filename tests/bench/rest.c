/* brood at rest. The kernel counts the time that a process ran to the nanosecond (the first figure of
 * /proc/PID/schedstat): where that doesn't move there was no wake-up and no system call. Memory: what smaps_rollup
 * calls Anonymous, pages that only this process has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/figures.h"
#include "tests/bench/workers.h"

#define WATCHED_S 3      /* how long it must not run */
#define SETTLED_MS 300   /* it has come to rest when it didn't run for so long */
#define SETTLE_TURNS 100 /* … or never will */
#define GOAL_KIB_ONE 128
#define GOAL_KIB_MANY 1024

static unsigned long long ran_nanoseconds(pid_t pid) {
    char path[64];
    unsigned long long nanoseconds;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%llu", &nanoseconds) != 1)
        cannot(path, "it can't be read");
    fclose(file);
    return nanoseconds;
}

static double anonymous_kib(pid_t pid) {
    char path[64], line[256];
    unsigned long kib;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        cannot(path, "it can't be read");
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "Anonymous: %lu", &kib) == 1) {
            fclose(file);
            return (double)kib;
        }
    }
    cannot(path, "no line Anonymous");
}

static void pause_for(long milliseconds) {
    const struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void wait_for_rest(pid_t pid) {
    unsigned long long before = ran_nanoseconds(pid);
    for (int i = 0; i < SETTLE_TURNS; i++) {
        pause_for(SETTLED_MS);
        unsigned long long now = ran_nanoseconds(pid);
        if (now == before)
            return;
        before = now;
    }
    cannot("brood", "it doesn't come to rest");
}

static void measure(const struct paths *paths, size_t count, double goal_kib) {
    char name[64];
    struct supervised supervised = workers_start(paths, BROOD, count);
    wait_for_rest(supervised.pid);
    unsigned long long before = ran_nanoseconds(supervised.pid);
    pause_for(WATCHED_S * 1000L);
    unsigned long long ran = ran_nanoseconds(supervised.pid) - before;
    snprintf(name, sizeof name, "%zu worker%s: brood runs in %d s", count, count == 1 ? "" : "s", WATCHED_S);
    print_figure(name, (double)ran, "ns", 0);
    snprintf(name, sizeof name, "%zu worker%s: anonymous memory", count, count == 1 ? "" : "s");
    print_figure(name, anonymous_kib(supervised.pid), "KiB", goal_kib);
    workers_stop(&supervised);
}

void measure_rest(const struct paths *paths) {
    print_heading("at rest");
    workers_write_config(paths, 1);
    measure(paths, 1, GOAL_KIB_ONE);
    measure(paths, 1000, GOAL_KIB_MANY);
}
