/* The process that the system tests run as a worker, a hook or a primary: its arguments are what it does, one after
 * the other. It blocks every signal at once and reads them with sigtimedwait(), so that none is missed or merged with
 * the logging of another.
 *
 * What happens is written to the FIFO in $EVENTS, one line "MS NAME WHAT", MS being CLOCK_MONOTONIC: the lines of all
 * processes of a test are in one order. NAME is $WORKER_NAME/$WORKER_INDEX unless `name:` says otherwise. A line is
 * one write() of less than PIPE_BUF.
 *
 * Words: name:NAME  say:TEXT  env:NAME  show  wait:MS  write:FD (a newline)  notify:TEXT  paint:TEXT (to stdout)
 *        member:NAME:MODE  setsid:NAME:MODE  orphan:NAME:MODE (double fork and setsid)  zombies:N
 *        exit:N  kill:SIGNAL-NUMBER  serve[:MODE]
 * MODE: commas between `ignore` (no signal ends it), `exit=N`, `die` (of the signal), `delay=MS`, `mute`, `only=N`
 * (just this signal number ends it). A process that serves ends by TERM, INT and QUIT with status 0. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct mode {
    bool ignore, die, mute;
    int status, delay, only;
};

static char name[256] = "?";
static sigset_t everything, former;
static char dispositions[65];

static long long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...) {
    char line[4096];
    int length = snprintf(line, sizeof line, "%lld %s ", now_ms(), name);
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = (int)sizeof line - 2;
    line[length++] = '\n';

    const char *path = getenv("EVENTS");
    int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0 || write(fd, line, (size_t)length) != length)
        _exit(99);
    close(fd);
}

static void name_from_environment(void) {
    const char *group = getenv("WORKER_NAME"), *index = getenv("WORKER_INDEX");
    if (group && index)
        snprintf(name, sizeof name, "%s/%s", group, index);
}

/* --- what it was born with --- */

static void show_set(const char *what, const sigset_t *set) {
    char text[512];
    int length = 0;
    text[0] = '\0';
    for (int i = 1; i < 65; i++)
        if (sigismember(set, i) == 1)
            length += snprintf(text + length, sizeof text - (size_t)length, "%s%d", length ? "," : "", i);
    say("%s=%s", what, text);
}

static void take_dispositions(void) {
    for (int i = 1; i < 65; i++) {
        struct sigaction action;
        bool ignored = sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
        dispositions[i] = ignored ? 'i' : '-';
    }
}

static void show_descriptors(void) {
    char text[1024];
    int length = 0;
    text[0] = '\0';
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            length += snprintf(text + length, sizeof text - (size_t)length, "%s%d", length ? "," : "", fd);
    say("fds=%s", text);
}

static void show_file(int fd) {
    char path[64], target[256];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    say("fd%d=%s", fd, target);
}

static void show(void) {
    sigset_t ignored;
    char directory[1024];
    sigemptyset(&ignored);
    for (int i = 1; i < 65; i++)
        if (dispositions[i] == 'i')
            sigaddset(&ignored, i);
    show_set("blocked", &former);
    show_set("ignored", &ignored);
    show_descriptors();
    for (int fd = 0; fd < 3; fd++)
        show_file(fd);
    say("pid=%d ppid=%d pgid=%d sid=%d", getpid(), getppid(), getpgid(0), getsid(0));
    say("cwd=%s", getcwd(directory, sizeof directory) ? directory : "?");
}

/* --- signals --- */

static struct mode mode_of(const char *text) {
    struct mode mode = {0};
    char copy[256], *rest = copy, *word;
    snprintf(copy, sizeof copy, "%s", text);
    while ((word = strsep(&rest, ",")) != NULL) {
        if (strcmp(word, "ignore") == 0)
            mode.ignore = true;
        else if (strcmp(word, "die") == 0)
            mode.die = true;
        else if (strcmp(word, "mute") == 0)
            mode.mute = true;
        else if (strncmp(word, "exit=", 5) == 0)
            mode.status = (int)strtol(word + 5, NULL, 10);
        else if (strncmp(word, "delay=", 6) == 0)
            mode.delay = (int)strtol(word + 6, NULL, 10);
        else if (strncmp(word, "only=", 5) == 0)
            mode.only = (int)strtol(word + 5, NULL, 10);
        else if (word[0] != '\0')
            _exit(98);
    }
    return mode;
}

static void note_signal(const struct mode *mode, int number) {
    if (mode->mute)
        return;
    const char *abbreviation = number < SIGRTMIN && number < 32 ? sigabbrev_np(number) : NULL;
    if (abbreviation)
        say("%s", abbreviation);
    else
        say("signal %d", number);
}

/* Notes the signals of the next ms milliseconds; returns the first that ends a process of this mode, or 0. */
static int receive(const struct mode *mode, long long ms) {
    long long end = now_ms() + ms;
    for (;;) {
        long long left = end - now_ms();
        struct timespec timeout = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        if (left < 0)
            return 0;
        int number = sigtimedwait(&everything, NULL, &timeout);
        if (number < 0)
            continue;
        if (number == SIGCHLD) {
            while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
            continue;
        }
        note_signal(mode, number);
        bool stops = mode->only ? number == mode->only : number == SIGTERM || number == SIGINT || number == SIGQUIT;
        if (stops && !mode->ignore)
            return number;
    }
}

