/* Descriptors that close themselves when their scope ends.
 *
 * A descriptor gets CLEANUP_FD where it is declared and is handed over on the last line with fd_take(), so that every
 * early return in between closes it. Closing keeps errno: it happens on the way out, after the call that failed. */
#ifndef WRAP_FD_H
#define WRAP_FD_H

#include <errno.h>
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

#endif
