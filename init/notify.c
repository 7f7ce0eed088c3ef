/* sd_notify's datagrams. A line that is not NAME=VALUE, or that brood has no use for, is skipped: the protocol grows,
 * and a worker that speaks a newer one is not at fault. A NUL inside is another thing: no writer of this protocol makes
 * one, so the whole datagram is not believed. */
#include "init/notify.h"

#include <errno.h>
#include <string.h>

#define ERRNO_MAX 4095 /* the kernel's own bound, MAX_ERRNO */
#define EXIT_STATUS_MAX 255

static bool line_is(const char *line, size_t length, const char *text) {
    return length == strlen(text) && memcmp(line, text, length) == 0;
}

/* The value where the line begins with name, which has the = in it; else NULL. */
static const char *value_of(const char *line, size_t length, const char *name, size_t *ret_length) {
    size_t name_length = strlen(name);
    if (length < name_length || memcmp(line, name, name_length) != 0)
        return NULL;
    *ret_length = length - name_length;
    return line + name_length;
}

/* Decimal digits alone, at least one. False, with *ret untouched, where it is something else or more than most. */
static bool number_of(const char *text, size_t length, uint64_t most, uint64_t *ret) {
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (length == 0 || number > most)
        return false;
    *ret = number;
    return true;
}

static void read_numbers(const char *line, size_t length, struct notify *notify) {
    const char *value;
    size_t size = 0;
    uint64_t number;

    if ((value = value_of(line, length, "WATCHDOG_USEC=", &size))) {
        number_of(value, size, UINT64_MAX, &notify->watchdog_usec);
    } else if ((value = value_of(line, length, "EXTEND_TIMEOUT_USEC=", &size))) {
        number_of(value, size, UINT64_MAX, &notify->extend_usec);
    } else if ((value = value_of(line, length, "MONOTONIC_USEC=", &size))) {
        number_of(value, size, UINT64_MAX, &notify->monotonic_usec);
    } else if ((value = value_of(line, length, "MAINPID=", &size))) {
        if (number_of(value, size, INT32_MAX, &number))
            notify->main_pid = (int32_t)number;
    } else if ((value = value_of(line, length, "ERRNO=", &size))) {
        if (number_of(value, size, ERRNO_MAX, &number))
            notify->error = (int32_t)number;
    } else if ((value = value_of(line, length, "EXIT_STATUS=", &size))) {
        if (number_of(value, size, EXIT_STATUS_MAX, &number))
            notify->exit_status = (int32_t)number;
    }
}

static void read_line(const char *line, size_t length, struct notify *notify) {
    const char *value;
    size_t size = 0;

    if (line_is(line, length, "READY=1")) {
        notify->ready = true;
    } else if (line_is(line, length, "STOPPING=1")) {
        notify->stopping = true;
    } else if (line_is(line, length, "RELOADING=1")) {
        notify->reloading = true;
    } else if (line_is(line, length, "WATCHDOG=1")) {
        notify->ping = true;
    } else if (line_is(line, length, "WATCHDOG=trigger")) {
        notify->trigger = true;
    } else if (line_is(line, length, "FDSTORE=1")) {
        notify->stores = true;
    } else if ((value = value_of(line, length, "STATUS=", &size))) {
        notify->status = value;
        notify->status_length = size;
    } else {
        read_numbers(line, length, notify);
    }
}

int notify_parse(const char *bytes, size_t length, struct notify *ret) {
    struct notify notify = {.exit_status = -1};

    if (length > 0 && bytes[length - 1] == '\0')
        length--;
    if (length > 0 && memchr(bytes, '\0', length))
        return -EINVAL;
    notify.barrier = line_is(bytes, length, "BARRIER=1") || line_is(bytes, length, "BARRIER=1\n");
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
