/* From the command line to a spec: reads the config file and every env_file that it names, and prints what is wrong
 * with them. */
#ifndef INIT_LOAD_H
#define INIT_LOAD_H

#include <stddef.h>

#include "init/options.h"
#include "supervisor/config.h"

/* Reads options->config (a file, "-" for standard input, or none) and options->command. Faults are printed one a line
 * as FILE:LINE: error: TEXT, FILE being the config or an env_file; to standard output in MODE_CHECK, else to standard
 * error. Returns 0 with *ret owned by the caller (config_free()), or the exit status, 100 or 111, with one line in
 * error (an empty one where MODE_CHECK has said it all) and *ret untouched. */
int load_config(const struct options *options, struct config *ret, char *error, size_t size);

#endif
