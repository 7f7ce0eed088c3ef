/* One action of the core to one call. perform() never decides: what fails goes back into the inbox as an event. */
#ifndef INIT_PERFORM_H
#define INIT_PERFORM_H

#include "init/children.h"
#include "init/environment.h"
#include "init/inherited.h"
#include "init/manager.h"
#include "init/output.h"
#include "init/privileges.h"
#include "init/probes.h"
#include "init/sockets.h"
#include "init/terminal.h"
#include "supervisor/action.h"
#include "wrap/wrap.h"

/* Everything is the caller's and outlives the calls. */
struct performer {
    const struct spec *spec;
    const struct inherited *inherited;
    const struct sandbox *sandbox; /* for the command of --sandbox; NULL: none */
    const struct readiness *readiness;
    struct manager *manager;
    struct probes *probes;
    struct environment *environment;
    struct sockets *sockets; /* NULL: nobody shares any */
    struct wrap *wraps;      /* NULL: nothing is wrapped */
    struct privileges_plan *privileges;
    struct terminal *terminal; /* the command's */
    struct descendants *descendants;
    struct children *children;
    struct inbox *inbox;
    struct output *output; /* NULL: no worker's output is framed */
    int epoll;
    int null;  /* /dev/null, close-on-exec; -1: a command alone needs none */
    bool said; /* by perform_say_missing() */
};

/* One line, once, where /proc can't be used. */
void perform_say_missing(struct performer *performer);

/* Whether slot is that of the COMMAND. */
static inline bool spec_is_command(const struct spec *spec, struct slot slot) {
    return slot.kind == SLOT_WORKER && spec->command_group >= 0 &&
           slot.index == spec->groups[spec->command_group].first_worker;
}

void perform(struct performer *performer, const struct action *action);

#endif
