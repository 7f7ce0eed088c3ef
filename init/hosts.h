/* HOST:PORT to addresses, without NSS, which a static program can't have: numeric ones, *, and the names of /etc/hosts.
 * The file's bytes are handed in, so that this is pure and can be tested. Sources: hosts(5), RFC 6761 6.3 (localhost
 * is the loopback address, whether a file says so or not). */
#ifndef INIT_HOSTS_H
#define INIT_HOSTS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "supervisor/spec.h"

#define HOSTS_ADDRESSES_MAX 4 /* of one name; more are not tried */

union hosts_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct hosts_addresses {
    uint32_t count; /* 1 or more */
    union hosts_address items[HOSTS_ADDRESSES_MAX];
};

/* The length of an address for connect() or bind(). */
static inline socklen_t hosts_address_length(const union hosts_address *address) {
    return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

/* Where to connect to for text, "HOST:PORT" or "[IPV6]:PORT" as the config has checked it; * is the loopback of both
 * families. bytes: what stands in /etc/hosts. Returns 0, or -ENOENT where HOST is a name that doesn't stand there. */
int hosts_find(const char *text, const char *bytes, size_t length, struct hosts_addresses *ret);

/* The contents of /etc/hosts, the caller's to free(); empty where there is none. Returns 0, or -errno. */
int hosts_read(char **ret_bytes, size_t *ret_length);

/* Calls report for every group of spec whose ready = tcp: names a host that is not in /etc/hosts, with that key's line.
 * Returns 0, or -ENOMEM. */
int hosts_check(const struct spec *spec, void (*report)(void *context, uint32_t line, const char *text), void *context);

#endif
