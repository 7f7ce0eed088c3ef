/* A set: what one kind of process sees of the wrapping. Groups that the same sections apply to share one.
 *
 *     DIRECTORY/SET/bin/NAME            shims by name; on PATH
 *     DIRECTORY/SET/main/FILE/LAYER/NAME   by file (0: the one that the environment names) and first layer to run
 *     DIRECTORY/SET/preload.so          the library, where a section reaches that far
 *     DIRECTORY/SET/stub-N.cjs          what node runs first: the adapter, with what it has to know
 *
 * Here is what goes into them; nothing is written. */
#ifndef WRAP_SET_H
#define WRAP_SET_H

#include "wrap/pool.h"
#include "wrap/programs.h"
#include "wrap/wrap.h"

struct stub {
    const char *path;
    const char *text;
};

struct set {
    uint32_t sections; /* bit n: section n applies */
    bool shares_ports; /* the library lets its processes share ports */
    const char *directory;
    const char *names; /* NULL: no section applies */
    const char *entries;
    const char *library; /* NULL: none */
    struct stub *stubs;
    size_t stubs_count, stubs_capacity;
    struct context *context; /* of the library: all programs */
    struct context **shims;  /* of each of its programs, in that order: what its shims carry */
};

struct set_input {
    struct pool *pool;
    const struct wrap_input *wrap;
    const struct programs *programs;
    const char *directory; /* of all sets */
    const char *key;
    int pid; /* brood's, for context.root */
};

/* Fills ret, of which sections and shares_ports are given and nothing else is kept; number is the set's. Returns 0,
 * -ENOMEM, or -E2BIG where a context would get longer than CONTEXT_BYTES_MAX. */
int set_build(const struct set_input *input, uint32_t number, struct set *ret);

#endif
