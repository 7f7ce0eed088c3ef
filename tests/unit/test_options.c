/* init/options.c: words in, a struct or one line out. Tables; each error is compared in full, since it is what people
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/options.h"

#define WORDS_MAX 16

static char text[1024];
static char *argv[WORDS_MAX + 1];
static int argc;
static char error[256];
static struct options options;

/* Splits at blanks; '' is an empty word. */
static int parse(const char *line) {
    snprintf(text, sizeof text, "%s", line);
    argc = 0;
    char *at = text;
    while (*at != '\0') {
        assert_true(argc < WORDS_MAX);
        char *word = at;
        at += strcspn(at, " ");
        if (*at != '\0')
            *at++ = '\0';
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    }
    argv[argc] = NULL;
    error[0] = '\0';
    memset(&options, 0x5a, sizeof options);
    return options_parse(argc, argv, &options, error, sizeof error);
}

static int setup(void **state) {
    (void)state;
    unsetenv("BROOD_CONFIG");
    unsetenv("BROOD_REMAP");
    return 0;
}

static void test_command(void **state) {
    (void)state;
    static const char *const lines[] = {"brood sleep -v 5", "brood -- sleep -v 5", "brood -s -- sleep -v 5"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(parse(lines[i]), 0);
        assert_int_equal(options.mode, MODE_RUN);
        assert_null(options.config);
        assert_false(options.config_implied);
        assert_string_equal(options.command[0], "sleep");
        assert_string_equal(options.command[1], "-v");
        assert_string_equal(options.command[2], "5");
        assert_null(options.command[3]);
        assert_int_equal(options.verbosity, 0);
        assert_int_equal(options.log_format, -1);
        assert_true(options.grace == MSEC_NEVER);
        assert_false(options.sandbox);
    }
    assert_int_equal(parse("brood -- -v"), 0);
    assert_string_equal(options.command[0], "-v");
    assert_int_equal(parse("brood -- -- x"), 0);
    assert_string_equal(options.command[0], "--");
}

static void test_config(void **state) {
    (void)state;
    assert_int_equal(parse("brood -c a.ini"), 0);
    assert_string_equal(options.config, "a.ini");
    assert_null(options.command);
    assert_false(options.config_implied);
    assert_int_equal(parse("brood --config=- -- top -b"), 0);
    assert_string_equal(options.config, "-");
    assert_string_equal(options.command[0], "top");
    assert_int_equal(parse("brood -c a.ini --"), 0);
    assert_null(options.command);
    assert_int_equal(parse("brood -c a.ini -cb.ini"), 0);
    assert_string_equal(options.config, "b.ini");
}

static void test_implied_config(void **state) {
    (void)state;
    assert_int_equal(parse("brood"), 0);
    assert_string_equal(options.config, "/etc/brood.ini");
    assert_true(options.config_implied);
    assert_int_equal(parse("brood -nv"), 0);
    assert_string_equal(options.config, "/etc/brood.ini");
    setenv("BROOD_CONFIG", "", 1);
    assert_int_equal(parse("brood"), 0);
    assert_string_equal(options.config, "/etc/brood.ini");
    setenv("BROOD_CONFIG", "/app/b.ini", 1);
    assert_int_equal(parse("brood -C"), 0);
    assert_int_equal(options.mode, MODE_CHECK);
    assert_string_equal(options.config, "/app/b.ini");
    assert_true(options.config_implied);
    assert_int_equal(parse("brood -c a.ini"), 0);
    assert_string_equal(options.config, "a.ini");
    assert_int_equal(parse("brood true"), 0);
    assert_null(options.config);
    unsetenv("BROOD_CONFIG");
}

static void test_every_option(void **state) {
    (void)state;
    assert_int_equal(parse("brood -t 10s -n -s -vv -q --log-format json -c f x"), 0);
    assert_int_equal(options.grace, 10000);
    assert_true(options.sandbox);
    assert_int_equal(options.subreaper, SUBREAPER_ON);
    assert_int_equal(options.verbosity, 1);
    assert_int_equal(options.log_format, LOG_JSON);
    assert_int_equal(parse("brood --grace=0 --sandbox --no-subreaper --quiet --verbose --verbose x"), 0);
    assert_int_equal(options.grace, 0);
    assert_int_equal(options.subreaper, SUBREAPER_OFF);
    assert_int_equal(options.verbosity, 1);
    assert_int_equal(parse("brood --check --config f -- x"), 0);
    assert_int_equal(options.mode, MODE_CHECK);
}

