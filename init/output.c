/* See output.h. One stream at a time is taken from a lane's queue: a bounded piece is read, its lines are framed
 * into the channel's buffer, the rest of a line is kept with the stream. Memory: two buffers a lane, and for a
 * stream the line that it has begun.
 *
 * Epoll is edge-triggered here. A stream that has something stays in the queue until a read finds nothing more, so a
 * lane that is blocked needs no call to turn thousands of pipes off, and none to turn them on again.
 *
 * Where a worker ended, its last line ends, though the next one writes into the same pipe: the bytes that are in the
 * pipe at that moment (FIONREAD) are counted down, so that nothing must be read then, which a blocked lane couldn't. */
#include "init/output.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/channel.h"
#include "init/fd.h"
#include "init/framing.h"
#include "init/log.h"
#include "init/subject.h"
#include "init/text.h"
#include "init/unshared.h"
#include "init/watch.h"

#define CHUNK_BYTES ((size_t)65536)                 /* of one read: what a pipe holds */
#define WORK_BYTES (FRAMING_LINE_MAX + CHUNK_BYTES) /* the line that was begun, and what was read */
#define FLUSH_BYTES ((size_t)65536)                 /* written when there is as much, and at the end of a turn */
#define TURN_COST 64                                /* of a turn: a look costs 1, … */
#define COST_BYTES 8192                             /* … and so do as many bytes */
#define HEAD_BYTES 192                              /* a name, a time, colours */
#define ENDS_MAX 16                                 /* of workers whose last bytes are in one pipe */
#define NOBODY UINT32_MAX

_Static_assert(CHANNEL_BYTES > FRAMING_LINE_MAX * 6 + 2 * HEAD_BYTES, "an empty buffer has room for any line");

/* Number 2 * worker for its standard output, one more for its standard error. */
struct stream {
    int read_end; /* 0: there is no pipe yet */
    int write_end;
    uint32_t next; /* in the queue */
    bool queued;
    uint8_t ends_count;
    uint32_t ends[ENDS_MAX]; /* lines end when as many bytes more are read, ascending */
    uint32_t held_length;
    char *held; /* the line that was begun; NULL: none */
};

/* A lane, and the streams that go there. */
struct lane {
    struct channel to;
    uint32_t first, last;         /* queue of streams that may have something */
    uint32_t current;             /* the stream whose bytes are in work; NOBODY */
    struct framing_cursor cursor; /* over work */
    char *work;
};

struct output {
    const struct spec *spec;
    int epoll;
    int name_width; /* of the longest name */
    bool colour;
    bool finishing;
    uint32_t lanes_count; /* 1: both descriptors are the same file */
    uint32_t streams_count;
    struct lane lanes[2];
    struct stream *streams;
};

/* --- a stream's lines --- */

static struct lane *lane_of(struct output *output, uint32_t stream) {
    return &output->lanes[output->lanes_count == 1 ? 0 : stream % 2];
}

static void enqueue(struct output *output, uint32_t number) {
    struct lane *lane = lane_of(output, number);
    struct stream *stream = &output->streams[number];
    if (stream->queued)
        return;
    stream->queued = true;
    stream->next = NOBODY;
    if (lane->first == NOBODY)
        lane->first = number;
    else
        output->streams[lane->last].next = number;
    lane->last = number;
}

static uint32_t dequeue(struct output *output, struct lane *lane) {
    uint32_t number = lane->first;
    lane->first = output->streams[number].next;
    output->streams[number].queued = false;
    return number;
}

static void name_of(const struct output *output, uint32_t worker, struct subject *ret) {
    subject_of(output->spec, (struct slot){.kind = SLOT_WORKER, .index = worker}, ret);
}

