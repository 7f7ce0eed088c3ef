/* Values that name things: variables, signals, groups, programs, users; and lists of them.
 * Whether there is such a group is looked up when the file is read to its end
 * (config_check.c), whether there is such a user when brood starts. */
#include "supervisor/config_internal.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/signals.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

/* The next item at *cursor, trimmed, ending with NUL; *cursor goes behind its comma, or becomes NULL. */
static char *list_next(char **cursor) {
    char *item = *cursor;
    char *comma = strchr(item, ',');
    char *end = comma == NULL ? item + strlen(item) : comma;
    *cursor = comma == NULL ? NULL : comma + 1;
    while (is_blank(*item))
        item++;
    while (end > item && is_blank(end[-1]))
        end--;
    *end = '\0';
    return item;
}

bool list_take(struct parser *parser, struct arena *arena, bool (*check)(struct parser *, const char *item),
               struct spec_text_list *ret) {
    struct spec_text_list list = {.items = NULL};
    uint32_t errors = parser->errors;
    uint32_t scope = SCOPE_VARIABLES + parser->scopes_count++;
    char *cursor = parser->text.bytes;
    while (cursor != NULL && !parser_failed(parser)) {
        const char *item = list_next(&cursor);
        size_t length = strlen(item);
        if (length == 0) {
            key_error(parser, "the list has an empty item; remove a comma");
            continue;
        }
        if (!check(parser, item))
            continue;
        if (names_find(&parser->names, scope, item, length) != NULL) {
            key_error(parser, "%s stands in the list twice; remove one", excerpt(parser, item, length, true));
            continue;
        }
        list_append(&list, arena, item, length);
        if (!parser_failed(parser))
            names_add(&parser->names, &parser->scratch,
                      (struct name){.text = list.items[list.count - 1], .length = length, .scope = scope});
    }
    if (parser->errors != errors || parser_failed(parser))
        return false;
    *ret = list;
    return true;
}

static bool group_check(struct parser *parser, const char *item) {
    if (name_valid(item, strlen(item)))
        return true;
    key_error(parser, "%s can't be the name of a group; write NAMEs of [worker:NAME], separated by commas",
              excerpt(parser, item, strlen(item), true));
    return false;
}

void take_after(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    (void)field;
    (void)list_take(parser, &parser->scratch, group_check, &parser->section.draft->after);
}

void take_wrap_workers(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    (void)field;
    (void)list_take(parser, &parser->scratch, group_check, &parser->section.draft->workers);
}

static bool program_check(struct parser *parser, const char *item) {
    size_t length = strlen(item);
    bool directory = strcmp(item, ".") == 0 || strcmp(item, "..") == 0;
    if (!directory && (item[0] == '/' ? item[length - 1] != '/' : strchr(item, '/') == NULL))
        return true;
    key_error(parser, "%s is neither a name nor an absolute path; write one without / or one that begins with it",
              excerpt(parser, item, length, true));
    return false;
}

void take_programs(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    (void)list_take(parser, &parser->keep, program_check, field);
}

/* A name as /etc/passwd can have it, or a number; the largest one means "no change" to the kernel. */
bool user_check(struct parser *parser, const char *item) {
    size_t length = strlen(item);
    size_t digits = strspn(item, "0123456789");
    uint64_t number;
    if (length > 0 && digits == length ? number_parse(item, UINT32_MAX - 1, &number)
                                       : strcspn(item, ":/, \t") == length && item[0] != '-')
        return true;
    key_error(parser, "%s is neither a name nor a number up to 4294967294; write one of them",
              excerpt(parser, item, length, true));
    return false;
}

void take_user(struct parser *parser, const struct key *key, void *field) {
    if (user_check(parser, parser->text.bytes))
        take_text(parser, key, field);
}

void take_users(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    (void)list_take(parser, &parser->keep, user_check, field);
}

/* --- signals ------------------------------------------------------------------------------------------------------ */

void signal_unknown(struct parser *parser, const char *value, const char *name, size_t length) {
    char names[32][SIGNAL_NAME_BYTES];
    bool prefix = length > 3 && memcmp(name, "SIG", 3) == 0;
    struct nearest nearest = {.word = prefix ? name + 3 : name, .length = prefix ? length - 3 : length};
    for (int i = 1; i < 32; i++)
        nearest_try(&nearest, signal_name(i, parser->input->sigrtmin, names[i]));
    if (value == NULL && nearest.name != NULL)
        key_error(parser, "unknown signal; did you mean \"%s\"?", nearest.name);
    else if (value == NULL)
        key_error(parser, "unknown signal; write a name such as TERM, USR1 or RTMIN+3");
    else if (nearest.name != NULL)
        key_error(parser, "%s is not a signal; did you mean \"%s\"?", value, nearest.name);
    else
        key_error(parser, "%s is not a signal; write a name such as TERM, USR1 or RTMIN+3", value);
}

