/* INI text to struct spec: every fault as file:line: message, all faults in one pass.
 *
 * A pure function of bytes: no file is opened, no user looked up. The grammar and every key are documented in
 * brood.ini(5). The only part of the core that allocates, and only here. */
#ifndef SUPERVISOR_CONFIG_H
#define SUPERVISOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/msec.h"
#include "supervisor/spec.h"

/* What the machine and the command line have to say; a pure parser can't ask. */
struct config_input {
    const char *bytes; /* the file's; NULL: there is no config file */
    size_t length;
    char *const *command; /* argv of COMMAND, ends with NULL; NULL: none. Copied */
    msec_t grace;         /* --grace; MSEC_NEVER: not given */
    uint32_t cpus;        /* what count = auto means, 1 or more */
    int sigrtmin;
    int sigrtmax;
    bool wraps_alone;    /* nothing needs to be there to run: only shims are written */
    bool accept_unbuilt; /* take keys that are checked but do nothing yet: for tests, false in brood itself */
};

enum fault_severity { FAULT_WARNING, FAULT_ERROR };

struct config_fault {
    uint32_t line; /* 1 and up; 0: the file as a whole */
    enum fault_severity severity;
    char *text; /* "[worker:web] gracee: unknown key; did you mean "grace"?" */
};

struct config {
    struct spec spec;            /* complete only where errors is 0 */
    struct config_fault *faults; /* by line */
    uint32_t faults_count;
    uint32_t errors; /* how many of them are errors; all, also those beyond FAULTS_MAX */
    void *memory;    /* everything that spec and faults point to */
};

/* Reads the input. Returns 0 also where there are faults (see ret->errors), or -ENOMEM, with ret untouched.
 * ret owns everything; give it back with config_free(). */
int config_parse(const struct config_input *input, struct config *ret);

/* Zeroed memory that lives as long as the config, for what its spec tells to read elsewhere; NULL: there is none. */
void *config_keep(struct config *config, size_t size);

/* Frees what config_parse() made; takes a zeroed struct too. */
void config_free(struct config *config);

/* A DURATION ("10s", "100ms", "0") to milliseconds. Returns 0, or -EINVAL with ret untouched and, where why isn't
 * NULL, *why a constant text with the remedy. Used for --grace too. */
int config_duration(const char *text, msec_t *ret, const char **why);

#endif
