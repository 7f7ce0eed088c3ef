/* Bytes to values. inih cuts long lines, joins indented ones, splits at colons, ends values at a quoted ` ;` and
 * never tells of empty sections or of line numbers; so this reader owns the lines, with all that the grammar of
 * brood.ini(5) says about them, and hands inih only what no version of it can misread:
 *
 *     [worker]
 *     start = \x1fa piece of the value\x1f
 *     start = \x1fand the next\x1f
 *
 * The fences keep blanks at the ends of a piece and a comment sign at its start; no piece holds a blank before a ;
 * as it would end there. Both are free to be used because control bytes in a file are faults. Names and sections
 * that are not ours never come that far, nor do more than NAME_FED bytes of a name. */
#include "supervisor/config_internal.h"

#include <assert.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#define FENCE '\x1f'
#define PIECE_MAX 140 /* bytes; with name, signs, newline and NUL it stays below inih's 200 */
#define NAME_FED 40   /* inih keeps 49 bytes of a name; only those of variables can be longer */
#define LINE_MIN 200

_Static_assert(NAME_FED + 3 + 1 + PIECE_MAX + 1 + 1 + 1 < LINE_MIN, "a line of ours fits into one of inih's");

struct reader {
    struct parser *parser;
    const char *next; /* what is not read yet */
    const char *end;
    bool header_due;   /* a section has begun, inih doesn't know yet */
    bool value_due;    /* a piece is to be fed, be it an empty one */
    const char *value; /* … of this */
    const char *value_end;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The first control byte but TAB, NULL: there is none. */
static const char *control_byte(const char *line, const char *end) {
    for (; line < end; line++) {
        if (((unsigned char)*line < 0x20 && *line != '\t') || *line == 0x7f)
            return line;
    }
    return NULL;
}

static void control_fault(struct reader *reader, const char *line, const char *at) {
    fault_add(reader->parser, reader->parser->line, FAULT_ERROR, "control byte %s at byte %zu of the line; remove it",
              excerpt(reader->parser, at, 1, false), (size_t)(at - line) + 1);
}

static void text_append(struct parser *parser, const char *bytes, size_t length) {
    struct text *text = &parser->text;
    if (text->capacity - text->length < length + 1) {
        size_t capacity = (text->length + length + 1) * 2;
        char *larger = arena_take(&parser->scratch, capacity);
        if (larger == NULL)
            return;
        if (text->length > 0)
            memcpy(larger, text->bytes, text->length);
        text->bytes = larger;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/* Where a comment begins in what is neither value nor quoted: a ; behind a blank. */
static const char *comment_find(const char *text, const char *end) {
    for (const char *at = text; at + 1 < end; at++) {
        if (is_blank(at[0]) && at[1] == ';')
            return at;
    }
    return end;
}

static const char *trim_end(const char *text, const char *end) {
    while (end > text && is_blank(end[-1]))
        end--;
    return end;
}

static void read_header(struct reader *reader, const char *line, const char *end) {
    struct parser *parser = reader->parser;
    const char *control = control_byte(line, end);
    if (control != NULL) {
        control_fault(reader, line, control);
        section_skip(parser);
        return;
    }
    const char *text = line + 1;
    const char *close = memchr(text, ']', (size_t)(end - text));
    const char *stop = close == NULL ? trim_end(text, comment_find(text, end)) : close;
    if (close == NULL)
        fault_add(parser, parser->line, FAULT_ERROR, "%s is not closed; write %s]",
                  excerpt(parser, line, (size_t)(stop - line), false),
                  excerpt(parser, line, (size_t)(stop - line), false));
    else if (comment_find(close + 1, end) != close + 1 && trim_end(close + 1, end) != close + 1)
        fault_add(parser, parser->line, FAULT_ERROR,
                  "%s follows the section's name; put it on a line of its own, a comment behind a blank and ;",
                  excerpt(parser, close + 1, (size_t)(end - close - 1), true));
    section_begin(parser, text, (size_t)(stop - text));
    reader->header_due = parser->section.kind != SECTION_UNKNOWN;
}

static void read_value(struct reader *reader, const char *text, const char *end) {
    struct parser *parser = reader->parser;
    end = text + value_end(parser->key->quoting, text, (size_t)(end - text));
    while (text < end && is_blank(*text))
        text++;
    reader->value = text;
    reader->value_end = end;
    reader->value_due = true;
    parser->text.length = 0;
}

static void read_key(struct reader *reader, const char *line, const char *end) {
    struct parser *parser = reader->parser;
    const char *stop = comment_find(line, end);
    const char *sign = memchr(line, '=', (size_t)(stop - line));
    const char *name_end = trim_end(line, sign == NULL ? stop : sign);
    const char *control = control_byte(line, end);
    if (control != NULL && (control < name_end || parser->section.kind <= SECTION_UNKNOWN)) {
        control_fault(reader, line, control);
        return;
    }
    parser->key_name = line;
    parser->key_length = (size_t)(name_end - line);
    if (parser->section.kind == SECTION_UNKNOWN)
        return;
    if (parser->key_length == 0) {
        key_error(parser, "the line begins with =; write KEY = VALUE");
        return;
    }
    if (parser->section.kind == SECTION_NONE) {
        key_error(parser, "stands before the first section; put it below [supervisor], [worker:NAME] or another one");
        return;
    }
    if (!key_begin(parser, line, parser->key_length))
        return;
    if (control != NULL)
        key_error(parser, "control byte %s at byte %zu of the line; remove it", excerpt(parser, control, 1, false),
                  (size_t)(control - line) + 1);
    else if (sign != NULL)
        read_value(reader, sign + 1, end);
    else if (parser->key->take == take_variable)
        read_value(reader, stop, stop);
    else
        key_error(parser, "has no value; write %s = VALUE",
                  excerpt(parser, parser->key_name, parser->key_length, false));
}

/* Reads one physical line; false where there is none left. */
static bool read_line(struct reader *reader) {
    struct parser *parser = reader->parser;
    if (reader->next == reader->end)
        return false;
    const char *line = reader->next;
    const char *end = memchr(line, '\n', (size_t)(reader->end - line));
    reader->next = end == NULL ? reader->end : end + 1;
    if (end == NULL)
        end = reader->end;
    if (end > line && end[-1] == '\r')
        end--;
    parser->line++;
    parser->key_length = 0;
    const char *start = line;
    while (start < end && is_blank(*start))
        start++;
    if (start == end)
        return true;
    if (*start == '[') {
        read_header(reader, start, end);
    } else if (*start != ';' && *start != '#') {
        read_key(reader, start, end);
    } else {
        const char *control = control_byte(line, end);
        if (control != NULL)
            control_fault(reader, line, control);
    }
    return true;
}

/* --- inih --------------------------------------------------------------------------------------------------------- */

/* How much of the value the next piece takes: it ends where a ; follows a blank. */
static size_t piece_length(const char *value, const char *end) {
    size_t length = 0;
    while (value + length < end && length < PIECE_MAX) {
        length++;
        if (value + length < end && value[length] == ';' && is_blank(value[length - 1]))
            break;
    }
    return length;
}

static void feed_piece(struct reader *reader, char *line, size_t size) {
    const struct parser *parser = reader->parser;
    size_t name = parser->key_length < NAME_FED ? parser->key_length : NAME_FED;
    size_t piece = piece_length(reader->value, reader->value_end);
    int length =
        snprintf(line, size, "%.*s = %c%.*s%c\n", (int)name, parser->key_name, FENCE, (int)piece, reader->value, FENCE);
    assert(length > 0 && (size_t)length < size);
    reader->value += piece;
    reader->value_due = reader->value < reader->value_end;
}

/* inih's fgets: the next canonical line, NULL at the end. */
static char *feed(char *line, int size, void *stream) {
    struct reader *reader = stream;
    assert(size >= LINE_MIN);
    while (!parser_failed(reader->parser)) {
        if (reader->value_due) {
            feed_piece(reader, line, (size_t)size);
            return line;
        }
        if (!read_line(reader))
            return NULL;
        if (reader->header_due) {
            (void)snprintf(line, (size_t)size, "[%s]\n", section_kind_name(reader->parser->section.kind));
            reader->header_due = false;
            return line;
        }
    }
    return NULL;
}

static int handle(void *user, const char *section, const char *name, const char *piece) {
    struct reader *reader = user;
    struct parser *parser = reader->parser;
    size_t length = strlen(piece);
    assert(strcmp(section, section_kind_name(parser->section.kind)) == 0);
    assert(strncmp(name, parser->key_name, strlen(name)) == 0);
    assert(length >= 2 && piece[0] == FENCE && piece[length - 1] == FENCE);
    text_append(parser, piece + 1, length - 2);
    if (!reader->value_due && !parser_failed(parser))
        key_value(parser);
    return 1;
}

void config_read(struct parser *parser) {
    const char *bytes = parser->input->bytes;
    size_t length = parser->input->length;
    struct reader reader = {.parser = parser, .next = bytes, .end = bytes + length};
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        reader.next += 3;
    int result = ini_parse_stream(feed, &reader, handle, &reader);
    if (result < 0)
        parser->scratch.failed = true; /* inih had no memory for its line */
    assert(result <= 0);               /* a line of ours that inih refused */
    section_end(parser);
    parser->line = 0;
    parser->key_length = 0;
}
