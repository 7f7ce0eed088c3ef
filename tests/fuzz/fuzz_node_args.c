/* Any bytes, cut at their NULs, as node's arguments: the index lies in the line or is 0, the word it names could be a
 * main module, what comes after it never changes the answer, and no byte past a word's NUL is read (each is a block of
 * its own for the sanitizer). */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/node_args.h"

enum { WORDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *argv[WORDS_MAX + 1] = {NULL};
    char program[] = "node";
    size_t argc = 1;
    argv[0] = program;
    for (size_t at = 0; at < size && argc < WORDS_MAX; argc++) {
        const uint8_t *end = memchr(data + at, '\0', size - at);
        size_t length = end == NULL ? size - at : (size_t)(end - (data + at));
        argv[argc] = malloc(length + 1);
        if (argv[argc] == NULL)
            abort();
        memcpy(argv[argc], data + at, length);
        argv[argc][length] = '\0';
        at += length + 1;
    }
    size_t index = node_args_main(argv, argc);
    assert(index < argc);
    assert(node_args_main(argv, 0) == 0 && node_args_main(argv, 1) == 0);
    if (index > 0) {
        const char *main = argv[index];
        assert(main[0] != '\0' && strcmp(main, "-") != 0 && strcmp(main, "inspect") != 0);
        assert(main[0] != '-' || strcmp(argv[index - 1], "--") == 0);
        assert(node_args_main(argv, index + 1) == index && node_args_main(argv, index) == 0);
    }
    for (size_t i = 1; i < argc; i++)
        free(argv[i]);
    return 0;
}
