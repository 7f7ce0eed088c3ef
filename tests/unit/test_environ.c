/* wrap/paths.c and wrap/environ.c: lists as tables, and blocks against a model that does everything the slow way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/environ.h"
#include "wrap/paths.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- lists --- */

typedef size_t list_edit(char *, size_t, const char *, const char *);

struct row {
    const char *former;
    const char *entry;
    const char *list;
};

/* With every size of buffer: the whole list, or nothing and no byte behind the buffer. */
static void expect_list(list_edit *edit, const struct row *row) {
    char buffer[256];
    size_t length = strlen(row->list);
    for (size_t size = 0; size <= length + 2; size++) {
        memset(buffer, '#', sizeof buffer);
        size_t got = edit(buffer, size, row->former, row->entry);
        assert_int_equal(got, size > length ? length : 0);
        if (size > 0)
            assert_string_equal(buffer, size > length ? row->list : "");
        for (size_t i = size; i < sizeof buffer; i++)
            assert_int_equal(buffer[i], '#');
    }
}

static void search_lists(void **state) {
    (void)state;
    static const struct row rows[] = {
        {NULL, "/s", "/s:" PATHS_DEFAULT},
        {"", "/s", "/s:" PATHS_DEFAULT},
        {"/bin", "/s", "/s:/bin"},
        {"/bin:/usr/bin", "/s", "/s:/bin:/usr/bin"},
        {"/s:/bin", "/s", "/s:/bin"},
        {"/bin:/s:/usr/bin:/s", "/s", "/s:/bin:/usr/bin"},
        {"/bin:/s///:/bin", "/s", "/s:/bin:/bin"},
        {"/bin:/s", "/s/", "/s/:/bin"},
        {"/bin:/sx:/x/s:s", "/s", "/s:/bin:/sx:/x/s:s"},
        {":/bin", "/s", "/s::/bin"},
        {"/bin:", "/s", "/s:/bin:"},
        {"/bin::/usr/bin", "/s", "/s:/bin::/usr/bin"},
        {":", "/s", "/s::"},
        {"/s", "/s", "/s"},
        {"/:/bin", "/", "/:/bin"},
        {"//:/bin:", "/", "/:/bin:"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_list(paths_search, &rows[i]);
    assert_false(paths_has(NULL, "/s"));
    assert_false(paths_has("", "/s"));
    assert_false(paths_has("/sx:/x/s", "/s"));
    assert_true(paths_has("/bin:/s/", "/s"));
    assert_true(paths_has("/s", "/s//"));
    assert_false(paths_has(":/bin", "/"));
}

static void preload_lists(void **state) {
    (void)state;
    static const struct row rows[] = {
        {NULL, "/l", "/l"},
        {"", "/l", "/l"},
        {" : ", "/l", "/l"},
        {"/l", "/l", "/l"},
        {"a.so", "/l", "a.so:/l"},
        {"a.so b.so", "/l", "a.so b.so:/l"},
        {"a.so: b.so:", "/l", "a.so: b.so:/l"},
        {"/l:a.so /l b.so", "/l", "a.so b.so:/l"},
        {" a.so\t/lx /x/l", "/l", "a.so\t/lx /x/l:/l"},
    };
    static const struct row without[] = {
        {NULL, "/l", ""},
        {"", "/l", ""},
        {"/l", "/l", ""},
        {" /l:/l ", "/l", ""},
        {"a.so", "/l", "a.so"},
        {"a.so:/l", "/l", "a.so"},
        {"/l a.so b", "/l", "a.so b"},
        {"a /l:b", "/l", "a:b"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_list(paths_preload, &rows[i]);
    for (size_t i = 0; i < COUNT(without); i++)
        expect_list(paths_preload_without, &without[i]);
    assert_false(paths_preload_has(NULL, "/l"));
    assert_false(paths_preload_has("/lx:/x/l", "/l"));
    assert_true(paths_preload_has("a /l", "/l"));
    assert_true(paths_preload_has("/l:b", "/l"));
}

/* --- blocks --- */

static struct environ_block *open_block(char *const *base) {
    struct environ_block *block = NULL;
    assert_int_equal(environ_open(base, &block), 0);
    return block;
}

/* All entries, joined by |. */
static void expect_block(struct environ_block *block, const char *wanted) {
    char text[1024] = "";
    size_t count = 0;
    for (char **entry = environ_array(block); *entry; entry++, count++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", count ? "|" : "", *entry);
    assert_string_equal(text, wanted);
    assert_int_equal(environ_count(block), count);
}

static void set_and_unset(void **state) {
    (void)state;
    char a[] = "A=1", b[] = "B=", c[] = "C=x=y";
    char *const base[] = {a, b, c, NULL};
    struct environ_block *block = open_block(base);
    assert_string_equal(environ_get(block, "A"), "1");
    assert_string_equal(environ_get(block, "B"), "");
    assert_string_equal(environ_get(block, "C"), "x=y");
    assert_null(environ_get(block, "D"));
    assert_null(environ_get(block, ""));
    assert_int_equal(environ_set(block, "A", "2"), 0);
    assert_int_equal(environ_set(block, "D", ""), 0);
    expect_block(block, "A=2|B=|C=x=y|D=");
    environ_unset(block, "B");
    environ_unset(block, "B");
    environ_unset(block, "NOT");
    expect_block(block, "A=2|C=x=y|D=");
    assert_int_equal(environ_set(block, "B", "again"), 0);
    expect_block(block, "A=2|C=x=y|D=|B=again");
    assert_string_equal(a, "A=1");
    environ_close(block);
    environ_close(NULL);
}

static void odd_entries_survive(void **state) {
    (void)state;
    char odd[] = "odd", first[] = "A=1", empty[] = "", second[] = "A=2", nameless[] = "=x", third[] = "A=3";
    char *const base[] = {odd, first, empty, second, nameless, third, NULL};
    struct environ_block *block = open_block(base);
    expect_block(block, "odd|A=1||A=2|=x|A=3");
    assert_string_equal(environ_get(block, "A"), "1");
    assert_null(environ_get(block, "odd"));
    assert_int_equal(environ_set(block, "B", "b"), 0);
    expect_block(block, "odd|A=1||A=2|=x|A=3|B=b");
    assert_int_equal(environ_set(block, "A", "4"), 0);
    expect_block(block, "odd|A=4||=x|B=b");
    environ_close(block);

    block = open_block(base);
    environ_unset(block, "A");
    expect_block(block, "odd||=x");
    assert_null(environ_get(block, "A"));
    environ_close(block);
}

static void expansion(void **state) {
    (void)state;
    static const struct {
        const char *text, *expanded;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"${A}", "1"},
        {"x${A}y${A}z", "x1y1z"},
        {"${EMPTY}", ""},
        {"${UNSET}.", "."},
        {"$A $", "$A $"},
        {"$${A}", "$1"},
        {"${A", "${A"},
        {"${}", "${}"},
        {"${1}", "${1}"},
        {"${A B}", "${A B}"},
        {"${A:-x}", "${A:-x}"},
        {"${${A}}", "${1}"},
        {"${NESTED}", "${A}"},
        {"\\${A}", "\\1"},
    };
    char a[] = "A=1", empty[] = "EMPTY=", nested[] = "NESTED=${A}";
    char *const base[] = {a, empty, nested, NULL};
    struct environ_block *block = open_block(base);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *expanded = NULL;
        assert_int_equal(environ_expand(block, rows[i].text, &expanded), 0);
        assert_string_equal(expanded, rows[i].expanded);
        free(expanded);
    }
    environ_close(block);
    assert_true(environ_name_valid("a_1"));
    assert_true(environ_name_valid("_"));
    assert_false(environ_name_valid(""));
    assert_false(environ_name_valid("1a"));
    assert_false(environ_name_valid("a-b"));
}

/* Doubling a value again and again ends in an error, not in all memory. */
static void what_no_exec_takes_is_refused(void **state) {
    (void)state;
    char *const base[] = {NULL};
    struct environ_block *block = open_block(base);
    char *value = malloc(ENVIRON_BYTES_MAX), *expanded = NULL;
    assert_non_null(value);
    memset(value, 'x', ENVIRON_BYTES_MAX - 1);
    value[ENVIRON_BYTES_MAX - 1] = '\0';
    assert_int_equal(environ_set(block, "A", value), -E2BIG);
    expect_block(block, "");
    value[ENVIRON_BYTES_MAX - 2] = '\0';
    assert_int_equal(environ_set(block, "A", value), 0);
    assert_int_equal(environ_expand(block, "${A}.", &expanded), 0);
    free(expanded);
    expanded = NULL;
    assert_int_equal(environ_expand(block, "${A}${A}", &expanded), -E2BIG);
    assert_null(expanded);
    assert_int_equal(environ_add_search(block, value), -E2BIG);
    free(value);
    environ_close(block);
}

static void wrapping(void **state) {
    (void)state;
    char path[] = "PATH=/bin:/s:/usr/bin", preload[] = "LD_PRELOAD=a.so b.so";
    char *const base[] = {path, preload, NULL}, *const nothing[] = {NULL};
    struct environ_block *block = open_block(base);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(environ_add_search(block, "/s"), 0);
        assert_int_equal(environ_add_preload(block, "/s/l.so"), 0);
        expect_block(block, "PATH=/s:/bin:/usr/bin|LD_PRELOAD=a.so b.so:/s/l.so");
    }
    environ_close(block);
    block = open_block(nothing);
    assert_int_equal(environ_add_search(block, "/s"), 0);
    assert_int_equal(environ_add_preload(block, "/s/l.so"), 0);
    expect_block(block, "PATH=/s:" PATHS_DEFAULT "|LD_PRELOAD=/s/l.so");
    environ_close(block);
}

/* Random edits, compared with an array of 40 names that holds what each should be. */
static void edits_against_a_model(void **state) {
    (void)state;
    uint64_t random = 1;
    for (int round = 0; round < 200; round++) {
        char model[40][16];
        bool set[40] = {false};
        char *const base[] = {NULL};
        struct environ_block *block = open_block(base);
        for (int step = 0; step < 400; step++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            unsigned index = (unsigned)(random >> 33) % 40, what = (unsigned)(random >> 50) % 3;
            char name[8];
            snprintf(name, sizeof name, "N%u", index);
            if (what == 0) {
                environ_unset(block, name);
            } else {
                snprintf(model[index], sizeof model[index], "%d", step);
                assert_int_equal(environ_set(block, name, model[index]), 0);
            }
            set[index] = what != 0;
        }
        size_t count = 0;
        for (unsigned i = 0; i < 40; i++) {
            char name[8];
            snprintf(name, sizeof name, "N%u", i);
            const char *value = environ_get(block, name);
            assert_int_equal(value != NULL, set[i]);
            if (value)
                assert_string_equal(value, model[i]);
            count += set[i];
        }
        assert_int_equal(environ_count(block), count);
        environ_close(block);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_lists),  cmocka_unit_test(preload_lists),
        cmocka_unit_test(set_and_unset), cmocka_unit_test(odd_entries_survive),
        cmocka_unit_test(expansion),     cmocka_unit_test(what_no_exec_takes_is_refused),
        cmocka_unit_test(wrapping),      cmocka_unit_test(edits_against_a_model),
    };
    return cmocka_run_group_tests_name("environ", tests, NULL, NULL);
}
