/* wrap/context.c: a context that is good, and each field of it made bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/context_builder.h"

static struct context_builder good;

static int setup(void **state) {
    (void)state;
    builder_open(&good, "/shims/names", "/shims/entries", "/shims/preload.so");
    builder_program(&good, "node", PROGRAM_IS_NAME | PROGRAM_BY_FILE);
    builder_program(&good, "git", PROGRAM_IS_NAME);
    builder_file(&good, 0, "/usr/bin/node", 0);
    builder_file(&good, 1, "/usr/bin/git", 0);
    builder_layer(&good, LAYER_MODULE_SAME, "/usr/bin/node", "/shims/stub.js");
    builder_layer(&good, LAYER_EXECUTABLE, "/cov/wrapper", "/cov/wrapper");
    good.files[0].layers_count = 2;
    good.programs[1].layers = 1;
    good.programs[1].layers_count = 1;
    return 0;
}

static void a_good_one(void **state) {
    (void)state;
    assert_true(context_check(&good, good.header.size));
    assert_true(context_check(&good, sizeof good));
    assert_string_equal(context_string(&good.header, context_program_at(&good.header, 1)->name), "git");
    assert_string_equal(context_string(&good.header, context_file_at(&good.header, 1)->path), "/usr/bin/git");
    assert_int_equal(context_layer_at(&good.header, 1)->kind, LAYER_EXECUTABLE);
    assert_string_equal(context_word(&good.header, 1), "/cov/wrapper");
}

static void a_short_or_crooked_one(void **state) {
    (void)state;
    static struct {
        uint32_t before;
        struct context_builder builder;
    } moved;
    for (size_t size = 0; size < good.header.size; size++)
        assert_false(context_check(&good, size));
    memcpy((char *)&moved + 2, &good, sizeof good);
    assert_false(context_check((char *)&moved + 2, sizeof good));
    static const struct context empty = {.magic = CONTEXT_MAGIC};
    assert_false(context_check(&empty, sizeof empty));
}

/* A library that only shares ports: it has no program, and so can't stand for one. */
static void one_without_programs(void **state) {
    (void)state;
    static struct context_builder none;
    builder_open(&none, "/shims/names", "/shims/entries", "/shims/preload.so");
    none.header.flags = CONTEXT_SHARES_PORTS;
    none.header.names = 0;
    assert_true(context_check(&none, none.header.size));
    none.header.program = 1;
    assert_false(context_check(&none, none.header.size));
    none.header.program = 0;
    none.header.file = CONTEXT_TOLD;
    assert_false(context_check(&none, none.header.size));
}

/* A number in the block, a bad value for it, and whether all larger ones are bad too. */
static void bad_fields(void **state) {
    (void)state;
#define FIELD(name) offsetof(struct context_builder, name)
    const uint32_t size = good.header.size;
    const struct {
        const char *name;
        size_t field;
        uint32_t bad;
        bool beyond;
    } rows[] = {
        {"magic", FIELD(header.magic), 0x12345678, false},
        {"version 0", FIELD(header.version), 0, false},
        {"version", FIELD(header.version), CONTEXT_VERSION + 1, true},
        {"size 0", FIELD(header.size), 0, false},
        {"size of the header", FIELD(header.size), sizeof(struct context), false},
        {"size", FIELD(header.size), sizeof good + 1, true},
        {"program", FIELD(header.program), 2, true},
        {"another program's file", FIELD(header.file), 1, false},
        {"file", FIELD(header.file), 2, false},
        {"layer", FIELD(header.layer), CONTEXT_LAYERS_MAX + 1, true},
        {"key", FIELD(header.key), size, true},
        {"a key of another length", FIELD(header.key), good.header.names, false},
        {"key_variable", FIELD(header.key_variable), size, true},
        {"item", FIELD(header.item), size, true},
        {"names", FIELD(header.names), size, true},
        {"entries", FIELD(header.entries), size, true},
        {"library", FIELD(header.library), size, true},
        {"programs", FIELD(header.programs), size, true},
        {"programs in the header", FIELD(header.programs), 8, false},
        {"programs, crooked", FIELD(header.programs), offsetof(struct context_builder, programs) + 1, false},
        {"programs_count", FIELD(header.programs_count), size / sizeof(struct context_program), true},
        {"programs_count 0", FIELD(header.programs_count), 0, false},
        {"files", FIELD(header.files), size, true},
        {"files_count", FIELD(header.files_count), size / sizeof(struct context_file), true},
        {"layers", FIELD(header.layers), size, true},
        {"layers_count", FIELD(header.layers_count), size / sizeof(struct context_layer), true},
        {"layers_count 1", FIELD(header.layers_count), 1, false},
        {"words", FIELD(header.words), size, true},
        {"words_count", FIELD(header.words_count), size / sizeof(uint32_t), true},
        {"words_count 1", FIELD(header.words_count), 1, false},
        {"program's name", FIELD(programs[1].name), size, true},
        {"program's variable", FIELD(programs[1].variable), size, true},
        {"program's layers", FIELD(programs[1].layers), 2, true},
        {"program's layers_count", FIELD(programs[1].layers_count), 2, true},
        {"file's program", FIELD(files[1].program), 2, true},
        {"file's path", FIELD(files[1].path), size, true},
        {"file's executed", FIELD(files[1].executed), size, true},
        {"file's layers", FIELD(files[0].layers), 1, true},
        {"file's layers_count", FIELD(files[0].layers_count), 3, true},
        {"kind 0", FIELD(layers[0].kind), 0, false},
        {"kind", FIELD(layers[0].kind), LAYER_MODULE_SAME + 1, true},
        {"layer's executable", FIELD(layers[0].executable), size, true},
        {"layer's words", FIELD(layers[1].words), 2, true},
        {"a module without a word", FIELD(layers[0].words_count), 0, false},
        {"words of a module", FIELD(layers[0].words_count), 2, true},
        {"words of an executable", FIELD(layers[1].words_count), 2, true},
        {"layer's data", FIELD(layers[0].data), size, true},
        {"layer's wrapper", FIELD(layers[0].wrapper), size, true},
        {"a word", FIELD(words[1]), size, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct context_builder bad;
        const uint32_t values[] = {rows[i].bad, 1u << 20 | 4, 0x7fffffff, 0x80000000, 0xfffffffc};
        for (size_t j = 0; j < (rows[i].beyond ? sizeof values / sizeof values[0] : 1); j++) {
            bad = good;
            memcpy((char *)&bad + rows[i].field, &values[j], sizeof values[j]);
            if (context_check(&bad, sizeof bad))
                fail_msg("%s: %u", rows[i].name, values[j]);
        }
    }
}

static void the_last_string_ends(void **state) {
    (void)state;
    static struct context_builder bad;
    bad = good;
    ((char *)&bad)[bad.header.size - 1] = 'x';
    assert_false(context_check(&bad, sizeof bad));
}

static void selections(void **state) {
    (void)state;
    static struct context_builder other;
    const uint32_t files[] = {0, CONTEXT_BY_NAME, CONTEXT_TOLD};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        other = good;
        other.header.file = files[i];
        other.header.layer = CONTEXT_LAYERS_MAX;
        assert_true(context_check(&other, sizeof other));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one), cmocka_unit_test(one_without_programs), cmocka_unit_test(a_short_or_crooked_one),
        cmocka_unit_test(bad_fields), cmocka_unit_test(the_last_string_ends), cmocka_unit_test(selections),
    };
    return cmocka_run_group_tests_name("context", tests, setup, NULL);
}
