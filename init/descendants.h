/* Processes that are no workers: members left behind in a worker's group, and stragglers that left it.
 *
 * Reads /proc/PID/stat alone (cmdline and environ can hang on the target's lock) and lets supervisor/lineage.h choose.
 * The only sender of signals to processes that brood did not fork; each by a pidfd opened first and compared with the
 * start time after, so that no reused pid is ever hit. Sources: proc(5), pidfd_open(2), pidfd_send_signal(2). */
#ifndef INIT_DESCENDANTS_H
#define INIT_DESCENDANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct descendants; /* remembers who was signalled, and buffers that grow and are kept */

/* Opens /proc and looks no further: a command that leaves nobody behind never pays for more. Returns 0 with *ret owned
 * by the caller, or -errno (no memory, no descriptors). */
int descendants_open(struct descendants **ret);
void descendants_close(struct descendants *descendants); /* takes NULL */

/* False where /proc can't be used (not mounted, or another PID namespace's); why is a constant text. */
bool descendants_usable(struct descendants *descendants, const char **ret_why);

/* Sends signal, and CONT after it where it is not KILL, to every living descendant of this process that is in none of
 * `groups` (process groups of live slots; sorted here, so it is written to). A signal other than KILL reaches each
 * process once, however often this is called; KILL looks again until nobody new appears (at most 100 times).
 * Without a usable /proc: as PID 1 kill(-1) (only while groups is empty, else nothing), else nothing.
 * Returns how many processes were signalled (>= 0), or -errno. */
int descendants_signal(struct descendants *descendants, int signal, pid_t *groups, size_t groups_count);

/* A pidfd (close-on-exec) of one living member of group pgid: it becomes readable when that process ends. Returns
 * -ESRCH where nobody is left, another -errno where one can't tell (no /proc, no pidfds, no descriptors). */
int descendants_member(struct descendants *descendants, pid_t pgid);

/* Whether pid is ancestor or descends from it, as /proc has it now; false where one can't tell. */
bool descendants_below(struct descendants *descendants, pid_t pid, pid_t ancestor);

#endif
