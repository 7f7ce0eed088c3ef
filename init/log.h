/* brood's own records, on standard error only, one line each; never blocks, never allocates.
 *
 *     brood: warning: web/0[12]: exited 1 -> backoff 100ms
 *     {"time":"2026-01-01T00:00:00.000Z","level":"warning","subject":"web/0","event":"exited",
 *      "message":"…","pid":12,"status":1}
 *
 * A record that a full pipe or a stopped terminal doesn't take is dropped and counted; the next one that gets
 * through is preceded by one that says how many were. */
#ifndef INIT_LOG_H
#define INIT_LOG_H

#include <sys/types.h>

#include "supervisor/spec.h"

struct sink;

struct log_fields {
    const char *event; /* one word for machines; NULL: "message" */
    pid_t pid;         /* 0: none */
    int status;        /* -1: none; the exit code */
    int signal;        /* 0: none; its number (json prints the name) */
    int sigrtmin;
};

/* Finds out what standard error is and how to write to it without blocking, and without changing the open file
 * that workers share. Never fails: the worst case is poll() before each write. */
void log_open(void);

/* What is recorded from now on is worth waiting for, since there is nothing else to do: at most half a second where
 * nobody reads. */
void log_last(void);

/* Waits, at most for a second, until somebody has taken the last records, where that isn't known before. For
 * atexit(). */
void log_close(void);

/* What records are written to: for those who write to standard error as well, so that the order is one. */
struct sink *log_sink(void);

enum log_diverted {
    LOG_NOT_DIVERTED, /* to be written as ever */
    LOG_DIVERTED,     /* taken: it will be written */
    LOG_REFUSED,      /* there is no room: the record is dropped */
};

/* From now on each record is offered to divert, for the sake of the order on standard error; NULL ends that. */
void log_divert(enum log_diverted (*divert)(void *context, const char *bytes, size_t length), void *context);

/* Somebody else's last line on standard error has no end: the next record begins with the newline that is missing. */
void log_torn(void);

/* What is recorded and how; may be called again when the config is known. */
void log_configure(enum log_level level, enum log_format format);

enum log_level log_level(void);

/* Writes a record. subject: "web/0"; fields may be NULL. Control bytes are written as ? in text and
 * escaped in json, longer records than 4096 bytes are cut with an ellipsis. Keeps errno. */
void log_record(enum log_level level, const char *subject, const struct log_fields *fields, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Writes text as it is and a newline, by the same way (config faults). */
void log_line(const char *text);

#endif
