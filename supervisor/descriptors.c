/* See descriptors.h. Hooks and probes speak where their worker speaks, and have nothing else of it: a socket that they
 * held open would outlive the worker's own close() of it, and a readiness descriptor would speak for it. */
#include "supervisor/descriptors.h"

#include <assert.h>

static struct descriptor *add(struct descriptors *descriptors, enum descriptor_kind kind, int number) {
    assert(descriptors->count < DESCRIPTORS_MAX);
    struct descriptor *descriptor = &descriptors->items[descriptors->count++];
    *descriptor = (struct descriptor){.kind = kind, .number = number};
    return descriptor;
}

static void add_output(enum worker_output output, struct descriptors *descriptors) {
    switch (output) {
    case OUTPUT_INHERIT:
        return;
    case OUTPUT_PREFIX:
    case OUTPUT_JSON:
        add(descriptors, DESCRIPTOR_OUTPUT, 1);
        add(descriptors, DESCRIPTOR_ERRORS, 2);
        return;
    case OUTPUT_NULL:
        add(descriptors, DESCRIPTOR_NULL, 1);
        add(descriptors, DESCRIPTOR_NULL, 2);
        return;
    }
}

/* The config keeps the two apart: `ready` must name a number behind the sockets'. */
static void add_workers_own(const struct spec_group *group, struct descriptors *descriptors) {
    for (uint32_t i = 0; i < group->listen.count; i++)
        add(descriptors, DESCRIPTOR_SOCKET, DESCRIPTOR_LISTEN_FIRST + (int)i)->socket = i;
    descriptors->sockets = group->listen.count;
    if (group->ready == READY_FD)
        add(descriptors, DESCRIPTOR_READY, group->ready_fd);
}

void descriptors_of(const struct spec *spec, struct slot slot, struct descriptors *ret) {
    const struct spec_group *group = slot.kind == SLOT_PRIMARY ? NULL : spec_group_of(spec, slot.index);
    ret->count = ret->sockets = 0;
    if (spec->command_only)
        return;
    if (!group || slot.kind != SLOT_WORKER || group->stdin_from == STDIN_NULL)
        add(ret, DESCRIPTOR_NULL, 0);
    if (group)
        add_output(group->output, ret);
    if (group && slot.kind == SLOT_WORKER)
        add_workers_own(group, ret);
}

bool descriptors_have(const struct descriptors *descriptors, enum descriptor_kind kind) {
    for (uint32_t i = 0; i < descriptors->count; i++)
        if (descriptors->items[i].kind == kind)
            return true;
    return false;
}
