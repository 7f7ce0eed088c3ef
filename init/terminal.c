/* Terminals: see terminal.h. The kernel's rules that this follows:
 *
 * A group whose members' parents all lie in it or in other sessions is orphaned, and TSTP, TTIN and TTOU don't stop it.
 * So a command in a session of its own can't be suspended, one that has only a group of its own can.
 * From a group that isn't the foreground one tcsetpgrp() raises TTOU, unless that is blocked, which it is in brood and
 * in its child up to the exec. TIOCNOTTY of a session's leader sends HUP and CONT to the foreground group; on Linux
 * 6.18 they come as from the caller itself (SI_USER, its own pid), not as from the kernel. CONT takes effect when it is
 * sent, and stays pending where it is blocked: that is how brood knows that it was stopped. PID 1 of a namespace never
 * stops by a signal from inside, and a group that lies outside has no number there: 0, of which there may be many. */
#include "init/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/inherited.h"

void terminal_open(struct terminal *ret, bool wanted, int outer, uint64_t ignored) {
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    *ret = (struct terminal){.kind = TERMINAL_NONE, .fd = -1, .outer = -1, .had = fd >= 0, .ignored = ignored};
    if (fd < 0 || !wanted) {
        fd_close(&fd);
        return;
    }
    ret->kind = getsid(0) == getpid() ? TERMINAL_LED : TERMINAL_SHARED;
    ret->fd = fd;
    ret->outer = outer > 0 ? outer : -1;
}

void terminal_keep_together(struct terminal *terminal) {
    terminal->kind = TERMINAL_JOINED;
}

/* --- a terminal that brood leads --- */

/* Takes the HUP and CONT that TIOCNOTTY has sent. One that was pending already swallowed the kernel's: it is somebody
 * else's, and put back. */
static void consume(void) {
    uint64_t set = signal_bit(SIGHUP) | signal_bit(SIGCONT);
    CLEANUP_FD int fd = (int)syscall(SYS_signalfd4, -1, &set, (size_t)SIGNAL_SET_BYTES, SFD_CLOEXEC | SFD_NONBLOCK);
    struct signalfd_siginfo infos[2];
    ssize_t length = fd < 0 ? -1 : read(fd, infos, sizeof infos);
    for (ssize_t i = 0; i < length / (ssize_t)sizeof infos[0]; i++)
        if (infos[i].ssi_code != SI_KERNEL && infos[i].ssi_pid != (uint32_t)getpid())
            kill(getpid(), (int)infos[i].ssi_signo);
}

void terminal_release(struct terminal *terminal) {
    if (terminal->kind != TERMINAL_LED || terminal->released || ioctl(terminal->fd, TIOCNOTTY) < 0)
        return;
    terminal->released = true;
    terminal->had = false;
    consume();
}

/* --- the foreground --- */

/* Whether brood's own group is in the foreground. Where it has no number here, a read of nothing tells: in the
 * background it says EIO, TTIN being blocked. It never waits, and takes nothing. */
static bool is_foreground(const struct terminal *terminal) {
    char nothing;
    pid_t own = getpgrp();
    if (tcgetpgrp(terminal->fd) != own)
        return false;
    return own != 0 || read(terminal->fd, &nothing, 0) >= 0 || errno == EAGAIN;
}

/* Whether brood keeps its terminal, and so is to leave it as it was. */
static bool stays(const struct terminal *terminal) {
    return terminal->kind == TERMINAL_SHARED || terminal->kind == TERMINAL_JOINED;
}

static bool hand_over(struct terminal *terminal) {
    return terminal->command > 0 && is_foreground(terminal) && tcsetpgrp(terminal->fd, terminal->command) == 0;
}

/* Where the command's group has the foreground, or one that has nobody in it. Whoever else has it was given it: by the
 * shell that brood is a job of, or by a shell that is left of the command. */
static void take_back(const struct terminal *terminal, pid_t command) {
    pid_t owner = tcgetpgrp(terminal->fd);
    if (owner > 0 && (owner == command || (kill(-owner, 0) < 0 && errno == ESRCH)))
        tcsetpgrp(terminal->fd, getpgrp());
}

