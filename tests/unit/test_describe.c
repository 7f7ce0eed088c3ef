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
        {{SLOT_WORKER, 5, 1}, "db/2"},         {{SLOT_HOOK, 4, 1}, "hook db/1"},  {{SLOT_PROBE, 1, 1}, "probe web/1"},
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
        {WEB_1,
         {CAUSE_EXEC_FAILED, 2, STAGE_SETUP, .state = WORKER_STARTING, .duration = MSEC_NEVER},
         "cannot be set up: ENOENT",
         LOG_DEBUG},
        {WEB_1,
         {CAUSE_EXEC_FAILED, 13, STAGE_DIRECTORY, .state = WORKER_STARTING, .duration = MSEC_NEVER},
         "cannot enter its working directory: EACCES",
         LOG_DEBUG},
        {WEB_1,
         {CAUSE_EXEC_FAILED, 200, STAGE_INTERPRETER, .state = WORKER_STARTING, .duration = MSEC_NEVER},
         "its interpreter is missing: errno 200",
         LOG_DEBUG},
        {WEB_1, {CAUSE_EXITED, 0, .state = WORKER_BACKOFF, .duration = 100}, "exited 0 -> backoff 100ms", LOG_INFO},
        {WEB_1, {CAUSE_EXITED, 1, .state = WORKER_DOWN, .duration = MSEC_NEVER}, "exited 1 -> down", LOG_INFO},
        {WEB_1,
         {CAUSE_SPAWN_FAILED, 12, .state = WORKER_FAILED, .duration = MSEC_NEVER},
         "cannot fork: ENOMEM -> failed",
         LOG_ERROR},
        {{SLOT_HOOK, 1, 7},
         {CAUSE_EXITED, 0, .state = TASK_ENDED, .duration = MSEC_NEVER},
         "exited 0 -> ended",
         LOG_INFO},
        {{SLOT_HOOK, 1, 7},
         {CAUSE_KILLED, 9, .state = TASK_ENDED, .duration = MSEC_NEVER},
         "killed by KILL -> ended",
         LOG_WARNING},
        {{SLOT_HOOK, 1, 7},
         {CAUSE_SPAWN, .state = TASK_RUNNING, .duration = MSEC_NEVER},
         "spawn -> running",
         LOG_DEBUG},
        {{SLOT_CONTAINER, 0, 0},
         {CAUSE_WORKER_COMPLETED, .state = PHASE_STOP, .duration = MSEC_NEVER, .cause_worker = 2},
         "web/2 completed -> stop",
         LOG_INFO},
        {{SLOT_CONTAINER, 0, 0},
         {CAUSE_WORKER_FAILED, .state = PHASE_STOP, .duration = MSEC_NEVER, .cause_worker = 99},
         "worker 99 failed -> stop",
         LOG_ERROR},
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

