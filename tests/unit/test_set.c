/* What the shims of a set carry (wrap/set.c): layers, files, stubs; read back by the code that shims read it with. */
#include "tests/unit/set_helper.h"

/* --- sets --------------------------------------------------------------------------------------------------------- */

static struct set build(const struct wrap_section *sections, uint32_t count, uint32_t applying, int expected) {
    struct wrap_input input = input_of(sections, count);
    struct set set = {.sections = applying};
    memset(&programs, 0, sizeof programs);
    assert_int_equal(programs_find(&pool, &input, false, &programs), 0);
    const struct set_input in = {
        .pool = &pool, .wrap = &input, .programs = &programs, .directory = "/shims", .key = KEY, .pid = 7};
    assert_int_equal(set_build(&in, 3, &set), expected);
    if (expected == 0)
        assert_true(context_check(set.context, set.context->size));
    return set;
}

static const struct context_layer *layer_of(const struct set *set, uint32_t file, uint32_t layer) {
    const struct context_file *item = context_file_at(set->context, file);
    assert_true(layer < item->layers_count);
    return context_layer_at(set->context, item->layers + layer);
}

#define STRING(set, offset) context_string((set).context, offset)

static void what_a_set_carries(void **state) {
    (void)state;
    const char *prog = make("a/node", "1", 0755), *wrapper = make("wrapper", PROGRAM, 0755);
    struct wrap_section sections[] = {section_of("node", NULL, wrapper), section_of("node", NULL, "/w/b.js"),
                                      section_of("node", NULL, "/w/c.mjs"), section_of("node", NULL, "/w/d.cjs")};
    sections[0].data = "{\"x\": 1}";
    sections[1].same_process = false;
    sections[2].data = "[2]";
    struct set set = build(sections, 4, 15, 0);
    const struct context *context = set.context;
    assert_string_equal(STRING(set, context->key), KEY);
    assert_string_equal(STRING(set, context->key_variable), "SPAWN_WRAP_KEY=" KEY);
    assert_string_equal(STRING(set, context->item), KEY ".3.");
    assert_string_equal(STRING(set, context->names), "/shims/3/bin");
    assert_string_equal(STRING(set, context->entries), "/shims/3/main");
    assert_int_equal(context->library, 0);
    assert_null(set.library);
    assert_int_equal(context->programs_count, 1);
    assert_int_equal(context_program_at(context, 0)->flags, PROGRAM_IS_NAME);
    assert_string_equal(STRING(set, context_program_at(context, 0)->variable), "SPAWN_WRAP_PROGRAM=node");
    assert_int_equal(context->files_count, 1);
    assert_string_equal(STRING(set, context_file_at(context, 0)->path), prog);
    assert_int_equal(context_file_at(context, 0)->layers_count, 3); /* what shares a process is one layer */
    const uint32_t kinds[] = {LAYER_EXECUTABLE, LAYER_MODULE_APART, LAYER_MODULE_SAME};
    const char *const data[] = {"SPAWN_WRAP_DATA={\"x\": 1}", "SPAWN_WRAP_DATA={}", "SPAWN_WRAP_DATA=[2]"};
    const char *const wrappers[] = {wrapper, "/w/b.js", "/w/c.mjs"};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(layer_of(&set, 0, i)->kind, kinds[i]);
        assert_string_equal(STRING(set, layer_of(&set, 0, i)->data), data[i]);
        assert_string_equal(STRING(set, layer_of(&set, 0, i)->wrapper), wrappers[i]);
    }
    assert_string_equal(STRING(set, layer_of(&set, 0, 0)->executable), wrapper);
    assert_int_equal(layer_of(&set, 0, 0)->words_count, 0);
    assert_string_equal(context_word(context, layer_of(&set, 0, 1)->words), "/shims/3/stub-0.cjs");
    assert_string_equal(context_word(context, layer_of(&set, 0, 2)->words), "/shims/3/stub-1.cjs");
    assert_int_equal(set.stubs_count, 2); /* the program's own layers have the same */
}

/* Data may be long, and every shim carries all of it: once is enough. */
static void the_same_layers_are_carried_once(void **state) {
    (void)state;
    make("a/one", "1", 0755);
    make("b/one", "2", 0755);
    make("a/two", "3", 0755);
    struct wrap_section sections[] = {section_of("one", "two", "/w"), section_of(at("b/one"), NULL, "/v")};
    struct set set = build(sections, 2, 3, 0);
    assert_int_equal(set.context->files_count, 3);
    assert_int_equal(set.context->layers_count, 4); /* of most; of b/one, which has two; of most again */
    for (uint32_t i = 0; i < 3; i++) {
        bool both = strcmp(STRING(set, context_file_at(set.context, i)->path), at("b/one")) == 0;
        assert_int_equal(context_file_at(set.context, i)->layers_count, both ? 2 : 1);
        assert_string_equal(STRING(set, layer_of(&set, i, 0)->wrapper), "/w");
        if (both)
            assert_string_equal(STRING(set, layer_of(&set, i, 1)->wrapper), "/v");
    }
}

/* A module's stub says which program it is for. */
static void modules_of_two_programs(void **state) {
    (void)state;
    make("a/node", "1", 0755);
    make("a/nodejs", "2", 0755);
    struct wrap_section section = section_of("node", "nodejs", "/w.js");
    struct set set = build(&section, 1, 1, 0);
    assert_int_equal(set.stubs_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const char *stub = context_word(set.context, layer_of(&set, i, 0)->words);
        assert_string_equal(stub, set.stubs[i].path);
        assert_non_null(strstr(set.stubs[i].text, i == 0 ? "/bin/node\\\"" : "/bin/nodejs\\\""));
    }
}

