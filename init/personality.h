/* brood under another program's name: called as tini, docker-init or dumb-init it takes that program's options and
 * environment variables, so that an image has to change one file and no command line.
 *
 * Sources: `tini -h` of 0.19.0, dumb-init(1) and the README of 1.2.5, and what both do when they are run; the system
 * tests run them side by side with brood. Where brood differs, and why, stands in brood(1), "As tini or dumb-init". */
#ifndef INIT_PERSONALITY_H
#define INIT_PERSONALITY_H

#include <stddef.h>

#include "init/options.h"
#include "supervisor/spec.h"

#define PERSONALITY_USAGE 1 /* the exit status of wrong usage, of both programs */

struct personality;

/* Whose name argv[0] ends in, behind its last slash. NULL: none that brood stands in for; argv0 may be NULL. */
const struct personality *personality_of(const char *argv0);

/* As options_parse(), with that program's options and variables; $BROOD_REMAP and $BROOD_CONFIG aren't looked at. The
 * words of argv may be moved: tini drops a `--` behind the program's name. */
int personality_parse(const struct personality *personality, int argc, char **argv, struct options *ret, char *error,
                      size_t size);

/* What of the manners is the core's business: which signal goes where, and that a command is never killed for being
 * slow: how long a stop may take is known to whoever stops the container, and was his business all the time. Does
 * nothing where no personality was taken on. */
void personality_apply(const struct manners *manners, struct spec *spec);

#endif
