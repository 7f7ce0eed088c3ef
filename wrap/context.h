/* What a shim and the preload library carry inside themselves: which programs are wrapped, where they are, and by what.
 *
 * brood writes it into a segment of its own of their ELF files, so that it is there however they were started: by a
 * bare name, by a #! line, by fexecve(), without /proc, with an unreadable file, as another user. Nothing in an
 * environment or an argument list can take its place.
 *
 * One block of bytes: this header, strings, four tables, a NUL. A string is named by its offset from the header; 0 is
 * none. The library of a set (the programs that one kind of worker sees) carries all of them; the shims of a program
 * carry that one, and differ in the three fields that say what the file itself stands for; a library that only lets
 * processes share ports has no program. Numbers are in the machine's byte order. Who reads one calls context_check()
 * first; behind it every offset, index and string is good. */
#ifndef WRAP_CONTEXT_H
#define WRAP_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTEXT_MAGIC "broodctx"
#define CONTEXT_VERSION 2
#define CONTEXT_BYTES_MAX (1u << 20)
#define CONTEXT_KEY_BYTES 6   /* letters and digits of mkdtemp(3) */
#define CONTEXT_LAYERS_MAX 32 /* around one program */
#define CONTEXT_WORDS_MAX 32  /* that one layer puts in front */

/* The key of the brood that wrote a shim stands in the physical address of its first segment, which means nothing to
 * Linux, with one letter as the highest byte, where no address has one: so whoever can read a file can tell whether it
 * is a shim, and whose. Not in the padding of e_ident: an emulator's entry of binfmt_misc, by which Docker runs images
 * of other machines, wants zeros there. */
#define SHIM_KEY_OFFSET 88
#define SHIM_MARK_OFFSET (SHIM_KEY_OFFSET + 7)
#define SHIM_MARK 'b'
#define SHIM_HEAD_BYTES (SHIM_MARK_OFFSET + 1)

/* context.file, for what isn't one of the files */
#define CONTEXT_BY_NAME 0xffffffffu /* the next one of that name on PATH, as the caller has it */
#define CONTEXT_TOLD 0xfffffffeu    /* the one that VARIABLE_TOLD names */

enum context_flags {
    CONTEXT_SHARES_PORTS = 1, /* the library sets SO_REUSEPORT before each bind() to a port */
};

enum context_program_flags {
    PROGRAM_IS_NAME = 1, /* every file of that name, also one that appears later; else the files of the table alone */
    PROGRAM_BY_FILE = 2, /* reach = preload or strict: also who executes the file itself gets the shim */
};

enum context_file_flags {
    FILE_BY_NAME_ONLY = 1, /* one file under several names (busybox): who executes it by another one means another */
    FILE_SANITIZED = 2,    /* a sanitizer's runtime, which wants to be the first library */
};

enum context_layer_kind {
    LAYER_EXECUTABLE = 1,   /* words or argv[0], then the caller's arguments */
    LAYER_MODULE_APART = 2, /* the program, words (the adapter's stub), all of the caller's arguments */
    LAYER_MODULE_SAME = 3,  /* the program, its exec arguments, words, main, arguments */
};

struct context_program {
    uint32_t number; /* in all contexts of a set the same */
    uint32_t name;
    uint32_t flags;
    uint32_t layers; /* of a file that isn't in the table: first in the table of layers, and how many */
    uint32_t layers_count;
    uint32_t variable; /* "SPAWN_WRAP_PROGRAM=NAME" */
};

struct context_file {
    uint32_t number; /* as above; its shims are ENTRIES/NUMBER+1/LAYER/NAME */
    uint32_t program;
    uint32_t path;     /* as callers know it */
    uint32_t executed; /* what is executed: path, or the name it has got under reach = strict */
    uint32_t flags;
    uint32_t layers;
    uint32_t layers_count;
};

struct context_layer {
    uint32_t kind;
    uint32_t executable; /* LAYER_EXECUTABLE: what is executed, the wrapper or its interpreter */
    uint32_t words;      /* first in the table of words; of an executable they stand in for argv[0] */
    uint32_t words_count;
    uint32_t sanitized; /* LAYER_EXECUTABLE: as FILE_SANITIZED, 0 or 1 */
    uint32_t data;      /* "SPAWN_WRAP_DATA={}" */
    uint32_t wrapper;   /* its path, for messages */
};

struct context {
    char magic[8];
    uint32_t version;
    uint32_t size;       /* of everything, in bytes */
    uint32_t file_bytes; /* of the whole shim file: how a copy is told that can not be read */

    uint32_t program; /* what this file stands for: a program, */
    uint32_t file;    /* its file, CONTEXT_BY_NAME or CONTEXT_TOLD, */
    uint32_t layer;   /* and the first of its layers to run; one more than there are: the program itself */

    uint32_t key;          /* CONTEXT_KEY_BYTES letters */
    uint32_t key_variable; /* "SPAWN_WRAP_KEY=…" */
    uint32_t item;         /* "KEY.SET." that begins our items in VARIABLE_INSIDE */
    uint32_t names;        /* directory of the shims by name: first on PATH; 0: no program is wrapped */
    uint32_t entries;      /* directory of the shims by file and layer: ENTRIES/FILE/LAYER/NAME */
    uint32_t library;      /* path of the preload library; 0: reach = path everywhere */

    uint32_t programs, programs_count;
    uint32_t files, files_count;
    uint32_t layers, layers_count;
    uint32_t words, words_count; /* offsets of strings */

    uint32_t flags;
};

/* --- what stands in the environment of a process --- */

#define VARIABLE_MAIN "SPAWN_WRAP_MAIN" /* of a wrapper: the next one, or the program */
#define VARIABLE_DATA "SPAWN_WRAP_DATA"
#define VARIABLE_PROGRAM "SPAWN_WRAP_PROGRAM"
#define VARIABLE_KEY "SPAWN_WRAP_KEY"
#define VARIABLE_DEBUG "SPAWN_WRAP_DEBUG"
/* Blank separated items, one for each wrapper that runs around this process: KEY.SET.PROGRAM.LAYER, innermost last. */
#define VARIABLE_INSIDE "SPAWN_WRAP_INSIDE"
/* "PID file PATH" or "PID script PATH": from whoever turned an exec, to the shim: which file it was. Believed only
 * where PID is the shim's own process or its parent, so that none set beforehand counts; "main file PATH" by later
 * layers. */
#define VARIABLE_TOLD "SPAWN_WRAP_TOLD"

/* --- reading --- */

static inline const char *context_string(const struct context *context, uint32_t offset) {
    return (const char *)context + offset;
}

#define CONTEXT_TABLE(type, name)                                                                                      \
    static inline const struct context_##type *context_##type##_at(const struct context *context, uint32_t index) {    \
        const void *table = (const char *)context + context->name;                                                     \
        return (const struct context_##type *)table + index;                                                           \
    }
CONTEXT_TABLE(program, programs)
CONTEXT_TABLE(file, files)
CONTEXT_TABLE(layer, layers)
#undef CONTEXT_TABLE

static inline const char *context_word(const struct context *context, uint32_t index) {
    const void *table = (const char *)context + context->words;
    return context_string(context, ((const uint32_t *)table)[index]);
}

/* Whether `size` bytes, aligned to 4, are a context of this version in which everything is where it should be. */
bool context_check(const void *bytes, size_t size);

#endif
