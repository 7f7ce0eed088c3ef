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

static size_t count_remapped(void) {
    size_t count = 0;
    for (int code = 0; code < REMAP_CODES; code++)
        count += options.remap.set[code];
    return count;
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
    setenv("BROOD_REMAP", "x", 1);
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
        {"brood --mirror=yes x", "--mirror takes no value; see brood --help"},
        {"brood -e", "--remap needs a CODE[:TO]; see brood --help"},
        {"brood -e x", "--remap x: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e '' x", "--remap : it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood --remap=256 x", "--remap 256: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e -1 x", "--remap -1: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e 1: x", "--remap 1:: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e :1 x", "--remap :1: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e 1:256 x", "--remap 1:256: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e 1:2:3 x", "--remap 1:2:3: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e 1,2 x", "--remap 1,2: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood -e 99999999999 x",
         "--remap 99999999999: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help"},
        {"brood --ended-to 2 x", "--ended-to 2: it is a descriptor, 3 or more; see brood --help"},
        {"brood --ended-to=x x", "--ended-to x: it is a descriptor, 3 or more; see brood --help"},
        {"brood --ended-to", "--ended-to needs a descriptor; see brood --help"},
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

static void test_mirror(void **state) {
    (void)state;
    static const char *const lines[] = {"brood -m x", "brood --mirror -- x -e 1", "brood -vmc f -- x"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(parse(lines[i]), 0);
        assert_true(options.mirror);
        assert_int_equal(options.ended_to, 0);
        assert_int_equal(count_remapped(), 0);
    }
    assert_int_equal(parse("brood x -m"), 0);
    assert_false(options.mirror);
    assert_int_equal(parse("brood --ended-to=1003 x"), 0);
    assert_int_equal(options.ended_to, 1003);
    assert_false(options.lent_admin);
    assert_int_equal(parse("brood --lent-admin x"), 0);
    assert_true(options.lent_admin);
    assert_false(options.mirror);
}

/* Each status is looked up once, and of two for the same one the later holds. */
static void test_remap(void **state) {
    (void)state;
    assert_int_equal(parse("brood x"), 0);
    for (int status = 0; status < 256; status++)
        assert_int_equal(options_remap(&options.remap, status), status);
    assert_int_equal(parse("brood -e 143 --remap 1:2 -e2:3 --remap=0:255 -e 255:0 -e 7:1 -e 7:9 x"), 0);
    assert_int_equal(count_remapped(), 6);
    assert_int_equal(options_remap(&options.remap, 143), 0);
    assert_int_equal(options_remap(&options.remap, 1), 2);
    assert_int_equal(options_remap(&options.remap, 2), 3);
    assert_int_equal(options_remap(&options.remap, 0), 255);
    assert_int_equal(options_remap(&options.remap, 255), 0);
    assert_int_equal(options_remap(&options.remap, 7), 9);
    assert_int_equal(options_remap(&options.remap, 9), 9);
    assert_int_equal(options_remap(&options.remap, -1), -1);
    assert_int_equal(options_remap(&options.remap, 256), 256);
}

static void test_remap_variable(void **state) {
    (void)state;
    setenv("BROOD_REMAP", " 143, 1:2,\t3:4 5:6 ,\r\n", 1);
    assert_int_equal(parse("brood -e 3:9 -e 8 x"), 0);
    assert_int_equal(count_remapped(), 5);
    assert_int_equal(options_remap(&options.remap, 143), 0);
    assert_int_equal(options_remap(&options.remap, 1), 2);
    assert_int_equal(options_remap(&options.remap, 3), 9); /* the option holds */
    assert_int_equal(options_remap(&options.remap, 5), 6);
    assert_int_equal(options_remap(&options.remap, 8), 0);
    setenv("BROOD_REMAP", "1:2, 3;4", 1);
    assert_int_equal(parse("brood x"), -22);
    assert_string_equal(error,
                        "$BROOD_REMAP 3;4: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help");
    setenv("BROOD_REMAP", "", 1);
    assert_int_equal(parse("brood x"), 0);
    assert_int_equal(count_remapped(), 0);
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
    static const char *const names[] = {"--config",       "--grace",   "--check",  "--sandbox",    "--subreaper",
                                        "--no-subreaper", "--verbose", "--quiet",  "--log-format", "--version",
                                        "--help",         "man brood", "--mirror", "--remap",      "--write-shims"};
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
        {"brood -nm true", "brood -- true"},
        {"brood -nm --ended-to 5 true", "brood --ended-to=5 -- true"},
        {"brood -n --lent-admin true", "brood --lent-admin -- true"},
        {"brood -n -e 143 -e 1:2 -c f", "brood -c f -e 1:2 -e 143:0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char joined[256] = "", **inner;
        assert_int_equal(parse(cases[i].line), 0);
        assert_int_equal(options_inner(&options, &inner), 0);
        for (char **word = inner; *word != NULL; word++)
            snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", word == inner ? "" : " ", *word);
        assert_string_equal(joined, cases[i].inner);
        free(inner);
    }
}

/* Every word that there can be, of the greatest length: what is set aside is enough (the address sanitizer looks). */
static void test_inner_with_every_remap(void **state) {
    (void)state;
    char **inner;
    assert_int_equal(parse("brood -n -vvvvv --log-format json -t 8760h --ended-to=134217727 -c f -- x y"), 0);
    for (int code = 0; code < REMAP_CODES; code++) {
        options.remap.set[code] = true;
        options.remap.to[code] = 255;
    }
    assert_int_equal(options_inner(&options, &inner), 0);
    size_t count = 0;
    while (inner[count] != NULL)
        count++;
    assert_int_equal(count, 3 + 1 + 3 + 1 + 1 + 2 * REMAP_CODES + 1 + 2);
    assert_string_equal(inner[3], "--grace=31536000000ms");
    assert_string_equal(inner[8], "--ended-to=134217727");
    assert_string_equal(inner[9], "-e");
    assert_string_equal(inner[10], "0:255");
    assert_string_equal(inner[10 + 2 * 255], "255:255");
    assert_string_equal(inner[count - 1], "y");
    free(inner);
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
        cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_remap),
        cmocka_unit_test(test_inner_with_every_remap),
        cmocka_unit_test(test_remap_variable),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_no_words_at_all),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
