/* What can be said of [wrap:…] sections only when the whole file is read: one shim root for all, groups that are there,
 * wrappers that can run in what they wrap, and sections around each other in an order that can work.
 *
 * What a program is goes by its name or path, as written: which of them are one file, and whether there is a file, is
 * looked up when brood starts. */
#include "supervisor/config_internal.h"

#include <stdio.h>
#include <string.h>

static void check_shim_root(struct parser *parser, const struct draft *draft, const struct draft **first) {
    const struct spec_wrap *wrap = &draft->wrap;
    uint32_t line = key_line(SECTION_WRAP, draft->seen, "shim_root");
    if (wrap->shim_root == NULL)
        return;
    if (strchr(wrap->shim_root, ' ') != NULL && wrap->reach != REACH_PATH)
        fault_add(parser, line, FAULT_ERROR,
                  "[wrap:%s] shim_root: has a blank, which ends it in LD_PRELOAD; choose another one, or reach = path",
                  wrap->name);
    if (*first == NULL)
        *first = draft;
    else if (strcmp((*first)->wrap.shim_root, wrap->shim_root) != 0)
        fault_add(parser, line, FAULT_ERROR,
                  "[wrap:%s] shim_root: differs from the one of [wrap:%s] on line %u; write the same in all",
                  wrap->name, (*first)->wrap.name, key_line(SECTION_WRAP, (*first)->seen, "shim_root"));
}

/* Fills wrap's groups; false where it names none that there is: `main` without a COMMAND. */
static bool resolve_workers(struct parser *parser, const struct draft *draft, struct spec_wrap *wrap) {
    uint32_t line = key_line(SECTION_WRAP, draft->seen, "workers");
    char where[TITLE_BYTES];
    (void)snprintf(where, sizeof(where), "[wrap:%s] workers", wrap->name);
    if (line > 0 && wrap->reach == REACH_STRICT)
        fault_add(parser, line, FAULT_ERROR,
                  "%s: reach = strict changes the program itself, for every process; remove one of them", where);
    if (draft->workers.count == 0)
        return true;
    wrap->groups = arena_take(&parser->keep, draft->workers.count * sizeof(*wrap->groups));
    if (wrap->groups == NULL)
        return false;
    for (uint32_t i = 0; i < draft->workers.count; i++) {
        const char *name = draft->workers.items[i];
        bool absent_command = strcmp(name, "main") == 0 && parser->input->command == NULL;
        int32_t index = absent_command ? -1 : group_index(parser, line, where, name);
        if (index >= 0)
            wrap->groups[wrap->groups_count++] = (uint16_t)index;
    }
    return wrap->groups_count > 0;
}

/* --- wrappers and their order ------------------------------------------------------------------------------------ */

/* What a wrap is, by how far outside it may stand: a module can't start another process between itself and the main
 * module, and one that wraps in the same process has nobody to hand an argument list to. */
enum layer { LAYER_EXECUTABLE, LAYER_OTHER_PROCESS, LAYER_SAME_PROCESS };

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* A wrap without a wrapper, which is a fault already, is taken for an executable: nothing more is said of it. */
static enum layer layer_of(const struct spec_wrap *wrap) {
    const char *path = wrap->wrapper == NULL ? "" : wrap->wrapper;
    if (!ends_with(path, ".js") && !ends_with(path, ".cjs") && !ends_with(path, ".mjs"))
        return LAYER_EXECUTABLE;
    return wrap->same_process ? LAYER_SAME_PROCESS : LAYER_OTHER_PROCESS;
}

/* node, nodejs, node18, node-18, node.real: by its name, no parser can look into the file. */
static bool is_node(const char *program) {
    const char *slash = strrchr(program, '/');
    const char *base = slash == NULL ? program : slash + 1;
    if (strncmp(base, "node", 4) != 0)
        return false;
    const char *rest = base + 4;
    return rest[0] == '\0' || strcmp(rest, "js") == 0 || strchr("0123456789-.", rest[0]) != NULL;
}

static void check_modules(struct parser *parser, const struct draft *draft, const struct spec_wrap *wrap) {
    if (layer_of(wrap) == LAYER_EXECUTABLE)
        return;
    for (uint32_t i = 0; i < wrap->programs.count; i++) {
        const char *program = wrap->programs.items[i];
        if (!is_node(program))
            fault_add(parser, key_line(SECTION_WRAP, draft->seen, "programs"), FAULT_ERROR,
                      "[wrap:%s] programs: %s is not node, and %s is a module that only node can run; remove it, or "
                      "write an executable as the wrapper",
                      wrap->name, excerpt(parser, program, strlen(program), true),
                      excerpt(parser, wrap->wrapper, strlen(wrap->wrapper), true));
    }
}

