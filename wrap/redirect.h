/* Which file an exec really starts: the one that was asked for, or the shim of a wrapped program that it is or leads
 * to.
 *
 * Used by the preload library, for every exec of the process it lies in, and by brood itself, for what it starts. It
 * looks, and never changes anything: a program is told by the file it is, however it is named, by its name where it
 * came later, and a script by its interpreter. Where something isn't clear the exec goes as it was asked for.
 * Freestanding, async-signal-safe, some kilobytes of stack, no allocation. */
#ifndef WRAP_REDIRECT_H
#define WRAP_REDIRECT_H

#include <stdbool.h>

#include "wrap/context.h"

#define REDIRECT_ENTRY_BYTES 512 /* path of a shim; brood bounds shim_root accordingly */
#define REDIRECT_TOLD_BYTES 1200 /* VARIABLE_TOLD: a longer path than about 1000 bytes is executed as it is */

struct redirect {
    const char *path; /* to execute: the caller's, or entry */
    bool turned;      /* path is entry, an absolute path */
    bool preloadable; /* the preload library may be loaded into it */
    char entry[REDIRECT_ENTRY_BYTES];
    char told[REDIRECT_TOLD_BYTES]; /* "SPAWN_WRAP_TOLD=…", for its environment; "": none */
};

/* path is looked up as by openat(directory, path), with AT_EMPTY_PATH or AT_SYMLINK_NOFOLLOW in flags as execveat() has
 * it. pid is the process that will execute, or its parent. Always fills *ret; ret->path may point to `path`. */
void redirect_exec(const struct context *context, int directory, const char *path, int flags, int pid,
                   struct redirect *ret);

/* "ENTRIES/FILE/LAYER/NAME": the shim of a file (its index, or CONTEXT_TOLD) from a layer on. False: too long. */
bool redirect_entry(const struct context *context, uint32_t program, uint32_t file, uint32_t layer,
                    char ret[static REDIRECT_ENTRY_BYTES]);

#endif