/* How this stream's lines begin now. */
static void make_head(const struct output *output, const struct lane *lane, uint32_t number,
                      char head[static HEAD_BYTES], struct framing *ret) {
    static const char colours[] = {'2', '3', '4', '5', '6'}; /* red would look like a failure */
    uint32_t worker = number / 2;
    bool json = spec_group_of(output->spec, worker)->output == OUTPUT_JSON;
    struct subject subject;
    int length;
    name_of(output, worker, &subject);
    if (json) {
        char time[TEXT_TIME_BYTES];
        text_time(time);
        length = snprintf(head, HEAD_BYTES, "{\"time\":\"%s\",\"worker\":\"%s\",\"stream\":\"%s\",\"text\":\"", time,
                          subject.text, number % 2 == 0 ? "stdout" : "stderr");
    } else if (!lane->to.terminal) {
        length = snprintf(head, HEAD_BYTES, "%s | ", subject.text);
    } else if (!output->colour) {
        length = snprintf(head, HEAD_BYTES, "%-*s | ", output->name_width, subject.text);
    } else {
        length = snprintf(head, HEAD_BYTES, "\033[3%cm%-*s |\033[0m ", colours[worker % sizeof colours],
                          output->name_width, subject.text);
    }
    assert(length > 0 && length < HEAD_BYTES);
    *ret = (struct framing){.head = head, .head_length = (size_t)length, .json = json};
}

static void put_piece(struct lane *lane, const struct framing *framing, const struct framing_piece *piece) {
    lane->to.end += framing_put(framing, piece, lane->to.bytes + lane->to.end);
}

/* The line that was begun goes to its stream. Without memory for it, it comes in pieces. */
static void hold_rest(struct output *output, struct lane *lane, const struct framing *framing) {
    struct framing_cursor *cursor = &lane->cursor;
    struct stream *stream = &output->streams[lane->current];
    size_t length = cursor->end - cursor->at;
    if (length > 0) {
        const char *rest = cursor->bytes + cursor->at;
        stream->held = malloc(length);
        stream->held_length = stream->held ? (uint32_t)length : 0;
        if (stream->held)
            memcpy(stream->held, rest, length);
        else
            put_piece(lane, framing, &(struct framing_piece){.text = rest, .length = length, .partial = true});
    }
    lane->current = NOBODY;
}

/* Frames what is in work, until that is done or the lane is blocked. */
static void render(struct output *output, struct lane *lane) {
    char head[HEAD_BYTES];
    struct framing framing;
    struct framing_piece piece;
    if (lane->to.gone) {
        lane->current = NOBODY;
        return;
    }
    make_head(output, lane, lane->current, head, &framing);
    for (;;) {
        /* Room for whatever comes next, before it is taken. */
        if (lane->to.end - lane->to.begin >= FLUSH_BYTES ||
            !channel_has_room(&lane->to, framing_room(&framing, FRAMING_LINE_MAX))) {
            channel_flush(&lane->to);
            if (lane->to.gone)
                lane->current = NOBODY;
            if (lane->to.gone || !channel_has_room(&lane->to, framing_room(&framing, FRAMING_LINE_MAX)))
                return;
        }
        if (!framing_take(&lane->cursor, &piece))
            break;
        put_piece(lane, &framing, &piece);
    }
    hold_rest(output, lane, &framing);
}

