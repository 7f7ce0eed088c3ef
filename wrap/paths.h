/* The two colon lists that wrapping edits, PATH and LD_PRELOAD: pure functions over strings.
 *
 * Freestanding: no function of any library, no allocation, no static data; the shim and the preload library, which
 * have no libc, use them too. Each writes a list with its NUL into buffer and returns its length without the NUL. A
 * list that does not fit into size bytes is 0 and "" (where there is room for that): half of a list would lead astray.
 * buffer must not overlap the other arguments. */
#ifndef WRAP_PATHS_H
#define WRAP_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* Where programs are looked for when no PATH says so; what a shim directory alone would make disappear. */
#define PATHS_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* PATH with directory as its first entry and nowhere else; the other entries of former stay as they are, empty ones
 * (the current directory) and duplicates too. Where former is NULL or "", PATHS_DEFAULT takes its place. Slashes at
 * the end of an entry don't make it another one. */
size_t paths_search(char *buffer, size_t size, const char *former, const char *directory);
/* Whether directory is one of the entries of a PATH; NULL is a list without any. */
bool paths_has(const char *list, const char *directory);

/* LD_PRELOAD with library as its last entry and nowhere else. Entries are separated by blanks or colons, as dynamic
 * loaders have it; those of former keep what separates them. former may be NULL. */
size_t paths_preload(char *buffer, size_t size, const char *former, const char *library);
/* … without library. Never longer than former: in a buffer that former fits into, 0 means that nothing is left, and the
 * variable is best unset. */
size_t paths_preload_without(char *buffer, size_t size, const char *former, const char *library);
bool paths_preload_has(const char *list, const char *library);

#endif