/* How a COMMAND ends is its user's business, whatever it is. */
static void the_end_of_a_command_is_no_error(void **state) {
    (void)state;
    struct report report = {.cause = CAUSE_EXITED, .number = 1, .state = WORKER_FAILED, .duration = MSEC_NEVER};
    struct slot other = {.kind = SLOT_WORKER, .index = 0}, main_slot = {.kind = SLOT_WORKER, .index = 3};
    assert_int_equal(describe_level(&spec, main_slot, &report), LOG_ERROR);
    spec.command_group = 1;
    assert_int_equal(describe_level(&spec, main_slot, &report), LOG_INFO);
    assert_int_equal(describe_level(&spec, other, &report), LOG_ERROR);
    report = (struct report){.cause = CAUSE_WORKER_FAILED, .state = PHASE_STOP, .cause_worker = 3};
    assert_int_equal(describe_level(&spec, (struct slot){.kind = SLOT_CONTAINER}, &report), LOG_INFO);
    report.cause_worker = 0;
    assert_int_equal(describe_level(&spec, (struct slot){.kind = SLOT_CONTAINER}, &report), LOG_ERROR);
    spec.command_group = -1;
    report = (struct report){.cause = CAUSE_EXECUTED, .state = WORKER_STARTING, .duration = MSEC_NEVER};
    assert_int_equal(describe_level(&spec, other, &report), LOG_DEBUG);
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
    struct event event = {
        .kind = EVENT_EXITED, .slot = web1, .ending = {.kind = ENDING_KILLED, .number = 9}, .members_left = true};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "web/1#7 EXITED killed by KILL, members left");
    event = (struct event){.kind = EVENT_SIGNAL, .signal = 1, .hangup = true};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "container SIGNAL HUP hangup");
    event = (struct event){.kind = EVENT_PROBED, .slot = {SLOT_PROBE, 1, 7}, .success = true};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "probe web/1#7 PROBED success");
    event.success = false;
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "probe web/1#7 PROBED failure");
    event = (struct event){.kind = EVENT_WATCHDOG, .slot = web1};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "web/1#7 WATCHDOG");
    event.duration = 1500;
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "web/1#7 WATCHDOG 1500ms");
    event.kind = EVENT_EXTEND;
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "web/1#7 EXTEND 1500ms");
    event = (struct event){.kind = EVENT_SPAWN_FAILED, .slot = web1, .error = 11};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "web/1#7 SPAWN_FAILED EAGAIN");
    event = (struct event){.kind = EVENT_SIGNAL, .signal = 64};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "container SIGNAL RTMIN+30");
    event = (struct event){.kind = EVENT_EXITED, .slot = web1, .ending = {.kind = ENDING_NONE}};
    describe_event(&spec, &event, text, sizeof(text));
    assert_string_equal(text, "web/1#7 EXITED was never started");
    struct action action = {.kind = ACTION_SIGNAL, .slot = web1, .signal = 15, .then_continue = true};
    describe_action(&spec, &action, text, sizeof(text));
    assert_string_equal(text, "web/1#7 SIGNAL TERM, CONT");
    action = (struct action){.kind = ACTION_SIGNAL, .slot = web1, .signal = 15, .to_leader = true};
    describe_action(&spec, &action, text, sizeof(text));
    assert_string_equal(text, "web/1#7 SIGNAL TERM to leader");
    action = (struct action){.kind = ACTION_SPAWN, .slot = web1};
    describe_action(&spec, &action, text, sizeof(text));
    assert_string_equal(text, "web/1#7 SPAWN");
}

static void probes_and_the_manager(void **state) {
    (void)state;
    static const struct {
        struct action action;
        const char *text;
    } cases[] = {
        {{.kind = ACTION_PROBE, .slot = {SLOT_PROBE, 1, 7}}, "probe web/1#7 BEGIN"},
        {{.kind = ACTION_PROBE_END, .slot = {SLOT_PROBE, 1, 7}}, "probe web/1#7 END"},
        {{.kind = ACTION_NOTIFY, .notify = NOTIFY_READY}, "manager READY"},
        {{.kind = ACTION_NOTIFY, .notify = NOTIFY_STOPPING}, "manager STOPPING"},
        {{.kind = ACTION_NOTIFY, .notify = NOTIFY_EXTEND, .duration = 15000}, "manager EXTEND 15s"},
        {{.kind = ACTION_SIGNAL_STRAGGLERS, .signal = 9}, "stragglers SIGNAL KILL"},
    };
    char text[128];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(describe_action(&spec, &cases[i].action, text, sizeof(text)), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects),
        cmocka_unit_test(the_command_is_called_main),
        cmocka_unit_test(reports),
        cmocka_unit_test(the_end_of_a_command_is_no_error),
        cmocka_unit_test(durations),
        cmocka_unit_test(every_cause_fits_every_buffer),
        cmocka_unit_test(events_and_actions),
        cmocka_unit_test(probes_and_the_manager),
    };
    return cmocka_run_group_tests_name("describe", tests, build, NULL);
}
