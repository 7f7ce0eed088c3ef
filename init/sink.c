/* See sink.h. The way is found with the first write: most commands run without one.
 * Sources: pipe(7), open(2), send(2), n_tty_poll() and pipe_poll() of the kernel. */
#include "init/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/writer.h"

#define POLLED_PIPE 4096    /* PIPE_BUF: a pipe is writable when a page of it is free */
#define POLLED_TERMINAL 256 /* WAKEUP_CHARS: what a terminal that is writable has room for, in practice */

/* A nonblocking open file description of the sink's file that is ours alone; -1 where there is none to be had. */
static int open_own(int shared) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", shared);
    return fd_high(open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

static enum sink_way find_way(struct sink *sink) {
    struct stat stat;
    if (fstat(sink->fd, &stat) < 0)
        return SINK_NONE;
    if (S_ISREG(stat.st_mode))
        return SINK_PLAIN;
    if (S_ISSOCK(stat.st_mode))
        return SINK_SEND;
    bool pipe = S_ISFIFO(stat.st_mode), terminal = !pipe && isatty(sink->fd);
    sink->polled = terminal ? POLLED_TERMINAL : POLLED_PIPE;
    if (!pipe && !terminal)
        return SINK_POLL; /* some device: opening it again may do anything */
    sink->own = open_own(sink->fd);
    if (sink->own >= 0)
        return SINK_OWN;
    return writer_start(sink->fd, &sink->own) == 0 ? SINK_HANDED : SINK_UNKNOWN;
}

bool sink_reset(struct sink *sink) {
    int fd = sink->fd;
    bool done = sink->way != SINK_HANDED || writer_finish(&sink->own);
    fd_close(&sink->own);
    *sink = (struct sink)SINK_INIT(fd);
    return done;
}

static ssize_t write_when_polled(const struct sink *sink, const char *bytes, size_t length) {
    struct pollfd pollfd = {.fd = sink->fd, .events = POLLOUT};
    int ready = poll(&pollfd, 1, 0);
    if (ready < 0)
        return -1;
    if (ready == 0 || !(pollfd.revents & (POLLOUT | POLLERR))) {
        errno = EAGAIN;
        return -1;
    }
    return write(sink->fd, bytes, length < sink->polled ? length : sink->polled);
}

ssize_t sink_write(struct sink *sink, const char *bytes, size_t length) {
    if (sink->way == SINK_UNKNOWN)
        sink->way = find_way(sink);
    switch (sink->way) {
    case SINK_NONE:
        return (ssize_t)length;
    case SINK_PLAIN:
        return write(sink->fd, bytes, length);
    case SINK_SEND:
        return send(sink->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    case SINK_OWN:
        return write(sink->own, bytes, length);
    case SINK_HANDED:
        length = length < WRITER_PIECE_BYTES ? length : WRITER_PIECE_BYTES;
        return send(sink->own, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    case SINK_UNKNOWN: /* there was no memory or pid for a thread; the next write tries again */
    case SINK_POLL:
        return write_when_polled(sink, bytes, length);
    }
    return -1;
}

int sink_watched(const struct sink *sink) {
    return sink->own >= 0 ? sink->own : sink->fd;
}

bool sink_await(const struct sink *sink, int timeout_ms) {
    struct pollfd pollfd = {.fd = sink_watched(sink), .events = POLLOUT};
    return poll(&pollfd, 1, timeout_ms) == 1;
}
