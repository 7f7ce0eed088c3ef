/* See outer.h. The inner brood, PID 1 of its namespace, can neither die of a signal (--mirror) nor stop as its command
 * does: it tells this one, by a pipe each. How long a stop may take and what a second signal means is its business too,
 * so this one has no grace period and never kills. */
#include "init/outer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "init/environment.h"
#include "init/fd.h"
#include "init/load.h"
#include "init/log.h"
#include "init/run.h"
#include "init/sandbox.h"
#include "init/status.h"

#define TEXT_BYTES 4500 /* one line of text; it may name a path */

/* A list under construction; whoever allocates it has counted what may come. */
struct paths {
    char **items;
    size_t count;
};

static void add(struct paths *paths, char *path) {
    if (path)
        paths->items[paths->count++] = path;
}

static void add_words(struct paths *paths, const struct spec_command *command) {
    for (uint32_t i = 0; i < command->argc; i++)
        add(paths, command->argv[i]);
}

static void add_identity(struct paths *paths, const struct spec_identity *identity) {
    add(paths, identity->working_directory);
    add(paths, identity->environment.file);
}

/* Whatever the config may need to see of the file system: directories, and words of commands that may be paths.
 * Returns a list for sandbox_plan(), the caller's to free(), or NULL. */
static char **visible_paths(const struct options *options, const struct spec *spec) {
    size_t most = 5 + spec->primary.start.argc + spec->primary.stop.argc + spec->wraps_count;
    for (uint32_t i = 0; i < spec->groups_count; i++)
        most += 2 + spec->groups[i].ready_command.argc + spec->groups[i].start.argc + spec->groups[i].stop.argc;
    struct paths paths = {.items = calloc(most, sizeof *paths.items)};
    if (!paths.items)
        return NULL;
    add(&paths, (char *)(uintptr_t)options->config);
    add_identity(&paths, &spec->primary.identity);
    add_words(&paths, &spec->primary.start);
    add_words(&paths, &spec->primary.stop);
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        const struct spec_group *group = &spec->groups[i];
        add_identity(&paths, &group->identity);
        add_words(&paths, &group->start);
        add_words(&paths, &group->stop);
        add_words(&paths, &group->ready_command);
    }
    for (uint32_t i = 0; i < spec->wraps_count; i++)
        add(&paths, spec->wraps[i].wrapper);
    if (spec->wraps_count > 0)
        add(&paths, spec->wraps[0].shim_root);
    return paths.items;
}

/* Whoever names a program without a slash means one that PATH leads to. Returns 0, or -errno with one line in error. */
static int plan_search(const struct spec *spec, struct sandbox *sandbox, char *error, size_t size) {
    struct environment *environment = NULL;
    if (spec->command_only) {
        sandbox_plan_search(sandbox, getenv("PATH"));
        return 0;
    }
    int r = environment_open(spec, environ, &environment, error, size);
    if (r < 0)
        return r;
    sandbox_plan_search(sandbox, environment_get(environment, ENVIRONMENT_PRIMARY, "PATH"));
    for (uint32_t i = 0; i < spec->groups_count; i++)
        sandbox_plan_search(sandbox, environment_get(environment, (int32_t)i, "PATH"));
    environment_close(environment);
    return 0;
}

/* The words of the inner brood as the outer one's command. */
static struct outcome run_words(const struct options *options, char **words, const struct inherited *inherited,
                                const struct sandbox *sandbox) {
    char text[TEXT_BYTES];
    struct config config = {0};
    const struct options outer = {.command = words, .grace = MSEC_NEVER, .log_format = -1, .remap = options->remap};
    struct outcome outcome = {.status = load_config(&outer, &config, text, sizeof text)};
    if (outcome.status == 0) {
        config.spec.grace = MSEC_NEVER;
        config.spec.kill_on_second_signal = false;
        log_configure(LOG_ERROR, LOG_TEXT);
        outcome = run_container(&outer, &config.spec, inherited, sandbox);
    } else {
        outcome = outcome_refuse(outcome.status, text);
    }
    config_free(&config);
    return outcome;
}

static struct outcome run_inner(const struct options *options, const struct inherited *inherited,
                                struct sandbox *sandbox) {
    CLEANUP_FD int hear = -1;
    CLEANUP_FD int told = -1;
    CLEANUP_FD int hear_stopped = -1;
    CLEANUP_FD int tell_stopped = -1;
    char **words = NULL;
    struct options inner = *options;
    inner.lent_admin = sandbox->lends_admin;
    if (options->mirror) {
        if (fd_pipe(&hear, &told) < 0 || fcntl(told, F_SETFD, 0) < 0)
            return outcome_refuse(STATUS_SYSTEM, "cannot get a pipe for --mirror");
        inner.ended_to = told;
    }
    sandbox->command = options->command != NULL;
    if (sandbox->command) {
        if (fd_pipe(&hear_stopped, &tell_stopped) < 0)
            return outcome_refuse(STATUS_SYSTEM, "cannot get a pipe for --sandbox");
        sandbox->hear_stopped = hear_stopped;
        sandbox->tell_stopped = tell_stopped;
    }
    if (options_inner(&inner, &words) < 0)
        return outcome_refuse(STATUS_SYSTEM, "no memory");
    struct outcome outcome = run_words(options, words, inherited, sandbox);
    if (options->mirror && outcome.signal == 0)
        outcome.signal = outcome_hear(hear);
    free(words);
    return outcome;
}

struct outcome outer_run(const struct options *options, const struct spec *spec, const struct inherited *inherited) {
    char text[TEXT_BYTES];
    struct sandbox sandbox;
    char **paths = visible_paths(options, spec);
    if (!paths)
        return outcome_refuse(STATUS_SYSTEM, "no memory");
    sandbox_plan(&sandbox, paths);
    free(paths);
    sandbox.lends_admin = sandbox.user_namespace && geteuid() != 0 && spec_is_strict(spec);
    if (plan_search(spec, &sandbox, text, sizeof text) < 0)
        return outcome_refuse(STATUS_SYSTEM, text);
    if (sandbox_probe(&sandbox, text, sizeof text) < 0)
        return outcome_refuse(STATUS_SYSTEM, text);
    return run_inner(options, inherited, &sandbox);
}
