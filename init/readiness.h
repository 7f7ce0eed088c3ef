/* How a worker tells that it is ready: a newline on a pipe (fd:N) or datagrams of sd_notify.
 *
 * Both live as long as one incarnation: made before the fork, closed when it is ready (the pipe) or reaped (the
 * socket), so that nothing of a former one can be left in them. */
#ifndef INIT_READINESS_H
#define INIT_READINESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "init/descendants.h"
#include "supervisor/spec.h"

struct readiness {
    char directory[64]; /* of the notify sockets; "": there is none */
    const char *made;   /* its parent, where brood made that too and removes it if it is empty; NULL: it was there */
};

/* What one look has found. */
struct readiness_facts {
    bool ready;
    bool stopping;
    bool closed; /* nothing more will come: the descriptor can be closed */
};

/* Makes the directory of the notify sockets where a group of spec needs one. Returns 0, or -errno with one line in
 * error that names the places that were tried. */
int readiness_open(const struct spec *spec, struct readiness *ret, char *error, size_t size);
void readiness_close(struct readiness *readiness);

/* The notify socket of a worker, in place of one that may be there; its path to ret_path. Returns 0, or -errno. */
int readiness_socket(const struct readiness *readiness, uint32_t worker, int *ret_fd,
                     char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)]);
void readiness_socket_remove(const struct readiness *readiness, uint32_t worker);

void readiness_read_pipe(int fd, struct readiness_facts *ret);

/* Reads at most `max` datagrams for the worker `pid` (its process group and session), which must not be reaped yet;
 * subject ("web/0") is for the log. */
void readiness_read_socket(int fd, pid_t pid, struct descendants *descendants, const char *subject, unsigned max,
                           struct readiness_facts *ret);

#endif
