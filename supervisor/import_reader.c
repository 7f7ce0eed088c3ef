/* Bytes to sections and keys, as Python's configparser reads them for supervisord: = or : separates, names are in
 * lower case, a line that is indented deeper than its key goes on with the value, ; and # begin a comment at the
 * start of a line or behind a blank, a section or key that comes again adds to the first, and wins. Quotes mean
 * nothing here, so that a ` ;` cuts a command in two: that is what supervisord does, too. */
#include "supervisor/import_internal.h"

#include <string.h>

struct reader {
    struct importer *importer;
    struct import_section *section;
    struct import_key *key; /* what an indented line continues; NULL: nothing */
    struct buffer value;
    size_t indent; /* of the last line that wasn't a continuation */
    bool given_up; /* it can't be the file that was meant */
    uint32_t line;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static const char *trim(const char *text, const char *end) {
    while (end > text && is_blank(end[-1]))
        end--;
    return end;
}

static const char *skip(const char *text, const char *end) {
    while (text < end && is_blank(*text))
        text++;
    return text;
}

static const char *comment_find(const char *line, const char *end) {
    for (const char *at = line; at < end; at++) {
        if ((*at == ';' || *at == '#') && (at == line || is_blank(at[-1])))
            return at;
    }
    return end;
}

struct import_section *section_find(const struct importer *importer, const char *name) {
    for (struct import_section *section = importer->sections; section != NULL; section = section->next) {
        if (strcmp(section->name, name) == 0)
            return section;
    }
    return NULL;
}

const char *section_behind(const struct import_section *section, const char *prefix) {
    size_t length = strlen(prefix);
    return strncmp(section->name, prefix, length) == 0 ? section->name + length : NULL;
}

static struct import_key *find(const struct import_section *section, const char *name) {
    struct import_key *key = section == NULL ? NULL : section->keys;
    while (key != NULL && strcmp(key->name, name) != 0)
        key = key->next;
    return key;
}

struct import_key *key_find(struct importer *importer, struct import_section *section, const char *name) {
    struct import_key *key = find(section, name);
    if (key == NULL)
        key = find(section_find(importer, "DEFAULT"), name);
    if (key != NULL)
        key->used = true;
    return key;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/* The value is whole: a key, a section or the end has come. */
static void value_end_here(struct reader *reader) {
    struct importer *importer = reader->importer;
    if (reader->key != NULL && !importer_failed(importer))
        reader->key->value = arena_copy(&importer->parser.scratch, reader->value.bytes, reader->value.length);
    reader->key = NULL;
    reader->value.length = 0;
}

static void header(struct reader *reader, const char *text, const char *end) {
    struct importer *importer = reader->importer;
    char *name = arena_copy(&importer->parser.scratch, text, (size_t)(end - text));
    if (name == NULL)
        return;
    reader->section = section_find(importer, name);
    if (reader->section != NULL)
        return;
    if (importer->sections_count == IMPORT_SECTIONS_MAX) {
        import_fault(importer, reader->line, "more than %d sections; surely it is not the file that was meant",
                     IMPORT_SECTIONS_MAX);
        reader->given_up = true;
        return;
    }
    struct import_section *section = arena_take(&importer->parser.scratch, sizeof(*section));
    if (section == NULL)
        return;
    *section = (struct import_section){.name = name, .line = reader->line};
    section->keys_end = &section->keys;
    *importer->sections_end = section;
    importer->sections_end = &section->next;
    importer->sections_count++;
    reader->section = section;
}

static struct import_key *key_add(struct reader *reader, const char *name) {
    struct importer *importer = reader->importer;
    struct import_section *section = reader->section;
    struct import_key *key = find(section, name);
    if (key != NULL)
        return key;
    if (section->keys_count == IMPORT_KEYS_MAX) {
        import_fault(importer, reader->line,
                     "more than %d keys in one section; surely it is not the file that was "
                     "meant",
                     IMPORT_KEYS_MAX);
        reader->given_up = true;
        return NULL;
    }
    key = arena_take(&importer->parser.scratch, sizeof(*key));
    if (key == NULL)
        return NULL;
    key->name = name;
    *section->keys_end = key;
    section->keys_end = &key->next;
    section->keys_count++;
    return key;
}

static void option(struct reader *reader, const char *text, const char *end) {
    struct importer *importer = reader->importer;
    const char *sign = text;
    while (sign < end && *sign != '=' && *sign != ':')
        sign++;
    if (sign == end || sign == text) {
        import_fault(importer, reader->line, "%s is neither [SECTION] nor KEY = VALUE; write one of them",
                     excerpt(&importer->parser, text, (size_t)(end - text), true));
        return;
    }
    if (reader->section == NULL) {
        import_fault(importer, reader->line, "stands before the first section; put it below one");
        return;
    }
    char *name = arena_copy(&importer->parser.scratch, text, (size_t)(trim(text, sign) - text));
    if (name == NULL)
        return;
    for (char *at = name; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    reader->key = key_add(reader, name);
    if (reader->key == NULL)
        return;
    reader->key->line = reader->line;
    reader->key->value = name + strlen(name); /* until it is whole: an empty one */
    text = skip(sign + 1, end);
    buffer_add(importer, &reader->value, text, (size_t)(end - text));
}

static bool has_control(const char *text, const char *end) {
    for (; text < end; text++) {
        if (((unsigned char)*text < 0x20 && !is_blank(*text)) || *text == 0x7f)
            return true;
    }
    return false;
}

static void read_line(struct reader *reader, const char *line, const char *end) {
    struct importer *importer = reader->importer;
    const char *text = skip(line, end);
    if (text == end || *text == ';' || *text == '#')
        return;
    const char *stop = trim(text, comment_find(text, end));
    if (has_control(text, stop)) {
        import_fault(importer, reader->line, "a control byte in the line; remove it");
        return;
    }
    if (reader->key != NULL && (size_t)(text - line) > reader->indent) {
        buffer_text(importer, &reader->value, "\n");
        buffer_add(importer, &reader->value, text, (size_t)(stop - text));
        return;
    }
    value_end_here(reader);
    reader->indent = (size_t)(text - line);
    const char *close = *text == '[' ? memchr(text, ']', (size_t)(stop - text)) : NULL;
    if (close != NULL && close > text + 1)
        header(reader, text + 1, close);
    else
        option(reader, text, stop);
}

/* LF, CR and CRLF all end a line, as Python reads a text. */
static const char *line_end(const char *text, const char *end) {
    while (text < end && *text != '\n' && *text != '\r')
        text++;
    return text;
}

void import_read(struct importer *importer) {
    struct reader reader = {.importer = importer};
    const char *next = importer->input->bytes;
    const char *end = next + importer->input->length;
    if (importer->input->length >= 3 && memcmp(next, "\xef\xbb\xbf", 3) == 0)
        next += 3;
    while (next < end && !reader.given_up && !importer_failed(importer)) {
        const char *stop = line_end(next, end);
        reader.line++;
        read_line(&reader, next, stop);
        next = stop + (end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n' ? 2 : stop < end);
    }
    value_end_here(&reader);
}
