/* Restart policy as arithmetic: delays double up to the last, and "N in W" is exact for every window. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/backoff.h"

static void delays_double_up_to_the_last(void **state) {
    (void)state;
    static const msec_t expected[] = {100, 200, 400, 800, 1000, 1000};
    struct backoff backoff = {0};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(backoff_next(&backoff, 100, 1000), expected[i]);
    backoff_reset(&backoff);
    assert_int_equal(backoff_next(&backoff, 100, 1000), 100);
}

static void huge_delays_saturate(void **state) {
    (void)state;
    struct backoff backoff = {.delay = MSEC_NEVER - 1};
    assert_true(backoff_next(&backoff, 1, MSEC_NEVER) == MSEC_NEVER);
}

static void the_limit_counts_within_the_window(void **state) {
    (void)state;
    msec_t failures[3];
    struct backoff backoff = {0};
    /* three are allowed in 100 ms, the fourth is too many */
    assert_false(backoff_exceeded(&backoff, failures, 3, 100, 0));
    assert_false(backoff_exceeded(&backoff, failures, 3, 100, 50));
    assert_false(backoff_exceeded(&backoff, failures, 3, 100, 60));
    assert_false(backoff_exceeded(&backoff, failures, 3, 100, 101)); /* the first is 101 ms old */
    assert_true(backoff_exceeded(&backoff, failures, 3, 100, 150));  /* 50, 60, 101, 150 */
    assert_false(backoff_exceeded(&backoff, failures, 3, 100, 900));
}

static void a_limit_of_one_allows_one(void **state) {
    (void)state;
    msec_t failures[1];
    struct backoff backoff = {0};
    assert_false(backoff_exceeded(&backoff, failures, 1, 1000, 5));
    assert_true(backoff_exceeded(&backoff, failures, 1, 1000, 1005));
    assert_false(backoff_exceeded(&backoff, failures, 1, 1000, 2006));
}

static void no_limit_remembers_nothing(void **state) {
    (void)state;
    struct backoff backoff = {0};
    for (int i = 0; i < 10000; i++)
        assert_false(backoff_exceeded(&backoff, NULL, 0, 1000, 0));
    assert_int_equal(backoff.known, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_last),       cmocka_unit_test(huge_delays_saturate),
        cmocka_unit_test(the_limit_counts_within_the_window), cmocka_unit_test(a_limit_of_one_allows_one),
        cmocka_unit_test(no_limit_remembers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
