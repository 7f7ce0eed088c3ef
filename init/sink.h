/* Writes to a descriptor that brood shares with others, and never blocks in it.
 *
 * The open file of a standard descriptor belongs to every worker that inherited it: O_NONBLOCK there would hit them
 * all. So the way is looked for that can't block without it: a description of brood's own for a pipe or a terminal,
 * MSG_DONTWAIT for a socket, and a thread that may wait (init/writer.h) where the file can't be opened again. A regular
 * file is as quick as its file system. */
#ifndef INIT_SINK_H
#define INIT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum sink_way {
    SINK_UNKNOWN, /* nothing was written yet */
    SINK_NONE,    /* the descriptor is closed */
    SINK_PLAIN,   /* a regular file: never full, never blocks for others' sake */
    SINK_SEND,    /* a socket */
    SINK_OWN,     /* opened again, nonblocking */
    SINK_HANDED,  /* to a thread */
    SINK_POLL,    /* a device: ask, then write */
};

struct sink {
    int fd; /* the shared one, never closed here */
    enum sink_way way;
    int own;       /* SINK_OWN, SINK_HANDED: what is written to instead, else -1 */
    size_t polled; /* bytes that a file which says that it has room should take */
};

#define SINK_INIT(number)                                                                                              \
    { .fd = (number), .own = -1 }

/* Forgets what was found out: the descriptor may be another file now. False where a part of what was written before is
 * lost, since nobody took it for a second. Keeps errno. */
bool sink_reset(struct sink *sink);

/* As write(), but -1 with EAGAIN where nothing is taken now; less than length is usual. A descriptor that was closed at
 * the first call takes everything, for ever: what gets its number later is something else. */
ssize_t sink_write(struct sink *sink, const char *bytes, size_t length);

/* Waits until there may be room again; false where there is none for so long. Only where nothing else is to be done. */
bool sink_await(const struct sink *sink, int timeout_ms);

/* The descriptor that epoll says EPOLLOUT of when there is room again. */
int sink_watched(const struct sink *sink);

#endif
