/* Everything that one seed has to pass. */
#ifndef TESTS_SIM_EXAMINE_H
#define TESTS_SIM_EXAMINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/run.h"

#define EXAMINE_TEXT_BYTES 400

struct examiner {
    struct run run;
    struct scenario scenario;
    struct run_result results[3];
};

/* Whether these masks leave a scenario that brood could be given. */
bool examine_possible(struct examiner *examiner, uint64_t seed, const struct scenario_masks *masks);

/* Runs the seed with the largest and the smallest action list, and once more; returns whether it passed, else why in
 * text and the capacity of the run that failed in *ret_capacity. */
bool examine(struct examiner *examiner, uint64_t seed, const struct scenario_masks *masks, char *text,
             uint32_t *ret_capacity);

#endif
