/* One of a worker's two pipes: what was read of it and is no whole line yet, and where lines end without a newline.
 *
 * brood has both ends of it, so that there is never an end of file. Where a worker ended, its last line ends, though
 * the next one writes into the same pipe: the bytes that are in the pipe at that moment (FIONREAD) are counted down, so
 * that nothing must be read then, which whoever can't write just now couldn't. */
#ifndef INIT_STREAM_H
#define INIT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "init/framing.h"
#include "supervisor/event.h"

#define STREAM_CHUNK ((size_t)65536) /* of one read: what a pipe holds; larger ones were no faster */
#define STREAM_WORK_BYTES (FRAMING_LINE_MAX + STREAM_CHUNK) /* the line that was begun, and what was read */
#define STREAM_ENDS_MAX 16                                  /* of workers whose last bytes are in one pipe */

/* Zeroed: there is no pipe yet. */
struct stream {
    int read_end;
    int write_end;
    uint32_t next; /* its owner's queue */
    bool queued;
    uint8_t ends_count;
    uint32_t ends[STREAM_ENDS_MAX]; /* lines end when as many bytes more are read, ascending */
    uint32_t held_length;
    char *held; /* the line that was begun, at most FRAMING_LINE_MAX; NULL: none */
};

static inline bool stream_is_open(const struct stream *stream) {
    return stream->read_end > 0;
}

/* Makes the pipe, and has epoll tell of SOURCE_OUTPUT, edge-triggered, for this slot. Returns 0, or -errno. */
int stream_open(struct stream *stream, int epoll, struct slot slot);
void stream_close(struct stream *stream);

/* Puts the line that was begun and what can be read now into work, of STREAM_WORK_BYTES. True with *ret over that,
 * false where there is nothing more now: epoll says when there is. */
bool stream_take(struct stream *stream, char *work, struct framing_cursor *ret);

/* Keeps the line that was begun for the next stream_take(). False where there is no memory for it. */
bool stream_hold(struct stream *stream, const char *bytes, size_t length);

/* Lines end with what is in the pipe now. Where a reader stalls while worker after worker ends, there may be too many
 * ends: then the lines between are one, but the last end of all is always kept. begun: a line was, though it isn't
 * held. True where this is an end yet to be reached. */
bool stream_end(struct stream *stream, bool begun);

#endif
