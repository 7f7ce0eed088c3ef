/* Any bytes as a worker's output, read in chunks of any size: the pieces are the same as of one read, put together
 * they are the bytes, none is too long, and a line of JSON has neither a control byte nor more bytes than it has
 * room for.
 *
 * The first two bytes say how large the chunks are; every byte behind them may stand for many, so that short inputs
 * make long lines. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/framing.h"

#define REPEATED 0xfe /* this byte, and the next one as often as the one behind it says, times … */
#define TIMES (FRAMING_LINE_MAX / 64)
#define BYTES_MAX (FRAMING_LINE_MAX * 4)
#define ENDS_MAX (BYTES_MAX + 8) /* a piece has a byte, or a newline */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char input[BYTES_MAX], joined[BYTES_MAX + 1], work[2 * FRAMING_LINE_MAX];
static char line[FRAMING_LINE_MAX * 6 + 64];
static uint8_t whole[ENDS_MAX / 8], chunked[ENDS_MAX / 8]; /* where pieces end */

static size_t expand(const uint8_t *data, size_t size) {
    size_t length = 0;
    for (size_t i = 0; i < size && length < BYTES_MAX; i++) {
        size_t count = 1;
        uint8_t byte = data[i];
        if (byte == REPEATED && i + 2 < size) {
            byte = data[i + 1];
            count = (size_t)data[i + 2] * TIMES;
            i += 2;
        }
        count = count < BYTES_MAX - length ? count : BYTES_MAX - length;
        memset(input + length, byte, count);
        length += count;
    }
    return length;
}

static void check_line(const struct framing_piece *piece) {
    const struct framing json = {.head = "{\"text\":\"", .head_length = 9, .json = true};
    size_t length = framing_put(&json, piece, line);
    assert(length <= framing_room(&json, piece->length) && line[length - 1] == '\n');
    for (size_t i = 0; i + 1 < length; i++)
        assert((unsigned char)line[i] >= 0x20);
}

/* Takes what there is. A joined line has its newline unless a piece goes on; ends has a bit for each end. */
static size_t take_all(struct framing_cursor *cursor, size_t at, uint8_t *ends) {
    struct framing_piece piece;
    while (framing_take(cursor, &piece)) {
        assert(piece.length <= FRAMING_LINE_MAX);
        assert(memchr(piece.text, '\n', piece.length) == NULL);
        check_line(&piece);
        memcpy(joined + at, piece.text, piece.length);
        at += piece.length;
        if (!piece.partial)
            joined[at++] = '\n';
        ends[at / 8] |= (uint8_t)(1U << at % 8);
    }
    return at;
}

static void check_joined(size_t got, size_t length) {
    bool open = length > 0 && input[length - 1] != '\n'; /* the last line gets a newline */
    assert(got == length + open && memcmp(joined, input, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    size_t chunk = (size_t)(data[0] | data[1] << 8) % FRAMING_LINE_MAX + 1, length = expand(data + 2, size - 2), at = 0,
           held = 0;
    chunk = length / chunk > 64 ? length / 64 + 1 : chunk; /* a bounded number of them */
    memset(whole, 0, length / 8 + 1);
    memset(chunked, 0, length / 8 + 1);
    struct framing_cursor all = {.bytes = input, .end = length, .last = true};
    check_joined(take_all(&all, 0, whole), length);

    memset(joined, 0, length);
    for (size_t done = 0; done < length; done += chunk) {
        size_t count = chunk < length - done ? chunk : length - done;
        memcpy(work + held, input + done, count);
        struct framing_cursor cursor = {
            .bytes = work, .scanned = held, .end = held + count, .last = done + count == length};
        at = take_all(&cursor, at, chunked);
        held = cursor.end - cursor.at;
        assert(held <= FRAMING_LINE_MAX);
        memmove(work, work + cursor.at, held);
    }
    check_joined(at, length);
    assert(memcmp(whole, chunked, length / 8 + 1) == 0);
    return 0;
}
