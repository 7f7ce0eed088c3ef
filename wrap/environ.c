/* Entries in their order, and a hash table from name to entry, so that a file of 100,000 lines stays linear. An entry
 * that is unset leaves a hole, which environ_array() closes up only in the array it gives: indexes never move. */
#include "wrap/environ.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/paths.h"

struct entry {
    char *text; /* NULL: a hole */
    bool owned;
};

struct environ_block {
    struct entry *entries;
    size_t count; /* holes included */
    size_t capacity;
    size_t holes;
    uint32_t
        *places; /* of the hash table: index + 1 of an entry, 0: free; a power of two, at least twice the entries */
    size_t places_count;
    bool doubles; /* a name was there twice at the start */
    char **array;
};

/* A value may be a secret. */
static void forget(char *text) {
    explicit_bzero(text, strlen(text));
    free(text);
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

static size_t name_length(const char *text) {
    return strcspn(text, "=");
}

static bool is_named(const char *text, const char *name, size_t length) {
    return strncmp(text, name, length) == 0 && text[length] == '=';
}

static uint32_t hash(const char *name, size_t length) {
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)name[i]) * 16777619u;
    return sum ^ (sum >> 15);
}

/* Where the name's entry is noted, or would be. A hole keeps its place: searching goes on behind it. */
static uint32_t *place_of(const struct environ_block *block, const char *name, size_t length) {
    for (size_t i = hash(name, length);; i++) {
        uint32_t *place = &block->places[i & (block->places_count - 1)];
        if (*place == 0)
            return place;
        const char *text = block->entries[*place - 1].text;
        if (text && is_named(text, name, length))
            return place;
    }
}

static struct entry *find(const struct environ_block *block, const char *name, size_t length) {
    uint32_t index = *place_of(block, name, length);
    return index ? &block->entries[index - 1] : NULL;
}

/* Notes an entry that has a name; the first of that name stays the one that is found. */
static void note(struct environ_block *block, size_t index) {
    const char *text = block->entries[index].text;
    size_t length = name_length(text);
    if (text[length] != '=')
        return;
    uint32_t *place = place_of(block, text, length);
    if (*place == 0)
        *place = (uint32_t)index + 1;
    else
        block->doubles = true;
}

/* Room for one entry more, in all three arrays. */
static int grow(struct environ_block *block) {
    if (block->count < block->capacity)
        return 0;
    size_t capacity = block->capacity * 2, places_count = capacity * 2;
    if (capacity > UINT32_MAX / 4)
        return -ENOMEM;
    struct entry *entries = malloc(capacity * sizeof *entries);
    uint32_t *places = calloc(places_count, sizeof *places);
    char **array = malloc((capacity + 1) * sizeof *array);
    if (!entries || !places || !array) {
        free(entries);
        free(places);
        free(array);
        return -ENOMEM;
    }
    memcpy(entries, block->entries, block->count * sizeof *entries);
    free(block->entries);
    free(block->places);
    free(block->array);
    block->entries = entries;
    block->places = places;
    block->array = array;
    block->capacity = capacity;
    block->places_count = places_count;
    for (size_t i = 0; i < block->count; i++)
        if (entries[i].text)
            note(block, i);
    return 0;
}

/* --- the block ---------------------------------------------------------------------------------------------------- */

int environ_open(char *const *base, struct environ_block **ret) {
    size_t count = 0, capacity = 16;
    while (base[count])
        count++;
    while (capacity < count + 8)
        capacity *= 2;
    struct environ_block *block = calloc(1, sizeof *block);
    if (!block)
        return -ENOMEM;
    block->capacity = capacity;
    block->places_count = capacity * 2;
    block->entries = malloc(capacity * sizeof *block->entries);
    block->places = calloc(block->places_count, sizeof *block->places);
    block->array = malloc((capacity + 1) * sizeof *block->array);
    if (!block->entries || !block->places || !block->array) {
        environ_close(block);
        return -ENOMEM;
    }
    for (; block->count < count; block->count++) {
        block->entries[block->count] = (struct entry){.text = base[block->count]};
        note(block, block->count);
    }
    *ret = block;
    return 0;
}

static void drop(struct environ_block *block, struct entry *entry) {
    if (entry->owned)
        forget(entry->text);
    *entry = (struct entry){.text = NULL};
    block->holes++;
}

void environ_close(struct environ_block *block) {
    if (!block)
        return;
    for (size_t i = 0; i < block->count; i++)
        if (block->entries[i].owned)
            forget(block->entries[i].text);
    free(block->entries);
    free(block->places);
    free(block->array);
    free(block);
}

const char *environ_get(const struct environ_block *block, const char *name) {
    size_t length = strlen(name);
    const struct entry *entry = find(block, name, length);
    return entry ? entry->text + length + 1 : NULL;
}

