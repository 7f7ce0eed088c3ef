/* See template.h. The segment of the context is a PT_LOAD of its own at the highest address of all, so that it may get
 * as long as it likes: the block goes to the end of the file and the program header says so. Source: elf(5). */
#include "wrap/template.h"

#include <assert.h>
#include <elf.h>
#include <stdbool.h>
#include <string.h>

extern const char embedded_shim[], embedded_shim_end[], embedded_library[], embedded_library_end[];
extern const char embedded_adapter[], embedded_adapter_end[];
extern const char embedded_preload_script[], embedded_preload_script_end[];

#define EMBEDDED(name)                                                                                                 \
    struct embedded template_##name(void) {                                                                            \
        return (struct embedded){embedded_##name, (size_t)(embedded_##name##_end - embedded_##name)};                  \
    }
EMBEDDED(shim)
EMBEDDED(library)
EMBEDDED(adapter)
EMBEDDED(preload_script)

/* Where the program header of the segment that begins as a context does stands in the file, and what it is. */
static size_t find_segment(const struct embedded *template, Elf64_Phdr *ret) {
    Elf64_Ehdr header;
    assert(template->size > sizeof header);
    memcpy(&header, template->bytes, sizeof header);
    assert(header.e_phoff + header.e_phnum * sizeof *ret <= template->size);
    for (size_t i = 0; i < header.e_phnum; i++) {
        size_t at = header.e_phoff + i * sizeof *ret;
        memcpy(ret, template->bytes + at, sizeof *ret);
        if (ret->p_type == PT_LOAD && ret->p_filesz >= sizeof(struct context) &&
            ret->p_offset + ret->p_filesz <= template->size &&
            memcmp(template->bytes + ret->p_offset, CONTEXT_MAGIC, strlen(CONTEXT_MAGIC)) == 0)
            return at;
    }
    assert(false); /* the Makefile's linker flags make it */
    return 0;
}

/* The kernel maps whole pages, of up to 64 KiB on arm64: the place in the file and the address must agree below
 * that. */
static size_t context_offset(const struct embedded *template, const Elf64_Phdr *segment) {
    return (template->size + segment->p_align - 1) / segment->p_align * segment->p_align;
}

size_t template_size(const struct embedded *template, const struct context *context) {
    Elf64_Phdr segment;
    find_segment(template, &segment);
    return context_offset(template, &segment) + context->size;
}

char *template_fill(struct pool *pool, const struct embedded *template, const struct context *context,
                    const char *key) {
    Elf64_Phdr segment;
    size_t at = find_segment(template, &segment), offset = context_offset(template, &segment);
    char *bytes = pool_take(pool, offset + context->size);
    if (!bytes)
        return NULL;
    assert(segment.p_vaddr % segment.p_align == 0);
    segment.p_offset = offset;
    segment.p_filesz = segment.p_memsz = context->size;
    memcpy(bytes, template->bytes, template->size);
    memcpy(bytes + at, &segment, sizeof segment);
    memcpy(bytes + offset, context, context->size);
    if (key) {
        bytes[SHIM_MARK_OFFSET] = SHIM_MARK;
        memcpy(bytes + SHIM_KEY_OFFSET, key, CONTEXT_KEY_BYTES);
    }
    return bytes;
}