/* Reads behind the line that was begun. Returns the bytes read; 0: there is nothing more now. */
static size_t read_stream(struct stream *stream, char *work) {
    size_t most = stream->ends_count > 0 && stream->ends[0] < CHUNK_BYTES ? stream->ends[0] : CHUNK_BYTES;
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

/* The next stream's bytes to work. Returns how many were read. */
static size_t take_next(struct output *output, struct lane *lane) {
    uint32_t number = dequeue(output, lane);
    struct stream *stream = &output->streams[number];
    size_t length = read_stream(stream, lane->work);
    bool last = reach_end(stream, (uint32_t)length);
    if ((length > 0 || last) && !(output->finishing && stream->ends_count == 0))
        enqueue(output, number);
    if (length == 0 && !last)
        return 0;
    if (stream->held)
        memcpy(lane->work, stream->held, stream->held_length);
    lane->cursor = (struct framing_cursor){
        .bytes = lane->work, .scanned = stream->held_length, .end = stream->held_length + length, .last = last};
    free(stream->held);
    stream->held = NULL;
    stream->held_length = 0;
    lane->current = number;
    return length;
}

static void run_lane(struct output *output, struct lane *lane) {
    size_t cost = 0;
    while (!lane->to.blocked && cost < TURN_COST) {
        if (lane->current == NOBODY) {
            if (lane->first == NOBODY)
                break;
            cost += 1 + take_next(output, lane) / COST_BYTES;
        }
        if (lane->current != NOBODY)
            render(output, lane);
        cost++;
    }
    channel_flush(&lane->to);
}

void output_run(struct output *output) {
    for (uint32_t i = 0; output && i < output->lanes_count; i++)
        run_lane(output, &output->lanes[i]);
}

static bool is_done(const struct lane *lane) {
    return lane->current == NOBODY && lane->first == NOBODY && channel_is_empty(&lane->to);
}

bool output_due(const struct output *output) {
    for (uint32_t i = 0; output && i < output->lanes_count; i++)
        if (!output->lanes[i].to.blocked && !is_done(&output->lanes[i]))
            return true;
    return false;
}

/* --- facts --- */

void output_readable(struct output *output, struct slot slot) {
    if (!output->finishing)
        enqueue(output, 2 * slot.index + slot.generation);
}

void output_writable(struct output *output, struct slot slot) {
    output->lanes[slot.index].to.blocked = false;
}

/* The line that this stream has begun ends with what is in its pipe now. Where a reader stalls while worker after
 * worker ends, there may be too many ends: then the lines between are one, but the last end of all is always kept. */
static void end_line(struct output *output, uint32_t number) {
    struct stream *stream = &output->streams[number];
    int length = 0;
    if (stream->read_end == 0)
        return;
    if (ioctl(stream->read_end, FIONREAD, &length) < 0)
        length = 0;
    bool begun = stream->held || lane_of(output, number)->current == number;
    bool nothing = length == 0 && !begun && !(output->finishing && stream->queued);
    uint32_t count = stream->ends_count;
    if (count > 0 ? stream->ends[count - 1] == (uint32_t)length : nothing)
        return;
    if (count == ENDS_MAX)
        count--;
    stream->ends[count] = (uint32_t)length;
    stream->ends_count = (uint8_t)(count + 1);
    enqueue(output, number);
}

void output_ended(struct output *output, uint32_t worker) {
    if (!output || output->finishing)
        return;
    end_line(output, 2 * worker);
    end_line(output, 2 * worker + 1);
}

/* --- from the first to the last --- */

/* One end of line for all: a stream that isn't to be read any more leaves the queue. */
void output_finish(struct output *output) {
    if (!output)
        return;
    output->finishing = true;
    for (uint32_t i = 0; i < output->streams_count; i++)
        end_line(output, i);
}

bool output_finished(const struct output *output) {
    for (uint32_t i = 0; output && i < output->lanes_count; i++)
        if (!is_done(&output->lanes[i]))
            return false;
    return true;
}

uint64_t output_written(const struct output *output) {
    uint64_t written = 0;
    for (uint32_t i = 0; output && i < output->lanes_count; i++)
        written += output->lanes[i].to.written;
    return written;
}

static int open_pipe(struct output *output, uint32_t number) {
    struct stream *stream = &output->streams[number];
    struct slot slot = {.kind = SLOT_WORKER, .index = number / 2, .generation = number % 2};
    CLEANUP_FD int read_end = -1;
    CLEANUP_FD int write_end = -1;
    int r = fd_pipe(&read_end, &write_end);
    if (r == 0)
        r = watch_add_for(output->epoll, read_end, EPOLLIN | EPOLLET, SOURCE_OUTPUT, slot);
    if (r < 0)
        return r;
    /* Opening /dev/stdout again is a common habit, also of a worker that runs as another user. Nobody else can reach
     * this pipe: the way to it leads through the /proc/PID/fd of its owner. */
    fchmod(write_end, 0666);
    stream->read_end = fd_take(&read_end);
    stream->write_end = fd_take(&write_end);
    return 0;
}

int output_pipes(struct output *output, uint32_t worker, int ret_fds[static 2]) {
    for (uint32_t i = 0; i < 2; i++) {
        int r = output->streams[2 * worker + i].read_end > 0 ? 0 : open_pipe(output, 2 * worker + i);
        if (r < 0)
            return r;
    }
    ret_fds[0] = output->streams[2 * worker].write_end;
    ret_fds[1] = output->streams[2 * worker + 1].write_end;
    return 0;
}

static bool is_one_file(void) {
    struct stat out, error;
    return fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &error) == 0 && out.st_dev == error.st_dev &&
           out.st_ino == error.st_ino;
}

