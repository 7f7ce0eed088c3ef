/* State, event and action to text. Everything that a person reads about a process comes through here, so that the log,
 * the golden stories and a failing seed of the simulator speak one language. */
#include "supervisor/describe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/core.h"
#include "supervisor/signals.h"

/* A text that grows to the right and counts what no longer fits, as snprintf does. */
struct text {
    char *buffer;
    size_t size;
    size_t length;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...) {
    size_t left = text->length < text->size ? text->size - text->length : 0;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(left ? text->buffer + text->length : NULL, left, format, arguments);
    va_end(arguments);
    if (length > 0)
        text->length += (size_t)length;
}

static struct text begin(char *buffer, size_t size) {
    if (size > 0)
        buffer[0] = '\0';
    return (struct text){.buffer = buffer, .size = size};
}

/* --- words --- */

static const char *const cause_names[CAUSES] = {
    [CAUSE_BOOT] = "boot",
    [CAUSE_SPAWN] = "spawn",
    [CAUSE_SPAWN_FAILED] = "spawn_failed",
    [CAUSE_EXECUTED] = "executed",
    [CAUSE_EXEC_FAILED] = "exec_failed",
    [CAUSE_READY] = "ready",
    [CAUSE_UNREADY] = "unready",
    [CAUSE_EXITED] = "exited",
    [CAUSE_KILLED] = "killed",
    [CAUSE_MEMBERS_GONE] = "members_gone",
    [CAUSE_STOP_HOOK] = "stop_hook",
    [CAUSE_HOOK_ENDED] = "hook_ended",
    [CAUSE_STOP_SIGNAL] = "stop_signal",
    [CAUSE_STOP] = "stop",
    [CAUSE_START_TIMEOUT] = "start_timeout",
    [CAUSE_UNHEALTHY] = "unhealthy",
    [CAUSE_GRACE_OVER] = "grace_over",
    [CAUSE_SECOND_SIGNAL] = "second_signal",
    [CAUSE_DUE] = "due",
    [CAUSE_AFTER_FAILED] = "after_failed",
    [CAUSE_COMPLETED] = "completed",
    [CAUSE_OPERATOR] = "operator",
    [CAUSE_SIGNAL] = "signal",
    [CAUSE_WORKER_FAILED] = "worker_failed",
    [CAUSE_WORKER_COMPLETED] = "worker_completed",
    [CAUSE_PRIMARY_FAILED] = "primary_failed",
    [CAUSE_PRIMARY_DONE] = "primary_done",
    [CAUSE_NO_WORKER_LEFT] = "no_worker_left",
    [CAUSE_NO_PROCESS_LEFT] = "no_process_left",
    [CAUSE_FINISHED] = "finished",
    [CAUSE_PATIENCE_OVER] = "patience_over",
};

const char *describe_cause(enum cause cause) {
    return cause < CAUSES ? cause_names[cause] : "?";
}

/* The errors of fork and exec that happen; the C library's texts depend on a locale. */
static const char *error_name(int error) {
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {E2BIG, "E2BIG"},   {EACCES, "EACCES"},   {EAGAIN, "EAGAIN"}, {EINVAL, "EINVAL"},   {ENOSPC, "ENOSPC"},
        {EIO, "EIO"},       {EISDIR, "EISDIR"},   {ELOOP, "ELOOP"},   {EMFILE, "EMFILE"},   {ENFILE, "ENFILE"},
        {ENOENT, "ENOENT"}, {ENOEXEC, "ENOEXEC"}, {ENOMEM, "ENOMEM"}, {ENOTDIR, "ENOTDIR"}, {EPERM, "EPERM"},
        {EROFS, "EROFS"},   {ETXTBSY, "ETXTBSY"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == error)
            return names[i].name;
    return NULL;
}

static void add_error(struct text *text, int error) {
    if (error_name(error))
        add(text, "%s", error_name(error));
    else
        add(text, "errno %d", error);
}

static void add_signal(struct text *text, const struct spec *spec, int number) {
    char name[SIGNAL_NAME_BYTES];
    add(text, "%s", signal_name(number, spec->sigrtmin, name));
}

static void add_duration(struct text *text, msec_t duration) {
    static const struct {
        msec_t unit;
        const char *name;
    } units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}};
    if (duration == MSEC_NEVER) {
        add(text, "unlimited");
        return;
    }
    if (duration == 0) {
        add(text, "0");
        return;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (duration % units[i].unit == 0) {
            add(text, "%lld%s", (long long)(duration / units[i].unit), units[i].name);
            return;
        }
    }
    add(text, "%lldms", (long long)duration);
}

