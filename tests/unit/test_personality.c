/* init/personality.c: words and variables in, a struct or one line out; and what of it the core gets. Tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/personality.h"
#include "init/personality_texts.h"
#include "supervisor/signals.h"

#define WORDS_MAX 16

static char text[1024];
static char *argv[WORDS_MAX + 1];
static char error[256];
static struct options options;

static const char *const variables[] = {"TINI_SUBREAPER",   "TINI_KILL_PROCESS_GROUP", "TINI_VERBOSITY",
                                        "DUMB_INIT_SETSID", "DUMB_INIT_DEBUG",         "BROOD_REMAP"};

static void set_variable(const char *assignment) {
    char copy[64];
    snprintf(copy, sizeof copy, "%s", assignment);
    char *value = strchr(copy, '=');
    *value++ = '\0';
    setenv(copy, value, 1);
}

/* Splits at blanks. The first word is the name that brood is called by. */
static int parse(const char *line, const char *assignment) {
    int argc = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *at = text; *at != '\0';) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at != '\0')
            *at++ = '\0';
    }
    argv[argc] = NULL;
    error[0] = '\0';
    memset(&options, 0x5a, sizeof options);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
    if (assignment)
        set_variable(assignment);
    const struct personality *personality = personality_of(argv[0]);
    assert_non_null(personality);
    return personality_parse(personality, argc, argv, &options, error, sizeof error);
}

static void join_command(char *ret, size_t size) {
    ret[0] = '\0';
    for (char **word = options.command; word && *word; word++) {
        size_t length = strlen(ret);
        snprintf(ret + length, size - length, "%s%s", length ? " " : "", *word);
    }
}

static void test_names(void **state) {
    (void)state;
    static const char *const stood_in[] = {"tini",       "docker-init",          "dumb-init",
                                           "/sbin/tini", "/usr/bin/docker-init", "./dumb-init"};
    static const char *const own[] = {"brood", "/sbin/brood", "tini-static", "xtini", "tini/", "/tini/brood",
                                      "",      "TINI"};
    for (size_t i = 0; i < sizeof stood_in / sizeof stood_in[0]; i++)
        assert_non_null(personality_of(stood_in[i]));
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        assert_null(personality_of(own[i]));
    assert_null(personality_of(NULL));
    assert_int_equal(parse("/sbin/docker-init x", NULL), 0);
    assert_string_equal(options.manners.name, "docker-init");
}

