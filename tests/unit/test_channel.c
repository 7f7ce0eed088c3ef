/* init/channel.c: what waits, what is written when, what is said once, and where brood's records come in between.
 * Standard error is a file of the test's own while a channel is to say something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/channel.h"
#include "init/watch.h"

static int epoll, kept_stderr, said;
static struct sink sink;
static struct channel channel;

static int setup(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    return epoll < 0 || kept_stderr < 0;
}

static int before_each(void **state) {
    (void)state;
    alarm(20);
    return 0;
}

static int open_file(void) {
    char name[] = "/tmp/brood-test-channel-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    return fd;
}

/* From here on a channel is open on fd, and what brood says goes to a file; asserts come after finish(). */
static void begin(int fd) {
    said = open_file();
    dup2(said, STDERR_FILENO);
    log_open();
    sink = (struct sink)SINK_INIT(fd);
    assert_int_equal(channel_open(&channel, &sink, epoll, 1), 0);
}

/* The channel stays as it was to be looked at; its buffer is gone. What was said is compared, up to errno's text. */
static void finish(const char *expected) {
    char text[1024] = "";
    channel_close(&channel);
    sink_reset(&sink);
    dup2(kept_stderr, STDERR_FILENO);
    log_open();
    assert_true(pread(said, text, sizeof text - 1, 0) >= 0);
    close(said);
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
    const char *newline = strchr(text, '\n');
    assert_true(newline == NULL ? *expected == '\0' : newline[1] == '\0');
}

static void put(const char *text) {
    size_t length = strlen(text);
    assert_true(channel_has_room(&channel, length));
    memcpy(channel.bytes + channel.end, text, length);
    channel.end += length;
}

static void expect(int fd, const char *text) {
    char got[256] = "";
    assert_int_equal(read(fd, got, sizeof got - 1), strlen(text));
    assert_string_equal(got, text);
}

