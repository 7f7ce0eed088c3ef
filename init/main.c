/* brood from its first to its last statement; each line of main() is a chapter of its own.
 *
 * Until the loop runs a fault ends brood with a clear line and status 100 or 111; from then on nothing does but its
 * own work being done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/inherited.h"
#include "init/load.h"
#include "init/log.h"
#include "init/loop.h"
#include "init/options.h"
#include "init/outcome.h"
#include "init/personality.h"
#include "init/sandbox.h"
#include "init/status.h"
#include "init/wrapping.h"

#define DOCKER_STOP_MS 10000 /* from docker stop's TERM to its KILL, unless it is told otherwise */
#define TEXT_BYTES 4500      /* one line of text; it may name a path */

static int refuse(int status, const char *why) {
    outcome_tell(LOG_ERROR, status, why, false);
    return status;
}

static struct outcome refuse_to_run(const char *why) {
    return (struct outcome){.status = refuse(STATUS_SYSTEM, why)};
}

static void become_subreaper(const struct options *options) {
    bool wanted = options->subreaper == SUBREAPER_ON || (options->subreaper == SUBREAPER_DEFAULT && getpid() != 1);
    if (wanted && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        log_record(LOG_WARNING, "container", NULL, "cannot become a subreaper, orphans are not adopted: %s",
                   strerror(errno));
}

/* Not inherited by what is forked. Its only error is a number that is no signal. */
static void follow_parent(const struct options *options) {
    if (options->manners.parent_death)
        prctl(PR_SET_PDEATHSIG, options->manners.parent_death);
}

static void hint_at_docker(const struct spec *spec) {
    msec_t most = msec_add(spec->grace, spec->primary.stop.argc > 0 ? spec->finish_grace : 0);
    if (getpid() != 1 || spec->command_only || most < DOCKER_STOP_MS)
        return;
    log_record(
        LOG_INFO, "container", NULL,
        "a stop may take %llds, but docker stop kills after 10s: set --stop-timeout (compose: stop_grace_period) to "
        "more, or grace to less",
        (long long)(most / 1000));
}

/* Runs the container to its end. In a sandbox the inner brood writes the last record. */
static struct outcome run(const struct options *options, const struct spec *spec, const struct inherited *inherited,
                          const struct sandbox *sandbox) {
    static char text[WRAPPING_ERROR_BYTES]; /* as all the large ones here: pages that a good start never touches */
    struct loop *loop;
    const struct loop_input input = {.spec = spec,
                                     .inherited = inherited,
                                     .sandbox = sandbox,
                                     .manners = &options->manners,
                                     .outer_fd = inherited->stopped_fd};
    if (loop_open(&input, &loop, text, sizeof text) < 0)
        return refuse_to_run(text);
    loop_run(loop);
    struct outcome outcome = outcome_of(loop_core(loop), &options->remap, sandbox != NULL);
    outcome_describe(loop_core(loop), &outcome, text, sizeof text);
    loop_close(loop);
    if (!sandbox)
        outcome_tell(LOG_INFO, outcome.status, text, options->manners.name != NULL);
    return outcome;
}

/* --write-shims. */
static int write_shims(const struct options *options, const struct spec *spec) {
    char text[WRAPPING_ERROR_BYTES];
    struct environment *environment = NULL;
    if (!wrapping_needed(spec))
        return refuse(STATUS_USAGE, "--write-shims: the config has no [wrap:NAME] section and no cluster that shares a "
                                    "port, there is nothing to write");
    int r = environment_open(spec, environ, &environment, text, sizeof text);
    if (r == 0)
        r = wrapping_write(spec, environment, options->shims, text, sizeof text);
    environment_close(environment);
    return r < 0 ? refuse(r == -EINVAL ? STATUS_USAGE : STATUS_SYSTEM, text) : 0;
}

static int check(const struct options *options) {
    struct config config = {0};
    char text[TEXT_BYTES];
    int status = load_config(options, &config, text, sizeof text);
    config_free(&config);
    if (status != 0 && text[0] != '\0')
        refuse(status, text);
    if (fflush(stdout) != 0)
        return refuse(STATUS_SYSTEM, "standard output can't be written to");
    return status;
}

/* --- the sandbox: the outer brood runs a brood as its command, and only passes on signals and a status --- */

static size_t add_words(const struct spec_command *command, char **paths, size_t count) {
    for (uint32_t i = 0; i < command->argc; i++)
        paths[count++] = command->argv[i];
    return count;
}

/* Whatever the config may need to see of the file system: directories, and words of commands that may be paths.
 * Returns a list for sandbox_plan(), the caller's to free(), or NULL. */
static char **visible_paths(const struct options *options, const struct spec *spec) {
    size_t most = 5 + spec->primary.start.argc + spec->primary.stop.argc + spec->wraps_count, count = 0;
    for (uint32_t i = 0; i < spec->groups_count; i++)
        most += 2 + spec->groups[i].ready_command.argc + spec->groups[i].start.argc + spec->groups[i].stop.argc;
    char **paths = calloc(most, sizeof *paths);
    if (!paths)
        return NULL;
    if (options->config)
        paths[count++] = (char *)(uintptr_t)options->config;
    if (spec->primary.identity.working_directory)
        paths[count++] = spec->primary.identity.working_directory;
    if (spec->primary.identity.environment.file)
        paths[count++] = spec->primary.identity.environment.file;
    count = add_words(&spec->primary.start, paths, count);
    count = add_words(&spec->primary.stop, paths, count);
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        const struct spec_group *group = &spec->groups[i];
        if (group->identity.working_directory)
            paths[count++] = group->identity.working_directory;
        if (group->identity.environment.file)
            paths[count++] = group->identity.environment.file;
        count = add_words(&group->start, paths, count);
        count = add_words(&group->stop, paths, count);
        count = add_words(&group->ready_command, paths, count);
    }
    for (uint32_t i = 0; i < spec->wraps_count; i++)
        paths[count++] = spec->wraps[i].wrapper;
    if (spec->wraps_count > 0 && spec->wraps[0].shim_root)
        paths[count++] = spec->wraps[0].shim_root;
    return paths;
}

