/* See unshared.h. */
#include "init/unshared.h"

#include <stdlib.h>
#include <sys/mman.h>

#define SMALL (32 * 1024) /* bytes: eight pages */

void *unshared_alloc(size_t size) {
    if (size < SMALL)
        return calloc(1, size);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, size, MADV_DONTFORK); /* refused: only slower */
    return memory;
}

void unshared_free(void *memory, size_t size) {
    if (size < SMALL)
        free(memory);
    else if (memory)
        munmap(memory, size);
}
