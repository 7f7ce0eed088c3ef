/* The first things that happen in brood, and the reason why they are raw system calls: glibc keeps signals 32 and 33 to
 * itself. Its sigfillset() leaves them out and its sigaction() refuses them, but anybody can send them, and their
 * default is to kill. So sets here are the kernel's 64 bits.
 *
 * Blocked signals stay pending instead of being ignored, even at PID 1, which has no default action for them; that is
 * what keeps a TERM that comes before the loop runs. */
#include "init/inherited.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/sandbox.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#define DESCRIPTORS_MANY 65536 /* where the kernel has no close_range(), numbers above this are not looked at */

/* The kernel's struct sigaction, the same on x86-64 and arm64. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

void signal_mask_set(uint64_t mask) {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, (size_t)SIGNAL_SET_BYTES);
}

void signal_set_ignored(int number, bool ignored) {
    struct kernel_action action = {.handler = ignored ? SIG_IGN : SIG_DFL};
    syscall(SYS_rt_sigaction, number, &action, NULL, (size_t)SIGNAL_SET_BYTES);
}

/* The bit of a signal that is ignored, else 0. */
static uint64_t ignored_bit(int number) {
    struct kernel_action action = {0};
    bool ignored =
        syscall(SYS_rt_sigaction, number, NULL, &action, (size_t)SIGNAL_SET_BYTES) == 0 && action.handler == SIG_IGN;
    return ignored ? signal_bit(number) : 0;
}

/* Closed standard descriptors would be taken by the next open(): an epoll as somebody's standard output. They are held
 * close-on-exec, so that a command that was started with a closed one still finds it closed. */
static uint8_t reserve_standard(void) {
    uint8_t closed = 0;
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        int opened = open("/dev/null", (fd == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
        if (opened < 0) /* no /dev: a descriptor that can neither be read nor written will do */
            opened = open("/", O_PATH | O_CLOEXEC);
        if (opened == fd)
            closed |= (uint8_t)(1 << fd);
        else
            fd_close(&opened);
    }
    return closed;
}

/* As PID 1 alone, and a pipe, or it is somebody else's variable. */
static int take_stopped(void) {
    struct stat info;
    const char *text = getenv(SANDBOX_STOPPED_TO);
    long fd = text && getpid() == 1 ? strtol(text, NULL, 10) : 0;
    unsetenv(SANDBOX_STOPPED_TO);
    if (fd < 3 || fd > INT_MAX || fstat((int)fd, &info) < 0 || !S_ISFIFO(info.st_mode))
        return 0;
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return (int)fd;
}

static void raise_nofile(struct inherited *inherited) {
    if (getrlimit(RLIMIT_NOFILE, &inherited->nofile) < 0)
        return;
    if (inherited->nofile.rlim_cur == inherited->nofile.rlim_max)
        return;
    struct rlimit raised = {.rlim_cur = inherited->nofile.rlim_max, .rlim_max = inherited->nofile.rlim_max};
    inherited->has_nofile = setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

void inherited_take(struct inherited *ret) {
    struct inherited inherited = {0};
    uint64_t all = SIGNAL_SET_ALL;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &inherited.mask, (size_t)SIGNAL_SET_BYTES);
    inherited.ignored = ignored_bit(SIGCHLD) | ignored_bit(SIGTSTP) | ignored_bit(SIGTTIN) | ignored_bit(SIGTTOU);
    signal_set_ignored(SIGCHLD, false); /* ignored, the kernel would reap in brood's place */
    inherited.closed = reserve_standard();
    inherited.stopped_fd = take_stopped();
    raise_nofile(&inherited);
    *ret = inherited;
}

static void seal_one_by_one(void) {
    struct rlimit limit;
    int end = DESCRIPTORS_MANY;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_MANY)
        end = (int)limit.rlim_cur;
    for (int fd = 3; fd < end; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0)
            fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
}

void inherited_seal(struct inherited *inherited) {
    for (int number = 1; number <= 64; number++)
        if (number != SIGCHLD) /* which was reset */
            inherited->ignored |= ignored_bit(number);
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        seal_one_by_one();
    for (int fd = 0; fd <= 2; fd++)
        if (inherited->closed >> fd & 1)
            fcntl(fd, F_SETFD, 0);
}
