/* Signal names, from a table of our own: strsignal() needs a locale, and names like RTMIN+3 need the C library's
 * idea of SIGRTMIN, which is handed in. Source: signal(7), Linux on x86-64 and arm64. */
#ifndef SUPERVISOR_SIGNALS_H
#define SUPERVISOR_SIGNALS_H

#include <stddef.h>

#define SIGNAL_NAME_BYTES 16 /* enough for "RTMIN+30" and its NUL */

/* What RTMIN and RTMAX mean, as glibc has them, and everybody's kill -l. musl keeps one more to itself, but what a
 * config means must not depend on what brood was linked with. */
#define SIGRTMIN_USUAL 34
#define SIGRTMAX_USUAL 64

/* The numbers that the core itself knows by name (it includes no <signal.h>). SIGNAL_STOP is a policy, see spec.h. */
enum {
    SIGNAL_HUP = 1,
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_ABRT = 6,
    SIGNAL_KILL = 9,
    SIGNAL_USR1 = 10,
    SIGNAL_USR2 = 12,
    SIGNAL_PIPE = 13,
    SIGNAL_TERM = 15,
    SIGNAL_CHLD = 17,
    SIGNAL_CONT = 18,
    SIGNAL_SIGSTOP = 19,
    SIGNAL_TSTP = 20,
    SIGNAL_TTIN = 21,
    SIGNAL_TTOU = 22,
    SIGNAL_URG = 23,
    SIGNAL_WINCH = 28,
    SIGNAL_IO = 29,
};

/* The number of a name with or without SIG ("TERM", "SIGTERM", "RTMIN+3", "RTMAX-1"), 0 where there is none.
 * Plain numbers ("15") are names too, 1 to 64. Case counts. */
int signal_from_name(const char *name, int sigrtmin, int sigrtmax);

/* The name of a number without SIG, into a buffer of SIGNAL_NAME_BYTES; "RTMIN+n" from sigrtmin on, the number
 * itself where it has no name. Returns the buffer. */
const char *signal_name(int number, int sigrtmin, char *buffer);

#endif
