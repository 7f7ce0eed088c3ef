/* The shim and the preload library as brood carries them, and how a context gets into one. */
#ifndef WRAP_TEMPLATE_H
#define WRAP_TEMPLATE_H

#include <stddef.h>

#include "wrap/context.h"
#include "wrap/pool.h"

struct embedded {
    const char *bytes;
    size_t size;
};

struct embedded template_shim(void);
struct embedded template_library(void);
struct embedded template_adapter(void);        /* node/adapter.cjs */
struct embedded template_preload_script(void); /* node/preload.cjs */

/* How long a shim with such a context is. */
size_t template_size(const struct embedded *template, const struct context *context);

/* The template with a context in the segment that is made for it. key, of CONTEXT_KEY_BYTES, marks it as a shim; NULL
 * for the library: dynamic loaders look at those bytes. Returns the file's bytes, template_size() of them, in the pool,
 * or NULL. */
char *template_fill(struct pool *pool, const struct embedded *template, const struct context *context, const char *key);

#endif
