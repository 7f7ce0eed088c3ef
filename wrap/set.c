/* See set.h. The layers around a program stand in the order executable wrappers, modules in processes of their own,
 * modules in the program's own process: the config reader and wrap_check() have refused every other one. The last kind
 * makes one layer together, since one process runs them all. */
#include "wrap/set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/block.h"
#include "wrap/interpreter.h"
#include "wrap/text.h"

struct builder {
    const struct set_input *input;
    struct set *set;
    struct block block;
    struct { /* the layers that were added last: most programs and files have the same ones */
        uint32_t program, sections, first, count;
        bool module; /* one of them is for this program alone */
    } last;
};

/* --- stubs -------------------------------------------------------------------------------------------------------- */

/* A JSON string, which is one of JavaScript's too. */
static void print_string(FILE *out, const char *text) {
    putc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(out, "\\u%04x", byte);
        else
            putc(byte, out);
    }
    putc('"', out);
}

static void print_member(FILE *out, const char *name, const char *text) {
    fprintf(out, "\"%s\":", name);
    if (text)
        print_string(out, text);
    else
        fputs("null", out);
    putc(',', out);
}

/* process.execPath of a program that reach = strict has given another name. */
static void print_files(const struct builder *builder, FILE *out, uint32_t program) {
    const struct programs *programs = builder->input->programs;
    const char *separator = "";
    fputs("\"files\":[", out);
    for (size_t i = 0; i < programs->files_count; i++) {
        const struct program_file *file = &programs->files[i];
        if (file->program != program || strcmp(file->executed, file->path) == 0)
            continue;
        fprintf(out, "%s{\"executed\":", separator);
        print_string(out, file->executed);
        fputs(",\"path\":", out);
        print_string(out, file->real);
        putc('}', out);
        separator = ",";
    }
    putc(']', out);
}

static const char *first_file(const struct programs *programs, uint32_t program) {
    for (size_t i = 0; i < programs->files_count; i++)
        if (programs->files[i].program == program)
            return programs->files[i].real;
    return programs->items[program].name;
}

/* What adapter.cjs is called with. */
static void print_config(const struct builder *builder, FILE *out, uint32_t program, uint32_t sections, bool same) {
    const struct set_input *input = builder->input;
    const struct program *item = &input->programs->items[program];
    char *shim = pool_format(input->pool, "%s/%s", builder->set->names, item->name);
    char *script = pool_format(input->pool, "%s/preload.cjs", input->directory);
    fputs("{", out);
    print_member(out, "mode", same ? "same" : "sub");
    print_member(out, "key", input->key);
    print_member(out, "shimDir", builder->set->names);
    print_member(out, "shimExecutable", shim);
    print_member(out, "preloadScript", script);
    print_member(out, "execPath", same && (item->by_file & builder->set->sections) == 0 ? shim : NULL);
    fputs("\"root\":{", out);
    print_member(out, "execPath", first_file(input->programs, program));
    fprintf(out, "\"pid\":%d},\"wraps\":[", input->pid);
    const char *separator = "";
    for (uint32_t i = 0; i < input->wrap->sections_count; i++) {
        const struct wrap_section *section = &input->wrap->sections[i];
        if ((sections & 1u << i) == 0)
            continue;
        fprintf(out, "%s{", separator);
        print_member(out, "wrapper", section->wrapper);
        fprintf(out, "\"data\":%s}", section->data ? section->data : "{}");
        separator = ",";
    }
    fputs("],", out);
    print_files(builder, out, program);
    fputs("}", out);
}

/* Ends a stream in memory. Whether all that was printed is there; a buffer is the caller's to free() in any case. */
static bool close_stream(FILE *out) {
    bool failed = ferror(out) != 0;
    return fclose(out) == 0 && !failed;
}

/* The stub's text, the caller's to free(), or NULL. */
static char *stub_text(const struct builder *builder, uint32_t program, uint32_t sections, bool same) {
    char *config = NULL, *text = NULL;
    char *adapter = pool_format(builder->input->pool, "%s/adapter.cjs", builder->input->directory);
    size_t size;
    FILE *out = open_memstream(&config, &size);
    if (!out)
        return NULL;
    print_config(builder, out, program, sections, same);
    if (close_stream(out) && adapter && (out = open_memstream(&text, &size)) != NULL) {
        fputs("require(", out);
        print_string(out, adapter);
        fputs(")(JSON.parse(", out);
        print_string(out, config);
        fputs("));\n", out);
        if (!close_stream(out)) {
            free(text);
            text = NULL;
        }
    }
    free(config);
    return text;
}

