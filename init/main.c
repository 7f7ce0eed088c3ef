/* brood from its first to its last statement; each line here is a chapter of its own. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "init/descendants.h"
#include "init/fd.h"
#include "init/inherited.h"
#include "init/log.h"
#include "init/loop.h"
#include "init/options.h"
#include "init/outcome.h"
#include "init/sandbox.h"
#include "supervisor/config.h"

#define STATUS_USAGE 100
#define STATUS_SYSTEM 111
#define DOCKER_STOP_MS 10000

static int end_badly(int status, const char *text) {
    outcome_tell(LOG_ERROR, status, text);
    return status;
}

static uint32_t cpus(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

static int read_all(int fd, char **ret_bytes, size_t *ret_length) {
    size_t length = 0, capacity = 0;
    char *bytes = NULL;
    for (;;) {
        if (length == capacity) {
            capacity = capacity ? capacity * 2 : 16384;
            char *larger = capacity > CONFIG_BYTES_MAX ? NULL : realloc(bytes, capacity);
            if (!larger) {
                free(bytes);
                return -EFBIG;
            }
            bytes = larger;
        }
        ssize_t got = read(fd, bytes + length, capacity - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int error = errno;
            free(bytes);
            return -error;
        }
        if (got == 0)
            break;
        length += (size_t)got;
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}

static int read_config(const char *path, char **ret_bytes, size_t *ret_length) {
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, ret_bytes, ret_length);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : read_all(fd, ret_bytes, ret_length);
}

static void print_faults(const struct options *options, const struct config *config) {
    const char *name = options->config && strcmp(options->config, "-") == 0 ? "<stdin>" : options->config ? options->config : "";
    char line[2048];
    for (uint32_t i = 0; i < config->faults_count; i++) {
        const struct config_fault *fault = &config->faults[i];
        const char *severity = fault->severity == FAULT_ERROR ? "error" : "warning";
        if (fault->line)
            snprintf(line, sizeof line, "%s:%u: %s: %s", name, fault->line, severity, fault->text);
        else
            snprintf(line, sizeof line, "%s: %s: %s", name, severity, fault->text);
        if (options->mode == MODE_CHECK)
            puts(line);
        else
            log_line(line);
    }
}

/* Returns 0, or the exit status. */
static int load(const struct options *options, struct config *ret, char *error, size_t size) {
    char *bytes = NULL;
    size_t length = 0;
    if (options->config) {
        int r = read_config(options->config, &bytes, &length);
        if (r < 0) {
            snprintf(error, size, "%s: %s", options->config, strerror(-r));
            return STATUS_USAGE;
        }
    }
    const struct config_input input = {.bytes = options->config ? bytes ? bytes : "" : NULL,
                                       .length = length,
                                       .command = options->command,
                                       .grace = options->grace,
                                       .cpus = cpus(),
                                       .sigrtmin = SIGRTMIN,
                                       .sigrtmax = SIGRTMAX};
    int r = config_parse(&input, ret);
    free(bytes);
    if (r < 0) {
        snprintf(error, size, "no memory for the config");
        return STATUS_SYSTEM;
    }
    print_faults(options, ret);
    if (ret->errors == 0)
        return 0;
    snprintf(error, size, "%s: %u error%s, nothing was started", options->config ? options->config : "the command", ret->errors,
             ret->errors == 1 ? "" : "s");
    return STATUS_USAGE;
}

static void configure_log(const struct options *options, const struct spec *spec) {
    log_configure(options_level(options, spec->log_level),
                  options->log_format < 0 ? spec->log_format : (enum log_format)options->log_format);
}

static void become_subreaper(const struct options *options) {
    if (getpid() == 1 || options->subreaper == SUBREAPER_OFF)
        return;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        log_record(LOG_WARNING, "container", NULL, "cannot become a subreaper: %s", strerror(errno));
}

static void hint_at_docker(const struct spec *spec) {
    msec_t sum = spec->primary.stop.argc > 0 ? msec_add(spec->grace, spec->finish_grace) : spec->grace;
    if (getpid() == 1 && !spec->command_only && sum >= DOCKER_STOP_MS)
        log_record(LOG_INFO, "container", NULL, "a stop may take %llds, docker stop kills after 10s: set --time or stop_grace_period",
                   (long long)(sum / 1000));
}

