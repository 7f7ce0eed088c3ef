/* See prebuilt.h. The manifest: a line "brood-shims VERSION KEY", then the context of each set, and its stubs. */
#include "wrap/prebuilt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/template.h"

#define HEAD "brood-shims 1 "
#define MANIFEST_BYTES_MAX (64u << 20)

static int name_directory(struct pool *pool, const char *root, struct prebuilt *ret) {
    ret->directory = pool_format(pool, "%s/image", root);
    return ret->directory ? 0 : -ENOMEM;
}

int prebuilt_name(struct pool *pool, const char *root, struct prebuilt *ret, char *error, size_t size) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned char random[CONTEXT_KEY_BYTES];
    ret->key = pool_take(pool, CONTEXT_KEY_BYTES + 1);
    int r = ret->key ? name_directory(pool, root, ret) : -ENOMEM;
    if (r == 0 && getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) /* never short: getrandom(2) */
        r = -errno;
    if (r < 0) {
        snprintf(error, size, "cannot make a key for the shims: %s", strerror(-r));
        return r;
    }
    for (size_t i = 0; i < CONTEXT_KEY_BYTES; i++)
        ret->key[i] = letters[random[i] % (sizeof letters - 1)];
    return 0;
}

/* Whether a directory has the manifest of one, of a whole or a half one. */
static bool has_manifest(int directory) {
    char head[sizeof HEAD];
    int fd = openat(directory, "manifest", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, head, strlen(HEAD));
    if (fd >= 0)
        close(fd);
    return length >= 0 && memcmp(head, HEAD, (size_t)length) == 0;
}

int prebuilt_clear(const struct prebuilt *prebuilt, char *error, size_t size) {
    if (rmdir(prebuilt->directory) == 0 || errno == ENOENT)
        return 0;
    int fd = open(prebuilt->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r = fd < 0 ? -errno : 0;
    if (fd >= 0) {
        r = has_manifest(fd) ? shimdir_remove(fd, prebuilt->directory) : -EEXIST;
        close(fd);
    }
    if (r == -EEXIST || r == -ENOTDIR || r == -ELOOP)
        snprintf(error, size, "%s is there and is none of brood's; remove it or choose another directory",
                 prebuilt->directory);
    else if (r < 0)
        snprintf(error, size, "cannot remove the former shims in %s: %s", prebuilt->directory, strerror(-r));
    return r;
}

/* Ours or root's, and nobody else can change it. */
static bool is_trusted(const struct stat *info) {
    return (info->st_uid == geteuid() || info->st_uid == 0) && (info->st_mode & 0022) == 0;
}

static int read_manifest(struct pool *pool, int fd, struct prebuilt *ret) {
    struct stat info;
    if (fstat(fd, &info) < 0)
        return -errno;
    if (!S_ISREG(info.st_mode) || !is_trusted(&info))
        return -EPERM;
    if (info.st_size > MANIFEST_BYTES_MAX)
        return -EFBIG;
    char *bytes = pool_take(pool, (size_t)info.st_size + 1);
    if (!bytes)
        return -ENOMEM;
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length < (size_t)info.st_size; length += (size_t)got)
        if ((got = read(fd, bytes + length, (size_t)info.st_size - length)) < 0)
            return -errno;
    if (length < strlen(HEAD) + CONTEXT_KEY_BYTES + 1 || memcmp(bytes, HEAD, strlen(HEAD)) != 0)
        return -EBADMSG;
    ret->manifest = bytes;
    ret->manifest_size = length;
    ret->key = pool_format(pool, "%.*s", CONTEXT_KEY_BYTES, bytes + strlen(HEAD));
    return ret->key && strlen(ret->key) == CONTEXT_KEY_BYTES ? 0 : -EBADMSG;
}

/* The manifest is written first, and everybody is let in last: a directory that others can't enter is half of one. */
static int open_manifest(const char *directory) {
    struct stat info;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r = fd < 0 || fstat(fd, &info) < 0 ? -errno : 0;
    if (r == 0 && (!is_trusted(&info) || (info.st_mode & S_IXOTH) == 0))
        r = -EPERM;
    if (r == 0) {
        r = openat(fd, "manifest", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        r = r < 0 ? -errno : r;
    }
    if (fd >= 0)
        close(fd);
    return r;
}

int prebuilt_open(struct pool *pool, const char *root, struct prebuilt *ret) {
    int r = name_directory(pool, root, ret);
    if (r < 0)
        return r;
    int fd = open_manifest(ret->directory);
    if (fd < 0)
        return fd;
    r = read_manifest(pool, fd, ret);
    close(fd);
    return r;
}

/* What the manifest of these sets is; the caller's to free(), NULL: no memory. */
static char *make_manifest(const struct prebuilt *prebuilt, const struct set *sets, size_t count, size_t *ret_size) {
    struct embedded parts[] = {template_shim(), template_library(), template_adapter(), template_preload_script()};
    char *bytes = NULL;
    FILE *out = open_memstream(&bytes, ret_size);
    if (!out)
        return NULL;
    fprintf(out, HEAD "%s\n", prebuilt->key);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        fwrite(parts[i].bytes, 1, parts[i].size, out);
    for (size_t i = 0; i < count; i++) {
        fwrite(sets[i].context, 1, sets[i].context->size, out);
        for (size_t j = 0; j < sets[i].stubs_count; j++)
            fputs(sets[i].stubs[j].text, out);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed)
        return bytes;
    free(bytes);
    return NULL;
}

bool prebuilt_matches(const struct prebuilt *prebuilt, const struct set *sets, size_t count) {
    size_t size;
    char *bytes = make_manifest(prebuilt, sets, count, &size);
    bool same = bytes && size == prebuilt->manifest_size && memcmp(bytes, prebuilt->manifest, size) == 0;
    free(bytes);
    return same;
}

int prebuilt_write(const struct prebuilt *prebuilt, const struct set *sets, size_t count,
                   const struct shimdir *directory, char *error, size_t size) {
    size_t length;
    char *bytes = make_manifest(prebuilt, sets, count, &length);
    int r = bytes ? shimdir_write(directory, "manifest", bytes, length, false) : -ENOMEM;
    free(bytes);
    if (r < 0)
        snprintf(error, size, "cannot write %s/manifest: %s", directory->path, strerror(-r));
    return r;
}
