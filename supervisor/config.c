/* The config's entry points, and what each kind of section is: see config_internal.h for where the rest is.
 *
 * A section that is faulty by itself (repeated, a name that can't be) is read into a draft that nobody looks at,
 * so that the faults of its keys come out in the same pass; the keys of an unknown one are passed over. */
#include "supervisor/config_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "supervisor/signals.h"

static const char *const kind_names[SECTION_KINDS] = {
    [SECTION_NONE] = "",           [SECTION_UNKNOWN] = "",  [SECTION_SUPERVISOR] = "supervisor",
    [SECTION_SIGNALS] = "signals", [SECTION_ENV] = "env",   [SECTION_PRIMARY] = "primary",
    [SECTION_WORKER] = "worker",   [SECTION_WRAP] = "wrap",
};

const char *section_kind_name(enum section_kind kind) {
    return kind_names[kind];
}

static bool is_named(enum section_kind kind) {
    return kind == SECTION_WORKER || kind == SECTION_WRAP;
}

/* --- defaults ----------------------------------------------------------------------------------------------------- */

static void identity_defaults(struct spec_identity *identity) {
    identity->umask = -1;
    identity->account = (struct spec_account){.uid = ID_OWN, .gid = ID_OWN};
}

static void draft_defaults(struct draft *draft) {
    draft->wrap.same_process = true;
    draft->wrap.reach = REACH_PRELOAD;
    draft->group = (struct spec_group){
        .count = 1,
        .startup_timeout = MSEC_NEVER,
        .grace = MSEC_NEVER,
        .restart = RESTART_ON_FAILURE,
        .delay_first = 100,
        .delay_last = 30 * 1000,
        .stable_after = 10 * 1000,
        .limit_failures = 10,
        .limit_window = 5 * 60 * 1000,
        .success = {.codes = {1}},
        .shutdown_on_failure = true,
        .check_interval = 10 * 1000,
        .check_timeout = 2 * 1000,
        .check_failures = 3,
    };
    identity_defaults(&draft->group.identity);
}

