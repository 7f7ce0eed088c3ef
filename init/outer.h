/* The outer brood of --sandbox: it runs a brood as its command, and only passes on signals and a status. How that one
 * gets into namespaces of its own is init/sandbox.h. */
#ifndef INIT_OUTER_H
#define INIT_OUTER_H

#include "init/inherited.h"
#include "init/options.h"
#include "init/outcome.h"
#include "supervisor/spec.h"

/* Runs the inner brood, with the same options but --sandbox, to its end. spec is the inner one's, for the paths that it
 * must be able to see. What the system refuses is STATUS_SYSTEM, and one line has said why. */
struct outcome outer_run(const struct options *options, const struct spec *spec, const struct inherited *inherited);

#endif
