/* Makes a shim directory for tests of the preload library alone: fake shims that only report, and the library with a
 * context in it.
 *
 *     preload_set LIBRARY DIRECTORY SHIM [NAME=FILE | NAME]...
 *
 * LIBRARY is make's, without a context. NAME=FILE: a program by that name with this file; NAME: one that isn't there.
 * Of several arguments with the same NAME each adds a file. DIRECTORY gets names/, entries/ and preload.so. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/context_builder.h"
#include "wrap/redirect.h"

#define PAGE 4096

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static void make_directory(const char *path) {
    if (mkdir(path, 0755) < 0 && access(path, X_OK) < 0)
        fail(path);
}

static void make_entry(const char *directory, uint32_t number, const char *name, const char *shim) {
    char path[REDIRECT_ENTRY_BYTES];
    snprintf(path, sizeof path, "%s/entries/%u", directory, number);
    make_directory(path);
    snprintf(path, sizeof path, "%s/entries/%u/0", directory, number);
    make_directory(path);
    snprintf(path, sizeof path, "%s/entries/%u/0/%s", directory, number, name);
    if (link(shim, path) < 0)
        fail(path);
}

static void add(struct context_builder *builder, const char *directory, const char *shim, char *argument) {
    char path[REDIRECT_ENTRY_BYTES];
    char *file = strchr(argument, '=');
    uint32_t program = 0;
    if (file != NULL)
        *file++ = '\0';
    while (program < builder->header.programs_count &&
           strcmp(context_string(&builder->header, builder->programs[program].name), argument) != 0)
        program++;
    if (program == builder->header.programs_count) {
        builder_program(builder, argument, PROGRAM_IS_NAME | PROGRAM_BY_FILE);
        snprintf(path, sizeof path, "%s/names/%s", directory, argument);
        if (link(shim, path) < 0)
            fail(path);
        make_entry(directory, 0, argument, shim);
    }
    if (file != NULL)
        make_entry(directory, builder_file(builder, program, file, 0) + 1, argument, shim);
}

/* The block behind the end of the library, and its segment there. */
static void write_library(const char *template, const char *path, const struct context *context) {
    static char bytes[1 << 20];
    int from = open(template, O_RDONLY | O_CLOEXEC);
    ssize_t length = from < 0 ? -1 : read(from, bytes, sizeof bytes - CONTEXT_BYTES_MAX / 4);
    if (length < (ssize_t)sizeof(Elf64_Ehdr))
        fail(template);
    void *begin = bytes;
    const Elf64_Ehdr *header = begin;
    void *table = bytes + header->e_phoff;
    Elf64_Phdr *segments = table, *last = segments;
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr >= last->p_vaddr)
            last = &segments[i];
    if (memcmp(bytes + last->p_offset, CONTEXT_MAGIC, sizeof context->magic) != 0)
        fail("the last segment is no context");
    size_t offset = ((size_t)length + PAGE - 1) / PAGE * PAGE;
    memcpy(bytes + offset, context, context->size);
    last->p_offset = offset;
    last->p_filesz = last->p_memsz = context->size;
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (to < 0 || write(to, bytes, offset + context->size) != (ssize_t)(offset + context->size) || close(to) < 0)
        fail(path);
    close(from);
}

int main(int argc, char **argv) {
    static struct context_builder builder;
    char names[256], entries[256], library[256];
    if (argc < 5)
        return 2;
    snprintf(names, sizeof names, "%s/names", argv[2]);
    snprintf(entries, sizeof entries, "%s/entries", argv[2]);
    snprintf(library, sizeof library, "%s/preload.so", argv[2]);
    make_directory(argv[2]);
    make_directory(names);
    make_directory(entries);
    builder_open(&builder, names, entries, library);
    for (int i = 4; i < argc; i++)
        add(&builder, argv[2], argv[3], argv[i]);
    write_library(argv[1], library, &builder.header);
    return 0;
}
