/* Slots, endings and reports to text. Everything that a person reads about a process comes through here, so that the
 * log, the golden stories and a failing seed of the simulator speak one language. */
#include "supervisor/describe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/core.h"
#include "supervisor/describe_internal.h"
#include "supervisor/signals.h"

void describe_add(struct text *text, const char *format, ...) {
    size_t left = text->length < text->size ? text->size - text->length : 0;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(left ? text->buffer + text->length : NULL, left, format, arguments);
    va_end(arguments);
    if (length > 0)
        text->length += (size_t)length;
}

struct text describe_begin(char *buffer, size_t size) {
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

void describe_add_error(struct text *text, int error) {
    if (error_name(error))
        describe_add(text, "%s", error_name(error));
    else
        describe_add(text, "errno %d", error);
}

void describe_add_signal(struct text *text, const struct spec *spec, int number) {
    char name[SIGNAL_NAME_BYTES];
    describe_add(text, "%s", signal_name(number, spec->sigrtmin, name));
}

void describe_add_duration(struct text *text, msec_t duration) {
    static const struct {
        msec_t unit;
        const char *name;
    } units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}};
    if (duration == MSEC_NEVER) {
        describe_add(text, "unlimited");
        return;
    }
    if (duration == 0) {
        describe_add(text, "0");
        return;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (duration % units[i].unit == 0) {
            describe_add(text, "%lld%s", (long long)(duration / units[i].unit), units[i].name);
            return;
        }
    }
    describe_add(text, "%lldms", (long long)duration);
}

static void add_worker(struct text *text, const struct spec *spec, uint32_t worker) {
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        const struct spec_group *group = &spec->groups[i];
        if (worker < group->first_worker || worker >= group->first_worker + group->count)
            continue;
        if ((int32_t)i == spec->command_group)
            describe_add(text, "%s", group->name);
        else
            describe_add(text, "%s/%u", group->name, worker - group->first_worker);
        return;
    }
    describe_add(text, "worker %u", worker);
}

void describe_add_slot(struct text *text, const struct spec *spec, struct slot slot) {
    switch (slot.kind) {
    case SLOT_CONTAINER:
        describe_add(text, "container");
        return;
    case SLOT_PRIMARY:
        describe_add(text, "primary");
        return;
    case SLOT_HOOK:
        describe_add(text, "hook ");
        add_worker(text, spec, slot.index);
        return;
    case SLOT_PROBE:
        describe_add(text, "probe ");
        add_worker(text, spec, slot.index);
        return;
    case SLOT_WORKER:
        add_worker(text, spec, slot.index);
        return;
    case SLOT_KINDS:
        break;
    }
    describe_add(text, "?");
}

void describe_add_ending(struct text *text, const struct spec *spec, struct ending ending) {
    switch (ending.kind) {
    case ENDING_NONE:
        describe_add(text, "was never started");
        return;
    case ENDING_EXITED:
        describe_add(text, "exited %u", ending.number);
        return;
    case ENDING_KILLED:
        describe_add(text, "killed by ");
        describe_add_signal(text, spec, ending.number);
        return;
    }
}

int describe_slot(const struct spec *spec, struct slot slot, char *buffer, size_t size) {
    struct text text = describe_begin(buffer, size);
    describe_add_slot(&text, spec, slot);
    return (int)text.length;
}

int describe_duration(msec_t duration, char *buffer, size_t size) {
    struct text text = describe_begin(buffer, size);
    describe_add_duration(&text, duration);
    return (int)text.length;
}

int describe_ending(const struct spec *spec, struct ending ending, char *buffer, size_t size) {
    struct text text = describe_begin(buffer, size);
    describe_add_ending(&text, spec, ending);
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
        describe_add(text, slot.index == PRIMARY_START ? "start" : "stop hook");
        return;
    }
    if (plain_texts[cause]) {
        describe_add(text, "%s", plain_texts[cause]);
        if (report->number && slot.kind == SLOT_WORKER) {
            describe_add(text, ", ");
            describe_add_signal(text, spec, report->number);
        }
        return;
    }
    if (cause == CAUSE_SPAWN_FAILED || cause == CAUSE_EXEC_FAILED) {
        describe_add(text, "%s: ", stage_text(report->stage));
        describe_add_error(text, report->number);
    } else if (cause == CAUSE_EXITED || cause == CAUSE_KILLED) {
        struct ending ending = {.kind = cause == CAUSE_EXITED ? ENDING_EXITED : ENDING_KILLED,
                                .number = (uint8_t)report->number};
        describe_add_ending(text, spec, ending);
    } else if (cause == CAUSE_STOP_SIGNAL) {
        describe_add(text, "stop signal ");
        describe_add_signal(text, spec, report->number);
    } else if (cause == CAUSE_GRACE_OVER) {
        describe_add_duration(text, report->duration);
        describe_add(text, " of grace over, KILL");
    } else if (cause == CAUSE_SECOND_SIGNAL && slot.kind == SLOT_CONTAINER) {
        describe_add(text, "second ");
        describe_add_signal(text, spec, report->number);
    } else if (cause == CAUSE_SECOND_SIGNAL) {
        describe_add(text, "second signal, KILL");
    } else if (cause == CAUSE_SIGNAL) {
        describe_add_signal(text, spec, report->number);
    } else if (cause == CAUSE_WORKER_FAILED || cause == CAUSE_WORKER_COMPLETED) {
        add_worker(text, spec, report->cause_worker);
        describe_add(text, cause == CAUSE_WORKER_FAILED ? " failed" : " completed");
    }
}

/* A fact about a state that it does not change. */
static bool is_remark(const struct report *report) {
    return report->cause == CAUSE_EXEC_FAILED || report->cause == CAUSE_UNREADY;
}

int describe_report(const struct spec *spec, struct slot slot, const struct report *report, char *buffer, size_t size) {
    struct text text = describe_begin(buffer, size);
    add_cause(&text, spec, slot, report);
    if (is_remark(report))
        return (int)text.length;

    describe_add(&text, " -> ");
    switch (slot.kind) {
    case SLOT_CONTAINER:
        if (report->cause == CAUSE_SECOND_SIGNAL)
            describe_add(&text, "%s", spec->kill_on_second_signal ? "kill" : "ignored");
        else
            describe_add(&text, "%s", phase_name((enum phase)report->state));
        if (report->state == PHASE_STOP && report->duration != MSEC_NEVER) {
            describe_add(&text, ", ");
            describe_add_duration(&text, report->duration);
        }
        break;
    case SLOT_WORKER:
        describe_add(&text, "%s", worker_state_name((enum worker_state)report->state));
        if (report->state == WORKER_BACKOFF) {
            describe_add(&text, " ");
            describe_add_duration(&text, report->duration);
        }
        break;
    case SLOT_PRIMARY:
    case SLOT_HOOK:
    case SLOT_PROBE:
    case SLOT_KINDS:
        describe_add(&text, "%s", task_state_name((enum task_state)report->state));
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
