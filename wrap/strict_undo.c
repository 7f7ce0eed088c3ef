/* Undoes reach = strict: at the end, and after a crash by the next brood. See strict.h.
 *
 * What has to be done is read from the files, not from how far somebody had come: the program's name is given back only
 * where it leads to a shim with our key, and what lies under the second name is removed only where the program's name
 * leads to something that is nobody's shim. So each step can be repeated, and a crash within a repair does no harm. */
#include "wrap/strict.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/strict_files.h"

/* --- mounts ------------------------------------------------------------------------------------------------------- */

static int uncover(const char *path, const char *key) {
    char found[CONTEXT_KEY_BYTES + 1], name[STRICT_FD_NAME_BYTES];
    CLEANUP_FD int parent = strict_open_parent(path);
    if (parent < 0)
        return parent == -ENOENT || parent == -ELOOP || parent == -ENOTDIR ? 0 : parent;
    int r = strict_read_key(parent, strict_basename(path), found);
    if (r <= 0 || strcmp(found, key) != 0)
        return r == -ENOENT ? 0 : r < 0 ? r : 0;
    r = strict_is_mounted(parent, strict_basename(path));
    if (r <= 0)
        return r;
    CLEANUP_FD int fd = strict_open_exact(path, O_PATH);
    if (fd < 0)
        return fd;
    strict_fd_name(fd, NULL, name, sizeof name);
    return umount2(name, MNT_DETACH) < 0 ? -errno : 0;
}

/* Removes a name where it exists. */
static int discard(int directory, const char *name, int flags) {
    if (unlinkat(directory, name, flags) == 0 || errno == ENOENT)
        return 0;
    return (flags & AT_REMOVEDIR) != 0 && (errno == ENOTEMPTY || errno == EEXIST) ? 0 : -errno;
}

static int unkeep_in(int place, const char *base) {
    char name[STRICT_FD_NAME_BYTES + NAME_MAX + 1];
    strict_fd_name(place, base, name, sizeof name);
    int r = strict_is_mounted(place, base);
    if (r == 1) /* without CAP_SYS_ADMIN umount2() says EPERM before it says that nothing is mounted */
        r = umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return discard(place, base, 0);
}

static int unkeep(const char *directory, const struct journal_step *step) {
    char number[16];
    snprintf(number, sizeof number, "%u", step->number);
    CLEANUP_FD int top = strict_open_own(AT_FDCWD, directory);
    CLEANUP_FD int real = top < 0 ? top : strict_open_own(top, STRICT_REAL);
    CLEANUP_FD int place = real < 0 ? real : strict_open_own(real, number);
    int r = place < 0 ? place : unkeep_in(place, strict_basename(step->path));
    if (r < 0 && r != -ENOENT)
        return r;
    if (real >= 0)
        r = discard(real, number, AT_REMOVEDIR);
    if (real >= 0 && (r == 0 || r == -ENOENT))
        r = discard(top, STRICT_REAL, AT_REMOVEDIR);
    return r == -ENOENT ? 0 : r;
}

/* --- hard links --------------------------------------------------------------------------------------------------- */

/* rename() of one hard link over another does nothing and says that it worked: hence never before a look at the
 * name. */
