/* Every key, by section, with the kind of value it has; and the one table of what is known
 * and checked but not built yet, which shrinks as brood grows. To add a key: a row here, a
 * field in spec.h, a paragraph in brood.ini(5). */
#include "supervisor/config_internal.h"

#include <string.h>

#include "supervisor/signals.h"

#define GROUP(member) offsetof(struct spec_group, member)
#define IDENTITY(member) offsetof(struct spec_identity, member)
#define PRIMARY(member) offsetof(struct spec_primary, member)
#define SPEC(member) offsetof(struct spec, member)
#define WRAP(member) offsetof(struct spec_wrap, member)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Words of a choice, in the order of their enum; of a switch: false, true. */
static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const second_signals[] = {"ignore", "kill", NULL};
static const char *const types[] = {"childProcess", "cluster", NULL};
static const char *const stop_targets[] = {"group", "leader", NULL};
static const char *const restarts[] = {"no", "on-failure", "always", NULL};
static const char *const consequences[] = {"continue", "shutdown", NULL};
static const char *const stdins[] = {"null", "inherit", NULL};
static const char *const outputs[] = {"inherit", "prefix", "json", "null", NULL};
static const char *const reaches[] = {"path", "preload", "strict", NULL};

static const struct key supervisor_keys[] = {
    {.name = "grace", .take = take_duration, .offset = SPEC(grace)},
    {.name = "finish_grace", .take = take_duration, .offset = SPEC(finish_grace)},
    {.name = "log_level", .take = take_choice, .offset = SPEC(log_level), .choices = log_levels},
    {.name = "log_format", .take = take_choice, .offset = SPEC(log_format), .choices = log_formats},
    {.name = "control", .take = take_control, .offset = SPEC(control)},
    {.name = "on_second_signal", .take = take_switch, .offset = SPEC(kill_on_second_signal), .choices = second_signals},
};

static const struct key primary_keys[] = {
    {.name = "start", .quoting = QUOTING_COMMAND, .take = take_command, .offset = PRIMARY(start)},
    {.name = "stop", .quoting = QUOTING_COMMAND, .take = take_command, .offset = PRIMARY(stop)},
};

static const struct key worker_keys[] = {
    {.name = "start", .quoting = QUOTING_COMMAND, .take = take_command, .offset = GROUP(start)},
    {.name = "count", .take = take_count, .offset = GROUP(count)},
    {.name = "type", .take = take_choice, .offset = GROUP(type), .choices = types},
    {.name = "listen", .take = take_listen},
    {.name = "stop", .quoting = QUOTING_COMMAND, .take = take_command, .offset = GROUP(stop)},
    {.name = "ready", .quoting = QUOTING_PROBE, .take = take_ready},
    {.name = "startup_timeout", .take = take_duration, .offset = GROUP(startup_timeout), .zero_is_never = true},
    {.name = "kill_after_completed", .take = take_boolean, .offset = GROUP(kill_after_completed)},
    {.name = "grace", .take = take_duration, .offset = GROUP(grace)},
    {.name = "stop_signal", .take = take_signal, .offset = GROUP(stop_signal)},
    {.name = "stop_to", .take = take_choice, .offset = GROUP(stop_to), .choices = stop_targets},
    {.name = "restart", .take = take_choice, .offset = GROUP(restart), .choices = restarts},
    {.name = "restart_delay", .take = take_restart_delay},
    {.name = "stable_after", .take = take_duration, .offset = GROUP(stable_after)},
    {.name = "restart_limit", .take = take_restart_limit},
    {.name = "success_status", .take = take_success, .offset = GROUP(success)},
    {.name = "on_failure", .take = take_switch, .offset = GROUP(shutdown_on_failure), .choices = consequences},
    {.name = "on_success", .take = take_switch, .offset = GROUP(shutdown_on_success), .choices = consequences},
    {.name = "after", .take = take_after},
    {.name = "check", .quoting = QUOTING_PROBE, .take = take_check},
    {.name = "check_interval", .take = take_duration, .offset = GROUP(check_interval), .least = 1},
    {.name = "check_timeout", .take = take_duration, .offset = GROUP(check_timeout), .least = 1},
    {.name = "check_failures",
     .take = take_number,
     .offset = GROUP(check_failures),
     .least = 1,
     .most = CHECK_FAILURES_MAX},
    {.name = "every", .take = take_duration, .offset = GROUP(every), .least = 1},
    {.name = "lifetime", .take = take_lifetime},
    {.name = "watchdog", .take = take_duration, .offset = GROUP(watchdog)},
    {.name = "stdin", .take = take_choice, .offset = GROUP(stdin_from), .choices = stdins},
    {.name = "output", .take = take_choice, .offset = GROUP(output), .choices = outputs},
};

