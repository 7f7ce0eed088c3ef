/* Which files are programs (wrap/programs.c), and what executes a wrapper (wrap/interpreter.c). */
#include "tests/unit/set_helper.h"

/* --- programs ----------------------------------------------------------------------------------------------------- */

static void a_name_stands_for_all_of_its_files(void **state) {
    (void)state;
    const char *first = make("a/prog", "1", 0755), *second = make("b/prog", "2", 0700);
    struct wrap_section section = section_of("prog", NULL, "/w");
    find(&section, 1);
    assert_int_equal(programs.count, 1);
    assert_int_equal(programs.items[0].by_name, 1);
    assert_int_equal(programs.items[0].by_path, 0);
    assert_int_equal(programs.files_count, 2);
    assert_string_equal(programs.files[0].path, first);
    assert_string_equal(programs.files[1].path, second);
    assert_ptr_equal(programs.files[0].executed, programs.files[0].path);
    assert_int_equal(programs.files[0].sections, 1);
    assert_int_equal(programs.files[0].flags, 0);
    assert_string_equal(said, "");
}

static void what_is_no_program(void **state) {
    (void)state;
    make("a/prog", "not executable", 0644);
    assert_int_equal(mkdir(at("b/prog"), 0755), 0);
    struct wrap_section section = section_of("prog", NULL, "/w");
    find(&section, 1);
    assert_int_equal(programs.files_count, 0);
    assert_string_equal(said, "warning: [wrap:w] programs: prog is not on PATH; its wrapper is run all the same\n");
}

static void one_file_by_two_directories(void **state) {
    (void)state;
    make("a/prog", "1", 0755);
    assert_int_equal(rmdir(at("b")), 0);
    assert_int_equal(symlink("a", at("b")), 0);
    struct wrap_section section = section_of("prog", NULL, "/w");
    find(&section, 1);
    assert_int_equal(programs.files_count, 1);
    assert_string_equal(programs.files[0].path, at("a/prog"));
}

static void a_path_stands_for_itself(void **state) {
    (void)state;
    make("a/prog", "1", 0755);
    const char *second = make("b/prog", "2", 0755);
    struct wrap_section sections[] = {section_of(second, NULL, "/w"), section_of("other", second, "/w")};
    find(sections, 2);
    assert_int_equal(programs.count, 2);
    assert_string_equal(programs.items[0].name, "prog");
    assert_int_equal(programs.items[0].by_name, 0);
    assert_int_equal(programs.items[0].by_path, 3);
    assert_int_equal(programs.files_count, 1);
    assert_string_equal(programs.files[0].path, second);
    assert_int_equal(programs.files[0].sections, 3);
    assert_int_equal(programs.files[0].named, 3);
}

static void a_name_and_a_path(void **state) {
    (void)state;
    make("a/prog", "1", 0755);
    const char *second = make("b/prog", "2", 0755);
    struct wrap_section sections[] = {section_of("prog", NULL, "/w"), section_of(second, NULL, "/w")};
    sections[1].by_file = sections[1].strict = true;
    find(sections, 2);
    assert_int_equal(programs.files_count, 2);
    assert_int_equal(programs.files[0].sections, 1);
    assert_int_equal(programs.files[1].sections, 3);
    assert_int_equal(programs.items[0].by_file, 2);
    assert_int_equal(programs.items[0].strict, 2);
    assert_false(programs_is_strict(&programs, &programs.files[0])); /* it is the other one that is to be replaced */
    assert_true(programs_is_strict(&programs, &programs.files[1]));
}

static void a_path_that_is_not_there(void **state) {
    (void)state;
    struct wrap_section section = section_of("/no/such/file", NULL, "/w");
    find(&section, 1);
    assert_int_equal(programs.files_count, 0);
    assert_string_equal(said, "warning: [wrap:w] programs: /no/such/file is not there, or no program\n");
}

static void files_with_several_names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t flags;
    } rows[] = {{"alone", 0}, {"twin", FILE_BY_NAME_ONLY}, {"link", FILE_BY_NAME_ONLY}, {"same", 0}, {"hard", 0}};
    make("a/alone", "1", 0755);
    make("a/twin", "2", 0755);
    assert_int_equal(link(at("a/twin"), at("b/applet")), 0);
    assert_int_equal(symlink("alone", at("a/link")), 0);
    assert_int_equal(mkdir(at("far"), 0755), 0);
    make("far/same", "3", 0755);
    assert_int_equal(symlink("../far/same", at("a/same")), 0);
    make("far/elsewhere", "4", 0755); /* its other name isn't on PATH */
    assert_int_equal(link(at("far/elsewhere"), at("a/hard")), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wrap_section section = section_of(rows[i].name, NULL, "/w");
        memset(&programs, 0, sizeof programs);
        find(&section, 1);
        assert_int_equal(programs.files_count, 1);
        if (programs.files[0].flags != rows[i].flags)
            fail_msg("%s: flags %u", rows[i].name, programs.files[0].flags);
    }
}

static void many_programs(void **state) {
    (void)state;
    char *names[100], name[16];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(name, sizeof name, "a/p%zu", i);
        names[i] = strrchr(make(name, "x", 0755), '/') + 1;
    }
    struct wrap_section section = {.name = "w", .programs = names, .programs_count = COUNT(names), .wrapper = "/w"};
    find(&section, 1);
    assert_int_equal(programs.count, COUNT(names));
    assert_int_equal(programs.files_count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(programs.items[i].name, names[i]);
}

