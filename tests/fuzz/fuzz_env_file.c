/* Any bytes as an env_file: names are names, values end where they say, all inside of the bytes that were given, and
 * the first pass over a copy finds what the second one does. What is taken can be set and comes back as it is. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/env_lines.h"
#include "wrap/environ.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *copy_of(const uint8_t *data, size_t size) {
    char *bytes = malloc(size + 1); /* exactly what env_lines.h asks for */
    if (bytes == NULL)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    return bytes;
}

static void check_variable(const struct env_lines *lines, const char *bytes, const char *name, const char *value) {
    assert(name >= bytes && value > name && value + strlen(value) <= lines->end);
    assert(name + strlen(name) < value);
    assert(environ_name_valid(name));
    assert(strpbrk(value, "\n") == NULL);
    assert(strlen(name) + 1 + strlen(value) <= ENVIRON_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *bytes = copy_of(data, size), *again = copy_of(data, size), *name, *value, *other_name, *other_value;
    char *const nothing[] = {NULL};
    const char *fault, *other_fault;
    struct env_lines lines = {.next = bytes, .end = bytes + size}, other = {.next = again, .end = again + size};
    struct environ_block *block;
    if (environ_open(nothing, &block) < 0)
        abort();
    uint32_t line = 0;
    for (;;) {
        enum env_line kind = env_lines_next(&lines, &name, &value, &fault);
        assert(env_lines_next(&other, &other_name, &other_value, &other_fault) == kind);
        if (kind == ENV_LINE_END)
            break;
        assert(lines.line > line && lines.line == other.line);
        line = lines.line;
        if (kind == ENV_LINE_FAULT) {
            assert(fault[0] != '\0' && fault == other_fault);
            continue;
        }
        check_variable(&lines, bytes, name, value);
        assert(strcmp(name, other_name) == 0 && strcmp(value, other_value) == 0);
        if (environ_set(block, name, value) < 0)
            abort();
        assert(strcmp(environ_get(block, name), value) == 0);
    }
    assert(lines.next == lines.end);
    assert(environ_count(block) <= line);
    environ_close(block);
    free(bytes);
    free(again);
    return 0;
}
