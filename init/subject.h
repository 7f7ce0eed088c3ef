/* Whom a record is about: small questions that all of init/ asks. */
#ifndef INIT_SUBJECT_H
#define INIT_SUBJECT_H

#include <stdio.h>
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

/* The section of the config that a group by its number comes from, "worker:web", or "primary" for -1: likewise. */
static inline const char *subject_section(const struct spec *spec, int32_t group, struct subject *ret) {
    if (group < 0)
        snprintf(ret->text, sizeof ret->text, "primary");
    else
        snprintf(ret->text, sizeof ret->text, "worker:%s", spec->groups[group].name);
    return ret->text;
}

/* The pid that a record about slot names: only workers are told apart by it. */
static inline pid_t subject_pid(struct slot slot, pid_t pid) {
    return slot.kind == SLOT_WORKER ? pid : 0;
}

#endif
