/* What lies in epoll: which descriptor it is, and whose, in the 64 bits that come back.
 *
 * A slot's generation is part of the key, so that what a batch still holds for a former incarnation is told apart.
 * Nothing may be closed without watch_remove() first: a child that is forked but not executed yet holds a copy of every
 * descriptor, and epoll forgets an open file only when its last copy is closed. */
#ifndef INIT_WATCH_H
#define INIT_WATCH_H

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "init/fd.h"
#include "supervisor/event.h"
#include "supervisor/limits.h"

enum source {
    SOURCE_SIGNALS,      /* the signalfd */
    SOURCE_TIMER,        /* the timerfd */
    SOURCE_STATUS,       /* a child's exec: the status pipe */
    SOURCE_READY,        /* a worker's readiness: its pipe */
    SOURCE_NOTIFY,       /* a worker's notify socket */
    SOURCE_MEMBER,       /* the pidfd of somebody who is left in an ended worker's group */
    SOURCE_MAIN,         /* the pidfd of the process that a worker named as its main one */
    SOURCE_PROBE,        /* a probe's connect */
    SOURCE_OUTPUT,       /* what a worker writes; generation 0: its standard output, 1: its standard error */
    SOURCE_OUTPUT_READY, /* by index: room in brood's own standard output or error */
};

/* source: 8 bits, slot kind: 4, index: 20, generation: 32. */
_Static_assert(WORKERS_MAX < 1 << 20, "an index must fit");

static inline uint64_t watch_key(enum source source, struct slot slot) {
    return (uint64_t)source << 56 | (uint64_t)slot.kind << 52 | (uint64_t)slot.index << 32 | slot.generation;
}

static inline enum source watch_source(uint64_t key) {
    return (enum source)(key >> 56);
}

static inline struct slot watch_slot(uint64_t key) {
    return (struct slot){.kind = (enum slot_kind)(key >> 52 & 0xf),
                         .index = (uint32_t)(key >> 32 & 0xfffff),
                         .generation = (uint32_t)key};
}

static inline int watch_add_for(int epoll, int fd, uint32_t events, enum source source, struct slot slot) {
    struct epoll_event event = {.events = events, .data.u64 = watch_key(source, slot)};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Returns 0, or -errno (-ENOMEM, -ENOSPC). Level-triggered: what is left unread comes again. */
static inline int watch_add(int epoll, int fd, enum source source, struct slot slot) {
    return watch_add_for(epoll, fd, EPOLLIN, source, slot);
}

/* The same for a connect that isn't decided yet. */
static inline int watch_add_out(int epoll, int fd, enum source source, struct slot slot) {
    return watch_add_for(epoll, fd, EPOLLOUT, source, slot);
}

/* Takes *fd out of epoll and closes it; nothing where it is negative. */
static inline void watch_remove(int epoll, int *fd) {
    if (*fd >= 0)
        epoll_ctl(epoll, EPOLL_CTL_DEL, *fd, NULL);
    fd_close(fd);
}

#endif
