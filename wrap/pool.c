/* See pool.h. */
#include "wrap/pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_chunk {
    struct pool_chunk *next;
    max_align_t bytes[];
};

void *pool_take(struct pool *pool, size_t size) {
    struct pool_chunk *chunk = pool->failed ? NULL : calloc(1, sizeof *chunk + size);
    if (!chunk) {
        pool->failed = true;
        return NULL;
    }
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    return chunk->bytes;
}

char *pool_format(struct pool *pool, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    pool->failed = pool->failed || length < 0; /* a width or precision that needs memory, and has none */
    char *text = pool_take(pool, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void *pool_grow(struct pool *pool, const void *former, size_t item, size_t count, size_t *capacity) {
    size_t larger = count < 8 ? 16 : count * 2;
    void *items = pool_take(pool, larger * item);
    if (!items)
        return NULL;
    if (count > 0)
        memcpy(items, former, count * item);
    *capacity = larger;
    return items;
}

void pool_free(struct pool *pool) {
    while (pool->chunks) {
        struct pool_chunk *next = pool->chunks->next;
        free(pool->chunks);
        pool->chunks = next;
    }
    pool->failed = false;
}
