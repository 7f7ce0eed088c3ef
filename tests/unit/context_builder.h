/* Contexts for tests: tables of a fixed size, then strings, in one struct; no allocation, no dependence on the writer
 * that brood uses, so that both can be wrong only one by one. */
#ifndef TESTS_CONTEXT_BUILDER_H
#define TESTS_CONTEXT_BUILDER_H

#include <assert.h>
#include <string.h>

#include "wrap/context.h"

#define BUILDER_ROWS 16
#define BUILDER_STRINGS 8192

struct context_builder {
    struct context header; /* the block begins here, aligned */
    struct context_program programs[BUILDER_ROWS];
    struct context_file files[BUILDER_ROWS];
    struct context_layer layers[BUILDER_ROWS];
    uint32_t words[BUILDER_ROWS];
    char strings[BUILDER_STRINGS];
};

static inline uint32_t builder_string(struct context_builder *builder, const char *text) {
    uint32_t offset = builder->header.size;
    size_t length = strlen(text) + 1;
    assert(offset + length <= sizeof *builder);
    memcpy((char *)builder + offset, text, length);
    builder->header.size = (uint32_t)(offset + length);
    return offset;
}

/* A good context without programs, which stands for the first one: it is one only once that has been added. */
static inline void builder_open(struct context_builder *builder, const char *names, const char *entries,
                                const char *library) {
    memset(builder, 0, sizeof *builder);
    struct context *header = &builder->header;
    memcpy(header->magic, CONTEXT_MAGIC, sizeof header->magic);
    header->version = CONTEXT_VERSION;
    header->size = offsetof(struct context_builder, strings);
    header->file = CONTEXT_BY_NAME;
    header->programs = offsetof(struct context_builder, programs);
    header->files = offsetof(struct context_builder, files);
    header->layers = offsetof(struct context_builder, layers);
    header->words = offsetof(struct context_builder, words);
    header->key = builder_string(builder, "Ab3dE6");
    header->key_variable = builder_string(builder, "SPAWN_WRAP_KEY=Ab3dE6");
    header->item = builder_string(builder, "Ab3dE6.0.");
    header->names = builder_string(builder, names);
    header->entries = builder_string(builder, entries);
    header->library = library == NULL ? 0 : builder_string(builder, library);
}

/* Returns its index. */
static inline uint32_t builder_program(struct context_builder *builder, const char *name, uint32_t flags) {
    uint32_t index = builder->header.programs_count++;
    char variable[256] = VARIABLE_PROGRAM "=";
    assert(index < BUILDER_ROWS && strlen(variable) + strlen(name) < sizeof variable);
    strncat(variable, name, sizeof variable - strlen(variable) - 1);
    builder->programs[index] = (struct context_program){.number = index,
                                                        .name = builder_string(builder, name),
                                                        .flags = flags,
                                                        .variable = builder_string(builder, variable)};
    return index;
}

static inline uint32_t builder_file(struct context_builder *builder, uint32_t program, const char *path,
                                    uint32_t flags) {
    uint32_t index = builder->header.files_count++;
    assert(index < BUILDER_ROWS);
    uint32_t string = builder_string(builder, path);
    builder->files[index] =
        (struct context_file){.number = index, .program = program, .path = string, .executed = string, .flags = flags};
    return index;
}

/* One of a single word, around every file. */
static inline uint32_t builder_layer(struct context_builder *builder, uint32_t kind, const char *executable,
                                     const char *word) {
    uint32_t index = builder->header.layers_count++;
    uint32_t words = builder->header.words_count++;
    assert(index < BUILDER_ROWS && words < BUILDER_ROWS);
    builder->words[words] = builder_string(builder, word);
    builder->layers[index] = (struct context_layer){.kind = kind,
                                                    .executable = builder_string(builder, executable),
                                                    .words = words,
                                                    .words_count = 1,
                                                    .data = builder_string(builder, VARIABLE_DATA "={}"),
                                                    .wrapper = builder_string(builder, executable)};
    return index;
}

#endif
