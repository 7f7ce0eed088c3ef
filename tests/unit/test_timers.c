/* The heap of deadlines against a plain search, over many random changes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/timers.h"

enum { WORKERS = 61 };

static uint64_t seed = 1;

static uint32_t random_below(uint32_t bound) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % bound;
}

static void the_earliest_is_always_on_top(void **state) {
    (void)state;
    msec_t deadline[WORKERS], model[WORKERS];
    uint32_t place[WORKERS], heap[WORKERS];
    struct timers timers;
    timers_init(&timers, WORKERS, deadline, place, heap);
    for (uint32_t i = 0; i < WORKERS; i++)
        model[i] = MSEC_NEVER;

    for (int round = 0; round < 100000; round++) {
        uint32_t worker = random_below(WORKERS);
        model[worker] = random_below(4) == 0 ? MSEC_NEVER : (msec_t)random_below(100);
        timers_set(&timers, worker, model[worker]);

        uint32_t best = 0, set = 0;
        for (uint32_t i = 0; i < WORKERS; i++) {
            set += model[i] != MSEC_NEVER;
            if (model[i] < model[best])
                best = i;
        }
        assert_int_equal(timers.count, set);
        assert_true(timers_earliest(&timers) == model[best]);
        if (set > 0)
            assert_int_equal(timers_top(&timers), best); /* the lowest number of the equal ones */
    }
}

static void without_workers_there_is_no_deadline(void **state) {
    (void)state;
    struct timers timers;
    timers_init(&timers, 0, NULL, NULL, NULL);
    assert_true(timers_earliest(&timers) == MSEC_NEVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_is_always_on_top),
        cmocka_unit_test(without_workers_there_is_no_deadline),
    };
    return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
