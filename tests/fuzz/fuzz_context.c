/* Any bytes as a context, or a good one with any of its numbers changed: where context_check() says yes, everything
 * that can be reached by the accessors lies inside, and every string ends there. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/unit/context_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t total; /* of what is read, so that nothing is left out by the compiler */

static void walk_string(const struct context *context, uint32_t offset) {
    const char *text = context_string(context, offset);
    const char *end = (const char *)context + context->size;
    assert(text >= (const char *)context && text < end);
    assert(memchr(text, '\0', (size_t)(end - text)) != NULL);
    total += strlen(text);
}

/* A row of a table is read whole. */
static void walk_row(const struct context *context, const void *row, size_t size) {
    const char *begin = row, *first = (const char *)context;
    assert(begin >= first + sizeof *context && begin + size <= first + context->size);
    assert((uintptr_t)begin % sizeof(uint32_t) == 0);
}

static void walk_layers(const struct context *context, uint32_t first, uint32_t count) {
    assert(count <= CONTEXT_LAYERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct context_layer *layer = context_layer_at(context, first + i);
        walk_row(context, layer, sizeof *layer);
        assert(layer->kind >= LAYER_EXECUTABLE && layer->kind <= LAYER_MODULE_SAME);
        walk_string(context, layer->executable);
        walk_string(context, layer->data);
        walk_string(context, layer->wrapper);
        assert(layer->words_count <= CONTEXT_WORDS_MAX && (layer->kind == LAYER_EXECUTABLE || layer->words_count == 1));
        for (uint32_t word = 0; word < layer->words_count; word++) {
            const char *text = context_word(context, layer->words + word);
            walk_string(context, (uint32_t)(text - (const char *)context));
        }
    }
}

static void walk(const struct context *context, size_t size) {
    const uint32_t strings[] = {context->key,   context->key_variable, context->item,
                                context->names, context->entries,      context->library};
    assert(context->size <= size && context->size <= CONTEXT_BYTES_MAX);
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        walk_string(context, strings[i]);
    assert(strlen(context_string(context, context->key)) == CONTEXT_KEY_BYTES);
    assert(context->program < context->programs_count || (context->program == 0 && context->file == CONTEXT_BY_NAME));
    assert(context->layer <= CONTEXT_LAYERS_MAX);
    for (uint32_t i = 0; i < context->programs_count; i++) {
        const struct context_program *program = context_program_at(context, i);
        walk_row(context, program, sizeof *program);
        walk_string(context, program->name);
        walk_string(context, program->variable);
        walk_layers(context, program->layers, program->layers_count);
    }
    for (uint32_t i = 0; i < context->files_count; i++) {
        const struct context_file *file = context_file_at(context, i);
        walk_row(context, file, sizeof *file);
        assert(file->program < context->programs_count);
        walk_string(context, file->path);
        walk_string(context, file->executed);
        walk_layers(context, file->layers, file->layers_count);
    }
    if (context->file < CONTEXT_TOLD) {
        assert(context->file < context->files_count);
        assert(context_file_at(context, context->file)->program == context->program);
    }
}

/* Edits: two bytes of offset, four of value, over and over; the last bytes say how much of it there is. */
static size_t edited(struct context_builder *builder, const uint8_t *data, size_t size) {
    builder_open(builder, "/s/names", "/s/entries", "/s/preload.so");
    builder_program(builder, "node", PROGRAM_IS_NAME);
    builder_program(builder, "git", 0);
    builder_file(builder, 0, "/usr/bin/node", 0);
    builder_layer(builder, LAYER_MODULE_SAME, "/usr/bin/node", "/s/stub.js");
    builder_layer(builder, LAYER_EXECUTABLE, "/w", "/w");
    builder->files[0].layers_count = 2;
    for (; size >= 6; data += 6, size -= 6) {
        size_t offset = (size_t)(data[0] | data[1] << 8) % (sizeof *builder - 3);
        memcpy((char *)builder + offset, data + 2, 4);
    }
    return size >= 2 ? (size_t)(data[0] | data[1] << 8) % (sizeof *builder + 1) : sizeof *builder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct context_builder builder;
    if (size == 0)
        return 0;
    size_t length = size - 1;
    const void *from = data + 1;
    if (data[0] == 'e') {
        length = edited(&builder, data + 1, size - 1);
        from = &builder;
    }
    void *exact = malloc(length == 0 ? 1 : length); /* so that the address sanitizer sees a byte too many */
    if (exact == NULL)
        abort();
    memcpy(exact, from, length);
    bool good = context_check(exact, length);
    assert(good || data[0] != 'e' || size > 1); /* without an edit it is */
    if (good)
        walk(exact, length);
    free(exact);
    return 0;
}
