/* What a process is given, read from the manual once more and the other way round: not which descriptors it gets, but
 * what each number from 0 on is to be in it. Of a cluster's sockets a worker has all, in the order written, from 3 on
 * without a gap, in every life; hooks, probes, the primary and everybody else's workers have none of them. */
#include "tests/sim/checker.h"

#include <stdio.h>

#define NOTHING (-1) /* brood's own on 0, 1 and 2; above, it is closed */

struct place {
    int kind; /* enum descriptor_kind, or NOTHING */
    uint32_t socket;
};

static struct place expected(const struct spec *spec, const struct spec_group *group, bool worker, int number) {
    const struct place nothing = {.kind = NOTHING};
    if (spec->command_only)
        return nothing;
    if (number == 0)
        return worker && group->stdin_from == STDIN_INHERIT ? nothing : (struct place){.kind = DESCRIPTOR_NULL};
    if (number <= 2 && group && group->output == OUTPUT_NULL)
        return (struct place){.kind = DESCRIPTOR_NULL};
    if (number <= 2 && group && group->output != OUTPUT_INHERIT)
        return (struct place){.kind = number == 1 ? DESCRIPTOR_OUTPUT : DESCRIPTOR_ERRORS};
    if (number <= 2 || !worker)
        return nothing;
    if (group->type == TYPE_CLUSTER && (uint32_t)number < 3 + group->listen.count)
        return (struct place){.kind = DESCRIPTOR_SOCKET, .socket = (uint32_t)number - 3};
    return group->ready == READY_FD && number == group->ready_fd ? (struct place){.kind = DESCRIPTOR_READY} : nothing;
}

/* What number is in the process, and how many say so. */
static uint32_t look_up(const struct descriptors *given, int number, struct place *ret) {
    uint32_t found = 0;
    *ret = (struct place){.kind = NOTHING};
    for (uint32_t i = 0; i < given->count; i++) {
        const struct descriptor *descriptor = &given->items[i];
        if (descriptor->number != number)
            continue;
        *ret = (struct place){.kind = (int)descriptor->kind, .socket = descriptor->socket};
        found++;
    }
    return found;
}

void checker_given(struct checker *checker, struct slot slot, const struct descriptors *given) {
    static const char *const names[] = {"container", "primary", "worker", "hook", "probe"};
    const struct spec_group *group = NULL;
    uint32_t found = 0, sockets = 0;
    if (slot.kind != SLOT_PRIMARY)
        group = model_spec(checker, &checker->workers[slot.index]);
    for (int number = 0; number < 3 + LISTEN_MAX + 3; number++) {
        struct place place, wanted = expected(checker->spec, group, slot.kind == SLOT_WORKER, number);
        uint32_t times = look_up(given, number, &place);
        found += times;
        sockets += wanted.kind == DESCRIPTOR_SOCKET;
        if (times > 1 || place.kind != wanted.kind || place.socket != wanted.socket)
            violation(checker, "[%lld] %s %u#%u: descriptor %d is given %u times, as %d/%u in place of %d/%u",
                      (long long)checker->now, names[slot.kind], slot.index, slot.generation, number, times, place.kind,
                      place.socket, wanted.kind, wanted.socket);
    }
    if (found != given->count || sockets != given->sockets)
        violation(checker, "[%lld] %s %u#%u: %u descriptors, %u sockets: more, or miscounted", (long long)checker->now,
                  names[slot.kind], slot.index, slot.generation, given->count, given->sockets);
}
