/* The env_file keys of a config: reads the files and adds what stands in them to its spec. Once, before anything is
 * started, so that a file that is missing or faulty is a fault like the others. */
#ifndef INIT_ENV_FILES_H
#define INIT_ENV_FILES_H

#include <stdint.h>
#include <stdio.h>

#include "supervisor/config.h"

struct env_fault {
    uint32_t config_line; /* of the env_file key, by which faults are ordered */
    uint32_t line;        /* of that file; 0: text is about the config's own line */
    const char *file;     /* the config's */
    char *text;
};

struct env_faults {
    struct env_fault *items; /* by config_line, then by line */
    uint32_t count;          /* at most FAULTS_MAX */
};

/* Reads every file that config->spec names (a file that several groups name once) into its file_variables, whose
 * memory is the config's. Returns 0 with *ret, to be given to env_faults_free(), or -ENOMEM with *ret untouched. */
int env_files_read(struct config *config, struct env_faults *ret);
void env_faults_free(struct env_faults *faults); /* takes a zeroed struct too */

#endif
