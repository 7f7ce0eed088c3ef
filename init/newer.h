/* Whether a file was written since a moment: ready = file:PATH. Exact, though file systems stamp by a clock that stands
 * still between two ticks of the kernel (up to 10 ms), or, since Linux 6.13, by the exact one where somebody looked.
 *
 * The moment is taken from the exact clock before the fork, and the child does not exec before the coarse clock has
 * passed it, too. So every stamp from before is at or before the moment by either clock, and every one from after is
 * behind it. A file system whose clock is another machine's, or that was set since, is beyond this. */
#ifndef INIT_NEWER_H
#define INIT_NEWER_H

#include <stdbool.h>
#include <time.h>

/* The moment, before the fork. */
struct timespec newer_moment(void);

/* In the child, before its exec: at most a tick, nothing where that has passed already. */
void newer_wait(const struct timespec *moment);

/* Whether there is a file and it was written after the moment. May block where the file system does. Stamps of whole
 * seconds are compared by the second: there are file systems that know no others. */
bool newer_file(const char *path, const struct timespec *moment);

#endif
