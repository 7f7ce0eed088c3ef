/* One datagram of sd_notify: lines NAME=VALUE. Pure, so that it can be fed anything.
 * Source: sd_notify(3). What brood does not know is ignored, as that page asks of every receiver. */
#ifndef INIT_NOTIFY_H
#define INIT_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>

struct notify {
    bool ready;         /* READY=1 */
    bool stopping;      /* STOPPING=1 */
    const char *status; /* STATUS=, the last one, points into the bytes; NULL: none */
    size_t status_length;
};

/* Reads length bytes. Returns 0, or -EINVAL with *ret untouched where they hold a NUL other than as the last byte. */
int notify_parse(const char *bytes, size_t length, struct notify *ret);

#endif
