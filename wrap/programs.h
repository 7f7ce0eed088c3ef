/* Which programs the sections of a config name, and which files on this machine they are. */
#ifndef WRAP_PROGRAMS_H
#define WRAP_PROGRAMS_H

#include <sys/types.h>

#include "wrap/pool.h"
#include "wrap/wrap.h"

struct program {
    const char *name;
    uint32_t by_name; /* sections that name it by its name: bit n is section n */
    uint32_t by_path; /* sections that name one of its files */
    uint32_t by_file; /* those of both with reach = preload or strict */
    uint32_t strict;  /* those with reach = strict */
};

struct program_file {
    uint32_t program;
    const char *path;     /* as callers know it */
    const char *real;     /* without symlinks */
    const char *executed; /* what is executed for it: path, until reach = strict gives it another name */
    uint32_t flags;       /* enum context_file_flags */
    uint32_t sections;    /* all that wrap it */
    uint32_t named;       /* those that name this very file */
    dev_t device;
    ino_t inode;
};

struct programs {
    struct program *items;
    size_t count, capacity;
    struct program_file *files; /* of one program in the order of PATH */
    size_t files_count, files_capacity;
};

/* Looks everything up; a program that isn't there is said as a warning. `heal`: one that a dead brood replaced by a
 * shim (reach = strict) is put back first. Everything is in the pool or the input. Returns 0 or -ENOMEM. */
int programs_find(struct pool *pool, const struct wrap_input *input, bool heal, struct programs *ret);

/* Whether reach = strict of one of its sections is for this file. */
bool programs_is_strict(const struct programs *programs, const struct program_file *file);

/* The first executable of that name on PATH; NULL: none. In the pool. */
const char *programs_search(struct pool *pool, const char *search, const char *name);

#endif
