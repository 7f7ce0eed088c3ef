/* The only place that opens a config. Standard input is read to its end and then put back, as a file in memory, so that
 * the inner brood of --sandbox can read it once more. */
#include "init/load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "init/cpus.h"
#include "init/fd.h"
#include "init/log.h"
#include "init/status.h"

/* Returns 0 with *ret_bytes, the caller's, or -errno (-EFBIG: longer than CONFIG_BYTES_MAX). */
static int read_all(int fd, char **ret_bytes, size_t *ret_length) {
    size_t length = 0, capacity = 16384;
    char *bytes = malloc(capacity);
    int r = bytes ? 0 : -ENOMEM;
    while (r == 0) {
        if (length == capacity) {
            char *larger = realloc(bytes, capacity * 2);
            if (!larger) {
                r = -ENOMEM;
                break;
            }
            bytes = larger;
            capacity *= 2;
        }
        ssize_t got = read(fd, bytes + length, capacity - length);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            r = -errno;
        length += got > 0 ? (size_t)got : 0;
        if (length > CONFIG_BYTES_MAX)
            r = -EFBIG;
    }
    if (r < 0) {
        free(bytes);
        return r;
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}

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
        return fd < 0 ? -errno : read_all(fd, ret_bytes, ret_length);
    }
    char *bytes;
    int r = read_all(STDIN_FILENO, &bytes, ret_length);
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

static void print_faults(const struct options *options, const struct config *config) {
    char line[4096];
    for (uint32_t i = 0; i < config->faults_count; i++) {
        const struct config_fault *fault = &config->faults[i];
        const char *severity = fault->severity == FAULT_ERROR ? "error" : "warning";
        if (fault->line)
            snprintf(line, sizeof line, "%.2000s:%u: %s: %s", name_of(options), fault->line, severity, fault->text);
        else
            snprintf(line, sizeof line, "%.2000s: %s: %s", name_of(options), severity, fault->text);
        if (options->mode == MODE_CHECK)
            puts(line);
        else
            log_line(line);
    }
}

int load_config(const struct options *options, struct config *ret, char *error, size_t size) {
    char *bytes = NULL;
    struct config_input input = {.command = options->command,
                                 .grace = options->grace,
                                 .cpus = cpus_usable("/sys/fs/cgroup"),
                                 .sigrtmin = SIGRTMIN,
                                 .sigrtmax = SIGRTMAX};
    if (options->config) {
        int r = read_config(options, &bytes, &input.length);
        if (r < 0) {
            snprintf(error, size, "%s: %s%s", name_of(options), strerror(-r),
                     options->config_implied ? "; give --config FILE or a COMMAND, see brood --help" : "");
            return STATUS_USAGE;
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
    print_faults(options, &config);
    if (config.errors > 0) {
        error[0] = '\0'; /* --check: the faults are the whole answer */
        if (options->mode != MODE_CHECK)
            snprintf(error, size, "%s: %u error%s, nothing was started", name_of(options), config.errors,
                     config.errors == 1 ? "" : "s");
        config_free(&config);
        return STATUS_USAGE;
    }
    *ret = config;
    return 0;
}
