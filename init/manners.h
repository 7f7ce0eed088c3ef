/* How a COMMAND alone is treated where brood stands in for another small init (init/personality.h). All zero, as under
 * brood's own name, is brood's own way. Plain data that personality.c fills, and that others act upon: what the core
 * decides goes into its spec (personality_apply()), the rest is looked up here. */
#ifndef INIT_MANNERS_H
#define INIT_MANNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/limits.h"

#define REWRITE_DROP (-1)

struct manners {
    const char *name;             /* of the program that is stood in for; NULL: none */
    const char *text;             /* MODE_HELP, MODE_VERSION: what is printed; NULL: brood's own */
    bool text_on_stderr;          /* … and where */
    bool to_leader;               /* signals go to the command alone, not to its group */
    bool joined;                  /* the command stays in brood's own session and process group */
    bool leaves_directory;        /* brood goes to /, so that it keeps no mount busy; the command stays */
    bool suspends;                /* TSTP, TTIN and TTOU stop brood, too, when they have been forwarded */
    bool tells_reaped;            /* a warning for each orphan that is reaped */
    int parent_death;             /* the signal that brood gets when its parent ends; 0: none */
    int16_t rewrite[SIGNALS_END]; /* what is forwarded in place of a signal; 0: itself, REWRITE_DROP: nothing */
};

#endif
