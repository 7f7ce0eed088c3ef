/* From strings and rows to a context (wrap/block.c), and from there into the two programs (wrap/template.c): what comes
 * out is read back by the code that shims read it with, and a shim is really executed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wrap/block.h"
#include "wrap/image.h"
#include "wrap/template.h"

#define KEY "Ab3dE6"
#define ROWS 300 /* more than a table begins with, several times */

static struct pool pool;

static int teardown(void **state) {
    (void)state;
    pool_free(&pool);
    return 0;
}

static struct context header_of(struct block *block) {
    return (struct context){.file = CONTEXT_BY_NAME,
                            .file_bytes = 77,
                            .key = block_string(block, KEY),
                            .key_variable = block_string(block, VARIABLE_KEY "=" KEY),
                            .item = block_string(block, KEY ".0."),
                            .names = block_string(block, "/shims/0/bin"),
                            .entries = block_string(block, "/shims/0/main")};
}

/* A program that is nowhere. */
static struct context *small_context(void) {
    struct block block = {.pool = &pool};
    struct context header = header_of(&block);
    uint32_t name = block_string(&block, "no-such-program"), variable = block_string(&block, VARIABLE_PROGRAM "=x");
    struct context_program *program = block_program(&block);
    *program = (struct context_program){.name = name, .flags = PROGRAM_IS_NAME, .variable = variable};
    return block_finish(&block, &header);
}

/* --- blocks ------------------------------------------------------------------------------------------------------- */

static void add_row(struct block *block, uint32_t i) {
    char text[32];
    snprintf(text, sizeof text, "name %u", i);
    uint32_t string = block_string(block, text);
    block_word(block, text);
    *block_program(block) = (struct context_program){.name = string, .variable = string};
    *block_file(block) = (struct context_file){.program = i, .path = string, .executed = string, .layers = i};
    *block_layer(block) = (struct context_layer){.kind = LAYER_MODULE_APART,
                                                 .words = i,
                                                 .words_count = 1,
                                                 .executable = string,
                                                 .data = string,
                                                 .wrapper = string};
}

static void many_rows_come_back(void **state) {
    (void)state;
    struct block block = {.pool = &pool};
    struct context header = header_of(&block);
    char text[32];
    for (uint32_t i = 0; i < ROWS; i++)
        add_row(&block, i);
    struct context *context = block_finish(&block, &header);
    assert_non_null(context);
    assert_true(context_check(context, context->size));
    assert_false(context_check(context, context->size - 1));
    assert_string_equal(context_string(context, context->key), KEY);
    assert_string_equal(context_string(context, context->entries), "/shims/0/main");
    assert_int_equal(context->file, CONTEXT_BY_NAME);
    assert_int_equal(context->file_bytes, 77);
    assert_int_equal(context->programs_count, ROWS);
    assert_int_equal(context->files_count, ROWS);
    assert_int_equal(context->layers_count, ROWS);
    assert_int_equal(context->words_count, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(text, sizeof text, "name %u", i);
        assert_string_equal(context_word(context, i), text);
        assert_string_equal(context_string(context, context_program_at(context, i)->name), text);
        assert_string_equal(context_string(context, context_file_at(context, i)->path), text);
        assert_string_equal(context_string(context, context_layer_at(context, i)->wrapper), text);
        assert_int_equal(context_file_at(context, i)->layers, i);
    }
}

static void strings_of_any_length(void **state) {
    (void)state;
    for (size_t length = 0; length < 20000; length = length < 9 ? length + 1 : length * 3) {
        struct block block = {.pool = &pool};
        char *text = malloc(length + 1);
        assert_non_null(text);
        memset(text, 'x', length);
        text[length] = '\0';
        struct context header = header_of(&block);
        uint32_t first = block_string(&block, text), second = block_string(&block, text);
        add_row(&block, 0);
        struct context *context = block_finish(&block, &header);
        assert_true(context_check(context, context->size));
        assert_string_equal(context_string(context, first), text);
        assert_string_equal(context_string(context, second), text);
        free(text);
    }
}

static void not_longer_than_a_context_may_be(void **state) {
    (void)state;
    struct block block = {.pool = &pool};
    struct context header = header_of(&block);
    static char text[CONTEXT_BYTES_MAX];
    memset(text, 'x', sizeof text - 1);
    add_row(&block, 0);
    assert_int_equal(block_string(&block, text), 0);
    assert_true(block.full && !pool.failed);
    assert_int_equal(block_string(&block, "short"), 0); /* it stays full */
    assert_null(block_finish(&block, &header));
}

/* The strings fit, and the tables don't any more. */
static void tables_count_too(void **state) {
    (void)state;
    struct block block = {.pool = &pool};
    struct context header = header_of(&block);
    static char text[CONTEXT_BYTES_MAX - 1000];
    memset(text, 'x', sizeof text - 1);
    assert_int_not_equal(block_string(&block, text), 0);
    for (uint32_t i = 0; i < ROWS; i++)
        *block_program(&block) = (struct context_program){0};
    assert_false(block.full);
    assert_null(block_finish(&block, &header));
}

static void a_failed_pool_fails_a_block(void **state) {
    (void)state;
    struct block block = {.pool = &pool};
    struct context header = header_of(&block);
    add_row(&block, 0);
    pool.failed = true;
    assert_int_equal(block_string(&block, "x"), 0);
    assert_null(block_finish(&block, &header));
    for (size_t i = block.programs_count; i < block.programs_capacity; i++)
        assert_non_null(block_program(&block));
    assert_null(block_program(&block)); /* which would have to grow */
}

