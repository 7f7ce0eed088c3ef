/* Readiness pipes and notify sockets.
 *
 * Everybody may send to a notify socket (a worker may run as any user), so each datagram's sender is looked at: the
 * kernel vouches for its pid (SCM_CREDENTIALS). It must be the worker, of its session, or below it; a sender that is
 * gone before it was looked at can't be told from a stranger. Descriptors that come along (BARRIER=1, FDSTORE=1) are
 * closed at once, which is what a barrier waits for. Sources: sd_notify(3), unix(7), recvmsg(2). */
#include "init/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"
#include "init/notify.h"

#define DATAGRAM_BYTES 4096 /* as systemd's own limit; a longer one is not believed */
#define DATAGRAM_FDS 253    /* what the kernel lets one message carry */
#define PIPE_BYTES 512      /* looked at in one turn; a newline is all that is wanted */

/* --- the directory of the sockets --- */

static bool needs_directory(const struct spec *spec) {
    for (uint32_t i = 0; i < spec->groups_count; i++)
        if (spec->groups[i].ready == READY_NOTIFY)
            return true;
    return false;
}

int readiness_open(const struct spec *spec, struct readiness *ret, char *error, size_t size) {
    static const char *const places[] = {"/run/brood", "/dev/shm", "/tmp"};
    struct readiness readiness = {0};
    int r = 0;

    if (!needs_directory(spec)) {
        *ret = readiness;
        return 0;
    }
    if (mkdir(places[0], 0755) == 0)
        readiness.made = places[0];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(readiness.directory, sizeof readiness.directory, "%s/notify.XXXXXX", places[i]);
        if (mkdtemp(readiness.directory) && chmod(readiness.directory, 0755) == 0) {
            *ret = readiness;
            return 0;
        }
        r = -errno;
    }
    if (readiness.made)
        rmdir(readiness.made);
    snprintf(error, size,
             "ready = notify needs a directory for its sockets, but neither /run/brood, /dev/shm nor /tmp can "
             "be written: %s",
             strerror(-r));
    return r;
}

void readiness_close(struct readiness *readiness) {
    if (readiness->directory[0])
        rmdir(readiness->directory);
    if (readiness->made)
        rmdir(readiness->made);
    *readiness = (struct readiness){0};
}

/* --- pipes --- */

void readiness_read_pipe(int fd, struct readiness_facts *ret) {
    char bytes[PIPE_BYTES];
    ssize_t length = read(fd, bytes, sizeof bytes);
    *ret = (struct readiness_facts){0};
    if (length > 0)
        ret->ready = memchr(bytes, '\n', (size_t)length) != NULL;
    /* Closed without a newline: it will never be ready, which is for startup_timeout to judge. */
    ret->closed = ret->ready || length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
}

/* --- sockets --- */

static void socket_path(const struct readiness *readiness, uint32_t worker, char *path, size_t size) {
    snprintf(path, size, "%s/%u", readiness->directory, worker);
}

int readiness_socket(const struct readiness *readiness, uint32_t worker, int *ret_fd,
                     char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)]) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int on = 1;

    socket_path(readiness, worker, address.sun_path, sizeof address.sun_path);
    unlink(address.sun_path);
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(address.sun_path, 0666) < 0)
        return -errno;
    memcpy(ret_path, address.sun_path, sizeof address.sun_path);
    *ret_fd = fd_take(&fd);
    return 0;
}

void readiness_socket_remove(const struct readiness *readiness, uint32_t worker) {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    socket_path(readiness, worker, path, sizeof path);
    unlink(path);
}

/* --- datagrams --- */

struct datagram {
    size_t length;
    bool truncated;
    pid_t sender; /* 0: unknown, or not of this PID namespace */
    char bytes[DATAGRAM_BYTES];
};

static void take_control(struct msghdr *message, struct datagram *ret) {
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level != SOL_SOCKET)
            continue;
        if (item->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(item), sizeof credentials);
            ret->sender = credentials.pid;
        } else if (item->cmsg_type == SCM_RIGHTS) {
            size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < count; i++) {
                int fd;
                memcpy(&fd, CMSG_DATA(item) + i * sizeof fd, sizeof fd);
                fd_close(&fd);
            }
        }
    }
}

/* Returns 0, or -errno (-EAGAIN: there is none). */
static int receive(int fd, struct datagram *ret) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(DATAGRAM_FDS * sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = ret->bytes, .iov_len = sizeof ret->bytes};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

    ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
    if (length < 0)
        return -errno;
    ret->sender = 0;
    take_control(&message, ret);
    ret->truncated = message.msg_flags & MSG_TRUNC;
    ret->length = ret->truncated ? sizeof ret->bytes : (size_t)length;
    return 0;
}

static bool is_of_worker(pid_t sender, pid_t worker, struct descendants *descendants) {
    if (sender <= 0)
        return false;
    return sender == worker || getsid(sender) == worker || descendants_below(descendants, sender, worker);
}

static void use_datagram(const struct datagram *datagram, pid_t pid, struct descendants *descendants,
                         const char *subject, struct readiness_facts *facts) {
    const struct log_fields fields = {.event = "notify", .pid = pid, .status = -1};
    struct notify notify;

    if (!is_of_worker(datagram->sender, pid, descendants)) {
        log_record(LOG_DEBUG, subject, &fields, "a notification of process %d is ignored: it is not below this worker",
                   (int)datagram->sender);
        return;
    }
    if (datagram->truncated || notify_parse(datagram->bytes, datagram->length, &notify) < 0) {
        log_record(LOG_DEBUG, subject, &fields, "a malformed notification is ignored");
        return;
    }
    if (notify.status)
        log_record(LOG_DEBUG, subject, &fields, "status: %.*s", (int)notify.status_length, notify.status);
    facts->ready |= notify.ready;
    facts->stopping |= notify.stopping;
}

void readiness_read_socket(int fd, pid_t pid, struct descendants *descendants, const char *subject, unsigned max,
                           struct readiness_facts *ret) {
    static struct datagram datagram; /* 4 KiB: brood's stack is no place for it */
    *ret = (struct readiness_facts){0};
    for (unsigned i = 0; i < max && receive(fd, &datagram) == 0; i++)
        use_datagram(&datagram, pid, descendants, subject, ret);
}
