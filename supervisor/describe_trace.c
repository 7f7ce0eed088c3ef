/* Whole events and actions to text, one line each, for golden stories and for the steps before a violation that the
 * simulator shows. brood itself has no use for them. */
#include "supervisor/describe.h"
#include "supervisor/describe_internal.h"

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
    describe_add_slot(text, spec, slot);
    if (slot.kind != SLOT_CONTAINER)
        describe_add(text, "#%u", slot.generation);
}

int describe_event(const struct spec *spec, const struct event *event, char *buffer, size_t size) {
    struct text text = describe_begin(buffer, size);
    add_incarnation(&text, spec, event->slot);
    describe_add(&text, " %s", event->kind < EVENT_KINDS ? event_names[event->kind] : "?");
    if (event->kind == EVENT_SIGNAL) {
        describe_add(&text, " ");
        describe_add_signal(&text, spec, event->signal);
        if (event->hangup)
            describe_add(&text, " hangup");
    } else if (event->kind == EVENT_EXITED) {
        describe_add(&text, " ");
        describe_add_ending(&text, spec, event->ending);
        if (event->members_left)
            describe_add(&text, ", members left");
    } else if (event->kind == EVENT_SPAWN_FAILED || event->kind == EVENT_EXEC_FAILED) {
        describe_add(&text, " ");
        describe_add_error(&text, event->error);
    } else if (event->kind == EVENT_PROBED) {
        describe_add(&text, event->success ? " success" : " failure");
    } else if (event->kind == EVENT_EXTEND || (event->kind == EVENT_WATCHDOG && event->duration > 0)) {
        describe_add(&text, " ");
        describe_add_duration(&text, event->duration);
    }
    return (int)text.length;
}

static void add_notify(struct text *text, const struct action *action) {
    switch (action->notify) {
    case NOTIFY_READY:
        describe_add(text, "manager READY");
        return;
    case NOTIFY_STOPPING:
        describe_add(text, "manager STOPPING");
        return;
    case NOTIFY_EXTEND:
        describe_add(text, "manager EXTEND ");
        describe_add_duration(text, action->duration);
        return;
    }
}

int describe_action(const struct spec *spec, const struct action *action, char *buffer, size_t size) {
    struct text text = describe_begin(buffer, size);
    char report[256];
    switch (action->kind) {
    case ACTION_SPAWN:
        add_incarnation(&text, spec, action->slot);
        describe_add(&text, " SPAWN");
        break;
    case ACTION_SIGNAL:
        add_incarnation(&text, spec, action->slot);
        describe_add(&text, " SIGNAL ");
        describe_add_signal(&text, spec, action->signal);
        describe_add(&text, "%s%s", action->to_leader ? " to leader" : "", action->then_continue ? ", CONT" : "");
        break;
    case ACTION_SIGNAL_STRAGGLERS:
        describe_add(&text, "stragglers SIGNAL ");
        describe_add_signal(&text, spec, action->signal);
        break;
    case ACTION_PROBE:
        add_incarnation(&text, spec, action->slot);
        describe_add(&text, " BEGIN");
        break;
    case ACTION_PROBE_END:
        add_incarnation(&text, spec, action->slot);
        describe_add(&text, " END");
        break;
    case ACTION_NOTIFY:
        add_notify(&text, action);
        break;
    case ACTION_REPORT:
        describe_add_slot(&text, spec, action->slot);
        describe_report(spec, action->slot, &action->report, report, sizeof(report));
        describe_add(&text, ": %s", report);
        break;
    case ACTION_KINDS:
        break;
    }
    return (int)text.length;
}
