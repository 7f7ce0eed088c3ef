/* Signal names: see signals.h. The table is in the order of the numbers of x86-64
 * and arm64; other architectures of Linux (mips, alpha, sparc, parisc) number some
 * of them differently and are not supported. */
#include "supervisor/signals.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/limits.h"

static const char *const names[] = {
    NULL,   "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* Second names that other systems, or older ones, gave to the same signals. */
static const struct {
    const char *name;
    int number;
} aliases[] = {{"IOT", 6}, {"CLD", 17}, {"POLL", 29}};

_Static_assert(NAMES == 32, "1 to 31 are the signals that have names of their own");

/* One or two digits without a leading zero: enough for every signal number. -1 where it is anything else. */
static int small_number(const char *text) {
    size_t length = strlen(text);
    if (length < 1 || length > 2 || text[0] < '0' || text[0] > '9' || (length == 2 && text[0] == '0'))
        return -1;
    if (length == 1)
        return text[0] - '0';
    return text[1] < '0' || text[1] > '9' ? -1 : (text[0] - '0') * 10 + (text[1] - '0');
}

static int real_time(const char *name, int sigrtmin, int sigrtmax) {
    int base = strncmp(name, "RTMIN", 5) == 0 ? sigrtmin : sigrtmax;
    const char *rest = name + 5;
    if (*rest == '\0')
        return base;
    if (*rest != (base == sigrtmin ? '+' : '-'))
        return 0;
    int offset = small_number(rest + 1);
    if (offset < 0 || offset > sigrtmax - sigrtmin)
        return 0;
    return base == sigrtmin ? base + offset : base - offset;
}

int signal_from_name(const char *name, int sigrtmin, int sigrtmax) {
    int number = small_number(name);
    if (number >= 0)
        return number < SIGNALS_END ? number : 0;
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    if (strncmp(name, "RTMIN", 5) == 0 || strncmp(name, "RTMAX", 5) == 0)
        return real_time(name, sigrtmin, sigrtmax);
    for (int i = 1; i < NAMES; i++) {
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(name, aliases[i].name) == 0)
            return aliases[i].number;
    }
    return 0;
}

const char *signal_name(int number, int sigrtmin, char *buffer) {
    if (number > 0 && number < NAMES)
        (void)snprintf(buffer, SIGNAL_NAME_BYTES, "%s", names[number]);
    else if (number == sigrtmin && number < SIGNALS_END)
        (void)snprintf(buffer, SIGNAL_NAME_BYTES, "RTMIN");
    else if (sigrtmin >= NAMES && number > sigrtmin && number < SIGNALS_END)
        (void)snprintf(buffer, SIGNAL_NAME_BYTES, "RTMIN+%d", number - sigrtmin);
    else
        (void)snprintf(buffer, SIGNAL_NAME_BYTES, "%d", number);
    return buffer;
}
