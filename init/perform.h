/* One action of the core to one call. perform() never decides: what fails goes back into the inbox as an event. */
#ifndef INIT_PERFORM_H
#define INIT_PERFORM_H

#include "init/children.h"
#include "init/environment.h"
#include "init/inherited.h"
#include "supervisor/action.h"
#include "wrap/wrap.h"

/* Everything is the caller's and outlives the calls. */
struct performer {
    const struct spec *spec;
    const struct inherited *inherited;
    const struct sandbox *sandbox; /* for the command of --sandbox; NULL: none */
    const struct readiness *readiness;
    struct environment *environment;
    struct wrap *wraps; /* NULL: nothing is wrapped */
    struct descendants *descendants;
    struct children *children;
    struct inbox *inbox;
    int epoll;
    int null; /* /dev/null, close-on-exec */
};

void perform(struct performer *performer, const struct action *action);

#endif
