/* See sockets.h. Two surprises of the kernel have their place here:
 * - the file of a unix socket stays when its last holder is gone, and bind() refuses it like one that is in use. A
 *   connect() tells them apart: ECONNREFUSED comes from nobody alone.
 * - nobody can connect before listen(), so that owner and mode of the file are set between bind() and it. */
#include "init/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/hosts.h"
#include "init/ids.h"
#include "init/log.h"

#define NAMES_PREFIX "LISTEN_FDNAMES="
#define WHY_BYTES 200

/* Where a file of brood's own lies. */
struct file {
    const char *path; /* NULL: none */
    dev_t device;
    ino_t inode;
};

struct sockets {
    const struct spec *spec;
    uint32_t count;  /* opened so far */
    uint32_t *first; /* of each group */
    int *fds;
    struct file *files;
    char **names; /* of each group */
};

/* What is opened, and why it couldn't be, where an errno alone doesn't say it. */
struct attempt {
    const struct spec_listen *place;
    const char *hosts;
    size_t hosts_length;
    struct file file;
    char why[WHY_BYTES];
};

static const char *scheme(enum listen_kind kind) {
    switch (kind) {
    case LISTEN_TCP:
        return "tcp://";
    case LISTEN_UDP:
        return "udp://";
    case LISTEN_UNIX:
        return "unix:";
    }
    return "";
}

static bool is_any(const struct spec_listen *place) {
    return strncmp(place->address, "*:", 2) == 0;
}

/* --- tcp and udp -------------------------------------------------------------------------------------------------- */

static int set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* After a restart of brood, connections of the former one that linger in TIME_WAIT must not keep the port. */
static int prepare(int fd, const struct spec_listen *place, int family, bool ipv6only) {
    int r = place->kind == LISTEN_TCP ? set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) : 0;
    if (r == 0 && place->reuseport)
        r = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (r == 0 && family == AF_INET6) /* its default is the system's (net.ipv6.bindv6only) */
        r = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6only);
    return r;
}

static int start_listening(int fd, const struct spec_listen *place) {
    int backlog = place->backlog ? (int)place->backlog : INT_MAX; /* the kernel cuts it to net.core.somaxconn */
    return listen(fd, backlog) < 0 ? -errno : 0;
}

/* Returns the descriptor, or -errno. */
static int open_address(const struct spec_listen *place, const union hosts_address *address, bool ipv6only) {
    int type = place->kind == LISTEN_TCP ? SOCK_STREAM : SOCK_DGRAM;
    CLEANUP_FD int fd = socket(address->any.sa_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = prepare(fd, place, address->any.sa_family, ipv6only);
    if (r == 0 && bind(fd, &address->any, hosts_address_length(address)) < 0)
        r = -errno;
    if (r == 0 && place->kind == LISTEN_TCP)
        r = start_listening(fd, place);
    return r < 0 ? r : fd_take(&fd);
}

/* Every address of both families by one socket; where there is no IPv6, every one of IPv4. */
static int open_any(const struct spec_listen *place) {
    in_port_t port = htons((uint16_t)strtoul(place->address + strlen("*:"), NULL, 10));
    union hosts_address v6 = {.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT, .sin6_port = port}};
    union hosts_address v4 = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY), .sin_port = port}};
    int fd = open_address(place, &v6, false);
    return fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL ? open_address(place, &v4, false) : fd;
}

/* Of a name the first address, so that each place is one descriptor. */
static int open_host(const struct attempt *attempt) {
    struct hosts_addresses addresses;
    int r = hosts_find(attempt->place->address, attempt->hosts, attempt->hosts_length, &addresses);
    return r < 0 ? r : open_address(attempt->place, &addresses.items[0], attempt->place->ipv6only);
}

static int open_inet(struct attempt *attempt) {
    int fd = is_any(attempt->place) ? open_any(attempt->place) : open_host(attempt);
    if (fd == -EACCES)
        snprintf(attempt->why, sizeof attempt->why,
                 "; low ports need CAP_NET_BIND_SERVICE, or a lower net.ipv4.ip_unprivileged_port_start");
    return fd;
}

/* "127.0.0.1:8080": what the system chose. */
static void describe_address(int fd, char *text, size_t size) {
    union hosts_address address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN] = "";
    getsockname(fd, &address.any, &length);
    if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
        snprintf(text, size, "[%s]:%u", host, ntohs(address.v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host);
        snprintf(text, size, "%s:%u", host, ntohs(address.v4.sin_port));
    }
}

