/* What an executable file is, as far as wrapping needs to know: a shim, a script, a program with a sanitizer in it.
 *
 * Freestanding: used by brood, the shim and the preload library alike. Sources: execve(2), "Interpreter scripts";
 * elf(5). */
#ifndef WRAP_IMAGE_H
#define WRAP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "wrap/context.h"

#define IMAGE_HEAD_BYTES 256 /* of a file, that the kernel looks at */

enum image_kind {
    IMAGE_UNREADABLE, /* or not there */
    IMAGE_OTHER,
    IMAGE_ELF,
    IMAGE_SHIM,
    IMAGE_SCRIPT,
};

struct image {
    enum image_kind kind;
    char key[CONTEXT_KEY_BYTES + 1]; /* IMAGE_SHIM: whose */
    bool sanitized;                  /* IMAGE_ELF: wants a sanitizer's runtime, which must be the first library */
    const char *interpreter;         /* IMAGE_SCRIPT: in head; */
    const char *argument;            /* and the rest of its line, NULL: none */
    char head[IMAGE_HEAD_BYTES + 1];
};

/* Opens the file, or with path "" uses the descriptor `directory` itself, and looks; never fails otherwise than by
 * saying IMAGE_UNREADABLE. flags as of openat(2), added to O_RDONLY and O_CLOEXEC. */
void image_look(int directory, const char *path, int flags, struct image *ret);

/* Splits the #! line that the first `length` bytes of a file begin with, as the kernel does; head is changed in place
 * and filled up with NULs. False: the kernel would not take it for a script. Pure. */
bool image_script(char head[static IMAGE_HEAD_BYTES + 1], size_t length, const char **ret_interpreter,
                  const char **ret_argument);

#endif
