/* init/sink.c and init/writer.c: every kind of file, full, gone and refused, and never a write that waits: an alarm
 * ends a test that blocks. The shared open file stays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/sink.h"

static char bytes[1 << 20];

static int before_each(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* brood blocks it, which is the same to write() */
    memset(bytes, 'x', sizeof bytes);
    alarm(20);
    return 0;
}

static void open_pipe(int ret[2]) {
    assert_int_equal(pipe2(ret, O_CLOEXEC), 0);
}

static void close_both(const int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

static void open_terminal(int ret[2]) {
    ret[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(ret[0] >= 0);
    assert_int_equal(unlockpt(ret[0]), 0);
    ret[1] = open(ptsname(ret[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(ret[1] >= 0);
}

/* Until nothing more is taken; how much was. */
static size_t fill(struct sink *sink) {
    size_t length = 0;
    for (;;) {
        ssize_t written = sink_write(sink, bytes, sizeof bytes);
        if (written < 0) {
            assert_int_equal(errno, EAGAIN);
            return length;
        }
        assert_true(written > 0);
        length += (size_t)written;
    }
}

/* Reads as much, waiting for it. */
static void drain(int fd, size_t length) {
    static char piece[65536];
    while (length > 0) {
        ssize_t got = read(fd, piece, length < sizeof piece ? length : sizeof piece);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++)
            assert_int_equal(piece[i], 'x');
        length -= (size_t)got;
    }
}

static bool is_writable(int fd, int timeout_ms) {
    struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
    return poll(&pollfd, 1, timeout_ms) == 1 && (pollfd.revents & POLLOUT);
}

/* Fills it, reads it empty, and it takes more: sink_watched() says so. */
static void check(const int ends[2], enum sink_way way) {
    struct sink sink = SINK_INIT(ends[1]);
    int flags = fcntl(ends[1], F_GETFL);
    for (int round = 0; round < 2; round++) {
        size_t length = fill(&sink);
        assert_int_equal(sink.way, way);
        assert_true(length >= 4096);
        drain(ends[0], length);
        assert_true(is_writable(sink_watched(&sink), 10000));
    }
    assert_true(sink_reset(&sink));
    assert_int_equal(sink.way, SINK_UNKNOWN);
    assert_int_equal(sink.own, -1);
    assert_int_equal(fcntl(ends[1], F_GETFL), flags);
    assert_int_equal(flags & O_NONBLOCK, 0);
}

static void test_pipe(void **state) {
    (void)state;
    int ends[2];
    open_pipe(ends);
    check(ends, SINK_OWN);
    close_both(ends);
}

static void test_socket(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    check(ends, SINK_SEND);
    close_both(ends);
}

static void test_terminal(void **state) {
    (void)state;
    int ends[2];
    open_terminal(ends);
    check(ends, SINK_OWN);
    close_both(ends);
}

static void test_file(void **state) {
    (void)state;
    char name[] = "/tmp/brood-test-sink-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    struct sink sink = SINK_INIT(fd);
    assert_int_equal(sink_write(&sink, bytes, 100), 100);
    assert_int_equal(sink.way, SINK_PLAIN);
    assert_int_equal(lseek(fd, 0, SEEK_END), 100);
    /* As a full disk: a part is taken, then EFBIG and what comes with it. */
    struct rlimit limit, small = {.rlim_cur = 150, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small.rlim_max = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ssize_t part = sink_write(&sink, bytes, 100), none = sink_write(&sink, bytes, 100);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(part, 50);
    assert_int_equal(none, -1);
    assert_int_equal(error, EFBIG);
    close(fd);
}

static void test_devices(void **state) {
    (void)state;
    static const struct {
        const char *path;
        ssize_t written;
        int error;
    } rows[] = {{"/dev/null", 4096, 0}, {"/dev/full", -1, ENOSPC}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = open(rows[i].path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        struct sink sink = SINK_INIT(fd);
        assert_int_equal(sink_write(&sink, bytes, sizeof bytes), rows[i].written);
        assert_int_equal(rows[i].written < 0 ? errno : 0, rows[i].error);
        assert_int_equal(sink.way, SINK_POLL);
        close(fd);
    }
}

static void test_closed(void **state) {
    (void)state;
    struct sink sink = SINK_INIT(999);
    assert_int_equal(sink_write(&sink, bytes, 100), 100);
    assert_int_equal(sink.way, SINK_NONE);
    assert_true(sink_reset(&sink));
}

/* A reader that went away: EPIPE of pipes and sockets, EIO of a terminal. */
static void test_gone(void **state) {
    (void)state;
    int pipe[2], sockets[2], terminal[2];
    open_pipe(pipe);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    open_terminal(terminal);
    const struct {
        const int *ends;
        int error;
    } rows[] = {{pipe, EPIPE}, {sockets, EPIPE}, {terminal, EIO}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sink sink = SINK_INIT(rows[i].ends[1]);
        assert_int_equal(sink_write(&sink, bytes, 1), 1);
        close(rows[i].ends[0]);
        assert_int_equal(sink_write(&sink, bytes, 1), -1);
        assert_int_equal(errno, rows[i].error);
        sink_reset(&sink);
        close(rows[i].ends[1]);
    }
}

/* --- what can't be opened again ----------------------------------------------------------------------------------- */

static bool switched;

/* Of this thread alone: glibc's seteuid() wants to be the same to all, and one that writes has no capability for it. */
static int become(uid_t user) {
    return (int)syscall(SYS_setresuid, -1, user, -1);
}

/* From here on the file is another user's. */
static void make_foreign(int fd) {
    assert_int_equal(fchmod(fd, 0), 0);
    switched = geteuid() == 0;
    assert_int_equal(switched ? become(65534) : 0, 0);
}

static void make_own(void) {
    assert_int_equal(switched ? become(0) : 0, 0);
}

static void test_pipe_of_another_user(void **state) {
    (void)state;
    int ends[2];
    open_pipe(ends);
    make_foreign(ends[1]);
    check(ends, SINK_HANDED);
    make_own();
    close_both(ends);
}

static void test_terminal_of_another_user(void **state) {
    (void)state;
    int ends[2];
    open_terminal(ends);
    make_foreign(ends[1]);
    check(ends, SINK_HANDED);
    make_own();
    close_both(ends);
}

/* Somebody else made the open file nonblocking: what is handed over is written all the same, in order. */
static void test_nonblocking_pipe_of_another_user(void **state) {
    (void)state;
    int ends[2];
    open_pipe(ends);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    make_foreign(ends[1]);
    struct sink sink = SINK_INIT(ends[1]);
    size_t length = fill(&sink);
    assert_int_equal(sink.way, SINK_HANDED);
    drain(ends[0], length);
    assert_true(sink_reset(&sink));
    make_own();
    close_both(ends);
}

/* What nobody takes is lost after a second, and that is said; the thread keeps nobody up. */
static void test_nobody_takes_the_last(void **state) {
    (void)state;
    int ends[2];
    open_pipe(ends);
    make_foreign(ends[1]);
    struct sink sink = SINK_INIT(ends[1]);
    fill(&sink);
    assert_false(sink_reset(&sink));
    assert_int_equal(sink.own, -1);
    make_own();
    close_both(ends);
}

static void test_gone_from_another_user(void **state) {
    (void)state;
    int ends[2];
    open_pipe(ends);
    make_foreign(ends[1]);
    struct sink sink = SINK_INIT(ends[1]);
    assert_int_equal(sink_write(&sink, bytes, 10), 10);
    assert_int_equal(sink.way, SINK_HANDED);
    drain(ends[0], 10);
    close(ends[0]);
    for (int lost = 0; lost < 2;) { /* the thread sees it first; then it stays so */
        bool gone = sink_write(&sink, bytes, 10) < 0;
        assert_true(gone ? errno == EPIPE || errno == ECONNRESET : lost == 0);
        lost += gone;
        assert_true(is_writable(sink_watched(&sink), 10000));
    }
    assert_true(sink_reset(&sink));
    make_own();
    close(ends[1]);
}

/* No descriptor for it now: small writes, after a look; with the next write it is tried again. */
static void test_no_descriptor_for_a_thread(void **state) {
    (void)state;
    int ends[2];
    struct rlimit limit;
    open_pipe(ends);
    make_foreign(ends[1]);
    struct sink sink = SINK_INIT(ends[1]);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 1, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ssize_t written = sink_write(&sink, bytes, sizeof bytes);
    enum sink_way way = sink.way;
    size_t length = fill(&sink);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(written, 4096);
    assert_int_equal(way, SINK_UNKNOWN);
    assert_true(length >= 4096);
    drain(ends[0], (size_t)written + length);
    check(ends, SINK_HANDED);
    make_own();
    close_both(ends);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pipe, before_each),
        cmocka_unit_test_setup(test_socket, before_each),
        cmocka_unit_test_setup(test_terminal, before_each),
        cmocka_unit_test_setup(test_file, before_each),
        cmocka_unit_test_setup(test_devices, before_each),
        cmocka_unit_test_setup(test_closed, before_each),
        cmocka_unit_test_setup(test_gone, before_each),
        cmocka_unit_test_setup(test_pipe_of_another_user, before_each),
        cmocka_unit_test_setup(test_terminal_of_another_user, before_each),
        cmocka_unit_test_setup(test_nonblocking_pipe_of_another_user, before_each),
        cmocka_unit_test_setup(test_nobody_takes_the_last, before_each),
        cmocka_unit_test_setup(test_gone_from_another_user, before_each),
        cmocka_unit_test_setup(test_no_descriptor_for_a_thread, before_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