static void signal_defaults(struct spec_signal signals[SIGNALS_END], bool command_only, bool grace_given) {
    static const int stops[] = {SIGNAL_TERM, SIGNAL_INT, SIGNAL_QUIT};
    static const int ignored[] = {SIGNAL_WINCH, SIGNAL_TSTP, SIGNAL_TTIN, SIGNAL_TTOU,
                                  SIGNAL_PIPE,  SIGNAL_URG,  SIGNAL_IO};
    static const int own[] = {0, SIGNAL_KILL, SIGNAL_SIGSTOP, SIGNAL_CHLD};
    for (int i = 0; i < SIGNALS_END; i++)
        signals[i] = (struct spec_signal){.policy = SIGNAL_FORWARD, .number = i, .group = -1};
    /* A COMMAND alone gets every signal as it is, as under tini; INT and QUIT stop it only where the user gave a
     * grace period: a REPL that handles INT isn't to be killed for it. */
    size_t stops_count = command_only && !grace_given ? 1 : sizeof(stops) / sizeof(stops[0]);
    for (size_t i = 0; i < stops_count; i++)
        signals[stops[i]].policy = SIGNAL_STOP;
    if (!command_only) {
        signals[SIGNAL_HUP].policy = SIGNAL_RELOAD;
        for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
            signals[ignored[i]].policy = SIGNAL_IGNORE;
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        signals[own[i]].policy = SIGNAL_IGNORE;
}

static void spec_defaults(struct spec *spec, const struct config_input *input) {
    *spec = (struct spec){
        .grace = 10 * 1000,
        .finish_grace = 10 * 1000,
        .kill_on_second_signal = true,
        .log_level = input->bytes == NULL ? LOG_WARNING : LOG_INFO,
        .log_format = LOG_TEXT,
        .sigrtmin = input->sigrtmin,
        .command_group = -1,
        .command_only = input->bytes == NULL,
    };
    identity_defaults(&spec->primary.identity);
    signal_defaults(spec->signals, spec->command_only, input->grace != MSEC_NEVER);
}

/* --- sections ----------------------------------------------------------------------------------------------------- */

static void section_error(struct parser *parser, const char *what) {
    fault_add(parser, parser->line, FAULT_ERROR, "[%s] %s", parser->section.title, what);
}

static void unknown_section(struct parser *parser, const char *text, size_t kind_length, const char *name,
                            size_t name_length) {
    struct nearest nearest = {.word = text, .length = kind_length};
    enum section_kind kind = SECTION_UNKNOWN;
    for (enum section_kind i = SECTION_SUPERVISOR; i < SECTION_KINDS; i++) {
        if (strlen(kind_names[i]) == kind_length && memcmp(kind_names[i], text, kind_length) == 0)
            nearest.name = kind_names[i]; /* [env:x]: the kind is right, the name is too much */
        else
            nearest_try(&nearest, kind_names[i]);
        if (nearest.name == kind_names[i])
            kind = i;
    }
    if (kind == SECTION_UNKNOWN)
        section_error(parser, "unknown section; there are [supervisor], [signals], [env], [primary], [worker:NAME] and "
                              "[wrap:NAME]");
    else if (is_named(kind))
        fault_add(parser, parser->line, FAULT_ERROR, "[%s] unknown section; did you mean [%s:%s]?",
                  parser->section.title, nearest.name,
                  name_length > 0 ? excerpt(parser, name, name_length, false) : "NAME");
    else
        fault_add(parser, parser->line, FAULT_ERROR, "[%s] unknown section; did you mean [%s]?", parser->section.title,
                  nearest.name);
    parser->section.kind = SECTION_UNKNOWN;
}

static void repeated_section(struct parser *parser, uint32_t first) {
    parser->section.repeated = true;
    fault_add(parser, parser->line, FAULT_ERROR, "[%s] given twice, first on line %u; put its keys there",
              parser->section.title, first);
}

static void single_begin(struct parser *parser) {
    struct section *section = &parser->section;
    uint32_t *first = &parser->section_lines[section->kind];
    section->seen = *first == 0 ? parser->seen : parser->discarded_seen;
    memset(section->seen, 0, sizeof(parser->seen));
    if (*first != 0)
        repeated_section(parser, *first);
    else
        *first = parser->line;
    section->base = &parser->spec;
    if (section->kind == SECTION_ENV)
        section->environment = &parser->spec.environment;
    if (section->kind == SECTION_PRIMARY) {
        section->base = &parser->spec.primary;
        section->identity = &parser->spec.primary.identity;
        section->environment = &section->identity->environment;
        parser->spec.primary.line = *first;
    }
}

/* Whether a new group or wrap may have this name; says why not. */
static bool name_check(struct parser *parser, const char *name, size_t length) {
    const struct section *section = &parser->section;
    bool reserved = (length == 4 && memcmp(name, "main", 4) == 0) || (length == 7 && memcmp(name, "primary", 7) == 0);
    const struct name *known =
        names_find(&parser->names, section->kind == SECTION_WORKER ? SCOPE_GROUPS : SCOPE_WRAPS, name, length);
    if (length == 0)
        fault_add(parser, parser->line, FAULT_ERROR, "[%s] has no name; write [%s:NAME]", section->title,
                  kind_names[section->kind]);
    else if (!name_valid(name, length))
        section_error(parser, "not a name; write a letter or digit and then up to 31 of a-z A-Z 0-9 . _ -");
    else if (reserved)
        section_error(parser, "the name is reserved for brood's own use; choose another one");
    else if (known != NULL)
        repeated_section(parser, known->line);
    else
        return true;
    return false;
}

/* The draft that a worker or wrap section is read into; the discarded one where the section can't be. */
static struct draft *draft_begin(struct parser *parser, const char *name, size_t length) {
    bool worker = parser->section.kind == SECTION_WORKER;
    struct draft *draft = &parser->discarded;
    bool valid = name_check(parser, name, length);
    bool kept = valid && (!worker || parser->groups_count < GROUPS_MAX);
    if (kept)
        draft = arena_take(&parser->scratch, sizeof(*draft));
    if (draft == NULL)
        return NULL;
    *draft = (struct draft){.next = NULL};
    draft_defaults(draft);
    if (!valid)
        return draft;
    if (worker && parser->groups_count == GROUPS_MAX)
        section_error(parser, "more than 500 groups; merge some into one with a larger count");
    uint32_t index = kept && worker ? parser->groups_count : NAMES_NONE;
    names_add(&parser->names, &parser->scratch,
              (struct name){.text = name,
                            .length = length,
                            .line = parser->line,
                            .value = index,
                            .scope = worker ? SCOPE_GROUPS : SCOPE_WRAPS});
    if (worker)
        parser->groups_count++;
    memcpy(worker ? draft->group.name : draft->wrap.name, name, length);
    draft->group.line = parser->line;
    draft->wrap.line = parser->line;
    if (kept) {
        struct draft ***end = worker ? &parser->groups_end : &parser->wraps_end;
        **end = draft;
        *end = &draft->next;
    }
    return draft;
}

_Static_assert(GROUPS_MAX == 500, "a text says so");

static void named_begin(struct parser *parser, const char *name, size_t length) {
    struct section *section = &parser->section;
    struct draft *draft = draft_begin(parser, name, length);
    if (draft == NULL)
        return;
    if (parser->section_lines[section->kind] == 0)
        parser->section_lines[section->kind] = parser->line;
    section->draft = draft;
    section->seen = draft->seen;
    if (section->kind == SECTION_WRAP) {
        section->base = &draft->wrap;
        return;
    }
    section->base = &draft->group;
    section->identity = &draft->group.identity;
    section->environment = &section->identity->environment;
}

static void section_new(struct parser *parser, enum section_kind kind, const char *title) {
    section_end(parser);
    parser->section =
        (struct section){.kind = kind, .line = parser->line, .scope = SCOPE_VARIABLES + parser->scopes_count++};
    if (kind == SECTION_UNKNOWN && parser->section_lines[SECTION_UNKNOWN] == 0)
        parser->section_lines[SECTION_UNKNOWN] = parser->line;
    memcpy(parser->section.title, title, strlen(title) + 1);
}

void section_skip(struct parser *parser) {
    section_new(parser, SECTION_UNKNOWN, "");
}

void section_begin(struct parser *parser, const char *text, size_t length) {
    const char *colon = memchr(text, ':', length);
    size_t kind_length = colon == NULL ? length : (size_t)(colon - text);
    enum section_kind kind = SECTION_UNKNOWN;
    for (enum section_kind i = SECTION_SUPERVISOR; i < SECTION_KINDS; i++) {
        if (strlen(kind_names[i]) == kind_length && memcmp(kind_names[i], text, kind_length) == 0 &&
            (is_named(i) || colon == NULL))
            kind = i;
    }
    const char *name = colon == NULL ? text + length : colon + 1;
    size_t name_length = (size_t)(text + length - name);
    section_new(parser, kind, excerpt(parser, text, length, false));
    if (kind == SECTION_UNKNOWN)
        unknown_section(parser, text, kind_length, name, name_length);
    else if (is_named(kind))
        named_begin(parser, name, name_length);
    else
        single_begin(parser);
}

/* For the faults that only the machine knows. */
static void lines_keep(const struct section *section) {
    struct spec_identity *identity = section->identity;
    if (section->kind == SECTION_WORKER) {
        section->draft->group.listen_line = key_line(SECTION_WORKER, section->seen, "listen");
        section->draft->group.ready_line = key_line(SECTION_WORKER, section->seen, "ready");
    }
    if (section->kind == SECTION_WRAP) {
        section->draft->wrap.wrapper_line = key_line(SECTION_WRAP, section->seen, "wrapper");
        section->draft->wrap.data_line = key_line(SECTION_WRAP, section->seen, "data");
        section->draft->wrap.reach_line = key_line(SECTION_WRAP, section->seen, "reach");
    }
    if (identity == NULL)
        return;
    identity->user_line = key_line(section->kind, section->seen, "user");
    identity->group_line = key_line(section->kind, section->seen, "group");
    identity->groups_line = key_line(section->kind, section->seen, "groups");
    identity->capabilities_line = key_line(section->kind, section->seen, "capabilities");
}

void section_end(struct parser *parser) {
    const struct section *section = &parser->section;
    if (section->repeated || section->seen == NULL)
        return;
    lines_keep(section);
    const char *missing = NULL;
    if (section->kind == SECTION_WORKER && key_line(SECTION_WORKER, section->seen, "start") == 0)
        missing = "start: missing; write start = COMMAND";
    if (section->kind == SECTION_WRAP && key_line(SECTION_WRAP, section->seen, "wrapper") == 0)
        missing = "wrapper: missing; write wrapper = PATH";
    if (section->kind == SECTION_PRIMARY && key_line(SECTION_PRIMARY, section->seen, "start") == 0 &&
        key_line(SECTION_PRIMARY, section->seen, "stop") == 0)
        missing = "start, stop: both are missing; write start = COMMAND or stop = COMMAND";
    if (missing != NULL)
        fault_add(parser, section->line, FAULT_ERROR, "[%s] %s", section->title, missing);
}

/* --- entry points ------------------------------------------------------------------------------------------------- */

/* COMMAND: one more group, the last one, of one worker. */
static void command_add(struct parser *parser) {
    char *const *command = parser->input->command;
    struct draft *draft = arena_take(&parser->scratch, sizeof(*draft));
    if (draft == NULL)
        return;
    draft_defaults(draft);
    struct spec_group *group = &draft->group;
    uint32_t argc = 0;
    while (command[argc] != NULL)
        argc++;
    group->start.argv = arena_take(&parser->keep, (argc + 1) * sizeof(*group->start.argv));
    if (group->start.argv == NULL)
        return;
    group->start.argc = argc;
    for (uint32_t i = 0; i < argc; i++)
        group->start.argv[i] = arena_copy(&parser->keep, command[i], strlen(command[i]));
    memcpy(group->name, "main", sizeof("main"));
    group->stdin_from = STDIN_INHERIT;
    group->restart = RESTART_NO;
    group->shutdown_on_failure = true;
    group->shutdown_on_success = true;
    *parser->groups_end = draft;
    parser->groups_end = &draft->next;
}

static void parse(struct parser *parser) {
    const struct config_input *input = parser->input;
    if (input->bytes != NULL && input->length > CONFIG_BYTES_MAX)
        fault_add(parser, 0, FAULT_ERROR, "the file is larger than 64 MiB; surely it is not the config that was meant");
    else if (input->bytes != NULL)
        config_read(parser);
    if (input->grace != MSEC_NEVER)
        parser->spec.grace = input->grace;
    if (input->command != NULL)
        command_add(parser);
    if (!parser_failed(parser))
        config_check(parser);
    if (!parser_failed(parser))
        faults_finish(parser);
}

_Static_assert(CONFIG_BYTES_MAX == 64u << 20, "a text says so");

int config_parse(const struct config_input *input, struct config *ret) {
    assert(input->bytes != NULL || input->command != NULL);
    assert(input->command == NULL || input->command[0] != NULL);
    assert(input->cpus > 0);
    struct parser parser = {.input = input};
    parser.groups_end = &parser.groups;
    parser.wraps_end = &parser.wraps;
    spec_defaults(&parser.spec, input);
    parse(&parser);
    arena_free(&parser.scratch);
    if (parser_failed(&parser)) {
        arena_free(&parser.keep);
        return -ENOMEM;
    }
    *ret = (struct config){
        .spec = parser.spec,
        .faults = parser.faults,
        .faults_count = parser.faults_count,
        .errors = parser.errors,
        .memory = parser.keep.chunks,
    };
    return 0;
}

void config_free(struct config *config) {
    struct arena arena = {.chunks = config->memory};
    arena_free(&arena);
    *config = (struct config){.memory = NULL};
}
