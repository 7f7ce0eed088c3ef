/* For the tests of what sections and files make of each other: real files in a directory of each test's own, sections
 * as init/ hands them over, and the warnings that were said. */
#ifndef TESTS_UNIT_SET_HELPER_H
#define TESTS_UNIT_SET_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/interpreter.h"
#include "wrap/programs.h"
#include "wrap/set.h"

#define KEY "Ab3dE6"
#define PROGRAM "\177ELF and so on, long enough to be the head of a program of some kind, of 64 bytes"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct pool pool;
static struct programs programs;
static char *root; /* realpath of the directory */
static char said[4000];

static inline void remember(bool warning, const char *text) {
    size_t length = strlen(said);
    snprintf(said + length, sizeof said - length, "%s: %s\n", warning ? "warning" : "info", text);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

/* A path below root; in the pool. */
static inline char *at(const char *name) {
    char *path = pool_format(&pool, "%s/%s", root, name);
    assert_non_null(path);
    return path;
}

static inline char *make(const char *name, const char *text, mode_t mode) {
    char *path = at(name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static inline int setup(void **state) {
    (void)state;
    static char directory[PATH_MAX];
    char template[] = "/tmp/test-set-XXXXXX";
    memset(&programs, 0, sizeof programs);
    said[0] = '\0';
    if (!mkdtemp(template) || !realpath(template, directory))
        return -1;
    root = directory;
    return mkdir(at("a"), 0755) | mkdir(at("b"), 0755);
}

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

static inline int teardown(void **state) {
    (void)state;
    pool_free(&pool);
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- sections ----------------------------------------------------------------------------------------------------- */

static inline struct wrap_input input_of(const struct wrap_section *sections, uint32_t count) {
    return (struct wrap_input){.sections = sections,
                               .sections_count = count,
                               .groups_count = 1,
                               .search = pool_format(&pool, "%s/a:relative::%s/b", root, root),
                               .say = remember};
}

static inline char **words_of(const char *first, const char *second) {
    char **words = pool_take(&pool, 2 * sizeof *words);
    assert_non_null(words);
    words[0] = pool_format(&pool, "%s", first);
    words[1] = second ? pool_format(&pool, "%s", second) : NULL;
    return words;
}

static inline struct wrap_section section_of(const char *first, const char *second, const char *wrapper) {
    return (struct wrap_section){.name = "w",
                                 .programs = words_of(first, second),
                                 .programs_count = second ? 2 : 1,
                                 .wrapper = wrapper,
                                 .same_process = true};
}

static inline void find(const struct wrap_section *sections, uint32_t count) {
    struct wrap_input input = input_of(sections, count);
    assert_int_equal(programs_find(&pool, &input, false, &programs), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
