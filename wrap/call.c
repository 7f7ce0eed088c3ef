/* See call.h. Pointers are moved, never strings. */
#include "wrap/call.h"

#include <stdint.h>

#include "wrap/text.h"

static char *unconst(const char *text) {
    return (char *)(uintptr_t)text; /* execve() takes char *, and changes nothing */
}

static void shift_down(char **words, size_t count, size_t by) {
    for (size_t i = 0; i < count; i++)
        words[(ptrdiff_t)i - (ptrdiff_t)by] = words[i];
}

void call_open(struct call *ret, char **stack) {
    ret->argc = (size_t)(uintptr_t)stack[0];
    ret->argv = stack + 1;
    ret->envp = ret->argv + ret->argc + 1;
    shift_down(ret->argv, ret->argc + 1, CALL_VARIABLES_ADDED);
    ret->argv -= CALL_VARIABLES_ADDED;
    ret->variables_room = CALL_VARIABLES_ADDED;
    ret->words_room = CALL_GAP - CALL_VARIABLES_ADDED;
}

bool call_insert(struct call *call, size_t index, const char *const *words, size_t count) {
    if (count > call->words_room)
        return false;
    shift_down(call->argv, index, count);
    call->argv -= count;
    call->argc += count;
    call->words_room -= count;
    for (size_t i = 0; i < count; i++)
        call->argv[index + i] = unconst(words[i]);
    return true;
}

bool call_replace_first(struct call *call, const char *const *words, size_t count) {
    if (count > call->words_room + (call->argc > 0))
        return false;
    if (call->argc > 0) {
        call->argv++;
        call->argc--;
        call->words_room++;
    }
    return call_insert(call, 0, words, count);
}

const char *call_get(const struct call *call, const char *name) {
    for (char **variable = call->envp; *variable != NULL; variable++) {
        const char *value = text_value(*variable, name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

void call_unset(struct call *call, const char *name) {
    for (size_t i = 0; call->envp[i] != NULL;) {
        if (text_value(call->envp[i], name) == NULL) {
            i++;
            continue;
        }
        for (size_t j = i; j > 0; j--)
            call->envp[j] = call->envp[j - 1];
        call->envp++;
        call->variables_room++;
    }
}

bool call_set(struct call *call, const char *name, const char *variable) {
    call_unset(call, name);
    if (call->variables_room == 0)
        return false;
    call->variables_room--;
    *--call->envp = unconst(variable);
    return true;
}
