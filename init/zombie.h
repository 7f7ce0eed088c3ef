/* How a process ended that is somebody else's child and not reaped yet: /proc/PID/stat keeps its wait status to the
 * end. For the main process of a worker whose leader lives on. Sources: proc(5), field 52; wait(2). */
#ifndef INIT_ZOMBIE_H
#define INIT_ZOMBIE_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervisor/event.h"

/* pidfd is of pid, and keeps a reused number from being taken for it. False, with *ret untouched, where it is reaped,
 * still runs, or /proc doesn't tell. */
bool zombie_ending(pid_t pid, int pidfd, struct ending *ret);

#endif
