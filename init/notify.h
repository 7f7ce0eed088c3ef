/* One datagram of sd_notify: lines NAME=VALUE. Pure, so that it can be fed anything.
 * Source: sd_notify(3). What brood does not know is ignored, as that page asks of every receiver; so is a number that
 * is none, or that is out of range. Of lines that say the same thing twice the last one counts. */
#ifndef INIT_NOTIFY_H
#define INIT_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notify {
    bool ready;              /* READY=1 */
    bool stopping;           /* STOPPING=1 */
    bool reloading;          /* RELOADING=1; READY=1 follows when it is done */
    bool ping;               /* WATCHDOG=1 */
    bool trigger;            /* WATCHDOG=trigger */
    bool barrier;            /* BARRIER=1, alone in its datagram as it must be */
    bool stores;             /* FDSTORE=1: descriptors that brood does not keep */
    uint64_t watchdog_usec;  /* WATCHDOG_USEC=, microseconds; 0: none */
    uint64_t extend_usec;    /* EXTEND_TIMEOUT_USEC=, microseconds; 0: none */
    uint64_t monotonic_usec; /* MONOTONIC_USEC=, of the RELOADING=1, microseconds; 0: none */
    int32_t main_pid;        /* MAINPID=; 0: none */
    int32_t error;           /* ERRNO=; 0: none */
    int32_t exit_status;     /* EXIT_STATUS=, 0 to 255; -1: none */
    const char *status;      /* STATUS=, points into the bytes; NULL: none */
    size_t status_length;
};

/* Reads length bytes. Returns 0, or -EINVAL with *ret untouched where they hold a NUL other than as the last byte. */
int notify_parse(const char *bytes, size_t length, struct notify *ret);

#endif
