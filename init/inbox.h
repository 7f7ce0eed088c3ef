/* Facts between the moment they are read from the kernel and the moment the core takes them.
 *
 * A ring that can't overflow by construction: one turn of the loop reads a bounded number of facts (below), every event
 * that was there is stepped before the next turn, and what the doing itself adds is a failed fork at the most, of which
 * there are no more than processes in flight. Events get their time when they are stepped: one `now` for a turn. */
#ifndef INIT_INBOX_H
#define INIT_INBOX_H

#include <assert.h>
#include <stdint.h>

#include "supervisor/event.h"
#include "supervisor/limits.h"

#define WAITS_PER_TURN 64 /* descriptors that epoll reports at once */
#define SIGNALS_PER_TURN                                                                                               \
    64 /* read at once; more than the 31 that coalesce, so a TERM is never behind a flood of others */
#define REAPS_PER_TURN 64
#define LOOKS_PER_TURN 64  /* groups found empty */
#define PROBES_PER_TURN 64 /* answers to probes */
#define CHILD_FACTS 7      /* of one look at one child: EXECUTED READY EXTEND WATCHDOG UNHEALTHY UNREADY EXITED */

#define INBOX_EVENTS 2048

_Static_assert(CHILD_FACTS *(WAITS_PER_TURN + REAPS_PER_TURN) + SIGNALS_PER_TURN + LOOKS_PER_TURN + PROBES_PER_TURN +
                       2 /* BOOT, CHILDREN_GONE */ + SPAWNING_MAX + 2 /* the primary's */
                   <= INBOX_EVENTS,
               "a turn's facts must fit");

struct inbox {
    uint32_t first;
    uint32_t count;
    struct event events[INBOX_EVENTS];
};

static inline void inbox_push(struct inbox *inbox, struct event event) {
    assert(inbox->count < INBOX_EVENTS);
    inbox->events[(inbox->first + inbox->count++) % INBOX_EVENTS] = event;
}

/* The oldest; there must be one. An empty inbox begins anew at its start: what a quiet brood has never used of it costs
 * no memory. */
static inline struct event inbox_take(struct inbox *inbox) {
    assert(inbox->count > 0);
    struct event event = inbox->events[inbox->first];
    inbox->count--;
    inbox->first = inbox->count > 0 ? (inbox->first + 1) % INBOX_EVENTS : 0;
    return event;
}

#endif
