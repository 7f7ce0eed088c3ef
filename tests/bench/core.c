/* How many events a second the core takes: the library that brood links, behind a shell that answers at once and keeps
 * virtual time. Nothing is measured but sv_step() and the little that makes the next event.
 *
 *     core [SECONDS]                  3 for each size; at least a million events a second are the goal
 *
 * The workers are probed, ping their watchdogs and crash, one for 15 pings, and are started again after 1 ms; a signal
 * goes to one of the groups now and then. The events of a second are facts; ticks come on top. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/spec_builder.h"

#define GROUPS 10
#define PENDING_MAX 65536 /* a power of two; what a worker has to say at one time is two events at the most */
#define PINGS_A_TURN 64
#define GOAL 1e6

struct shell {
    struct sv *sv;
    msec_t now;
    uint64_t events, ticks, actions;
    uint32_t head, tail;
    uint32_t next; /* the worker that pings next */
    struct event pending[PENDING_MAX];
    struct actions list;
};

static struct shell shell;

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say(struct event event) {
    if (shell.tail - shell.head == PENDING_MAX) {
        fprintf(stderr, "core: more is said at one time than was thought of\n");
        exit(1);
    }
    shell.pending[shell.tail++ % PENDING_MAX] = event;
}

static void obey(const struct action *action) {
    if (action->kind == ACTION_SPAWN)
        say((struct event){.kind = EVENT_EXECUTED, .slot = action->slot});
    else if (action->kind == ACTION_PROBE)
        say((struct event){.kind = EVENT_PROBED, .slot = action->slot, .success = shell.events % 4 != 0});
    else if (action->kind == ACTION_SIGNAL && action->then_continue)
        say((struct event){.kind = EVENT_EXITED, .slot = action->slot, .ending = {.kind = ENDING_EXITED}});
}

static void take(struct event event) {
    event.time = shell.now;
    sv_step(shell.sv, &event, &shell.list);
    shell.actions += shell.list.count;
    for (uint32_t i = 0; i < shell.list.count; i++)
        obey(&shell.list.items[i]);
}

/* Until nothing is left to be said or done at this time. */
static void settle(void) {
    while (shell.head != shell.tail || sv_deadline(shell.sv) <= shell.now) {
        if (shell.head != shell.tail) {
            shell.events++;
            take(shell.pending[shell.head++ % PENDING_MAX]);
        } else {
            shell.ticks++;
            take((struct event){.kind = EVENT_TICK});
        }
    }
}

static void turn(const struct spec *spec) {
    for (uint32_t i = 0; i < PINGS_A_TURN; i++) {
        struct slot slot = {.kind = SLOT_WORKER, .index = shell.next++ % spec->workers_count};
        slot.generation = sv_generation(shell.sv, SLOT_WORKER, slot.index);
        if (sv_worker_state(shell.sv, slot.index) != WORKER_READY)
            continue;
        struct event event = {.kind = i % 16 == 0 ? EVENT_EXITED : EVENT_WATCHDOG, .slot = slot};
        event.ending = (struct ending){.kind = ENDING_EXITED, .number = 1};
        say(event);
    }
    if (shell.next % 8192 < PINGS_A_TURN)
        say((struct event){.kind = EVENT_SIGNAL, .signal = 10});
    shell.now++;
    settle();
}

static void build(struct spec *spec, struct spec_group *groups, uint32_t workers) {
    spec_build(spec, groups, GROUPS, workers / GROUPS);
    spec->signals[10].group = GROUPS - 1;
    for (uint32_t i = 0; i < GROUPS; i++) {
        groups[i].ready = READY_TCP;
        groups[i].startup_timeout = 60000;
        groups[i].watchdog = 60000;
        groups[i].limit_failures = 0;
        groups[i].delay_first = groups[i].delay_last = 1;
    }
}

/* Returns events a second. */
static double measure(uint32_t workers, double seconds) {
    struct spec spec;
    struct spec_group groups[GROUPS];
    build(&spec, groups, workers);
    memset(&shell, 0, sizeof(shell));
    shell.sv = core_make(&spec);
    shell.list.capacity = ACTIONS_MAX;
    say((struct event){.kind = EVENT_BOOT});
    settle();
    double begin = seconds_now(), end = begin;
    shell.events = shell.ticks = shell.actions = 0;
    for (uint32_t i = 0; end - begin < seconds; i++) {
        turn(&spec);
        if (i % 64 == 0)
            end = seconds_now();
    }
    double rate = (double)shell.events / (end - begin);
    printf("%6u workers %8.2f million events a second (%.2f actions and %.2f ticks an event)\n", workers, rate / 1e6,
           (double)shell.actions / (double)shell.events, (double)shell.ticks / (double)shell.events);
    free(shell.sv);
    return rate;
}

int main(int argc, char **argv) {
    static const uint32_t sizes[] = {10, 1000, WORKERS_MAX};
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3, least = GOAL * 1e6;
    if (!(seconds > 0)) {
        fprintf(stderr, "usage: core [SECONDS]\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        double rate = measure(sizes[i], seconds);
        least = rate < least ? rate : least;
    }
    printf("core: %s of the goal, a million events a second\n", least >= GOAL ? "on the right side" : "SHORT");
    return 0;
}
