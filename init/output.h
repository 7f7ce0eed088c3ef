/* Standard output and standard error of the workers whose group says output = prefix or json.
 *
 * A worker's place has two pipes, made at its first start and kept over restarts, both ends of them: so there is
 * never an end of file, and what a worker left behind may write on. From the pipes whole lines go to brood's own
 * standard output and standard error, each through one buffer of a fixed size. A reader that is slow fills it; then
 * the pipes aren't read until there is room again, which slows whoever fills them, and nobody else is held up. A
 * reader that is gone is warned of once; from then on the pipes are emptied for nobody.
 *
 * Where both descriptors are one file, both have one buffer, and brood's own records queue in it: lines stay whole. */
#ifndef INIT_OUTPUT_H
#define INIT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/event.h"
#include "supervisor/spec.h"

struct output;

/* Returns 0, or -ENOMEM. *ret is the caller's, and untouched where no group needs it. */
int output_open(const struct spec *spec, int epoll, struct output **ret);

/* What is still unwritten is dropped, with a warning. Takes NULL. */
void output_close(struct output *output);

/* Of a worker, its hooks and probes: the write ends for descriptors 1 and 2, output's own. Returns 0 with
 * ret_fds, or -errno. The group must say prefix or json. */
int output_pipes(struct output *output, uint32_t worker, int ret_fds[static 2]);

static inline bool output_wanted(const struct spec_group *group) {
    return group->output == OUTPUT_PREFIX || group->output == OUTPUT_JSON;
}

/* A process of this worker has ended: what it wrote last is a line, even without a newline. All below take NULL. */
void output_ended(struct output *output, uint32_t worker);

/* Facts of epoll: SOURCE_OUTPUT and SOURCE_OUTPUT_READY. */
void output_readable(struct output *output, struct slot slot);
void output_writable(struct output *output, struct slot slot);

/* Reads, frames and writes; as much as fits into one turn of the loop. */
void output_run(struct output *output);
bool output_due(const struct output *output); /* there is more to do, without waiting for anything */

/* At the end: what is in the pipes now is the last of it. */
void output_finish(struct output *output);
bool output_finished(const struct output *output);    /* … and all of it is written */
uint64_t output_written(const struct output *output); /* bytes so far: whether there is progress */

#endif
