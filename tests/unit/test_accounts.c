/* init/accounts.c: names, numbers and memberships, from files in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/accounts.h"
#include "init/ids.h"

static char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                       "# a comment\n"
                       "broken\n"
                       "app:x:1001:1002:App:/home/app:/bin/sh\n"
                       "bare:x:1003:1004:::\n";
static char group[] = "root:x:0:\n"
                      "app:x:1002:app\n"
                      "audio:x:29:bare,app\n"
                      "broken\n"
                      "video:x:44:other\n";

static char said[1024];

static void note(void *context, uint32_t line, const char *text) {
    size_t length = strlen(said);
    (void)context;
    snprintf(said + length, sizeof said - length, "%u: %s\n", line, text);
}

/* Resolves [worker:a] with these lines from line 3 on; the caller frees. */
static struct config resolve(const char *lines, bool files) {
    char text[512];
    struct config config;
    int length = snprintf(text, sizeof text, "[worker:a]\nstart = a\n%s\n", lines);
    struct config_input input = {
        .bytes = text, .length = (size_t)length, .grace = MSEC_NEVER, .cpus = 1, .sigrtmin = 34, .sigrtmax = 64};
    struct accounts_files from = {NULL, NULL};
    said[0] = '\0';
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.errors, 0);
    if (files)
        from =
            (struct accounts_files){fmemopen(passwd, sizeof passwd - 1, "r"), fmemopen(group, sizeof group - 1, "r")};
    assert_int_equal(accounts_resolve(&config, &from, note, NULL), 0);
    if (files) {
        fclose(from.passwd);
        fclose(from.group);
    }
    return config;
}

/* "UID:GID NAME HOME SHELL GROUPS"; faults where there are some. */
static const char *account_of(const char *lines) {
    static char text[512];
    struct config config = resolve(lines, true);
    const struct spec_account *account = &config.spec.groups[0].identity.account;
    int length = snprintf(text, sizeof text, "%d:%d %s %s %s", (int)account->uid, (int)account->gid,
                          account->name ? account->name : "-", account->home ? account->home : "-",
                          account->shell ? account->shell : "-");
    for (uint32_t i = 0; i < account->groups_count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, " %u", account->groups[i]);
    config_free(&config);
    return said[0] ? said : text;
}

static void users(void **state) {
    (void)state;
    assert_string_equal(account_of(""), "-1:-1 - - -");
    assert_string_equal(account_of("user = app"), "1001:1002 app /home/app /bin/sh 1002 29");
    assert_string_equal(account_of("user = 1001"), "1001:1002 app /home/app /bin/sh 1002 29");
    assert_string_equal(account_of("user = bare"), "1003:1004 bare / /bin/sh 1004 29");
    assert_string_equal(account_of("user = 5000"), "5000:-1 5000 / /bin/sh");
    assert_string_equal(account_of("user = 4294967294\ngroup = 0"), "-2:0 4294967294 / /bin/sh 0");
}

static void groups(void **state) {
    (void)state;
    assert_string_equal(account_of("group = video"), "-1:44 - - -");
    assert_string_equal(account_of("groups = video, 7"), "-1:-1 - - - 44 7");
    assert_string_equal(account_of("user = app\ngroups = video, 29, 7"),
                        "1001:1002 app /home/app /bin/sh 1002 29 44 7");
}

static void faults(void **state) {
    (void)state;
    assert_string_equal(account_of("user = nobody"), "3: [worker:a] user: \"nobody\" is not in /etc/passwd; write "
                                                     "another name or a number\n");
    assert_string_equal(account_of("group = x\ngroups = 1, y"),
                        "3: [worker:a] group: \"x\" is not in /etc/group; write another name or a number\n"
                        "4: [worker:a] groups: \"y\" is not in /etc/group; write another name or a number\n");
    struct config config = resolve("user = app", false);
    assert_string_equal(said, "3: [worker:a] user: \"app\" is not in /etc/passwd, which can't be read; write another "
                              "name or a number\n");
    config_free(&config);
}

/* What is said of a config in a user namespace where these ids are mapped. */
static const char *unmapped(const char *lines, uint32_t uid, uint32_t gid) {
    struct config config = resolve(lines, true);
    said[0] = '\0';
    accounts_check_mapped(&config.spec, uid, gid, note, NULL);
    config_free(&config);
    return said;
}

static void in_a_user_namespace(void **state) {
    (void)state;
    assert_non_null(strstr(unmapped("user = app\ngroups = 7", 1001, 1002), "4: [worker:a] groups: can't be had"));
    assert_non_null(strstr(unmapped("user = app\ngroups = 7", 1000, 1002), "3: [worker:a] user: can't be had"));
    assert_non_null(strstr(unmapped("group = 7\ngroups = 8", 1001, 7), "4: [worker:a] groups: can't be had"));
    assert_non_null(strstr(unmapped("group = 7\ngroups = 8", 1001, 1002), "3: [worker:a] group: can't be had"));
    assert_non_null(strstr(unmapped("user = app", 1001, 1003), "3: [worker:a] user: can't be had"));
    assert_string_equal(unmapped("user = app", 1001, 1002), "");
}

/* What ids_open() makes of a file with these bytes. */
static const char *opened(const char *bytes) {
    static char text[64];
    char path[] = "/tmp/test_accounts.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
    FILE *file = ids_open(path);
    assert_non_null(file);
    for (int i = 0; i < 2; i++) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        rewind(file);
    }
    fclose(file);
    close(fd);
    unlink(path);
    return text;
}

static void last_lines(void **state) {
    (void)state;
    assert_string_equal(opened(""), "");
    assert_string_equal(opened("\n"), "\n");
    assert_string_equal(opened("a:x:1:\nb:x:2:\n"), "a:x:1:\nb:x:2:\n");
    assert_string_equal(opened("a:x:1:\nb:x:2:"), "a:x:1:\nb:x:2:\n");
    assert_string_equal(opened("a"), "a\n");
    assert_null(ids_open("/tmp/test_accounts.none"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users),      cmocka_unit_test(groups),
        cmocka_unit_test(faults),     cmocka_unit_test(in_a_user_namespace),
        cmocka_unit_test(last_lines),
    };
    return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
