/* init/sockets.c: what is opened for a group and how, and that nothing is left where one of them can't be. Real
 * sockets, of ports that the kernel chooses and of paths below a directory of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/ids.h"
#include "init/sockets.h"
#include "tests/unit/config_helper.h"

static char directory[] = "/tmp/brood-sockets-XXXXXX";
static struct config config;
static char error[1000];

static int setup(void **state) {
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return rmdir(directory);
}

/* A group for each list of places; $ stands for the directory. */
static const struct spec *parse(const char *const *lists) {
    char text[4000] = "";
    for (size_t i = 0; lists[i]; i++) {
        size_t used = strlen(text);
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "[worker:g%zu]\nstart = x\ntype = cluster\nlisten = ", i);
        for (const char *c = lists[i]; *c; c++)
            used += (size_t)(*c == '$' ? snprintf(text + used, sizeof text - used, "%s", directory)
                                       : snprintf(text + used, sizeof text - used, "%c", *c));
        snprintf(text + used, sizeof text - used, "\n");
    }
    struct config_input input = helper_input(text, strlen(text));
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.errors, 0);
    return &config.spec;
}

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

static char *path_of(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void each_group_has_its_own(void **state) {
    (void)state;
    static const char *const lists[] = {"tcp://127.0.0.1:0, udp://127.0.0.1:0?name=dns&reuseport=yes",
                                        "unix:$/a?mode=0640", NULL};
    struct sockets *sockets = NULL;
    struct stat info;
    const int *fds = NULL;
    assert_int_equal(sockets_open(parse(lists), &sockets, error, sizeof error), 0);
    assert_int_equal(sockets_of(sockets, 0, &fds), 2);
    assert_string_equal(sockets_names(sockets, 0), "LISTEN_FDNAMES=g0:dns");
    assert_int_equal(option(fds[0], SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(option(fds[0], SOL_SOCKET, SO_REUSEPORT), 0);
    assert_int_equal(option(fds[0], SOL_SOCKET, SO_REUSEADDR), 1);
    assert_int_equal(option(fds[1], SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    assert_int_equal(option(fds[1], SOL_SOCKET, SO_REUSEPORT), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(fds[i], F_GETFL) & O_NONBLOCK, 0);
    }
    assert_int_equal(sockets_of(sockets, 1, &fds), 1);
    assert_string_equal(sockets_names(sockets, 1), "LISTEN_FDNAMES=g1");
    assert_int_equal(lstat(path_of("a"), &info), 0);
    assert_int_equal(info.st_mode, S_IFSOCK | 0640);
    sockets_close(sockets);
    assert_int_equal(lstat(path_of("a"), &info), -1);
    config_free(&config);
}

/* The third one's directory isn't there: the first two are closed, and the file of the second is removed. */
static void nothing_is_left_of_a_failure(void **state) {
    (void)state;
    static const char *const lists[] = {"tcp://127.0.0.1:0", "unix:$/a, unix:$/no/such", NULL};
    struct sockets *sockets = NULL;
    struct stat info;
    int before = dup(0);
    close(before);
    assert_int_equal(sockets_open(parse(lists), &sockets, error, sizeof error), -ENOENT);
    assert_null(sockets);
    assert_non_null(strstr(error, "[worker:g1] listen: cannot listen at unix:/tmp/"));
    assert_non_null(strstr(error, "/no/such: No such file or directory"));
    assert_int_equal(lstat(path_of("a"), &info), -1);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
    config_free(&config);
}

static void nobody_listens(void **state) {
    (void)state;
    static const struct spec none = {.groups_count = 0};
    struct sockets *sockets = (struct sockets *)&config;
    const int *fds = NULL;
    assert_int_equal(sockets_open(&none, &sockets, error, sizeof error), 0);
    assert_null(sockets);
    assert_int_equal(sockets_of(sockets, 0, &fds), 0);
    assert_null(sockets_names(sockets, 0));
    sockets_close(sockets);
}

/* A file that nobody has any more is replaced, of any type of socket; a live one isn't, also with a full backlog. */
static void a_file_that_is_there(void **state) {
    (void)state;
    static const char *const lists[] = {"unix:$/a", NULL};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    const struct spec *spec = parse(lists);
    snprintf(address.sun_path, sizeof address.sun_path, "%.60s/a", directory);
    for (size_t i = 0; i < 3; i++) {
        struct sockets *sockets = NULL;
        int other = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
        if (types[i] != SOCK_DGRAM)
            assert_int_equal(listen(other, 1), 0); /* two may wait: brood's own question, and the client */
        assert_int_equal(sockets_open(spec, &sockets, error, sizeof error), -EADDRINUSE);
        int client = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(sockets_open(spec, &sockets, error, sizeof error), -EADDRINUSE);
        assert_non_null(strstr(error, "; a live process has it"));
        close(client);
        close(other);
        assert_int_equal(access(address.sun_path, F_OK), 0);
        assert_int_equal(sockets_open(spec, &sockets, error, sizeof error), 0);
        sockets_close(sockets);
        assert_int_equal(access(address.sun_path, F_OK), -1);
    }
    config_free(&config);
}

struct faults {
    uint32_t count;
    uint32_t lines[8];
};

static void note(void *context, uint32_t line, const char *text) {
    struct faults *faults = context;
    assert_non_null(strstr(text, "] listen: \""));
    faults->lines[faults->count++] = line;
}

/* Each on the line of its own `listen`, the fourth of each section. */
static void what_the_machine_lacks_has_a_line(void **state) {
    (void)state;
    static const char *const lists[] = {"tcp://127.0.0.1:0",
                                        "unix:/a?user=no-such-user&group=root, unix:/b?group=none-such",
                                        "udp://no-such-host:5", NULL};
    struct faults faults = {.count = 0};
    assert_int_equal(sockets_check(parse(lists), note, &faults), 0);
    assert_int_equal(faults.count, 3);
    assert_int_equal(faults.lines[0], 8);
    assert_int_equal(faults.lines[1], 8);
    assert_int_equal(faults.lines[2], 12);
    config_free(&config);
}

static void owners_by_name_and_number(void **state) {
    (void)state;
    uid_t user = 7;
    gid_t group = 7;
    assert_int_equal(ids_find_user("root", &user), 0);
    assert_int_equal(user, 0);
    assert_int_equal(ids_find_user("4294967294", &user), 0);
    assert_int_equal(user, 4294967294u);
    assert_int_equal(ids_find_user("no-such-user", &user), -ENOENT);
    assert_int_equal(ids_find_group("root", &group), 0);
    assert_int_equal(group, 0);
    assert_int_equal(ids_find_group("12", &group), 0);
    assert_int_equal(group, 12);
    assert_int_equal(ids_find_group("no-such-group", &group), -ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_group_has_its_own),
        cmocka_unit_test(nothing_is_left_of_a_failure),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_file_that_is_there),
        cmocka_unit_test(what_the_machine_lacks_has_a_line),
        cmocka_unit_test(owners_by_name_and_number),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
