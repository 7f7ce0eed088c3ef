/* What compilers call where they copy and clear structs, even freestanding: the preload library has its own, hidden, so
 * that it needs none of the process's. Plain loops: what goes through here has some hundred bytes. */
#include <stddef.h>

__attribute__((visibility("hidden"))) void *memcpy(void *restrict to, const void *restrict from, size_t size);
__attribute__((visibility("hidden"))) void *memset(void *to, int byte, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    char *target = to;
    const char *source = from;
    for (size_t i = 0; i < size; i++)
        target[i] = source[i];
    return to;
}

void *memset(void *to, int byte, size_t size) {
    char *target = to;
    for (size_t i = 0; i < size; i++)
        target[i] = (char)byte;
    return to;
}
