/* What stands around the workers: [supervisor] and [env] above, and below a comment for each section that brood has no
 * word for. */
#include "supervisor/import_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_BYTES 32

/* --- environment -------------------------------------------------------------------------------------------------- */

/* Whether brood would expand a part of it that supervisord leaves alone: there is no way to write that. */
static bool has_foreign_reference(const char *value) {
    for (const char *at = strstr(value, "${"); at != NULL; at = strstr(at + 2, "${")) {
        const char *close = strchr(at, '}');
        if (close != NULL && variable_valid(at + 2, (size_t)(close - at - 2)))
            return true;
    }
    return false;
}

/* Whether a value has a reference to one of the pairs above it: brood would put the new value in, not the old one. */
static bool refers_to(const char *value, const struct pair *pairs, size_t count) {
    for (const char *at = strchr(value, REFERENCE_BEGIN); at != NULL; at = strchr(at + 1, REFERENCE_BEGIN)) {
        for (size_t i = 0; i < count; i++) {
            size_t length = strlen(pairs[i].name);
            if (strncmp(at + 1, pairs[i].name, length) == 0 && at[1 + length] == REFERENCE_END)
                return true;
        }
    }
    return false;
}

void write_environment(struct importer *importer, const struct unit *unit, const char *prefix) {
    const struct import_key *key = key_find(importer, unit->section, "environment");
    char *value = key == NULL ? NULL : expand(importer, unit, key);
    struct pair *pairs;
    size_t count;
    if (value == NULL || !environment_read(importer, key, value, &pairs, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        char line[NUMBER_BYTES * 2];
        (void)snprintf(line, sizeof(line), "; line %u: environment: ", key->line);
        if (refers_to(pairs[i].value, pairs, i))
            write_line(importer, 0, line,
                       "${...} below is what a line above sets; supervisord takes what there was before", NULL);
        if (has_foreign_reference(pairs[i].value))
            write_line(importer, 0, line, printable_text(importer, pairs[i].name), "=",
                       printable_text(importer, with_references(importer, pairs[i].value)),
                       ": brood would expand it; it stays as it is in start = env 'NAME=VALUE' ...", NULL);
        else
            write_value(importer, key->line, prefix, pairs[i].name, with_references(importer, pairs[i].value));
    }
}

/* --- keys and sections without a word ----------------------------------------------------------------------------- */

void write_leftovers(struct importer *importer, struct import_section *section, const struct leftover *known,
                     size_t count) {
    for (struct import_key *key = section->keys; key != NULL; key = key->next) {
        if (key->used)
            continue;
        key->used = true;
        const char *why = "supervisord has no such key";
        for (size_t i = 0; i < count; i++) {
            if (strcmp(known[i].name, key->name) == 0)
                why = known[i].why;
        }
        if (why != NULL && flag_parse(key->value) != 0)
            write_remark(importer, key, why);
    }
}

static const struct leftover supervisord_leftovers[] = {
    {"nodaemon", NULL},
    {"logfile_maxbytes", NULL},
    {"logfile_backups", NULL},
    {"nocleanup", NULL},
    {"silent", NULL},
    {"user", NULL},
    {"logfile", "brood's records go to standard error; log_level, or brood -q, makes them fewer"},
    {"pidfile", "brood writes no such file"},
    {"minprocs", "a worker's limits are those that the container has; limit_nproc lowers one"},
    {"umask", "brood leaves it as the container has it; a worker's own is umask"},
    {"directory", "where brood is started; a worker's own is working_directory"},
    {"childlogdir", "brood writes no log files"},
    {"identifier", "brood has no HTTP server"},
    {"strip_ansi", "brood passes output on as it is"},
};

static const struct {
    const char *prefix;
    const char *why;
} sections[] = {
    {"unix_http_server", "brood has no HTTP server"},
    {"inet_http_server", "brood has no HTTP server"},
    {"rpcinterface:", "brood has no HTTP server"},
    {"supervisorctl", "for supervisorctl alone"},
    {"ctlplugin:", "for supervisorctl alone"},
    {"group:", "brood has no groups of several programs"},
    {"eventlistener:", "brood has no events; if it is there to end the container, remove on_failure = continue above, "
                       "and write on_success = shutdown where an exit 0 is to end it, too"},
    {"include", "not followed; put this file and those into one, see broodctl(1), and import that"},
};

static const char *why_of(const char *section) {
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (strncmp(section, sections[i].prefix, strlen(sections[i].prefix)) == 0)
            return sections[i].why;
    }
    return "supervisord has no such section";
}

