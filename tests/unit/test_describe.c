/* Texts that people read, word for word: subjects, reports, durations, endings, and what never overflows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/describe.h"
#include "tests/unit/spec_builder.h"

static struct spec spec;
static struct spec_group groups[2];

static int build(void **state) {
    (void)state;
    spec_build(&spec, groups, 2, 3);
    snprintf(groups[0].name, sizeof(groups[0].name), "%s", "web");
    snprintf(groups[1].name, sizeof(groups[1].name), "%s", "db");
    return 0;
}

#define WEB_1                                                                                                          \
    { .kind = SLOT_WORKER, .index = 1, .generation = 7 }

static const struct slot web1 = WEB_1;

static void subjects(void **state) {
    (void)state;
    static const struct {
        struct slot slot;
        const char *text;
    } cases[] = {
        {{SLOT_CONTAINER, 0, 0}, "container"}, {{SLOT_PRIMARY, 1, 1}, "primary"}, {{SLOT_WORKER, 0, 1}, "web/0"},
        {{SLOT_WORKER, 5, 1}, "db/2"},         {{SLOT_HOOK, 4, 1}, "hook db/1"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        describe_slot(&spec, cases[i].slot, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

static void the_command_is_called_main(void **state) {
    (void)state;
    char text[64];
    snprintf(groups[1].name, sizeof(groups[1].name), "%s", "main");
    groups[1].count = 1;
    spec.command_group = 1;
    describe_slot(&spec, (struct slot){SLOT_WORKER, 3, 1}, text, sizeof(text));
    assert_string_equal(text, "main");
    build(NULL);
}

static void reports(void **state) {
    (void)state;
    static const struct {
        struct slot slot;
        struct report report;
        const char *text;
        enum log_level level;
    } cases[] = {
        {WEB_1, {CAUSE_SPAWN, .state = WORKER_STARTING, .duration = MSEC_NEVER}, "spawn -> starting", LOG_DEBUG},
        {WEB_1, {CAUSE_EXECUTED, .state = WORKER_READY, .duration = MSEC_NEVER}, "executed -> ready", LOG_INFO},
        {WEB_1, {CAUSE_EXITED, 1, .state = WORKER_BACKOFF, .duration = 100}, "exited 1 -> backoff 100ms", LOG_WARNING},
        {WEB_1,
         {CAUSE_KILLED, 9, .state = WORKER_FAILED, .duration = MSEC_NEVER},
         "killed by KILL -> failed",
         LOG_ERROR},
        {WEB_1,
         {CAUSE_EXITED, 0, .state = WORKER_COMPLETED, .duration = MSEC_NEVER},
         "exited 0 -> completed",
         LOG_INFO},
        {WEB_1,
         {CAUSE_STOP_SIGNAL, 37, .state = WORKER_STOPPING, .duration = MSEC_NEVER},
         "stop signal RTMIN+3 -> stopping",
         LOG_INFO},
        {WEB_1,
         {CAUSE_GRACE_OVER, .state = WORKER_KILLED, .duration = 10000},
         "10s of grace over, KILL -> killed",
         LOG_WARNING},
        {WEB_1,
         {CAUSE_START_TIMEOUT, 15, .state = WORKER_STOPPING, .duration = MSEC_NEVER},
         "not ready in time, TERM -> stopping",
         LOG_WARNING},
        {WEB_1,
         {CAUSE_SPAWN_FAILED, 11, .state = WORKER_BACKOFF, .duration = 100},
         "cannot fork: EAGAIN -> backoff 100ms",
         LOG_WARNING},
        {WEB_1,
         {CAUSE_EXEC_FAILED, 2, STAGE_EXEC, .state = WORKER_STARTING, .duration = MSEC_NEVER},
         "cannot be executed: ENOENT",
         LOG_DEBUG},
        {{SLOT_CONTAINER, 0, 0},
         {CAUSE_SIGNAL, 15, .state = PHASE_STOP, .duration = 10000},
         "TERM -> stop, 10s",
         LOG_INFO},
        {{SLOT_CONTAINER, 0, 0},
         {CAUSE_WORKER_FAILED, .state = PHASE_STOP, .duration = 1500, .cause_worker = 4},
         "db/1 failed -> stop, 1500ms",
         LOG_ERROR},
        {{SLOT_CONTAINER, 0, 0},
         {CAUSE_SECOND_SIGNAL, 2, .state = PHASE_STOP, .duration = MSEC_NEVER},
         "second INT -> kill",
         LOG_WARNING},
        {{SLOT_PRIMARY, 0, 1},
         {CAUSE_SPAWN, .state = TASK_RUNNING, .duration = MSEC_NEVER},
         "start -> running",
         LOG_INFO},
        {{SLOT_PRIMARY, 1, 1},
         {CAUSE_EXITED, 2, .state = TASK_ENDED, .duration = MSEC_NEVER},
         "exited 2 -> ended",
         LOG_WARNING},
    };
    char text[128];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        describe_report(&spec, cases[i].slot, &cases[i].report, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
        assert_int_equal(describe_level(&spec, cases[i].slot, &cases[i].report), cases[i].level);
    }
}

static void durations(void **state) {
    (void)state;
    static const struct {
        msec_t duration;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "1ms"},
                 {1000, "1s"},
                 {1500, "1500ms"},
                 {60000, "1m"},
                 {90000, "90s"},
                 {3600000, "1h"},
                 {DURATION_MAX_MS, "8760h"},
                 {MSEC_NEVER, "unlimited"}};
    char text[32];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(describe_duration(cases[i].duration, text, sizeof(text)), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

/* Every cause has a word and a text, for every kind of subject; whatever the buffer, nothing is written behind it. */
static void every_cause_fits_every_buffer(void **state) {
    (void)state;
    char whole[256], part[256];
    for (int cause = 0; cause < CAUSES; cause++) {
        assert_non_null(describe_cause((enum cause)cause));
        for (int kind = 0; kind < SLOT_KINDS; kind++) {
            struct slot slot = {.kind = (enum slot_kind)kind, .index = 0};
            struct report report = {.cause = (enum cause)cause, .number = 15, .duration = 100};
            int length = describe_report(&spec, slot, &report, whole, sizeof(whole));
            assert_int_equal(length, strlen(whole));
            for (size_t size = 0; size <= (size_t)length; size++) {
                memset(part, '#', sizeof(part));
                assert_int_equal(describe_report(&spec, slot, &report, part, size), length);
                assert_int_equal(part[size], '#');
                if (size > 0)
                    assert_int_equal(strncmp(part, whole, size - 1), 0);
            }
        }
    }
}

static void events_and_actions(void **state) {
    (void)state;
    char text[128];
    struct event event = {.kind = EVENT_EXITED, .slot = web1, .ending = {ENDING_KILLED, 9}, .members_left = true};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "web/1#7 EXITED killed by KILL, members left");
    event = (struct event){.kind = EVENT_SIGNAL, .signal = 1, .hangup = true};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "container SIGNAL HUP hangup");
    struct action action = {.kind = ACTION_SIGNAL, .slot = web1, .signal = 15, .then_continue = true};
    describe_action(&spec, &action, text, sizeof(text));
    assert_string_equal(text, "web/1#7 SIGNAL TERM, CONT");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects),
        cmocka_unit_test(the_command_is_called_main),
        cmocka_unit_test(reports),
        cmocka_unit_test(durations),
        cmocka_unit_test(every_cause_fits_every_buffer),
        cmocka_unit_test(events_and_actions),
    };
    return cmocka_run_group_tests_name("describe", tests, build, NULL);
}
