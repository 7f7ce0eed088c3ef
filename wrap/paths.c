/* PATH and LD_PRELOAD, entry by entry. The loops are written out because nothing may be called: in a preload library
 * even strlen() would be a symbol that another library can take over, in the shim there is none.
 *
 * A writer counts on where the buffer is full, so that what does not fit is noticed once, at the end. */
#include "wrap/paths.h"

struct writer {
    char *buffer;
    size_t size;
    size_t used; /* of size, or beyond it */
};

/* A part of a list; not terminated. */
struct part {
    const char *text;
    size_t length;
};

static size_t length_of(const char *text) {
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

static void put(struct writer *writer, struct part part) {
    for (size_t i = 0; i < part.length; i++, writer->used++) {
        if (writer->used < writer->size)
            writer->buffer[writer->used] = part.text[i];
    }
}

static void put_colon(struct writer *writer) {
    put(writer, (struct part){":", 1});
}

static size_t finish(struct writer *writer) {
    if (writer->used >= writer->size)
        writer->used = 0;
    if (writer->size > 0)
        writer->buffer[writer->used] = '\0';
    return writer->used;
}

static bool same(struct part a, struct part b) {
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        if (a.text[i] != b.text[i])
            return false;
    }
    return true;
}

/* --- PATH --------------------------------------------------------------------------------------------------------- */

static struct part trimmed(struct part part) {
    while (part.length > 1 && part.text[part.length - 1] == '/')
        part.length--;
    return part;
}

/* The entry that begins at *cursor; *cursor goes behind its colon, or becomes NULL. */
static struct part search_next(const char **cursor) {
    struct part part = {*cursor, 0};
    while (part.text[part.length] != '\0' && part.text[part.length] != ':')
        part.length++;
    *cursor = part.text[part.length] == ':' ? part.text + part.length + 1 : NULL;
    return part;
}

size_t paths_search(char *buffer, size_t size, const char *former, const char *directory) {
    struct writer writer = {.buffer = buffer, .size = size};
    struct part first = {directory, length_of(directory)};
    put(&writer, first);
    const char *cursor = former == NULL || former[0] == '\0' ? PATHS_DEFAULT : former;
    while (cursor != NULL) {
        struct part part = search_next(&cursor);
        if (same(trimmed(part), trimmed(first)))
            continue;
        put_colon(&writer);
        put(&writer, part);
    }
    return finish(&writer);
}

bool paths_has(const char *list, const char *directory) {
    struct part wanted = trimmed((struct part){directory, length_of(directory)});
    const char *cursor = list;
    while (cursor != NULL) {
        if (same(trimmed(search_next(&cursor)), wanted))
            return true;
    }
    return false;
}

/* --- LD_PRELOAD --------------------------------------------------------------------------------------------------- */

/* glibc separates at blanks and colons, musl at everything that isspace() too. */
static bool separates(char c) {
    return c == ':' || c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next entry, with what separates it from the one before; an entry of length 0 is the end. */
static struct part preload_next(const char **cursor, struct part *ret_separator) {
    struct part separator = {*cursor, 0};
    while (separates(separator.text[separator.length]))
        separator.length++;
    struct part entry = {separator.text + separator.length, 0};
    while (entry.text[entry.length] != '\0' && !separates(entry.text[entry.length]))
        entry.length++;
    *cursor = entry.text + entry.length;
    *ret_separator = separator;
    return entry;
}

static void put_others(struct writer *writer, const char *former, struct part library) {
    struct part separator;
    for (const char *cursor = former; cursor != NULL;) {
        struct part entry = preload_next(&cursor, &separator);
        if (entry.length == 0)
            return;
        if (same(entry, library))
            continue;
        if (writer->used > 0)
            put(writer, separator);
        put(writer, entry);
    }
}

size_t paths_preload(char *buffer, size_t size, const char *former, const char *library) {
    struct writer writer = {.buffer = buffer, .size = size};
    struct part last = {library, length_of(library)};
    put_others(&writer, former, last);
    if (writer.used > 0)
        put_colon(&writer);
    put(&writer, last);
    return finish(&writer);
}

size_t paths_preload_without(char *buffer, size_t size, const char *former, const char *library) {
    struct writer writer = {.buffer = buffer, .size = size};
    put_others(&writer, former, (struct part){library, length_of(library)});
    return finish(&writer);
}

bool paths_preload_has(const char *list, const char *library) {
    struct part wanted = {library, length_of(library)};
    struct part separator;
    for (const char *cursor = list; cursor != NULL;) {
        struct part entry = preload_next(&cursor, &separator);
        if (entry.length == 0)
            return false;
        if (same(entry, wanted))
            return true;
    }
    return false;
}
