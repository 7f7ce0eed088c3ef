/* From the [wrap:…] sections of a spec to what wrap/ takes: the two rooms don't know each other. */
#ifndef INIT_WRAPPING_H
#define INIT_WRAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "init/environment.h"
#include "supervisor/spec.h"
#include "wrap/wrap.h"

#define WRAPPING_ERROR_BYTES (5 * 4096) /* of a line that may name several paths */

/* Says what of the sections can't be on this machine: a wrapper that isn't there, a program that reach = strict can't
 * replace. Calls fault for each, with the line of its section. Returns 0 or -ENOMEM. */
int wrapping_check(const struct spec *spec, const char *search,
                   void (*fault)(void *context, uint32_t line, const char *text), void *context);

/* Whether a shim directory is needed: for a wrap, or for the library by which the workers of a cluster that listens by
 * itself share a port. */
bool wrapping_needed(const struct spec *spec);

/* Makes the shims and enters them into the environment of each group. Returns 0 with *ret, which is for wrap_close()
 * (NULL where nothing is wrapped), or -errno with one line in error. */
int wrapping_open(const struct spec *spec, struct environment *environment, struct wrap **ret, char *error,
                  size_t size);

/* --write-shims: makes them in a directory, for an image. */
int wrapping_write(const struct spec *spec, const struct environment *environment, const char *directory, char *error,
                   size_t size);

#endif
