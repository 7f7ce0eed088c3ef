/* What brood tells its own manager, by the sd_notify protocol: systemd, or podman with --sdnotify=container. The
 * workers are not given that socket (init/environment.h). */
#ifndef INIT_MANAGER_H
#define INIT_MANAGER_H

#include <sys/socket.h>
#include <sys/un.h>

#include "supervisor/action.h"
#include "supervisor/spec.h"

struct manager {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un address;
    socklen_t length;
};

/* Takes the socket from socket_name, the value of NOTIFY_SOCKET (NULL: there is none): a path, or @ and an abstract
 * name. Under a COMMAND without a config it is the command's own. Never fails: brood runs without, and says so. */
void manager_open(const struct spec *spec, const char *socket_name, struct manager *ret);
void manager_close(struct manager *manager);

/* Never blocks. A socket that is gone is said once. */
void manager_notify(struct manager *manager, const struct action *action);

#endif