static void add_worker(struct text *text, const struct spec *spec, uint32_t worker) {
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        const struct spec_group *group = &spec->groups[i];
        if (worker < group->first_worker || worker >= group->first_worker + group->count)
            continue;
        if ((int32_t)i == spec->command_group)
            add(text, "%s", group->name);
        else
            add(text, "%s/%u", group->name, worker - group->first_worker);
        return;
    }
    add(text, "worker %u", worker);
}

static void add_slot(struct text *text, const struct spec *spec, struct slot slot) {
    switch (slot.kind) {
    case SLOT_CONTAINER:
        add(text, "container");
        return;
    case SLOT_PRIMARY:
        add(text, "primary");
        return;
    case SLOT_HOOK:
        add(text, "hook ");
        add_worker(text, spec, slot.index);
        return;
    case SLOT_PROBE:
        add(text, "probe ");
        add_worker(text, spec, slot.index);
        return;
    case SLOT_WORKER:
        add_worker(text, spec, slot.index);
        return;
    case SLOT_KINDS:
        break;
    }
    add(text, "?");
}

static void add_ending(struct text *text, const struct spec *spec, struct ending ending) {
    switch (ending.kind) {
    case ENDING_NONE:
        add(text, "was never started");
        return;
    case ENDING_EXITED:
        add(text, "exited %u", ending.number);
        return;
    case ENDING_KILLED:
        add(text, "killed by ");
        add_signal(text, spec, ending.number);
        return;
    }
}

int describe_slot(const struct spec *spec, struct slot slot, char *buffer, size_t size) {
    struct text text = begin(buffer, size);
    add_slot(&text, spec, slot);
    return (int)text.length;
}

int describe_duration(msec_t duration, char *buffer, size_t size) {
    struct text text = begin(buffer, size);
    add_duration(&text, duration);
    return (int)text.length;
}

int describe_ending(const struct spec *spec, struct ending ending, char *buffer, size_t size) {
    struct text text = begin(buffer, size);
    add_ending(&text, spec, ending);
    return (int)text.length;
}

/* --- reports --- */

static const char *stage_text(enum spawn_stage stage) {
    switch (stage) {
    case STAGE_FORK:
        return "cannot fork";
    case STAGE_SETUP:
        return "cannot be set up";
    case STAGE_DIRECTORY:
        return "cannot enter its working directory";
    case STAGE_EXEC:
        return "cannot be executed";
    case STAGE_INTERPRETER:
        return "its interpreter is missing";
    }
    return "?";
}

/* The causes that are a fixed text, perhaps with a signal after it. */
static const char *const plain_texts[CAUSES] = {
    [CAUSE_BOOT] = "boot",
    [CAUSE_SPAWN] = "spawn",
    [CAUSE_EXECUTED] = "executed",
    [CAUSE_READY] = "ready",
    [CAUSE_UNREADY] = "says it is stopping",
    [CAUSE_MEMBERS_GONE] = "members gone",
    [CAUSE_STOP_HOOK] = "stop hook",
    [CAUSE_HOOK_ENDED] = "hook ended",
    [CAUSE_STOP] = "stop",
    [CAUSE_START_TIMEOUT] = "not ready in time",
    [CAUSE_UNHEALTHY] = "unhealthy",
    [CAUSE_DUE] = "delay over",
    [CAUSE_AFTER_FAILED] = "what it waits for failed",
    [CAUSE_COMPLETED] = "work done",
    [CAUSE_OPERATOR] = "operator",
    [CAUSE_PRIMARY_FAILED] = "primary failed",
    [CAUSE_PRIMARY_DONE] = "primary done",
    [CAUSE_NO_WORKER_LEFT] = "no worker left",
    [CAUSE_NO_PROCESS_LEFT] = "no process left",
    [CAUSE_FINISHED] = "stop hook done",
    [CAUSE_PATIENCE_OVER] = "killed processes remain",
};

static void add_cause(struct text *text, const struct spec *spec, struct slot slot, const struct report *report) {
    enum cause cause = report->cause;
    if (slot.kind == SLOT_PRIMARY && cause == CAUSE_SPAWN) {
        add(text, slot.index == PRIMARY_START ? "start" : "stop hook");
        return;
    }
    if (plain_texts[cause]) {
        add(text, "%s", plain_texts[cause]);
        if (report->number && slot.kind == SLOT_WORKER) {
            add(text, ", ");
            add_signal(text, spec, report->number);
        }
        return;
    }
    if (cause == CAUSE_SPAWN_FAILED || cause == CAUSE_EXEC_FAILED) {
        add(text, "%s: ", stage_text(report->stage));
        add_error(text, report->number);
    } else if (cause == CAUSE_EXITED || cause == CAUSE_KILLED) {
        struct ending ending = {.kind = cause == CAUSE_EXITED ? ENDING_EXITED : ENDING_KILLED,
                                .number = (uint8_t)report->number};
        add_ending(text, spec, ending);
    } else if (cause == CAUSE_STOP_SIGNAL) {
        add(text, "stop signal ");
        add_signal(text, spec, report->number);
    } else if (cause == CAUSE_GRACE_OVER) {
        add_duration(text, report->duration);
        add(text, " of grace over, KILL");
    } else if (cause == CAUSE_SECOND_SIGNAL && slot.kind == SLOT_CONTAINER) {
        add(text, "second ");
        add_signal(text, spec, report->number);
    } else if (cause == CAUSE_SECOND_SIGNAL) {
        add(text, "second signal, KILL");
    } else if (cause == CAUSE_SIGNAL) {
        add_signal(text, spec, report->number);
    } else if (cause == CAUSE_WORKER_FAILED || cause == CAUSE_WORKER_COMPLETED) {
        add_worker(text, spec, report->cause_worker);
        add(text, cause == CAUSE_WORKER_FAILED ? " failed" : " completed");
    }
}

