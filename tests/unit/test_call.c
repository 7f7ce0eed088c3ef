/* wrap/call.c against a naive model: random edits of argument lists and environments that lie as the kernel puts them,
 * compared with lists of strings; nothing outside of the room that there is may change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wrap/call.h"

#define GUARD 64 /* words on both sides that are nobody's */
#define LIST_MAX 512
#define WORDS_ROOM (CALL_GAP - CALL_VARIABLES_ADDED)

struct list {
    const char *items[LIST_MAX];
    size_t count;
};

static char *memory[2 * GUARD + CALL_GAP + 2 * LIST_MAX];
static char guard[] = "guard";
static struct call call;
static struct list arguments, variables;

static void list_insert(struct list *list, size_t at, const char *item) {
    assert_true(list->count < LIST_MAX);
    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof *list->items);
    list->items[at] = item;
    list->count++;
}

static void list_remove(struct list *list, size_t at) {
    list->count--;
    memmove(list->items + at, list->items + at + 1, (list->count - at) * sizeof *list->items);
}

static bool is_of(const char *variable, const char *name) {
    return strncmp(variable, name, strlen(name)) == 0 && variable[strlen(name)] == '=';
}

static size_t end_of_stack; /* index of the first guard behind */

/* Lays both lists out as execve() does. */
static void lay_out(void) {
    size_t at = GUARD + CALL_GAP;
    for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
        memory[i] = guard;
    char **stack = memory + at;
    memory[at++] = (char *)(uintptr_t)arguments.count;
    for (size_t i = 0; i < arguments.count; i++)
        memory[at++] = (char *)(uintptr_t)arguments.items[i];
    memory[at++] = NULL;
    for (size_t i = 0; i < variables.count; i++)
        memory[at++] = (char *)(uintptr_t)variables.items[i];
    memory[at++] = NULL;
    end_of_stack = at;
    call_open(&call, stack);
}

static void compare(void) {
    assert_int_equal(call.argc, arguments.count);
    for (size_t i = 0; i < arguments.count; i++)
        assert_ptr_equal(call.argv[i], arguments.items[i]);
    assert_null(call.argv[arguments.count]);
    for (size_t i = 0; i < variables.count; i++)
        assert_ptr_equal(call.envp[i], variables.items[i]);
    assert_null(call.envp[variables.count]);
    assert_true(call.argv >= memory + GUARD && call.envp > call.argv + call.argc);
    for (size_t i = 0; i < GUARD; i++) {
        assert_ptr_equal(memory[i], guard);
        assert_ptr_equal(memory[end_of_stack + i], guard);
    }
}

/* --- random edits ------------------------------------------------------------------------------------------------- */

static uint64_t seed;

static size_t below(size_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % limit;
}

static const char *const names[] = {"A", "AB", "PATH", "LD_PRELOAD", "X"};
static const char *const values[] = {"A=",  "A=1", "AB=2", "PATH=/bin", "PATH=", "LD_PRELOAD=x",
                                     "X=y", "A",   "=",    "",          "B=A="};
static const char *const words[] = {"", "one", "two", "three", "-x", "A=1"};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void insert_somewhere(size_t *room) {
    const char *new[8];
    size_t count = below(COUNT(new) + 1), at = below(arguments.count + 1);
    bool first = below(3) == 0;
    size_t freed = first && arguments.count > 0;
    for (size_t i = 0; i < count; i++)
        new[i] = words[below(COUNT(words))];
    bool fits = count <= *room + freed;
    assert_int_equal(first ? call_replace_first(&call, new, count) : call_insert(&call, at, new, count), fits);
    if (!fits)
        return;
    if (freed)
        list_remove(&arguments, 0);
    for (size_t i = 0; i < count; i++)
        list_insert(&arguments, (first ? 0 : at) + i, new[i]);
    *room = *room + freed - count;
}

static void unset_model(const char *name, size_t *room) {
    for (size_t i = variables.count; i-- > 0;) {
        if (is_of(variables.items[i], name)) {
            list_remove(&variables, i);
            (*room)++;
        }
    }
}