/* The words of the inner brood as the outer one's command. */
static struct outcome run_words(const struct options *options, char **words, const struct inherited *inherited,
                                const struct sandbox *sandbox) {
    char text[TEXT_BYTES];
    struct config config = {0};
    const struct options outer = {.command = words, .grace = MSEC_NEVER, .log_format = -1, .remap = options->remap};
    struct outcome outcome = {.status = load_config(&outer, &config, text, sizeof text)};
    if (outcome.status == 0) {
        /* How long a stop may take, and what a second signal means, is the inner one's business. */
        config.spec.grace = MSEC_NEVER;
        config.spec.kill_on_second_signal = false;
        log_configure(LOG_ERROR, LOG_TEXT);
        outcome = run(&outer, &config.spec, inherited, sandbox);
    } else {
        refuse(outcome.status, text);
    }
    config_free(&config);
    return outcome;
}

/* The inner brood, PID 1 of its namespace, can neither die (--mirror) nor stop as its command does: it tells this one,
 * by a pipe each. */
static struct outcome run_outer(const struct options *options, const struct inherited *inherited,
                                struct sandbox *sandbox) {
    CLEANUP_FD int hear = -1;
    CLEANUP_FD int told = -1;
    CLEANUP_FD int hear_stopped = -1;
    CLEANUP_FD int tell_stopped = -1;
    char **words = NULL;
    struct options inner = *options;
    if (options->mirror) {
        if (fd_pipe(&hear, &told) < 0 || fcntl(told, F_SETFD, 0) < 0)
            return refuse_to_run("cannot get a pipe for --mirror");
        inner.ended_to = told;
    }
    sandbox->command = options->command != NULL;
    if (sandbox->command) {
        if (fd_pipe(&hear_stopped, &tell_stopped) < 0)
            return refuse_to_run("cannot get a pipe for --sandbox");
        sandbox->hear_stopped = hear_stopped;
        sandbox->tell_stopped = tell_stopped;
    }
    if (options_inner(&inner, &words) < 0)
        return refuse_to_run("no memory");
    struct outcome outcome = run_words(options, words, inherited, sandbox);
    if (options->mirror && outcome.signal == 0)
        outcome.signal = outcome_hear(hear);
    free(words);
    return outcome;
}

static struct outcome run_sandbox(const struct options *options, const struct spec *spec,
                                  const struct inherited *inherited) {
    char text[TEXT_BYTES];
    struct sandbox sandbox;
    char **paths = visible_paths(options, spec);
    if (!paths)
        return refuse_to_run("no memory");
    sandbox_plan(&sandbox, paths);
    free(paths);
    if (sandbox_probe(&sandbox, text, sizeof text) < 0)
        return refuse_to_run(text);
    return run_outer(options, inherited, &sandbox);
}

static struct outcome run_here(const struct options *options, const struct spec *spec, struct inherited *inherited) {
    if (options->ended_to)
        fcntl(options->ended_to, F_SETFD, FD_CLOEXEC);
    if (!spec->command_only)
        inherited_seal(inherited);
    become_subreaper(options);
    follow_parent(options);
    hint_at_docker(spec);
    struct outcome outcome = run(options, spec, inherited, NULL);
    if (options->ended_to)
        outcome_pass_on(options->ended_to, outcome.signal);
    return outcome;
}

static int print_text(const struct options *options) {
    const char *text = options->mode == MODE_HELP ? options_help : options_version;
    FILE *file = options->manners.text_on_stderr ? stderr : stdout;
    return fputs(options->manners.text ? options->manners.text : text, file) < 0 || fflush(file) != 0;
}

int main(int argc, char **argv) {
    struct inherited inherited;
    struct options options;
    struct config config;
    static char text[TEXT_BYTES];

    inherited_take(&inherited); /* blocks all signals */
    log_open();
    if (atexit(log_close) != 0)
        return refuse_to_run("no memory").status;
    const struct personality *personality = personality_of(argv[0]);
    if (personality && personality_parse(personality, argc, argv, &options, text, sizeof text) < 0)
        return refuse(PERSONALITY_USAGE, text);
    if (!personality && options_parse(argc, argv, &options, text, sizeof text) < 0)
        return refuse(STATUS_USAGE, text);
    if (options.mode == MODE_HELP || options.mode == MODE_VERSION)
        return print_text(&options);
    if (options.mode == MODE_CHECK)
        return check(&options);

    struct outcome outcome = {.status = load_config(&options, &config, text, sizeof text)};
    if (outcome.status != 0)
        return refuse(outcome.status, text);
    log_configure(options_level(&options, config.spec.log_level),
                  options.log_format < 0 ? config.spec.log_format : (enum log_format)options.log_format);
    personality_apply(&options.manners, &config.spec);
    if (options.mode == MODE_WRITE_SHIMS)
        outcome.status = write_shims(&options, &config.spec);
    else
        outcome = options.sandbox ? run_sandbox(&options, &config.spec, &inherited)
                                  : run_here(&options, &config.spec, &inherited);
    config_free(&config);
    if (options.mirror)
        outcome_mirror(outcome.signal);
    return outcome.status;
}