/* A fact about a state that it does not change. */
static bool is_remark(const struct report *report) {
    return report->cause == CAUSE_EXEC_FAILED || report->cause == CAUSE_UNREADY;
}

int describe_report(const struct spec *spec, struct slot slot, const struct report *report, char *buffer, size_t size) {
    struct text text = begin(buffer, size);
    add_cause(&text, spec, slot, report);
    if (is_remark(report))
        return (int)text.length;

    add(&text, " -> ");
    switch (slot.kind) {
    case SLOT_CONTAINER:
        if (report->cause == CAUSE_SECOND_SIGNAL)
            add(&text, "%s", spec->kill_on_second_signal ? "kill" : "ignored");
        else
            add(&text, "%s", phase_name((enum phase)report->state));
        if (report->state == PHASE_STOP && report->duration != MSEC_NEVER) {
            add(&text, ", ");
            add_duration(&text, report->duration);
        }
        break;
    case SLOT_WORKER:
        add(&text, "%s", worker_state_name((enum worker_state)report->state));
        if (report->state == WORKER_BACKOFF) {
            add(&text, " ");
            add_duration(&text, report->duration);
        }
        break;
    case SLOT_PRIMARY:
    case SLOT_HOOK:
    case SLOT_PROBE:
    case SLOT_KINDS:
        add(&text, "%s", task_state_name((enum task_state)report->state));
        break;
    }
    return (int)text.length;
}

static enum log_level level_of_end(const struct spec *spec, struct slot slot, const struct report *report) {
    bool failed = report->cause == CAUSE_KILLED || report->number != 0;
    if (slot.kind != SLOT_WORKER)
        return failed ? LOG_WARNING : LOG_INFO;
    bool command = spec->command_group >= 0 && slot.index == spec->groups[spec->command_group].first_worker;
    if (report->state == WORKER_FAILED && !command)
        return LOG_ERROR;
    return report->state == WORKER_BACKOFF && failed ? LOG_WARNING : LOG_INFO;
}

enum log_level describe_level(const struct spec *spec, struct slot slot, const struct report *report) {
    if (slot.kind == SLOT_WORKER && report->state == WORKER_FAILED)
        return level_of_end(spec, slot, report);
    switch (report->cause) {
    case CAUSE_SPAWN:
        return slot.kind == SLOT_PRIMARY ? LOG_INFO : LOG_DEBUG;
    case CAUSE_EXECUTED:
        return report->state == WORKER_READY ? LOG_INFO : LOG_DEBUG;
    case CAUSE_EXITED:
    case CAUSE_KILLED:
        return level_of_end(spec, slot, report);
    case CAUSE_EXEC_FAILED: /* whoever forked it has said so, with the names */
    case CAUSE_MEMBERS_GONE:
    case CAUSE_HOOK_ENDED:
    case CAUSE_DUE:
        return LOG_DEBUG;
    case CAUSE_SPAWN_FAILED:
    case CAUSE_START_TIMEOUT:
    case CAUSE_UNHEALTHY:
    case CAUSE_GRACE_OVER:
    case CAUSE_SECOND_SIGNAL:
    case CAUSE_AFTER_FAILED:
    case CAUSE_PATIENCE_OVER:
        return LOG_WARNING;
    case CAUSE_WORKER_FAILED:
        return (int32_t)spec->command_group >= 0 &&
                       report->cause_worker == spec->groups[spec->command_group].first_worker
                   ? LOG_INFO
                   : LOG_ERROR;
    case CAUSE_PRIMARY_FAILED:
        return LOG_ERROR;
    case CAUSE_BOOT:
    case CAUSE_READY:
    case CAUSE_UNREADY:
    case CAUSE_STOP_HOOK:
    case CAUSE_STOP_SIGNAL:
    case CAUSE_STOP:
    case CAUSE_COMPLETED:
    case CAUSE_OPERATOR:
    case CAUSE_SIGNAL:
    case CAUSE_WORKER_COMPLETED:
    case CAUSE_PRIMARY_DONE:
    case CAUSE_NO_WORKER_LEFT:
    case CAUSE_NO_PROCESS_LEFT:
    case CAUSE_FINISHED:
    case CAUSES:
        return LOG_INFO;
    }
    return LOG_INFO;
}

