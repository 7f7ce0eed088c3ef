/* The exit statuses that are brood's own; all others are computed by the core (supervisor/exit_status.c) or come from
 * a child (init/spawn.c). */
#ifndef INIT_STATUS_H
#define INIT_STATUS_H

#define STATUS_USAGE 100  /* wrong usage or config, nothing was started */
#define STATUS_SYSTEM 111 /* the system refused something that brood needs to begin */

#endif
