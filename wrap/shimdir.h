/* The directory that holds shims: where it may be, how it is made, and how it goes away, also that of a brood that
 * died. Notify sockets lie in such a one, too.
 *
 * A live brood holds an flock() on DIRECTORY/lock; pids say nothing across PID namespaces. Sources: mkdtemp(3),
 * flock(2), statvfs(3). */
#ifndef WRAP_SHIMDIR_H
#define WRAP_SHIMDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <limits.h>

#include "wrap/context.h"

#define SHIMDIR_ROOT_BYTES 200 /* so that every shim's path fits where it is put together, see redirect.h */
#define SHIMDIR_PREFIX "brood-"

enum shimdir_root_flags {
    SHIMDIR_MAKE = 1,   /* it is made where it is missing */
    SHIMDIR_BLANKS = 2, /* its name may have some: no library lies in it */
};

struct shimdir {
    char path[PATH_MAX];
    char key[CONTEXT_KEY_BYTES + 1];
    int fd;
    int lock; /* -1: has none */
};

/* Whether a directory can hold shims: absolute, no symlink of somebody else's, writable, not noexec, no colon or blank
 * in it. Returns 0, or -errno with a text; 1 with a text where it can, but others may write to it too. */
int shimdir_check_root(const char *root, unsigned flags, char *error, size_t size);

/* Makes a root that everybody can enter, whatever the umask is. Returns 1, 0 where it was there already, or -errno. */
int shimdir_make_root(const char *root);

/* Makes ROOT/brood-XXXXXX, for this user alone yet, and locks it. Returns 0, or -errno with a text; ret is then nothing
 * that needs closing. */
int shimdir_make(const char *root, struct shimdir *ret, char *error, size_t size);
/* Makes a directory of that name, which must not be there. No lock: for --write-shims. As shimdir_make(). */
int shimdir_make_named(const char *path, struct shimdir *ret, char *error, size_t size);

/* Removes what is in a directory, given as a descriptor that stays the caller's, and then the directory, by its path.
 * Follows no symlink. Returns 0, or -errno of the last step. */
int shimdir_remove(int fd, const char *path);

/* Writes a new file; the directories on the way are made. Returns 0 or -errno. */
int shimdir_write(const struct shimdir *directory, const char *name, const void *bytes, size_t length, bool executable);

/* Lets everybody in. Returns 0 or -errno. */
int shimdir_publish(const struct shimdir *directory);

/* Removes everything in it, and it, and closes. keep: closes alone. Takes one that is closed. */
void shimdir_close(struct shimdir *directory, bool keep);

/* Removes the directories of dead broods in a root: those of this user, of which nobody holds the lock. Before that
 * undo() is called with the path, and where it returns false the directory stays. What can't be removed stays too. */
void shimdir_sweep(const char *root, bool (*undo)(void *context, const char *path), void *context);

#endif