/* All of that name but the one that stays; NULL: none stays. */
static void drop_others(struct environ_block *block, const struct entry *stays, const char *name, size_t length) {
    for (size_t i = 0; i < block->count; i++) {
        struct entry *entry = &block->entries[i];
        if (entry != stays && entry->text && is_named(entry->text, name, length))
            drop(block, entry);
    }
}

int environ_set(struct environ_block *block, const char *name, const char *value) {
    size_t length = strlen(name), value_length = strlen(value);
    if (length + 1 + value_length > ENVIRON_BYTES_MAX)
        return -E2BIG;
    int r = grow(block);
    if (r < 0)
        return r;
    assert(block->entries && block->count < block->capacity);
    size_t size = length + 1 + value_length + 1;
    char *text = malloc(size);
    if (!text)
        return -ENOMEM;
    snprintf(text, size, "%s=%s", name, value);
    struct entry *entry = find(block, name, length);
    if (block->doubles)
        drop_others(block, entry, name, length);
    if (entry) {
        if (entry->owned)
            forget(entry->text);
        *entry = (struct entry){.text = text, .owned = true};
    } else {
        block->entries[block->count] = (struct entry){.text = text, .owned = true};
        note(block, block->count++);
    }
    return 0;
}

void environ_unset(struct environ_block *block, const char *name) {
    size_t length = strlen(name);
    struct entry *entry = find(block, name, length);
    if (entry)
        drop(block, entry);
    if (block->doubles)
        drop_others(block, NULL, name, length);
}

size_t environ_count(const struct environ_block *block) {
    return block->count - block->holes;
}

char **environ_array(struct environ_block *block) {
    size_t count = 0;
    for (size_t i = 0; i < block->count; i++)
        if (block->entries[i].text)
            block->array[count++] = block->entries[i].text;
    block->array[count] = NULL;
    return block->array;
}

/* --- expansion ---------------------------------------------------------------------------------------------------- */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Bytes of the name that text begins with; 0: none. */
static size_t name_span(const char *text) {
    size_t length = 0;
    while (is_letter(text[length]) || (length > 0 && text[length] >= '0' && text[length] <= '9'))
        length++;
    return length;
}

bool environ_name_valid(const char *text) {
    size_t length = name_span(text);
    return length > 0 && text[length] == '\0';
}

/* The length of the ${NAME} that text begins with, 0: it begins with something else. */
static size_t reference_length(const char *text) {
    if (text[0] != '$' || text[1] != '{')
        return 0;
    size_t length = name_span(text + 2);
    return length > 0 && text[2 + length] == '}' ? length + 3 : 0;
}

/* Expands into out, of ENVIRON_BYTES_MAX + 1 bytes. */
static int expand(const struct environ_block *block, const char *text, char *out) {
    size_t used = 0;
    while (*text != '\0') {
        size_t reference = reference_length(text);
        const char *piece = text;
        size_t length = reference ? 0 : 1 + strcspn(text + 1, "$");
        const struct entry *entry = reference ? find(block, text + 2, reference - 3) : NULL;
        if (entry) {
            piece = entry->text + (reference - 3) + 1;
            length = strlen(piece);
        }
        if (length > ENVIRON_BYTES_MAX - used)
            return -E2BIG;
        memcpy(out + used, piece, length);
        used += length;
        text += reference ? reference : length;
    }
    out[used] = '\0';
    return 0;
}

int environ_expand(const struct environ_block *block, const char *text, char **ret) {
    size_t length = strlen(text);
    char *out = malloc((strstr(text, "${") ? ENVIRON_BYTES_MAX : length) + 1);
    if (!out)
        return -ENOMEM;
    int r = length > ENVIRON_BYTES_MAX ? -E2BIG : expand(block, text, out);
    if (r < 0)
        free(out);
    else
        *ret = out;
    return r;
}

/* --- wrapping ----------------------------------------------------------------------------------------------------- */

static int set_list(struct environ_block *block, const char *name, const char *entry,
                    size_t (*edit)(char *, size_t, const char *, const char *)) {
    const char *former = environ_get(block, name);
    size_t size = (former ? strlen(former) : 0) + strlen(entry) + sizeof PATHS_DEFAULT + 2;
    char *list = malloc(size);
    if (!list)
        return -ENOMEM;
    edit(list, size, former, entry);
    int r = environ_set(block, name, list);
    free(list);
    return r;
}

int environ_add_search(struct environ_block *block, const char *directory) {
    return set_list(block, "PATH", directory, paths_search);
}

int environ_add_preload(struct environ_block *block, const char *library) {
    return set_list(block, "LD_PRELOAD", library, paths_preload);
}
