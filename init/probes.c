/* Probes by connecting, and the bookkeeping of all. See probes.h.
 *
 * A connect to a port of the ephemeral range on this very machine can meet itself: with nobody listening the kernel may
 * choose that port as the source too, and the socket is connected to itself (TCP's simultaneous open). That is no
 * server. A unix socket whose backlog is full says EAGAIN and can't be waited for: not ready yet. Sources: connect(2),
 * unix(7), tcp(7). */
#include "init/probes.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "init/hosts.h"
#include "init/log.h"
#include "init/newer.h"
#include "init/subject.h"
#include "init/watch.h"

struct probe {
    uint32_t generation;
    int fd;               /* a connect that isn't decided yet, in epoll; -1: none */
    uint32_t next;        /* which address of a host is tried next */
    struct timespec born; /* file: the moment of the worker's fork */
    bool flying;
    bool given_up;
    bool success; /* the answer, once it is over */
    bool complained;
};

struct probes {
    const struct spec *spec;
    int epoll;
    struct hosts_addresses *addresses; /* by group; empty where it isn't tcp */
    struct probe *items;               /* by worker; NULL: no group is probed */
    uint32_t *over;                    /* a ring of workers whose probe is over; one each, so it can't overflow */
    uint32_t over_first;
    uint32_t over_count;
};

static bool is_probed(const struct spec_group *group) {
    switch (group->ready) {
    case READY_NONE:
    case READY_NOTIFY:
    case READY_FD:
        return false;
    case READY_TCP:
    case READY_UNIX:
    case READY_FILE:
    case READY_EXEC:
        return true;
    }
    return false;
}

static bool is_forked(const struct spec_group *group) {
    return group->ready == READY_FILE || group->ready == READY_EXEC;
}

bool probes_fork(const struct spec *spec) {
    for (uint32_t i = 0; i < spec->groups_count; i++)
        if (is_forked(&spec->groups[i]))
            return true;
    return false;
}

bool probes_forks(const struct probes *probes, struct slot slot) {
    return is_forked(spec_group_of(probes->spec, slot.index));
}

/* --- the object --- */

/* The config was checked with the same file (hosts_check()); it may have changed since, or never have been readable. */
static int find_addresses(struct probes *probes, char *error, size_t size) {
    char *bytes = NULL;
    size_t length = 0;
    int r = hosts_read(&bytes, &length);
    if (r < 0) {
        snprintf(error, size, "cannot read /etc/hosts: %s", strerror(-r));
        return r;
    }
    for (uint32_t i = 0; r == 0 && i < probes->spec->groups_count; i++) {
        const struct spec_group *group = &probes->spec->groups[i];
        if (group->ready == READY_TCP)
            r = hosts_find(group->ready_text, bytes, length, &probes->addresses[i]);
        if (r < 0)
            snprintf(error, size, "[worker:%s] ready: the host of tcp:%s is not in /etc/hosts", group->name,
                     group->ready_text);
    }
    free(bytes);
    return r;
}

int probes_open(const struct spec *spec, int epoll, struct probes **ret, char *error, size_t size) {
    bool probed = false, tcp = false;
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        probed = probed || is_probed(&spec->groups[i]);
        tcp = tcp || spec->groups[i].ready == READY_TCP;
    }
    struct probes *probes = calloc(1, sizeof *probes);
    int r = probes ? 0 : -ENOMEM;
    if (probes && probed) {
        probes->items = calloc(spec->workers_count, sizeof *probes->items);
        probes->over = calloc(spec->workers_count, sizeof *probes->over);
        probes->addresses = calloc(spec->groups_count, sizeof *probes->addresses);
        if (!probes->items || !probes->over || !probes->addresses)
            r = -ENOMEM;
    }
    if (r < 0) {
        snprintf(error, size, "no memory for probes");
        probes_close(probes);
        return r;
    }
    probes->spec = spec;
    probes->epoll = epoll;
    for (uint32_t i = 0; probed && i < spec->workers_count; i++)
        probes->items[i].fd = -1;
    r = tcp ? find_addresses(probes, error, size) : 0;
    if (r < 0) {
        probes_close(probes);
        return r;
    }
    *ret = probes;
    return 0;
}

void probes_close(struct probes *probes) {
    if (!probes)
        return;
    for (uint32_t i = 0; probes->items && probes->spec && i < probes->spec->workers_count; i++)
        watch_remove(probes->epoll, &probes->items[i].fd);
    free(probes->items);
    free(probes->over);
    free(probes->addresses);
    free(probes);
}

/* --- answers --- */

static struct slot slot_of(uint32_t index, const struct probe *probe) {
    return (struct slot){.kind = SLOT_PROBE, .index = index, .generation = probe->generation};
}

static bool is_current(const struct probe *probe, struct slot slot) {
    return probe->flying && probe->generation == slot.generation;
}

static void finish(struct probes *probes, struct probe *probe, bool success) {
    uint32_t workers = probes->spec->workers_count;
    assert(probe->flying && probes->over_count < workers);
    watch_remove(probes->epoll, &probe->fd);
    probe->success = success && !probe->given_up;
    probes->over[(probes->over_first + probes->over_count++) % workers] = (uint32_t)(probe - probes->items);
}

void probes_over(struct probes *probes, struct slot slot, bool success) {
    struct probe *probe = &probes->items[slot.index];
    if (is_current(probe, slot))
        finish(probes, probe, success);
}

