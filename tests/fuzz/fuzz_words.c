/* Any bytes as a command line: no more bytes out than go in,
 * words that end where they say, the same twice. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || memchr(data, '\0', size) != NULL)
        return 0;
    size_t max = data[0]; /* also small ones, so that WORDS_E_MANY is seen */
    size_t length = size - 1;
    char *text = malloc(size);
    char *bytes = malloc(length + 1); /* exactly what words.h promises to be enough */
    char *again = malloc(length + 1);
    if (text == NULL || bytes == NULL || again == NULL)
        abort();
    memcpy(text, data + 1, length);
    size_t count = SIZE_MAX;
    size_t count_again = SIZE_MAX;
    int error = words_split(text, length, max, bytes, &count);
    assert(error >= 0 && error <= WORDS_E_MANY);
    assert(words_split(text, length, max, again, &count_again) == error);
    assert(count == count_again);
    assert(error == 0 ? count <= max : count == SIZE_MAX);
    size_t used = 0;
    for (size_t i = 0; error == 0 && i < count; i++) {
        const char *end = memchr(bytes + used, '\0', length + 1 - used);
        assert(end != NULL);
        assert(memcmp(bytes + used, again + used, (size_t)(end - bytes) + 1 - used) == 0);
        used = (size_t)(end - bytes) + 1;
    }
    assert(used <= length + 1);
    free(text);
    free(bytes);
    free(again);
    return 0;
}
