/* See run.h. Apart from loop.c, which knows of no options and writes no last record. */
#include "init/run.h"

#include "init/log.h"
#include "init/loop.h"
#include "init/status.h"
#include "init/wrapping.h"

struct outcome run_container(const struct options *options, const struct spec *spec, const struct inherited *inherited,
                             const struct sandbox *sandbox) {
    static char text[WRAPPING_ERROR_BYTES]; /* as all the large ones here: pages that a good start never touches */
    struct loop *loop;
    const struct loop_input input = {.spec = spec,
                                     .inherited = inherited,
                                     .sandbox = sandbox,
                                     .manners = &options->manners,
                                     .outer_fd = inherited->stopped_fd};
    if (loop_open(&input, &loop, text, sizeof text) < 0)
        return outcome_refuse(STATUS_SYSTEM, text);
    loop_run(loop);
    struct outcome outcome = outcome_of(loop_core(loop), &options->remap, sandbox != NULL);
    outcome_describe(loop_core(loop), &outcome, text, sizeof text);
    loop_close(loop);
    if (!sandbox)
        outcome_tell(LOG_INFO, outcome.status, text, options->manners.name != NULL);
    return outcome;
}
