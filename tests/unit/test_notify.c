/* init/notify.c line by line: what each state becomes, what is ignored, and where a datagram is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/notify.h"

static struct notify parse(const char *text) {
    struct notify notify;
    assert_int_equal(notify_parse(text, strlen(text), &notify), 0);
    return notify;
}

/* Whether it says nothing at all. */
static bool is_silent(const char *text) {
    const struct notify nothing = {.exit_status = -1};
    struct notify notify = parse(text);
    return memcmp(&notify, &nothing, sizeof notify) == 0;
}

static void test_flags(void **state) {
    (void)state;
    assert_true(parse("READY=1").ready);
    assert_true(parse("STOPPING=1").stopping);
    assert_true(parse("RELOADING=1\nMONOTONIC_USEC=5").reloading);
    assert_int_equal(parse("RELOADING=1\nMONOTONIC_USEC=5").monotonic_usec, 5);
    assert_true(parse("WATCHDOG=1").ping);
    assert_false(parse("WATCHDOG=1").trigger);
    assert_true(parse("WATCHDOG=trigger").trigger);
    assert_false(parse("WATCHDOG=trigger").ping);
    assert_true(parse("FDSTORE=1\nFDNAME=x").stores);
}

static void test_lines(void **state) {
    (void)state;
    struct notify notify = parse("X=1\n\nREADY=1\n=\nSTATUS=two words\nSTOPPING=1\n");
    assert_true(notify.ready && notify.stopping);
    assert_int_equal(notify.status_length, strlen("two words"));
    assert_memory_equal(notify.status, "two words", notify.status_length);
    assert_int_equal(parse("STATUS=").status_length, 0);
    assert_non_null(parse("STATUS=").status);
    assert_memory_equal(parse("STATUS=a\nSTATUS=b").status, "b", 1);
}

static void test_ignored(void **state) {
    static const char *const texts[] = {
        "",           "\n",       "=",         "READY",      "READY=",
        "READY=0",    "READY=11", "READY=1 ",  " READY=1",   "ready=1",
        "READY=1\r",  "XREADY=1", "WATCHDOG=", "WATCHDOG=2", "WATCHDOG=Trigger",
        "STOPPING=0", "STATUS",   "FDSTORE=0", "BARRIER=0",  "RELOADING=0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!is_silent(texts[i]))
            fail_msg("\"%s\" says something", texts[i]);
}

static void test_numbers(void **state) {
    (void)state;
    assert_int_equal(parse("MAINPID=1234").main_pid, 1234);
    assert_int_equal(parse("MAINPID=2147483647").main_pid, INT32_MAX);
    assert_int_equal(parse("ERRNO=2").error, 2);
    assert_int_equal(parse("EXIT_STATUS=0").exit_status, 0);
    assert_int_equal(parse("EXIT_STATUS=255").exit_status, 255);
    assert_int_equal(parse("WATCHDOG_USEC=1").watchdog_usec, 1);
    assert_true(parse("EXTEND_TIMEOUT_USEC=18446744073709551615").extend_usec == UINT64_MAX);
    assert_int_equal(parse("WATCHDOG_USEC=007").watchdog_usec, 7);
    assert_int_equal(parse("MAINPID=1\nMAINPID=2").main_pid, 2);
    assert_int_equal(parse("MAINPID=1\nMAINPID=x").main_pid, 1);
}

static void test_no_numbers(void **state) {
    static const char *const texts[] = {
        "MAINPID=",
        "MAINPID=-1",
        "MAINPID=+1",
        "MAINPID= 1",
        "MAINPID=1 ",
        "MAINPID=0x1",
        "MAINPID=2147483648",
        "MAINPID=99999999999999999999999",
        "WATCHDOG_USEC=1ms",
        "WATCHDOG_USEC=18446744073709551616",
        "EXTEND_TIMEOUT_USEC=-1",
        "EXTEND_TIMEOUT_USEC=184467440737095516150",
        "MONOTONIC_USEC=x",
        "ERRNO=4096",
        "ERRNO=ENOENT",
        "EXIT_STATUS=256",
        "EXIT_STATUS=-1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!is_silent(texts[i]))
            fail_msg("\"%s\" is taken for a number", texts[i]);
}

static void test_barrier(void **state) {
    (void)state;
    assert_true(parse("BARRIER=1").barrier);
    assert_true(parse("BARRIER=1\n").barrier);
    assert_false(parse("BARRIER=1\n\n").barrier);
    assert_false(parse("READY=1\nBARRIER=1").barrier);
    assert_false(parse("BARRIER=1\nREADY=1").barrier);
    assert_true(parse("BARRIER=1\nREADY=1").ready);
}

static void test_nul(void **state) {
    struct notify notify, former;
    (void)state;
    memset(&notify, 0x5a, sizeof notify);
    former = notify;
    assert_int_equal(notify_parse("READY=1\0\nX", 10, &notify), -22);
    assert_memory_equal(&notify, &former, sizeof notify);
    assert_int_equal(notify_parse("\0\0", 2, &notify), -22);
    assert_int_equal(notify_parse("READY=1\0", 8, &notify), 0);
    assert_true(notify.ready);
    assert_int_equal(notify_parse("BARRIER=1\0", 10, &notify), 0);
    assert_true(notify.barrier);
    assert_int_equal(notify_parse("\0", 1, &notify), 0);
    assert_int_equal(notify_parse("", 0, &notify), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),      cmocka_unit_test(test_lines),   cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_numbers),    cmocka_unit_test(test_barrier), cmocka_unit_test(test_nul),
        cmocka_unit_test(test_no_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
