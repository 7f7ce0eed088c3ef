/* Which worker sections there will be. A program of several processes is one section with a count, unless the number
 * of a process shows in more than its name: then each gets a section of its own, in which the number is known.
 * Names that brood can't have are made into ones that it can, and stay different. */
#include "supervisor/import_internal.h"

#include <stdio.h>
#include <string.h>

#define SUFFIX_BYTES 5 /* "-500" */

/* --- groups ------------------------------------------------------------------------------------------------------- */

/* Whether a comma separated list has this word. */
static bool list_has(const char *list, const char *word) {
    size_t length = strlen(word);
    while (*list != '\0') {
        list += strspn(list, " \t\r\n");
        size_t item = strcspn(list, ",");
        if (strncmp(list, word, length) == 0 && strspn(list + length, " \t\r\n") == item - length)
            return true;
        list += item + (list[item] != '\0');
    }
    return false;
}

/* What %(group_name)s stands for: the [group:x] that names the program, else its own name. */
static const char *group_of(struct importer *importer, const char *program) {
    for (struct import_section *section = importer->sections; section != NULL; section = section->next) {
        const char *group = section_behind(section, "group:");
        const struct import_key *key = group == NULL ? NULL : key_find(importer, section, "programs");
        if (key != NULL && list_has(key->value, program))
            return group;
    }
    return program;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static bool is_taken(const struct importer *importer, const char *name) {
    return strcmp(name, "main") == 0 || strcmp(name, "primary") == 0 ||
           names_find(&importer->parser.names, SCOPE_GROUPS, name, strlen(name)) != NULL;
}

static void name_unit(const struct importer *importer, struct unit *unit, const char *wanted) {
    size_t length = 0;
    for (; wanted[length] != '\0' && length < NAME_MAX_BYTES; length++) {
        bool fits = name_valid(wanted + length, 1) || (length > 0 && strchr("._-", wanted[length]) != NULL);
        unit->name[length] = fits ? wanted[length] : length > 0 ? '-' : 'x';
    }
    if (length > NAME_MAX_BYTES - SUFFIX_BYTES && is_taken(importer, unit->name))
        length = NAME_MAX_BYTES - SUFFIX_BYTES;
    for (unsigned i = 2; is_taken(importer, unit->name); i++)
        (void)snprintf(unit->name + length, sizeof(unit->name) - length, "-%u", i);
}

/* process_name, expanded; NULL where it is of no use. */
static const char *process_name(struct importer *importer, const struct unit *unit) {
    const struct import_key *key = key_find(importer, unit->section, "process_name");
    if (key == NULL || !mentions(key->value, "process_num"))
        return NULL;
    const char *name = expand(importer, unit, key);
    return name == NULL || name[0] == '\0' || has_reference(name) ? NULL : name;
}

/* --- units -------------------------------------------------------------------------------------------------------- */

/* Whether a process's number shows here, in anything but its name and its log files. */
static bool shows(const struct import_key *key) {
    return strcmp(key->name, "process_name") != 0 && strstr(key->name, "_logfile") == NULL &&
           mentions(key->value, "process_num");
}

static bool number_shows(const struct import_section *section) {
    for (const struct import_key *key = section->keys; key != NULL; key = key->next) {
        if (shows(key))
            return true;
    }
    return false;
}

/* Processes of an [fcgi-program:x] share a socket, hence they are one group; a shell gives each its own number. */
static bool number_is_index(const struct import_section *section, int64_t start) {
    for (const struct import_key *key = section->keys; key != NULL; key = key->next) {
        if (shows(key) && (strcmp(key->name, "command") != 0 || start != 0 || !numbers_are_plain(key->value)))
            return false;
    }
    return true;
}

static void unit_add(struct importer *importer, const struct unit *template, bool numbered) {
    if (importer->units_count == GROUPS_MAX) {
        if (!importer->crowded)
            import_fault(importer, template->section->line, "more than %d worker groups would come of this file",
                         GROUPS_MAX);
        importer->crowded = true;
        return;
    }
    struct unit unit = *template;
    char numbered_name[NAME_MAX_BYTES * 2];
    const char *name = numbered ? process_name(importer, &unit) : unit.program;
    if (name == NULL) {
        (void)snprintf(numbered_name, sizeof(numbered_name), "%.20s_%d", unit.program, (int)unit.number);
        name = numbered_name;
    }
    name_unit(importer, &unit, name);
    struct unit *place = &importer->units[importer->units_count++];
    *place = unit;
    names_add(&importer->parser.names, &importer->parser.scratch,
              (struct name){.text = place->name, .length = strlen(place->name), .scope = SCOPE_GROUPS});
}

static void program(struct importer *importer, struct import_section *section, const char *name, bool fcgi) {
    name += strspn(name, " \t");
    if (name[0] == '\0' || strpbrk(name, " /:\t") != NULL) {
        import_fault(importer, section->line, "[%s] has no name that supervisord takes: no blank, no : and no /",
                     excerpt(&importer->parser, section->name, strlen(section->name), false));
        return;
    }
    struct unit unit = {.section = section, .program = name, .fcgi = fcgi, .first = true, .priority = 999, .grace = -1};
    int64_t start = 0;
    bool autostart = true;
    unit.group = group_of(importer, name);
    unit.numprocs = 1;
    (void)take_integer_of(importer, &unit, "numprocs", 0, WORKERS_MAX, &unit.numprocs);
    (void)take_integer_of(importer, &unit, "numprocs_start", 0, INT32_MAX - WORKERS_MAX, &start);
    (void)take_integer_of(importer, &unit, "priority", INT32_MIN, INT32_MAX, &unit.priority);
    (void)take_integer_of(importer, &unit, "stopwaitsecs", 0, DURATION_MAX_MS / 1000, &unit.grace);
    (void)take_flag_of(importer, &unit, "autostart", &autostart);
    unit.off = !autostart || unit.numprocs == 0;
    unit.number = start;
    unit.index = fcgi && unit.numprocs > 1 && number_shows(section);
    if (unit.index && !number_is_index(section, start)) {
        import_fault(importer, section->line,
                     "[%s]: its processes share a socket, so that brood has them in one group; "
                     "their number can only stand in command, as %%(process_num)d, without numprocs_start",
                     excerpt(&importer->parser, section->name, strlen(section->name), false));
        return;
    }
    if (unit.numprocs < 2 || unit.index || !number_shows(section)) {
        unit.count = unit.numprocs < 1 ? 1 : (uint32_t)unit.numprocs;
        unit_add(importer, &unit, false);
        return;
    }
    unit.count = 1;
    for (int64_t i = 0; i < unit.numprocs && !importer->crowded; i++) {
        unit.number = start + i;
        unit.first = i == 0;
        unit_add(importer, &unit, true);
    }
}

void units_collect(struct importer *importer) {
    importer->units = arena_take(&importer->parser.scratch, GROUPS_MAX * sizeof(*importer->units));
    if (importer->units == NULL)
        return;
    for (struct import_section *section = importer->sections; section != NULL; section = section->next) {
        const char *name = section_behind(section, "program:");
        const char *fcgi = section_behind(section, "fcgi-program:");
        if (name != NULL || fcgi != NULL)
            program(importer, section, name != NULL ? name : fcgi, fcgi != NULL);
    }
}