void probes_report(struct probes *probes, struct inbox *inbox) {
    for (uint32_t i = 0; i < PROBES_PER_TURN && probes->over_count > 0; i++) {
        uint32_t index = probes->over[probes->over_first];
        struct probe *probe = &probes->items[index];
        probes->over_first = (probes->over_first + 1) % probes->spec->workers_count;
        probes->over_count--;
        probe->flying = false;
        inbox_push(inbox,
                   (struct event){.kind = EVENT_PROBED, .slot = slot_of(index, probe), .success = probe->success});
    }
}

bool probes_due(const struct probes *probes) {
    return probes->over_count > 0;
}

bool probes_complain(struct probes *probes, struct slot slot) {
    struct probe *probe = &probes->items[slot.index];
    bool first = !probe->complained;
    probe->complained = true;
    return first;
}

/* --- connects --- */

static void complain(struct probes *probes, uint32_t index, int error) {
    struct slot slot = slot_of(index, &probes->items[index]);
    bool refused = error == ECONNREFUSED || error == ENOENT || error == EAGAIN;
    bool aloud = !refused && probes_complain(probes, slot);
    struct subject subject;
    log_record(aloud ? LOG_WARNING : LOG_DEBUG, subject_of(probes->spec, slot, &subject), NULL, "not ready: %s",
               strerror(error));
}

/* Begins to connect. Returns 0 where that is done, -EINPROGRESS where epoll will tell, else -errno. */
static int try_connect(struct probes *probes, struct probe *probe, int type, const struct sockaddr *address,
                       socklen_t length) {
    CLEANUP_FD int fd = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, address, length) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int r = watch_add_out(probes->epoll, fd, SOURCE_PROBE, slot_of((uint32_t)(probe - probes->items), probe));
    if (r < 0)
        return r;
    probe->fd = fd_take(&fd);
    return -EINPROGRESS;
}

/* The addresses of a host that are left, until one answers or has to be waited for. */
static void connect_tcp(struct probes *probes, uint32_t index, int error) {
    const struct hosts_addresses *addresses = &probes->addresses[spec_group_index(probes->spec, index)];
    struct probe *probe = &probes->items[index];
    while (probe->next < addresses->count) {
        const union hosts_address *address = &addresses->items[probe->next++];
        int r = try_connect(probes, probe, SOCK_STREAM, &address->any, hosts_address_length(address));
        if (r == -EINPROGRESS)
            return;
        if (r == 0) {
            finish(probes, probe, true);
            return;
        }
        error = -r;
    }
    complain(probes, index, error);
    finish(probes, probe, false);
}

/* A connect to the wrong type of socket says EPROTOTYPE; servers of each type are servers. */
static void connect_unix(struct probes *probes, uint32_t index) {
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r = -EPROTOTYPE;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", spec_group_of(probes->spec, index)->ready_text);
    for (size_t i = 0; i < sizeof types / sizeof types[0] && r == -EPROTOTYPE; i++)
        r = try_connect(probes, &probes->items[index], types[i], (struct sockaddr *)&address, sizeof address);
    if (r == -EINPROGRESS)
        return;
    if (r < 0)
        complain(probes, index, -r);
    finish(probes, &probes->items[index], r == 0);
}

static bool is_connected_to_itself(int fd) {
    union hosts_address own = {0}, other = {0};
    socklen_t own_length = sizeof own, other_length = sizeof other;
    if (getsockname(fd, &own.any, &own_length) < 0 || getpeername(fd, &other.any, &other_length) < 0)
        return false;
    return own_length == other_length && memcmp(&own, &other, own_length) == 0;
}

void probes_connected(struct probes *probes, struct slot slot) {
    struct probe *probe = &probes->items[slot.index];
    int error = 0;
    socklen_t length = sizeof error;

    if (!is_current(probe, slot) || probe->fd < 0)
        return;
    if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    if (error == 0 && is_connected_to_itself(probe->fd))
        error = ECONNREFUSED;
    if (error == 0) {
        finish(probes, probe, true);
        return;
    }
    watch_remove(probes->epoll, &probe->fd);
    if (spec_group_of(probes->spec, slot.index)->ready == READY_TCP) {
        connect_tcp(probes, slot.index, error);
    } else {
        complain(probes, slot.index, error);
        finish(probes, probe, false);
    }
}

/* --- beginning and end --- */

bool probes_begin(struct probes *probes, struct slot slot) {
    struct probe *probe = &probes->items[slot.index];
    assert(!probe->flying);
    if (probe->generation != slot.generation)
        probe->complained = false;
    probe->generation = slot.generation;
    probe->flying = true;
    probe->given_up = false;
    probe->next = 0;
    switch (spec_group_of(probes->spec, slot.index)->ready) {
    case READY_TCP:
        connect_tcp(probes, slot.index, ECONNREFUSED);
        return true;
    case READY_UNIX:
        connect_unix(probes, slot.index);
        return true;
    case READY_FILE:
    case READY_EXEC:
        return false;
    case READY_NONE:
    case READY_NOTIFY:
    case READY_FD:
        break;
    }
    assert(false && "a worker that is not probed");
    return true;
}

void probes_end(struct probes *probes, struct slot slot) {
    struct probe *probe = &probes->items[slot.index];
    if (!is_current(probe, slot))
        return;
    probe->given_up = true;
    probe->success = false;
    if (probe->fd >= 0)
        finish(probes, probe, false);
}

const struct timespec *probes_birth(struct probes *probes, struct slot worker) {
    struct probe *probe = &probes->items[worker.index];
    probe->born = newer_moment();
    return &probe->born;
}

const struct timespec *probes_born(const struct probes *probes, struct slot slot) {
    return &probes->items[slot.index].born;
}
