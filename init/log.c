/* brood's own records: see log.h.
 *
 * A record is one write of at most PIPE_BUF bytes: the kernel keeps those of several writers apart. How it is
 * written without blocking is init/sink.c's business; where workers' lines go to standard error, a record queues behind
 * them.
 *
 * Sources: pipe(7), RFC 8259. */
#include "init/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/sink.h"
#include "init/text.h"
#include "supervisor/signals.h"

#define LINE_BYTES 4096    /* PIPE_BUF: what one write() to a pipe keeps together */
#define SUBJECT_BYTES 256  /* more than any subject or event has; a limit, so that the message has room */
#define LAST_MS 500        /* for the last records, while nobody reads */
#define LAST_LOOKS 20      /* for them, while somebody does */
#define TAIL_BYTES 96      /* pid, status and signal in json */
#define CUT "\xe2\x80\xa6" /* … : what follows was cut off */

static struct {
    struct sink sink;
    enum log_diverted (*divert)(void *context, const char *bytes, size_t length); /* NULL: nowhere */
    void *context;
    enum log_level level;
    enum log_format format;
    unsigned long dropped; /* records since the last one that got through */
    bool torn;             /* the last write ended within a line */
    int patience;          /* how often there may be a wait for room: others take it, too */
} state = {.sink = SINK_INIT(STDERR_FILENO), .level = LOG_INFO, .format = LOG_TEXT};

struct line {
    char bytes[LINE_BYTES];
    size_t length;
    size_t limit;
};

/* --- how to write ------------------------------------------------------------------------------------------------- */

void log_open(void) {
    state.patience = 0;
    sink_reset(&state.sink); /* the way is found with the first record: most commands run without one */
}

void log_last(void) {
    state.patience = LAST_LOOKS;
}

void log_close(void) {
    sink_reset(&state.sink);
}

struct sink *log_sink(void) {
    return &state.sink;
}

void log_divert(enum log_diverted (*divert)(void *context, const char *bytes, size_t length), void *context) {
    state.divert = divert;
    state.context = context;
}

void log_torn(void) {
    state.torn = true;
}

/* Somebody takes what is written: there may be room. */
static bool await_room(void) {
    if (state.patience == 0)
        return false;
    state.patience = sink_await(&state.sink, LAST_MS) ? state.patience - 1 : 0;
    return state.patience > 0;
}

/* Writes what there is room for; true where that is all. A rest is lost: the next record begins on a fresh line. */
static bool write_all(const char *bytes, size_t length) {
    size_t done = 0;
    enum log_diverted diverted = state.divert ? state.divert(state.context, bytes, length) : LOG_NOT_DIVERTED;
    if (diverted == LOG_DIVERTED)
        state.torn = false;
    if (diverted != LOG_NOT_DIVERTED)
        return diverted == LOG_DIVERTED;
    while (done < length) {
        ssize_t written = sink_write(&state.sink, bytes + done, length - done);
        if (written < 0 && (errno == EINTR || (errno == EAGAIN && await_room())))
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    if (done > 0)
        state.torn = done < length;
    return done == length;
}

/* --- what is written ---------------------------------------------------------------------------------------------- */

static bool put(struct line *line, const char *bytes, size_t length) {
    if (length > line->limit - line->length)
        return false;
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
    return true;
}

static void put_text(struct line *line, const char *text) {
    put(line, text, strlen(text));
}

static bool put_json_character(struct line *line, const unsigned char *text, size_t length) {
    char escape[8];
    if (length == 0)
        return put(line, "\xef\xbf\xbd", 3); /* U+FFFD */
    if (text[0] == '"' || text[0] == '\\')
        return put(line, (const char[]){'\\', (char)text[0]}, 2);
    if (text[0] >= 0x20 && text[0] != 0x7f)
        return put(line, (const char *)text, length);
    snprintf(escape, sizeof escape, "\\u%04x", text[0]);
    return put(line, escape, 6);
}

/* A terminal obeys control bytes, and some obey those of U+0080 to U+009F: none is passed on. */
static bool put_plain_character(struct line *line, const unsigned char *text, size_t length) {
    bool control = text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
    if (length == 0 || control)
        return put(line, "?", 1);
    return put(line, (const char *)text, length);
}

/* Text of anyone's, made fit for the format, cut with … where it doesn't fit (cut: it was cut before already). */
static void put_clean(struct line *line, const char *text, bool cut) {
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    size_t limit = line->limit;
    line->limit -= strlen(CUT);
    while (*at) {
        size_t length = utf8_length(at, end);
        bool fits =
            state.format == LOG_JSON ? put_json_character(line, at, length) : put_plain_character(line, at, length);
        if (!fits)
            break;
        at += length == 0 ? 1 : length;
    }
    line->limit = limit;
    if (*at || cut)
        put_text(line, CUT);
}

static void put_subject(struct line *line, const char *subject) {
    size_t limit = line->limit;
    line->limit = line->length + SUBJECT_BYTES;
    put_clean(line, subject, false);
    line->limit = limit;
}

static void put_time(struct line *line) {
    char text[TEXT_TIME_BYTES];
    text_time(text);
    put_text(line, text);
}

static const char *level_name(enum log_level level) {
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARNING:
        return "warning";
    case LOG_INFO:
        return "info";
    case LOG_DEBUG:
        return "debug";
    }
    return "error";
}