/* What a line comes to, as far as a row says: the rest is as without options. */
static const struct {
    const char *line;
    const char *variable;
    const char *command;
    int verbosity;
    int parent_death;
    bool subreaper, to_group, joined, suspends, tells_reaped;
} lines[] = {
    {"tini x", NULL, "x", 0, 0, false, false, false, false, false},
    {"tini -- x -g", NULL, "x -g", 0, 0, false, false, false, false, false},
    {"tini x -g", NULL, "x -g", 0, 0, false, false, false, false, false},
    {"tini -s -g -w -v -- x", NULL, "x", 1, 0, true, true, false, false, true},
    {"docker-init -sgwvvv x", NULL, "x", 3, 0, true, true, false, false, true},
    {"tini x", "TINI_SUBREAPER=", "x", 0, 0, true, false, false, false, false},
    {"tini x", "TINI_KILL_PROCESS_GROUP=0", "x", 0, 0, false, true, false, false, false},
    {"tini x", "TINI_VERBOSITY=3", "x", 2, 0, false, false, false, false, false},
    {"tini -vv x", "TINI_VERBOSITY=0", "x", -1, 0, false, false, false, false, false},
    {"tini -vv x", "TINI_VERBOSITY=", "x", 2, 0, false, false, false, false, false},
    {"tini -vv x", "TINI_VERBOSITY=loud", "x", 2, 0, false, false, false, false, false},
    {"tini x", "DUMB_INIT_SETSID=0", "x", 0, 0, false, false, false, false, false},
    {"tini -p SIGKILL x", NULL, "x", 0, 9, false, false, false, false, false},
    {"tini -pTERM x", NULL, "x", 0, 15, false, false, false, false, false},
    {"tini -p SIGRTMIN+3 x", NULL, "x", 0, 37, false, false, false, false, false},
    /* PROGRAM -- ARGS */
    {"tini x -- -c y", NULL, "x -c y", 0, 0, false, false, false, false, false},
    {"tini x a b -- -c -- y", NULL, "x a b -c -- y", 0, 0, false, false, false, false, false},
    {"tini -g x - -- -y", NULL, "x - -y", 0, 0, false, true, false, false, false},
    {"tini x -b -- y", NULL, "x -b -- y", 0, 0, false, false, false, false, false},
    {"tini -- x -- y", NULL, "x -- y", 0, 0, false, false, false, false, false},
    {"tini -- --version", NULL, "--version", 0, 0, false, false, false, false, false},
    /* */
    {"dumb-init x", NULL, "x", 0, 0, false, true, false, true, false},
    {"dumb-init x -- -c y", NULL, "x -- -c y", 0, 0, false, true, false, true, false},
    {"dumb-init -c -v -- x", NULL, "x", 2, 0, false, false, true, true, false},
    {"dumb-init --single-child --verbose x", NULL, "x", 2, 0, false, false, true, true, false},
    {"dumb-init --sing x", NULL, "x", 0, 0, false, false, true, true, false},
    {"dumb-init x", "DUMB_INIT_SETSID=0", "x", 0, 0, false, false, true, true, false},
    {"dumb-init x", "DUMB_INIT_SETSID=1", "x", 0, 0, false, true, false, true, false},
    {"dumb-init x", "DUMB_INIT_SETSID=", "x", 0, 0, false, true, false, true, false},
    {"dumb-init x", "DUMB_INIT_DEBUG=1", "x", 2, 0, false, true, false, true, false},
    {"dumb-init x", "DUMB_INIT_DEBUG=yes", "x", 0, 0, false, true, false, true, false},
    {"dumb-init x", "TINI_KILL_PROCESS_GROUP=1", "x", 0, 0, false, true, false, true, false},
};

static void test_lines(void **state) {
    (void)state;
    char command[256];
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (parse(lines[i].line, lines[i].variable) != 0)
            fail_msg("%s: %s", lines[i].line, error);
        join_command(command, sizeof command);
        assert_string_equal(command, lines[i].command);
        assert_int_equal(options.mode, MODE_RUN);
        assert_null(options.manners.text);
        assert_null(options.config);
        assert_true(options.grace == MSEC_NEVER);
        assert_int_equal(options.log_format, -1);
        assert_int_equal(options.verbosity, lines[i].verbosity);
        assert_int_equal(options.manners.parent_death, lines[i].parent_death);
        assert_int_equal(options.subreaper, lines[i].subreaper ? SUBREAPER_ON : SUBREAPER_DEFAULT);
        assert_int_equal(options.manners.to_leader, !lines[i].to_group);
        assert_int_equal(options.manners.joined, lines[i].joined);
        assert_int_equal(options.manners.suspends, lines[i].suspends);
        assert_int_equal(options.manners.tells_reaped, lines[i].tells_reaped);
    }
}

static void test_exit_codes(void **state) {
    (void)state;
    assert_int_equal(parse("tini -e 3 -e143 -e 0 -- x", "BROOD_REMAP=7"), 0);
    for (int code = 0; code < REMAP_CODES; code++)
        assert_int_equal(options_remap(&options.remap, code), code == 3 || code == 143 ? 0 : code);
    assert_true(options.remap.own_too);
    assert_int_equal(parse("tini -- x", NULL), 0);
    assert_false(options.remap.own_too);
}

