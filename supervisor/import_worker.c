/* One [worker:NAME]. What supervisord does by default and brood doesn't is written down, so that the two behave
 * alike: only the program itself is asked to stop, starts that fail are given up after three retries, and the others go
 * on then. The numbers of restart_limit come from that: as many failures as retries, within the time that these
 * take where each life is shorter than startsecs. A program that lives some seconds longer is restarted for ever, as it
 * was; brood counts every failure in the window, so that one that lives hardly longer is given up, too. */
#include "supervisor/import_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/signals.h"

#define NUMBER_BYTES 32
#define DELAY_MAX_S 30 /* supervisord's delay grows for ever, by a second each */
#define YEAR_S (DURATION_MAX_MS / 1000)

static const char references_lost[] = "only the container knows this value, and brood.ini has no variables here; write "
                                      "what it is to be";

static const char autostart_lost[] = "only the container knows this value; brood starts the group, whatever it is";

/* The value of a key, expanded; NULL where it is absent, faulty, or has references. */
static char *plain_value(struct importer *importer, const struct unit *unit, const char *name,
                         struct import_key **ret_key) {
    struct import_key *key = key_find(importer, unit->section, name);
    char *value = key == NULL ? NULL : expand(importer, unit, key);
    if (value == NULL || has_reference(value))
        return NULL;
    *ret_key = key;
    return value;
}

static void copy_key(struct importer *importer, const struct unit *unit, const char *name, const char *to) {
    struct import_key *key;
    const char *value = plain_value(importer, unit, name, &key);
    if (value != NULL && value[0] != '\0')
        write_value(importer, key->line, "", to, value);
}

static uint32_t line_of(struct importer *importer, const struct unit *unit, const char *name) {
    const struct import_key *key = key_find(importer, unit->section, name);
    return key == NULL ? unit->section->line : key->line;
}

/* --- sockets of [fcgi-program:x] ---------------------------------------------------------------------------------- */

static void add_option(struct importer *importer, struct buffer *buffer, const char *name, const char *value) {
    buffer_text(importer, buffer, strchr(buffer->bytes, '?') == NULL ? "?" : "&");
    buffer_text(importer, buffer, name);
    buffer_text(importer, buffer, value);
}

static void add_owner(struct importer *importer, const struct unit *unit, struct buffer *buffer) {
    struct import_key *key;
    char *owner = plain_value(importer, unit, "socket_owner", &key);
    char *colon = owner == NULL ? NULL : strchr(owner, ':');
    if (colon != NULL)
        *colon = '\0';
    if (owner == NULL)
        owner = plain_value(importer, unit, "user", &key);
    if (owner != NULL && owner[0] != '\0')
        add_option(importer, buffer, "user=", owner);
    if (colon != NULL)
        add_option(importer, buffer, "group=", colon + 1);
}

static void write_listen(struct importer *importer, const struct unit *unit) {
    static const char local[] = "unix://";
    struct import_key *key;
    struct import_key *option;
    const char *place = plain_value(importer, unit, "socket", &key);
    struct buffer buffer = {.length = 0};
    if (place == NULL)
        return;
    bool is_local = strncmp(place, local, strlen(local)) == 0;
    buffer_text(importer, &buffer, is_local ? "unix:" : "");
    buffer_text(importer, &buffer, is_local ? place + strlen(local) : place);
    const char *backlog = plain_value(importer, unit, "socket_backlog", &option);
    if (importer_failed(importer))
        return;
    if (backlog != NULL)
        add_option(importer, &buffer, "backlog=", backlog);
    const char *mode = plain_value(importer, unit, "socket_mode", &option);
    if (is_local) {
        add_option(importer, &buffer, "mode=", mode == NULL ? "0700" : mode);
        add_owner(importer, unit, &buffer);
    }
    if (importer_failed(importer))
        return;
    write_line(importer, key->line, "type = cluster", NULL);
    write_value(importer, key->line, "", "listen", buffer.bytes);
}

/* --- restarting --------------------------------------------------------------------------------------------------- */

enum restarting { RESTARTING_NO, RESTARTING_UNEXPECTED, RESTARTING_ALWAYS };

static enum restarting restarting_of(struct importer *importer, const struct unit *unit) {
    struct import_key *key;
    const char *value = plain_value(importer, unit, "autorestart", &key);
    int flag = value == NULL ? -1 : flag_parse(value);
    if (flag >= 0)
        return flag == 1 ? RESTARTING_ALWAYS : RESTARTING_NO;
    if (value != NULL && !same_but_case(value, "unexpected"))
        import_fault(importer, key->line, "autorestart: %s is neither true, false nor unexpected",
                     excerpt(&importer->parser, value, strlen(value), true));
    return RESTARTING_UNEXPECTED;
}

