/* Any bytes as a journal of reach = strict: what is taken has a directory that ends in a key, and paths that lead where
 * they say; what is refused names its line. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct journal_record record = {.count = SIZE_MAX};
    size_t line = SIZE_MAX, lines = 0;
    char *text = malloc(size + 1); /* exactly what journal.h asks for */
    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    int r = journal_parse(text, size, &record, &line);
    assert(r == 0 || r == -EBADMSG);
    if (r < 0) {
        assert(line >= 1 && line <= lines && record.count == SIZE_MAX);
        return 0;
    }
    assert(line == SIZE_MAX && record.count == (lines > 2 ? lines - 2 : 0));
    assert((record.directory != NULL) == (lines >= 2));
    if (record.directory != NULL)
        assert(journal_path_check(record.directory) == 0 && strlen(record.key) == CONTEXT_KEY_BYTES);
    for (size_t i = 0; i < record.count; i++)
        assert(journal_path_check(record.steps[i].path) == 0 && strstr(record.steps[i].path, "/../") == NULL);
    journal_forget(&record);
    return 0;
}
