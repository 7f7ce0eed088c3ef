/* See stream.h. Sources: pipe(7), ioctl_tty(2) for FIONREAD, epoll(7). */
#include "init/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/watch.h"

int stream_open(struct stream *stream, int epoll, struct slot slot) {
    CLEANUP_FD int read_end = -1;
    CLEANUP_FD int write_end = -1;
    int r = fd_pipe(&read_end, &write_end);
    if (r == 0)
        r = watch_add_for(epoll, read_end, EPOLLIN | EPOLLET, SOURCE_OUTPUT, slot);
    if (r < 0)
        return r;
    /* Opening /dev/stdout again is a common habit, also of a worker that runs as another user. Nobody else can reach
     * this pipe: the way to it leads through the /proc/PID/fd of its owner. */
    fchmod(write_end, 0666);
    stream->read_end = fd_take(&read_end);
    stream->write_end = fd_take(&write_end);
    return 0;
}

void stream_close(struct stream *stream) {
    if (stream_is_open(stream)) {
        fd_close(&stream->read_end);
        fd_close(&stream->write_end);
    }
    free(stream->held);
    *stream = (struct stream){0};
}

/* Behind the line that was begun. Returns the bytes read; 0: there is nothing more now. */
static size_t read_behind(struct stream *stream, char *work) {
    size_t most = stream->ends_count > 0 && stream->ends[0] < STREAM_CHUNK ? stream->ends[0] : STREAM_CHUNK;
    ssize_t length = most > 0 ? read(stream->read_end, work + stream->held_length, most) : 0;
    return length > 0 ? (size_t)length : 0;
}

/* Counts what was read, and forgets an end that is reached by that: true. */
static bool reach_end(struct stream *stream, uint32_t length) {
    if (stream->ends_count == 0)
        return false;
    if (length == 0)
        length = stream->ends[0]; /* somebody else has read from the pipe: it never would be reached */
    bool reached = length == stream->ends[0];
    for (uint32_t i = 0; i < stream->ends_count; i++)
        stream->ends[i] -= length;
    if (reached)
        memmove(stream->ends, stream->ends + 1, --stream->ends_count * sizeof stream->ends[0]);
    return reached;
}

bool stream_take(struct stream *stream, char *work, struct framing_cursor *ret) {
    size_t held = stream->held_length, length = read_behind(stream, work);
    bool last = reach_end(stream, (uint32_t)length);
    if (length == 0 && !last)
        return false;
    if (stream->held)
        memcpy(work, stream->held, held);
    free(stream->held);
    stream->held = NULL;
    stream->held_length = 0;
    *ret = (struct framing_cursor){.bytes = work, .scanned = held, .end = held + length, .last = last};
    return true;
}

bool stream_hold(struct stream *stream, const char *bytes, size_t length) {
    stream->held = length > 0 ? malloc(length) : NULL;
    if (!stream->held)
        return length == 0;
    memcpy(stream->held, bytes, length);
    stream->held_length = (uint32_t)length;
    return true;
}

bool stream_end(struct stream *stream, bool begun) {
    int length = 0;
    if (!stream_is_open(stream))
        return false;
    if (ioctl(stream->read_end, FIONREAD, &length) < 0)
        length = 0;
    uint32_t count = stream->ends_count;
    if (count > 0 ? stream->ends[count - 1] == (uint32_t)length : length == 0 && !begun && !stream->held)
        return false;
    if (count == STREAM_ENDS_MAX)
        count--;
    stream->ends[count] = (uint32_t)length;
    stream->ends_count = (uint8_t)(count + 1);
    return true;
}
