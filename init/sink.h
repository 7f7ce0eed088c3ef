/* Writes to a descriptor that brood shares with others, and never blocks in it.
 *
 * The open file of a standard descriptor belongs to every worker that inherited it: O_NONBLOCK there would hit them
 * all. So the way is looked for that can't block without it: a description of brood's own for a pipe or a terminal,
 * MSG_DONTWAIT for a socket, RWF_NOWAIT or poll() where the file can't be opened again (it belongs to another user). */
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
    SINK_NOWAIT,  /* a pipe that can't be opened again */
    SINK_POLL,    /* the worst case: ask, then write */
};

struct sink {
    int fd; /* the shared one, never closed here */
    enum sink_way way;
    int own;       /* SINK_OWN: its descriptor, else -1 */
    size_t polled; /* SINK_POLL: bytes that a file with room for any surely takes */
};

#define SINK_INIT(number)                                                                                              \
    { .fd = (number), .own = -1 }

/* Forgets what was found out: the descriptor may be another file now. Keeps errno. */
void sink_reset(struct sink *sink);

/* As write(), but -1 with EAGAIN where nothing is taken now; less than length is usual. A descriptor that was closed at
 * the first call takes everything, for ever: what gets its number later is something else. */
ssize_t sink_write(struct sink *sink, const char *bytes, size_t length);

/* The descriptor that epoll says EPOLLOUT of when there is room again. */
int sink_watched(const struct sink *sink);

#endif
