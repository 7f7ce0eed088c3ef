/* Memory of the config: an arena of chunks, so that one pointer owns all that a spec points to and nothing is
 * freed by hand. Once malloc has failed an arena gives nothing more; the one who began says -ENOMEM. Also the two
 * containers that grow in an arena: by doubling, so that what is left behind is never more than what is in use. */
#include "supervisor/config_internal.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 16384 /* a usual config fits into one or two */

struct chunk {
    struct chunk *next;
    size_t size; /* of bytes */
    size_t used;
    alignas(max_align_t) char bytes[];
};

static size_t aligned(size_t size) {
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* A large piece gets a chunk of its own behind the current one, which goes on being filled. */
static struct chunk *chunk_add(struct arena *arena, size_t need) {
    size_t size = need > CHUNK_BYTES / 4 ? need : CHUNK_BYTES;
    struct chunk *chunk = malloc(sizeof(*chunk) + size);
    if (chunk == NULL) {
        arena->failed = true;
        return NULL;
    }
    *chunk = (struct chunk){.size = size};
    if (size == need && arena->chunks != NULL) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    return chunk;
}

static void *take(struct arena *arena, size_t size) {
    if (arena->failed)
        return NULL;
    size_t need = aligned(size);
    struct chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < need) {
        chunk = chunk_add(arena, need);
        if (chunk == NULL)
            return NULL;
    }
    void *piece = chunk->bytes + chunk->used;
    chunk->used += need;
    return piece;
}

void *arena_take(struct arena *arena, size_t size) {
    void *piece = take(arena, size);
    if (piece != NULL)
        memset(piece, 0, size);
    return piece;
}

char *arena_copy(struct arena *arena, const char *text, size_t length) {
    char *copy = take(arena, length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void arena_free(struct arena *arena) {
    while (arena->chunks != NULL) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
}

void *config_keep(struct config *config, size_t size) {
    struct arena arena = {.chunks = config->memory};
    void *piece = arena_take(&arena, size);
    config->memory = arena.chunks;
    return piece;
}

/* FNV-1a: whoever writes the config owns the container, so nobody has a reason to make names collide. */
static uint32_t hash(uint32_t scope, const char *text, size_t length) {
    uint32_t sum = 2166136261u ^ scope;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)text[i]) * 16777619u;
    return sum ^ (sum >> 15);
}

/* Where the name is, or the free place where it belongs; there is always one. */
static struct name *find(const struct names *names, uint32_t scope, const char *text, size_t length) {
    uint32_t place = hash(scope, text, length);
    for (;; place++) {
        struct name *name = &names->items[place & (names->capacity - 1)];
        if (name->text == NULL ||
            (name->scope == scope && name->length == length && memcmp(name->text, text, length) == 0))
            return name;
    }
}

const struct name *names_find(const struct names *names, uint32_t scope, const char *text, size_t length) {
    if (names->capacity == 0)
        return NULL;
    const struct name *name = find(names, scope, text, length);
    return name->text == NULL ? NULL : name;
}

void names_add(struct names *names, struct arena *arena, struct name name) {
    if (names->count >= names->capacity / 2) {
        struct names larger = {.capacity = names->capacity == 0 ? 64 : names->capacity * 2};
        larger.items = arena_take(arena, larger.capacity * sizeof(*larger.items));
        if (larger.items == NULL)
            return;
        for (uint32_t i = 0; i < names->capacity; i++) {
            const struct name *old = &names->items[i];
            if (old->text != NULL)
                *find(&larger, old->scope, old->text, old->length) = *old;
        }
        larger.count = names->count;
        *names = larger;
    }
    *find(names, name.scope, name.text, name.length) = name;
    names->count++;
}

void list_append(struct spec_text_list *list, struct arena *arena, const char *text, size_t length) {
    /* Full when the count is a power of two: no capacity has to be kept beside a list. */
    if ((list->count & (list->count - 1)) == 0) {
        size_t capacity = list->count == 0 ? 1 : (size_t)list->count * 2;
        char **items = arena_take(arena, capacity * sizeof(*items));
        if (items == NULL)
            return;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
    }
    char *copy = arena_copy(arena, text, length);
    if (copy != NULL)
        list->items[list->count++] = copy;
}