static _Noreturn void die_of(int number) {
    sigset_t set;
    signal(number, SIG_DFL);
    raise(number);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(97);
}

/* posix_spawn() of glibc, which make uses, leaves 32 and 33 ignored in whatever it starts, and sigaction() refuses
 * them. */
static void default_for_internal_signals(void) {
    const struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } action = {.handler = SIG_DFL};
    for (int number = 32; number <= 33; number++)
        syscall(SYS_rt_sigaction, number, &action, NULL, sizeof action.mask);
}

static _Noreturn void serve(const char *text) {
    struct mode mode = mode_of(text), waiting = mode;
    int number;
    waiting.ignore = true;
    while ((number = receive(&mode, 3600 * 1000)) == 0)
        ;
    if (mode.delay > 0)
        receive(&waiting, mode.delay);
    if (mode.die)
        die_of(number);
    _exit(mode.status);
}

/* --- other processes --- */

/* NAME:MODE. The parent goes on when the child has said that it is there, in its own session where it takes one. */
static void fork_other(const char *text, bool session, bool twice) {
    char copy[256], byte = 0;
    int pipe_fds[2];
    snprintf(copy, sizeof copy, "%s", text);
    char *mode = strchr(copy, ':');
    if (mode)
        *mode++ = '\0';
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        _exit(96);
    pid_t pid = fork();
    if (pid == 0) {
        if (session)
            setsid();
        if (twice && fork() > 0)
            _exit(0);
        snprintf(name, sizeof name, "%s", copy);
        say("start %d", getpid());
        ssize_t written = write(pipe_fds[1], &byte, 1);
        close(pipe_fds[1]);
        if (written == 1)
            serve(mode ? mode : "");
        _exit(95);
    }
    close(pipe_fds[1]);
    if (read(pipe_fds[0], &byte, 1) != 1)
        _exit(94);
    close(pipe_fds[0]);
}

/* n processes whose parent ends before them: PID 1 has to reap each. */
static void leave_zombies(int n) {
    for (int i = 0; i < n; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            pid_t orphan = fork();
            _exit(orphan < 0 ? 1 : 0);
        }
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            _exit(93);
    }
}

static void notify(const char *text) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!path || fd < 0)
        _exit(92);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, length) < 0)
        say("notify failed: %s", strerror(errno));
    close(fd);
}

/* --- the words --- */

static const char *value_of(const char *word, const char *verb) {
    size_t length = strlen(verb);
    return strncmp(word, verb, length) == 0 && word[length] == ':' ? word + length + 1 : NULL;
}

static int number_of(const char *text) {
    return (int)strtol(text, NULL, 10);
}

/* What ends the process. */
static void do_last_word(const char *word) {
    const char *value;
    if ((value = value_of(word, "exit")))
        _exit(number_of(value));
    if ((value = value_of(word, "kill")))
        die_of(number_of(value));
    if ((value = value_of(word, "serve")))
        serve(value);
    if (strcmp(word, "serve") == 0)
        serve("");
    _exit(91);
}

static void do_word(const char *word) {
    const char *value;
    const struct mode waiting = {.ignore = true};
    if ((value = value_of(word, "name"))) {
        snprintf(name, sizeof name, "%s", value);
    } else if ((value = value_of(word, "say"))) {
        say("%s", value);
    } else if ((value = value_of(word, "env"))) {
        say("%s=%s", value, getenv(value) ? getenv(value) : "(unset)");
    } else if (strcmp(word, "all-default") == 0) {
        default_for_internal_signals();
    } else if (strcmp(word, "show") == 0) {
        show();
    } else if ((value = value_of(word, "wait"))) {
        receive(&waiting, number_of(value));
    } else if ((value = value_of(word, "write"))) {
        if (write(number_of(value), "\n", 1) != 1)
            say("write failed: %s", strerror(errno));
    } else if ((value = value_of(word, "paint"))) {
        if (write(1, value, strlen(value)) < 0 || write(1, "\n", 1) < 0)
            _exit(90);
    } else if ((value = value_of(word, "notify"))) {
        notify(value);
    } else if ((value = value_of(word, "member"))) {
        fork_other(value, false, false);
    } else if ((value = value_of(word, "setsid"))) {
        fork_other(value, true, false);
    } else if ((value = value_of(word, "orphan"))) {
        fork_other(value, true, true);
    } else if ((value = value_of(word, "zombies"))) {
        leave_zombies(number_of(value));
    } else {
        do_last_word(word);
    }
}

int main(int argc, char **argv) {
    sigfillset(&everything);
    take_dispositions();
    sigprocmask(SIG_SETMASK, &everything, &former);
    name_from_environment();
    for (int i = 1; i < argc; i++)
        do_word(argv[i]);
    return 0;
}