static int give_back(int parent, int backup, const char *base, const char *key) {
    char found[CONTEXT_KEY_BYTES + 1];
    int r = strict_read_key(parent, base, found);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r == 1 && strcmp(found, key) == 0)
        return renameat(backup, base, parent, base) < 0 ? -errno : 0;
    if (faccessat(backup, base, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (r == 1) /* another brood wrapped our shim: what it will put back is no use without the original */
        return -EBUSY;
    if (r == 0 && (r = strict_is_mounted(parent, base)) != 0)
        return r < 0 ? r : -EBUSY; /* our shim may lie below that mount */
    return discard(backup, base, 0);
}

static int unlink_backup(int parent, int backup, const char *base, const char *key) {
    char name[sizeof STRICT_BACKUP + CONTEXT_KEY_BYTES];
    snprintf(name, sizeof name, STRICT_BACKUP "%s", key);
    int r = give_back(parent, backup, base, key);
    if (r < 0)
        return r;
    r = discard(backup, STRICT_NEW, 0);
    if (r == 0)
        r = discard(parent, name, AT_REMOVEDIR);
    if (r == 0 && fsync(parent) < 0 && errno != EINVAL)
        r = -errno;
    return r;
}

static int unlink_step(const char *path, const char *key) {
    CLEANUP_FD int parent = strict_open_parent(path);
    if (parent < 0)
        return parent == -ENOENT || parent == -ELOOP || parent == -ENOTDIR ? 0 : parent;
    CLEANUP_FD int backup = strict_open_backup(parent, key);
    if (backup < 0)
        return backup == -ENOENT ? 0 : backup;
    return unlink_backup(parent, backup, strict_basename(path), key);
}

/* --- both --------------------------------------------------------------------------------------------------------- */

static int explain_link(int r, const char *path, const char *key, char *error, size_t size) {
    int length = (int)(strict_basename(path) - path);
    if (r == -ENOENT)
        snprintf(error, size, "%s: is a shim and its original %.*s" STRICT_BACKUP "%s/%s is gone; install it again",
                 path, length, path, key, strict_basename(path));
    else
        snprintf(error, size, "%s: can't be put back: %s; its original is %.*s" STRICT_BACKUP "%s/%s", path,
                 strerror(-r), length, path, key, strict_basename(path));
    return r;
}

int strict_undo(const char *directory, const char *key, const struct journal_step *step, char *error, size_t size) {
    int r = 0;
    switch (step->way) {
    case WAY_LINK:
        r = unlink_step(step->path, key);
        return r < 0 ? explain_link(r, step->path, key, error, size) : 0;
    case WAY_MOUNT:
        r = uncover(step->path, key);
        if (r < 0) {
            snprintf(error, size, "%s: the shim mounted on it stays: %s; unmount it by hand", step->path, strerror(-r));
            return r;
        }
        r = unkeep(directory, step);
        if (r < 0)
            snprintf(error, size, "%s/" STRICT_REAL "/%u: can't be removed: %s; remove it by hand", directory,
                     step->number, strerror(-r));
        return r;
    }
    return r;
}

/* --- after a crash ------------------------------------------------------------------------------------------------ */

/* Opens a journal that can be believed, locked. */
static int open_journal(const char *path, size_t *ret_length, char *error, size_t size) {
    struct stat status;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        int r = -errno;
        snprintf(error, size, "%s: %s", path, strerror(-r));
        return r;
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        snprintf(error, size, "%s: isn't believed: it must be a file of uid %u that nobody else can write; remove it",
                 path, geteuid());
        return -EPERM;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size > JOURNAL_BYTES_MAX) {
        snprintf(error, size, "%s: isn't a journal of brood's: it is longer than %d bytes; remove it", path,
                 JOURNAL_BYTES_MAX);
        return -EBADMSG;
    }
    *ret_length = (size_t)status.st_size;
    return fd_take(&fd);
}

static int read_record(int fd, const char *path, size_t length, struct journal_record *ret, char *error, size_t size) {
    size_t line = 0;
    char *text = calloc(1, length + 1);
    ssize_t got = text == NULL ? -1 : pread(fd, text, length, 0);
    if (got < 0) {
        int r = text == NULL ? -ENOMEM : -errno;
        free(text);
        snprintf(error, size, "%s: %s", path, strerror(-r));
        return r;
    }
    int r = journal_parse(text, (size_t)got, ret, &line);
    if (r == -EBADMSG)
        snprintf(error, size, "%s:%zu: isn't a journal of brood's, nothing was undone; look at the file and remove it",
                 path, line);
    else if (r < 0)
        snprintf(error, size, "%s: %s", path, strerror(-r));
    return r;
}

int strict_repair(const char *journal, char *error, size_t size) {
    struct journal_record record;
    size_t length = 0;
    CLEANUP_FD int fd = open_journal(journal, &length, error, size);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    int first = read_record(fd, journal, length, &record, error, size);
    if (first < 0)
        return first;
    for (size_t i = record.count; i > 0; i--) {
        char text[STRICT_ERROR_BYTES];
        int r = strict_undo(record.directory, record.key, &record.steps[i - 1], text, sizeof text);
        if (r < 0 && first == 0) {
            first = r;
            snprintf(error, size, "%s", text);
        }
    }
    int found = record.count > 0 ? STRICT_UNDONE : 0;
    journal_forget(&record);
    if (first == 0 && unlink(journal) < 0 && errno != ENOENT) {
        first = -errno;
        snprintf(error, size, "%s: can't be removed: %s", journal, strerror(-first));
    }
    return first < 0 ? first : found;
}

/* Live broods hold a shared lock on their .brood-KEY; flock() is seen across namespaces. */
int strict_heal(const char *path, char *error, size_t size) {
    char key[CONTEXT_KEY_BYTES + 1];
    CLEANUP_FD int parent = strict_open_parent(path);
    if (parent < 0 || strict_read_key(parent, strict_basename(path), key) <= 0 || strchr(key, '/') != NULL)
        return 0;
    CLEANUP_FD int backup = strict_open_backup(parent, key);
    if (backup < 0 || flock(backup, LOCK_EX | LOCK_NB) < 0)
        return 0;
    if (faccessat(backup, strict_basename(path), F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    int r = unlink_backup(parent, backup, strict_basename(path), key);
    return r < 0 ? explain_link(r, path, key, error, size) : STRICT_UNDONE;
}