static int signal_find(struct parser *parser, const char *name) {
    int number = signal_from_name(name, parser->input->sigrtmin, parser->input->sigrtmax);
    if (number == 0)
        signal_unknown(parser, excerpt(parser, name, strlen(name), true), name, strlen(name));
    return number;
}

void take_signal(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    int number = signal_find(parser, parser->text.bytes);
    if (number != 0)
        *(int *)field = number;
}

static void forward_to_group(struct parser *parser, const char *name) {
    size_t length = strlen(name);
    if (!name_valid(name, length)) {
        key_error(parser, "%s names no group; write forward:NAME of a [worker:NAME]", value_excerpt(parser));
        return;
    }
    parser->signal_targets[parser->signal] =
        (struct signal_target){arena_copy(&parser->scratch, name, length), parser->line};
    parser->spec.signals[parser->signal].policy = SIGNAL_FORWARD;
}

void take_signal_policy(struct parser *parser, const struct key *key, void *field) {
    static const struct {
        const char *name;
        enum signal_policy policy;
    } policies[] = {
        {"stop", SIGNAL_STOP}, {"forward", SIGNAL_FORWARD}, {"reload", SIGNAL_RELOAD}, {"ignore", SIGNAL_IGNORE}};
    (void)key;
    (void)field;
    const char *text = parser->text.bytes;
    struct spec_signal *signal = &parser->spec.signals[parser->signal];
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        if (strcmp(text, policies[i].name) == 0) {
            signal->policy = policies[i].policy;
            return;
        }
    }
    if (strncmp(text, "forward:", 8) == 0) {
        forward_to_group(parser, text + 8);
    } else if (strncmp(text, "forward", 7) == 0 && is_blank(text[7])) {
        const char *name = text + 7 + strspn(text + 7, " \t");
        int number = signal_find(parser, name);
        if (number != 0)
            *signal = (struct spec_signal){.policy = SIGNAL_FORWARD, .number = number, .group = -1};
    } else {
        key_error(parser,
                  "%s is not a value of it; write forward, forward SIGNAL, forward:GROUP, stop, reload or ignore",
                  value_excerpt(parser));
    }
}

/* Codes and signal names that replace the default, which is 0. */
void take_success(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    struct spec_success success = {.signals = 0};
    uint32_t errors = parser->errors;
    char *cursor = parser->text.bytes;
    while (cursor != NULL) {
        const char *item = list_next(&cursor);
        uint64_t number;
        if (item[0] == '\0') {
            key_error(parser, "the list has an empty item; remove a comma");
        } else if (item[0] >= '0' && item[0] <= '9') {
            if (number_parse(item, 255, &number))
                success.codes[number / 64] |= UINT64_C(1) << (number % 64);
            else
                key_error(parser, "%s is not an exit code; write 0 to 255, or the name of a signal",
                          excerpt(parser, item, strlen(item), true));
        } else {
            int signal = signal_find(parser, item);
            if (signal == SIGNALS_END - 1)
                key_error(parser, "the highest signal can't be told apart as a success; remove it");
            else if (signal > 0)
                success.signals |= UINT64_C(1) << signal;
        }
    }
    if (parser->errors == errors)
        *(struct spec_success *)field = success;
}

/* --- variables ---------------------------------------------------------------------------------------------------- */

void take_variable(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    (void)field;
    struct spec_environment *environment = parser->section.environment;
    size_t prefix = parser->section.kind == SECTION_ENV ? 0 : strlen("env.");
    uint32_t count = environment->count;
    if ((count & (count - 1)) == 0) { /* full, as in list_append() */
        struct spec_variable *larger =
            arena_take(&parser->keep, (count == 0 ? 1 : (size_t)count * 2) * sizeof(*larger));
        if (larger == NULL)
            return;
        if (count > 0)
            memcpy(larger, environment->variables, count * sizeof(*larger));
        environment->variables = larger;
    }
    struct spec_variable variable = {.line = parser->line};
    variable.name = arena_copy(&parser->keep, parser->key_name + prefix, parser->key_length - prefix);
    /* `NAME =` takes the variable away, `NAME = ""` makes it empty. */
    if (parser->text.length > 0 || parser->text.quoted)
        variable.value = arena_copy(&parser->keep, parser->text.bytes, parser->text.length);
    if (parser_failed(parser))
        return;
    environment->variables[environment->count++] = variable;
}
