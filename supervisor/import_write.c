/* The result of an import, line by line. For each line it is noted which line of the source it is about: should the
 * config's own reader refuse one after all, the fault can say where that came from. */
#include "supervisor/import_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buffer_add(struct importer *importer, struct buffer *buffer, const void *bytes, size_t length) {
    if (buffer->capacity - buffer->length < length + 1) {
        size_t capacity = (buffer->length + length + 1) * 2;
        char *larger = arena_take(&importer->parser.scratch, capacity);
        if (larger == NULL)
            return;
        if (buffer->length > 0)
            memcpy(larger, buffer->bytes, buffer->length);
        buffer->bytes = larger;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void buffer_text(struct importer *importer, struct buffer *buffer, const char *text) {
    buffer_add(importer, buffer, text, strlen(text));
}

static void line_begin(struct importer *importer, uint32_t about, const char *text) {
    buffer_add(importer, &importer->lines, &about, sizeof(about));
    if (importer->off && text[0] != ';')
        buffer_text(importer, &importer->text, "; ");
}

void write_line(struct importer *importer, uint32_t about, ...) {
    va_list texts;
    va_start(texts, about);
    const char *text = va_arg(texts, const char *);
    line_begin(importer, about, text);
    for (; text != NULL; text = va_arg(texts, const char *))
        buffer_text(importer, &importer->text, text);
    va_end(texts);
    buffer_text(importer, &importer->text, "\n");
}

void write_gap(struct importer *importer) {
    const struct buffer *text = &importer->text;
    bool gap = text->length >= 2 && memcmp(text->bytes + text->length - 2, "\n\n", 2) == 0;
    uint32_t about = 0;
    if (text->length == 0 || gap)
        return;
    buffer_add(importer, &importer->lines, &about, sizeof(about));
    buffer_text(importer, &importer->text, "\n");
}

/* Whether a text of brood.ini has to stand in quotes to stay what it is. */
static bool needs_quotes(const char *value) {
    size_t length = strlen(value);
    if (length == 0 || strchr("\"'; \t", value[0]) != NULL || strchr(" \t", value[length - 1]) != NULL)
        return true;
    return strstr(value, " ;") != NULL || strstr(value, "\t;") != NULL;
}

void write_value(struct importer *importer, uint32_t about, const char *prefix, const char *name, const char *value) {
    struct buffer *text = &importer->text;
    if (strchr(value, '\n') != NULL) {
        import_fault(importer, about, "%s: a value of several lines can't be written in brood.ini", name);
        return;
    }
    if (!needs_quotes(value)) {
        write_line(importer, about, prefix, name, " = ", value, NULL);
        return;
    }
    line_begin(importer, about, prefix);
    buffer_text(importer, text, prefix);
    buffer_text(importer, text, name);
    buffer_text(importer, text, " = \"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            buffer_text(importer, text, "\\");
        buffer_add(importer, text, value, 1);
    }
    buffer_text(importer, text, "\"\n");
}

/* The ring of excerpts belongs to faults, where few are needed at a time; here each is kept. Lists often have a line
 * an item: they are shown on one. */
const char *printable_text(struct importer *importer, const char *text) {
    char *line = arena_copy(&importer->parser.scratch, text, strlen(text));
    if (line == NULL)
        return "";
    for (char *at = line; *at != '\0'; at++)
        *at = *at == '\n' ? ' ' : *at;
    line += *line == ' ';
    const char *shown = excerpt(&importer->parser, line, strlen(line), false);
    const char *copy = arena_copy(&importer->parser.scratch, shown, strlen(shown));
    return copy == NULL ? "" : copy;
}

void write_remark(struct importer *importer, const struct import_key *key, const char *why) {
    char line[32];
    (void)snprintf(line, sizeof(line), "; line %u: ", key->line);
    write_line(importer, 0, line, printable_text(importer, key->name), "=", printable_text(importer, key->value), ": ",
               why, NULL);
}