static void what_a_stub_says(void **state) {
    (void)state;
    make("a/node", "1", 0755);
    struct wrap_section sections[] = {section_of("node", NULL, "/w/\"q\\\n.js"), section_of("node", NULL, "/w/b.js")};
    sections[0].data = "{\"a\": \"\\\"\"}";
    struct set set = build(sections, 2, 3, 0);
    assert_int_equal(set.stubs_count, 1);
    assert_string_equal(set.stubs[0].path, "/shims/3/stub-0.cjs");
    const char *text = set.stubs[0].text;
    const char *wanted = pool_format(
        &pool,
        "require(\"/shims/adapter.cjs\")(JSON.parse(\"{\\\"mode\\\":\\\"same\\\",\\\"key\\\":\\\"" KEY "\\\","
        "\\\"shimDir\\\":\\\"/shims/3/bin\\\",\\\"shimExecutable\\\":\\\"/shims/3/bin/node\\\","
        "\\\"preloadScript\\\":\\\"/shims/preload.cjs\\\",\\\"execPath\\\":\\\"/shims/3/bin/node\\\","
        "\\\"root\\\":{\\\"execPath\\\":\\\"%s/a/node\\\",\\\"pid\\\":7},\\\"wraps\\\":[{\\\"wrapper\\\":"
        "\\\"/w/\\\\\\\"q\\\\\\\\\\\\u000a.js\\\",\\\"data\\\":{\\\"a\\\": \\\"\\\\\\\"\\\"}},{\\\"wrapper\\\":"
        "\\\"/w/b.js\\\",\\\"data\\\":{}}],\\\"files\\\":[]}\"));\n",
        root);
    assert_string_equal(text, wanted);
}

/* Of reach = preload in another set nothing is seen. */
static void reach_is_a_matter_of_each_set(void **state) {
    (void)state;
    make("a/node", "1", 0755);
    struct wrap_section sections[] = {section_of("node", NULL, "/w/a.js"), section_of("node", NULL, "/w/b.js")};
    sections[1].by_file = true;
    struct set first = build(sections, 2, 1, 0), second = build(sections, 2, 2, 0), both = build(sections, 2, 3, 0);
    assert_null(first.library);
    assert_int_equal(context_program_at(first.context, 0)->flags, PROGRAM_IS_NAME);
    assert_non_null(strstr(first.stubs[0].text, "\\\"execPath\\\":\\\"/shims/3/bin/node\\\""));
    assert_string_equal(second.library, "/shims/3/preload.so");
    assert_string_equal(STRING(second, second.context->library), "/shims/3/preload.so");
    assert_int_equal(context_program_at(second.context, 0)->flags, PROGRAM_IS_NAME | PROGRAM_BY_FILE);
    assert_non_null(strstr(second.stubs[0].text, "\\\"execPath\\\":null"));
    assert_int_equal(context_program_at(both.context, 0)->flags, PROGRAM_IS_NAME | PROGRAM_BY_FILE);
}

static void a_program_of_other_sets_is_left_out(void **state) {
    (void)state;
    make("a/one", "1", 0755);
    make("a/two", "2", 0755);
    struct wrap_section sections[] = {section_of("one", NULL, "/w"), section_of("two", NULL, "/w")};
    struct set set = build(sections, 2, 2, 0);
    assert_int_equal(set.context->programs_count, 1);
    assert_string_equal(STRING(set, context_program_at(set.context, 0)->name), "two");
    assert_int_equal(set.context->files_count, 1);
}

static void a_path_alone_is_no_name(void **state) {
    (void)state;
    make("a/prog", "1", 0755);
    struct wrap_section section = section_of(at("a/prog"), NULL, "/w");
    struct set set = build(&section, 1, 1, 0);
    assert_int_equal(context_program_at(set.context, 0)->flags, 0);
    assert_int_equal(context_program_at(set.context, 0)->layers_count, 0); /* of files that come later */
    assert_int_equal(context_file_at(set.context, 0)->layers_count, 1);
}

static void built_again_it_is_the_same(void **state) {
    (void)state;
    make("a/node", "1", 0755);
    struct wrap_section section = section_of("node", NULL, "/w/a.js");
    struct set set = build(&section, 1, 1, 0), former = set;
    struct wrap_input input = input_of(&section, 1);
    const struct set_input in = {
        .pool = &pool, .wrap = &input, .programs = &programs, .directory = "/shims", .key = KEY, .pid = 7};
    assert_int_equal(set_build(&in, 3, &set), 0);
    assert_int_equal(set.stubs_count, 1);
    assert_int_equal(set.context->size, former.context->size);
    assert_memory_equal(set.context, former.context, set.context->size);
}

static void too_much_data(void **state) {
    (void)state;
    static char data[CONTEXT_BYTES_MAX];
    memset(data, '1', sizeof data - 1);
    make("a/prog", "1", 0755);
    struct wrap_section section = section_of("prog", NULL, "/w");
    section.data = data;
    build(&section, 1, 1, -E2BIG);
    assert_false(pool.failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_a_set_carries),
        TEST(the_same_layers_are_carried_once),
        TEST(modules_of_two_programs),
        TEST(what_a_stub_says),
        TEST(reach_is_a_matter_of_each_set),
        TEST(a_program_of_other_sets_is_left_out),
        TEST(a_path_alone_is_no_name),
        TEST(built_again_it_is_the_same),
        TEST(too_much_data),
    };
    return cmocka_run_group_tests_name("set", tests, NULL, NULL);
}
