/* See shimdir.h. Everything below the directory is reached through its descriptor and without following a symlink, so
 * that nobody who can write to the root can lead brood elsewhere. */
#include "wrap/shimdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define UNMAPPED 65534 /* in a user namespace: somebody outside, root as a rule */
#define DEPTH_MAX 8    /* directories in each other that are removed: more than are made */

/* --- roots -------------------------------------------------------------------------------------------------------- */

static int refuse(int error, char *text, size_t size, const char *root, const char *why) {
    snprintf(text, size, "%s: %s", root, why);
    return error;
}

static int check_name(const char *root, unsigned flags, char *error, size_t size) {
    if (root[0] != '/')
        return refuse(-EINVAL, error, size, root, "not an absolute path");
    if (strchr(root, ':'))
        return refuse(-EINVAL, error, size, root, "has a colon, which ends it in PATH; choose another directory");
    if (strpbrk(root, "\t\n") || (strchr(root, ' ') && (flags & SHIMDIR_BLANKS) == 0))
        return refuse(-EINVAL, error, size, root, "has a blank, which ends it in LD_PRELOAD; choose another directory");
    if (strlen(root) > SHIMDIR_ROOT_BYTES)
        return refuse(-ENAMETOOLONG, error, size, root, "longer than 200 bytes; choose another directory");
    return 0;
}

/* With a umask of 077 no other user could enter; a chmod() afterwards could be led to another file. */
int shimdir_make_root(const char *root) {
    mode_t former = umask(022);
    int r = mkdir(root, 0755) == 0 ? 1 : errno == EEXIST ? 0 : -errno;
    umask(former);
    return r;
}

/* Whether ROOT's name leads where its owner wants: a symlink is followed where it is ours or root's. */
static int check_symlink(const char *root, char *error, size_t size) {
    struct stat info;
    if (lstat(root, &info) < 0)
        return refuse(-errno, error, size, root, strerror(errno));
    if (S_ISLNK(info.st_mode) && info.st_uid != geteuid() && info.st_uid != 0)
        return refuse(-ELOOP, error, size, root, "a symlink that belongs to somebody else; choose another directory");
    return 0;
}

int shimdir_check_root(const char *root, unsigned flags, char *error, size_t size) {
    struct stat info;
    struct statvfs system;
    int r = check_name(root, flags, error, size);
    if (r < 0)
        return r;
    r = (flags & SHIMDIR_MAKE) != 0 ? shimdir_make_root(root) : 0;
    if (r < 0)
        return refuse(r, error, size, root, strerror(-r));
    r = check_symlink(root, error, size); /* after mkdir(), which takes a symlink for a directory that is there */
    if (r < 0)
        return r;
    if (stat(root, &info) < 0 || statvfs(root, &system) < 0)
        return refuse(-errno, error, size, root, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return refuse(-ENOTDIR, error, size, root, "not a directory");
    if ((system.f_flag & ST_NOEXEC) != 0)
        return refuse(-EACCES, error, size, root, "mounted noexec, shims can't be executed from there");
    if (access(root, W_OK | X_OK) < 0)
        return refuse(-errno, error, size, root, strerror(errno));
    if (info.st_uid != geteuid() && info.st_uid != 0 && info.st_uid != UNMAPPED)
        return refuse(1, error, size, root, "belongs to another user, who could put shims of his own there");
    if ((info.st_mode & 0022) != 0 && (info.st_mode & S_ISVTX) == 0)
        return refuse(1, error, size, root,
                      "others can write to it and it has no sticky bit: they could put shims of their own there");
    return 0;
}

/* --- making ------------------------------------------------------------------------------------------------------- */

/* made: there is a directory of that name, and it is ours. */
static int cannot_make(struct shimdir *directory, bool made, char *error, size_t size) {
    int r = -errno;
    snprintf(error, size, "cannot make the shim directory %s: %s", directory->path, strerror(-r));
    if (directory->lock >= 0)
        close(directory->lock);
    if (directory->fd >= 0) { /* without opening anything: perhaps descriptors are what is missing */
        unlinkat(directory->fd, "lock.new", 0);
        unlinkat(directory->fd, "lock", 0);
        close(directory->fd);
    }
    if (made)
        rmdir(directory->path);
    directory->fd = directory->lock = -1;
    return r;
}

/* The lock has its name only once it is held: until then no other brood takes the directory for a dead one's. Nobody
 * but this user can open it, or anybody could hold it for ever. */
static int take_lock(struct shimdir *directory) {
    directory->lock = openat(directory->fd, "lock.new", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (directory->lock < 0 || flock(directory->lock, LOCK_EX | LOCK_NB) < 0)
        return -1;
    return renameat(directory->fd, "lock.new", directory->fd, "lock");
}

/* Sets *ret_foreign where something else has got the name meanwhile. */
static int open_directory(struct shimdir *directory, bool *ret_foreign) {
    struct stat info;
    int fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) == 0 && info.st_uid == geteuid()) {
        directory->fd = fd;
        return 0;
    }
    close(fd);
    *ret_foreign = true;
    errno = EPERM;
    return -1;
}

