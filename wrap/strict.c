/* Keeps and replaces the files of programs: see strict.h.
 *
 * Both ways leave the name in place at every moment: a mount covers it, a rename exchanges what it leads to. Whether
 * mount(2) is allowed is found out by calling it; strict_why.c asks afterwards why it wasn't. What has been changed is
 * nowhere remembered but in the journal, and undone by strict_undo.c, which looks at the files. */
#include "wrap/strict.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "wrap/strict_files.h"

#define OVERLAYFS 0x794c7630   /* linux/magic.h: OVERLAYFS_SUPER_MAGIC */
#define COPY_BYTES (16 * 1024) /* shims are at most twice that */
#define NUMBER_MAX 999999999   /* what the journal's digits can hold */

/* One line of the journal. */
struct program {
    struct program *below;
    enum journal_way way;
    uint32_t number;
    int lock; /* .brood-KEY, held as long as brood lives: strict_heal() of others asks for it; -1 with mounts */
    char path[];
};

struct strict {
    char directory[PATH_MAX];
    char key[CONTEXT_KEY_BYTES + 1];
    int directory_fd;
    struct journal journal;
    struct program *programs; /* the last line first */
};

static struct journal_step step_of(const struct program *program) {
    return (struct journal_step){.way = program->way, .number = program->number, .path = program->path};
}

/* --- beginning ---------------------------------------------------------------------------------------------------- */

int strict_open(const char *directory, struct strict **ret, char *error, size_t size) {
    struct strict *strict = calloc(1, sizeof *strict);
    size_t length = strlen(directory);
    int r = strict == NULL ? -ENOMEM : journal_path_check(directory);
    if (r == 0 && length < CONTEXT_KEY_BYTES + 1)
        r = -EINVAL;
    if (r == 0) {
        memcpy(strict->directory, directory, length + 1);
        memcpy(strict->key, directory + length - CONTEXT_KEY_BYTES, CONTEXT_KEY_BYTES + 1);
        strict->directory_fd = strict_open_own(AT_FDCWD, directory);
        r = strict->directory_fd < 0 ? strict->directory_fd
                                     : journal_open(strict->directory_fd, directory, strict->key, &strict->journal);
        if (r < 0)
            fd_close(&strict->directory_fd);
    }
    if (r < 0) {
        free(strict);
        snprintf(error, size,
                 "%s/" JOURNAL_NAME ": the journal of reach = strict can't be written: %s; set shim_root to a "
                 "directory that can",
                 directory, strerror(-r));
        return r;
    }
    *ret = strict;
    return 0;
}

/* The line is on the disk before this returns, and strict_close() will undo what it names. */
static int announce(struct strict *strict, enum journal_way way, uint32_t number, const char *path, char *error,
                    size_t size) {
    size_t length = strlen(path) + 1;
    struct program *program = malloc(sizeof *program + length);
    int r = -ENOMEM;
    if (program != NULL) {
        *program = (struct program){.below = strict->programs, .way = way, .number = number, .lock = -1};
        memcpy(program->path, path, length);
        struct journal_step step = step_of(program);
        r = journal_add(&strict->journal, &step);
    }
    if (r < 0) {
        free(program);
        snprintf(error, size, "%s/" JOURNAL_NAME ": %s; make room there or set another shim_root", strict->directory,
                 strerror(-r));
        return r;
    }
    strict->programs = program;
    return 0;
}

/* --- phase 1, mounts ---------------------------------------------------------------------------------------------- */

