/* What a worker tells by itself: that it is ready, by a newline on a pipe (fd:N) or by datagrams of sd_notify, and all
 * else that these carry. A worker has a notify socket where its group says ready = notify or watchdog.
 *
 * Both live as long as one incarnation: made before the fork, closed when it is ready (the pipe) or has ended (the
 * socket), so that nothing of a former one can be left in them. */
#ifndef INIT_READINESS_H
#define INIT_READINESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "init/descendants.h"
#include "supervisor/msec.h"
#include "supervisor/spec.h"
#include "wrap/shimdir.h"

struct readiness {
    struct shimdir directory; /* of the notify sockets, swept like those of shims; its path is "": there is none */
    const char *made; /* its parent, where brood made that too and removes it if it is empty; NULL: it was there */
};

/* What looks have found; they add to it. */
struct readiness_facts {
    bool ready;
    bool stopping;
    bool reloading;
    bool ping;        /* of the watchdog */
    bool trigger;     /* the worker says itself that it is unhealthy */
    bool closed;      /* nothing more will come: the descriptor can be closed */
    msec_t watchdog;  /* the interval that it wants from now on; 0: none */
    msec_t extend;    /* the time that it asks for; 0: none */
    int32_t error;    /* an errno that it reports; 0: none */
    int32_t reported; /* an exit status that it reports; -1: none */
    int32_t main_pid; /* the process that it names as its main one; 0: none */
};

/* Who may speak on a worker's socket: these, whoever is below them, and the session of the worker. */
struct readiness_owner {
    pid_t session; /* the worker's own pid while it can't be another's (not reaped, or its group isn't empty); 0 */
    pid_t main;    /* the main process where it is another one and lives; 0 */
    struct descendants *descendants;
    const char *subject; /* "web/0", for the log */
};

bool readiness_needs_socket(const struct spec_group *group);

/* Makes the directory of the notify sockets where a group of spec needs one. Returns 0, or -errno with one line in
 * error that names the places that were tried. */
int readiness_open(const struct spec *spec, struct readiness *ret, char *error, size_t size);
void readiness_close(struct readiness *readiness);

/* The notify socket of a worker, in place of one that may be there; its path to ret_path. Returns 0, or -errno. */
int readiness_socket(const struct readiness *readiness, uint32_t worker, int *ret_fd,
                     char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)]);
void readiness_socket_remove(const struct readiness *readiness, uint32_t worker);

void readiness_read_pipe(int fd, struct readiness_facts *facts);

/* Reads at most `max` datagrams and returns how many there were. Stops behind one with a MAINPID, so that it is judged
 * before anything that comes after it: a barrier, or the end of its sender. Descriptors that come along are closed,
 * which is what a barrier waits for. */
unsigned readiness_read_socket(int fd, const struct readiness_owner *owner, unsigned max,
                               struct readiness_facts *facts);

#endif