int shimdir_make(const char *root, struct shimdir *ret, char *error, size_t size) {
    bool foreign = false;
    ret->fd = ret->lock = -1;
    snprintf(ret->path, sizeof ret->path, "%s/%sXXXXXX", root, SHIMDIR_PREFIX);
    if (!mkdtemp(ret->path))
        return cannot_make(ret, false, error, size);
    memcpy(ret->key, ret->path + strlen(ret->path) - CONTEXT_KEY_BYTES, CONTEXT_KEY_BYTES + 1);
    if (open_directory(ret, &foreign) < 0 || take_lock(ret) < 0)
        return cannot_make(ret, !foreign, error, size);
    return 0;
}

int shimdir_make_named(const char *path, struct shimdir *ret, char *error, size_t size) {
    bool foreign = false;
    ret->fd = ret->lock = -1;
    snprintf(ret->path, sizeof ret->path, "%s", path);
    if (mkdir(path, 0700) < 0)
        return cannot_make(ret, false, error, size);
    return open_directory(ret, &foreign) < 0 ? cannot_make(ret, !foreign, error, size) : 0;
}

int shimdir_write(const struct shimdir *directory, const char *name, const void *bytes, size_t length,
                  bool executable) {
    char path[PATH_MAX];
    mode_t mode = executable ? 0755 : 0644;
    snprintf(path, sizeof path, "%s", name);
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(directory->fd, path, 0755) == 0) {
            if (fchmodat(directory->fd, path, 0755, 0) < 0) /* whatever the umask is */
                return -errno;
        } else if (errno != EEXIST) {
            return -errno;
        }
        *slash = '/';
    }
    int fd = openat(directory->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    int r = fchmod(fd, mode) < 0 ? -errno : 0;
    for (size_t done = 0; r == 0 && done < length;) {
        ssize_t written = write(fd, (const char *)bytes + done, length - done);
        if (written < 0)
            r = -errno;
        else
            done += (size_t)written;
    }
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

int shimdir_publish(const struct shimdir *directory) {
    return fchmod(directory->fd, 0755) < 0 ? -errno : 0;
}

/* --- removing ----------------------------------------------------------------------------------------------------- */

/* Empties the directory of this descriptor, which is taken over, but for an entry called `last`. Whether it worked. */
static bool empty(int fd, int depth, const char *last) {
    bool done = true;
    DIR *entries = fdopendir(fd);
    if (!entries) {
        close(fd);
        return false;
    }
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(entries)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, last) == 0)
            continue;
        if (unlinkat(fd, name, 0) == 0)
            continue;
        int inner = errno == EISDIR && depth < DEPTH_MAX
                        ? openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                        : -1;
        if (inner < 0 || !empty(inner, depth + 1, "") || unlinkat(fd, name, AT_REMOVEDIR) < 0)
            done = false;
    }
    done = done && errno == 0;
    closedir(entries);
    return done;
}

/* The lock goes last, and only after everything else: by it the next brood can tell that this one was not done. */
int shimdir_remove(int fd, const char *path) {
    int inner = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (inner < 0)
        return -errno;
    if (!empty(inner, 0, "lock"))
        return -ENOTEMPTY;
    if (unlinkat(fd, "lock", 0) < 0 && errno != ENOENT)
        return -errno;
    return rmdir(path) < 0 ? -errno : 0; /* where somebody has exchanged it, it is a foreign one, and not empty */
}

void shimdir_close(struct shimdir *directory, bool keep) {
    if (directory->fd >= 0 && !keep)
        shimdir_remove(directory->fd, directory->path);
    if (directory->lock >= 0)
        close(directory->lock);
    if (directory->fd >= 0)
        close(directory->fd);
    directory->fd = directory->lock = -1;
}

/* Whether this is what shimdir_make() names a directory. */
static bool is_name(const char *name) {
    size_t prefix = strlen(SHIMDIR_PREFIX);
    return strncmp(name, SHIMDIR_PREFIX, prefix) == 0 && strlen(name) == prefix + CONTEXT_KEY_BYTES &&
           strspn(name + prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == CONTEXT_KEY_BYTES;
}

/* Opens a directory that is ours and whose brood is dead, and holds its lock, so that only one of several new broods
 * cleans up. Returns false where it is none. */
static bool open_dead(int root, const char *name, struct shimdir *ret) {
    struct stat info;
    ret->lock = -1;
    ret->fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (ret->fd < 0)
        return false;
    if (fstat(ret->fd, &info) == 0 && info.st_uid == geteuid())
        ret->lock = openat(ret->fd, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (ret->lock >= 0 && flock(ret->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    shimdir_close(ret, true);
    return false;
}

void shimdir_sweep(const char *root, bool (*undo)(void *context, const char *path), void *context) {
    struct shimdir dead;
    DIR *entries = opendir(root);
    if (!entries)
        return;
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (!is_name(entry->d_name) || !open_dead(dirfd(entries), entry->d_name, &dead))
            continue;
        snprintf(dead.path, sizeof dead.path, "%s/%s", root, entry->d_name);
        shimdir_close(&dead, !undo(context, dead.path));
    }
    closedir(entries);
}