static void write_section(struct importer *importer, struct import_section *section) {
    /* What one wants to be reminded of. */
    static const char *const shown[] = {"programs", "command", "events", "files"};
    char line[NUMBER_BYTES];
    (void)snprintf(line, sizeof(line), "; line %u: [", section->line);
    write_line(importer, 0, line, printable_text(importer, section->name), "]: ", why_of(section->name), NULL);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        const struct import_key *key = key_find(importer, section, shown[i]);
        if (key != NULL)
            write_line(importer, 0, ";   ", key->name, "=", printable_text(importer, key->value), NULL);
    }
}

void write_rest(struct importer *importer) {
    write_gap(importer);
    for (struct import_section *section = importer->sections; section != NULL; section = section->next) {
        if (section_behind(section, "program:") != NULL || section_behind(section, "fcgi-program:") != NULL)
            continue;
        bool own = strcmp(section->name, "supervisord") == 0;
        if (own || strcmp(section->name, "DEFAULT") == 0)
            write_references(importer, section);
        if (own)
            write_leftovers(importer, section, supervisord_leftovers,
                            sizeof(supervisord_leftovers) / sizeof(supervisord_leftovers[0]));
        else if (strcmp(section->name, "DEFAULT") == 0)
            write_leftovers(importer, section, NULL, 0);
        else
            write_section(importer, section);
    }
}

/* --- [supervisor] and [env] --------------------------------------------------------------------------------------- */

/* What brood calls a level of supervisord's, in whatever case; NULL: it has no such one. */
static const char *level_of(const char *value) {
    static const char *const levels[][2] = {
        {"critical", "error"}, {"error", "error"}, {"warn", "warning"},  {"info", "info"},
        {"debug", "debug"},    {"trace", "debug"}, {"blather", "debug"},
    };
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (same_but_case(value, levels[i][0]))
            return levels[i][1];
    }
    return NULL;
}

/* NULL: there is none, or only the container knows it. */
static const char *log_level(struct importer *importer, const struct unit *own, const struct import_key *key) {
    const char *value = key == NULL ? NULL : expand(importer, own, key);
    const char *level = value == NULL || has_reference(value) ? NULL : level_of(value);
    if (level == NULL && value != NULL && !has_reference(value))
        import_fault(importer, key->line,
                     "loglevel: %s is not a level; supervisord has critical, error, warn, info, "
                     "debug, trace and blather",
                     excerpt(&importer->parser, value, strlen(value), true));
    return level;
}

static void write_supervisor(struct importer *importer, const struct unit *own) {
    const struct import_key *key = own->section == NULL ? NULL : key_find(importer, own->section, "loglevel");
    const char *level = log_level(importer, own, key);
    importer->grace = GRACE_USUAL_S;
    for (uint32_t i = 0; i < importer->units_count; i++) {
        if (importer->units[i].grace > importer->grace && !importer->units[i].off)
            importer->grace = importer->units[i].grace;
    }
    if (level != NULL && strcmp(level, "info") == 0) /* brood's own default, too */
        level = NULL;
    if (importer->grace == GRACE_USUAL_S && level == NULL)
        return;
    write_gap(importer);
    write_line(importer, 0, "[supervisor]", NULL);
    if (importer->grace != GRACE_USUAL_S) {
        char number[NUMBER_BYTES];
        (void)snprintf(number, sizeof(number), "%" PRId64 "s", importer->grace);
        write_line(importer, 0, "; the longest stopwaitsecs; docker stop waits 10 s unless told otherwise", NULL);
        write_line(importer, 0, "grace = ", number, NULL);
    }
    if (level != NULL)
        write_line(importer, key->line, "log_level = ", level, NULL);
}

void write_top(struct importer *importer) {
    struct unit own = {.section = section_find(importer, "supervisord")};
    write_line(importer, 0, "; From ", printable_text(importer, importer->input->name),
               ", whose lines are named where something could not be carried over.", NULL);
    write_line(importer, 0,
               "; on_failure = continue, as supervisord does: without that line the container ends when the "
               "program has",
               NULL);
    write_line(importer, 0,
               "; failed for good, with its exit status. stop_to = leader, too: without it children are asked "
               "to stop as well.",
               NULL);
    write_supervisor(importer, &own);
    if (own.section == NULL || key_find(importer, own.section, "environment") == NULL)
        return;
    write_gap(importer);
    write_line(importer, 0, "[env]", NULL);
    write_environment(importer, &own, "");
}