static const struct key identity_keys[] = {
    {.name = "user", .take = take_user, .offset = IDENTITY(user)},
    {.name = "group", .take = take_user, .offset = IDENTITY(group)},
    {.name = "groups", .take = take_users, .offset = IDENTITY(groups)},
    {.name = "umask", .take = take_umask, .offset = IDENTITY(umask)},
    {.name = "nice", .take = take_nice, .least = -20, .most = 19},
    {.name = "oom_score_adj", .take = take_oom_score_adj, .least = -1000, .most = 1000},
    {.name = "capabilities", .take = take_text, .offset = IDENTITY(capabilities)},
    {.name = "no_new_privileges", .take = take_boolean, .offset = IDENTITY(no_new_privileges)},
    {.name = "working_directory", .take = take_text, .offset = IDENTITY(working_directory)},
    {.name = "env_file", .take = take_env_file, .offset = IDENTITY(environment)},
    {.name = "limit_as", .take = take_limit},
    {.name = "limit_core", .take = take_limit},
    {.name = "limit_cpu", .take = take_limit},
    {.name = "limit_data", .take = take_limit},
    {.name = "limit_fsize", .take = take_limit},
    {.name = "limit_locks", .take = take_limit},
    {.name = "limit_memlock", .take = take_limit},
    {.name = "limit_msgqueue", .take = take_limit},
    {.name = "limit_nice", .take = take_limit},
    {.name = "limit_nofile", .take = take_limit},
    {.name = "limit_nproc", .take = take_limit},
    {.name = "limit_rss", .take = take_limit},
    {.name = "limit_rtprio", .take = take_limit},
    {.name = "limit_rttime", .take = take_limit},
    {.name = "limit_sigpending", .take = take_limit},
    {.name = "limit_stack", .take = take_limit},
};

static const struct key wrap_keys[] = {
    {.name = "programs", .take = take_programs, .offset = WRAP(programs)},
    {.name = "wrapper", .take = take_text, .offset = WRAP(wrapper)},
    {.name = "data", .quoting = QUOTING_JSON, .take = take_json, .offset = WRAP(data)},
    {.name = "same_process", .take = take_boolean, .offset = WRAP(same_process)},
    {.name = "shim_root", .take = take_shim_root, .offset = WRAP(shim_root)},
    {.name = "reach", .take = take_choice, .offset = WRAP(reach), .choices = reaches},
    {.name = "workers", .take = take_wrap_workers},
};

_Static_assert(COUNT(worker_keys) + COUNT(identity_keys) <= KEYS_MAX, "the lines of a section's keys have room");

/* Keys whose names are the user's. */
static const struct key variable_key = {.name = "env.*", .take = take_variable};
static const struct key signal_key = {.name = "*", .take = take_signal_policy};

/* What is known and checked, but does nothing yet; `unless` is a value that needs nothing to be built. */
static const struct {
    enum section_kind section;
    const char *key;
    const char *unless;
} not_built[] = {
    /* A row a line, whatever else fits. */
    /* clang-format off */
    {SECTION_SUPERVISOR, "control", "none"},
    {SECTION_WORKER, "check", NULL},
    {SECTION_WORKER, "check_interval", NULL},
    {SECTION_WORKER, "check_timeout", NULL},
    {SECTION_WORKER, "check_failures", NULL},
    {SECTION_WORKER, "every", NULL},
    {SECTION_WORKER, "lifetime", NULL},
    /* clang-format on */
};

/* --- tables of a section ------------------------------------------------------------------------------------------ */

struct tables {
    const struct key *own;
    size_t own_count;
    bool identity; /* and identity_keys behind them */
};

static struct tables tables_of(enum section_kind kind) {
    switch (kind) {
    case SECTION_SUPERVISOR:
        return (struct tables){supervisor_keys, COUNT(supervisor_keys), false};
    case SECTION_PRIMARY:
        return (struct tables){primary_keys, COUNT(primary_keys), true};
    case SECTION_WORKER:
        return (struct tables){worker_keys, COUNT(worker_keys), true};
    case SECTION_WRAP:
        return (struct tables){wrap_keys, COUNT(wrap_keys), false};
    case SECTION_NONE:
    case SECTION_UNKNOWN:
    case SECTION_SIGNALS:
    case SECTION_ENV:
    case SECTION_KINDS:
        break;
    }
    return (struct tables){NULL, 0, false};
}

/* The key with this number in a kind of section, NULL behind the last. */
static const struct key *key_at(enum section_kind kind, size_t index) {
    struct tables tables = tables_of(kind);
    if (index < tables.own_count)
        return &tables.own[index];
    index -= tables.own_count;
    return tables.identity && index < COUNT(identity_keys) ? &identity_keys[index] : NULL;
}

static bool same(const char *name, const char *text, size_t length) {
    return strncmp(name, text, length) == 0 && name[length] == '\0';
}

uint32_t key_line(enum section_kind kind, const uint32_t *seen, const char *name) {
    for (size_t i = 0; key_at(kind, i) != NULL; i++) {
        if (strcmp(key_at(kind, i)->name, name) == 0)
            return seen[i];
    }
    return 0;
}

