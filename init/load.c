/* The only place that opens a config; what its env_file keys name is read in the same pass. Standard input is read to
 * its end and then put back, as a file in memory, so that the inner brood of --sandbox can read it once more. */
#include "init/load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "init/accounts.h"
#include "init/cpus.h"
#include "init/env_files.h"
#include "init/fd.h"
#include "init/hosts.h"
#include "init/log.h"
#include "init/sandbox.h"
#include "init/sockets.h"
#include "init/status.h"
#include "init/wrapping.h"
#include "init/whole.h"
#include "supervisor/signals.h"

/* Returns 0, or -errno: standard input would be at its end for whoever reads it next. */
static int rewind_stdin(const char *bytes, size_t length) {
    CLEANUP_FD int fd = memfd_create("brood-config", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (size_t done = 0; done < length;) {
        ssize_t written = write(fd, bytes + done, length - done);
        if (written < 0)
            return -errno;
        done += (size_t)written;
    }
    return lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0 ? -errno : 0;
}

static int read_config(const struct options *options, char **ret_bytes, size_t *ret_length) {
    if (strcmp(options->config, "-") != 0) {
        CLEANUP_FD int fd = open(options->config, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : whole_read(fd, CONFIG_BYTES_MAX, ret_bytes, ret_length);
    }
    char *bytes;
    int r = whole_read(STDIN_FILENO, CONFIG_BYTES_MAX, &bytes, ret_length);
    if (r == 0 && options->sandbox && (r = rewind_stdin(bytes, *ret_length)) < 0)
        free(bytes);
    if (r == 0)
        *ret_bytes = bytes;
    return r;
}

static const char *name_of(const struct options *options) {
    if (!options->config)
        return "the command line";
    return strcmp(options->config, "-") == 0 ? "<stdin>" : options->config;
}

/* line 0: of the file as a whole. */
static void print_fault(const struct options *options, const char *file, uint32_t line, const char *severity,
                        const char *text) {
    char record[4096];
    if (line)
        snprintf(record, sizeof record, "%.2000s:%u: %s: %s", file, line, severity, text);
    else
        snprintf(record, sizeof record, "%.2000s: %s: %s", file, severity, text);
    if (options->mode == MODE_CHECK)
        puts(record);
    else
        log_line(record);
}

/* Those of the config by line; what is wrong with the file of an env_file comes where the key stands. */
static void print_faults(const struct options *options, const struct config *config, const struct env_faults *env) {
    uint32_t next = 0;
    for (uint32_t i = 0; i <= config->faults_count; i++) {
        const struct config_fault *fault = i < config->faults_count ? &config->faults[i] : NULL;
        for (; next < env->count && (!fault || env->items[next].config_line < fault->line); next++) {
            const struct env_fault *found = &env->items[next];
            print_fault(options, found->line ? found->file : name_of(options),
                        found->line ? found->line : found->config_line, "error", found->text);
        }
        if (fault)
            print_fault(options, name_of(options), fault->line, fault->severity == FAULT_ERROR ? "error" : "warning",
                        fault->text);
    }
}

/* What of a config can't be on this machine. */
struct local_faults {
    const struct options *options;
    uint32_t count;
};

static void print_local_fault(void *context, uint32_t line, const char *text) {
    struct local_faults *faults = context;
    faults->count++;
    print_fault(faults->options, name_of(faults->options), line, "error", text);
}

/* Prints what of the wraps can't be on this machine. Where the config has faults nobody knows what its [env] would make
 * of PATH. Returns 0 with the number of faults, or -ENOMEM. */
static int check_wraps(const struct options *options, const struct config *config, uint32_t *ret_count) {
    struct local_faults faults = {.options = options};
    struct environment *environment = NULL;
    char error[256];
    *ret_count = 0;
    if (config->spec.wraps_count == 0)
        return 0;
    if (config->errors == 0 && environment_open(&config->spec, environ, &environment, error, sizeof error) < 0)
        environment = NULL; /* says so when it is opened to be used */
    const char *search = environment ? environment_get(environment, ENVIRONMENT_CONTAINER, "PATH") : getenv("PATH");
    int r = wrapping_check(&config->spec, search, print_local_fault, &faults);
    environment_close(environment);
    *ret_count = faults.count;
    return r;
}

/* The same for the hosts that are probed or listened at, and the owners of sockets. */
static int check_hosts(const struct options *options, const struct config *config, uint32_t *ret_count) {
    struct local_faults faults = {.options = options};
    int r = hosts_check(&config->spec, print_local_fault, &faults);
    if (r == 0)
        r = sockets_check(&config->spec, print_local_fault, &faults);
    *ret_count = faults.count;
    return r;
}

/* And for users and groups; under --sandbox also that they can be had there. */
static int check_accounts(const struct options *options, struct config *config, uint32_t *ret_count) {
    struct local_faults faults = {.options = options};
    struct sandbox sandbox = {.user_namespace = false};
    int r = options->config ? accounts_check(config, print_local_fault, &faults) : 0;
    if (options->sandbox)
        sandbox_plan(&sandbox, NULL);
    if (r == 0 && faults.count == 0 && sandbox.user_namespace)
        accounts_check_mapped(&config->spec, geteuid(), getegid(), print_local_fault, &faults);
    *ret_count = faults.count;
    return r;
}

int load_config(const struct options *options, struct config *ret, char *error, size_t size) {
    char *bytes = NULL;
    struct config_input input = {.command = options->command,
                                 .grace = options->grace,
                                 .cpus = options->config ? cpus_usable("/sys/fs/cgroup") : 1,
                                 .sigrtmin = SIGRTMIN_USUAL,
                                 .sigrtmax = SIGRTMAX_USUAL,
                                 .wraps_alone = options->mode == MODE_WRITE_SHIMS};
    if (options->config) {
        int r = read_config(options, &bytes, &input.length);
        if (r < 0) {
            snprintf(error, size, "%s: %s%s", name_of(options), strerror(-r),
                     !options->config_implied    ? ""
                     : options->mode == MODE_RUN ? "; give --config FILE or a COMMAND, see brood --help"
                                                 : "; give --config FILE, see brood --help");
            return r == -ENOMEM ? STATUS_SYSTEM : STATUS_USAGE;
        }
        input.bytes = bytes;
    }
    struct config config;
    int r = config_parse(&input, &config);
    free(bytes);
    if (r < 0) {
        snprintf(error, size, "no memory for the config");
        return STATUS_SYSTEM;
    }
    struct env_faults env;
    if (env_files_read(&config, &env) < 0) {
        config_free(&config);
        snprintf(error, size, "no memory for an env_file");
        return STATUS_SYSTEM;
    }
    print_faults(options, &config, &env);
    uint32_t errors = config.errors + env.count, wrap_errors, host_errors, account_errors;
    env_faults_free(&env);
    if (check_wraps(options, &config, &wrap_errors) < 0 || check_hosts(options, &config, &host_errors) < 0 ||
        check_accounts(options, &config, &account_errors) < 0) {
        config_free(&config);
        snprintf(error, size, "no memory for what the config names");
        return STATUS_SYSTEM;
    }
    errors += wrap_errors + host_errors + account_errors;
    if (errors > 0) {
        error[0] = '\0'; /* --check: the faults are the whole answer */
        if (options->mode != MODE_CHECK)
            snprintf(error, size, "%s: %u error%s, nothing was started", name_of(options), errors,
                     errors == 1 ? "" : "s");
        config_free(&config);
        return STATUS_USAGE;
    }
    *ret = config;
    return 0;
}