static void test_write_shims(void **state) {
    (void)state;
    static const char *const lines[] = {"brood -w /shims -c f", "brood -w/shims -cf", "brood -c f --write-shims=/shims",
                                        "brood --write-shims /other -w /shims -c f -- x -C"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(parse(lines[i]), 0);
        assert_int_equal(options.mode, MODE_WRITE_SHIMS);
        assert_string_equal(options.shims, "/shims");
        assert_string_equal(options.config, "f");
    }
    assert_string_equal(options.command[1], "-C"); /* the command's wraps are written too */
    assert_int_equal(parse("brood -w relative"), 0);
    assert_string_equal(options.shims, "relative");
    assert_string_equal(options.config, "/etc/brood.ini");
    assert_true(options.config_implied);
    assert_int_equal(parse("brood -c f x"), 0);
    assert_null(options.shims);
}

/* --check starts nothing and writes nothing, whichever comes first. */
static void test_check_before_write_shims(void **state) {
    (void)state;
    assert_int_equal(parse("brood -C -w /shims -c f"), 0);
    assert_int_equal(options.mode, MODE_CHECK);
    assert_int_equal(parse("brood -w /shims -C -c f"), 0);
    assert_int_equal(options.mode, MODE_CHECK);
    assert_int_equal(parse("brood -w /shims -V"), 0);
    assert_int_equal(options.mode, MODE_VERSION);
}

static void test_the_last_wins(void **state) {
    (void)state;
    assert_int_equal(parse("brood -t 1s -t 2s -s --no-subreaper --log-format json --log-format text x"), 0);
    assert_int_equal(options.grace, 2000);
    assert_int_equal(options.subreaper, SUBREAPER_OFF);
    assert_int_equal(options.log_format, LOG_TEXT);
    assert_int_equal(parse("brood --no-subreaper -s x"), 0);
    assert_int_equal(options.subreaper, SUBREAPER_ON);
}

static void test_help_and_version_are_answered_at_once(void **state) {
    (void)state;
    setenv("BROOD_REMAP", "1", 1);
    assert_int_equal(parse("brood -h --bogus"), 0);
    assert_int_equal(options.mode, MODE_HELP);
    assert_int_equal(parse("brood -vV"), 0);
    assert_int_equal(options.mode, MODE_VERSION);
    assert_int_equal(parse("brood --version --help"), 0);
    assert_int_equal(options.mode, MODE_VERSION);
    unsetenv("BROOD_REMAP");
}

