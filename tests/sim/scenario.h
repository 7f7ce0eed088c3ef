/* What one seed stands for: a spec, how its processes behave, and what the operator does.
 *
 * Everything is derived from the seed and the masks, nothing else. The masks take parts away without changing the rest
 * (each draw is keyed by the thing it is for); they are what a failing seed is shrunk by and what the replay command
 * says. Groups keep their identity (`id`) when others are dropped, though their index in the spec moves. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/event.h"
#include "supervisor/spec.h"

#define SIM_GROUPS_MAX 8
#define SIM_WORKERS_MAX 320
#define SIM_SCRIPT_MAX 48

struct scenario_masks {
    uint64_t drop_groups; /* bit: id of the group */
    uint64_t single;      /* these groups have one worker only */
    uint64_t calm;        /* processes of these groups do nothing unusual; bit 63: the primary's */
    uint64_t drop_script; /* bit: place in the script */
    bool steady;          /* no late wake-ups, no reordering, no clock that goes back */
};

/* How likely the unusual is, in permille, for the processes of one group. */
struct mood {
    uint32_t spawn_failure;
    uint32_t exec_failure;
    uint32_t early_death; /* dies before its exec is reported */
    uint32_t crash;       /* ends by itself; else it lives until it is stopped */
    uint32_t success;     /* of those: with status 0 */
    uint32_t stubborn;    /* ignores the stop signal */
    uint32_t slow_stop;   /* takes its time after it */
    uint32_t never_ready;
    uint32_t members;   /* has others in its process group */
    uint32_t orphans;   /* leaves descendants outside of it */
    uint32_t stuck;     /* KILL does not end it for seconds */
    uint32_t odd_facts; /* READY twice, before EXECUTED, stale; UNREADY, EXTEND, UNHEALTHY */
    int64_t life_ms;    /* of those that end by themselves: at most */
};

struct scenario {
    uint64_t seed;
    struct scenario_masks masks;
    struct spec spec;
    struct spec_group groups[SIM_GROUPS_MAX];
    uint16_t after[SIM_GROUPS_MAX][SIM_GROUPS_MAX];
    uint16_t before[SIM_GROUPS_MAX][SIM_GROUPS_MAX];
    struct mood moods[SIM_GROUPS_MAX];
    struct mood primary_mood;
    uint32_t ids[SIM_GROUPS_MAX];        /* by index: which group it was before others were dropped */
    struct event script[SIM_SCRIPT_MAX]; /* by time; BOOT is one of them */
    uint32_t script_count;
    uint32_t script_all; /* how many it had before any was dropped: the bits of drop_script */
    uint32_t group_all;
    bool drain;      /* all queued work is stepped through before the next fact: the capacity must not show then */
    uint32_t late;   /* permille of wake-ups that come late */
    int64_t late_ms; /* at most by so much */
    bool reorder;    /* facts of one batch come in any order that keeps each process's own */
};

/* Makes the scenario of seed. It points into itself: it must not be moved or copied. */
void scenario_make(struct scenario *scenario, uint64_t seed, const struct scenario_masks *masks);

/* The index of a worker's group in the spec. */
uint32_t scenario_group_of(const struct scenario *scenario, uint32_t worker);

/* Prints the spec for people, as far as it matters here. */
void scenario_print(const struct scenario *scenario);

#endif
