/* read() until there is no more: a size from fstat() says nothing of pipes, of /proc or of a file that still grows.
 * What is longer than wanted is given up at once, so that /dev/zero is a fault and not the end of all memory. */
#include "init/whole.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int whole_read(int fd, size_t most, char **ret_bytes, size_t *ret_length) {
    size_t length = 0, capacity = 16384;
    char *bytes = malloc(capacity + 1);
    int r = bytes ? 0 : -ENOMEM;
    while (r == 0) {
        if (length == capacity) {
            char *larger = malloc(capacity * 2 + 1); /* realloc() would leave a copy behind */
            if (!larger) {
                r = -ENOMEM;
                break;
            }
            memcpy(larger, bytes, length);
            explicit_bzero(bytes, length);
            free(bytes);
            bytes = larger;
            capacity *= 2;
        }
        ssize_t got = read(fd, bytes + length, capacity - length);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            r = -errno;
        length += got > 0 ? (size_t)got : 0;
        if (length > most)
            r = -EFBIG;
    }
    if (r < 0) {
        if (bytes)
            explicit_bzero(bytes, length);
        free(bytes);
        return r;
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}
