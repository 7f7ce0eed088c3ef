/* Memory that is given back all at once: what is needed to make a shim directory, and no longer.
 *
 * A failed allocation is remembered, so that a row of them is checked once, at its end. */
#ifndef WRAP_POOL_H
#define WRAP_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool_chunk;

struct pool {
    struct pool_chunk *chunks;
    bool failed; /* malloc said no, once and for all */
};

/* Zeroed memory, or NULL. */
void *pool_take(struct pool *pool, size_t size);
/* A formatted string, or NULL. */
char *pool_format(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A copy of `former` with room for twice as many items, at least 16; what is behind them is zeroed. NULL: no memory. */
void *pool_grow(struct pool *pool, const void *former, size_t item, size_t count, size_t *capacity);
void pool_free(struct pool *pool);

#endif