static void test_texts(void **state) {
    (void)state;
    static const struct {
        const char *line;
        const char *text;
        bool on_stderr;
    } rows[] = {
        {"tini -h", tini_help, false},
        {"tini -g -h --bogus", tini_help, false},
        {"docker-init --version", tini_version, false},
        {"tini -l x", personality_license, false},
        {"dumb-init -h", dumb_init_help, true},
        {"dumb-init -V -h", dumb_init_version, true},
        {"dumb-init --version", dumb_init_version, true},
        {"dumb-init -hV", dumb_init_help, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i].line, NULL), 0);
        assert_true(options.mode == MODE_HELP || options.mode == MODE_VERSION);
        assert_ptr_equal(options.manners.text, rows[i].text);
        assert_int_equal(options.manners.text_on_stderr, rows[i].on_stderr);
        assert_string_equal(rows[i].text + strlen(rows[i].text) - 1, "\n");
    }
}

static void test_faults(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"tini", "tini: a program is needed; see tini -h"},
        {"docker-init -g --", "docker-init: a program is needed; see docker-init -h"},
        {"tini -Z x", "tini: unknown option -Z; see tini -h"},
        {"tini -gZ x", "tini: unknown option -Z; see tini -h"},
        {"tini --bogus x", "tini: unknown option --bogus; see tini -h"},
        {"tini --version x", "tini: unknown option --version; see tini -h"},
        {"tini -g --version", "tini: unknown option --version; see tini -h"},
        {"tini -e", "tini: -e needs its EXIT_CODE; see tini -h"},
        {"tini -p", "tini: -p needs its SIGNAL; see tini -h"},
        {"tini -e 256 x", "tini: -e 256: it is an exit status from 0 to 255; see tini -h"},
        {"tini -e -1 x", "tini: -e -1: it is an exit status from 0 to 255; see tini -h"},
        {"tini -e 1:2 x", "tini: -e 1:2: it is an exit status from 0 to 255; see tini -h"},
        {"tini -p SIGFOO x", "tini: -p SIGFOO: it is no signal; see tini -h"},
        {"tini -p 0 x", "tini: -p 0: it is no signal; see tini -h"},
        {"dumb-init", "dumb-init: a program is needed; see dumb-init -h"},
        {"dumb-init -g x", "dumb-init: unknown option -g; see dumb-init -h"},
        {"dumb-init --bogus x", "dumb-init: unknown option --bogus; see dumb-init -h"},
        {"dumb-init --verbose=2 x", "dumb-init: --verbose=2: it takes no value; see dumb-init -h"},
        {"dumb-init --ver x", "dumb-init: unknown option --ver; see dumb-init -h"}, /* -sion or -bose */
        {"dumb-init -r", "dumb-init: -r needs its S:R; see dumb-init -h"},
        {"dumb-init --rewrite", "dumb-init: -r needs its S:R; see dumb-init -h"},
        {"dumb-init -r 15 x", "dumb-init: -r 15: it is SIGNAL:SIGNAL, or SIGNAL:0 to drop it; see dumb-init -h"},
        {"dumb-init -r 15: x", "dumb-init: -r 15:: it is SIGNAL:SIGNAL, or SIGNAL:0 to drop it; see dumb-init -h"},
        {"dumb-init -r :15 x", "dumb-init: -r :15: it is SIGNAL:SIGNAL, or SIGNAL:0 to drop it; see dumb-init -h"},
        {"dumb-init -r 0:2 x", "dumb-init: -r 0:2: it is SIGNAL:SIGNAL, or SIGNAL:0 to drop it; see dumb-init -h"},
        {"dumb-init -r 15:65 x", "dumb-init: -r 15:65: it is SIGNAL:SIGNAL, or SIGNAL:0 to drop it; see dumb-init -h"},
        {"dumb-init -r 15:-1 x", "dumb-init: -r 15:-1: it is SIGNAL:SIGNAL, or SIGNAL:0 to drop it; see dumb-init -h"},
        {"dumb-init -r A_VERY_LONG_NAME_INDEED:2 x", "dumb-init: -r A_VERY_LONG_NAME_INDEED:2: it is SIGNAL:SIGNAL, or "
                                                     "SIGNAL:0 to drop it; see dumb-init -h"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(parse(rows[i][0], NULL) < 0);
        assert_string_equal(error, rows[i][1]);
        assert_int_equal(((unsigned char *)&options)[0], 0x5a);
    }
}

