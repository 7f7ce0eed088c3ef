/* Writes what sets are made of (set.h) into a shim directory. */
#ifndef WRAP_SHIMS_H
#define WRAP_SHIMS_H

#include "wrap/pool.h"
#include "wrap/set.h"
#include "wrap/shimdir.h"

/* The shims, libraries and stubs of all sets, and what they share. Returns 0 or -errno; what is there stays then. */
int shims_write(struct pool *pool, const struct shimdir *directory, const struct set *sets, size_t count,
                const char *key);

#endif
