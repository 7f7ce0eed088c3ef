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
#include "init/options.h"
#include "init/outcome.h"
#include "init/outer.h"
#include "init/personality.h"
#include "init/privileges.h"
#include "init/run.h"
#include "init/status.h"
#include "init/wrapping.h"

#define DOCKER_STOP_MS 10000 /* from docker stop's TERM to its KILL, unless it is told otherwise */
#define TEXT_BYTES 4500      /* one line of text; it may name a path */

static int refuse(int status, const char *why) {
    return outcome_refuse(status, why).status;
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

/* Where it can't, brood stays: it is as good a place. */
static void leave_directory(const struct options *options, struct inherited *inherited) {
    if (!options->manners.leaves_directory)
        return;
    int directory = fd_high(open(".", O_PATH | O_CLOEXEC));
    if (directory >= 0 && chdir("/") == 0)
        inherited->directory = directory;
    else
        fd_close(&directory);
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

/* A program that is executed by way of /proc/self/exe, as the inner brood of --sandbox is, is called exe by ps. */
static void take_name(void) {
    char name[16] = ""; /* what prctl() writes */
    if (prctl(PR_GET_NAME, name) == 0 && strcmp(name, "exe") == 0)
        prctl(PR_SET_NAME, "brood");
}

static struct outcome run_here(const struct options *options, const struct spec *spec, struct inherited *inherited) {
    char text[128];
    if (options->ended_to)
        fcntl(options->ended_to, F_SETFD, FD_CLOEXEC);
    take_name();
    int r = options->lent_admin ? privileges_keep_lent() : 0;
    if (r < 0) {
        snprintf(text, sizeof text, "cannot keep CAP_SYS_ADMIN to itself: %s", strerror(-r));
        return outcome_refuse(STATUS_SYSTEM, text);
    }
    if (!spec->command_only)
        inherited_seal(inherited);
    become_subreaper(options);
    follow_parent(options);
    leave_directory(options, inherited);
    hint_at_docker(spec);
    struct outcome outcome = run_container(options, spec, inherited, NULL);
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
        return refuse(STATUS_SYSTEM, "no memory");
    const struct personality *personality = personality_of(argv[0]);
    if (personality && personality_parse(personality, argc, argv, &options, text, sizeof text) < 0)
        return refuse(PERSONALITY_USAGE, text);
    if (!personality && options_parse(argc, argv, &options, text, sizeof text) < 0)
        return refuse(STATUS_USAGE, text);
    if (options.mode == MODE_HELP || options.mode == MODE_VERSION)
        return print_text(&options);
    if (options.mode == MODE_CHECK)
        return check(&options);

    if (options.log_format >= 0) /* a record of faults looks like that, too */
        log_configure(log_level(), (enum log_format)options.log_format);
    struct outcome outcome = {.status = load_config(&options, &config, text, sizeof text)};
    if (outcome.status != 0)
        return refuse(outcome.status, text);
    log_configure(options_level(&options, config.spec.log_level),
                  options.log_format < 0 ? config.spec.log_format : (enum log_format)options.log_format);
    personality_apply(&options.manners, &config.spec);
    if (options.mode == MODE_WRITE_SHIMS)
        outcome.status = write_shims(&options, &config.spec);
    else
        outcome = options.sandbox ? outer_run(&options, &config.spec, &inherited)
                                  : run_here(&options, &config.spec, &inherited);
    config_free(&config);
    if (options.mirror)
        outcome_mirror(outcome.signal);
    return outcome.status;
}