static void announce(const struct spec_group *group, uint32_t index, int fd) {
    const struct spec_listen *place = &group->sockets[index];
    const char *port = strrchr(place->address, ':');
    char text[INET6_ADDRSTRLEN + 10];
    if (place->kind == LISTEN_UNIX || strtoul(port + 1, NULL, 10) != 0)
        return;
    describe_address(fd, text, sizeof text);
    log_record(LOG_INFO, "container", NULL, "%s listens at %s%s (%.300s)", group->name, scheme(place->kind), text,
               group->listen.items[index]);
}

/* --- unix --------------------------------------------------------------------------------------------------------- */

/* Removes the file that bind() has met where it is a socket that nobody has any more. Returns 0, or -errno. */
static int remove_stale(struct attempt *attempt, const struct sockaddr_un *address) {
    struct stat info;
    if (lstat(address->sun_path, &info) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(info.st_mode)) {
        snprintf(attempt->why, sizeof attempt->why, "; what is there is no socket, remove it or choose another path");
        return -EADDRINUSE;
    }
    /* Nonblocking: a full backlog must not hold brood up, and has an owner. */
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? errno : 0;
    if (error != ECONNREFUSED) {
        snprintf(attempt->why, sizeof attempt->why, "; %s",
                 error == EACCES ? "brood may not ask whether a live process has it" : "a live process has it");
        return -EADDRINUSE;
    }
    return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* The mode comes through the umask, which nobody else has seen by then: brood is one thread, without a child so far. */
static int bind_file(int fd, const struct sockaddr_un *address, uint32_t mode) {
    mode_t former = umask(0777 & ~mode);
    int r = bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
    umask(former);
    return r;
}

static int own_file(struct attempt *attempt) {
    const struct spec_listen *place = attempt->place;
    uid_t user = (uid_t)-1;
    gid_t group = (gid_t)-1;
    struct stat info;
    if (lstat(place->address, &info) < 0)
        return -errno;
    attempt->file = (struct file){.path = place->address, .device = info.st_dev, .inode = info.st_ino};
    int r = place->user ? ids_find_user(place->user, &user) : 0;
    if (r == 0 && place->group)
        r = ids_find_group(place->group, &group);
    if (r == 0 && (place->user || place->group) && lchown(place->address, user, group) < 0) {
        snprintf(attempt->why, sizeof attempt->why, "; brood can't give the file to another user or group");
        r = -errno;
    }
    return r;
}

static void remove_file(const struct file *file) {
    struct stat info;
    if (file->path && lstat(file->path, &info) == 0 && info.st_dev == file->device && info.st_ino == file->inode)
        unlink(file->path);
}

static int open_unix(struct attempt *attempt) {
    const struct spec_listen *place = attempt->place;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, place->address, strlen(place->address)); /* at most 107 bytes, the config says */
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = bind_file(fd, &address, place->mode);
    if (r == -EADDRINUSE) {
        r = remove_stale(attempt, &address);
        if (r == 0)
            r = bind_file(fd, &address, place->mode);
    }
    if (r < 0)
        return r;
    r = own_file(attempt);
    if (r == 0)
        r = start_listening(fd, place);
    if (r < 0)
        remove_file(&attempt->file);
    return r < 0 ? r : fd_take(&fd);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static int open_one(struct sockets *sockets, const struct spec_group *group, uint32_t index, struct attempt *attempt,
                    char *error, size_t size) {
    attempt->place = &group->sockets[index];
    attempt->file = (struct file){.path = NULL};
    attempt->why[0] = '\0';
    int fd = attempt->place->kind == LISTEN_UNIX ? open_unix(attempt) : open_inet(attempt);
    if (fd < 0) {
        snprintf(error, size, "[worker:%s] listen: cannot listen at %.300s: %s%s", group->name,
                 group->listen.items[index], strerror(-fd), attempt->why);
        return fd;
    }
    sockets->files[sockets->count] = attempt->file;
    sockets->fds[sockets->count++] = fd;
    announce(group, index, fd);
    return 0;
}

/* "LISTEN_FDNAMES=web:admin", the caller's to free(). */
static char *make_names(const struct spec_group *group) {
    size_t size = sizeof NAMES_PREFIX + (size_t)group->listen.count * (NAME_MAX_BYTES + 1), used = 0;
    char *names = malloc(size);
    if (!names)
        return NULL;
    used = (size_t)snprintf(names, size, "%s", NAMES_PREFIX);
    for (uint32_t i = 0; i < group->listen.count; i++)
        used += (size_t)snprintf(names + used, size - used, "%s%s", i > 0 ? ":" : "",
                                 group->sockets[i].name ? group->sockets[i].name : group->name);
    return names;
}

static int open_group(struct sockets *sockets, uint32_t number, struct attempt *attempt, char *error, size_t size) {
    const struct spec_group *group = &sockets->spec->groups[number];
    int r = 0;
    sockets->first[number] = sockets->count;
    if (group->listen.count > 0 && !(sockets->names[number] = make_names(group))) {
        snprintf(error, size, "no memory for sockets");
        r = -ENOMEM;
    }
    for (uint32_t i = 0; i < group->listen.count && r == 0; i++)
        r = open_one(sockets, group, i, attempt, error, size);
    return r;
}

static struct sockets *allocate(const struct spec *spec, size_t count) {
    struct sockets *sockets = calloc(1, sizeof *sockets);
    if (!sockets)
        return NULL;
    sockets->spec = spec;
    sockets->first = calloc(spec->groups_count, sizeof *sockets->first);
    sockets->names = calloc(spec->groups_count, sizeof *sockets->names);
    sockets->fds = calloc(count, sizeof *sockets->fds);
    sockets->files = calloc(count, sizeof *sockets->files);
    if (sockets->first && sockets->names && sockets->fds && sockets->files)
        return sockets;
    sockets_close(sockets);
    return NULL;
}

static size_t count_all(const struct spec *spec) {
    size_t count = 0;
    for (uint32_t i = 0; i < spec->groups_count; i++)
        count += spec->groups[i].listen.count;
    return count;
}

int sockets_open(const struct spec *spec, struct sockets **ret, char *error, size_t size) {
    struct attempt attempt = {.hosts = NULL};
    char *hosts = NULL;
    size_t count = count_all(spec);
    if (count == 0) {
        *ret = NULL;
        return 0;
    }
    struct sockets *sockets = allocate(spec, count);
    int r = sockets ? hosts_read(&hosts, &attempt.hosts_length) : -ENOMEM;
    if (r == -ENOMEM)
        snprintf(error, size, "no memory for sockets");
    else if (r < 0) /* names are then not found, addresses need no file */
        r = 0;
    attempt.hosts = hosts;
    for (uint32_t i = 0; r == 0 && i < spec->groups_count; i++)
        r = open_group(sockets, i, &attempt, error, size);
    free(hosts);
    if (r < 0)
        sockets_close(sockets);
    else
        *ret = sockets;
    return r;
}

void sockets_close(struct sockets *sockets) {
    if (!sockets)
        return;
    for (uint32_t i = 0; i < sockets->count; i++) {
        remove_file(&sockets->files[i]);
        fd_close(&sockets->fds[i]);
    }
    for (uint32_t i = 0; sockets->names && i < sockets->spec->groups_count; i++)
        free(sockets->names[i]);
    free(sockets->first);
    free(sockets->names);
    free(sockets->fds);
    free(sockets->files);
    free(sockets);
}

uint32_t sockets_of(const struct sockets *sockets, uint32_t group, const int **ret_fds) {
    if (!sockets)
        return 0;
    *ret_fds = sockets->fds + sockets->first[group];
    return sockets->spec->groups[group].listen.count;
}

char *sockets_names(const struct sockets *sockets, uint32_t group) {
    return sockets ? sockets->names[group] : NULL;
}

/* --- what can be known without opening any ------------------------------------------------------------------------ */

struct checked {
    const struct spec_group *group;
    void (*report)(void *context, uint32_t line, const char *text);
    void *context;
};

static void report(const struct checked *checked, uint32_t index, const char *what) {
    char text[1024];
    snprintf(text, sizeof text, "[worker:%s] listen: \"%.300s\": %s", checked->group->name,
             checked->group->listen.items[index], what);
    checked->report(checked->context, checked->group->listen_line, text);
}

static void check_one(const struct checked *checked, uint32_t index, const char *hosts, size_t length) {
    const struct spec_listen *place = &checked->group->sockets[index];
    struct hosts_addresses addresses;
    uid_t user;
    gid_t group;
    if (place->kind != LISTEN_UNIX) {
        if (hosts_find(place->address, hosts, length, &addresses) < 0)
            report(checked, index,
                   "its host is not in /etc/hosts; write a numeric address, * or a name that stands there");
        return;
    }
    if (place->user && ids_find_user(place->user, &user) < 0)
        report(checked, index, "its user is not in /etc/passwd; write a number or a name that stands there");
    if (place->group && ids_find_group(place->group, &group) < 0)
        report(checked, index, "its group is not in /etc/group; write a number or a name that stands there");
}

int sockets_check(const struct spec *spec, void (*report_fault)(void *context, uint32_t line, const char *text),
                  void *context) {
    char *hosts = NULL;
    size_t length = 0;
    if (count_all(spec) == 0)
        return 0;
    if (hosts_read(&hosts, &length) == -ENOMEM)
        return -ENOMEM;
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        const struct checked checked = {.group = &spec->groups[i], .report = report_fault, .context = context};
        for (uint32_t j = 0; j < checked.group->listen.count; j++)
            check_one(&checked, j, hosts, length);
    }
    free(hosts);
    return 0;
}
