/* init/log.c: what is written, byte for byte, and that nothing ever blocks. Standard error is replaced by pipes,
 * sockets, terminals and files of the test's own; an alarm ends a test that blocks all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "init/log.h"

#define ROOM (1 << 20)

static int kept_stderr;
static char heard[ROOM];
static size_t heard_length;

/* From here on standard error is fd; the tests' own messages are lost, so asserts come after restore(). */
static void redirect(int fd) {
    dup2(fd, STDERR_FILENO);
    log_open();
}

static void restore(void) {
    log_close(); /* a thread may write there yet */
    dup2(kept_stderr, STDERR_FILENO);
    log_open();
}

/* Of this thread alone: glibc's seteuid() wants to be the same to all, and one that writes has no capability for it. */
static int become(uid_t user) {
    return (int)syscall(SYS_setresuid, -1, user, -1);
}

/* What can be read now. */
static void hear(int fd) {
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    heard_length = 0;
    while (heard_length < ROOM - 1 && poll(&pollfd, 1, 0) == 1 && (pollfd.revents & POLLIN)) {
        ssize_t length = read(fd, heard + heard_length, ROOM - 1 - heard_length);
        if (length <= 0)
            break;
        heard_length += (size_t)length;
    }
    heard[heard_length] = '\0';
}

static int setup(void **state) {
    (void)state;
    kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    signal(SIGPIPE, SIG_IGN);
    return kept_stderr < 0;
}

static int before_each(void **state) {
    (void)state;
    log_configure(LOG_INFO, LOG_TEXT);
    alarm(20);
    return 0;
}

static void open_pipe(int ret[2]) {
    assert_int_equal(pipe2(ret, O_CLOEXEC), 0);
}

/* --- what is written ---------------------------------------------------------------------------------------------- */

static void test_text(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    redirect(pipe[1]);
    struct log_fields fields = {.event = "exited", .pid = 12, .status = 1};
    log_record(LOG_WARNING, "web/0", &fields, "exited %d -> backoff %s", 1, "100ms");
    log_record(LOG_INFO, "container", NULL, "boot -> run");
    log_record(LOG_DEBUG, "container", NULL, "too quiet to be heard");
    log_record(LOG_ERROR, "a\nb", NULL, "tab\there\x1b[1m\x7f gr\xc3\xbc\xc3\x9f \xff\xc2\x9b.");
    log_line("a.ini:3: error: [worker:web] x: unknown key");
    restore();
    hear(pipe[0]);
    assert_string_equal(heard, "brood: warning: web/0[12]: exited 1 -> backoff 100ms\n"
                               "brood: info: container: boot -> run\n"
                               "brood: error: a?b: tab?here?[1m? gr\xc3\xbc\xc3\x9f ??.\n"
                               "a.ini:3: error: [worker:web] x: unknown key\n");
    close(pipe[0]);
    close(pipe[1]);
}

static void test_level(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    redirect(pipe[1]);
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        log_configure((enum log_level)level, LOG_TEXT);
        for (int of = LOG_ERROR; of <= LOG_DEBUG; of++)
            log_record((enum log_level)of, "c", NULL, "%d", level);
    }
    restore();
    assert_int_equal(log_level(), LOG_DEBUG);
    hear(pipe[0]);
    assert_string_equal(heard, "brood: error: c: 0\n"
                               "brood: error: c: 1\nbrood: warning: c: 1\n"
                               "brood: error: c: 2\nbrood: warning: c: 2\nbrood: info: c: 2\n"
                               "brood: error: c: 3\nbrood: warning: c: 3\nbrood: info: c: 3\nbrood: debug: c: 3\n");
    close(pipe[0]);
    close(pipe[1]);
}