void terminal_close(struct terminal *terminal) {
    if (stays(terminal) && terminal->foreground)
        take_back(terminal, terminal->command);
    fd_close(&terminal->fd);
}

/* --- the command --- */

void terminal_prepare(struct terminal *terminal) {
    if (!stays(terminal))
        return;
    terminal->foreground = is_foreground(terminal);
    if (terminal->foreground && !terminal->has_modes)
        terminal->has_modes = tcgetattr(terminal->fd, &terminal->modes) == 0;
}

void terminal_join(const struct terminal *terminal) {
    if (terminal && terminal->kind == TERMINAL_JOINED)
        return;
    if (!terminal || terminal->kind != TERMINAL_SHARED) {
        setsid(); /* can't fail: a forked child leads no group */
        if (terminal && terminal->kind == TERMINAL_LED)
            ioctl(terminal->fd, TIOCSCTTY, 0); /* 1 would take it from whoever has it */
        return;
    }
    setpgid(0, 0);
    if (terminal->foreground)
        tcsetpgrp(terminal->fd, getpid());
}

void terminal_started(struct terminal *terminal, pid_t pid) {
    terminal->command = pid;
    terminal->suspended = false;
}

/* A shell puts the terminal's modes back where its job dies of a signal. brood turns that death into a status, which
 * looks as if the command had tidied up. */
void terminal_ended(struct terminal *terminal, bool killed) {
    pid_t command = terminal->command;
    terminal->command = 0;
    terminal->suspended = false;
    if (!stays(terminal))
        return;
    if (terminal->foreground)
        take_back(terminal, command);
    if (killed && terminal->has_modes && is_foreground(terminal))
        tcsetattr(terminal->fd, TCSANOW, &terminal->modes);
}

/* --- stopping and going on --- */

/* Ctrl-Z would have stopped everybody in brood's group (npm, the shell between), had the command been in it: so does
 * this. Somebody's STOP was meant for one process. Returns false where the kernel didn't stop brood. */
static bool stop_self(const struct terminal *terminal, int signal) {
    sigset_t pending;
    bool ignored = terminal->ignored & signal_bit(signal);
    if (ignored && signal != SIGSTOP)
        signal_set_ignored(signal, false);
    kill(signal == SIGSTOP ? getpid() : 0, signal);
    signal_mask_set(SIGNAL_SET_ALL & ~signal_bit(signal));
    signal_mask_set(SIGNAL_SET_ALL);
    if (ignored && signal != SIGSTOP)
        signal_set_ignored(signal, true);
    return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

static bool tell_outer(const struct terminal *terminal, int signal) {
    uint8_t byte = (uint8_t)signal;
    return terminal->outer >= 0 && write(terminal->outer, &byte, sizeof byte) == (ssize_t)sizeof byte;
}

bool terminal_stopped(struct terminal *terminal, int signal) {
    /* A shell that brings a running job to the foreground tells nobody; the command has now asked for it. */
    if ((signal == SIGTTIN || signal == SIGTTOU) && hand_over(terminal))
        return true;
    terminal->suspended = true;
    if (tell_outer(terminal, signal) || stop_self(terminal, signal) || signal == SIGSTOP)
        return false;
    /* In an orphaned group nobody would continue the command either; but one that asks for a terminal that somebody
     * else has would only ask again. PID 1 can't know: a shell above may be about to take the terminal, and a command
     * that waits in read() would then share what is typed with it. */
    terminal->suspended = signal != SIGTSTP || getpid() == 1;
    return !terminal->suspended;
}

bool terminal_continued(struct terminal *terminal) {
    if (terminal->kind != TERMINAL_SHARED)
        return false;
    if (hand_over(terminal))
        terminal->foreground = true;
    bool ends_stop = terminal->suspended;
    terminal->suspended = false;
    return ends_stop;
}

bool terminal_has_told(const struct terminal *terminal, int signal) {
    bool sent_to_groups = signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP || signal == SIGWINCH;
    return sent_to_groups && terminal->kind == TERMINAL_JOINED && terminal->command > 0 &&
           getpgid(terminal->command) == getpgrp();
}

bool terminal_hung_up(const struct terminal *terminal) {
    if (!terminal->had)
        return false;
    CLEANUP_FD int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 && (errno == ENXIO || errno == EIO);
}
