/* Faults: kept up to FAULTS_MAX, sorted by line, with texts that a terminal and a log can show as they are.
 *
 * A key that is not known was meant to be one that is: names are compared by the number of letters to change, add,
 * leave out or exchange, whatever their case. */
#include "supervisor/config_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FAULT_BYTES 1024  /* of one text; longer ones are cut */
#define EXCERPT_SOURCE 40 /* bytes of a value that a fault shows */
#define NEAREST_BYTES 63  /* names longer than this are nobody's slip of the pen */

bool faults_wanted(const struct parser *parser) {
    return parser->faults_count < FAULTS_MAX;
}

static void append(struct parser *parser, uint32_t line, enum fault_severity severity, const char *text) {
    if (parser->faults_count == parser->faults_capacity) {
        uint32_t capacity = parser->faults_capacity == 0 ? 16 : parser->faults_capacity * 2;
        struct config_fault *larger = arena_take(&parser->keep, capacity * sizeof(*larger));
        if (larger == NULL)
            return;
        if (parser->faults_count > 0)
            memcpy(larger, parser->faults, parser->faults_count * sizeof(*larger));
        parser->faults = larger;
        parser->faults_capacity = capacity;
    }
    char *copy = arena_copy(&parser->keep, text, strlen(text));
    if (copy != NULL)
        parser->faults[parser->faults_count++] = (struct config_fault){line, severity, copy};
}

/* Counts a fault; whether it is one of those that are kept. */
static bool count(struct parser *parser, enum fault_severity severity) {
    if (severity == FAULT_ERROR)
        parser->errors++;
    if (faults_wanted(parser))
        return true;
    parser->hidden++;
    parser->hidden_errors = parser->hidden_errors || severity == FAULT_ERROR;
    return false;
}

void fault_add(struct parser *parser, uint32_t line, enum fault_severity severity, const char *format, ...) {
    if (!count(parser, severity))
        return;
    char text[FAULT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    append(parser, line, severity, text);
}

void key_error(struct parser *parser, const char *format, ...) {
    if (!count(parser, FAULT_ERROR))
        return;
    char text[FAULT_BYTES];
    size_t used = 0;
    if (parser->section.kind != SECTION_NONE)
        used += (size_t)snprintf(text, sizeof(text), "[%s] ", parser->section.title);
    if (parser->key_length > 0)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "%s: ", excerpt(parser, parser->key_name, parser->key_length, false));
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, sizeof(text) - used, format, arguments);
    va_end(arguments);
    append(parser, parser->line, FAULT_ERROR, text);
}

_Static_assert(FAULT_BYTES > TITLE_BYTES + 2 * EXCERPT_BYTES, "a prefix leaves room for the text");

/* A stable merge sort from the bottom up: faults of one line stay in the order in which they were found. */
static void sort(struct config_fault *faults, struct config_fault *room, uint32_t count) {
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t low = 0; low < count; low += 2 * width) {
            uint32_t middle = low + width < count ? low + width : count;
            uint32_t high = middle + width < count ? middle + width : count;
            uint32_t left = low;
            uint32_t right = middle;
            for (uint32_t i = low; i < high; i++) {
                bool take_left = left < middle && (right == high || faults[left].line <= faults[right].line);
                room[i] = take_left ? faults[left++] : faults[right++];
            }
        }
        memcpy(faults, room, count * sizeof(*faults));
    }
}

void faults_finish(struct parser *parser) {
    if (parser->faults_count == 0)
        return;
    struct config_fault *room = arena_take(&parser->scratch, parser->faults_count * sizeof(*room));
    if (room == NULL)
        return;
    sort(parser->faults, room, parser->faults_count);
    if (parser->hidden == 0)
        return;
    char text[FAULT_BYTES];
    (void)snprintf(text, sizeof(text), "%u more faults are not shown; mend these first", parser->hidden);
    append(parser, parser->faults[parser->faults_count - 1].line, parser->hidden_errors ? FAULT_ERROR : FAULT_WARNING,
           text);
}

/* --- excerpts ----------------------------------------------------------------------------------------------------- */

/* Bytes of the character at text, 0 where it is no well-formed UTF-8 or a control character. */
static size_t printable(const char *text, size_t length) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] >= 0x20 && bytes[0] < 0x7f)
        return 1;
    size_t need = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || need > length)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xf0 && bytes[1] < 0x90);
    bool surrogate = bytes[0] == 0xed && bytes[1] >= 0xa0;
    bool beyond = bytes[0] == 0xf4 && bytes[1] >= 0x90;
    bool control = bytes[0] == 0xc2 && bytes[1] < 0xa0;
    return overlong || surrogate || beyond || control ? 0 : need;
}

const char *excerpt(struct parser *parser, const char *text, size_t length, bool quote) {
    char *buffer = parser->excerpts[parser->excerpts_next++ % EXCERPTS];
    size_t out = 0;
    size_t at = 0;
    if (quote)
        buffer[out++] = '"';
    while (at < length && at < EXCERPT_SOURCE) {
        size_t bytes = printable(text + at, length - at);
        if (bytes > 0) {
            memcpy(buffer + out, text + at, bytes);
            out += bytes;
            at += bytes;
        } else {
            out += (size_t)snprintf(buffer + out, EXCERPT_BYTES - out, "\\x%02x", (unsigned char)text[at++]);
        }
    }
    (void)snprintf(buffer + out, EXCERPT_BYTES - out, "%s%s", at < length ? "\xe2\x80\xa6" : "", quote ? "\"" : "");
    return buffer;
}

/* A quote, the source escaped (a character of four bytes takes no more), an ellipsis, a quote, NUL. */
_Static_assert(EXCERPT_BYTES >= 1 + EXCERPT_SOURCE * 4 + 3 + 1 + 1, "an excerpt fits");

const char *value_excerpt(struct parser *parser) {
    return excerpt(parser, parser->text.bytes, parser->text.length, true);
}

/* --- near names --------------------------------------------------------------------------------------------------- */

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Changes from a to b, an exchange of neighbours counting as one; some number above `near` where there are more than
 * that. Both are at most NEAREST_BYTES long. No row goes below the least of the one before it (nor, by an exchange,
 * below that of two before it and one), so that most names are done with after a few rows. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length, unsigned near) {
    unsigned rows[3][NEAREST_BYTES + 1];
    for (unsigned j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i - 1) % 3];
        row[0] = i;
        unsigned lowest = i;
        for (unsigned j = 1; j <= b_length; j++) {
            unsigned change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            row[j] = least(above[j - 1] + change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
            lowest = least(lowest, row[j]);
        }
        if (lowest > near)
            return lowest;
    }
    return rows[a_length % 3][b_length];
}

void nearest_try(struct nearest *nearest, const char *name) {
    size_t length = strlen(name);
    if (nearest->length == 0 || nearest->length > NEAREST_BYTES || length > NEAREST_BYTES)
        return;
    /* A third of the letters, more or less: "gracee" means grace, "port" doesn't mean count. */
    unsigned near = nearest->length <= 3 ? 1 : nearest->length <= 6 ? 2 : 3;
    size_t difference = length > nearest->length ? length - nearest->length : nearest->length - length;
    if (difference > near)
        return;
    unsigned found = distance(nearest->word, nearest->length, name, length, near);
    if (found > near || found >= length || (nearest->name != NULL && found >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = found;
}
