/* What of the sections can't be on this machine, before anything is made: wrap_check() of wrap.h. The config's reader
 * has said already what can't be anywhere. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/programs.h"
#include "wrap/wrap.h"

#define DATA_BYTES_MAX ((size_t)128 * 1024 - sizeof VARIABLE_DATA "=") /* MAX_ARG_STRLEN, see execve(2) */

bool wrap_is_module(const char *wrapper) {
    static const char *const endings[] = {".js", ".cjs", ".mjs"};
    size_t length = strlen(wrapper);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(wrapper + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static void check_wrapper(const struct wrap_input *input, uint32_t number,
                          void (*fault)(void *context, uint32_t section, const char *text), void *context) {
    const char *wrapper = input->sections[number].wrapper, *why = NULL;
    char text[PATH_MAX + 200];
    struct stat info;
    bool module = wrap_is_module(wrapper);
    if (stat(wrapper, &info) < 0 || (module && S_ISREG(info.st_mode) && access(wrapper, R_OK) < 0))
        why = strerror(errno);
    else if (!S_ISREG(info.st_mode))
        why = "not a regular file";
    else if (!module && (access(wrapper, X_OK) < 0 || (info.st_mode & 0111) == 0))
        why = "not executable; chmod +x it, or name a module .js, .cjs or .mjs";
    if (why) {
        snprintf(text, sizeof text, "wrapper: %s: %s", wrapper, why);
        fault(context, number, text);
    }
}

/* What a wrapper gets as a variable has to fit into one. */
static void check_data(const struct wrap_input *input, uint32_t number,
                       void (*fault)(void *context, uint32_t section, const char *text), void *context) {
    const struct wrap_section *section = &input->sections[number];
    bool in_module = wrap_is_module(section->wrapper) && section->same_process;
    char text[200];
    if (in_module || !section->data || strlen(section->data) <= DATA_BYTES_MAX)
        return;
    snprintf(text, sizeof text,
             "data: %zu bytes, of at most %zu that one variable can hold; put it into a file and name that",
             strlen(section->data), DATA_BYTES_MAX);
    fault(context, number, text);
}

static void check_strict(const struct programs *programs,
                         void (*fault)(void *context, uint32_t section, const char *text), void *context) {
    char text[2 * PATH_MAX + 300];
    for (size_t i = 0; i < programs->files_count; i++) {
        const struct program_file *file = &programs->files[i];
        if (!programs_is_strict(programs, file) || (file->flags & FILE_BY_NAME_ONLY) == 0)
            continue;
        uint32_t section = (uint32_t)__builtin_ctz(programs->items[file->program].strict & file->sections);
        snprintf(
            text, sizeof text,
            "reach: %s is %s, one file for several programs: strict can't replace it for one of them; write preload, "
            "which tells them by their names",
            file->path, file->real);
        fault(context, section, text);
    }
}

/* --- the order of sections ---------------------------------------------------------------------------------------- */

/* How far inside a wrapper may stand: see set.c. */
static int depth_of(const struct wrap_section *section) {
    return !wrap_is_module(section->wrapper) ? 0 : section->same_process ? 2 : 1;
}

/* Whether there is a process that both are for. */
static bool meet(const struct wrap_section *a, const struct wrap_section *b) {
    for (uint32_t i = 0; i < a->groups_count && b->groups_count > 0; i++)
        for (uint32_t j = 0; j < b->groups_count; j++)
            if (a->groups[i] == b->groups[j])
                return true;
    return a->groups_count == 0 || b->groups_count == 0;
}

static bool share_a_name(const struct wrap_section *a, const struct wrap_section *b) {
    for (uint32_t i = 0; i < a->programs_count; i++)
        for (uint32_t j = 0; j < b->programs_count; j++)
            if (strcmp(a->programs[i], b->programs[j]) == 0)
                return true;
    return false;
}

static const struct program_file *shared_file(const struct programs *programs, uint32_t sections) {
    for (size_t i = 0; i < programs->files_count; i++)
        if ((programs->files[i].sections & sections) == sections)
            return &programs->files[i];
    return NULL;
}

/* That one section names a program and the other one its file is seen here alone. */
static void check_order(const struct wrap_input *input, const struct programs *programs, uint32_t outer, uint32_t inner,
                        void (*fault)(void *context, uint32_t section, const char *text), void *context) {
    const struct wrap_section *a = &input->sections[outer], *b = &input->sections[inner];
    const struct program_file *file;
    char text[PATH_MAX + 300];
    if (depth_of(a) <= depth_of(b) || !meet(a, b) || share_a_name(a, b) ||
        !(file = shared_file(programs, 1u << outer | 1u << inner)))
        return;
    if (depth_of(b) == 0)
        snprintf(text, sizeof text,
                 "an executable can't wrap %s inside of the module of [wrap:%s]; put this section before that one",
                 file->path, a->name);
    else
        snprintf(text, sizeof text,
                 "same_process = no can't wrap %s inside of [wrap:%s], where it is yes; put this section before that "
                 "one, or write the same in both",
                 file->path, a->name);
    fault(context, inner, text);
}

static void say_nothing(bool warning, const char *text) {
    (void)warning;
    (void)text;
}

int wrap_check(const struct wrap_input *input, void (*fault)(void *context, uint32_t section, const char *text),
               void *context) {
    struct pool pool = {0};
    struct programs programs = {0};
    struct wrap_input quiet = *input;
    quiet.say = say_nothing;
    if (input->sections_count > WRAP_SECTIONS_MAX) {
        fault(context, WRAP_SECTIONS_MAX, "one section too many: brood takes at most 32 of [wrap:NAME]");
        return 0;
    }
    for (uint32_t i = 0; i < input->sections_count; i++) {
        check_wrapper(input, i, fault, context);
        check_data(input, i, fault, context);
    }
    int r = programs_find(&pool, &quiet, false, &programs);
    if (r == 0)
        check_strict(&programs, fault, context);
    for (uint32_t i = 1; r == 0 && i < input->sections_count; i++)
        for (uint32_t j = 0; j < i; j++)
            check_order(input, &programs, j, i, fault, context);
    pool_free(&pool);
    return r;
}
