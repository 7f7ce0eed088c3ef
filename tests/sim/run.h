/* One life of a container: the core, the fake kernel and the checker, in virtual time. */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/worker.h"
#include "tests/sim/checker.h"
#include "tests/sim/kernel.h"
#include "tests/sim/scenario.h"

#define RUN_STEPS_MAX 3000000 /* a storm of hundreds of crashing workers; an endless loop is more */

struct run_result {
    int status;
    uint64_t hash; /* of everything that went in and came out, with its time */
    msec_t end;
    uint64_t steps;
    uint32_t spawns[SIM_WORKERS_MAX];
    char failure[300]; /* empty: none */
};

/* Memory for one run after the other; large, so it is static where it lives. */
struct run {
    struct kernel kernel;
    struct checker checker;
    struct actions actions;
    struct event batch[KERNEL_BATCH_MAX + SIM_SCRIPT_MAX];
    uint64_t keys[KERNEL_BATCH_MAX + SIM_SCRIPT_MAX];
    uint64_t cells[WORKER_STATES * WORKER_INPUTS]; /* summed up over all runs */
};

/* Runs scenario with lists of `capacity` actions, and prints its trace where that is wanted. */
void run_scenario(struct run *run, const struct scenario *scenario, uint32_t capacity, bool trace,
                  struct run_result *ret);

#endif