static void search(void **state) {
    (void)state;
    make("a/prog", "1", 0644);
    const char *second = make("b/prog", "2", 0755);
    struct wrap_input input = input_of(NULL, 0);
    assert_string_equal(programs_search(&pool, input.search, "prog"), second);
    assert_null(programs_search(&pool, input.search, "other"));
    assert_non_null(programs_search(&pool, NULL, "sh"));
    assert_non_null(programs_search(&pool, "", "sh"));
    assert_null(programs_search(&pool, ":", "sh"));
}

static void a_failed_pool_is_no_memory(void **state) {
    (void)state;
    make("a/prog", "1", 0755);
    struct wrap_section section = section_of("prog", NULL, "/w");
    struct wrap_input input = input_of(&section, 1);
    pool.failed = true;
    assert_int_equal(programs_find(&pool, &input, false, &programs), -ENOMEM);
    pool.failed = false;
}

/* --- interpreters ------------------------------------------------------------------------------------------------- */

/* The words that stand before the caller's arguments, joined; "": argv[0] stays. */
static const char *interpret(const char *text, const char **ret_executable) {
    struct interpreter interpreter;
    struct wrap_input input = input_of(NULL, 0);
    char *wrapper = make("wrapper", text, 0755), *joined = pool_format(&pool, "%s", "");
    interpreter_of(&pool, input.search, &programs, wrapper, &interpreter);
    for (uint32_t i = 0; i < interpreter.words_count; i++)
        joined = pool_format(&pool, "%s%s%s", joined, i > 0 ? " " : "", interpreter.words[i]);
    *ret_executable = interpreter.executable;
    return joined;
}

static void wrappers_and_their_interpreters(void **state) {
    (void)state;
    const char *prog = make("a/prog", "\177ELF", 0755), *wrapper = at("wrapper"), *executable;
    struct wrap_section section = section_of("prog", NULL, "/w");
    find(&section, 1);
    const struct {
        const char *line;
        const char *words; /* without the wrapper; NULL: it is executed as it is */
    } rows[] = {
        {"#!/usr/bin/env prog\n", "prog"},
        {"#! /usr/bin/env  prog \n", "prog"},
        {"#!/usr/bin/env -S prog -x  two\n", "prog -x two"},
        {"#!/usr/bin/env -Sprog\n", "prog"},
        {"#!/usr/bin/env -S prog 'a b'\n", NULL},
        {"#!/usr/bin/env -S prog ${X}\n", NULL},
        {"#!/usr/bin/env -S X=1 prog\n", NULL},
        {"#!/usr/bin/env -S\n", NULL},
        {"#!/usr/bin/env -i prog\n", NULL},
        {"#!/usr/bin/env X=1\n", NULL},
        {"#!/usr/bin/env other\n", NULL},
        {"#!/usr/bin/env a/prog\n", NULL},
        {"#!/usr/bin/env\n", NULL},
        {"#!/bin/sh -e\n", NULL},
        {PROGRAM, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *words = interpret(rows[i].line, &executable);
        const char *wanted = rows[i].words ? pool_format(&pool, "%s %s", rows[i].words, wrapper) : "";
        if (strcmp(words, wanted) != 0 || strcmp(executable, rows[i].words ? prog : wrapper) != 0)
            fail_msg("%s: %s, %s", rows[i].line, executable, words);
    }
}

static void a_wrapped_interpreter_by_its_path(void **state) {
    (void)state;
    const char *prog = make("a/prog", "\177ELF", 0755), *executable;
    assert_int_equal(symlink("a/prog", at("alias")), 0);
    struct wrap_section section = section_of("prog", NULL, "/w");
    find(&section, 1);
    programs.files[0].executed = "/kept/prog"; /* as reach = strict has it */
    const char *words = interpret(pool_format(&pool, "#!%s -x  y\n", at("alias")), &executable);
    assert_string_equal(executable, "/kept/prog");
    assert_string_equal(words, pool_format(&pool, "%s -x  y %s", at("alias"), at("wrapper")));
    words = interpret("#!/usr/bin/env prog\n", &executable);
    assert_string_equal(executable, "/kept/prog");
    assert_string_equal(words, pool_format(&pool, "prog %s", at("wrapper")));
    (void)prog;
}

static void a_script_without_a_line_is_for_sh(void **state) {
    (void)state;
    const char *executable, *words = interpret("exec \"$SPAWN_WRAP_MAIN\"\n", &executable);
    assert_string_equal(executable, "/bin/sh");
    assert_string_equal(words, pool_format(&pool, "/bin/sh %s", at("wrapper")));
}

static void too_many_words_are_left_to_env(void **state) {
    (void)state;
    char line[200] = "#!/usr/bin/env -S prog";
    const char *executable;
    make("a/prog", "\177ELF", 0755);
    struct wrap_section section = section_of("prog", NULL, "/w");
    find(&section, 1);
    for (int i = 0; i < CONTEXT_WORDS_MAX - 2; i++)
        strncat(line, " x", 3);
    assert_string_not_equal(interpret(line, &executable), ""); /* without a newline: the line ends with the file */
    strncat(line, " x", 3);
    assert_string_equal(interpret(line, &executable), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_name_stands_for_all_of_its_files),
        TEST(what_is_no_program),
        TEST(one_file_by_two_directories),
        TEST(a_path_stands_for_itself),
        TEST(a_name_and_a_path),
        TEST(a_path_that_is_not_there),
        TEST(files_with_several_names),
        TEST(many_programs),
        TEST(search),
        TEST(a_failed_pool_is_no_memory),
        TEST(wrappers_and_their_interpreters),
        TEST(a_wrapped_interpreter_by_its_path),
        TEST(a_script_without_a_line_is_for_sh),
        TEST(too_many_words_are_left_to_env),
    };
    return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
