/* Opens and examines the files of reach = strict: see strict_files.h. Nothing is changed here, but for directories of
 * our own that are made.
 *
 * Mounts are told apart by the id in /proc/self/fdinfo (Linux 3.15); st_dev says nothing, a bind mount has the one of
 * its source. */
#include "wrap/strict_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INFO_BYTES 1024 /* "pos: … flags: … mnt_id: …" come first */

const char *strict_basename(const char *path) {
    return strrchr(path, '/') + 1;
}

void strict_fd_name(int fd, const char *name, char *ret, size_t size) {
    snprintf(ret, size, "/proc/self/fd/%d%s%s", fd, name == NULL ? "" : "/", name == NULL ? "" : name);
}

/* The kernel's own name of the open file is compared: no symlink on the way, not deleted meanwhile. */
int strict_open_exact(const char *path, int flags) {
    char name[STRICT_FD_NAME_BYTES], actual[PATH_MAX + 1];
    struct stat status;
    CLEANUP_FD int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (S_ISLNK(status.st_mode)) /* O_PATH opens the symlink itself */
        return -ELOOP;
    strict_fd_name(fd, NULL, name, sizeof name);
    ssize_t length = readlink(name, actual, sizeof actual);
    if (length < 0)
        return -errno;
    if ((size_t)length != strlen(path) || memcmp(actual, path, (size_t)length) != 0)
        return -ELOOP;
    return fd_take(&fd);
}

int strict_open_parent(const char *path) {
    char parent[PATH_MAX];
    size_t length = (size_t)(strrchr(path, '/') - path);
    if (length >= sizeof parent)
        return -ENAMETOOLONG;
    memcpy(parent, path, length);
    parent[length] = '\0';
    return strict_open_exact(length == 0 ? "/" : parent, O_RDONLY | O_DIRECTORY);
}

int strict_open_own(int at, const char *name) {
    struct stat status;
    CLEANUP_FD int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return -EPERM;
    return fd_take(&fd);
}

int strict_make_directory(int at, const char *name, enum strict_mode mode) {
    if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
        return -errno;
    CLEANUP_FD int fd = strict_open_own(at, name);
    if (fd >= 0 && mode == STRICT_SET_MODE && fchmod(fd, 0755) < 0)
        return -errno;
    return fd_take(&fd);
}

int strict_open_backup(int parent, const char *key) {
    char name[sizeof STRICT_BACKUP + CONTEXT_KEY_BYTES];
    snprintf(name, sizeof name, STRICT_BACKUP "%s", key);
    return strict_open_own(parent, name);
}

int strict_read_key(int at, const char *name, char ret_key[CONTEXT_KEY_BYTES + 1]) {
    char head[SHIM_HEAD_BYTES];
    struct stat status;
    CLEANUP_FD int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP || errno == ENXIO ? 0 : -errno; /* a symlink, a socket */
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return 0;
    ssize_t length = pread(fd, head, sizeof head, 0);
    if (length < 0)
        return -errno;
    if (length < SHIM_HEAD_BYTES || memcmp(head, "\177ELF", 4) != 0 || head[SHIM_MARK_OFFSET] != SHIM_MARK)
        return 0;
    memcpy(ret_key, head + SHIM_KEY_OFFSET, CONTEXT_KEY_BYTES);
    ret_key[CONTEXT_KEY_BYTES] = '\0';
    return 1;
}

int strict_mount_id(int fd) {
    char path[64], text[INFO_BYTES];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    CLEANUP_FD int info = open(path, O_RDONLY | O_CLOEXEC);
    if (info < 0)
        return -errno;
    ssize_t length = read(info, text, sizeof text - 1);
    if (length < 0)
        return -errno;
    text[length] = '\0';
    const char *field = strstr(text, "mnt_id:");
    long id = field == NULL ? -1 : strtol(field + strlen("mnt_id:"), NULL, 10);
    return id < 0 || id > INT_MAX ? -ENODATA : (int)id;
}

/* "36 35 98:0 /root /point rw,noatime shared:1 master:2 - ext4 …": optional fields end with the lone hyphen, and blanks
 * inside a path are written as \040. */
static bool says_shared(char *line) {
    char *end = strstr(line, " - ");
    if (end != NULL)
        *end = '\0';
    const char *field = line;
    for (int i = 0; i < 6 && field != NULL; i++)
        field = strchr(field + 1, ' ');
    return field != NULL && strstr(field, " shared:") != NULL;
}

int strict_mount_is_shared(int fd) {
    int id = strict_mount_id(fd), found = -ENODATA;
    if (id < 0)
        return id;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file == NULL)
        return -errno;
    char *line = NULL;
    size_t size = 0;
    while (found < 0 && getline(&line, &size, file) > 0)
        if (strtol(line, NULL, 10) == id)
            found = says_shared(line);
    free(line);
    fclose(file);
    return found;
}

int strict_is_mounted(int directory, const char *name) {
    CLEANUP_FD int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int above = strict_mount_id(directory), here = strict_mount_id(fd);
    if (above < 0 || here < 0)
        return above < 0 ? above : here;
    return above != here;
}