/* The path of a stub with this content; the same for the same. NULL: no memory. */
static const char *stub_path(struct builder *builder, uint32_t program, uint32_t sections, bool same) {
    struct set *set = builder->set;
    struct pool *pool = builder->input->pool;
    char *made = stub_text(builder, program, sections, same);
    char *text = made ? pool_format(pool, "%s", made) : NULL;
    free(made);
    pool->failed = pool->failed || !text;
    for (size_t i = 0; text && i < set->stubs_count; i++)
        if (strcmp(set->stubs[i].text, text) == 0)
            return set->stubs[i].path;
    if (set->stubs_count == set->stubs_capacity) {
        void *larger = pool_grow(pool, set->stubs, sizeof *set->stubs, set->stubs_count, &set->stubs_capacity);
        if (!larger)
            return NULL;
        set->stubs = larger;
    }
    if (pool->failed)
        return NULL;
    const char *path = pool_format(pool, "%s/stub-%zu.cjs", set->directory, set->stubs_count);
    set->stubs[set->stubs_count++] = (struct stub){.path = path, .text = text};
    return path;
}

/* --- layers ------------------------------------------------------------------------------------------------------- */

static void add_layer(struct builder *builder, enum context_layer_kind kind, const struct wrap_section *section,
                      const struct interpreter *with) {
    struct block *block = &builder->block;
    char *data = pool_format(builder->input->pool, "%s=%s", VARIABLE_DATA, section->data ? section->data : "{}");
    struct context_layer layer = {.kind = kind,
                                  .words = (uint32_t)block->words_count,
                                  .words_count = with->words_count,
                                  .sanitized = with->sanitized};
    if (!data)
        return;
    layer.executable = block_string(block, with->executable);
    layer.data = block_string(block, data);
    layer.wrapper = block_string(block, section->wrapper);
    for (uint32_t i = 0; i < with->words_count; i++)
        block_word(block, with->words[i]);
    struct context_layer *row = block_layer(block);
    if (row)
        *row = layer;
}

static void add_executable(struct builder *builder, const struct wrap_section *section) {
    struct interpreter interpreter;
    interpreter_of(builder->input->pool, builder->input->wrap->search, builder->input->programs, section->wrapper,
                   &interpreter);
    add_layer(builder, LAYER_EXECUTABLE, section, &interpreter);
}

static void add_module(struct builder *builder, uint32_t program, uint32_t sections, uint32_t first, bool same) {
    const char *path = stub_path(builder, program, sections, same);
    const struct interpreter stub = {.executable = "", .words = {path}, .words_count = 1};
    if (path)
        add_layer(builder, same ? LAYER_MODULE_SAME : LAYER_MODULE_APART, &builder->input->wrap->sections[first],
                  &stub);
}

/* Adds the layers of these sections, unless they are there; says where they begin and how many they are. */
static void add_layers(struct builder *builder, uint32_t program, uint32_t sections, uint32_t *ret_first,
                       uint32_t *ret_count) {
    const struct wrap_input *wrap = builder->input->wrap;
    bool known = sections == builder->last.sections && (!builder->last.module || program == builder->last.program);
    *ret_first = builder->last.first;
    *ret_count = builder->last.count;
    if (known)
        return;
    builder->last.module = false;
    uint32_t begin = (uint32_t)builder->block.layers_count, same = 0;
    for (uint32_t i = 0; i < wrap->sections_count; i++) {
        if ((sections & 1u << i) == 0)
            continue;
        builder->last.module = builder->last.module || wrap_is_module(wrap->sections[i].wrapper);
        if (!wrap_is_module(wrap->sections[i].wrapper))
            add_executable(builder, &wrap->sections[i]);
        else if (!wrap->sections[i].same_process)
            add_module(builder, program, 1u << i, i, false);
        else
            same |= 1u << i;
    }
    if (same != 0)
        add_module(builder, program, same, (uint32_t)__builtin_ctz(same), true);
    builder->last.program = program;
    builder->last.sections = sections;
    *ret_first = builder->last.first = begin;
    *ret_count = builder->last.count = (uint32_t)builder->block.layers_count - begin;
}

/* --- programs ----------------------------------------------------------------------------------------------------- */

