/* Descriptors of init/: those that close themselves (wrap/fd.h, since wrap/ includes nothing of init/), and pipes. */
#ifndef INIT_FD_H
#define INIT_FD_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "wrap/fd.h"

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

/* Takes fd and returns the same open file under a number that isn't a standard descriptor's: where one of those was
 * closed, its number is not for brood's own. -1 where fd is, or where there is none. */
static inline int fd_high(int fd) {
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    fd_close(&fd);
    return high;
}

#endif
