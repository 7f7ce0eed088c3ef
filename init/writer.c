/* See writer.h. That all is written shows at brood's end of the socket: the thread closes its own last of all. A copy
 * of brood's end may live on in a child that isn't executed yet, hence the shutdown().
 * Sources: pthreads(7), unix(7), capset(2), write(2). */
#include "init/writer.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/fd.h"

#define STACK_BYTES 65536 /* a piece, and what libc wants of it */

/* What a thread is given is one pointer: two descriptors in it need no memory that has to outlive somebody. */
#define FD_BITS 31
_Static_assert(sizeof(uintptr_t) * 8 > 2 * FD_BITS, "a pointer has room for two descriptors");

/* A thread's capabilities are its own: what brood gives up later would stay with this one. */
static void give_up(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    syscall(SYS_capset, &header, none);
}

static bool write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        struct pollfd room = {.fd = fd, .events = POLLOUT};
        ssize_t written = write(fd, bytes, length);
        if (written >= 0) {
            bytes += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            poll(&room, 1, -1); /* somebody made the shared open file nonblocking */
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void *run(void *argument) {
    int from = (int)((uintptr_t)argument >> FD_BITS), to = (int)((uintptr_t)argument & INT_MAX);
    char piece[WRITER_PIECE_BYTES];
    ssize_t length;
    give_up();
    do
        length = read(from, piece, sizeof piece);
    while ((length > 0 && write_all(to, piece, (size_t)length)) || (length < 0 && errno == EINTR));
    close(from);
    return NULL;
}

static int start_thread(int from, int to) {
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return -error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    error = pthread_create(&thread, &attributes, run, (void *)((uintptr_t)from << FD_BITS | (uintptr_t)to));
    pthread_attr_destroy(&attributes);
    return -error;
}

int writer_start(int fd, int *ret_end) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    CLEANUP_FD int ours = fd_high(ends[0]);
    CLEANUP_FD int theirs = fd_high(ends[1]);
    if (ours < 0 || theirs < 0)
        return -EMFILE;
    int r = start_thread(theirs, fd);
    if (r < 0)
        return r;
    fd_take(&theirs);
    *ret_end = fd_take(&ours);
    return 0;
}

bool writer_finish(int *end) {
    struct pollfd gone = {.fd = *end, .events = POLLIN};
    int saved = errno;
    shutdown(*end, SHUT_WR);
    bool done = poll(&gone, 1, WRITER_LAST_MS) == 1;
    fd_close(end);
    errno = saved;
    return done;
}