static int mount_on(int source, int target) {
    char from[STRICT_FD_NAME_BYTES], to[STRICT_FD_NAME_BYTES];
    strict_fd_name(source, NULL, from, sizeof from);
    strict_fd_name(target, NULL, to, sizeof to);
    return mount(from, to, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static int keep_by_mount(const struct strict *strict, uint32_t number, int file, const char *base) {
    char place_name[16];
    snprintf(place_name, sizeof place_name, "%u", number);
    CLEANUP_FD int real = strict_make_directory(strict->directory_fd, STRICT_REAL, STRICT_SET_MODE);
    if (real < 0)
        return real;
    CLEANUP_FD int place = strict_make_directory(real, place_name, STRICT_SET_MODE);
    if (place < 0)
        return place;
    CLEANUP_FD int target = openat(place, base, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
    return target < 0 ? -errno : mount_on(file, target);
}

/* --- phase 1, hard links ------------------------------------------------------------------------------------------ */

static int keep_by_link(const struct strict *strict, struct program *program, int file) {
    char name[sizeof STRICT_BACKUP + CONTEXT_KEY_BYTES], source[STRICT_FD_NAME_BYTES];
    snprintf(name, sizeof name, STRICT_BACKUP "%s", strict->key);
    CLEANUP_FD int parent = strict_open_parent(program->path);
    if (parent < 0)
        return parent;
    CLEANUP_FD int backup = strict_make_directory(parent, name, STRICT_SET_MODE);
    if (backup < 0)
        return backup;
    if (flock(backup, LOCK_SH | LOCK_NB) < 0)
        return -errno;
    strict_fd_name(file, NULL, source, sizeof source);
    if (linkat(AT_FDCWD, source, backup, strict_basename(program->path), AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    if (fsync(backup) < 0 || fsync(parent) < 0)
        return -errno;
    program->lock = fd_take(&backup);
    return 0;
}

/* --- phase 1 ------------------------------------------------------------------------------------------------------ */

static int open_program(const struct strict *strict, const char *path, char *error, size_t size) {
    char key[CONTEXT_KEY_BYTES + 1];
    struct stat status;
    if (journal_path_check(path) < 0) {
        snprintf(error, size, "reach = strict: a program's path must be absolute and without control characters");
        return -EINVAL;
    }
    CLEANUP_FD int file = strict_open_exact(path, O_PATH);
    if (file < 0 || fstat(file, &status) < 0) {
        int r = file < 0 ? file : -errno;
        snprintf(error, size, "%s: can't be replaced: %s", path,
                 r == -ELOOP ? "a symlink leads elsewhere" : strerror(-r));
        return r;
    }
    if (!S_ISREG(status.st_mode)) {
        snprintf(error, size, "%s: can't be replaced: not a regular file", path);
        return -EINVAL;
    }
    if (strict_read_key(AT_FDCWD, path, key) == 1 && strcmp(key, strict->key) == 0) {
        snprintf(error, size, "%s: can't be replaced: it is a shim of this brood already", path);
        return -EEXIST;
    }
    return fd_take(&file);
}

static int print_executed(const struct strict *strict, const struct program *program, char *ret, size_t size) {
    const char *base = strict_basename(program->path);
    char text[2 * PATH_MAX];
    if (program->way == WAY_MOUNT)
        snprintf(text, sizeof text, "%s/" STRICT_REAL "/%u/%s", strict->directory, program->number, base);
    else
        snprintf(text, sizeof text, "%.*s" STRICT_BACKUP "%s/%s", (int)(base - program->path), program->path,
                 strict->key, base);
    if (strlen(text) >= size || strlen(text) >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(ret, text, strlen(text) + 1);
    return 0;
}

static bool is_overlay(int file) {
    struct statfs status;
    return fstatfs(file, &status) == 0 && status.f_type == OVERLAYFS;
}

/* Tries a mount, then a link. Returns 0 or -errno; the text says why neither works. */
static int keep(struct strict *strict, uint32_t number, const char *path, int file, char *error, size_t size) {
    char no_mount[STRICT_CAUSE_BYTES], no_link[STRICT_CAUSE_BYTES];
    int r = strict_check_shared(file, path, no_mount);
    if (r == 0)
        r = strict_check_shared(strict->directory_fd, strict->directory, no_mount);
    if (r == 0) {
        r = announce(strict, WAY_MOUNT, number, path, error, size);
        if (r < 0)
            return r;
        r = keep_by_mount(strict, number, file, strict_basename(path));
        if (r == 0)
            return 0;
        strict_explain_mount(r, strict->directory, no_mount);
        struct journal_step failed = step_of(strict->programs);
        (void)strict_undo(strict->directory, strict->key, &failed, error, size); /* strict_close() tries it again */
    }
    r = announce(strict, WAY_LINK, number, path, error, size);
    if (r < 0)
        return r;
    r = keep_by_link(strict, strict->programs, file);
    if (r == 0)
        return 0;
    strict_explain_link(r, path, file, no_link);
    snprintf(
        error, size,
        "%s: can't be replaced by a mount: %s; nor by a rename: %s; remove either obstacle, or use reach = preload",
        path, no_mount, no_link);
    return r;
}

int strict_keep(struct strict *strict, uint32_t number, const char *path, char *ret_executed, size_t ret_size,
                char *error, size_t size) {
    if (number > NUMBER_MAX) {
        snprintf(error, size, "%s: can't be replaced: number %u is too large", path, number);
        return -ERANGE;
    }
    CLEANUP_FD int file = open_program(strict, path, error, size);
    if (file < 0)
        return file;
    bool overlay = is_overlay(file);
    int r = keep(strict, number, path, file, error, size);
    if (r < 0)
        return r;
    r = print_executed(strict, strict->programs, ret_executed, ret_size);
    if (r < 0) {
        snprintf(error, size, "%s: can't be replaced: its second name would be too long", path);
        return r;
    }
    return overlay && strict->programs->way == WAY_LINK ? STRICT_COPIED_UP : 0;
}

/* --- phase 2 ------------------------------------------------------------------------------------------------------ */

static struct program *find_program(const struct strict *strict, uint32_t number) {
    struct program *program = strict->programs;
    while (program != NULL && program->number != number)
        program = program->below;
    return program;
}

/* Whether two names lead to the same file still. Returns 0, -ESTALE or -errno. */
static int compare_files(int first, int second, const char *name) {
    struct stat one, other;
    if (fstatat(first, name, &one, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(second, name, &other, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino ? 0 : -ESTALE;
}

static int replace_by_mount(const struct strict *strict, const struct program *program, int shim) {
    char place_path[64];
    snprintf(place_path, sizeof place_path, STRICT_REAL "/%u", program->number);
    CLEANUP_FD int place = openat(strict->directory_fd, place_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0)
        return -errno;
    CLEANUP_FD int parent = strict_open_parent(program->path);
    if (parent < 0)
        return parent;
    int r = compare_files(place, parent, strict_basename(program->path));
    if (r < 0)
        return r;
    CLEANUP_FD int file = strict_open_exact(program->path, O_PATH);
    return file < 0 ? file : mount_on(shim, file);
}

static int copy_bytes(int from, int to) {
    char bytes[COPY_BYTES];
    off_t at = 0;
    ssize_t length;
    while ((length = pread(from, bytes, sizeof bytes, at)) > 0) {
        ssize_t written = write(to, bytes, (size_t)length);
        if (written != length)
            return written < 0 ? -errno : -ENOSPC;
        at += length;
    }
    return length < 0 ? -errno : 0;
}

/* Closed when it returns: a file that is open for writing can't be executed (ETXTBSY). chown() before chmod(), which it
 * may take bits from. */
static int write_shim(int backup, int shim, const struct stat *original) {
    CLEANUP_FD int file = openat(backup, STRICT_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return -errno;
    int r = copy_bytes(shim, file);
    if (r < 0)
        return r;
    bool foreign = original->st_uid != geteuid() || original->st_gid != getegid();
    if (foreign && fchown(file, original->st_uid, original->st_gid) < 0)
        return -errno;
    return fchmod(file, original->st_mode & 0777) < 0 || fsync(file) < 0 ? -errno : 0;
}

static int replace_by_rename(const struct strict *strict, const struct program *program, int shim) {
    const char *base = strict_basename(program->path);
    struct stat original;
    CLEANUP_FD int parent = strict_open_parent(program->path);
    if (parent < 0)
        return parent;
    CLEANUP_FD int backup = strict_open_backup(parent, strict->key);
    if (backup < 0)
        return backup;
    if (fstatat(backup, base, &original, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    int r = compare_files(parent, backup, base);
    if (r == 0)
        r = write_shim(backup, shim, &original);
    if (r == 0 && renameat(backup, STRICT_NEW, parent, base) < 0)
        r = -errno;
    if (r < 0) {
        unlinkat(backup, STRICT_NEW, 0);
        return r;
    }
    return fsync(parent) < 0 || fsync(backup) < 0 ? -errno : 0;
}

int strict_replace(struct strict *strict, uint32_t number, const char *shim, char *error, size_t size) {
    char key[CONTEXT_KEY_BYTES + 1];
    const struct program *program = find_program(strict, number);
    if (program == NULL) {
        snprintf(error, size, "%s: is the shim of no program that was kept", shim);
        return -EINVAL;
    }
    int r = strict_read_key(AT_FDCWD, shim, key);
    if (r <= 0 || strcmp(key, strict->key) != 0) {
        snprintf(error, size, "%s: can't replace %s: %s", shim, program->path,
                 r < 0 ? strerror(-r) : "it is no shim of this brood");
        return r < 0 ? r : -EINVAL;
    }
    CLEANUP_FD int file = open(shim, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        r = -errno;
    else
        r = program->way == WAY_MOUNT ? replace_by_mount(strict, program, file)
                                      : replace_by_rename(strict, program, file);
    if (r < 0)
        snprintf(error, size, "%s: can't be replaced by its shim: %s", program->path,
                 r == -ESTALE ? "it has changed since brood started; start brood again" : strerror(-r));
    return r;
}

/* --- end ---------------------------------------------------------------------------------------------------------- */

int strict_close(struct strict *strict, char *error, size_t size) {
    int first = 0;
    if (strict == NULL)
        return 0;
    while (strict->programs != NULL) {
        char text[STRICT_ERROR_BYTES];
        struct program *program = strict->programs;
        struct journal_step step = step_of(program);
        int r = strict_undo(strict->directory, strict->key, &step, text, sizeof text);
        if (r < 0 && first == 0) {
            first = r;
            snprintf(error, size, "%s", text);
        }
        strict->programs = program->below;
        fd_close(&program->lock);
        free(program);
    }
    if (first == 0)
        journal_remove(&strict->journal);
    else
        journal_close(&strict->journal);
    fd_close(&strict->directory_fd);
    free(strict);
    return first;
}
