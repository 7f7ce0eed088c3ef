/* A file from here to its end, in memory: configs and what they name. The only reader of a file of unknown size. */
#ifndef INIT_WHOLE_H
#define INIT_WHOLE_H

#include <stddef.h>

/* Reads fd to its end. Returns 0 with *ret_bytes, the caller's to free(), and one byte more behind them to write to; or
 * -errno (-EFBIG: longer than `most` bytes), with both untouched. */
int whole_read(int fd, size_t most, char **ret_bytes, size_t *ret_length);

#endif