/* {"time":"2026-01-01T00:00:00.000Z", begins every record; the rest is compared. Returns the time in seconds. */
static time_t take_time(const char *line, const char **ret_rest) {
    struct tm tm = {0};
    int milliseconds = -1, length = 0;
    assert_int_equal(sscanf(line, "{\"time\":\"%4d-%2d-%2dT%2d:%2d:%2d.%3dZ\",%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                            &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &milliseconds, &length),
                     7);
    assert_int_equal(length, (int)strlen("{\"time\":\"2026-01-01T00:00:00.000Z\","));
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *ret_rest = line + length;
    return timegm(&tm);
}

static void test_json(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    redirect(pipe[1]);
    log_configure(LOG_INFO, LOG_JSON);
    time_t before = time(NULL);
    struct log_fields fields = {.event = "killed", .pid = 12, .status = -1, .signal = SIGTERM, .sigrtmin = 34};
    log_record(LOG_WARNING, "web/0", &fields, "killed by TERM");
    struct log_fields exited = {.event = "exited", .pid = 12, .status = 0};
    log_record(LOG_INFO, "web/0", &exited, "exited 0");
    log_record(LOG_INFO, "a\"b", NULL, "\"q\" \\ \n\t\x1b\x7f \xc3\xbc \xff \xe2\x82 \xed\xa0\x80 \xf0\x9f\x90\xa3");
    time_t after = time(NULL);
    restore();
    hear(pipe[0]);
    const char *rest;
    char *lines = heard, *line = strsep(&lines, "\n");
    time_t when = take_time(line, &rest);
    assert_true(when >= before - 1 && when <= after + 1);
    assert_string_equal(rest, "\"level\":\"warning\",\"subject\":\"web/0\",\"event\":\"killed\","
                              "\"message\":\"killed by TERM\",\"pid\":12,\"signal\":\"TERM\"}");
    line = strsep(&lines, "\n");
    take_time(line, &rest);
    assert_string_equal(rest, "\"level\":\"info\",\"subject\":\"web/0\",\"event\":\"exited\","
                              "\"message\":\"exited 0\",\"pid\":12,\"status\":0}");
    line = strsep(&lines, "\n");
    take_time(line, &rest);
    assert_string_equal(rest,
                        "\"level\":\"info\",\"subject\":\"a\\\"b\",\"event\":\"message\",\"message\":"
                        "\"\\\"q\\\" \\\\ \\u000a\\u0009\\u001b\\u007f \xc3\xbc \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd "
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xf0\x9f\x90\xa3\"}");
    assert_string_equal(lines, "");
    close(pipe[0]);
    close(pipe[1]);
}

/* Too long by one or by much, with characters of one and two bytes at every offset: cut between two characters. */
static void test_cut(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    assert_true(fcntl(pipe[1], F_SETPIPE_SZ, 65536) >= 65536);
    static char text[8192];
    for (size_t offset = 0; offset < 4; offset++) {
        for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
            memset(text, 'x', offset);
            for (size_t i = offset; i + 2 < sizeof text; i += 2)
                memcpy(text + i, "\xc3\xbc", 3);
            struct log_fields fields = {.event = "exited", .pid = 7, .status = 3};
            redirect(pipe[1]);
            log_configure(LOG_INFO, (enum log_format)format);
            log_record(LOG_INFO, "web/0", &fields, "%s", text);
            restore();
            hear(pipe[0]);
            const char *end =
                format == LOG_TEXT ? "\xc3\xbc\xe2\x80\xa6\n" : "\xc3\xbc\xe2\x80\xa6\",\"pid\":7,\"status\":3}\n";
            assert_true(heard_length <= 4096 && heard_length >= 4092);
            assert_string_equal(heard + heard_length - strlen(end), end);

            redirect(pipe[1]);
            log_line(text);
            restore();
            hear(pipe[0]);
            assert_true(heard_length <= 4096 && heard_length >= 4094);
            assert_string_equal(heard + heard_length - 6, "\xc3\xbc\xe2\x80\xa6\n");
        }
    }
    close(pipe[0]);
    close(pipe[1]);
}

static void test_keeps_errno(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    close(pipe[0]);
    errno = ENOTTY;
    redirect(pipe[1]);
    int after_open = errno;
    errno = EXDEV;
    log_record(LOG_ERROR, "c", NULL, "into a pipe that nobody reads");
    log_line("too");
    int after_write = errno;
    restore();
    assert_int_equal(after_open, ENOTTY);
    assert_int_equal(after_write, EXDEV);
    close(pipe[1]);
}

/* --- how it is written -------------------------------------------------------------------------------------------- */

/* Fills standard error (write end `in`) until a record is dropped, reads it empty at `out`, writes one more: nothing
 * blocks, no line is torn, the count is right, and the workers' open file is as it was. */
static void check_full(int in, int out, size_t least) {
    enum { RECORDS = 3000 };
    int flags = fcntl(in, F_GETFL);
    redirect(in);
    for (int i = 0; i < RECORDS; i++)
        log_record(LOG_INFO, "web/0", NULL, "number %d %0100d", i, 0);
    int flags_after = fcntl(STDERR_FILENO, F_GETFL);
    hear(out);
    int through = 0;
    bool in_order = true;
    char *rest = heard, *line;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char expected[256];
        snprintf(expected, sizeof expected, "brood: info: web/0: number %d %0100d", through++, 0);
        in_order = in_order && strcmp(line, expected) == 0;
    }
    log_record(LOG_INFO, "web/0", NULL, "last");
    log_record(LOG_INFO, "web/0", NULL, "very last");
    hear(out);
    restore();

    char expected[256];
    snprintf(expected, sizeof expected,
             "brood: warning: log: %d records were dropped: standard error took no more\n"
             "brood: info: web/0: last\nbrood: info: web/0: very last\n",
             RECORDS - through);
    assert_true(in_order);
    assert_true((size_t)through >= least && through < RECORDS);
    assert_string_equal(heard, expected);
    assert_int_equal(flags, flags_after);
    assert_int_equal(flags & O_NONBLOCK, 0);
}

