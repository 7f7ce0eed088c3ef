/* A spec for tests of the core, with the defaults of brood.ini(5) and without a parser. */
#ifndef TESTS_UNIT_SPEC_BUILDER_H
#define TESTS_UNIT_SPEC_BUILDER_H

#include <stdio.h>
#include <stdlib.h>

#include "supervisor/supervisor.h"

static char *test_argv[] = {(char[]){"true"}, NULL};

static const struct spec_command test_command = {.argv = test_argv, .argc = 1, .line = 1};

/* groups and spec are the caller's; count workers in each group. */
static inline void spec_build(struct spec *spec, struct spec_group *groups, uint32_t groups_count, uint32_t count) {
    *spec = (struct spec){.grace = 10000,
                          .finish_grace = 10000,
                          .kill_on_second_signal = true,
                          .log_level = LOG_INFO,
                          .sigrtmin = 34,
                          .groups = groups,
                          .groups_count = groups_count,
                          .workers_count = groups_count * count,
                          .command_group = -1};
    for (int i = 1; i < SIGNALS_END; i++)
        spec->signals[i] = (struct spec_signal){SIGNAL_FORWARD, i, -1};
    spec->signals[15].policy = spec->signals[2].policy = spec->signals[3].policy = SIGNAL_STOP;
    for (uint32_t i = 0; i < groups_count; i++) {
        groups[i] = (struct spec_group){.line = 1,
                                        .count = count,
                                        .first_worker = i * count,
                                        .start = test_command,
                                        .startup_timeout = MSEC_NEVER,
                                        .grace = MSEC_NEVER,
                                        .restart = RESTART_ON_FAILURE,
                                        .delay_first = 100,
                                        .delay_last = 30000,
                                        .stable_after = 10000,
                                        .limit_failures = 10,
                                        .limit_window = 300000,
                                        .success = {.codes = {1}},
                                        .shutdown_on_failure = true};
        snprintf(groups[i].name, sizeof(groups[i].name), "g%u", i);
    }
}

/* A core for the spec; free() it. */
static inline struct sv *core_make(const struct spec *spec) {
    void *memory = malloc(sv_bytes(spec));
    if (!memory)
        abort();
    return sv_init(spec, memory);
}

#endif