/* Whether there is a process that both are for. */
static bool wraps_meet(const struct spec_wrap *a, const struct spec_wrap *b) {
    for (uint32_t i = 0; i < a->groups_count && b->groups_count > 0; i++) {
        for (uint32_t j = 0; j < b->groups_count; j++) {
            if (a->groups[i] == b->groups[j])
                return true;
        }
    }
    return a->groups_count == 0 || b->groups_count == 0;
}

/* inner comes later in the file than outer. True where it had to be said that this can't be. */
static bool check_nesting(struct parser *parser, const struct spec_wrap *outer, const struct spec_wrap *inner,
                          const char *program) {
    if (layer_of(outer) <= layer_of(inner) || !wraps_meet(outer, inner))
        return false;
    const char *shown = excerpt(parser, program, strlen(program), true);
    if (layer_of(inner) == LAYER_EXECUTABLE)
        fault_add(
            parser, inner->line, FAULT_ERROR,
            "[wrap:%s] an executable can't wrap %s inside of the module of [wrap:%s] on line %u; put this section "
            "before that one",
            inner->name, shown, outer->name, outer->line);
    else
        fault_add(parser, inner->line, FAULT_ERROR,
                  "[wrap:%s] same_process = no can't wrap %s inside of [wrap:%s] on line %u, where it is yes; put this "
                  "section before that one, or write the same in both",
                  inner->name, shown, outer->name, outer->line);
    return true;
}

/* A module for one program, in the list of all of them in file order; numbers are those of `outers`, 0 is none. */
struct outer {
    const struct spec_wrap *wrap;
    uint32_t next;
    uint32_t last; /* of the first one */
};

/* The modules of earlier sections, by program. Executables can be around everything and needn't be known. */
struct outers {
    struct outer *items; /* [0] is unused */
    uint32_t count;
    uint32_t scope;
};

static uint32_t outers_first(const struct parser *parser, const struct outers *outers, const char *program) {
    const struct name *known = names_find(&parser->names, outers->scope, program, strlen(program));
    return known == NULL ? 0 : known->value;
}

static void outers_add(struct parser *parser, struct outers *outers, const struct spec_wrap *wrap,
                       const char *program) {
    uint32_t first = outers_first(parser, outers, program);
    uint32_t number = ++outers->count;
    outers->items[number].wrap = wrap;
    if (first == 0) {
        names_add(&parser->names, &parser->scratch,
                  (struct name){.text = program, .length = strlen(program), .scope = outers->scope, .value = number});
        first = number;
    } else {
        outers->items[outers->items[first].last].next = number;
    }
    outers->items[first].last = number;
}

/* Says of a section the first thing that can't be. */
static void check_outers(struct parser *parser, const struct outers *outers, const struct spec_wrap *wrap) {
    for (uint32_t i = 0; i < wrap->programs.count; i++) {
        const char *program = wrap->programs.items[i];
        for (uint32_t at = outers_first(parser, outers, program); at != 0; at = outers->items[at].next) {
            if (check_nesting(parser, outers->items[at].wrap, wrap, program))
                return;
        }
    }
}

/* That a name and a path are one file is seen only at the start: programs are compared as they are written. */
static void check_layers(struct parser *parser) {
    const struct spec *spec = &parser->spec;
    struct outers outers = {.scope = SCOPE_VARIABLES + parser->scopes_count++};
    size_t count = 1;
    for (uint32_t i = 0; i < spec->wraps_count; i++)
        count += spec->wraps[i].programs.count;
    outers.items = arena_take(&parser->scratch, count * sizeof(*outers.items));
    for (uint32_t i = 0; i < spec->wraps_count && !parser_failed(parser); i++) {
        const struct spec_wrap *wrap = &spec->wraps[i];
        check_outers(parser, &outers, wrap);
        for (uint32_t j = 0; j < wrap->programs.count && layer_of(wrap) != LAYER_EXECUTABLE; j++)
            outers_add(parser, &outers, wrap, wrap->programs.items[j]);
    }
}

/* ------------------------------------------------------------------------------------------------------------------ */

void wraps_check(struct parser *parser) {
    struct spec *spec = &parser->spec;
    const struct draft *shim_root = NULL;
    size_t count = 0;
    for (const struct draft *draft = parser->wraps; draft != NULL; draft = draft->next) {
        check_shim_root(parser, draft, &shim_root);
        count++;
    }
    if (count == 0)
        return;
    spec->wraps = arena_take(&parser->keep, count * sizeof(*spec->wraps));
    for (const struct draft *draft = parser->wraps; draft != NULL && !parser_failed(parser); draft = draft->next) {
        struct spec_wrap wrap = draft->wrap;
        if (shim_root != NULL)
            wrap.shim_root = shim_root->wrap.shim_root;
        if (wrap.programs.count == 0)
            list_append(&wrap.programs, &parser->keep, "node", 4);
        check_modules(parser, draft, &wrap);
        if (resolve_workers(parser, draft, &wrap))
            spec->wraps[spec->wraps_count++] = wrap;
    }
    if (!parser_failed(parser))
        check_layers(parser);
}