static void test_full_pipe(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    assert_true(fcntl(pipe[1], F_SETPIPE_SZ, 4096) >= 4096);
    check_full(pipe[1], pipe[0], 20);
    close(pipe[0]);
    close(pipe[1]);
}

/* The pipe of another user can't be opened again: a thread writes. What its socket doesn't take is dropped and counted,
 * in between too since the thread goes on; every other record comes through, whole and in order. */
static void test_full_pipe_of_another_user(void **state) {
    (void)state;
    enum { RECORDS = 3000 };
    int pipe[2], last = -1, through = 0, dropped = 0;
    open_pipe(pipe);
    assert_true(fcntl(pipe[1], F_SETPIPE_SZ, 4096) >= 4096);
    assert_int_equal(fchmod(pipe[1], 0), 0);
    bool root = geteuid() == 0;
    assert_int_equal(root ? become(65534) : 0, 0);
    redirect(pipe[1]);
    for (int i = 0; i < RECORDS; i++)
        log_record(LOG_INFO, "web/0", NULL, "number %d %0100d", i, 0);
    FILE *reader = fdopen(pipe[0], "r");
    char line[256] = "";
    bool whole = reader != NULL, ended = false, room = false;
    while (whole && !ended && fgets(line, sizeof line, reader) != NULL) {
        int number = -1, length = 0, count = 0;
        if (sscanf(line, "brood: info: web/0: number %d 0%n", &number, &length) == 1 && number > last) {
            whole = strlen(line) - (size_t)length == 100;
            through++;
            last = number;
        } else if (sscanf(line, "brood: warning: log: %d record", &count) == 1) {
            dropped += count;
        } else {
            ended = true;
        }
        if (through == 200 &&
            !room) { /* more than the pipe and the thread hold: its socket has room for what is owed */
            log_record(LOG_INFO, "web/0", NULL, "last");
            room = true;
        }
    }
    restore();
    assert_int_equal(root ? become(0) : 0, 0);
    assert_true(whole);
    assert_string_equal(line, "brood: info: web/0: last\n");
    assert_true(through >= 200 && through < RECORDS);
    assert_int_equal(through + dropped, RECORDS);
    fclose(reader);
    close(pipe[1]);
}

/* The last record waits for a reader that comes late, and for a second where none does; before, nothing ever waits. */
static void test_last(void **state) {
    (void)state;
    int pipe[2];
    for (int late = 0; late <= 1; late++) {
        open_pipe(pipe);
        redirect(pipe[1]);
        for (int i = 0; i < 20000; i++)
            log_record(LOG_INFO, "c", NULL, "%d", i);
        pid_t child = late ? fork() : 0;
        if (late && child == 0) {
            poll(NULL, 0, 20);
            _exit(read(pipe[0], heard, 32768) != 32768);
        }
        log_last();
        log_record(LOG_INFO, "c", NULL, "last");
        restore();
        int status = 0;
        assert_true(child >= 0 && (!late || waitpid(child, &status, 0) == child));
        assert_int_equal(status, 0);
        hear(pipe[0]);
        assert_int_equal(strstr(heard, "brood: info: c: last\n") != NULL, late);
        close(pipe[0]);
        close(pipe[1]);
    }
}

/* A stream socket that is nearly full takes a part of a record. That part is counted as lost, and the next record
 * begins on a new line. */
static void test_torn_line(void **state) {
    (void)state;
    int sockets[2], size = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    int whole = 0, torn = 0, confessed = 0, sent = 0;
    for (int length = 2000; length < 4000; length += 37) {
        redirect(sockets[0]);
        for (int i = 0; i < 5; i++, sent++)
            log_record(LOG_INFO, "c", NULL, "%0*d", i == 0 ? 50 : length, 0);
        hear(sockets[1]);
        size_t torn_at = heard_length > 0 && heard[heard_length - 1] != '\n' ? heard_length : 0;
        char first[1 << 16];
        memcpy(first, heard, heard_length + 1);
        log_record(LOG_INFO, "c", NULL, "end");
        hear(sockets[1]);
        restore();
        if (torn_at > 0) {
            torn++;
            assert_int_equal(heard[0], '\n');
        }
        char *rest = first, *line;
        while ((line = strsep(&rest, "\n")) != NULL) {
            size_t width = strlen(line) - (*line != '\0' ? strlen("brood: info: c: ") : 0);
            whole += width == 50 || width == (size_t)length;
        }
        int dropped;
        const char *number = strstr(heard, "brood: warning: log: ");
        if (number != NULL && sscanf(number, "brood: warning: log: %d", &dropped) == 1)
            confessed += dropped;
        const char *end = "brood: info: c: end\n";
        assert_string_equal(heard + heard_length - strlen(end), end);
        assert_true(heard_length == strlen(end) || heard[heard_length - strlen(end) - 1] == '\n');
    }
    assert_true(torn > 0);
    assert_int_equal(whole + confessed, sent);
    close(sockets[0]);
    close(sockets[1]);
}

