/* Which descriptors a process of a config is given, and under which numbers. It follows from the spec and the slot
 * alone, so it is decided here, where the simulator looks at every process of every life: a hook that gets a socket, or
 * a restarted worker that gets one less, would rarely be met by a test of real processes. init/perform.c fills in what
 * brood has open.
 *
 * Source of the sockets' numbers: sd_listen_fds(3). */
#ifndef SUPERVISOR_DESCRIPTORS_H
#define SUPERVISOR_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/event.h"
#include "supervisor/limits.h"
#include "supervisor/spec.h"

#define DESCRIPTOR_LISTEN_FIRST 3        /* SD_LISTEN_FDS_START */
#define DESCRIPTORS_MAX (4 + LISTEN_MAX) /* 0, 1, 2, a readiness descriptor, and sockets */

enum descriptor_kind {
    DESCRIPTOR_NULL,   /* /dev/null */
    DESCRIPTOR_OUTPUT, /* where brood reads what it says on 1 */
    DESCRIPTOR_ERRORS, /* … and on 2 */
    DESCRIPTOR_SOCKET, /* .socket, an index into its group's sockets */
    DESCRIPTOR_READY,  /* where brood reads the newline of ready = fd:N */
};

struct descriptor {
    enum descriptor_kind kind;
    uint32_t socket;
    int number; /* in the process; no two are the same */
};

/* Of 0, 1 and 2 those that are missing are brood's own; of what is above there is no more than this. */
struct descriptors {
    uint32_t count;
    uint32_t sockets; /* of them */
    struct descriptor items[DESCRIPTORS_MAX];
};

/* slot: of a primary, worker, hook or probe. A command without a config has none here: it keeps what brood has. */
void descriptors_of(const struct spec *spec, struct slot slot, struct descriptors *ret);

bool descriptors_have(const struct descriptors *descriptors, enum descriptor_kind kind);

#endif
