/* See shims.h. All shims of a program are one file but for three numbers in the context: it is put together once. */
#include "wrap/shims.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "wrap/redirect.h"
#include "wrap/template.h"

/* The file of a program's shims, with the fields of its context in which they differ. */
struct shim_file {
    char *bytes;
    size_t size;
    struct context *context; /* in bytes */
};

static int write_shim(const struct shimdir *directory, const struct shim_file *file, uint32_t number, uint32_t layer,
                      const char *path) {
    file->context->file = number;
    file->context->layer = layer;
    return shimdir_write(directory, path + strlen(directory->path) + 1, file->bytes, file->size, true);
}

/* One for each layer that a wrapper may go on with; the last is the program itself. */
static int write_layers(const struct shimdir *directory, const struct shim_file *file, uint32_t number,
                        uint32_t layers) {
    char path[REDIRECT_ENTRY_BYTES];
    int r = 0;
    for (uint32_t layer = 0; layer <= layers && r == 0; layer++)
        r = redirect_entry(file->context, 0, number, layer, path) ? write_shim(directory, file, number, layer, path)
                                                                  : -ENAMETOOLONG;
    return r;
}

static int write_shims(struct pool *pool, const struct shimdir *directory, const struct set *set,
                       const struct context *context, const char *key) {
    const struct context_program *program = context_program_at(context, 0);
    struct embedded shim = template_shim();
    struct shim_file file = {.bytes = template_fill(pool, &shim, context, key), .size = context->file_bytes};
    char path[REDIRECT_ENTRY_BYTES + NAME_MAX];
    if (!file.bytes)
        return -ENOMEM;
    file.context = (struct context *)(void *)(file.bytes + file.size - context->size);
    snprintf(path, sizeof path, "%s/%s", set->names, context_string(context, program->name));
    int r = write_shim(directory, &file, CONTEXT_BY_NAME, 0, path);
    if (r == 0)
        r = write_layers(directory, &file, CONTEXT_TOLD, program->layers_count);
    for (uint32_t i = 0; i < context->files_count && r == 0; i++)
        r = write_layers(directory, &file, i, context_file_at(context, i)->layers_count);
    return r;
}

static int write_set(struct pool *pool, const struct shimdir *directory, const struct set *set, const char *key) {
    size_t skip = strlen(directory->path) + 1;
    int r = 0;
    for (uint32_t i = 0; i < set->context->programs_count && r == 0; i++)
        r = write_shims(pool, directory, set, set->shims[i], key);
    if (r == 0 && set->library) {
        struct embedded library = template_library();
        char *bytes = template_fill(pool, &library, set->context, NULL);
        r = bytes ? shimdir_write(directory, set->library + skip, bytes, template_size(&library, set->context), true)
                  : -ENOMEM;
    }
    for (size_t i = 0; i < set->stubs_count && r == 0; i++)
        r = shimdir_write(directory, set->stubs[i].path + skip, set->stubs[i].text, strlen(set->stubs[i].text), false);
    return r;
}

int shims_write(struct pool *pool, const struct shimdir *directory, const struct set *sets, size_t count,
                const char *key) {
    struct embedded adapter = template_adapter(), script = template_preload_script();
    int r = shimdir_write(directory, "adapter.cjs", adapter.bytes, adapter.size, false);
    if (r == 0)
        r = shimdir_write(directory, "preload.cjs", script.bytes, script.size, false);
    for (size_t i = 0; i < count && r == 0; i++)
        r = write_set(pool, directory, &sets[i], key);
    return r;
}
