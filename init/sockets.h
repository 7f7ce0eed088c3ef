/* The sockets of `listen`: opened once, before anything is started, and shared by the workers of a group for as long as
 * brood lives. Since brood itself holds them open, a worker that ends takes no queued connection with it, and none is
 * refused while there is no worker. brood never accepts on them, and never changes the open file that is shared.
 *
 * Source of the protocol: sd_listen_fds(3). */
#ifndef INIT_SOCKETS_H
#define INIT_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/spec.h"

struct sockets;

/* Calls report for every host of `listen` that is not in /etc/hosts and every owner that is no user or group, with the
 * line of that key. Returns 0, or -ENOMEM. */
int sockets_check(const struct spec *spec, void (*report)(void *context, uint32_t line, const char *text),
                  void *context);

/* Opens all of them; says where they are if the config left the port to the system. Returns 0 with *ret owned by the
 * caller (NULL where no group listens), or -errno with one line in error: nothing is open then, no file is left. */
int sockets_open(const struct spec *spec, struct sockets **ret, char *error, size_t size);

/* Closes them and removes the files of those that have one, unless somebody else's is there by now. Takes NULL. */
void sockets_close(struct sockets *sockets);

/* The descriptors of a group, close-on-exec, in the order of the config; returns how many. Takes NULL. */
uint32_t sockets_of(const struct sockets *sockets, uint32_t group, const int **ret_fds);

/* "LISTEN_FDNAMES=…" of a group, NULL where it has no sockets. Lives as long as sockets. Takes NULL. */
char *sockets_names(const struct sockets *sockets, uint32_t group);

#endif
