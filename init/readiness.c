/* Readiness pipes and notify sockets.
 *
 * Everybody may send to a notify socket (a worker may run as any user), so each datagram's sender is looked at: the
 * kernel vouches for its pid (SCM_CREDENTIALS). It must be the worker, of its session, or below it; a sender that is
 * gone before it was looked at can't be told from a stranger, which is what barriers are for. Descriptors that come
 * along are closed when their datagram's turn has come: what was sent before has then been judged, and waits in the
 * inbox before whatever happens next. Sources: sd_notify(3), unix(7), recvmsg(2). */
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

#define DIRECTORY_BYTES 64  /* more than the places and a directory's name take */
#define DATAGRAM_BYTES 4096 /* as systemd's own limit; a longer one is not believed */
#define DATAGRAM_FDS 253    /* what the kernel lets one message carry */
#define PIPE_BYTES 512      /* looked at in one turn; a newline is all that is wanted */

/* --- the directory of the sockets --- */

bool readiness_needs_socket(const struct spec_group *group) {
    return group->ready == READY_NOTIFY || group->watchdog > 0;
}

static bool needs_directory(const struct spec *spec) {
    for (uint32_t i = 0; i < spec->groups_count; i++)
        if (readiness_needs_socket(&spec->groups[i]))
            return true;
    return false;
}

int readiness_open(const struct spec *spec, struct readiness *ret, char *error, size_t size) {
    static const char *const places[] = {"/run/brood", "/dev/shm", "/tmp"};
    struct readiness readiness = {0};
    char why[PATH_MAX + 64];
    int r = 0;

    if (!needs_directory(spec)) {
        *ret = readiness;
        return 0;
    }
    if (shimdir_make_root(places[0]) == 1)
        readiness.made = places[0];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        r = shimdir_make(places[i], &readiness.directory, why, sizeof why);
        if (r == 0)
            r = shimdir_publish(&readiness.directory);
        if (r == 0) {
            *ret = readiness;
            return 0;
        }
        shimdir_close(&readiness.directory, false);
    }
    if (readiness.made)
        rmdir(readiness.made);
    snprintf(error, size,
             "ready = notify and watchdog need a directory for sockets, but neither /run/brood, /dev/shm nor /tmp can "
             "be written: %s",
             strerror(-r));
    return r;
}

void readiness_close(struct readiness *readiness) {
    if (readiness->directory.path[0])
        shimdir_close(&readiness->directory, false);
    if (readiness->made)
        rmdir(readiness->made);
    *readiness = (struct readiness){0};
}

/* --- pipes --- */

void readiness_read_pipe(int fd, struct readiness_facts *facts) {
    char bytes[PIPE_BYTES];
    ssize_t length = read(fd, bytes, sizeof bytes);
    if (length > 0)
        facts->ready = memchr(bytes, '\n', (size_t)length) != NULL;
    /* Closed without a newline: it will never be ready, which is for startup_timeout to judge. */
    facts->closed = facts->ready || length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
}

/* --- sockets --- */

static void socket_path(const struct readiness *readiness, uint32_t worker, char *path, size_t size) {
    snprintf(path, size, "%.*s/%u", DIRECTORY_BYTES, readiness->directory.path, worker);
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
    pid_t sender;  /* 0: unknown, or not of this PID namespace */
    size_t passed; /* descriptors that came along, closed by now */
    char bytes[DATAGRAM_BYTES];
};

/* The last close() of a socket that lingers would wait for its peer. */
static void close_passed(int fd) {
    const struct linger none = {.l_onoff = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    fd_close(&fd);
}

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
                close_passed(fd);
            }
            ret->passed += count;
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
    ret->passed = 0;
    take_control(&message, ret);
    ret->truncated = message.msg_flags & MSG_TRUNC;
    ret->length = ret->truncated ? sizeof ret->bytes : (size_t)length;
    return 0;
}

static bool is_of(pid_t sender, const struct readiness_owner *owner) {
    if (sender <= 0)
        return false;
    if (sender == owner->session || sender == owner->main)
        return true;
    if (owner->session &&
        (getsid(sender) == owner->session || descendants_below(owner->descendants, sender, owner->session)))
        return true;
    return owner->main && descendants_below(owner->descendants, sender, owner->main);
}

/* Microseconds to milliseconds, rounded up: nobody is to be late by rounding. */
static msec_t milliseconds(uint64_t usec) {
    uint64_t ms = usec / 1000 + (usec % 1000 != 0);
    return ms > DURATION_MAX_MS ? DURATION_MAX_MS : (msec_t)ms;
}

static void add_facts(const struct notify *notify, struct readiness_facts *facts) {
    facts->ready |= notify->ready;
    facts->stopping |= notify->stopping;
    facts->reloading = (facts->reloading && !notify->ready) || notify->reloading;
    facts->ping |= notify->ping;
    facts->trigger |= notify->trigger;
    if (notify->watchdog_usec > 0)
        facts->watchdog = milliseconds(notify->watchdog_usec);
    if (notify->extend_usec > 0)
        facts->extend = milliseconds(notify->extend_usec);
    if (notify->error > 0)
        facts->error = notify->error;
    if (notify->exit_status >= 0)
        facts->reported = notify->exit_status;
    facts->main_pid = notify->main_pid;
}

static void use_datagram(const struct datagram *datagram, const struct readiness_owner *owner,
                         struct readiness_facts *facts) {
    const struct log_fields fields = {
        .event = "notify", .pid = owner->main ? owner->main : owner->session, .status = -1};
    struct notify notify;

    if (!is_of(datagram->sender, owner)) {
        log_record(LOG_DEBUG, owner->subject, &fields,
                   "a notification of process %d is ignored: it is not below this worker", (int)datagram->sender);
        return;
    }
    if (datagram->truncated) {
        log_record(LOG_DEBUG, owner->subject, &fields, "a notification of more than %d bytes is ignored",
                   DATAGRAM_BYTES);
        return;
    }
    if (notify_parse(datagram->bytes, datagram->length, &notify) < 0) {
        log_record(LOG_DEBUG, owner->subject, &fields, "a malformed notification is ignored");
        return;
    }
    if (datagram->passed != (notify.barrier ? 1 : 0))
        log_record(LOG_DEBUG, owner->subject, &fields, "%zu descriptors came with a %s and are closed",
                   datagram->passed,
                   notify.barrier  ? "barrier"
                   : notify.stores ? "FDSTORE=1"
                                   : "notification");
    if (notify.status)
        log_record(LOG_DEBUG, owner->subject, &fields, "status: %.*s", (int)notify.status_length, notify.status);
    add_facts(&notify, facts);
}

unsigned readiness_read_socket(int fd, const struct readiness_owner *owner, unsigned max,
                               struct readiness_facts *facts) {
    static struct datagram datagram; /* 4 KiB: brood's stack is no place for it */
    unsigned count = 0;
    facts->main_pid = 0;
    while (count < max && facts->main_pid == 0 && receive(fd, &datagram) == 0) {
        use_datagram(&datagram, owner, facts);
        count++;
    }
    return count;
}
