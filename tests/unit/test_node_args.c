/* Which word of a command line node takes for its main module: a table by hand. That node agrees is tested in
 * tests/node, with real ones; here are the cells a reader wants to see, and the tables' own order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "wrap/node_args.h"

enum { WORDS_MAX = 8 };

static const struct {
    const char *words[WORDS_MAX]; /* after the program */
    size_t main;
} rows[] = {
    {{NULL}, 0},
    {{"main.js"}, 1},
    {{"main.js", "-e", "1"}, 1},
    {{"--no-warnings", "main.js"}, 2},
    {{"--", "main.js"}, 2},
    {{"--", "-main.js"}, 2},
    {{"--", "--", "x"}, 2},
    {{"--"}, 0},
    {{"-"}, 0},
    {{"-", "main.js"}, 0},
    {{"--", "-"}, 0},
    {{""}, 0},
    {{"", "main.js"}, 0},
    {{"inspect", "main.js"}, 0},
    {{"--", "inspect"}, 0},
    {{"./inspect"}, 1},
    {{"debug"}, 1},
    /* values */
    {{"-r", "a", "main.js"}, 3},
    {{"-r", "a"}, 0},
    {{"-r"}, 0},
    {{"-r", "-a", "main.js"}, 0},
    {{"-rx", "main.js"}, 2},
    {{"-r=x", "main.js"}, 2},
    {{"--require", "a", "--import", "b", "main.js"}, 5},
    {{"--require=a", "main.js"}, 2},
    {{"--require=", "main.js"}, 2},
    {{"--title", "", "main.js"}, 3},
    {{"--title", "\\-x", "main.js"}, 3},
    {{"-C", "x", "--env-file", ".env", "main.js"}, 5},
    {{"--icu_data-dir", "x", "main.js"}, 3},
    {{"--icu_data_dir=x", "main.js"}, 2},
    {{"__title", "x"}, 1},
    {{"--titl", "main.js"}, 2},
    {{"--titles", "main.js"}, 2},
    {{"--no-title", "main.js"}, 2},
    {{"--network-family-autoselection-attempt-timeout", "1", "m"}, 3},
    {{"--vfs-mount", "a", "main.js"}, 3},
    /* V8 takes no word */
    {{"--max-old-space-size", "main.js"}, 2},
    {{"--unknown", "main.js"}, 2},
    {{"--inspect", "main.js"}, 2},
    {{"--inspect-port", "0", "main.js"}, 3},
    /* what runs no main, or not here */
    {{"-e", "1"}, 0},
    {{"-p", "1"}, 0},
    {{"-pe", "1"}, 0},
    {{"-p", "--no-warnings", "main.js"}, 0},
    {{"-i", "main.js"}, 0},
    {{"-v"}, 0},
    {{"-c", "main.js"}, 0},
    {{"--check", "main.js"}, 0},
    {{"--no-check", "main.js"}, 2},
    {{"--test", "main.js"}, 0},
    {{"--test-only", "main.js"}, 2},
    {{"--watch", "main.js"}, 0},
    {{"--watch-path=x", "main.js"}, 0},
    {{"--watch-preserve-output", "main.js"}, 2},
    {{"--run", "x"}, 0},
    {{"--eval=1", "main.js"}, 0},
    {{"--prof_process", "main.js"}, 0},
    {{"--snapshot-blob", "x", "main.js"}, 0},
    {{"-r", "a", "--help", "main.js"}, 0},
    /* different from version to version */
    {{"--experimental-specifier-resolution", "node", "main.js"}, 3},
    {{"--es-module-specifier-resolution", "explicit", "main.js"}, 3},
    {{"--experimental-specifier-resolution", "main.js"}, 2},
    {{"--experimental-specifier-resolution=node", "main.js"}, 2},
    {{"--experimental-config-file", "c.json", "main.js"}, 3},
    {{"--experimental-config-file", "main.js"}, 2},
    {{"--experimental-config-file", ".json"}, 2},
};

static void by_hand(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char bytes[WORDS_MAX][64] = {"node"};
        char *argv[WORDS_MAX + 1] = {bytes[0]};
        size_t argc = 1;
        for (; argc < WORDS_MAX && rows[i].words[argc - 1] != NULL; argc++) {
            size_t length = strlen(rows[i].words[argc - 1]);
            assert_true(length < sizeof(bytes[0]));
            memcpy(bytes[argc], rows[i].words[argc - 1], length + 1);
            argv[argc] = bytes[argc];
        }
        if (node_args_main(argv, argc) != rows[i].main)
            fail_msg("row %zu (%s …): %zu, not %zu", i, argv[1] == NULL ? "" : argv[1], node_args_main(argv, argc),
                     rows[i].main);
    }
}

static void no_words(void **state) {
    (void)state;
    char *argv[] = {NULL};
    assert_int_equal(node_args_main(argv, 0), 0);
}

/* Each name once, in order, so that one is found by eye; none in both tables. */
static void tables_are_sorted(void **state) {
    (void)state;
    const char *const tables[] = {node_args_values, node_args_stops};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        const char *before = "";
        for (const char *name = tables[i]; *name != '\0'; name += strlen(name) + 1) {
            assert_true(name[0] == '-' && strchr(name, '=') == NULL && strchr(name, '_') == NULL);
            assert_true(strcmp(before, name) < 0);
            before = name;
            count++;
            for (const char *stop = node_args_stops; i == 0 && *stop != '\0'; stop += strlen(stop) + 1)
                assert_string_not_equal(stop, name);
        }
    }
    assert_true(count > 90);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(no_words),
        cmocka_unit_test(tables_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
