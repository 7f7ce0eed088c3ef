/* See output.h. One stream at a time is taken from a lane's queue: a bounded piece is read, its lines are framed
 * into the channel's buffer, the rest of a line is kept with the stream. Memory: two buffers a lane (640 KiB), and for
 * a stream the line that it has begun, at most 64 KiB.
 *
 * Epoll is edge-triggered here. A stream that has something stays in the queue until a read finds nothing more, so a
 * lane that is blocked needs no call to turn thousands of pipes off, and none to turn them on again. */
#include "init/output.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/channel.h"
#include "init/log.h"
#include "init/stream.h"
#include "init/subject.h"
#include "init/text.h"
#include "init/unshared.h"

#define FLUSH_BYTES ((size_t)65536) /* written when there is as much, and at the end of a turn */
#define TURN_COST 64                /* of a turn: a look costs 1, … */
#define COST_BYTES 8192             /* … and so do as many bytes */
#define HEAD_BYTES 192              /* a name, a time, colours */
#define NOBODY UINT32_MAX

_Static_assert(CHANNEL_BYTES > FRAMING_LINE_MAX * 6 + 2 * HEAD_BYTES, "an empty buffer has room for any line");

/* A lane, and the streams that go there. */
struct lane {
    struct channel to;
    struct sink own;      /* of standard output, where standard error, which the log writes to, is another file */
    uint32_t first, last; /* queue of streams that may have something */
    uint32_t current;     /* the stream whose bytes are in work; NOBODY */
    struct framing_cursor cursor; /* over work */
    char *work;
};

struct output {
    const struct spec *spec;
    int epoll;
    int name_width; /* of the longest name */
    bool colour;    /* on terminals */
    bool finishing;
    uint32_t lanes_count; /* 1: both descriptors are the same file */
    uint32_t streams_count;
    struct lane lanes[2];
    struct stream *streams; /* 2 * worker: its standard output, one more: its standard error */
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
    const struct framing_cursor *cursor = &lane->cursor;
    const char *rest = cursor->bytes + cursor->at;
    size_t length = cursor->end - cursor->at;
    if (!stream_hold(&output->streams[lane->current], rest, length))
        put_piece(lane, framing, &(struct framing_piece){.text = rest, .length = length, .partial = true});
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

/* The next stream's bytes to work. Returns how many were read. */
static size_t take_next(struct output *output, struct lane *lane) {
    uint32_t number = dequeue(output, lane);
    struct stream *stream = &output->streams[number];
    if (!stream_take(stream, lane->work, &lane->cursor))
        return 0;
    if (!output->finishing || stream->ends_count > 0)
        enqueue(output, number);
    lane->current = number;
    return lane->cursor.end - lane->cursor.scanned;
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

/* A stream in the queue may have been read before this end of everything: then it is to leave the queue by it. */
static void end_line(struct output *output, uint32_t number) {
    struct stream *stream = &output->streams[number];
    bool begun = lane_of(output, number)->current == number || (output->finishing && stream->queued);
    if (stream_end(stream, begun))
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

int output_pipes(struct output *output, uint32_t worker, int ret_fds[static 2]) {
    for (uint32_t i = 0; i < 2; i++) {
        struct slot slot = {.kind = SLOT_WORKER, .index = worker, .generation = i};
        struct stream *stream = &output->streams[2 * worker + i];
        int r = stream_is_open(stream) ? 0 : stream_open(stream, output->epoll, slot);
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

static int open_lane(struct output *output, uint32_t index, struct sink *sink) {
    struct lane *lane = &output->lanes[index];
    lane->first = lane->current = NOBODY;
    lane->work = unshared_alloc(STREAM_WORK_BYTES);
    int r = channel_open(&lane->to, sink, output->epoll, index);
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

/* On a terminal: https://no-color.org, and what terminals without any call themselves. */
static bool wants_colour(void) {
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no_colour && no_colour[0]) && !(term && strcmp(term, "dumb") == 0);
}

int output_open(const struct spec *spec, int epoll, struct output **ret) {
    struct output *output = calloc(1, sizeof *output);
    if (!output)
        return -ENOMEM;
    *output = (struct output){
        .spec = spec, .epoll = epoll, .colour = wants_colour(), .lanes[0].own = SINK_INIT(STDOUT_FILENO)};
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
        r = open_lane(output, i, i + 1 == output->lanes_count ? log_sink() : &output->lanes[i].own);
    if (r < 0) {
        output_close(output);
        return r;
    }
    log_divert(channel_divert, &output->lanes[output->lanes_count - 1].to);
    *ret = output;
    return 0;
}

static void close_lane(struct lane *lane) {
    bool done = is_done(lane);
    channel_close(&lane->to);
    if (lane->to.sink == &lane->own)
        done = sink_reset(&lane->own) && done;
    if (!done)
        log_record(LOG_WARNING, "container", NULL, "the last lines of the workers were dropped: %s took no more",
                   lane->to.name);
    unshared_free(lane->work, STREAM_WORK_BYTES);
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
    for (uint32_t i = 0; output->streams && i < output->streams_count; i++)
        stream_close(&output->streams[i]);
    unshared_free(output->streams, output->streams_count * sizeof *output->streams);
    free(output);
}
