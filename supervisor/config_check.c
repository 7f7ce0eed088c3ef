/* What can be said only when the whole file is read: names of groups become indexes, totals
 * are added up, cycles of `after` found. Everything is linear in the file: 500
 * groups that all name each other are 250,000 edges. */
#include "supervisor/config_internal.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/signals.h"

#define CYCLE_SHOWN 8 /* groups of a cycle that its fault names */

static const struct name *group_find(const struct parser *parser, const char *name) {
    return names_find(&parser->names, SCOPE_GROUPS, name, strlen(name));
}

/* A group that isn't there, named by "[SECTION] KEY". */
static void unknown_group(struct parser *parser, uint32_t line, const char *where, const char *name) {
    struct nearest nearest = {.word = name, .length = strlen(name)};
    if (strcmp(name, "main") == 0) {
        fault_add(parser, line, FAULT_ERROR,
                  "%s: \"main\" is the COMMAND of the command line, and none is given; remove it, or give one", where);
        return;
    }
    for (const struct draft *draft = parser->groups; faults_wanted(parser) && draft != NULL; draft = draft->next)
        nearest_try(&nearest, draft->group.name);
    if (nearest.name != NULL)
        fault_add(parser, line, FAULT_ERROR, "%s: \"%s\" is no group; did you mean \"%s\"?", where, name, nearest.name);
    else
        fault_add(parser, line, FAULT_ERROR, "%s: \"%s\" is no group; remove it, or add [worker:%s]", where, name,
                  name);
}

int32_t group_index(struct parser *parser, uint32_t line, const char *where, const char *name) {
    if (strcmp(name, "main") == 0 && parser->spec.command_group >= 0)
        return parser->spec.command_group;
    const struct name *known = group_find(parser, name);
    if (known == NULL)
        unknown_group(parser, line, where, name);
    return known == NULL || known->value == NAMES_NONE ? -1 : (int32_t)known->value;
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static void where_of(const struct draft *draft, const char *key, char *buffer, size_t size) {
    (void)snprintf(buffer, size, "[worker:%s] %s", draft->group.name, key);
}

static void resolve_after(struct parser *parser, const struct draft *draft, struct spec_group *group, uint16_t self) {
    uint32_t line = key_line(SECTION_WORKER, draft->seen, "after");
    char where[TITLE_BYTES];
    where_of(draft, "after", where, sizeof(where));
    if (draft->after.count == 0)
        return;
    group->after = arena_take(&parser->keep, draft->after.count * sizeof(*group->after));
    if (group->after == NULL)
        return;
    for (uint32_t i = 0; i < draft->after.count; i++) {
        int32_t index = group_index(parser, line, where, draft->after.items[i]);
        if (index == self)
            fault_add(parser, line, FAULT_ERROR, "%s: a group can't wait for itself; remove \"%s\"", where,
                      draft->after.items[i]);
        else if (index >= 0)
            group->after[group->after_count++] = (uint16_t)index;
    }
}

/* The groups as the caller gets them; their numbers are those of the drafts. */
static void collect_groups(struct parser *parser) {
    struct spec *spec = &parser->spec;
    uint32_t count = 0;
    for (const struct draft *draft = parser->groups; draft != NULL; draft = draft->next)
        count++;
    if (parser->input->command != NULL)
        spec->command_group = (int32_t)count - 1;
    if (count == 0)
        return;
    spec->groups = arena_take(&parser->keep, count * sizeof(*spec->groups));
    if (spec->groups == NULL)
        return;
    uint64_t workers = 0;
    for (const struct draft *draft = parser->groups; draft != NULL; draft = draft->next) {
        struct spec_group *group = &spec->groups[spec->groups_count++];
        *group = draft->group;
        group->first_worker = (uint32_t)workers;
        workers += group->count;
    }
    spec->workers_count = (uint32_t)workers;
    uint16_t self = 0;
    for (const struct draft *draft = parser->groups; draft != NULL && !parser_failed(parser); draft = draft->next) {
        resolve_after(parser, draft, &spec->groups[self], self);
        self++;
    }
}

/* The command counts first: the section that goes beyond is one that can be changed. */
static void check_total(struct parser *parser) {
    uint64_t workers = parser->input->command == NULL ? 0 : 1;
    for (const struct draft *draft = parser->groups; draft != NULL; draft = draft->next) {
        uint32_t line = key_line(SECTION_WORKER, draft->seen, "count");
        bool command = draft->group.line == 0;
        workers += command ? 0 : draft->group.count;
        if (workers <= WORKERS_MAX || command)
            continue;
        fault_add(parser, line > 0 ? line : draft->group.line, FAULT_ERROR,
                  "[worker:%s] count: this makes %u workers in all, of at most %d; lower a count", draft->group.name,
                  (unsigned)workers, WORKERS_MAX);
        return;
    }
}

/* `before` is `after` the other way round: counted, placed, filled. */
static void fill_before(struct parser *parser) {
    struct spec *spec = &parser->spec;
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        for (uint32_t j = 0; j < spec->groups[i].after_count; j++)
            spec->groups[spec->groups[i].after[j]].before_count++;
    }
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        struct spec_group *group = &spec->groups[i];
        if (group->before_count > 0)
            group->before = arena_take(&parser->keep, group->before_count * sizeof(*group->before));
        if (group->before_count > 0 && group->before == NULL)
            return;
        group->before_count = 0;
    }
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        for (uint32_t j = 0; j < spec->groups[i].after_count; j++) {
            struct spec_group *below = &spec->groups[spec->groups[i].after[j]];
            below->before[below->before_count++] = (uint16_t)i;
        }
    }
}

