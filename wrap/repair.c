/* See repair.h. Of a variable that is there twice the first counts, as for getenv(3), and all go. */
#include "wrap/repair.h"

#include "wrap/paths.h"
#include "wrap/text.h"

static const char *find(char *const *envp, const char *name) {
    for (; envp != NULL && *envp != NULL; envp++) {
        const char *value = text_value(*envp, name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

static bool has_library(const struct context *context, const char *preload) {
    return context->library != 0 && paths_preload_has(preload, context_string(context, context->library));
}

static bool has_directory(const struct context *context, const char *search) {
    return context->names == 0 || paths_has(search, context_string(context, context->names));
}

bool repair_needed(const struct context *context, char *const *envp, bool preloadable, const char *told) {
    if (told[0] != '\0' || !has_directory(context, find(envp, "PATH")))
        return true;
    return context->library != 0 && has_library(context, find(envp, "LD_PRELOAD")) != preloadable;
}

static void plan_preload(const struct context *context, const char *former, bool preloadable, struct repair *ret) {
    const char *library = context_string(context, context->library);
    size_t prefix = sizeof "LD_PRELOAD=" - 1;
    if (context->library == 0 || has_library(context, former) == preloadable)
        return;
    struct text_builder text = {.bytes = ret->preload_text, .size = sizeof ret->preload_text};
    text_add(&text, "LD_PRELOAD=");
    size_t length = preloadable ? paths_preload(text.bytes + prefix, text.size - prefix, former, library)
                                : paths_preload_without(text.bytes + prefix, text.size - prefix, former, library);
    if (length > 0)
        ret->preload = ret->preload_text;
    else if (!preloadable)
        ret->without_preload = true;
}

void repair_plan(const struct context *context, char *const *envp, bool preloadable, const char *told,
                 struct repair *ret) {
    const char *former = find(envp, "PATH"), *directory = context_string(context, context->names);
    size_t prefix = sizeof "PATH=" - 1;
    ret->search = ret->preload = NULL;
    ret->without_preload = false;
    ret->told = told[0] != '\0' ? told : NULL;
    if (!has_directory(context, former)) {
        struct text_builder text = {.bytes = ret->search_text, .size = sizeof ret->search_text};
        text_add(&text, "PATH=");
        if (paths_search(text.bytes + prefix, text.size - prefix, former, directory) > 0)
            ret->search = ret->search_text;
    }
    plan_preload(context, find(envp, "LD_PRELOAD"), preloadable, ret);
}

size_t repair_count(char *const *envp) {
    size_t count = 0;
    while (envp != NULL && envp[count] != NULL)
        count++;
    return count;
}

static bool is_replaced(const struct repair *repair, const char *variable) {
    return (repair->search != NULL && text_value(variable, "PATH") != NULL) ||
           ((repair->preload != NULL || repair->without_preload) && text_value(variable, "LD_PRELOAD") != NULL) ||
           (repair->told != NULL && text_value(variable, VARIABLE_TOLD) != NULL);
}

void repair_apply(const struct repair *repair, char *const *envp, const char **array) {
    const char *added[REPAIR_ADDED_MAX] = {repair->search, repair->preload, repair->told};
    for (; envp != NULL && *envp != NULL; envp++)
        if (!is_replaced(repair, *envp))
            *array++ = *envp;
    for (size_t i = 0; i < REPAIR_ADDED_MAX; i++)
        if (added[i] != NULL)
            *array++ = added[i];
    *array = NULL;
}
