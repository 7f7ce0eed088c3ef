/* See framing.h. Sources: RFC 8259 (what JSON escapes), Unicode 15 chapter 3.9 (U+FFFD for what is no character). */
#include "init/framing.h"

#include <stdint.h>
#include <string.h>

#include "init/text.h"

#define ESCAPE_BYTES 6 /* \u0000: the longest that one byte becomes in JSON */
#define TAIL_BYTES 20  /* ","partial":true} and a newline, and more than that */

/* Lines are short, and most of a line's time would go into the calls of musl's memchr() and memcpy(): some 75 ns, a
 * third of that here. Eight bytes at a time, in any order of bytes. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t load(const void *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Nonzero where one of the bytes is zero. */
static uint64_t zero_byte(uint64_t word) {
    return (word - EACH(1)) & ~word & EACH(0x80);
}

static const char *find_newline(const char *text, size_t length) {
    const char *end = text + length;
    while (end - text >= 8 && zero_byte(load(text) ^ EACH('\n')) == 0)
        text += 8;
    while (text < end && *text != '\n')
        text++;
    return text < end ? text : NULL;
}

/* Whole words, the last one over the one before. */
static char *put(char *out, const char *bytes, size_t length) {
    if (length < 8 || length > 512) {
        memcpy(out, bytes, length);
        return out + length;
    }
    for (size_t i = 0; i + 8 < length; i += 8)
        memcpy(out + i, bytes + i, 8);
    memcpy(out + length - 8, bytes + length - 8, 8);
    return out + length;
}

/* Where a piece of at most `most` bytes ends: before a character that goes on behind it. By its first byte alone, so
 * that it doesn't matter how much has been read behind the cut. What isn't UTF-8 may be cut anywhere. */
static size_t cut(const char *text, size_t most) {
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t back = 1; back <= 3; back++) {
        unsigned char lead = bytes[most - back];
        size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
        if ((lead & 0xc0) != 0x80)
            return length > back ? most - back : most;
    }
    return most;
}

bool framing_take(struct framing_cursor *cursor, struct framing_piece *ret) {
    const char *text = cursor->bytes + cursor->at;
    size_t available = cursor->end - cursor->at, seen = cursor->scanned > cursor->at ? cursor->scanned - cursor->at : 0;
    size_t most = available > FRAMING_LINE_MAX ? FRAMING_LINE_MAX + 1 : available;
    const char *newline = seen < most ? find_newline(text + seen, most - seen) : NULL;
    struct framing_piece piece = {.text = text};
    size_t taken;
    if (newline) {
        piece.length = (size_t)(newline - text);
        taken = piece.length + 1;
    } else if (available > FRAMING_LINE_MAX) {
        piece.length = taken = cut(text, FRAMING_LINE_MAX);
        piece.partial = true;
    } else if (cursor->last && available > 0) {
        piece.length = taken = available;
    } else {
        cursor->scanned = cursor->end;
        return false;
    }
    cursor->at += taken;
    *ret = piece;
    return true;
}

size_t framing_room(const struct framing *framing, size_t length) {
    return framing->head_length + length * (framing->json ? ESCAPE_BYTES : 1) + TAIL_BYTES;
}

static bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Whether eight bytes are plain; false also for some that are. */
static bool are_plain(const unsigned char *bytes) {
    uint64_t word = load(bytes);
    uint64_t odd = (word - EACH(0x20)) | (word + EACH(1)) | word;
    return ((odd & EACH(0x80)) | zero_byte(word ^ EACH('"')) | zero_byte(word ^ EACH('\\'))) == 0;
}

/* One character that isn't plain ASCII; how many bytes of the text it was, to *ret_taken. */
static char *put_character(char *out, const unsigned char *at, const unsigned char *end, size_t *ret_taken) {
    static const char digits[] = "0123456789abcdef";
    size_t length = utf8_length(at, end);
    *ret_taken = length == 0 ? 1 : length;
    if (length == 0)
        return put(out, "\xef\xbf\xbd", 3); /* U+FFFD */
    if (length > 1)
        return put(out, (const char *)at, length);
    switch (*at) {
    case '"':
    case '\\':
        return put(out, (const char[]){'\\', (char)*at}, 2);
    case '\t':
        return put(out, "\\t", 2);
    case '\r':
        return put(out, "\\r", 2);
    default:
        return put(out, (const char[]){'\\', 'u', '0', '0', digits[*at >> 4], digits[*at & 0xf]}, ESCAPE_BYTES);
    }
}

static char *put_escaped(char *out, const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    while (at < end) {
        const unsigned char *plain = at;
        size_t taken = 0;
        while (end - at >= 8 && are_plain(at))
            at += 8;
        while (at < end && is_plain(*at))
            at++;
        out = put(out, (const char *)plain, (size_t)(at - plain));
        if (at < end)
            out = put_character(out, at, end, &taken);
        at += taken;
    }
    return out;
}

size_t framing_put(const struct framing *framing, const struct framing_piece *piece, char *out) {
    char *at = put(out, framing->head, framing->head_length);
    if (!framing->json) {
        at = put(at, piece->text, piece->length);
    } else {
        at = put_escaped(at, piece->text, piece->length);
        at = piece->partial ? put(at, "\",\"partial\":true}", 17) : put(at, "\"}", 2);
    }
    *at++ = '\n';
    return (size_t)(at - out);
}