static void test_errors(void **state) {
    (void)state;
    static const struct {
        const char *line;
        const char *error;
    } cases[] = {
        {"brood --bogus x", "unknown option --bogus; see brood --help"},
        {"brood --bogus=1 x", "unknown option --bogus=1; see brood --help"},
        {"brood -x", "unknown option -x; see brood --help"},
        {"brood -vx", "unknown option -x; see brood --help"},
        {"brood --config=f -xv", "unknown option -x; see brood --help"},
        {"brood --s x", "--s may be one of several options, write it in full; see brood --help"},
        {"brood --check=yes", "--check takes no value; see brood --help"},
        {"brood --no-subreaper=1", "--no-subreaper takes no value; see brood --help"},
        {"brood -c", "--config needs a FILE; see brood --help"},
        {"brood -vc", "--config needs a FILE; see brood --help"},
        {"brood --grace", "--grace needs a DURATION; see brood --help"},
        {"brood --log-format", "--log-format needs a FORMAT, text or json; see brood --help"},
        {"brood -c ''", "--config needs a FILE, not an empty word; see brood --help"},
        {"brood --log-format xml x", "--log-format xml: it is text or json; see brood --help"},
        {"brood --", "brood -- needs a COMMAND; see brood --help"},
        {"brood -s --", "brood -- needs a COMMAND; see brood --help"},
        {"brood -C --", "brood -- needs a COMMAND; see brood --help"},
        {"brood -C x", "--check needs a config, add --config FILE; see brood --help"},
        {"brood -w /shims x", "--write-shims needs a config, add --config FILE; see brood --help"},
        {"brood -w", "--write-shims needs a DIR; see brood --help"},
        {"brood -w ''", "--write-shims needs a DIR, not an empty word; see brood --help"},
        {"brood --write-shims= -c f", "--write-shims needs a DIR, not an empty word; see brood --help"},
        {"brood -w /shims --", "brood -- needs a COMMAND; see brood --help"},
        {"brood --mirror x", "--mirror is not built yet; see brood --help"},
        {"brood -e 1:0 x", "--remap is not built yet; see brood --help"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options untouched;
        memset(&untouched, 0x5a, sizeof untouched);
        assert_int_equal(parse(cases[i].line), -22);
        assert_string_equal(error, cases[i].error);
        assert_memory_equal(&options, &untouched, sizeof options);
    }
}

static void test_grace_error_names_the_remedy(void **state) {
    (void)state;
    assert_int_equal(parse("brood -t 10 x"), -22);
    assert_int_equal(strncmp(error, "--grace 10: ", 12), 0);
    assert_non_null(strstr(error, "; see brood --help"));
}

static void test_remap_variable(void **state) {
    (void)state;
    setenv("BROOD_REMAP", "143:0", 1);
    assert_int_equal(parse("brood x"), -22);
    assert_string_equal(error, "$BROOD_REMAP is not built yet, unset it; see brood --help");
    setenv("BROOD_REMAP", "", 1);
    assert_int_equal(parse("brood x"), 0);
    unsetenv("BROOD_REMAP");
}

static void test_level(void **state) {
    (void)state;
    static const struct {
        const char *line;
        enum log_level config, level;
    } cases[] = {
        {"brood x", LOG_INFO, LOG_WARNING},      {"brood -v x", LOG_INFO, LOG_INFO},
        {"brood -vv x", LOG_INFO, LOG_DEBUG},    {"brood -vvvvv x", LOG_INFO, LOG_DEBUG},
        {"brood -q x", LOG_INFO, LOG_ERROR},     {"brood -qqq x", LOG_INFO, LOG_ERROR},
        {"brood -c f", LOG_INFO, LOG_INFO},      {"brood -c f", LOG_ERROR, LOG_ERROR},
        {"brood -c f -v", LOG_INFO, LOG_DEBUG},  {"brood -c f -q", LOG_DEBUG, LOG_INFO},
        {"brood -c f -- x", LOG_INFO, LOG_INFO}, {"brood", LOG_INFO, LOG_INFO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].line), 0);
        assert_int_equal(options_level(&options, cases[i].config), cases[i].level);
    }
}

static void test_no_words_at_all(void **state) {
    (void)state;
    char *none[] = {NULL};
    assert_int_equal(options_parse(0, none, &options, error, sizeof error), 0);
    assert_true(options.config_implied);
}

/* Every option is in the help, no line is wider than a terminal. */
static void test_help(void **state) {
    (void)state;
    static const char *const names[] = {"--config",     "--grace",        "--check",   "--sandbox",
                                        "--subreaper",  "--no-subreaper", "--verbose", "--quiet",
                                        "--log-format", "--version",      "--help",    "man brood"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(strstr(options_help, names[i]));
    for (const char *line = options_help; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        assert_true(length <= 80);
        assert_true(length == 0 || line[length - 1] != ' ');
        line += length + (line[length] == '\n');
    }
    assert_string_equal(options_version, "brood 0.1.0\n");
}

static void test_inner(void **state) {
    (void)state;
    static const struct {
        const char *line, *inner;
    } cases[] = {
        {"brood -n true", "brood -- true"},
        {"brood -n -c a.ini", "brood -c a.ini"},
        {"brood -nv -c a.ini -t 1m --log-format json -- sh -n x",
         "brood -c a.ini --grace=60000ms -v --log-format=json -- sh -n x"},
        {"brood -n -qqqqqqqq --log-format text true", "brood -q -q -q --log-format=text -- true"},
        {"brood -n", "brood -c /etc/brood.ini"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char grace[OPTIONS_GRACE_BYTES], joined[256] = "", **inner;
        assert_int_equal(parse(cases[i].line), 0);
        assert_int_equal(options_inner(&options, grace, &inner), 0);
        for (char **word = inner; *word != NULL; word++)
            snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", word == inner ? "" : " ", *word);
        assert_string_equal(joined, cases[i].inner);
        free(inner);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_inner),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_implied_config),
        cmocka_unit_test(test_every_option),
        cmocka_unit_test(test_write_shims),
        cmocka_unit_test(test_check_before_write_shims),
        cmocka_unit_test(test_the_last_wins),
        cmocka_unit_test(test_help_and_version_are_answered_at_once),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_grace_error_names_the_remedy),
        cmocka_unit_test(test_remap_variable),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_no_words_at_all),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