/* seconds: how long a life is at the least that is no failed start. */
static void write_limit(struct importer *importer, const struct unit *unit, int64_t retries, int64_t seconds) {
    char number[NUMBER_BYTES];
    uint32_t line = line_of(importer, unit, "startretries");
    if (seconds == 0 || retries > RESTART_LIMIT_MAX) {
        write_line(importer, line, "restart_limit = 0", NULL);
        return;
    }
    if (retries == 0)
        retries = 1;
    int64_t last = retries < DELAY_MAX_S ? retries : DELAY_MAX_S;
    int64_t window = retries * seconds + retries; /* a second more for each exec */
    for (int64_t i = 0, delay = 1; i < retries; i++) {
        window += delay;
        delay = delay * 2 < last ? delay * 2 : last;
    }
    (void)snprintf(number, sizeof(number), last > 1 ? "1s..%ds" : "1s", (int)last);
    write_line(importer, line, "restart_delay = ", number, NULL);
    (void)snprintf(number, sizeof(number), "%d/%ds", (int)retries, (int)(window < YEAR_S ? window : YEAR_S));
    write_line(importer, line, "restart_limit = ", number, NULL);
}

static void write_restart(struct importer *importer, const struct unit *unit) {
    enum restarting restarting = restarting_of(importer, unit);
    uint32_t line = line_of(importer, unit, "autorestart");
    int64_t retries = 3;
    int64_t seconds = 1;
    bool has_retries = take_integer_of(importer, unit, "startretries", 0, INT32_MAX, &retries);
    bool has_seconds = take_integer_of(importer, unit, "startsecs", 0, YEAR_S, &seconds);
    struct import_key *codes;
    const char *value = plain_value(importer, unit, "exitcodes", &codes);
    if (restarting != RESTARTING_UNEXPECTED)
        write_line(importer, line, "restart = ", restarting == RESTARTING_NO ? "no" : "always", NULL);
    if (value != NULL && strcmp(value, "0") != 0 && restarting != RESTARTING_ALWAYS) {
        if (value[0] != '\0')
            write_value(importer, codes->line, "", "success_status", value);
        else
            write_remark(importer, codes, "brood needs at least one status that is a success");
    }
    if (restarting == RESTARTING_NO) {
        if (retries > 0 && seconds > 0) /* supervisord tries these again, whatever autorestart says */
            write_remark(importer, key_find(importer, unit->section, has_retries ? "startretries" : "autorestart"),
                         "with restart = no a failed start isn't tried again either");
        return;
    }
    write_limit(importer, unit, retries, seconds);
    if (has_retries && retries == 0 && seconds > 0)
        write_remark(importer, key_find(importer, unit->section, "startretries"), "one retry is brood's least");
    if (has_seconds && seconds > 0) {
        char number[NUMBER_BYTES];
        (void)snprintf(number, sizeof(number), "%" PRId64 "s", seconds);
        write_line(importer, line_of(importer, unit, "startsecs"), "stable_after = ", number, NULL);
    }
}

/* --- stopping ----------------------------------------------------------------------------------------------------- */

