/* The last resort for a descriptor that can be written only by waiting: a thread that does nothing else, behind a
 * socket of brood's own.
 *
 * Needed where standard output or error is a pipe or terminal of another user, which can't be opened again (sudo and
 * su leave that behind), or where there is no /proc to open it by. RWF_NOWAIT would do for pipes, and on new kernels
 * alone; poll() says that there is room, but whoever shares the descriptor may take it before brood does.
 *
 * A thread and not a process: nobody can kill it or has to reap it, it is no straggler, and it ends with brood. */
#ifndef INIT_WRITER_H
#define INIT_WRITER_H

#include <stdbool.h>

#define WRITER_PIECE_BYTES ((size_t)16384) /* the most that may be sent at once */
#define WRITER_LAST_MS 1000                /* how long writer_finish() waits for somebody to take what is left */

/* From now on what is sent to *ret_end, a socket of the caller's, is written to fd, which must stay open: each piece by
 * one write() as long as that takes all. EPIPE or ECONNRESET there: a write failed, and what was not written by then is
 * lost. Some 200 KiB may wait. All signals should be blocked. Returns 0, or -errno (-EAGAIN, -EMFILE). */
int writer_start(int fd, int *ret_end);

/* Closes *end, and waits until all is written: false where somebody takes nothing. Keeps errno. */
bool writer_finish(int *end);

#endif