/* The inner brood gets the same options but the sandbox, as PID 1. */
static int sandbox_command(const struct options *options, char ***ret) {
    size_t count = 0, at = 0;
    while (options->command && options->command[count])
        count++;
    char **argv = calloc(count + 32, sizeof *argv);
    static char grace[40];
    if (!argv)
        return -ENOMEM;
    argv[at++] = (char[]){"brood"};
    argv[0] = strdup("brood");
    if (options->config) {
        argv[at++] = strdup("-c");
        argv[at++] = strdup(options->config);
    }
    if (options->grace != MSEC_NEVER) {
        snprintf(grace, sizeof grace, "--grace=%lldms", (long long)options->grace);
        argv[at++] = grace;
    }
    for (int i = 0; i < options->verbosity && i < 4; i++)
        argv[at++] = strdup("-v");
    for (int i = 0; i > options->verbosity && i > -4; i--)
        argv[at++] = strdup("-q");
    if (options->log_format >= 0)
        argv[at++] = strdup(options->log_format == LOG_JSON ? "--log-format=json" : "--log-format=text");
    if (options->command)
        argv[at++] = strdup("--");
    for (size_t i = 0; i < count; i++)
        argv[at++] = options->command[i];
    *ret = argv;
    return 0;
}

static int run(const struct spec *spec, const struct inherited *inherited, const struct sandbox *sandbox) {
    char text[512];
    struct loop *loop = NULL;
    if (!spec->command_only)
        inherited_seal(inherited);
    const struct loop_input input = {.spec = spec, .inherited = inherited, .sandbox = sandbox};
    if (loop_open(&input, &loop, text, sizeof text) < 0)
        return end_badly(STATUS_SYSTEM, text);
    loop_run(loop);
    int status = sv_exit_status(loop_core(loop));
    sv_outcome(loop_core(loop), text, sizeof text);
    loop_close(loop);
    if (!sandbox)
        outcome_tell(LOG_INFO, status, text);
    return status;
}

static void say_proc(void) {
    struct descendants *descendants;
    const char *why = NULL;
    if (descendants_open(&descendants) < 0)
        return;
    if (!descendants_usable(descendants, &why))
        log_record(LOG_WARNING, "container", NULL, "%s: stragglers %s", why,
                   getpid() == 1 ? "are reached by kill(-1)" : "are not found");
    descendants_close(descendants);
}

static int run_sandbox(const struct options *options, const struct inherited *inherited) {
    char text[512];
    struct sandbox sandbox;
    struct options outer = *options;
    char *visible[] = {options->config ? strdup(options->config) : NULL, NULL};
    sandbox_plan(&sandbox, visible);
    if (sandbox_probe(&sandbox, text, sizeof text) < 0)
        return end_badly(STATUS_SYSTEM, text);
    struct config config = {0};
    log_configure(options_level(options->config ? &(struct options){0} : options, LOG_WARNING), LOG_TEXT);
    outer.config = NULL;
    outer.grace = DURATION_MAX_MS;
    if (sandbox_command(options, &outer.command) < 0)
        return end_badly(STATUS_SYSTEM, "no memory");
    int status = load(&outer, &config, text, sizeof text);
    return status ? end_badly(status, text) : run(&config.spec, inherited, &sandbox);
}

int main(int argc, char **argv) {
    struct inherited inherited;
    struct options options;
    struct config config = {0};
    char text[512];

    inherited_take(&inherited);
    log_open();
    if (options_parse(argc, argv, &options, text, sizeof text) < 0)
        return end_badly(STATUS_USAGE, text);
    if (options.mode == MODE_HELP || options.mode == MODE_VERSION)
        return fputs(options.mode == MODE_HELP ? options_help : options_version, stdout) < 0;
    int status = load(&options, &config, text, sizeof text);
    if (options.mode == MODE_CHECK) {
        if (status && !config.errors)
            return end_badly(status, text);
        return fflush(stdout) == 0 ? status : STATUS_SYSTEM;
    }
    if (status)
        return end_badly(status, text);
    configure_log(&options, &config.spec);
    if (options.sandbox)
        return run_sandbox(&options, &inherited);
    become_subreaper(&options);
    hint_at_docker(&config.spec);
    say_proc();
    return run(&config.spec, &inherited, NULL);
}
