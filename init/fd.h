/* Descriptors that close themselves when their scope ends.
 *
 * A descriptor gets CLEANUP_FD where it is declared and is handed over on the last line with fd_take(), so that every
 * early return in between closes it. Closing keeps errno: it happens on the way out, after the call that failed. */
#ifndef INIT_FD_H
#define INIT_FD_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Closes *fd unless it is negative, and makes it -1. Linux frees the number also where close() says EINTR. */
static inline void fd_close(int *fd) {
    int error = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = error;
}

/* Hands a descriptor over: the caller of this owns what it returns. */
static inline int fd_take(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define CLEANUP_FD __attribute__((cleanup(fd_close)))

/* A pipe; the read end is nonblocking, the write end is for the child. Returns 0, or -errno. */
static inline int fd_pipe(int *ret_read, int *ret_write) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    /* Only brood's end: the two ends are two open files, and the child may expect to block. */
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int r = -errno;
        fd_close(&ends[0]);
        fd_close(&ends[1]);
        return r;
    }
    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}

#endif
