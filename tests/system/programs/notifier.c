/* A client of sd_notify that can also be a bad one: its arguments are what it does, one after the other, with the
 * datagrams written out by hand so that the library of nobody stands between a test and brood. */

/*   say:TEXT       a line into the FIFO in $EVENTS, as programs/worker.c writes them
 *   env:NAME       says NAME=VALUE, or NAME=(unset)
 *   send:TEXT      a datagram; %n in TEXT is a newline, @PID@ this process, @NUL@ a NUL
 *   fds:N:TEXT     a datagram with N descriptors; says "closed" once brood has closed the last, "kept" after 5 s
 *   barrier        fds:1:BARRIER=1
 *   large:N        a datagram of N bytes that begins with READY=1
 *   flood:N:TEXT   N datagrams, each waited for by the kernel; says "flooded"
 *   ignore:SIGNAL-NUMBER
 *   ping:MS:N      WATCHDOG=1 every MS milliseconds, N times
 *   main:HOW       forks a child that executes what follows --, tells brood its pid by MAINPID and waits until that is
 *                  read. HOW: same (in this group), group (a group of its own), session (a session of its own)
 *   reap           waits for that child's end
 *   wait           until a signal ends it
 *   exit:N
 *   -- PROGRAM...  executes it, in this process */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 253
#define BARRIER_MS 5000

static char **program; /* what follows -- */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...) {
    char line[2048];
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    const char *path = getenv("EVENTS"), *group = getenv("WORKER_NAME"), *index = getenv("WORKER_INDEX");
    int length = snprintf(line, sizeof line, "%lld %s/%s ", time.tv_sec * 1000LL + time.tv_nsec / 1000000,
                          group ? group : "?", index ? index : "?");
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0 || write(fd, line, (size_t)length) != length)
        _exit(99);
    close(fd);
}

/* One datagram with copies of fd, as often as count says. */
static void send_bytes(const char *bytes, size_t length, int fd, size_t count) {
    static int sender = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    if (sender < 0)
        sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!path || sender < 0)
        _exit(98);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = (void *)(size_t)bytes, .iov_len = length};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &vector, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *item = CMSG_FIRSTHDR(&message);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(count * sizeof(int));
        for (size_t i = 0; i < count; i++)
            memcpy(CMSG_DATA(item) + i * sizeof(int), &fd, sizeof fd);
    }
    if (sendmsg(sender, &message, MSG_NOSIGNAL) < 0)
        say("send failed: %s", strerror(errno));
}

static void send_text(const char *text, int fd, size_t count) {
    char bytes[8192];
    size_t length = 0;
    while (*text && length < sizeof bytes - 16) {
        if (strncmp(text, "%n", 2) == 0) {
            bytes[length++] = '\n';
            text += 2;
        } else if (strncmp(text, "@NUL@", 5) == 0) {
            bytes[length++] = '\0';
            text += 5;
        } else if (strncmp(text, "@PID@", 5) == 0) {
            length += (size_t)snprintf(bytes + length, 16, "%d", getpid());
            text += 5;
        } else {
            bytes[length++] = *text++;
        }
    }
    send_bytes(bytes, length, fd, count);
}

/* Whether brood has closed all it got. */
static bool send_and_wait(const char *text, size_t count) {
    int ends[2];
    if (count > FDS_MAX || pipe2(ends, O_CLOEXEC) < 0)
        _exit(97);
    send_text(text, ends[1], count);
    close(ends[1]);
    struct pollfd hangup = {.fd = ends[0]};
    bool closed = poll(&hangup, 1, BARRIER_MS) == 1;
    close(ends[0]);
    return closed;
}

static void send_large(size_t size) {
    char *bytes = malloc(size);
    if (!bytes)
        _exit(96);
    memset(bytes, 'x', size);
    memcpy(bytes, "READY=1\n", 8);
    send_bytes(bytes, size, -1, 0);
    free(bytes);
}

static void pause_ms(long ms) {
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static pid_t fork_main(const char *how) {
    char text[64];
    pid_t pid = fork();
    if (pid == 0) {
        if (strcmp(how, "session") == 0)
            setsid();
        if (strcmp(how, "group") == 0)
            setpgid(0, 0);
        execv(program[0], program);
        _exit(95);
    }
    snprintf(text, sizeof text, "MAINPID=%d", pid);
    send_text(text, -1, 0);
    say("main %d %s", pid, send_and_wait("BARRIER=1", 1) ? "told" : "not read");
    return pid;
}

static const char *value_of(const char *word, const char *verb) {
    size_t length = strlen(verb);
    return strncmp(word, verb, length) == 0 && word[length] == ':' ? word + length + 1 : NULL;
}

/* N:TEXT */
static long number_and_text(const char *value, const char **ret_text) {
    char *end;
    long number = strtol(value, &end, 10);
    *ret_text = *end == ':' ? end + 1 : end;
    return number;
}

static void do_word(const char *word) {
    static pid_t main_pid;
    const char *value, *text;
    int status;
    if ((value = value_of(word, "say"))) {
        say("%s", value);
    } else if ((value = value_of(word, "env"))) {
        say("%s=%s", value, getenv(value) ? getenv(value) : "(unset)");
    } else if ((value = value_of(word, "send"))) {
        send_text(value, -1, 0);
    } else if ((value = value_of(word, "fds"))) {
        long count = number_and_text(value, &text);
        say("%s", send_and_wait(text, (size_t)count) ? "closed" : "kept");
    } else if (strcmp(word, "barrier") == 0) {
        say("%s", send_and_wait("BARRIER=1", 1) ? "closed" : "kept");
    } else if ((value = value_of(word, "large"))) {
        send_large((size_t)number_and_text(value, &text));
    } else if ((value = value_of(word, "flood"))) {
        for (long left = number_and_text(value, &text); left > 0; left--)
            send_text(text, -1, 0);
        say("flooded");
    } else if ((value = value_of(word, "ignore"))) {
        signal((int)number_and_text(value, &text), SIG_IGN);
    } else if ((value = value_of(word, "ping"))) {
        long ms = number_and_text(value, &text);
        for (long left = strtol(text, NULL, 10); left > 0; left--) {
            send_text("WATCHDOG=1", -1, 0);
            pause_ms(ms);
        }
    } else if ((value = value_of(word, "main"))) {
        main_pid = fork_main(value);
    } else if (strcmp(word, "reap") == 0) {
        waitpid(main_pid, &status, 0);
    } else if (strcmp(word, "wait") == 0) {
        pause();
    } else if ((value = value_of(word, "exit"))) {
        _exit((int)strtol(value, NULL, 10));
    } else {
        _exit(94);
    }
}

int main(int argc, char **argv) {
    int words = 1;
    while (words < argc && strcmp(argv[words], "--") != 0)
        words++;
    program = argv + words + (words < argc);
    for (int i = 1; i < words; i++)
        do_word(argv[i]);
    if (program[0]) {
        execv(program[0], program);
        _exit(93);
    }
    return 0;
}
