/* A fact as a story tells it to the event that the core gets. Generations are not written down: a fact is about the
 * life that its process has now, or, as "web/0#1", about the one it says. */
#include "tests/golden/story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config.h"
#include "supervisor/signals.h"

#define SIGRTMIN_OF_STORIES 34
#define SIGRTMAX_OF_STORIES 64

static bool skip(const char **text, const char *prefix) {
    size_t length = strlen(prefix);
    if (strncmp(*text, prefix, length) != 0)
        return false;
    *text += length;
    return true;
}

static int signal_of(const char *name) {
    return signal_from_name(name, SIGRTMIN_OF_STORIES, SIGRTMAX_OF_STORIES);
}

static int error_of(const char *name) {
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM}, {"ENOENT", ENOENT}, {"EACCES", EACCES}, {"ENOEXEC", ENOEXEC}};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strncmp(errors[i].name, name, strlen(errors[i].name)) == 0)
            return errors[i].number;
    return 0;
}

static enum spawn_stage stage_of(const char *text) {
    return strstr(text, "directory")     ? STAGE_DIRECTORY
           : strstr(text, "interpreter") ? STAGE_INTERPRETER
           : strstr(text, "set up")      ? STAGE_SETUP
                                         : STAGE_EXEC;
}

/* "web/0", "hook web/0", "probe web/0", "main", "primary" at the beginning of *text; what follows the blank after it to
 * *text. */
static bool parse_slot(const struct sv *sv, const char **text, struct slot *ret) {
    const struct spec *spec = sv_spec(sv);
    struct slot slot = {.kind = skip(text, "hook ") ? SLOT_HOOK : skip(text, "probe ") ? SLOT_PROBE : SLOT_WORKER};
    bool found = false;
    if (skip(text, "primary")) {
        slot.kind = SLOT_PRIMARY;
        slot.index = sv_phase(sv) == PHASE_FINISH ? PRIMARY_STOP : PRIMARY_START;
        found = true;
    }
    for (uint32_t i = 0; i < spec->groups_count && !found; i++) {
        size_t length = strlen(spec->groups[i].name);
        char *end = NULL;
        if (strncmp(*text, spec->groups[i].name, length) != 0 || !strchr("/ ", (*text)[length]))
            continue;
        unsigned long index = (*text)[length] == '/' ? strtoul(*text + length + 1, &end, 10) : 0;
        *text = end ? end : *text + length;
        slot.index = spec->groups[i].first_worker + (uint32_t)index;
        found = index < spec->groups[i].count;
    }
    slot.generation = found ? sv_generation(sv, slot.kind, slot.index) : 0;
    if (found && skip(text, "#")) {
        char *end;
        slot.generation = (uint32_t)strtoul(*text, &end, 10);
        *text = end;
    }
    skip(text, " ");
    *ret = slot;
    return found;
}

/* "exited 1", "killed by TERM", both perhaps with ", members left". */
static bool parse_ending(const char *text, struct event *ret) {
    char name[SIGNAL_NAME_BYTES];
    ret->kind = EVENT_EXITED;
    ret->members_left = strstr(text, ", members left") != NULL;
    if (skip(&text, "exited ")) {
        ret->ending = (struct ending){.kind = ENDING_EXITED, .number = (uint8_t)strtoul(text, NULL, 10)};
        return *text >= '0' && *text <= '9';
    }
    if (!skip(&text, "killed by "))
        return false;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, ", "), text);
    ret->ending = (struct ending){.kind = ENDING_KILLED, .number = (uint8_t)signal_of(name)};
    return ret->ending.number > 0;
}

static bool parse_process_fact(const char *text, struct event *ret) {
    static const struct {
        const char *text;
        enum event_kind kind;
    } plain[] = {
        {"executed", EVENT_EXECUTED},       {"ready", EVENT_READY},         {"stopping", EVENT_UNREADY},
        {"group empty", EVENT_GROUP_EMPTY}, {"unhealthy", EVENT_UNHEALTHY}, {"alive", EVENT_WATCHDOG},
    };
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        ret->kind = plain[i].kind;
        if (strcmp(text, plain[i].text) == 0)
            return true;
    }
    if (ret->slot.kind == SLOT_PROBE) {
        ret->kind = EVENT_PROBED;
        ret->success = strcmp(text, "succeeded") == 0;
        return ret->success || strcmp(text, "failed") == 0;
    }
    if (skip(&text, "alive every ")) {
        ret->kind = EVENT_WATCHDOG;
        return config_duration(text, &ret->duration, NULL) == 0;
    }
    if (skip(&text, "exec failed ")) {
        ret->kind = EVENT_EXEC_FAILED;
        ret->error = error_of(text);
        ret->stage = stage_of(text);
        return ret->error > 0;
    }
    if (skip(&text, "fork failed ")) {
        ret->kind = EVENT_SPAWN_FAILED;
        ret->error = error_of(text);
        return ret->error > 0;
    }
    if (skip(&text, "extend ")) {
        ret->kind = EVENT_EXTEND;
        return config_duration(text, &ret->duration, NULL) == 0;
    }
    return parse_ending(text, ret);
}

/* What is about no process: the beginning, signals, an operator, the last child. */
static bool parse_container_fact(const struct sv *sv, const char *text, struct event *ret) {
    static const struct {
        const char *text;
        enum event_kind kind;
    } plain[] = {{"boot", EVENT_BOOT},
                 {"no child left", EVENT_CHILDREN_GONE},
                 {"shutdown", EVENT_SHUTDOWN},
                 {"tick", EVENT_TICK}};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        ret->kind = plain[i].kind;
        if (strcmp(text, plain[i].text) == 0)
            return true;
    }
    ret->kind = skip(&text, "start ")     ? EVENT_WORKER_START
                : skip(&text, "stop ")    ? EVENT_WORKER_STOP
                : skip(&text, "restart ") ? EVENT_WORKER_RESTART
                                          : EVENT_SIGNAL;
    if (ret->kind != EVENT_SIGNAL)
        return parse_slot(sv, &text, &ret->slot);
    ret->hangup = strcmp(text, "HUP of the terminal") == 0;
    ret->signal = ret->hangup ? SIGNAL_HUP : signal_of(text);
    return ret->signal > 0;
}

const char *fact_parse(const struct sv *sv, const char *line, struct event *ret) {
    struct event event = {0};
    const char *text = line + strcspn(line, "]");
    char *end;
    if ((line[0] != '<' && line[0] != '!') || line[1] != ' ' || line[2] != '[' || *text != ']' || text[1] != ' ')
        return "a fact looks like `< [  2000] web/0 exited 1`";
    event.time = strtoll(line + 3, &end, 10);
    if (*end != ']' || end == line + 3)
        return "its time is not a number";
    text += 2;
    const char *fact = text;
    bool good =
        parse_slot(sv, &fact, &event.slot) ? parse_process_fact(fact, &event) : parse_container_fact(sv, text, &event);
    if (!good)
        return "this fact is not known";
    *ret = event;
    return NULL;
}