/* A socket has both halves: its reader and its writer are told apart by what epoll says of the writer. */
static void open_socket(int ret[2]) {
    int size = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret), 0);
    assert_int_equal(setsockopt(ret[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
}

static void close_both(const int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

static void test_writes_when_flushed(void **state) {
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    begin(ends[1]);
    put("one\n");
    put("two");
    bool early = read(ends[0], &byte, 1) >= 0;
    channel_flush(&channel);
    bool torn = channel.torn;
    put("\n");
    channel_flush(&channel);
    finish("");
    assert_false(early);
    assert_true(torn);
    assert_false(channel.torn);
    assert_true(channel_is_empty(&channel));
    assert_int_equal(channel.written, 8);
    expect(ends[0], "one\ntwo\n");
    close_both(ends);
}

/* Short writes, until nothing is taken; epoll says once that there is room, and then all comes through in order. */
static void check_blocked(int in, int out) {
    static char got[CHANNEL_BYTES];
    size_t length = 0;
    struct epoll_event event;
    begin(in);
    for (size_t i = 0; i < CHANNEL_BYTES; i++)
        channel.bytes[i] = (char)('a' + i % 23);
    channel.end = CHANNEL_BYTES;
    channel_flush(&channel);
    bool blocked = channel.blocked, room = channel_has_room(&channel, CHANNEL_BYTES);
    size_t begun = channel.begin;
    channel_flush(&channel); /* does nothing, however often */
    bool unchanged = channel.begin == begun, too_early = epoll_wait(epoll, &event, 1, 0) != 0, told = true;
    while (length < CHANNEL_BYTES) {
        ssize_t part = read(out, got + length, CHANNEL_BYTES - length);
        length += part > 0 ? (size_t)part : 0;
        if (channel.blocked && epoll_wait(epoll, &event, 1, 0) == 1) {
            struct slot slot = watch_slot(event.data.u64);
            told = told && watch_source(event.data.u64) == SOURCE_OUTPUT_READY && slot.index == 1;
            told = told && epoll_wait(epoll, &event, 1, 0) == 0;
            channel.blocked = false;
        }
        channel_flush(&channel);
    }
    finish("");
    assert_true(blocked && !room && unchanged && !too_early && told);
    assert_true(begun > 0 && begun < CHANNEL_BYTES);
    assert_int_equal(channel.written, CHANNEL_BYTES);
    for (size_t i = 0; i < CHANNEL_BYTES; i++)
        assert_int_equal(got[i], 'a' + i % 23);
}

static void test_blocked_pipe(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    check_blocked(ends[1], ends[0]);
    close_both(ends);
}

static void test_blocked_socket(void **state) {
    (void)state;
    int ends[2];
    open_socket(ends);
    check_blocked(ends[1], ends[0]);
    close_both(ends);
}

/* Others write to the same pipe: what it takes ends with a line wherever one write() can keep that together. */
static void test_whole_lines(void **state) {
    (void)state;
    static const size_t lengths[] = {1, 100, 4095, 4096, 3000, 2000, 70};
    static char got[1 << 17];
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin(ends[1]);
    while (channel.end < CHANNEL_BYTES / 2) {
        size_t length = lengths[channel.end % 7];
        memset(channel.bytes + channel.end, 'x', length);
        channel.end += length;
        channel.bytes[channel.end - 1] = '\n';
    }
    channel_flush(&channel);
    bool blocked = channel.blocked, torn = channel.torn;
    finish("");
    ssize_t length = read(ends[0], got, sizeof got);
    assert_true(blocked && !torn);
    assert_true(length > 32768 && got[length - 1] == '\n');
    close_both(ends);
}

/* What waits moves to the front where more is to go behind it. */
static void test_makes_room(void **state) {
    (void)state;
    begin(open_file());
    memset(channel.bytes, 'x', CHANNEL_BYTES);
    memcpy(channel.bytes + CHANNEL_BYTES - 4, "rest", 4);
    channel.begin = CHANNEL_BYTES - 4;
    channel.end = CHANNEL_BYTES;
    bool none = channel_has_room(&channel, CHANNEL_BYTES - 3), some = channel_has_room(&channel, CHANNEL_BYTES - 4);
    bool moved = channel.begin == 0 && channel.end == 4 && memcmp(channel.bytes, "rest", 4) == 0;
    int fd = sink.fd;
    finish("");
    assert_true(!none && some && moved);
    close(fd);
}

static void test_reader_is_gone(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin(ends[1]);
    close(ends[0]);
    for (int i = 0; i < 3; i++) {
        put("line\n");
        channel_flush(&channel);
    }
    enum log_diverted diverted = channel_divert(&channel, "record\n", 7);
    finish("brood: warning: container: standard error is gone, what workers write there is dropped from now on: ");
    assert_true(channel.gone && channel_is_empty(&channel));
    assert_int_equal(diverted, LOG_NOT_DIVERTED);
    assert_int_equal(channel.written, 0);
    close(ends[1]);
}

static void test_terminal_hangs_up(void **state) {
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    begin(slave);
    bool terminal = channel.terminal;
    close(master);
    put("line\n");
    channel_flush(&channel);
    finish("brood: warning: container: standard error is gone, what workers write there is dropped from now on: ");
    assert_true(terminal && channel.gone);
    close(slave);
}

/* A disk that is full for a while: said once, then again when there was room in between. What brood says goes there
 * too, and doesn't make it say more. */
static void test_full_disk(void **state) {
    (void)state;
    struct rlimit limit, full;
    int fd = open_file();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    begin(fd);
    log_divert(channel_divert, &channel);
    full = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    for (int i = 0; i < 3; i++) {
        put("lost\n");
        channel_flush(&channel);
    }
    setrlimit(RLIMIT_FSIZE, &limit);
    bool gone = channel.gone, failing = channel.failing;
    put("kept\n");
    channel_flush(&channel);
    log_divert(NULL, NULL);
    finish("");
    assert_true(!gone && failing && !channel.failing);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    expect(fd, "kept\n");
    close(fd);
}

/* A record is written at once where nothing waits, behind what waits elsewhere, and refused where there is no room. */
static void test_records(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin(ends[1]);
    enum log_diverted empty = channel_divert(&channel, "1\n", 2);
    bool written = channel_is_empty(&channel);
    put("2\n");
    enum log_diverted behind = channel_divert(&channel, "3\n", 2);
    channel.blocked = true;
    enum log_diverted blocked = channel_divert(&channel, "4\n", 2);
    bool waits = channel.end - channel.begin == 2;
    channel.end = CHANNEL_BYTES;
    channel.begin = 0;
    enum log_diverted full = channel_divert(&channel, "5\n", 2);
    finish("");
    assert_int_equal(empty, LOG_DIVERTED);
    assert_int_equal(behind, LOG_DIVERTED);
    assert_int_equal(blocked, LOG_DIVERTED);
    assert_int_equal(full, LOG_REFUSED);
    assert_true(written && waits);
    expect(ends[0], "1\n2\n3\n");
    close_both(ends);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_writes_when_flushed, before_each),
        cmocka_unit_test_setup(test_blocked_pipe, before_each),
        cmocka_unit_test_setup(test_blocked_socket, before_each),
        cmocka_unit_test_setup(test_whole_lines, before_each),
        cmocka_unit_test_setup(test_makes_room, before_each),
        cmocka_unit_test_setup(test_reader_is_gone, before_each),
        cmocka_unit_test_setup(test_terminal_hangs_up, before_each),
        cmocka_unit_test_setup(test_full_disk, before_each),
        cmocka_unit_test_setup(test_records, before_each),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
