/* brood as the supervisor of many, against a bare loop and s6-svscan. The workers do nothing (pause.c), so what is
 * measured is what starting and stopping them costs.
 *
 *     workers ROUNDS BROOD PAUSE DIRECTORY      all that follows; DIRECTORY is for configs and services
 *
 * s6-svscan needs a process of its own for each worker; it is the peer that people use for many. */
#include "tests/bench/workers.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/figures.h"

#define ROUNDS_MAX 1000
#define FEW 1000
#define MANY WORKERS_MOST
#define GOAL_BARE 1.3
#define GOAL_SVSCAN 0.35
#define GOAL_MANY 1.2

struct both {
    struct series start, stop; /* microseconds a worker */
};

static void open_both(struct both *both, const char *name, size_t rounds) {
    series_open(&both->start, name, rounds);
    series_open(&both->stop, name, rounds);
}

static void close_both(struct both *both) {
    series_close(&both->start);
    series_close(&both->stop);
}

static void run_once(const struct paths *paths, int supervisor, size_t count, struct both *both) {
    double begin = microseconds_now();
    struct supervised supervised = workers_start(paths, supervisor, count);
    double running = microseconds_now();
    workers_stop(&supervised);
    double end = microseconds_now();
    series_add(&both->start, (running - begin) / (double)count);
    series_add(&both->stop, (end - running) / (double)count);
}

static void measure_few(const struct paths *paths, size_t rounds, struct both ret[static SUPERVISORS]) {
    size_t order[SUPERVISORS];
    static const char *const names[SUPERVISORS] = {"a bare loop", "brood", "s6-svscan"};
    for (size_t i = 0; i < SUPERVISORS; i++) {
        struct both unused;
        open_both(&unused, "warm-up", 1);
        run_once(paths, (int)i, FEW, &unused);
        close_both(&unused);
        open_both(&ret[i], names[i], rounds);
        order[i] = i;
    }
    for (size_t round = 0; round < rounds; round++) {
        shuffle(order, SUPERVISORS);
        for (size_t i = 0; i < SUPERVISORS; i++)
            run_once(paths, (int)order[i], FEW, &ret[order[i]]);
    }
    for (size_t i = 0; i < SUPERVISORS; i++)
        close_both(&ret[i]);
}

static void print_part(const char *what, const struct series *bare, const struct series *brood,
                       const struct series *svscan) {
    struct series again = *brood;
    print_heading(what);
    print_series(bare, NULL, 0);
    print_series(brood, bare, GOAL_BARE);
    print_series(svscan, bare, 0);
    snprintf(again.name, sizeof again.name, "brood, of s6-svscan");
    print_series(&again, svscan, GOAL_SVSCAN);
}

static void measure_many(const struct paths *paths, size_t rounds, const struct both *few) {
    struct both many, bare;
    open_both(&many, "brood, 10000", rounds);
    open_both(&bare, "a bare loop, 10000", rounds);
    for (size_t round = 0; round < rounds; round++) {
        run_once(paths, BARE, MANY, &bare);
        run_once(paths, BROOD, MANY, &many);
    }
    close_both(&many);
    close_both(&bare);
    print_heading("10000 workers started, microseconds a worker");
    print_series(&many.start, &few[BROOD].start, GOAL_MANY);
    print_series(&bare.start, &few[BARE].start, 0);
    print_heading("10000 workers stopped, microseconds a worker");
    print_series(&many.stop, &few[BROOD].stop, 0);
    print_series(&bare.stop, &few[BARE].stop, 0);
}

int main(int argc, char **argv) {
    struct both few[SUPERVISORS];
    if (argc != 5)
        cannot("usage", "workers ROUNDS BROOD PAUSE DIRECTORY");
    size_t rounds = number_of(argv[1], ROUNDS_MAX);
    const struct paths paths = {.brood = argv[2], .pause = argv[3], .directory = argv[4]};
    workers_write_config(&paths, MANY);
    workers_write_config(&paths, FEW);
    workers_make_services(&paths, FEW);
    measure_few(&paths, rounds, few);
    print_part("1000 workers started, microseconds a worker", &few[BARE].start, &few[BROOD].start, &few[SVSCAN].start);
    print_part("1000 workers stopped, microseconds a worker", &few[BARE].stop, &few[BROOD].stop, &few[SVSCAN].stop);
    measure_many(&paths, rounds / 5 + 1, few);
    measure_rest(&paths);
    return EXIT_SUCCESS;
}