/* --- templates ---------------------------------------------------------------------------------------------------- */

static size_t count_contexts(const char *bytes, size_t size, Elf64_Phdr *ret) {
    Elf64_Ehdr header;
    size_t count = 0;
    memcpy(&header, bytes, sizeof header);
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, bytes + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_LOAD)
            continue;
        assert_true(segment.p_offset + segment.p_filesz <= size);
        if (segment.p_filesz >= 8 && memcmp(bytes + segment.p_offset, CONTEXT_MAGIC, 8) == 0) {
            *ret = segment;
            count++;
        }
    }
    return count;
}

static void check_filled(struct embedded template, const char *key) {
    struct context *context = small_context();
    char *bytes = template_fill(&pool, &template, context, key);
    size_t size = template_size(&template, context);
    Elf64_Phdr segment = {0};
    assert_non_null(bytes);
    assert_int_equal(count_contexts(bytes, size, &segment), 1);
    assert_int_equal(segment.p_filesz, context->size);
    assert_int_equal(segment.p_memsz, context->size);
    assert_int_equal(segment.p_offset % segment.p_align, segment.p_vaddr % segment.p_align);
    assert_int_equal(size, segment.p_offset + context->size);
    assert_memory_equal(bytes + segment.p_offset, context, context->size);
    char head[SHIM_HEAD_BYTES];
    memcpy(head, template.bytes, sizeof head);
    if (key) {
        head[SHIM_MARK_OFFSET] = SHIM_MARK;
        memcpy(head + SHIM_KEY_OFFSET, key, CONTEXT_KEY_BYTES);
    }
    assert_memory_equal(bytes, head, sizeof head);
    static const char padding[EI_NIDENT - EI_PAD]; /* a binfmt_misc entry for this machine looks at it */
    assert_memory_equal(bytes + EI_PAD, padding, sizeof padding);
}

static void a_context_in_both_programs(void **state) {
    (void)state;
    check_filled(template_shim(), KEY);
    check_filled(template_library(), NULL);
}

static void the_shim_is_tiny(void **state) {
    (void)state;
    struct embedded shim = template_shim();
    Elf64_Phdr segment = {0};
    assert_int_equal(count_contexts(shim.bytes, shim.size, &segment), 1);
    assert_true(shim.size <= 16 * 1024 + segment.p_align); /* the context begins a page, of 64 KiB on arm64 */
}

static void scripts_are_there(void **state) {
    (void)state;
    struct embedded adapter = template_adapter(), script = template_preload_script();
    assert_true(adapter.size > 100 && script.size > 10);
    assert_null(memchr(adapter.bytes, '\0', adapter.size));
    assert_null(memchr(script.bytes, '\0', script.size));
}

/* --- real ones ---------------------------------------------------------------------------------------------------- */

/* Executes a program, with what it writes to standard error in text. Returns its exit status. */
static int execute(int fd, char *text, size_t size) {
    int ends[2], status;
    static char name[] = "called", variable[] = "PATH=/nonexistent";
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        fexecve(fd, (char *[]){name, NULL}, (char *[]){variable, NULL});
        _exit(99);
    }
    close(ends[1]);
    ssize_t got, length = 0;
    while ((got = read(ends[0], text + length, size - 1 - (size_t)length)) > 0)
        length += got;
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int program_of(const char *bytes, size_t size) {
    int fd = memfd_create("shim", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    return fd;
}

static void a_shim_knows_what_it_carries(void **state) {
    (void)state;
    struct embedded shim = template_shim();
    struct context *context = small_context();
    char *bytes = template_fill(&pool, &shim, context, KEY), text[500];
    struct image image;
    int fd = program_of(bytes, template_size(&shim, context));
    image_look(fd, "", 0, &image);
    assert_int_equal(image.kind, IMAGE_SHIM);
    assert_string_equal(image.key, KEY);
    assert_int_equal(execute(fd, text, sizeof text), 127);
    assert_string_equal(text, "brood: error: no-such-program: no such program on PATH\n");
    close(fd);
}

static void a_shim_without_a_context_says_so(void **state) {
    (void)state;
    struct embedded shim = template_shim();
    char text[500];
    int fd = program_of(shim.bytes, shim.size);
    assert_int_equal(execute(fd, text, sizeof text), 111);
    assert_string_equal(text, "brood: error: shim: this is no shim that brood has written\n");
    close(fd);
}

static void a_damaged_context_is_not_believed(void **state) {
    (void)state;
    struct embedded shim = template_shim();
    struct context *context = small_context();
    context->programs = context->size;
    char *bytes = template_fill(&pool, &shim, context, KEY), text[500];
    int fd = program_of(bytes, template_size(&shim, context));
    assert_int_equal(execute(fd, text, sizeof text), 111);
    assert_string_equal(text, "brood: error: shim: this is no shim that brood has written\n");
    close(fd);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(many_rows_come_back),
        TEST(strings_of_any_length),
        TEST(not_longer_than_a_context_may_be),
        TEST(tables_count_too),
        TEST(a_failed_pool_fails_a_block),
        TEST(a_context_in_both_programs),
        TEST(the_shim_is_tiny),
        TEST(scripts_are_there),
        TEST(a_shim_knows_what_it_carries),
        TEST(a_shim_without_a_context_says_so),
        TEST(a_damaged_context_is_not_believed),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
