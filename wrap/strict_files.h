/* What reach = strict needs to know of files before it trusts or touches them. Private to wrap/strict*.c and journal.c.
 *
 * A directory of PATH may belong to somebody who would like to see root rename or mount something else. So files are
 * opened once, checked as what was opened, and then named as /proc/self/fd/N or relative to a directory that is held.
 * Sources: open(2), link(2), mount(2), proc_pid_mountinfo(5), proc_pid_fdinfo(5), elf(5). */
#ifndef WRAP_STRICT_FILES_H
#define WRAP_STRICT_FILES_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "wrap/fd.h"
#include "wrap/journal.h"

#define STRICT_REAL "real"      /* in the shim directory: where real programs are mounted */
#define STRICT_BACKUP ".brood-" /* beside a program: where its second name is */
#define STRICT_NEW ".shim"      /* in that directory: a shim that isn't whole yet */
#define STRICT_FD_NAME_BYTES 32 /* /proc/self/fd/2147483647 */

enum strict_mode { STRICT_SET_MODE, STRICT_KEEP_MODE };

/* The last part of a path with a slash in it. */
const char *strict_basename(const char *path);

/* "/proc/self/fd/N", or "/proc/self/fd/N/NAME" where name isn't NULL, into ret of size bytes. */
void strict_fd_name(int fd, const char *name, char *ret, size_t size);

/* Opens path with flags (O_CLOEXEC and O_NOFOLLOW are added) if no symlink leads there. Returns the fd, the caller's,
 * or -errno; -ELOOP where the path leads elsewhere than it says. */
int strict_open_exact(const char *path, int flags);
int strict_open_parent(const char *path);

/* Opens a directory that this user owns and nobody else can write to. Returns the fd, the caller's, or -errno; -EPERM
 * where it isn't so. strict_make_directory() makes it if it is missing; SET_MODE: 0755 whatever the umask is. */
int strict_open_own(int at, const char *name);
int strict_make_directory(int at, const char *name, enum strict_mode mode);

/* Opens .brood-KEY in the directory parent. As strict_open_own(). */
int strict_open_backup(int parent, const char *key);

/* Whether the file is a shim: bytes 9 to 15 of its ELF header are 'b' and the key of its brood. Returns 1 and that key
 * with a NUL, 0, or -errno. What isn't a regular file is no shim. A missing file is -ENOENT. */
int strict_read_key(int at, const char *name, char ret_key[CONTEXT_KEY_BYTES + 1]);

/* The mount on which an open file lies: its id, or -errno; and whether it is shared with other mounts, perhaps of the
 * host: 1, 0 or -errno. Reads /proc. */
int strict_mount_id(int fd);
int strict_mount_is_shared(int fd);

/* Whether NAME in the directory is a mount point: 1, 0 or -errno. */
int strict_is_mounted(int directory, const char *name);

/* Whether a mount on the one that holds an open file would stay in this namespace: a shared one has peers, and
 * nobody in here can see whether one of them is the host's. Returns 0, or -errno with the cause, a part of a
 * sentence. */
#define STRICT_CAUSE_BYTES 192
int strict_check_shared(int fd, const char *path, char *ret_cause);

/* The causes of -errno from a mount of the program in DIRECTORY, and from a link to the open file beside path. */
void strict_explain_mount(int r, const char *directory, char *ret_cause);
void strict_explain_link(int r, const char *path, int file, char *ret_cause);

/* Undoes one step, whatever of it stands: the name leads to the program again, what was made for it is removed.
 * Idempotent. Returns 0, or -errno with one line in error. */
int strict_undo(const char *directory, const char *key, const struct journal_step *step, char *error, size_t size);

#endif
