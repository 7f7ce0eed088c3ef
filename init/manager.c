/* READY=1, STOPPING=1 and EXTEND_TIMEOUT_USEC to whoever started brood. One datagram each; what the manager doesn't
 * take at once is lost to it, since waiting for it would hold the workers up. Sources: sd_notify(3), unix(7). */
#include "init/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "init/fd.h"
#include "init/log.h"

/* Returns 0, or -errno: -EAFNOSUPPORT where it isn't of this machine (vsock:), -ENAMETOOLONG. */
static int take_name(const char *name, struct manager *manager) {
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length < 2)
        return -EAFNOSUPPORT;
    if (length >= sizeof manager->address.sun_path)
        return -ENAMETOOLONG;
    manager->address.sun_family = AF_UNIX;
    memcpy(manager->address.sun_path, name, length);
    if (name[0] == '@')
        manager->address.sun_path[0] = '\0';
    /* An abstract name is as long as the length says: a NUL at its end would be part of it. */
    manager->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

void manager_open(const struct spec *spec, const char *socket_name, struct manager *ret) {
    struct manager manager = {.fd = -1};
    *ret = manager;
    if (spec->command_only || !socket_name || socket_name[0] == '\0')
        return;
    int r = take_name(socket_name, &manager);
    if (r == 0 && (manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        r = -errno;
    if (r < 0)
        log_record(LOG_INFO, "container", NULL, "the manager above can't be notified, NOTIFY_SOCKET=%s: %s",
                   socket_name, strerror(-r));
    else
        *ret = manager;
}

void manager_close(struct manager *manager) {
    fd_close(&manager->fd);
}

static void describe(const struct action *action, char *text, size_t size) {
    switch (action->notify) {
    case NOTIFY_READY:
        snprintf(text, size, "READY=1");
        return;
    case NOTIFY_STOPPING:
        snprintf(text, size, "STOPPING=1");
        return;
    case NOTIFY_EXTEND: {
        bool fits = action->duration <= INT64_MAX / 1000;
        snprintf(text, size, "EXTEND_TIMEOUT_USEC=%" PRId64, fits ? action->duration * 1000 : INT64_MAX);
        return;
    }
    }
}

void manager_notify(struct manager *manager, const struct action *action) {
    char text[64] = "";
    if (manager->fd < 0)
        return;
    describe(action, text, sizeof text);
    if (sendto(manager->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&manager->address,
               manager->length) >= 0)
        return;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
        log_record(LOG_WARNING, "container", NULL, "the manager above doesn't take %s: %s", text, strerror(errno));
        return;
    }
    log_record(LOG_INFO, "container", NULL, "the manager above is gone, it is not told %s: %s", text, strerror(errno));
    fd_close(&manager->fd);
}