/* --- what the core gets --- */

struct applied {
    struct spec spec;
    struct spec_group group;
};

static void apply(const char *line, struct applied *ret) {
    assert_int_equal(parse(line, NULL), 0);
    *ret = (struct applied){.spec = {.grace = 10000, .groups_count = 1, .command_only = true}};
    ret->spec.groups = &ret->group;
    for (int i = 0; i < SIGNALS_END; i++)
        ret->spec.signals[i] = (struct spec_signal){SIGNAL_FORWARD, i, -1};
    ret->spec.signals[SIGNAL_TERM].policy = SIGNAL_STOP;
    ret->spec.signals[0].policy = ret->spec.signals[SIGNAL_KILL].policy = SIGNAL_IGNORE;
    ret->spec.signals[SIGNAL_SIGSTOP].policy = ret->spec.signals[SIGNAL_CHLD].policy = SIGNAL_IGNORE;
    personality_apply(&options.manners, &ret->spec);
}

/* Every signal is forwarded as itself but for: N=M, where M is 0 for those that are dropped. */
static void expect_signals(const struct applied *applied, const char *but) {
    int expected[SIGNALS_END];
    for (int i = 0; i < SIGNALS_END; i++)
        expected[i] = i;
    expected[SIGNAL_KILL] = expected[SIGNAL_SIGSTOP] = expected[SIGNAL_CHLD] = 0;
    for (char *end; *but != '\0'; but = end + (*end == ' ')) {
        long from = strtol(but, &end, 10);
        expected[from] = (int)strtol(end + 1, &end, 10);
    }
    for (int i = 0; i < SIGNALS_END; i++) {
        const struct spec_signal *signal = &applied->spec.signals[i];
        assert_int_equal(signal->policy, expected[i] ? SIGNAL_FORWARD : SIGNAL_IGNORE);
        if (expected[i])
            assert_int_equal(signal->number, expected[i]);
        assert_int_equal(signal->group, -1);
    }
}

static void test_apply(void **state) {
    (void)state;
    static const struct {
        const char *line;
        enum stop_target stop_to;
        const char *signals;
    } rows[] = {
        {"tini x", STOP_TO_LEADER, ""},
        {"tini -g x", STOP_TO_GROUP, ""},
        {"dumb-init x", STOP_TO_GROUP, "20=19 21=19 22=19"},
        {"dumb-init -c x", STOP_TO_LEADER, ""},
        {"dumb-init -r 15:3 x", STOP_TO_GROUP, "15=3 20=19 21=19 22=19"},
        {"dumb-init -r 15:0 -r 20:20 -r 21:0 x", STOP_TO_GROUP, "15=0 21=0 22=19"},
        {"dumb-init -r SIGTERM:RTMIN+3 --rewrite=HUP:USR1 -r 64:15 -c x", STOP_TO_LEADER, "15=37 1=10 64=15"},
        {"dumb-init -r 15:3 -r 15:2 -r 15:15 -c x", STOP_TO_LEADER, ""},
        {"dumb-init -r 17:15 -r 9:15 -r 19:15 -c x", STOP_TO_LEADER, ""},
    };
    struct applied applied;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        apply(rows[i].line, &applied);
        assert_int_equal(applied.group.stop_to, rows[i].stop_to);
        assert_true(applied.spec.grace == 5000);
        expect_signals(&applied, rows[i].signals);
    }
}

static void test_apply_leaves_broods_own_way(void **state) {
    (void)state;
    const struct manners none = {.name = NULL};
    struct spec spec = {.grace = 10000, .command_group = -1}, before = spec;
    personality_apply(&none, &spec);
    assert_memory_equal(&spec, &before, sizeof spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_apply_leaves_broods_own_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
