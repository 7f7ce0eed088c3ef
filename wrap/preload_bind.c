/* bind() of the preload library: in a group of type = cluster without `listen` every worker may bind the same port.
 *
 * SO_REUSEPORT has to be set before bind(), by each of those who share. Port 0 is left out: the kernel then chooses a
 * port, and was seen to choose one for two UDP sockets that both allow it. The socket's own family isn't asked for: to
 * a socket of another one the option does nothing. */
#include "wrap/preload.h"

#include <errno.h>
#include <netinet/in.h>

#include "wrap/syscalls.h"

#define SIGNALS_BYTES 8 /* of the kernel's sigset_t: enough for family and port */
#define HOW_NONE (-1)   /* no way to change a signal mask */

/* The caller's pointer may lead nowhere, which is EFAULT and not our end. The kernel reads a signal mask before it
 * finds that it has nothing to do with it. */
static bool is_readable(const void *address) {
    return raw_call(__NR_rt_sigprocmask, HOW_NONE, raw_pointer(address), 0, SIGNALS_BYTES, 0) == -EINVAL;
}

/* Family and port stand in the same bytes of both kinds of address; read by bytes, since nobody promises alignment. */
static bool has_port(const unsigned char *address) {
    sa_family_t family = 0;
    unsigned char *bytes = (unsigned char *)&family;
    for (size_t i = 0; i < sizeof family; i++)
        bytes[i] = address[i];
    return (family == AF_INET || family == AF_INET6) && (address[2] != 0 || address[3] != 0);
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) == 2, "the port follows the family");
_Static_assert(offsetof(struct sockaddr_in6, sin6_port) == 2, "the port follows the family");

/* Under a name of its own: the C library's header makes a union of the address, which takes any kind of it. */
EXPORTED int preload_bind(int fd, const void *address, socklen_t length) __asm__("bind");

int preload_bind(int fd, const void *address, socklen_t length) {
    const struct context *context = preload_context();
    int yes = 1;
    if (context != NULL && (context->flags & CONTEXT_SHARES_PORTS) != 0 && length >= sizeof(struct sockaddr_in) &&
        is_readable(address) && has_port(address))
        raw_call(__NR_setsockopt, fd, SOL_SOCKET, SO_REUSEPORT, raw_pointer(&yes), sizeof yes);
    long result = raw_call(__NR_bind, fd, raw_pointer(address), (long)length, 0, 0);
    if (result < 0) {
        preload_set_errno((int)-result);
        return -1;
    }
    return 0;
}
