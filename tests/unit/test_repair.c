/* wrap/repair.c: environments before and after, as lists of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/context_builder.h"
#include "wrap/paths.h"
#include "wrap/repair.h"

#define LIBRARY "/s/lib.so"
#define VARIABLES_MAX 16

static struct context_builder with, without; /* a library */

static int setup(void **state) {
    (void)state;
    builder_open(&with, "/s/n", "/s/e", LIBRARY);
    builder_program(&with, "node", 0);
    builder_open(&without, "/s/n", "/s/e", NULL);
    builder_program(&without, "node", 0);
    return 0;
}

static struct repair repair; /* what repair_apply() writes points into it */

/* Returns "-" where nothing is needed, else the new environment, each variable followed by a `|`. */
static const char *repaired(const struct context *context, char *const *envp, bool preloadable, const char *told) {
    static char text[2 * REPAIR_SEARCH_BYTES];
    const char *array[VARIABLES_MAX + REPAIR_ADDED_MAX + 1];
    if (!repair_needed(context, envp, preloadable, told))
        return "-";
    memset(&repair, 0xff, sizeof repair);
    repair_plan(context, envp, preloadable, told, &repair);
    size_t count = repair_count(envp), used = 0;
    assert_true(count <= VARIABLES_MAX);
    repair_apply(&repair, envp, array);
    text[0] = '\0';
    for (size_t i = 0; array[i] != NULL; i++) {
        assert_true(i < count + REPAIR_ADDED_MAX);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s|", array[i]);
    }
    return text;
}

#define ENVIRONMENT(...) ((char *[]){__VA_ARGS__, NULL})

/* Of a library that only shares ports no directory is missing from any PATH. */
static void ports_alone(void **state) {
    (void)state;
    static struct context_builder ports;
    static char plain[] = "PATH=/bin", ours[] = "LD_PRELOAD=" LIBRARY;
    builder_open(&ports, "/s/n", "/s/e", LIBRARY);
    ports.header.names = 0;
    ports.header.flags = CONTEXT_SHARES_PORTS;
    assert_string_equal(repaired(&ports.header, ENVIRONMENT(plain, ours), true, ""), "-");
    assert_string_equal(repaired(&ports.header, ENVIRONMENT(plain), true, ""), "PATH=/bin|LD_PRELOAD=" LIBRARY "|");
    assert_string_equal(repaired(&ports.header, ENVIRONMENT(ours), false, ""), "");
}

static void table(void **state) {
    (void)state;
    static char good[] = "PATH=/s/n:/bin", plain[] = "PATH=/bin", empty[] = "PATH=", odd[] = "PATHS=/s/n",
                bare[] = "PATH", ours[] = "LD_PRELOAD=" LIBRARY, both[] = "LD_PRELOAD=/u.so:" LIBRARY,
                theirs[] = "LD_PRELOAD=/u.so", a[] = "A=1", told[] = VARIABLE_TOLD "=1 file /x";
    const struct {
        char **envp;
        const struct context_builder *builder;
        bool preloadable;
        const char *told;
        const char *result;
    } rows[] = {
        {ENVIRONMENT(good, ours), &with, true, "", "-"},
        {ENVIRONMENT(a, both, good), &with, true, "", "-"},
        {ENVIRONMENT(good), &without, true, "", "-"},
        {ENVIRONMENT(good, theirs), &without, false, "", "-"},
        {ENVIRONMENT(good, theirs), &with, false, "", "-"},
        {ENVIRONMENT(a, plain, ours), &with, true, "", "A=1|LD_PRELOAD=" LIBRARY "|PATH=/s/n:/bin|"},
        {ENVIRONMENT(plain, good, ours), &with, true, "", "LD_PRELOAD=" LIBRARY "|PATH=/s/n:/bin|"},
        {ENVIRONMENT(good, plain, ours), &with, true, "", "-"},
        {ENVIRONMENT(odd, bare, ours), &with, true, "",
         "PATHS=/s/n|PATH|LD_PRELOAD=" LIBRARY "|PATH=/s/n:" PATHS_DEFAULT "|"},
        {ENVIRONMENT(empty), &without, true, "", "PATH=/s/n:" PATHS_DEFAULT "|"},
        {ENVIRONMENT(good, a), &with, true, "", "PATH=/s/n:/bin|A=1|LD_PRELOAD=" LIBRARY "|"},
        {ENVIRONMENT(good, theirs), &with, true, "", "PATH=/s/n:/bin|LD_PRELOAD=/u.so:" LIBRARY "|"},
        {ENVIRONMENT(good, ours), &with, false, "", "PATH=/s/n:/bin|"},
        {ENVIRONMENT(good, both, a), &with, false, "", "PATH=/s/n:/bin|A=1|LD_PRELOAD=/u.so|"},
        {ENVIRONMENT(good, ours), &with, true, told,
         "PATH=/s/n:/bin|LD_PRELOAD=" LIBRARY "|" VARIABLE_TOLD "=1 file /x|"},
        {ENVIRONMENT(told, good), &without, true, VARIABLE_TOLD "=2 file /y",
         "PATH=/s/n:/bin|" VARIABLE_TOLD "=2 file /y|"},
        {ENVIRONMENT(told, good), &without, true, "", "-"},
        {NULL, &with, true, told, "PATH=/s/n:" PATHS_DEFAULT "|LD_PRELOAD=" LIBRARY "|" VARIABLE_TOLD "=1 file /x|"},
        {NULL, &with, false, "", "PATH=/s/n:" PATHS_DEFAULT "|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *result = repaired(&rows[i].builder->header, rows[i].envp, rows[i].preloadable, rows[i].told);
        if (strcmp(result, rows[i].result) != 0)
            fail_msg("row %zu: %s, not %s", i, result, rows[i].result);
    }
}

/* What doesn't fit stays what it was, to the byte. */
static void long_lists(void **state) {
    (void)state;
    static char path[REPAIR_SEARCH_BYTES + 1], preload[REPAIR_PRELOAD_BYTES + 1], expected[2 * REPAIR_SEARCH_BYTES];
    for (size_t length = REPAIR_SEARCH_BYTES - 20; length < REPAIR_SEARCH_BYTES; length++) {
        memset(path, 'x', length);
        path[length] = '\0';
        memcpy(path, "PATH=", strlen("PATH="));
        bool fits = length + strlen("/s/n:") < REPAIR_SEARCH_BYTES;
        snprintf(expected, sizeof expected, "PATH=%s%s|", fits ? "/s/n:" : "", path + strlen("PATH="));
        assert_string_equal(repaired(&without.header, ENVIRONMENT(path), true, ""), expected);
    }
    for (size_t length = REPAIR_PRELOAD_BYTES - 20; length < REPAIR_PRELOAD_BYTES; length++) {
        static char good[] = "PATH=/s/n";
        memset(preload, 'x', length);
        preload[length] = '\0';
        memcpy(preload, "LD_PRELOAD=", strlen("LD_PRELOAD="));
        bool fits = length + strlen(":" LIBRARY) < REPAIR_PRELOAD_BYTES;
        snprintf(expected, sizeof expected, "PATH=/s/n|%s%s|", preload, fits ? ":" LIBRARY : "");
        assert_string_equal(repaired(&with.header, ENVIRONMENT(good, preload), true, ""), expected);
    }
}

static void counts(void **state) {
    (void)state;
    static char a[] = "A=1";
    assert_int_equal(repair_count(NULL), 0);
    assert_int_equal(repair_count((char *[]){NULL}), 0);
    assert_int_equal(repair_count(ENVIRONMENT(a, a, a)), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(ports_alone),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests_name("repair", tests, setup, NULL);
}