static void add_program(struct builder *builder, uint32_t number) {
    const struct programs *programs = builder->input->programs;
    const struct program *program = &programs->items[number];
    uint32_t sections = builder->set->sections, row = (uint32_t)builder->block.programs_count;
    struct context_program item = {.number = number};
    char *variable = pool_format(builder->input->pool, "%s=%s", VARIABLE_PROGRAM, program->name);
    item.flags = ((program->by_name & sections) != 0 ? PROGRAM_IS_NAME : 0u) |
                 ((program->by_file & sections) != 0 ? PROGRAM_BY_FILE : 0u);
    item.name = block_string(&builder->block, program->name);
    item.variable = block_string(&builder->block, variable ? variable : "");
    add_layers(builder, number, program->by_name & sections, &item.layers, &item.layers_count);
    struct context_program *new = block_program(&builder->block);
    if (new)
        *new = item;
    for (size_t i = 0; i < programs->files_count; i++) {
        const struct program_file *file = &programs->files[i];
        struct context_file entry = {.number = (uint32_t)i, .program = row, .flags = file->flags};
        if (file->program != number || (file->sections & sections) == 0)
            continue;
        entry.path = block_string(&builder->block, file->path);
        entry.executed =
            strcmp(file->path, file->executed) == 0 ? entry.path : block_string(&builder->block, file->executed);
        add_layers(builder, number, file->sections & sections, &entry.layers, &entry.layers_count);
        struct context_file *added = block_file(&builder->block);
        if (added)
            *added = entry;
    }
}

static bool reaches_files(const struct wrap_input *wrap, uint32_t sections) {
    for (uint32_t i = 0; i < wrap->sections_count; i++)
        if ((sections & 1u << i) != 0 && wrap->sections[i].by_file)
            return true;
    return false;
}

static bool is_in_set(const struct set *set, const struct program *program) {
    return ((program->by_name | program->by_path) & set->sections) != 0;
}

/* A context with the programs from `first` to before `end` that are in the set. Returns 0, -ENOMEM or -E2BIG. */
static int build_context(const struct set_input *input, struct set *set, const char *item, size_t first, size_t end,
                         struct context **ret) {
    struct builder builder = {.input = input, .set = set, .block = {.pool = input->pool}};
    struct block *block = &builder.block;
    char *key = pool_format(input->pool, "%s=%s", VARIABLE_KEY, input->key);
    if (input->pool->failed)
        return -ENOMEM;
    struct context header = {.file = CONTEXT_BY_NAME,
                             .key = block_string(block, input->key),
                             .key_variable = block_string(block, key),
                             .item = block_string(block, item),
                             .names = set->names ? block_string(block, set->names) : 0,
                             .entries = block_string(block, set->entries),
                             .library = set->library ? block_string(block, set->library) : 0,
                             .flags = set->shares_ports ? CONTEXT_SHARES_PORTS : 0};
    for (size_t i = first; i < end && !block->full; i++)
        if (is_in_set(set, &input->programs->items[i]))
            add_program(&builder, (uint32_t)i);
    struct context *context = block_finish(block, &header);
    if (!context)
        return input->pool->failed ? -ENOMEM : -E2BIG;
    *ret = context;
    return 0;
}

int set_build(const struct set_input *input, uint32_t number, struct set *ret) {
    struct pool *pool = input->pool;
    const struct programs *programs = input->programs;
    *ret = (struct set){.sections = ret->sections, .shares_ports = ret->shares_ports};
    ret->directory = pool_format(pool, "%s/%u", input->directory, number);
    ret->names = ret->sections ? pool_format(pool, "%s/%u/bin", input->directory, number) : NULL;
    ret->entries = pool_format(pool, "%s/%u/main", input->directory, number);
    ret->library = ret->shares_ports || reaches_files(input->wrap, ret->sections)
                       ? pool_format(pool, "%s/%u/preload.so", input->directory, number)
                       : NULL;
    ret->shims = pool_take(pool, (programs->count + 1) * sizeof(void *));
    char *item = pool_format(pool, "%s.%u.", input->key, number);
    if (pool->failed)
        return -ENOMEM;
    int r = build_context(input, ret, item, 0, programs->count, &ret->context);
    size_t count = 0;
    for (size_t i = 0; i < programs->count && r == 0; i++)
        if (is_in_set(ret, &programs->items[i]))
            r = build_context(input, ret, item, i, i + 1, &ret->shims[count++]);
    return r;
}
