/* Whether a block of bytes is a context: freestanding, since the shim and the preload library ask it of themselves. */
#include "wrap/context.h"

#include "wrap/text.h"

static bool table_fits(const struct context *context, uint32_t offset, uint32_t count, size_t item) {
    return offset % sizeof(uint32_t) == 0 && offset >= sizeof *context && offset <= context->size &&
           count <= (context->size - offset) / item;
}

static bool is_string(const struct context *context, uint32_t offset) {
    return offset < context->size; /* the last byte of all is a NUL */
}

static bool layers_fit(const struct context *context, uint32_t first, uint32_t count) {
    return count <= CONTEXT_LAYERS_MAX && first <= context->layers_count && count <= context->layers_count - first;
}

static bool header_fits(const struct context *context, size_t size) {
    return text_same_bytes(context->magic, CONTEXT_MAGIC, sizeof context->magic) &&
           context->version == CONTEXT_VERSION && context->size <= size && context->size > sizeof *context &&
           context->size <= CONTEXT_BYTES_MAX && *context_string(context, context->size - 1) == '\0' &&
           table_fits(context, context->programs, context->programs_count, sizeof(struct context_program)) &&
           table_fits(context, context->files, context->files_count, sizeof(struct context_file)) &&
           table_fits(context, context->layers, context->layers_count, sizeof(struct context_layer)) &&
           table_fits(context, context->words, context->words_count, sizeof(uint32_t));
}

static bool strings_fit(const struct context *context) {
    return is_string(context, context->key) && is_string(context, context->key_variable) &&
           is_string(context, context->item) && is_string(context, context->names) &&
           is_string(context, context->entries) && is_string(context, context->library) &&
           text_length(context_string(context, context->key)) == CONTEXT_KEY_BYTES;
}

/* Without a program there is nothing to select: that is a library's, which only shares ports. */
static bool selection_fits(const struct context *context) {
    if (context->programs_count == 0)
        return context->program == 0 && context->file == CONTEXT_BY_NAME && context->layer == 0;
    return context->program < context->programs_count && context->layer <= CONTEXT_LAYERS_MAX &&
           (context->file >= CONTEXT_TOLD || (context->file < context->files_count &&
                                              context_file_at(context, context->file)->program == context->program));
}

static bool programs_fit(const struct context *context) {
    for (uint32_t i = 0; i < context->programs_count; i++) {
        const struct context_program *program = context_program_at(context, i);
        if (!is_string(context, program->name) || !is_string(context, program->variable) ||
            !layers_fit(context, program->layers, program->layers_count))
            return false;
    }
    return true;
}

static bool files_fit(const struct context *context) {
    for (uint32_t i = 0; i < context->files_count; i++) {
        const struct context_file *file = context_file_at(context, i);
        if (file->program >= context->programs_count || !is_string(context, file->path) ||
            !is_string(context, file->executed) || !layers_fit(context, file->layers, file->layers_count))
            return false;
    }
    return true;
}

static bool layers_are_good(const struct context *context) {
    for (uint32_t i = 0; i < context->layers_count; i++) {
        const struct context_layer *layer = context_layer_at(context, i);
        bool module = layer->kind == LAYER_MODULE_APART || layer->kind == LAYER_MODULE_SAME;
        if ((layer->kind != LAYER_EXECUTABLE && !module) || (module && layer->words_count != 1) ||
            layer->words_count > CONTEXT_WORDS_MAX || layer->words > context->words_count ||
            layer->words_count > context->words_count - layer->words || !is_string(context, layer->executable) ||
            !is_string(context, layer->data) || !is_string(context, layer->wrapper))
            return false;
    }
    return true;
}

static bool words_fit(const struct context *context) {
    const void *table = (const char *)context + context->words;
    for (uint32_t i = 0; i < context->words_count; i++)
        if (!is_string(context, ((const uint32_t *)table)[i]))
            return false;
    return true;
}

bool context_check(const void *bytes, size_t size) {
    const struct context *context = bytes;
    return size >= sizeof *context && (uintptr_t)bytes % sizeof(uint32_t) == 0 && header_fits(context, size) &&
           strings_fit(context) && selection_fits(context) && programs_fit(context) && files_fit(context) &&
           layers_are_good(context) && words_fit(context);
}
