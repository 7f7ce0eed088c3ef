/* The environment of an exec, put right: the shim directory on PATH, the preload library in LD_PRELOAD, and what the
 * shim is told. Processes clear and edit their environment; what they ask for stays as it is otherwise.
 *
 * Freestanding, no allocation: whoever calls brings the memory. */
#ifndef WRAP_REPAIR_H
#define WRAP_REPAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "wrap/context.h"

#define REPAIR_SEARCH_BYTES 8192 /* PATH, longer ones are left as they are */
#define REPAIR_PRELOAD_BYTES 2048
#define REPAIR_ADDED_MAX 3 /* variables: PATH, LD_PRELOAD, VARIABLE_TOLD */

struct repair {
    const char *search;   /* "PATH=…" to take the place of what is there; NULL: as it is */
    const char *preload;  /* "LD_PRELOAD=…", the same */
    const char *told;     /* "SPAWN_WRAP_TOLD=…", the same */
    bool without_preload; /* LD_PRELOAD goes away */
    char search_text[REPAIR_SEARCH_BYTES];
    char preload_text[REPAIR_PRELOAD_BYTES];
};

/* Whether an environment for a program that may (preloadable) or may not have the library loaded lacks anything. */
bool repair_needed(const struct context *context, char *const *envp, bool preloadable, const char *told);

/* Says what to change; told is "" or a whole variable that outlives *ret. */
void repair_plan(const struct context *context, char *const *envp, bool preloadable, const char *told,
                 struct repair *ret);

/* How many strings an environment has; NULL has none. */
size_t repair_count(char *const *envp);

/* Writes the new environment, which ends with NULL, into array: room for repair_count() + REPAIR_ADDED_MAX + 1. */
void repair_apply(const struct repair *repair, char *const *envp, const char **array);

#endif
