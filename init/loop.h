/* The one loop: the only wait and the only clock read of brood. Facts of the kernel become events, actions become
 * calls. */
#ifndef INIT_LOOP_H
#define INIT_LOOP_H

#include <stddef.h>

#include "init/inherited.h"
#include "init/manners.h"
#include "init/readiness.h"
#include "init/sandbox.h"
#include "supervisor/supervisor.h"

struct loop;

struct loop_input {
    const struct spec *spec;
    const struct inherited *inherited;
    const struct sandbox *sandbox; /* NULL: none */
    const struct manners *manners; /* of the COMMAND, where there is nothing else */
    int outer_fd;                  /* where an inner brood tells that its command has stopped; 0: it isn't one */
};

/* Opens everything that the loop needs. Returns 0 with *ret owned by the caller, or -errno with one line in error. */
int loop_open(const struct loop_input *input, struct loop **ret, char *error, size_t size);
void loop_close(struct loop *loop); /* takes NULL */

/* Runs the container to its end; the core has the outcome then. */
void loop_run(struct loop *loop);
const struct sv *loop_core(const struct loop *loop);

#endif
