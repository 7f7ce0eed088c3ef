/* The bytes of an env_file, one variable after the other. A pure function; the grammar is that of brood.ini(5):
 * NAME=VALUE lines, blank ones and comments between them, values that are literal but for quotes around the whole. */
#ifndef INIT_ENV_LINES_H
#define INIT_ENV_LINES_H

#include <stddef.h>
#include <stdint.h>

/* Begin with {.next = bytes, .end = bytes + length}; *end, one byte behind, is written to, too. */
struct env_lines {
    char *next;
    char *end;
    uint32_t line; /* of what env_lines_next() gave last, from 1 on */
};

enum env_line { ENV_LINE_END, ENV_LINE_VARIABLE, ENV_LINE_FAULT };

/* What the next line with something in it is. ENV_LINE_VARIABLE: *ret_name and *ret_value are in the bytes, which are
 * changed for that. ENV_LINE_FAULT: *ret_fault is a constant text that says what is wrong and how to mend it. */
enum env_line env_lines_next(struct env_lines *lines, char **ret_name, char **ret_value, const char **ret_fault);

#endif
