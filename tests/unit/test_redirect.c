/* wrap/redirect.c: real files under all their names, and which shim an exec of each becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/context_builder.h"
#include "wrap/redirect.h"

#define PID 4711
#define NAMED (PROGRAM_IS_NAME | PROGRAM_BY_FILE)

static char root[] = "/tmp/brood-redirect-XXXXXX";
static struct context_builder builder;

static const char *at_root(const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void write_file(const char *name, const char *text, mode_t mode) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void write_script(const char *name, const char *interpreter) {
    char text[600];
    snprintf(text, sizeof text, "#!%s\n", interpreter);
    write_file(name, text, 0755);
}

/* Programs: node with two files, busybox under two names, git by name and without a file, tool by path alone, slow
 * whose reach is path. */
static int setup(void **state) {
    (void)state;
    if (mkdtemp(root) == NULL || chdir(root) < 0)
        return -1;
    for (const char *const *name = (const char *const[]){"a", "b", "names", "later", NULL}; *name != NULL; name++)
        if (mkdir(*name, 0755) < 0)
            return -1;
    write_file("a/node", "node a", 0755);
    write_file("b/node", "node b", 0755);
    write_file("a/busybox", "busybox", 0755);
    write_file("a/tool", "tool", 0755);
    write_file("a/slow", "slow", 0755);
    write_file("names/node", "shim", 0755);
    write_file("later/node", "node c", 0755);
    write_file("later/git", "git", 0755);
    write_file("later/tool", "another tool", 0755);
    write_file("later/none", "node", 0644);
    write_script("script", at_root("a/node -x"));
    write_script("second", at_root("script"));
    write_script("later/script", at_root("later/git"));
    write_script("relative", "a/node");
    write_script("names.sh", at_root("names/node"));
    write_script("shell", "/bin/sh");
    write_script("loop", at_root("loop"));
    if (link("a/node", "hard") < 0 || symlink("a/node", "soft") < 0 || link("a/busybox", "a/ls") < 0 ||
        mkdir("later/directory", 0755) < 0 || symlink("nowhere", "dangling") < 0)
        return -1;
    builder_open(&builder, at_root("names"), at_root("entries"), at_root("preload.so"));
    builder_program(&builder, "node", NAMED);
    builder_program(&builder, "ls", NAMED);
    builder_program(&builder, "git", NAMED);
    builder_program(&builder, "tool", PROGRAM_BY_FILE);
    builder_program(&builder, "slow", PROGRAM_IS_NAME);
    builder_file(&builder, 0, at_root("a/node"), 0);
    builder_file(&builder, 0, at_root("b/node"), 0);
    builder_file(&builder, 1, at_root("a/ls"), FILE_BY_NAME_ONLY);
    builder_file(&builder, 3, at_root("a/tool"), 0);
    builder_file(&builder, 4, at_root("a/slow"), 0);
    return context_check(&builder, builder.header.size) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return chdir("/") == 0 ? system(command) : -1;
}

/* "" where it goes as it was asked for, else the shim's path below entries/, a blank, and what is told. */
static const char *turned(int directory, const char *path, int flags) {
    static char text[2000];
    struct redirect redirect;
    memset(&redirect, 0xa5, sizeof redirect);
    redirect_exec(&builder.header, directory, path, flags, PID, &redirect);
    if (!redirect.turned) {
        assert_ptr_equal(redirect.path, path);
        assert_string_equal(redirect.told, "");
        return "";
    }
    const char *entries = at_root("entries/");
    assert_ptr_equal(redirect.path, redirect.entry);
    assert_true(strncmp(redirect.entry, entries, strlen(entries)) == 0);
    const char *told = redirect.told;
    if (told[0] != '\0') {
        assert_true(strncmp(told, VARIABLE_TOLD "=", strlen(VARIABLE_TOLD "=")) == 0);
        told += strlen(VARIABLE_TOLD "=");
    }
    snprintf(text, sizeof text, "%s %s", redirect.entry + strlen(entries), told);
    return text;
}