/* --- traces --- */

static const char *const event_names[EVENT_KINDS] = {
    [EVENT_BOOT] = "BOOT",
    [EVENT_TICK] = "TICK",
    [EVENT_SIGNAL] = "SIGNAL",
    [EVENT_SPAWN_FAILED] = "SPAWN_FAILED",
    [EVENT_EXECUTED] = "EXECUTED",
    [EVENT_EXEC_FAILED] = "EXEC_FAILED",
    [EVENT_READY] = "READY",
    [EVENT_UNREADY] = "UNREADY",
    [EVENT_EXITED] = "EXITED",
    [EVENT_GROUP_EMPTY] = "GROUP_EMPTY",
    [EVENT_CHILDREN_GONE] = "CHILDREN_GONE",
    [EVENT_EXTEND] = "EXTEND",
    [EVENT_WATCHDOG] = "WATCHDOG",
    [EVENT_UNHEALTHY] = "UNHEALTHY",
    [EVENT_PROBED] = "PROBED",
    [EVENT_WORKER_START] = "WORKER_START",
    [EVENT_WORKER_STOP] = "WORKER_STOP",
    [EVENT_WORKER_RESTART] = "WORKER_RESTART",
    [EVENT_SHUTDOWN] = "SHUTDOWN",
};

static void add_incarnation(struct text *text, const struct spec *spec, struct slot slot) {
    add_slot(text, spec, slot);
    if (slot.kind != SLOT_CONTAINER)
        add(text, "#%u", slot.generation);
}

int describe_event(const struct spec *spec, const struct event *event, char *buffer, size_t size) {
    struct text text = begin(buffer, size);
    add_incarnation(&text, spec, event->slot);
    add(&text, " %s", event->kind < EVENT_KINDS ? event_names[event->kind] : "?");
    if (event->kind == EVENT_SIGNAL) {
        add(&text, " ");
        add_signal(&text, spec, event->signal);
        if (event->hangup)
            add(&text, " hangup");
    } else if (event->kind == EVENT_EXITED) {
        add(&text, " ");
        add_ending(&text, spec, event->ending);
        if (event->members_left)
            add(&text, ", members left");
    } else if (event->kind == EVENT_SPAWN_FAILED || event->kind == EVENT_EXEC_FAILED) {
        add(&text, " ");
        add_error(&text, event->error);
    } else if (event->kind == EVENT_PROBED) {
        add(&text, event->success ? " success" : " failure");
    } else if (event->kind == EVENT_EXTEND || (event->kind == EVENT_WATCHDOG && event->duration > 0)) {
        add(&text, " ");
        add_duration(&text, event->duration);
    }
    return (int)text.length;
}

static void add_notify(struct text *text, const struct action *action) {
    switch (action->notify) {
    case NOTIFY_READY:
        add(text, "manager READY");
        return;
    case NOTIFY_STOPPING:
        add(text, "manager STOPPING");
        return;
    case NOTIFY_EXTEND:
        add(text, "manager EXTEND ");
        add_duration(text, action->duration);
        return;
    }
}

int describe_action(const struct spec *spec, const struct action *action, char *buffer, size_t size) {
    struct text text = begin(buffer, size);
    char report[256];
    switch (action->kind) {
    case ACTION_SPAWN:
        add_incarnation(&text, spec, action->slot);
        add(&text, " SPAWN");
        break;
    case ACTION_SIGNAL:
        add_incarnation(&text, spec, action->slot);
        add(&text, " SIGNAL ");
        add_signal(&text, spec, action->signal);
        add(&text, "%s%s", action->to_leader ? " to leader" : "", action->then_continue ? ", CONT" : "");
        break;
    case ACTION_SIGNAL_STRAGGLERS:
        add(&text, "stragglers SIGNAL ");
        add_signal(&text, spec, action->signal);
        break;
    case ACTION_PROBE:
        add_incarnation(&text, spec, action->slot);
        add(&text, " BEGIN");
        break;
    case ACTION_PROBE_END:
        add_incarnation(&text, spec, action->slot);
        add(&text, " END");
        break;
    case ACTION_NOTIFY:
        add_notify(&text, action);
        break;
    case ACTION_REPORT:
        add_slot(&text, spec, action->slot);
        describe_report(spec, action->slot, &action->report, report, sizeof(report));
        add(&text, ": %s", report);
        break;
    case ACTION_KINDS:
        break;
    }
    return (int)text.length;
}
