/* The controlling terminal, where there is a COMMAND that works at it.
 *
 * A brood that leads the session of its terminal (docker run -it) gives it to the command, session and all. Below a
 * shell the session is somebody else's: the command gets a process group of its own in it, brood hands the foreground
 * on and takes it back, and stops and goes on together with the command, so that the shell sees one job.
 *
 * Known by /dev/tty alone, the one name that is never another terminal than brood's own.
 * Sources: credentials(7), termios(3), ioctl_tty(2), setsid(2), signal(7), POSIX 11.1 (general terminal interface). */
#ifndef INIT_TERMINAL_H
#define INIT_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

enum terminal_kind {
    TERMINAL_NONE,   /* no terminal, or no command for it: a session of its own */
    TERMINAL_LED,    /* brood leads its session: the command will */
    TERMINAL_SHARED, /* somebody else does: the command gets a group of its own in that session */
    TERMINAL_JOINED, /* it stays in brood's own session and group, there being a terminal or not: dumb-init -c */
};

struct terminal {
    enum terminal_kind kind;
    int fd;           /* an open file of brood's own, nonblocking; -1: there is none */
    int outer;        /* to the outer brood of --sandbox: see terminal_stopped(); -1: none */
    bool had;         /* brood has, or had, a controlling terminal that it didn't give away */
    bool released;    /* TERMINAL_LED: given up */
    bool foreground;  /* the next command is to be in it */
    bool suspended;   /* the command is stopped, and the next CONT continues it */
    pid_t command;    /* its process and group; 0: none */
    uint64_t ignored; /* signals that brood's caller had ignored; sets as in init/inherited.h */
    bool has_modes;
    struct termios modes; /* when the foreground was handed on first */
};

/* Looks for the terminal. wanted: there is a COMMAND, which gets it. outer: inherited.stopped_fd, 0: none;
 * it stays the caller's. Never fails: without a terminal it is TERMINAL_NONE. */
void terminal_open(struct terminal *ret, bool wanted, int outer, uint64_t ignored);

/* Right after that: the command, there is one, gets neither a session nor a group of its own. */
void terminal_keep_together(struct terminal *terminal);

/* Takes the foreground back where it was handed on and nobody has it any more; closes. */
void terminal_close(struct terminal *terminal);

/* Gives a led terminal up, for good. To be called before the first worker is forked: the HUP goes to all of brood's
 * group, so also to a child that is not at its setsid() yet. */
void terminal_release(struct terminal *terminal);

/* Right before the fork of the command. */
void terminal_prepare(struct terminal *terminal);

/* In the child, all signals blocked: its session or group, and the foreground. NULL: a session of its own. */
void terminal_join(const struct terminal *terminal);

/* The command was forked. */
void terminal_started(struct terminal *terminal, pid_t pid);

/* The command has ended; killed: by a signal. */
void terminal_ended(struct terminal *terminal, bool killed);

/* The command was stopped by this signal. brood, and whoever shares its process group, stops with it and returns when
 * it is continued; PID 1 of a sandbox tells the outer brood to, by one byte, the signal's number. Returns true where
 * the command is to be continued at once. */
bool terminal_stopped(struct terminal *terminal, int signal);

/* brood was sent CONT: hands the foreground on where it has it. Returns true where this ends a stop: the command is to
 * be continued, and it is nobody else's signal. */
bool terminal_continued(struct terminal *terminal);

/* Whether this signal for brood, which the kernel has sent, was a key or a new window size that a TERMINAL_JOINED
 * command has got by itself, being in the same group. */
bool terminal_has_told(const struct terminal *terminal, int signal);

/* Whether brood's own terminal is gone: a HUP that somebody sends on tells no more. */
bool terminal_hung_up(const struct terminal *terminal);

#endif