/* --- not built ---------------------------------------------------------------------------------------------------- */

static void not_built_check(struct parser *parser, const char *key, const char *value) {
    for (size_t i = 0; !parser->input->accept_unbuilt && i < COUNT(not_built); i++) {
        bool same = not_built[i].section == parser->section.kind && strcmp(not_built[i].key, key) == 0;
        if (same && (not_built[i].unless == NULL || strcmp(value, not_built[i].unless) != 0))
            key_error(parser, "not built yet; remove the line");
    }
}

/* --- the current key ---------------------------------------------------------------------------------------------- */

static void unknown_key(struct parser *parser) {
    enum section_kind kind = parser->section.kind;
    struct nearest nearest = {.word = parser->key_name, .length = parser->key_length};
    for (size_t i = 0; faults_wanted(parser) && key_at(kind, i) != NULL; i++)
        nearest_try(&nearest, key_at(kind, i)->name);
    if (nearest.name != NULL)
        key_error(parser, "unknown key; did you mean \"%s\"?", nearest.name);
    else
        key_error(parser, "unknown key; brood.ini(5) lists those of [%s]",
                  kind == SECTION_WORKER ? "worker:NAME"
                  : kind == SECTION_WRAP ? "wrap:NAME"
                                         : section_kind_name(kind));
}

/* Notes that the key was seen; false, with an error, where it was before. */
static bool first_time(struct parser *parser, uint32_t *line) {
    if (*line != 0) {
        key_error(parser, "given twice, first on line %u; remove one of them", *line);
        return false;
    }
    *line = parser->line;
    return true;
}

static bool variable_begin(struct parser *parser, const char *name, size_t length) {
    if (!variable_valid(name, length)) {
        key_error(parser, "not a variable's name; write letters, digits and _, no digit first");
        return false;
    }
    const struct name *known = names_find(&parser->names, parser->section.scope, name, length);
    if (known != NULL) {
        key_error(parser, "given twice, first on line %u; remove one of them", known->line);
        return false;
    }
    names_add(&parser->names, &parser->scratch,
              (struct name){.text = name, .length = length, .scope = parser->section.scope, .line = parser->line});
    parser->key = &variable_key;
    return true;
}

static bool signal_begin(struct parser *parser, const char *name, size_t length) {
    char copy[SIGNAL_NAME_BYTES + 4] = "";
    if (length < sizeof(copy))
        memcpy(copy, name, length);
    parser->key = &signal_key;
    parser->signal = signal_from_name(copy, parser->input->sigrtmin, parser->input->sigrtmax);
    if (parser->signal == 0) {
        signal_unknown(parser, NULL, name, length);
        return false;
    }
    if (parser->signal == SIGNAL_KILL || parser->signal == SIGNAL_SIGSTOP) {
        key_error(parser, "no process can handle this signal; remove the line");
        return false;
    }
    if (parser->signal == SIGNAL_CHLD) {
        key_error(parser, "this signal is brood's own; remove the line");
        return false;
    }
    return first_time(parser, &parser->signal_lines[parser->signal]);
}

bool key_begin(struct parser *parser, const char *name, size_t length) {
    const struct section *section = &parser->section;
    parser->key_base = NULL;
    if (section->kind == SECTION_ENV)
        return variable_begin(parser, name, length);
    if (section->kind == SECTION_SIGNALS)
        return signal_begin(parser, name, length);
    if (section->environment != NULL && length >= 4 && memcmp(name, "env.", 4) == 0)
        return variable_begin(parser, name + 4, length - 4);
    for (size_t i = 0; key_at(section->kind, i) != NULL; i++) {
        parser->key = key_at(section->kind, i);
        if (same(parser->key->name, name, length)) {
            parser->key_base = i < tables_of(section->kind).own_count ? section->base : section->identity;
            return first_time(parser, &section->seen[i]);
        }
    }
    unknown_key(parser);
    return false;
}

void key_value(struct parser *parser) {
    const struct key *key = parser->key;
    struct text *text = &parser->text;
    text->quoted = false;
    bool exec = key->quoting == QUOTING_PROBE && strncmp(text->bytes, "exec:", 5) == 0;
    if (key->quoting == QUOTING_TEXT || (key->quoting == QUOTING_PROBE && !exec)) {
        const char *why = text_unquote(text);
        if (why != NULL) {
            key_error(parser, "%s: %s", excerpt(parser, text->bytes, text->length, false), why);
            return;
        }
    }
    if (text->length == 0 && key != &variable_key) {
        key_error(parser, "has no value; write one or remove the line");
        return;
    }
    uint32_t errors = parser->errors;
    key->take(parser, key, parser->key_base == NULL ? NULL : (char *)parser->key_base + key->offset);
    if (parser->errors == errors && !parser_failed(parser))
        not_built_check(parser, key->name, text->bytes);
}
