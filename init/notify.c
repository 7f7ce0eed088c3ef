/* sd_notify's datagrams. A line that is not NAME=VALUE, or that brood has no use for, is skipped: the protocol grows,
 * and a worker that speaks a newer one is not at fault. A NUL inside is another thing: no writer of this protocol makes
 * one, so the whole datagram is not believed. */
#include "init/notify.h"

#include <errno.h>
#include <string.h>

static bool line_is(const char *line, size_t length, const char *text) {
    return length == strlen(text) && memcmp(line, text, length) == 0;
}

static void read_line(const char *line, size_t length, struct notify *notify) {
    static const char status[] = "STATUS=";
    const size_t name = sizeof status - 1;

    if (line_is(line, length, "READY=1")) {
        notify->ready = true;
    } else if (line_is(line, length, "STOPPING=1")) {
        notify->stopping = true;
    } else if (length >= name && memcmp(line, status, name) == 0) {
        notify->status = line + name;
        notify->status_length = length - name;
    }
}

int notify_parse(const char *bytes, size_t length, struct notify *ret) {
    struct notify notify = {0};

    if (length > 0 && bytes[length - 1] == '\0')
        length--;
    if (length > 0 && memchr(bytes, '\0', length))
        return -EINVAL;
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t line = newline ? (size_t)(newline - bytes) : length;
        size_t taken = newline ? line + 1 : line;
        read_line(bytes, line, &notify);
        bytes += taken;
        length -= taken;
    }
    *ret = notify;
    return 0;
}
