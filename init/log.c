/* brood's own records: see log.h.
 *
 * Standard error is shared with every worker, so its open file description is never touched: O_NONBLOCK there would hit
 * them all. Instead log_open() finds the way to write that can't block: a description of brood's own for a pipe or a
 * terminal, MSG_DONTWAIT for a socket, RWF_NOWAIT or poll() where the file can't be opened again (it belongs to
 * another user). A record is one write of at most PIPE_BUF bytes: the kernel keeps those of several writers apart.
 *
 * Sources: pipe(7), open(2), pwritev2(2), RFC 3339, RFC 8259, Unicode 15 table 3-7 (well-formed UTF-8). */
#include "init/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/signals.h"

#define LINE_BYTES 4096    /* PIPE_BUF: what one write() to a pipe keeps together */
#define SUBJECT_BYTES 256  /* more than any subject or event has; a limit, so that the message has room */
#define TAIL_BYTES 96      /* pid, status and signal in json */
#define CUT "\xe2\x80\xa6" /* … : what follows was cut off */

enum way {
    WAY_UNKNOWN, /* nothing was written yet */
    WAY_NONE,    /* standard error is closed */
    WAY_PLAIN,   /* a regular file: never full, never blocks for others' sake */
    WAY_SEND,    /* a socket */
    WAY_OWN,     /* opened again, nonblocking */
    WAY_NOWAIT,  /* a pipe that can't be opened again */
    WAY_POLL,    /* the worst case: ask, then write */
};

static struct {
    enum way way;
    int own; /* WAY_OWN: its descriptor, else -1 */
    enum log_level level;
    enum log_format format;
    unsigned long dropped; /* records since the last one that got through */
    bool torn;             /* the last write ended within a line */
} state = {.own = -1, .level = LOG_INFO, .format = LOG_TEXT};

struct line {
    char bytes[LINE_BYTES];
    size_t length;
    size_t limit;
};

/* --- how to write ------------------------------------------------------------------------------------------------- */

/* A nonblocking open file description of standard error's file that is ours alone; -1 where there is none to be had. */
static int open_own(void) {
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    /* Standard input or output was closed: their numbers are not for the log. */
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return high;
}

static enum way find_way(void) {
    struct stat stat;
    if (fstat(STDERR_FILENO, &stat) < 0)
        return WAY_NONE;
    if (S_ISREG(stat.st_mode))
        return WAY_PLAIN;
    if (S_ISSOCK(stat.st_mode))
        return WAY_SEND;
    bool pipe = S_ISFIFO(stat.st_mode);
    if (!pipe && !isatty(STDERR_FILENO))
        return WAY_POLL; /* some device: opening it again may do anything */
    state.own = open_own();
    if (state.own >= 0)
        return WAY_OWN;
    return pipe ? WAY_NOWAIT : WAY_POLL;
}

void log_open(void) {
    int saved = errno;
    if (state.own >= 0)
        close(state.own);
    state.own = -1;
    state.way = WAY_UNKNOWN; /* found with the first record: most commands run without one */
    errno = saved;
}

static ssize_t write_when_polled(const char *bytes, size_t length) {
    struct pollfd pollfd = {.fd = STDERR_FILENO, .events = POLLOUT};
    int ready = poll(&pollfd, 1, 0);
    if (ready < 0)
        return -1;
    if (ready == 0 || !(pollfd.revents & POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    return write(STDERR_FILENO, bytes, length);
}

static ssize_t write_nowait(const char *bytes, size_t length) {
    char *unconst;
    memcpy(&unconst, &bytes, sizeof unconst); /* iov_base has no const; it is only read */
    struct iovec vector = {.iov_base = unconst, .iov_len = length};
    /* A raw call: musl 1.2.3 has no function for it. The position -1, in two words, is the current one. */
    ssize_t written = syscall(SYS_pwritev2, STDERR_FILENO, &vector, 1UL, -1L, -1L, RWF_NOWAIT);
    if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
        return written;
    state.way = WAY_POLL; /* a kernel whose pipes don't know it */
    return write_when_polled(bytes, length);
}

static ssize_t write_once(const char *bytes, size_t length) {
    if (state.way == WAY_UNKNOWN)
        state.way = find_way();
    switch (state.way) {
    case WAY_UNKNOWN:
    case WAY_NONE:
        return (ssize_t)length;
    case WAY_PLAIN:
        return write(STDERR_FILENO, bytes, length);
    case WAY_SEND:
        return send(STDERR_FILENO, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    case WAY_OWN:
        return write(state.own, bytes, length);
    case WAY_NOWAIT:
        return write_nowait(bytes, length);
    case WAY_POLL:
        return write_when_polled(bytes, length);
    }
    return -1;
}

/* Writes what there is room for; true where that is all. A rest is lost: the next record begins on a fresh line. */
static bool write_all(const char *bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t written = write_once(bytes + done, length - done);
        if (written < 0 && errno == EINTR)
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

static bool is_between(unsigned char byte, unsigned char low, unsigned char high) {
    return byte >= low && byte <= high;
}

/* Bytes of the well-formed UTF-8 character that text begins with (it ends with NUL), 0 where there is none. */
static size_t utf8_length(const unsigned char *text) {
    unsigned char low = 0x80, high = 0xbf;
    size_t length;
    if (text[0] < 0x80)
        return 1;
    if (is_between(text[0], 0xc2, 0xdf))
        length = 2;
    else if (is_between(text[0], 0xe0, 0xef))
        length = 3;
    else if (is_between(text[0], 0xf0, 0xf4))
        length = 4;
    else
        return 0;
    /* No overlong forms, no surrogates, nothing beyond U+10FFFF: all are told by the second byte. */
    if (text[0] == 0xe0)
        low = 0xa0;
    if (text[0] == 0xed)
        high = 0x9f;
    if (text[0] == 0xf0)
        low = 0x90;
    if (text[0] == 0xf4)
        high = 0x8f;
    if (!is_between(text[1], low, high))
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (!is_between(text[i], 0x80, 0xbf))
            return 0;
    }
    return length;
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
    const unsigned char *at = (const unsigned char *)text;
    size_t limit = line->limit;
    line->limit -= strlen(CUT);
    while (*at) {
        size_t length = utf8_length(at);
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

/* RFC 3339, UTC, milliseconds. Not by gmtime_r(): it reads TZ and /etc/localtime first, and allocates for them. */
static void put_time(struct line *line) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    long long seconds = (long long)now.tv_sec;
    long long day = seconds / 86400, second = seconds % 86400;
    if (second < 0) {
        second += 86400;
        day--;
    }
    /* Days since 0000-03-01: a year that begins in March ends with its leap day, eras of 400 years are all alike. */
    day += 719468;
    long long era = (day >= 0 ? day : day - 146096) / 146097;
    long long of_era = day - era * 146097;
    long long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    long long of_year = of_era - (365 * year + year / 4 - year / 100);
    long long month = (5 * of_year + 2) / 153;
    long long of_month = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);

    char text[96];
    snprintf(text, sizeof text, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%03ldZ", year, month, of_month,
             second / 3600, second / 60 % 60, second % 60, now.tv_nsec / 1000000);
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
