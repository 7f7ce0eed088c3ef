/* See block.h. Strings come first, so that their offsets are known when they are added; then the tables; a NUL ends it
 * all. */
#include "wrap/block.h"

#include <string.h>

uint32_t block_string(struct block *block, const char *text) {
    size_t length = strlen(text) + 1;
    block->full = block->full || length > CONTEXT_BYTES_MAX - block->strings_length;
    if (block->full)
        return 0;
    while (!block->pool->failed && block->strings_length + length > block->strings_capacity) {
        size_t count = block->strings_length > length ? block->strings_length : length;
        char *larger = pool_take(block->pool, 2 * count + 4096);
        if (!larger)
            return 0;
        if (block->strings_length > 0)
            memcpy(larger, block->strings, block->strings_length);
        block->strings = larger;
        block->strings_capacity = 2 * count + 4096;
    }
    if (block->pool->failed)
        return 0;
    size_t at = block->strings_length;
    memcpy(block->strings + at, text, length);
    block->strings_length += length;
    return (uint32_t)(sizeof(struct context) + at);
}

#define BLOCK_ROW(type, rows, name)                                                                                    \
    type *name(struct block *block) {                                                                                  \
        if (block->rows##_count == block->rows##_capacity) {                                                           \
            void *larger = pool_grow(block->pool, block->rows, sizeof *block->rows, block->rows##_count,               \
                                     &block->rows##_capacity);                                                         \
            if (!larger)                                                                                               \
                return NULL;                                                                                           \
            block->rows = larger;                                                                                      \
        }                                                                                                              \
        return &block->rows[block->rows##_count++];                                                                    \
    }
BLOCK_ROW(struct context_program, programs, block_program)
BLOCK_ROW(struct context_file, files, block_file)
BLOCK_ROW(struct context_layer, layers, block_layer)
#undef BLOCK_ROW

void block_word(struct block *block, const char *text) {
    if (block->words_count == block->words_capacity) {
        uint32_t *larger =
            pool_grow(block->pool, block->words, sizeof *larger, block->words_count, &block->words_capacity);
        if (!larger)
            return;
        block->words = larger;
    }
    block->words[block->words_count++] = block_string(block, text);
}

static uint32_t append(char *bytes, size_t *length, const void *rows, size_t count, size_t item) {
    uint32_t at = (uint32_t)*length;
    if (count > 0)
        memcpy(bytes + *length, rows, count * item);
    *length += count * item;
    return at;
}

struct context *block_finish(struct block *block, const struct context *header) {
    size_t tables = block->programs_count * sizeof *block->programs + block->files_count * sizeof *block->files +
                    block->layers_count * sizeof *block->layers + block->words_count * sizeof *block->words;
    size_t length = sizeof *header + (block->strings_length + 3) / 4 * 4;
    size_t size = length + tables + 4;
    if (block->pool->failed || block->full || size > CONTEXT_BYTES_MAX)
        return NULL;
    struct context *context = pool_take(block->pool, size);
    char *bytes = (char *)context;
    if (!context)
        return NULL;
    *context = *header;
    memcpy(context->magic, CONTEXT_MAGIC, sizeof context->magic);
    context->version = CONTEXT_VERSION;
    context->size = (uint32_t)size;
    if (block->strings_length > 0)
        memcpy(bytes + sizeof *context, block->strings, block->strings_length);
    context->programs = append(bytes, &length, block->programs, block->programs_count, sizeof *block->programs);
    context->files = append(bytes, &length, block->files, block->files_count, sizeof *block->files);
    context->layers = append(bytes, &length, block->layers, block->layers_count, sizeof *block->layers);
    context->words = append(bytes, &length, block->words, block->words_count, sizeof *block->words);
    context->programs_count = (uint32_t)block->programs_count;
    context->files_count = (uint32_t)block->files_count;
    context->layers_count = (uint32_t)block->layers_count;
    context->words_count = (uint32_t)block->words_count;
    return context;
}
