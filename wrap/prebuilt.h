/* Shims that were made when an image was built (--write-shims), for containers whose root can't be written.
 *
 * They lie in ROOT/image, with a manifest: everything that went into them, byte for byte. A brood puts its own together
 * in memory, and where they come out the same the ones in the image are used. */
#ifndef WRAP_PREBUILT_H
#define WRAP_PREBUILT_H

#include "wrap/pool.h"
#include "wrap/set.h"
#include "wrap/shimdir.h"

#define PREBUILT_PID 1 /* context.root.pid: nobody knows when the image is built */

struct prebuilt {
    char *directory; /* ROOT/image */
    char *key;
    const char *manifest; /* as found */
    size_t manifest_size;
};

/* The names of one that is to be made, with a key of its own. In the pool. Returns 0, or -errno with a text. */
int prebuilt_name(struct pool *pool, const char *root, struct prebuilt *ret, char *error, size_t size);

/* Removes shims of a former --write-shims, or an empty directory, from the place of these. What anybody else has put
 * there stays. Returns 0, or -errno with a text. */
int prebuilt_clear(const struct prebuilt *prebuilt, char *error, size_t size);

/* Reads what is there: complete, owned by this user or root, and not writable by others. Returns 0 or -errno. */
int prebuilt_open(struct pool *pool, const char *root, struct prebuilt *ret);

/* Whether these sets are what the manifest says. */
bool prebuilt_matches(const struct prebuilt *prebuilt, const struct set *sets, size_t count);

/* Writes the manifest. Returns 0, or -errno with a text. */
int prebuilt_write(const struct prebuilt *prebuilt, const struct set *sets, size_t count,
                   const struct shimdir *directory, char *error, size_t size);

#endif
