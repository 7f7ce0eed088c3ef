/* reach = strict: the program's own file is the shim, for static programs, other users and `docker exec` too.
 *
 * Two phases. strict_keep() gives the program's file a second name, under which every uid can execute it: that
 * name goes into the shim's context. Then, with the shim written, strict_replace() puts it in the place of the
 * file. There are two ways: bind mounts, where CAP_SYS_ADMIN allows and no mount involved is shared with others;
 * else a hard link and a rename over the name, which never goes missing. strict_close() undoes it all; after a
 * crash the next brood does, by the journal (strict_repair) or, where that is lost, by what lies beside a program
 * that is still a shim (strict_heal).
 *
 * Text in error is one line: the file, the cause, what helps. Sources: mount(2), umount(2), link(2), rename(2). */
#ifndef WRAP_STRICT_H
#define WRAP_STRICT_H

#include <stddef.h>
#include <stdint.h>

struct strict; /* the replaced files of this brood, and the journal */

#define STRICT_ERROR_BYTES (4 * 4096) /* what holds every text: it may name a path three times */
#define STRICT_COPIED_UP 1 /* of strict_keep(): the file lies on overlayfs, its link copied it into the upper layer */
#define STRICT_UNDONE 1    /* of strict_repair() and strict_heal(): there was something to look after, say so */

/* Only PID 1 of a container may do this, never who shares a mount namespace with the host. Returns 0, or -EPERM with a
 * text; also where /proc can't tell. */
int strict_allowed(char *error, size_t size);

/* Begins the journal in DIRECTORY: the shims' own, absolute, its last six characters the key of this brood, owned
 * by this user and not writable by others. Returns 0 and what strict_close() frees, or -errno with a text. */
int strict_open(const char *directory, struct strict **ret, char *error, size_t size);

/* Phase 1. path is a regular file's realpath(); number is its shim's, below 10^9. ret_executed gets the second
 * name, of ret_size bytes (PATH_MAX is enough): DIRECTORY/real/NUMBER/BASENAME, or BASENAME in .brood-KEY beside
 * it. Returns 0 or STRICT_COPIED_UP, or -errno with a text; then strict_close() what there is. */
int strict_keep(struct strict *strict, uint32_t number, const char *path, char *ret_executed, size_t ret_size,
                char *error, size_t size);

/* Phase 2, for a number that is kept. shim carries this brood's key in its ELF header. A copy of it gets the owner
 * and the permissions of the original, but for setuid and setgid. Returns 0, or -errno with a text; -ESTALE where
 * the program has changed since phase 1. */
int strict_replace(struct strict *strict, uint32_t number, const char *shim, char *error, size_t size);

/* Undoes everything, the last first, and goes on after a failure. A file that isn't our shim any more (a package was
 * upgraded) stays as it is. Frees strict, which may be NULL. Returns 0, or the first -errno with its text; the journal
 * then stays for the next brood. */
int strict_close(struct strict *strict, char *error, size_t size);

/* Undoes what the journal of a dead brood names, and removes the journal. Only one of this user, not writable by
 * others, is believed. Returns 0 (it is gone), STRICT_UNDONE, or -errno with a text: -EWOULDBLOCK (no text) while
 * its brood lives, -EPERM or -EBADMSG where it isn't one of ours, else what couldn't be undone. */
int strict_repair(const char *journal, char *error, size_t size);

/* To be called with each program's realpath() before it is looked at: if it is a shim that a dead brood left there, the
 * original comes back. A shim of a live brood stays. Returns 0, STRICT_UNDONE, or -errno with a text. */
int strict_heal(const char *path, char *error, size_t size);

#endif