/* brood hands on what it was sent, QUIT where an image is made from nginx's; supervisord doesn't. */
static void write_stop_signal(struct importer *importer, const struct unit *unit) {
    struct import_key *key;
    char *value = plain_value(importer, unit, "stopsignal", &key);
    char number[NUMBER_BYTES];
    if (value == NULL) {
        write_line(importer, unit->section->line, "stop_signal = TERM", NULL);
        return;
    }
    for (char *at = value; *at != '\0'; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    int signal = signal_from_name(value, SIGRTMIN_USUAL, SIGRTMAX_USUAL);
    if (signal == 0)
        import_fault(importer, key->line, "stopsignal: %s is not a signal",
                     excerpt(&importer->parser, value, strlen(value), true));
    else
        write_line(importer, key->line, "stop_signal = ", signal_name(signal, SIGRTMIN_USUAL, number), NULL);
}

static void write_stop(struct importer *importer, const struct unit *unit) {
    char number[NUMBER_BYTES];
    bool group = false;
    bool kill_group = true;
    int64_t grace = unit->grace < 0 ? GRACE_USUAL_S : unit->grace;
    if (unit->grace >= 0 || grace < importer->grace) {
        (void)snprintf(number, sizeof(number), "%" PRId64 "s", grace);
        write_line(importer, line_of(importer, unit, "stopwaitsecs"), "grace = ", number, NULL);
    }
    write_stop_signal(importer, unit);
    (void)take_flag_of(importer, unit, "stopasgroup", &group);
    if (!group)
        write_line(importer, line_of(importer, unit, "stopasgroup"), "stop_to = leader", NULL);
    if (take_flag_of(importer, unit, "killasgroup", &kill_group) && !kill_group)
        write_remark(importer, key_find(importer, unit->section, "killasgroup"),
                     "brood's KILL goes to the whole group");
}

/* --- output ------------------------------------------------------------------------------------------------------- */

enum sink { SINK_OUT, SINK_ERR, SINK_NOTHING, SINK_FILE, SINK_UNSAID };

static enum sink sink_of(const struct import_key *key) {
    static const struct {
        const char *name;
        enum sink sink;
    } names[] = {{"/dev/stdout", SINK_OUT},     {"/dev/fd/1", SINK_OUT},    {"/proc/self/fd/1", SINK_OUT},
                 {"/proc/1/fd/1", SINK_OUT},    {"/dev/stderr", SINK_ERR},  {"/dev/fd/2", SINK_ERR},
                 {"/proc/self/fd/2", SINK_ERR}, {"/proc/1/fd/2", SINK_ERR}, {"/dev/null", SINK_NOTHING},
                 {"NONE", SINK_NOTHING},        {"none", SINK_NOTHING},     {"None", SINK_NOTHING},
                 {"OFF", SINK_NOTHING},         {"off", SINK_NOTHING},      {"AUTO", SINK_UNSAID},
                 {"auto", SINK_UNSAID},         {"Auto", SINK_UNSAID}};
    if (key == NULL)
        return SINK_UNSAID;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(key->value, names[i].name) == 0)
            return names[i].sink;
    }
    return SINK_FILE;
}

static void remark_sink(struct importer *importer, const struct import_key *key, enum sink sink, enum sink own) {
    if (sink == SINK_FILE)
        write_remark(importer, key, "goes where brood's own goes; for a file: start = sh -c 'exec ... >>FILE'");
    else if (sink == SINK_NOTHING)
        write_remark(importer, key, "output = null would be for both streams; this one: sh -c 'exec ... >/dev/null'");
    else if (sink != own && sink != SINK_UNSAID)
        write_remark(importer, key, "the two streams stay apart, as brood's own");
}

static void write_output(struct importer *importer, const struct unit *unit) {
    const struct import_key *out_key = key_find(importer, unit->section, "stdout_logfile");
    const struct import_key *err_key = key_find(importer, unit->section, "stderr_logfile");
    enum sink out = sink_of(out_key);
    enum sink err = sink_of(err_key);
    bool redirect = false;
    if (!take_flag_of(importer, unit, "redirect_stderr", &redirect))
        redirect = false;
    if (out == SINK_NOTHING && (redirect || err == SINK_NOTHING)) {
        write_line(importer, out_key->line, "output = null", NULL);
        return;
    }
    if (!unit->first)
        return;
    if (out_key != NULL)
        remark_sink(importer, out_key, out, SINK_OUT);
    if (err_key != NULL && !redirect)
        remark_sink(importer, err_key, err, SINK_ERR);
    if (redirect)
        write_remark(importer, key_find(importer, unit->section, "redirect_stderr"),
                     "the two streams stay apart, as brood's own");
}

/* --- order -------------------------------------------------------------------------------------------------------- */

/* supervisord starts and stops by priority and waits for nobody, so that most numbers mean nothing; where one does,
 * the line that says it is there to be used. */
