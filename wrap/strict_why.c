/* Who may use reach = strict, and why one of its ways doesn't work here: see strict.h and strict_files.h.
 *
 * Capabilities, seccomp filters and security modules refuse mount(2) each with an errno of its own taste, so the
 * capability is looked at: it is what one can give to a container. */
#include "wrap/strict.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wrap/strict_files.h"

/* --- who may ------------------------------------------------------------------------------------------------------ */

int strict_allowed(char *error, size_t size) {
    char self[16];
    if (getpid() != 1) {
        snprintf(error, size,
                 "reach = strict: brood isn't PID 1 of a container, and replaces no files of a system that it shares "
                 "with others; run it as the container's entrypoint or with --sandbox");
        return -EPERM;
    }
    ssize_t length = readlink("/proc/self", self, sizeof self);
    if (length < 0) {
        snprintf(error, size, "reach = strict: /proc/self: %s; a container's own /proc must be mounted",
                 strerror(errno));
        return -EPERM;
    }
    if (length == 1 && self[0] == '1')
        return 0;
    snprintf(
        error, size,
        "reach = strict: /proc shows the processes of another PID namespace, so files are shared with the host; give "
        "the container mounts of its own, or use --sandbox");
    return -EPERM;
}

/* --- why not ------------------------------------------------------------------------------------------------------ */

static bool holds_admin(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

void strict_explain_mount(int r, const char *directory, char *cause) {
    if ((r == -EPERM || r == -EACCES || r == -ENOSYS) && !holds_admin())
        snprintf(cause, STRICT_CAUSE_BYTES, "CAP_SYS_ADMIN is missing");
    else if (r == -EPERM || r == -EACCES || r == -ENOSYS)
        snprintf(cause, STRICT_CAUSE_BYTES, "a seccomp filter or a security module refuses mount() (%s)", strerror(-r));
    else
        snprintf(cause, STRICT_CAUSE_BYTES, "it can't be mounted in %.100s (%s)", directory, strerror(-r));
}

int strict_check_shared(int fd, const char *what, char *cause) {
    int r = strict_mount_is_shared(fd);
    if (r == 0)
        return 0;
    if (r == 1)
        snprintf(cause, STRICT_CAUSE_BYTES, "the mount that holds %.100s is shared, perhaps with the host", what);
    else
        snprintf(cause, STRICT_CAUSE_BYTES, "/proc doesn't tell whether its mount is shared with the host (%s)",
                 strerror(-r));
    return r == 1 ? -EPERM : r;
}

void strict_explain_link(int r, const char *path, int file, char *cause) {
    struct stat status;
    int length = (int)(strict_basename(path) - path) - 1;
    const char *directory = length == 0 ? "/" : path;
    length = length == 0 ? 1 : length > 100 ? 100 : length;
    if (r == -EROFS)
        snprintf(cause, STRICT_CAUSE_BYTES, "%.*s is read-only", length, directory);
    else if (r == -EACCES)
        snprintf(cause, STRICT_CAUSE_BYTES, "%.*s can't be written by uid %u", length, directory, geteuid());
    else if (r == -EXDEV)
        snprintf(cause, STRICT_CAUSE_BYTES, "it is a mount point of its own and can't be renamed");
    else if (r == -EPERM && fstat(file, &status) == 0 && status.st_uid != geteuid())
        snprintf(cause, STRICT_CAUSE_BYTES, "it belongs to uid %u and fs.protected_hardlinks forbids a link to it",
                 status.st_uid);
    else
        snprintf(cause, STRICT_CAUSE_BYTES, "it can't be linked in %.*s (%s)", length, directory, strerror(-r));
}