static void put_plain_record(struct line *line, enum log_level level, const char *subject,
                             const struct log_fields *fields, const char *message, bool cut) {
    put_text(line, "brood: ");
    put_text(line, level_name(level));
    put_text(line, ": ");
    put_subject(line, subject);
    if (fields->pid != 0) {
        char pid[16];
        snprintf(pid, sizeof pid, "[%d]", (int)fields->pid);
        put_text(line, pid);
    }
    put_text(line, ": ");
    put_clean(line, message, cut);
}

/* What follows the message: made first, so that a long message leaves room for it. */
static size_t make_json_tail(const struct log_fields *fields, char tail[TAIL_BYTES]) {
    size_t length = 0;
    if (fields->pid != 0)
        length += (size_t)snprintf(tail + length, TAIL_BYTES - length, ",\"pid\":%d", (int)fields->pid);
    if (fields->status >= 0)
        length += (size_t)snprintf(tail + length, TAIL_BYTES - length, ",\"status\":%d", fields->status);
    if (fields->signal != 0) {
        char name[SIGNAL_NAME_BYTES];
        signal_name(fields->signal, fields->sigrtmin, name);
        length += (size_t)snprintf(tail + length, TAIL_BYTES - length, ",\"signal\":\"%s\"", name);
    }
    return length;
}

static void put_json_record(struct line *line, enum log_level level, const char *subject,
                            const struct log_fields *fields, const char *message, bool cut) {
    char tail[TAIL_BYTES];
    size_t tail_length = make_json_tail(fields, tail);
    put_text(line, "{\"time\":\"");
    put_time(line);
    put_text(line, "\",\"level\":\"");
    put_text(line, level_name(level));
    put_text(line, "\",\"subject\":\"");
    put_subject(line, subject);
    put_text(line, "\",\"event\":\"");
    put_subject(line, fields->event != NULL ? fields->event : "message");
    put_text(line, "\",\"message\":\"");
    line->limit -= 1 + tail_length + 1;
    put_clean(line, message, cut);
    line->limit += 1 + tail_length + 1;
    put_text(line, "\"");
    put(line, tail, tail_length);
    put_text(line, "}");
}

/* An empty line with room for the newline; after a torn one it begins with the newline that is missing there. */
static void begin(struct line *line) {
    line->length = 0;
    line->limit = LINE_BYTES - 1;
    if (state.torn)
        put_text(line, "\n");
}

static bool finish(struct line *line) {
    line->bytes[line->length++] = '\n';
    return write_all(line->bytes, line->length);
}

static bool write_record(enum log_level level, const char *subject, const struct log_fields *fields,
                         const char *message, bool cut) {
    static const struct log_fields none = {.status = -1};
    struct line line;
    begin(&line);
    if (state.format == LOG_JSON)
        put_json_record(&line, level, subject, fields != NULL ? fields : &none, message, cut);
    else
        put_plain_record(&line, level, subject, fields != NULL ? fields : &none, message, cut);
    return finish(&line);
}

/* Tells first what was lost before; true where nothing is owed any more. */
static bool confess(void) {
    if (state.dropped == 0)
        return true;
    char message[96];
    snprintf(message, sizeof message, "%lu record%s dropped: standard error took no more", state.dropped,
             state.dropped == 1 ? " was" : "s were");
    struct log_fields fields = {.event = "dropped", .status = -1};
    if (!write_record(LOG_WARNING, "log", &fields, message, false))
        return false;
    state.dropped = 0;
    return true;
}

/* --- the outside -------------------------------------------------------------------------------------------------- */

void log_configure(enum log_level level, enum log_format format) {
    state.level = level;
    state.format = format;
}

enum log_level log_level(void) {
    return state.level;
}

/* Apart from log_record(), so that a record below the level touches none of the stack that a line needs. */
__attribute__((noinline, format(printf, 4, 0))) static void format_record(enum log_level level, const char *subject,
                                                                          const struct log_fields *fields,
                                                                          const char *format, va_list arguments) {
    char message[LINE_BYTES];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length < 0)
        message[0] = '\0';
    if (!confess() || !write_record(level, subject, fields, message, length >= (int)sizeof message))
        state.dropped++;
}

void log_record(enum log_level level, const char *subject, const struct log_fields *fields, const char *format, ...) {
    if (level > state.level)
        return;
    int saved = errno;
    va_list arguments;
    va_start(arguments, format);
    format_record(level, subject, fields, format, arguments);
    va_end(arguments);
    errno = saved;
}

static bool write_line(const char *text) {
    struct line line;
    begin(&line);
    size_t room = line.limit - line.length, length = strlen(text);
    if (length <= room) {
        put(&line, text, length);
        return finish(&line);
    }
    length = room - strlen(CUT);
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) /* not within a character */
        length--;
    put(&line, text, length);
    put_text(&line, CUT);
    return finish(&line);
}

void log_line(const char *text) {
    int saved = errno;
    if (!confess() || !write_line(text))
        state.dropped++;
    errno = saved;
}