/* --- cycles ------------------------------------------------------------------------------------------------------- */

enum visit { VISIT_NEW, VISIT_OPEN, VISIT_DONE };

struct search {
    uint8_t visits[GROUPS_MAX + 1]; /* enum visit */
    uint16_t path[GROUPS_MAX + 1];  /* the open ones, from the first */
    uint32_t edges[GROUPS_MAX + 1]; /* of each: how many of its `after` were followed */
    uint32_t depth;
};

/* The path from `first` to its end, which waits for `first`. */
static void report_cycle(struct parser *parser, const struct search *search, const uint32_t *lines, uint16_t first) {
    const struct spec_group *groups = parser->spec.groups;
    uint32_t start = search->depth - 1;
    while (search->path[start] != first)
        start--;
    char text[(CYCLE_SHOWN + 3) * (NAME_MAX_BYTES + 4)] = "";
    size_t used = 0;
    for (uint32_t i = start; i < search->depth && i - start < CYCLE_SHOWN; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s -> ", groups[search->path[i]].name);
    uint16_t last = search->path[search->depth - 1];
    fault_add(parser, lines[last], FAULT_ERROR, "[worker:%s] after: a cycle, %s%s%s; remove one of them",
              groups[last].name, text, search->depth - start > CYCLE_SHOWN ? "\xe2\x80\xa6 -> " : "",
              groups[first].name);
}

/* Depth first, without recursion; at most one fault for each group. */
static void search_cycles(struct parser *parser, struct search *search, const uint32_t *lines, uint16_t root) {
    const struct spec_group *groups = parser->spec.groups;
    search->path[0] = root;
    search->depth = 1;
    search->visits[root] = VISIT_OPEN;
    while (search->depth > 0) {
        uint16_t current = search->path[search->depth - 1];
        if (search->edges[current] == groups[current].after_count) {
            search->visits[current] = VISIT_DONE;
            search->depth--;
            continue;
        }
        uint16_t next = groups[current].after[search->edges[current]++];
        if (search->visits[next] == VISIT_OPEN) {
            report_cycle(parser, search, lines, next);
            search->edges[current] = groups[current].after_count;
        } else if (search->visits[next] == VISIT_NEW) {
            search->visits[next] = VISIT_OPEN;
            search->path[search->depth++] = next;
        }
    }
}

static void check_cycles(struct parser *parser) {
    struct search *search = arena_take(&parser->scratch, sizeof(*search));
    uint32_t *lines = arena_take(&parser->scratch, (GROUPS_MAX + 1) * sizeof(*lines));
    if (search == NULL || lines == NULL)
        return;
    uint32_t count = 0;
    for (const struct draft *draft = parser->groups; draft != NULL; draft = draft->next)
        lines[count++] = key_line(SECTION_WORKER, draft->seen, "after");
    for (uint32_t i = 0; i < count; i++) {
        if (search->visits[i] == VISIT_NEW)
            search_cycles(parser, search, lines, (uint16_t)i);
    }
}

/* --- what doesn't go together ------------------------------------------------------------------------------------- */

/* Whether a worker that fails at once each time has failed for good before it ever waits for the longest delay. */
static bool limit_hides_delay(const struct spec_group *group) {
    msec_t delay = group->delay_first;
    msec_t sum = 0;
    for (uint32_t i = 0; i < group->limit_failures; i++) {
        if (delay >= group->delay_last)
            return false;
        sum = msec_add(sum, delay);
        delay = msec_min(msec_add(delay, delay), group->delay_last);
    }
    return sum <= group->limit_window;
}

static void check_group(struct parser *parser, const struct draft *draft) {
    const struct spec_group *group = &draft->group;
    uint32_t timeout = key_line(SECTION_WORKER, draft->seen, "startup_timeout");
    uint32_t grace = key_line(SECTION_WORKER, draft->seen, "grace");
    uint32_t limit = key_line(SECTION_WORKER, draft->seen, "restart_limit");
    uint32_t delay = key_line(SECTION_WORKER, draft->seen, "restart_delay");
    listen_check(parser, draft);
    /* A `ready` with a fault in it isn't none. */
    bool no_ready = key_line(SECTION_WORKER, draft->seen, "ready") == 0 || parser->errors == 0;
    if (timeout > 0 && group->startup_timeout != MSEC_NEVER && group->ready == READY_NONE && no_ready)
        fault_add(parser, timeout, FAULT_WARNING,
                  "[worker:%s] startup_timeout: means nothing with ready = none; remove it, or write how it gets ready",
                  group->name);
    if (grace > 0 && group->grace != MSEC_NEVER && group->grace > parser->spec.grace)
        fault_add(parser, grace, FAULT_WARNING,
                  "[worker:%s] grace: longer than the container's, which ends it; raise [supervisor] grace or lower it",
                  group->name);
    if ((limit > 0 || delay > 0) && group->restart != RESTART_NO && group->limit_failures > 0 &&
        limit_hides_delay(group))
        fault_add(parser, limit > 0 ? limit : delay, FAULT_WARNING,
                  "[worker:%s] restart_limit: comes before the longest delay of restart_delay; raise it, or end the "
                  "delays earlier",
                  group->name);
}

static void check_signals(struct parser *parser) {
    for (int i = 1; i < SIGNALS_END; i++) {
        const struct signal_target *target = &parser->signal_targets[i];
        if (target->group == NULL)
            continue;
        char where[TITLE_BYTES];
        char name[SIGNAL_NAME_BYTES];
        (void)snprintf(where, sizeof(where), "[signals] %s", signal_name(i, parser->input->sigrtmin, name));
        int32_t index = group_index(parser, target->line, where, target->group);
        if (index >= 0)
            parser->spec.signals[i].group = index;
    }
}

void config_check(struct parser *parser) {
    collect_groups(parser);
    if (parser_failed(parser))
        return;
    check_total(parser);
    fill_before(parser);
    check_cycles(parser);
    for (const struct draft *draft = parser->groups; draft != NULL; draft = draft->next)
        check_group(parser, draft);
    check_signals(parser);
    wraps_check(parser);
    /* With an unknown section there may well be something, under a name that is a fault already. */
    const uint32_t *lines = parser->section_lines;
    if (lines[SECTION_WORKER] == 0 && lines[SECTION_PRIMARY] == 0 && lines[SECTION_UNKNOWN] == 0 &&
        parser->input->command == NULL && !parser->input->wraps_alone && parser->input->length <= CONFIG_BYTES_MAX)
        fault_add(parser, 0, FAULT_ERROR,
                  "nothing to run: add a [worker:NAME] or [primary] section, or give a COMMAND behind --");
}