static void test_file(void **state) {
    (void)state;
    char name[] = "/tmp/brood-test-log-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    redirect(fd);
    log_record(LOG_INFO, "c", NULL, "one");
    log_line("two");
    restore();
    char text[128] = "";
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "brood: info: c: one\ntwo\n");
    close(fd);
}

/* A file that gets number 2 later isn't the log. */
static void test_closed(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    close(STDERR_FILENO);
    log_open();
    log_record(LOG_ERROR, "c", NULL, "nowhere");
    dup2(pipe[1], STDERR_FILENO);
    log_record(LOG_ERROR, "c", NULL, "not here");
    log_line("nor this");
    restore();
    hear(pipe[0]);
    assert_string_equal(heard, "");
    close(pipe[0]);
    close(pipe[1]);
}

/* Opened again with standard input and output closed: their numbers stay free. */
static void test_spares_low_descriptors(void **state) {
    (void)state;
    int pipe[2];
    open_pipe(pipe);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        redirect(pipe[1]);
        bool free = fcntl(STDIN_FILENO, F_GETFD) < 0 && fcntl(STDOUT_FILENO, F_GETFD) < 0;
        log_record(LOG_INFO, "c", NULL, "heard");
        _exit(free ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    hear(pipe[0]);
    assert_string_equal(heard, "brood: info: c: heard\n");
    close(pipe[0]);
    close(pipe[1]);
}

/* ^S on a terminal: records are dropped, nobody waits for the ^Q. Where it is another user's a thread waits for it,
 * with the records that fit. */
static void check_stopped_terminal(bool another_user) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    bool switched = another_user && geteuid() == 0;
    if (another_user) {
        assert_int_equal(fchmod(slave, 0), 0);
        assert_int_equal(switched ? become(65534) : 0, 0);
    }
    redirect(slave);
    log_record(LOG_INFO, "c", NULL, "before");
    int stopped = tcflow(slave, TCOOFF);
    log_record(LOG_INFO, "c", NULL, "stopped");
    int continued = tcflow(slave, TCOON);
    log_record(LOG_INFO, "c", NULL, "after");
    restore();
    assert_int_equal(switched ? become(0) : 0, 0);
    const char *end = "c: after\r\n";
    char all[1024] = "";
    size_t length = 0;
    while (strstr(all, end) == NULL && length < sizeof all - 1) {
        ssize_t got = read(master, all + length, sizeof all - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        all[length] = '\0';
    }
    assert_int_equal(stopped, 0);
    assert_int_equal(continued, 0);
    assert_string_equal(all, another_user
                                 ? "brood: info: c: before\r\nbrood: info: c: stopped\r\nbrood: info: c: after\r\n"
                                 : "brood: info: c: before\r\n"
                                   "brood: warning: log: 1 record was dropped: standard error took no more\r\n"
                                   "brood: info: c: after\r\n");
    close(slave);
    close(master);
}

static void test_stopped_terminal(void **state) {
    (void)state;
    check_stopped_terminal(false);
}

static void test_stopped_terminal_of_another_user(void **state) {
    (void)state;
    check_stopped_terminal(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_text, before_each),
        cmocka_unit_test_setup(test_level, before_each),
        cmocka_unit_test_setup(test_json, before_each),
        cmocka_unit_test_setup(test_cut, before_each),
        cmocka_unit_test_setup(test_full_pipe, before_each),
        cmocka_unit_test_setup(test_full_pipe_of_another_user, before_each),
        cmocka_unit_test_setup(test_last, before_each),
        cmocka_unit_test_setup(test_torn_line, before_each),
        cmocka_unit_test_setup(test_file, before_each),
        cmocka_unit_test_setup(test_closed, before_each),
        cmocka_unit_test_setup(test_spares_low_descriptors, before_each),
        cmocka_unit_test_setup(test_stopped_terminal, before_each),
        cmocka_unit_test_setup(test_stopped_terminal_of_another_user, before_each),
        cmocka_unit_test_setup(test_keeps_errno, before_each), /* the last: its records are owed to whoever is next */
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
