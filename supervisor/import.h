/* A supervisord.conf to a brood.ini: bytes in, text out. What brood has no word for becomes a comment with the line it
 * stood on, so that nothing is lost without a trace; what supervisord itself would refuse is a fault.
 *
 * A pure function: no file is opened, [include] is not followed, no variable is looked up. Source of the format:
 * supervisord's manual, "Configuration File", version 4.2, and Python's configparser, "Supported INI File Structure".
 * Part of broodctl alone; brood itself doesn't carry it. */
#ifndef SUPERVISOR_IMPORT_H
#define SUPERVISOR_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/config.h"

#define IMPORT_BYTES_MAX (1u << 20) /* of a supervisord.conf; larger ones are surely not meant */

struct import_input {
    const char *bytes;
    size_t length;
    const char *name; /* of the file, for the comment at the top */
    const char *here; /* what %(here)s stands for: the file's directory */
};

struct import {
    const char *text; /* a config that config_parse() accepts, NULL where there are faults; no NUL behind it */
    size_t length;
    struct config_fault *faults; /* by line; errors all of them */
    uint32_t faults_count;
    void *memory; /* everything that the others point to */
};

/* Returns 0 also where there are faults, or -ENOMEM, with ret untouched. Give ret back with import_free(). */
int import_supervisord(const struct import_input *input, struct import *ret);

/* Frees what import_supervisord() made; takes a zeroed struct too. */
void import_free(struct import *import);

#endif
