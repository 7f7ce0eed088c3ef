/* What the parts of tests/bench/workers share: starting many small workers in one way, and stopping them. */
#ifndef BENCH_WORKERS_H
#define BENCH_WORKERS_H

#include <stddef.h>
#include <sys/types.h>

#define WORKERS_MOST 10000

enum { BARE, BROOD, SVSCAN, SUPERVISORS };

struct supervised {
    pid_t pid;    /* of the supervisor; of the loop itself: 0 */
    pid_t *pids;  /* of the loop's processes; NULL: they are the supervisor's */
    size_t count; /* of workers */
    int from;     /* where each says that it runs */
};

struct paths {
    const char *brood;
    const char *pause;     /* tests/bench/pause.c */
    const char *directory; /* of the configs and of s6's services, made by the two below */
};

/* For brood; one for each count that is started. */
void workers_write_config(const struct paths *paths, size_t count);

/* For s6-svscan, which starts as many as there are. */
void workers_make_services(const struct paths *paths, size_t count);

/* Starts count of them. Returns when all have said that they run. */
struct supervised workers_start(const struct paths *paths, int supervisor, size_t count);

/* Sends TERM and returns when all are gone, and the supervisor too. */
void workers_stop(struct supervised *supervised);

/* --- what it costs to have them (rest.c) --- */

/* Prints what brood does and holds at rest: with one command, with 1000 workers. */
void measure_rest(const struct paths *paths);

#endif