static int open_lane(struct output *output, uint32_t index, int fd) {
    struct lane *lane = &output->lanes[index];
    *lane = (struct lane){.first = NOBODY, .current = NOBODY, .work = unshared_alloc(WORK_BYTES)};
    int r = channel_open(&lane->to, fd, output->epoll, index);
    return lane->work ? r : -ENOMEM;
}

/* The longest name, for those that are aligned; 0: nobody's output is framed. */
static int widest(const struct output *output) {
    int width = 0;
    for (uint32_t i = 0; i < output->spec->groups_count; i++) {
        const struct spec_group *group = &output->spec->groups[i];
        struct subject subject;
        if (!output_wanted(group))
            continue;
        name_of(output, group->first_worker + group->count - 1, &subject);
        int length = (int)strlen(subject.text);
        width = length > width ? length : width;
    }
    return width;
}

int output_open(const struct spec *spec, int epoll, bool colour, struct output **ret) {
    struct output *output = calloc(1, sizeof *output);
    if (!output)
        return -ENOMEM;
    *output = (struct output){.spec = spec, .epoll = epoll, .colour = colour};
    output->name_width = widest(output);
    if (output->name_width == 0) {
        free(output);
        return 0;
    }
    output->streams_count = 2 * spec->workers_count;
    output->streams = unshared_alloc(output->streams_count * sizeof *output->streams);
    output->lanes_count = is_one_file() ? 1 : 2;
    int r = output->streams ? 0 : -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < output->lanes_count; i++)
        r = open_lane(output, i, i == 0 ? STDOUT_FILENO : STDERR_FILENO);
    if (r < 0) {
        output_close(output);
        return r;
    }
    log_divert(channel_divert, &output->lanes[output->lanes_count - 1].to);
    *ret = output;
    return 0;
}

static void close_lane(struct lane *lane) {
    if (!is_done(lane))
        log_record(LOG_WARNING, "output", NULL, "the last lines of the workers were dropped: %s took no more",
                   lane->to.name);
    channel_close(&lane->to);
    unshared_free(lane->work, WORK_BYTES);
}

void output_close(struct output *output) {
    if (!output)
        return;
    log_divert(NULL, NULL);
    if (output->lanes_count > 0 && output->lanes[output->lanes_count - 1].to.torn)
        log_torn();
    for (uint32_t i = 0; i < output->lanes_count; i++)
        if (output->lanes[i].to.name)
            close_lane(&output->lanes[i]);
    for (uint32_t i = 0; output->streams && i < output->streams_count; i++) {
        struct stream *stream = &output->streams[i];
        if (stream->read_end > 0) {
            fd_close(&stream->read_end);
            fd_close(&stream->write_end);
        }
        free(stream->held);
    }
    unshared_free(output->streams, output->streams_count * sizeof *output->streams);
    free(output);
}
