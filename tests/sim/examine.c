/* One seed, three runs: with room for many actions, with room for as few as may be, and the first once more.
 *
 * Whatever room there is, no promise may be broken. Where all queued work is stepped through before the next fact
 * comes (scenario.drain) the room must not be seen at all: same end, same status, same number of lives of every
 * worker. And the same seed gives the same trace, to the bit. */
#include "tests/sim/examine.h"

#include <stdio.h>
#include <string.h>

bool examine_possible(struct examiner *examiner, uint64_t seed, const struct scenario_masks *masks) {
    struct scenario *scenario = &examiner->scenario;
    scenario_make(scenario, seed, masks);
    return scenario->spec.groups_count > 0 || scenario->spec.primary.line > 0;
}

static bool same_end(const struct examiner *examiner, char *text) {
    const struct run_result *many = &examiner->results[0], *few = &examiner->results[1];
    if (many->status != few->status || many->end != few->end) {
        snprintf(text, EXAMINE_TEXT_BYTES, "status %d at %lld with %d actions a step, %d at %lld with %d", many->status,
                 (long long)many->end, ACTIONS_MAX, few->status, (long long)few->end, ACTIONS_MIN);
        return false;
    }
    for (uint32_t i = 0; i < examiner->scenario.spec.workers_count; i++) {
        if (many->spawns[i] == few->spawns[i])
            continue;
        snprintf(text, EXAMINE_TEXT_BYTES, "worker %u: %u lives with %d actions a step, %u with %d", i, many->spawns[i],
                 ACTIONS_MAX, few->spawns[i], ACTIONS_MIN);
        return false;
    }
    return true;
}

bool examine(struct examiner *examiner, uint64_t seed, const struct scenario_masks *masks, char *text,
             uint32_t *ret_capacity) {
    static const uint32_t capacities[] = {ACTIONS_MAX, ACTIONS_MIN, ACTIONS_MAX};
    scenario_make(&examiner->scenario, seed, masks);
    for (uint32_t i = 0; i < 3; i++) {
        struct run_result *result = &examiner->results[i];
        *ret_capacity = capacities[i];
        run_scenario(&examiner->run, &examiner->scenario, capacities[i], false, result);
        if (result->failure[0] == 0)
            continue;
        snprintf(text, EXAMINE_TEXT_BYTES, "%s", result->failure);
        return false;
    }
    if (examiner->results[0].hash != examiner->results[2].hash) {
        snprintf(text, EXAMINE_TEXT_BYTES, "the same seed gave another trace");
        return false;
    }
    return !examiner->scenario.drain || same_end(examiner, text);
}
