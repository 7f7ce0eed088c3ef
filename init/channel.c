/* See channel.h. Sources: epoll_ctl(2), write(2). */
#include "init/channel.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "init/log.h"
#include "init/unshared.h"
#include "init/watch.h"

int channel_open(struct channel *channel, struct sink *sink, int epoll, uint32_t index) {
    *channel = (struct channel){.sink = sink,
                                .name = sink->fd == STDOUT_FILENO ? "standard output" : "standard error",
                                .epoll = epoll,
                                .index = index,
                                .watched = -1,
                                .terminal = isatty(sink->fd),
                                .bytes = unshared_alloc(CHANNEL_BYTES)};
    return channel->bytes ? 0 : -ENOMEM;
}

void channel_close(struct channel *channel) {
    if (channel->watched >= 0)
        epoll_ctl(channel->epoll, EPOLL_CTL_DEL, channel->watched, NULL);
    unshared_free(channel->bytes, CHANNEL_BYTES);
    channel->bytes = NULL;
}

/* Asks epoll to say once that there is room. What epoll can't watch (/dev/null) is never full. */
static void await_room(struct channel *channel) {
    struct slot slot = {.kind = SLOT_CONTAINER, .index = channel->index};
    struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.u64 = watch_key(SOURCE_OUTPUT_READY, slot)};
    int fd = sink_watched(channel->sink);
    int how = channel->watched == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    channel->blocked = epoll_ctl(channel->epoll, how, fd, &event) == 0;
    if (channel->blocked)
        channel->watched = fd;
}

/* A full disk may have room again; a reader that went away doesn't come back. */
static void write_failed(struct channel *channel, int error) {
    channel->begin = channel->end = 0;
    bool full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMSGSIZE;
    bool said = channel->failing;
    channel->gone = !full;
    channel->failing = true; /* what is said now may come back here */
    if (full && !said)
        log_record(LOG_WARNING, "container", NULL, "%s takes no more, lines are dropped: %s", channel->name,
                   strerror(error));
    else if (!full)
        log_record(LOG_WARNING, "container", NULL, "%s is gone, what workers write there is dropped from now on: %s",
                   channel->name, strerror(error));
}

/* As many lines as one write() to a pipe keeps together, since others write there too; at least one, though a longer
 * one may be torn by them. */
static size_t whole_lines(const char *bytes, size_t length) {
    if (length <= PIPE_BUF)
        return length;
    const char *newline = memrchr(bytes, '\n', PIPE_BUF);
    if (!newline)
        newline = memchr(bytes + PIPE_BUF, '\n', length - PIPE_BUF);
    return newline ? (size_t)(newline + 1 - bytes) : length;
}

void channel_flush(struct channel *channel) {
    if (channel->gone)
        channel->begin = channel->end = 0;
    while (channel->begin < channel->end && !channel->blocked) {
        const char *bytes = channel->bytes + channel->begin;
        ssize_t written = sink_write(channel->sink, bytes, whole_lines(bytes, channel->end - channel->begin));
        if (written < 0 && errno == EAGAIN) {
            await_room(channel);
            if (!channel->blocked)
                return; /* asked again in the next turn */
        } else if (written < 0 && errno != EINTR) {
            write_failed(channel, errno);
            return;
        } else if (written > 0) {
            channel->failing = false;
            channel->torn = bytes[written - 1] != '\n';
            channel->begin += (size_t)written;
            channel->written += (uint64_t)written;
        }
    }
    if (channel->begin == channel->end)
        channel->begin = channel->end = 0;
}

bool channel_has_room(struct channel *channel, size_t length) {
    if (CHANNEL_BYTES - channel->end >= length)
        return true;
    size_t kept = channel->end - channel->begin;
    if (CHANNEL_BYTES - kept < length)
        return false;
    memmove(channel->bytes, channel->bytes + channel->begin, kept);
    channel->begin = 0;
    channel->end = kept;
    return true;
}

enum log_diverted channel_divert(void *context, const char *bytes, size_t length) {
    struct channel *channel = context;
    if (channel->gone)
        return LOG_NOT_DIVERTED;
    if (!channel_has_room(channel, length))
        return LOG_REFUSED;
    memcpy(channel->bytes + channel->end, bytes, length);
    channel->end += length;
    channel_flush(channel);
    return LOG_DIVERTED;
}
