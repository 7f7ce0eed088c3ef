/* A container from its first process to its last: opens the loop, runs it, and says how it ended. By main() itself, and
 * by the outer brood of --sandbox, whose container is another brood. */
#ifndef INIT_RUN_H
#define INIT_RUN_H

#include "init/inherited.h"
#include "init/options.h"
#include "init/outcome.h"
#include "init/sandbox.h"
#include "supervisor/spec.h"

/* Runs spec to its end. sandbox: where its command is to run, NULL: here; the inner brood writes the last record there.
 * A loop that can't be opened is refused with STATUS_SYSTEM, and one line has said why. */
struct outcome run_container(const struct options *options, const struct spec *spec, const struct inherited *inherited,
                             const struct sandbox *sandbox);

#endif
