/* Bytes that a worker writes, to the lines that brood writes for it: pure.
 *
 *     web/0 | listening on 8080
 *     {"time":"2026-01-01T00:00:00.000Z","worker":"web/0","stream":"stdout","text":"listening on 8080"}
 *
 * A line is split off where it ends, or where it gets longer than FRAMING_LINE_MAX: then it comes in pieces, never cut
 * within a character of UTF-8, which make the line again when they are put together. Whoever reads from a pipe keeps
 * what framing_take() leaves and puts it in front of the next bytes. */
#ifndef INIT_FRAMING_H
#define INIT_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a line that stays whole, without its newline. A fuzzer's lines have to be made: fewer, more often. */
#ifdef FUZZING
#define FRAMING_LINE_MAX ((size_t)640)
#else
#define FRAMING_LINE_MAX ((size_t)65536)
#endif

/* Bytes that are to be split, and how far that is. Zero `at` and `scanned` to begin. */
struct framing_cursor {
    const char *bytes;
    size_t at;      /* the first byte that was not taken */
    size_t scanned; /* up to here no newline is behind `at` */
    size_t end;
    bool last; /* no more bytes will come: what is left at the end is a line */
};

struct framing_piece {
    const char *text; /* within the cursor's bytes */
    size_t length;    /* without the newline */
    bool partial;     /* the line goes on in the next piece */
};

/* The next line or piece, to *ret. False where there is none yet; at most FRAMING_LINE_MAX bytes are left then. */
bool framing_take(struct framing_cursor *cursor, struct framing_piece *ret);

/* How a stream's lines begin, and what follows. head: the prefix, or the JSON object up to its text's first quote. */
struct framing {
    const char *head;
    size_t head_length;
    bool json;
};

/* The most bytes that framing_put() makes of length bytes of text. */
size_t framing_room(const struct framing *framing, size_t length);

/* Writes the line for a piece, with its newline, to out. Returns its length. */
size_t framing_put(const struct framing *framing, const struct framing_piece *piece, char *out);

#endif
