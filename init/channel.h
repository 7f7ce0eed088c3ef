/* One of brood's own descriptors that workers' lines go to, behind a buffer of a fixed size.
 *
 * Whoever fills it looks for room first and flushes now and then; brood's own records come in between, in order, and
 * at once where nothing waits. A write that takes nothing makes the channel blocked, and epoll says once, as
 * SOURCE_OUTPUT_READY, when there is room. A reader that is gone, or a full disk, is warned of once, and what was to
 * be written is dropped. */
#ifndef INIT_CHANNEL_H
#define INIT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/log.h"
#include "init/sink.h"

#define CHANNEL_BYTES                                                                                                  \
    ((size_t)512 * 1024) /* more than the longest line becomes, so that an empty one has room for any */

struct channel {
    struct sink *sink;
    const char *name; /* "standard output" */
    int epoll;
    uint32_t index; /* of its slot in epoll */
    bool terminal;
    bool gone;    /* nobody reads any more */
    bool failing; /* the last write failed, and it was said */
    bool blocked; /* until epoll says that there is room; then its owner clears it */
    bool torn;    /* what was written ends within a line */
    int watched;  /* what is in epoll; -1: nothing */
    char *bytes;
    size_t begin, end; /* what is to be written, in bytes */
    uint64_t written;  /* bytes so far */
};

/* sink and epoll stay the caller's. Returns 0, or -ENOMEM; channel_close() takes it either way. */
int channel_open(struct channel *channel, struct sink *sink, int epoll, uint32_t index);
void channel_close(struct channel *channel); /* drops what is unwritten */

static inline bool channel_is_empty(const struct channel *channel) {
    return channel->begin == channel->end;
}

/* Whether length bytes fit behind `end`; makes the room where it can. */
bool channel_has_room(struct channel *channel, size_t length);

/* Writes what is taken now. */
void channel_flush(struct channel *channel);

/* For log_divert(): brood's records queue behind the lines that wait for the same descriptor. context: the channel. */
enum log_diverted channel_divert(void *context, const char *bytes, size_t length);

#endif