static void write_priority(struct importer *importer, const struct unit *unit) {
    struct import_key *key = key_find(importer, unit->section, "priority");
    struct buffer names = {.length = 0};
    int64_t below = INT64_MIN;
    if (key == NULL || has_reference(key->value))
        return;
    for (uint32_t i = 0; i < importer->units_count; i++) {
        const struct unit *other = &importer->units[i];
        if (!other->off && other->priority < unit->priority && other->priority > below)
            below = other->priority;
    }
    for (uint32_t i = 0; i < importer->units_count; i++) {
        const struct unit *other = &importer->units[i];
        if (other->off || other->priority != below)
            continue;
        buffer_text(importer, &names, names.length == 0 ? "" : ", ");
        buffer_text(importer, &names, other->name);
    }
    if (names.length == 0 || importer_failed(importer))
        return;
    write_remark(importer, key, "brood starts all at once; in that order with the line below");
    write_line(importer, 0, "; after = ", names.bytes, NULL);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static void write_head(struct importer *importer, const struct unit *unit) {
    char line[NUMBER_BYTES];
    (void)snprintf(line, sizeof(line), "%u: ", unit->section->line);
    write_gap(importer);
    write_line(importer, 0, "; line ", line, "[", printable_text(importer, unit->section->name), "]", NULL);
    if (!unit->off)
        return;
    struct import_key *key = key_find(importer, unit->section, unit->numprocs == 0 ? "numprocs" : "autostart");
    if (key != NULL)
        write_remark(importer, key, "brood starts every group, hence a comment; without the ; it is one");
}

static void write_identity(struct importer *importer, const struct unit *unit) {
    struct unit own = {.section = section_find(importer, "supervisord")};
    int64_t descriptors = 0;
    struct import_key *key;
    copy_key(importer, unit, "directory", "working_directory");
    if (key_find(importer, unit->section, "user") != NULL) {
        copy_key(importer, unit, "user", "user");
    } else if (own.section != NULL) {
        const char *user = plain_value(importer, &own, "user", &key);
        if (user != NULL && user[0] != '\0' && strcmp(user, "root") != 0 && strcmp(user, "0") != 0)
            write_value(importer, key->line, "", "user", user);
    }
    copy_key(importer, unit, "umask", "umask");
    if (own.section != NULL && take_integer_of(importer, &own, "minfds", 0, INT32_MAX, &descriptors) &&
        descriptors > 1024) { /* which everybody has anyway */
        char number[NUMBER_BYTES];
        (void)snprintf(number, sizeof(number), "%" PRId64, descriptors);
        write_line(importer, line_of(importer, &own, "minfds"), "limit_nofile = ", number, NULL);
    }
    write_environment(importer, unit, "env.");
}

void write_references(struct importer *importer, const struct import_section *section) {
    for (const struct import_key *key = section->keys; key != NULL; key = key->next) {
        if (key->used && strcmp(key->name, "command") != 0 && strcmp(key->name, "environment") != 0 &&
            strstr(key->name, "_logfile") == NULL &&
            (mentions(key->value, "ENV_") || mentions(key->value, "host_node_name")))
            write_remark(importer, key, strcmp(key->name, "autostart") == 0 ? autostart_lost : references_lost);
        if (key->used && mentions(key->value, "here)"))
            write_remark(importer, key, "%(here)s is taken for the directory in which the file was read");
    }
}

static const struct leftover leftovers[] = {
    {"process_name", NULL},
    {"stdout_logfile_maxbytes", NULL},
    {"stdout_logfile_backups", NULL},
    {"stderr_logfile_maxbytes", NULL},
    {"stderr_logfile_backups", NULL},
    {"stdout_syslog", "brood writes to no syslog"},
    {"stderr_syslog", "brood writes to no syslog"},
    {"stdout_capture_maxbytes", "brood has no events"},
    {"stderr_capture_maxbytes", "brood has no events"},
    {"stdout_events_enabled", "brood has no events"},
    {"stderr_events_enabled", "brood has no events"},
    {"serverurl", "brood has no HTTP server"},
    {"depends_on", "not a key of supervisord's; what it means elsewhere is after in brood"},
};

void write_worker(struct importer *importer, const struct unit *unit) {
    write_head(importer, unit);
    importer->off = unit->off;
    write_line(importer, unit->section->line, "[worker:", unit->name, "]", NULL);
    const struct import_key *key = key_find(importer, unit->section, "command");
    char *command = key == NULL ? NULL : expand(importer, unit, key);
    struct import_key *place;
    bool socket = unit->fcgi && plain_value(importer, unit, "socket", &place) != NULL;
    if (key == NULL)
        import_fault(importer, unit->section->line, "[%s] has no command",
                     excerpt(&importer->parser, unit->section->name, strlen(unit->section->name), false));
    if (command != NULL)
        write_command(importer, key, command, socket);
    if (command != NULL && unit->first && (strstr(command, "supervisord") || strstr(command, "supervisorctl")))
        write_remark(importer, key, "speaks of supervisord, which isn't there any more");
    if (unit->count > 1) {
        char number[NUMBER_BYTES];
        (void)snprintf(number, sizeof(number), "%u", unit->count);
        write_line(importer, line_of(importer, unit, "numprocs"), "count = ", number, NULL);
    }
    if (socket)
        write_listen(importer, unit);
    write_identity(importer, unit);
    write_restart(importer, unit);
    write_stop(importer, unit);
    write_line(importer, unit->section->line, "on_failure = continue", NULL);
    write_output(importer, unit);
    write_priority(importer, unit);
    if (unit->first) {
        write_references(importer, unit->section);
        write_leftovers(importer, unit->section, leftovers, sizeof(leftovers) / sizeof(leftovers[0]));
    }
    importer->off = false;
}