static void edit_variable(size_t *room) {
    const char *name = names[below(COUNT(names))], *variable = NULL, *found = NULL;
    for (size_t i = 0; i < variables.count && !found; i++)
        if (is_of(variables.items[i], name))
            found = variables.items[i] + strlen(name) + 1;
    assert_ptr_equal(call_get(&call, name), found);
    while (!variable || !is_of(variable, name))
        variable = values[below(COUNT(values))];
    if (below(2) == 0) {
        call_unset(&call, name);
        unset_model(name, room);
        return;
    }
    unset_model(name, room);
    assert_int_equal(call_set(&call, name, variable), *room > 0);
    if (*room == 0)
        return;
    list_insert(&variables, 0, variable);
    (*room)--;
}

static void random_edits(void **state) {
    (void)state;
    for (uint64_t story = 0; story < 2000; story++) {
        size_t words_room = WORDS_ROOM, variables_room = CALL_VARIABLES_ADDED;
        seed = story;
        arguments.count = variables.count = 0;
        for (size_t i = below(4) == 0 ? 0 : below(20); i > 0; i--)
            list_insert(&arguments, 0, words[below(COUNT(words))]);
        for (size_t i = below(4) == 0 ? 0 : below(20); i > 0; i--)
            list_insert(&variables, 0, values[below(COUNT(values))]);
        lay_out();
        compare();
        for (size_t edits = below(60); edits > 0; edits--) {
            if (below(2) == 0)
                insert_somewhere(&words_room);
            else
                edit_variable(&variables_room);
            compare();
        }
    }
}

/* --- limits ------------------------------------------------------------------------------------------------------- */

static void room_for_words(void **state) {
    (void)state;
    static const char *many[WORDS_ROOM + 2];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = "word";
    arguments = (struct list){.items = {"program"}, .count = 1};
    variables.count = 0;
    lay_out();
    assert_false(call_insert(&call, 0, many, WORDS_ROOM + 1));
    assert_false(call_replace_first(&call, many, WORDS_ROOM + 2));
    compare();
    assert_true(call_replace_first(&call, many, WORDS_ROOM + 1)); /* argv[0] makes room for one */
    assert_false(call_insert(&call, 1, many, 1));
    arguments.count = 0;
    for (size_t i = 0; i < WORDS_ROOM + 1; i++)
        list_insert(&arguments, 0, many[0]);
    compare();
    assert_true(call_replace_first(&call, many, 0));
    list_remove(&arguments, 0);
    compare();
}

static void room_for_variables(void **state) {
    (void)state;
    static const char *const new[CALL_VARIABLES_ADDED + 1] = {
        "V0=", "V1=", "V2=", "V3=", "V4=", "V5=", "V6=", "V7=", "V8=", "V9=", "VA=", "VB=", "VC="};
    arguments = (struct list){.items = {"program"}, .count = 1};
    variables = (struct list){.items = {"OLD=1"}, .count = 1};
    lay_out();
    for (size_t i = 0; i < COUNT(new); i++) {
        const char name[] = {new[i][0], new[i][1], '\0'};
        assert_int_equal(call_set(&call, name, new[i]), i < CALL_VARIABLES_ADDED);
        if (i < CALL_VARIABLES_ADDED)
            list_insert(&variables, 0, new[i]);
    }
    compare();
    assert_true(call_set(&call, "OLD", "OLD=2")); /* takes the place of what goes */
    list_remove(&variables, variables.count - 1);
    list_insert(&variables, 0, call.envp[0]);
    assert_string_equal(call_get(&call, "OLD"), "2");
    compare();
}

static void a_name_that_begins_another(void **state) {
    (void)state;
    arguments.count = 0;
    variables = (struct list){.items = {"AB=1", "A", "A=2", "A=3"}, .count = 4};
    lay_out();
    assert_string_equal(call_get(&call, "A"), "2");
    call_unset(&call, "A");
    variables.count = 2;
    compare();
    assert_null(call_get(&call, "A"));
    assert_null(call_get(&call, ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_edits),
        cmocka_unit_test(room_for_words),
        cmocka_unit_test(room_for_variables),
        cmocka_unit_test(a_name_that_begins_another),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
