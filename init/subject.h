/* Whom a record is about, and which group a worker belongs to: small questions that all of init/ asks. */
#ifndef INIT_SUBJECT_H
#define INIT_SUBJECT_H

#include <sys/types.h>

#include "supervisor/describe.h"
#include "supervisor/spec.h"

struct subject {
    char text[64]; /* a kind, a group's name, a number */
};

/* "web/0", "hook web/0", "primary": into *ret, and returned. */
static inline const char *subject_of(const struct spec *spec, struct slot slot, struct subject *ret) {
    describe_slot(spec, slot, ret->text, sizeof ret->text);
    return ret->text;
}

/* The pid that a record about slot names: only workers are told apart by it. */
static inline pid_t subject_pid(struct slot slot, pid_t pid) {
    return slot.kind == SLOT_WORKER ? pid : 0;
}

/* The group of a worker. The groups lie in the order of their first workers. */
static inline uint32_t spec_group_index(const struct spec *spec, uint32_t worker) {
    uint32_t low = 0, high = spec->groups_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (spec->groups[middle].first_worker <= worker)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static inline const struct spec_group *spec_group_of(const struct spec *spec, uint32_t worker) {
    return &spec->groups[spec_group_index(spec, worker)];
}

#endif
