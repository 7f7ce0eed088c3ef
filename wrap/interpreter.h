/* What executes an executable wrapper, so that its #! line doesn't lead back to the shim of the program that it
 * wraps. */
#ifndef WRAP_INTERPRETER_H
#define WRAP_INTERPRETER_H

#include "wrap/pool.h"
#include "wrap/programs.h"

struct interpreter {
    const char *executable;               /* to be executed: the wrapper itself, or its interpreter */
    const char *words[CONTEXT_WORDS_MAX]; /* instead of argv[0] */
    bool sanitized;                       /* it wants a sanitizer's runtime to be the first library */
    uint32_t words_count;                 /* 0: argv[0] stays */
};

/* A script for `#!/usr/bin/env node` or `#!/usr/bin/node` where node is wrapped is executed by the real node; one
 * without a #! line by sh, as shells do it; everything else by the kernel. Strings are in the pool or the arguments. */
void interpreter_of(struct pool *pool, const char *search, const struct programs *programs, const char *wrapper,
                    struct interpreter *ret);

#endif
