/* An environment that is edited: NAME=VALUE strings, an array for exec out. Pure; the strings of the base are borrowed.
 *
 * What it is opened with is kept as it is, odd entries too: one without `=` is passed on and has no name, of two with
 * one name the first is what environ_get() finds, as getenv() does. After environ_set() and environ_unset() a name is
 * there once or not at all. Functions that return int return 0 or -errno: -ENOMEM, or -E2BIG where NAME=VALUE would be
 * longer than ENVIRON_BYTES_MAX; the environment is unchanged then. */
#ifndef WRAP_ENVIRON_H
#define WRAP_ENVIRON_H

#include <stdbool.h>
#include <stddef.h>

#define ENVIRON_BYTES_MAX 131071 /* the kernel's MAX_ARG_STRLEN with pages of 4 KiB, without the NUL */

struct environ_block;

/* base ends with NULL; its strings must stay until environ_close(). *ret is the caller's. */
int environ_open(char *const *base, struct environ_block **ret);
void environ_close(struct environ_block *block); /* takes NULL */

/* The value, NULL where it isn't set; valid until the next change of that name. */
const char *environ_get(const struct environ_block *block, const char *name);
/* Both are copied. */
int environ_set(struct environ_block *block, const char *name, const char *value);
void environ_unset(struct environ_block *block, const char *name);

/* text with each ${NAME} replaced by that variable's value, or by nothing where it isn't set. `$X`, and a `${` that no
 * name and `}` follow, stay as they are; a value isn't expanded again. *ret is the caller's to free(). */
int environ_expand(const struct environ_block *block, const char *text, char **ret);

/* PATH and LD_PRELOAD as paths_search() and paths_preload() have them. */
int environ_add_search(struct environ_block *block, const char *directory);
int environ_add_preload(struct environ_block *block, const char *library);

/* All entries, in the order in which they came, with NULL behind them: the block's, valid until the next change. */
char **environ_array(struct environ_block *block);
size_t environ_count(const struct environ_block *block);

/* [A-Za-z_][A-Za-z0-9_]* */
bool environ_name_valid(const char *text);

#endif
