/* Signal names: every number there and back, against the C
 * library's own idea of the numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/limits.h"
#include "supervisor/signals.h"

#define MIN 34
#define MAX 64

static int number(const char *name) {
    return signal_from_name(name, MIN, MAX);
}

static void numbers_are_the_library_s(void **state) {
    (void)state;
    for (int i = 1; i < 32; i++) {
        char name[SIGNAL_NAME_BYTES];
        /* The one signal that has two names; signal(7) and people say IO. */
        assert_string_equal(signal_name(i, MIN, name), i == SIGIO ? "IO" : sigabbrev_np(i));
    }
    assert_int_equal(SIGNAL_HUP, SIGHUP);
    assert_int_equal(SIGNAL_INT, SIGINT);
    assert_int_equal(SIGNAL_QUIT, SIGQUIT);
    assert_int_equal(SIGNAL_ABRT, SIGABRT);
    assert_int_equal(SIGNAL_KILL, SIGKILL);
    assert_int_equal(SIGNAL_TERM, SIGTERM);
    assert_int_equal(SIGNAL_CHLD, SIGCHLD);
    assert_int_equal(SIGNAL_CONT, SIGCONT);
    assert_int_equal(SIGNAL_SIGSTOP, SIGSTOP);
    assert_int_equal(SIGNAL_TSTP, SIGTSTP);
    assert_int_equal(SIGNAL_WINCH, SIGWINCH);
    assert_int_equal(SIGNAL_IO, SIGIO);
    assert_int_equal(MIN, SIGRTMIN);
    assert_int_equal(MAX, SIGRTMAX);
}

static void every_number_comes_back(void **state) {
    (void)state;
    for (int i = 1; i < SIGNALS_END; i++) {
        char name[SIGNAL_NAME_BYTES];
        char prefixed[SIGNAL_NAME_BYTES + 3];
        assert_int_equal(number(signal_name(i, MIN, name)), i);
        if (i > 31 && i < MIN)
            continue; /* without a name: the C library keeps them for itself */
        (void)snprintf(prefixed, sizeof(prefixed), "SIG%s", name);
        assert_int_equal(number(prefixed), i);
    }
}

static void other_names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"IOT", 6},       {"CLD", 17},       {"POLL", 29},    {"SIGPOLL", 29}, {"RTMIN", 34},    {"RTMIN+0", 34},
        {"RTMIN+30", 64}, {"RTMIN+31", 0},   {"RTMAX", 64},   {"RTMAX-1", 63}, {"RTMAX-30", 34}, {"RTMAX-31", 0},
        {"RTMIN-1", 0},   {"RTMAX+1", 0},    {"RTMIN+01", 0}, {"RTMIN+", 0},   {"RTMIN+1x", 0},  {"RTMINE", 0},
        {"1", 1},         {"64", 64},        {"65", 0},       {"0", 0},        {"01", 0},        {"100", 0},
        {"-1", 0},        {"+1", 0},         {"1 ", 0},       {"SIG1", 0},     {"SIG", 0},       {"", 0},
        {"term", 0},      {"SIGSIGTERM", 0}, {"TERM ", 0},    {"TERMS", 0},    {"TER", 0},       {"NULL", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (number(rows[i].name) != rows[i].number)
            fail_msg("%s: %d", rows[i].name, number(rows[i].name));
    }
}

static void numbers_without_a_name(void **state) {
    (void)state;
    static const struct {
        int number;
        const char *name;
    } rows[] = {{0, "0"},
                {32, "32"},
                {33, "33"},
                {34, "RTMIN"},
                {37, "RTMIN+3"},
                {64, "RTMIN+30"},
                {65, "65"},
                {-1, "-1"},
                {INT32_MAX, "2147483647"},
                {INT32_MIN, "-2147483648"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[SIGNAL_NAME_BYTES];
        assert_ptr_equal(signal_name(rows[i].number, MIN, name), name);
        assert_string_equal(name, rows[i].name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_library_s),
        cmocka_unit_test(every_number_comes_back),
        cmocka_unit_test(other_names),
        cmocka_unit_test(numbers_without_a_name),
    };
    return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