static void names(void **state) {
    (void)state;
    static const struct {
        const char *path; /* also tried from the root on */
        const char *result;
        const char *told; /* before the path */
    } rows[] = {
        {"a/node", "1/0/node ", NULL},
        {"b/node", "2/0/node ", NULL},
        {"b/../a/./node", "1/0/node ", NULL},
        {"hard", "1/0/node ", NULL},
        {"soft", "1/0/node ", NULL},
        {"later/node", "0/0/node ", "4711 file "},
        {"later/git", "0/0/git ", "4711 file "},
        {"a/ls", "3/0/ls ", NULL},
        {"a/busybox", "", NULL},
        {"a/tool", "4/0/tool ", NULL},
        {"later/tool", "", NULL},
        {"a/slow", "", NULL},
        {"script", "1/0/node ", "4711 script "},
        {"second", "1/0/node ", "4711 script "},
        {"later/script", "0/0/git ", "4711 script "},
        {"relative", "1/0/node ", "4711 script "},
        {"shell", "", NULL},
        {"loop", "", NULL},
        {"later/none", "", NULL},
        {"later/directory", "", NULL},
        {"dangling", "", NULL},
        {"nowhere/node", "", NULL},
        {"a/node/x", "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *paths[] = {rows[i].path, at_root(rows[i].path)};
        for (size_t j = 0; j < 2; j++) {
            char expected[1000];
            snprintf(expected, sizeof expected, "%s%s%s", rows[i].result, rows[i].told == NULL ? "" : rows[i].told,
                     rows[i].told == NULL ? "" : paths[j]);
            const char *result = turned(AT_FDCWD, paths[j], 0);
            if (strcmp(result, expected) != 0)
                fail_msg("%s: %s, not %s", paths[j], result, expected);
        }
    }
}

/* The shims themselves, and a script that names one, are not turned again. */
static void ours(void **state) {
    (void)state;
    assert_string_equal(turned(AT_FDCWD, at_root("names/node"), 0), "");
    assert_string_equal(turned(AT_FDCWD, at_root("names.sh"), 0), "");
    assert_string_equal(turned(AT_FDCWD, at_root("entries/1/0/node"), 0), "");
}

static void descriptors(void **state) {
    (void)state;
    char expected[64];
    int node = open("a/node", O_RDONLY | O_CLOEXEC), script = open("script", O_RDONLY),
        later = open("later", O_RDONLY | O_CLOEXEC);
    int git = open("later/git", O_PATH | O_CLOEXEC), path = open("a/node", O_PATH | O_CLOEXEC);
    assert_true(node >= 0 && script >= 0 && later >= 0 && git >= 0 && path >= 0);
    assert_string_equal(turned(node, "", AT_EMPTY_PATH), "1/0/node ");
    assert_string_equal(turned(path, "", AT_EMPTY_PATH), "1/0/node ");
    assert_string_equal(turned(git, "", AT_EMPTY_PATH), "");
    assert_string_equal(turned(node, "", 0), "");
    snprintf(expected, sizeof expected, "1/0/node 4711 script /dev/fd/%d", script);
    assert_string_equal(turned(script, "", AT_EMPTY_PATH), expected);
    assert_string_equal(turned(later, "../a/node", 0), "1/0/node ");
    assert_string_equal(turned(later, "git", 0), ""); /* no name that the shim could open */
    assert_string_equal(turned(later, at_root("later/node"), 0) + strlen("0/0/node 4711 file "), at_root("later/node"));
    assert_string_equal(turned(AT_FDCWD, "soft", AT_SYMLINK_NOFOLLOW), "");
    assert_string_equal(turned(AT_FDCWD, "hard", AT_SYMLINK_NOFOLLOW), "1/0/node ");
    assert_string_equal(turned(-1, "", AT_EMPTY_PATH), "");
    assert_string_equal(turned(99, "x", 0), "");
    close(node);
    close(script);
    close(later);
    close(git);
    close(path);
}

/* What can't be told in full isn't turned. */
static void long_paths(void **state) {
    (void)state;
    char path[3000];
    for (size_t dots = 400; dots < 700; dots++) {
        path[0] = '\0';
        for (size_t i = 0; i < dots; i++)
            memcpy(path + 2 * i, "./", 3);
        memcpy(path + 2 * dots, "later/git", sizeof "later/git");
        const char *result = turned(AT_FDCWD, path, 0);
        size_t told = strlen(VARIABLE_TOLD "=4711 file ") + strlen(path);
        if (told < REDIRECT_TOLD_BYTES)
            assert_string_equal(result + strlen("0/0/git 4711 file "), path);
        else
            assert_string_equal(result, "");
    }
    char entry[REDIRECT_ENTRY_BYTES];
    static struct context_builder far;
    memset(path, 'x', sizeof path);
    for (size_t length = REDIRECT_ENTRY_BYTES - 30; length < REDIRECT_ENTRY_BYTES + 10; length++) {
        path[length] = '\0';
        builder_open(&far, "/n", path, NULL);
        builder_program(&far, "node", NAMED);
        bool fits = redirect_entry(&far.header, 0, CONTEXT_TOLD, 31, entry);
        assert_int_equal(fits, length + strlen("/0/31/node") < sizeof entry);
        if (fits)
            assert_int_equal(strlen(entry), length + strlen("/0/31/node"));
        path[length] = 'x';
    }
}

/* A file that is replaced while brood runs is told by what it is now. */
static void replaced(void **state) {
    (void)state;
    write_file("b/new", "node, new", 0755);
    assert_string_equal(turned(AT_FDCWD, "b/new", 0), "");
    assert_int_equal(rename("b/new", "b/node"), 0);
    assert_string_equal(turned(AT_FDCWD, "b/node", 0), "2/0/node ");
    assert_int_equal(link("b/node", "b/again"), 0);
    assert_string_equal(turned(AT_FDCWD, "b/again", 0), "2/0/node ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),      cmocka_unit_test(ours),     cmocka_unit_test(descriptors),
        cmocka_unit_test(long_paths), cmocka_unit_test(replaced),
    };
    return cmocka_run_group_tests_name("redirect", tests, setup, teardown);
}
