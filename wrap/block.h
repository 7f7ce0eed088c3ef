/* Writes a context (context.h): strings and table rows are added in any order, then everything is put together. */
#ifndef WRAP_BLOCK_H
#define WRAP_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "wrap/context.h"
#include "wrap/pool.h"

struct block {
    struct pool *pool; /* everything lives there; its failure is the block's */
    char *strings;
    size_t strings_length, strings_capacity;
    struct context_program *programs;
    size_t programs_count, programs_capacity;
    struct context_file *files;
    size_t files_count, files_capacity;
    struct context_layer *layers;
    size_t layers_count, layers_capacity;
    uint32_t *words;
    size_t words_count, words_capacity;
    bool full; /* longer than CONTEXT_BYTES_MAX: nothing more is taken */
};

/* The offset of a copy of text; 0 where there is no memory, or where the block is full. */
uint32_t block_string(struct block *block, const char *text);

/* Each appends a row and returns it, to be filled before the next one is added; NULL: no memory. */
struct context_program *block_program(struct block *block);
struct context_file *block_file(struct block *block);
struct context_layer *block_layer(struct block *block);
/* Appends a word. */
void block_word(struct block *block, const char *text);

/* Puts everything behind `header`, of which the tables, the size and what marks a context are filled in. Returns the
 * bytes, in the pool, or NULL where there is no memory (pool->failed) or it gets longer than CONTEXT_BYTES_MAX. */
struct context *block_finish(struct block *block, const struct context *header);

#endif
