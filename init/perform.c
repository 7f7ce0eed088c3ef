/* Actions to calls: one exhaustive switch, and the plan of a process that is to be forked. */
#include "init/perform.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"
#include "init/spawn.h"
#include "init/subject.h"
#include "init/watch.h"

static const struct spec_group *group_of(const struct performer *performer, struct slot slot) {
    return slot.kind == SLOT_PRIMARY ? NULL : spec_group_of(performer->spec, slot.index);
}

static const struct spec_command *command_of(const struct performer *performer, struct slot slot) {
    if (slot.kind == SLOT_PRIMARY)
        return slot.index == PRIMARY_START ? &performer->spec->primary.start : &performer->spec->primary.stop;
    const struct spec_group *group = group_of(performer, slot);
    return slot.kind == SLOT_HOOK ? &group->stop : &group->start;
}

static void add_fd(struct spawn_plan *plan, int source, int target) {
    plan->fds[plan->fds_count++] = (struct spawn_fd){.source = source, .target = target};
}

/* A command without a config gets back what brood was started with; everybody else starts clean. */
static void plan_process(const struct performer *performer, struct slot slot, int ready_write,
                         struct spawn_plan *plan) {
    const struct spec *spec = performer->spec;
    const struct inherited *inherited = performer->inherited;
    const struct spec_group *group = group_of(performer, slot);

    plan->argv = command_of(performer, slot)->argv;
    plan->nofile = inherited->has_nofile ? &inherited->nofile : NULL;
    plan->former = inherited->ignored;
    if (spec->command_only) {
        plan->mask = inherited->mask;
        plan->ignored = inherited->ignored;
        plan->renamed_pid = getpid();
        plan->sandbox = performer->sandbox;
        plan->path = performer->sandbox ? "/proc/self/exe" : NULL;
        return;
    }
    plan->directory = group ? group->identity.working_directory : spec->primary.identity.working_directory;
    if (!group || slot.kind == SLOT_HOOK || group->stdin_from == STDIN_NULL)
        add_fd(plan, performer->null, STDIN_FILENO);
    if (group && group->output == OUTPUT_NULL) {
        add_fd(plan, performer->null, STDOUT_FILENO);
        add_fd(plan, performer->null, STDERR_FILENO);
    }
    if (ready_write >= 0)
        add_fd(plan, ready_write, group->ready_fd);
}

/* What a worker tells its readiness by. Returns 0 or -errno. */
static int open_ready(struct performer *performer, struct slot slot, char *path, int *ret_read, int *ret_write) {
    const struct spec_group *group = group_of(performer, slot);
    int r = 0;
    if (slot.kind != SLOT_WORKER)
        return 0;
    if (group->ready == READY_FD)
        r = fd_pipe(ret_read, ret_write);
    else if (group->ready == READY_NOTIFY)
        r = readiness_socket(performer->readiness, slot.index, ret_read, path);
    if (r == 0 && *ret_read >= 0)
        r = watch_add(performer->epoll, *ret_read, SOURCE_READY, slot);
    return r;
}

static int open_status(struct performer *performer, struct slot slot, int *ret_read, int *ret_write) {
    int r = fd_pipe(ret_read, ret_write);
    return r == 0 ? watch_add(performer->epoll, *ret_read, SOURCE_STATUS, slot) : r;
}

static int try_spawn(struct performer *performer, const struct action *action) {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)] = "";
    struct slot slot = action->slot, worker = {.kind = SLOT_WORKER, .index = slot.index, .generation = slot.generation};
    CLEANUP_FD int status_write = -1;
    CLEANUP_FD int ready_write = -1;
    int status = -1, ready = -1;
    pid_t pid = 0;

    int r = open_status(performer, slot, &status, &status_write);
    if (r == 0)
        r = open_ready(performer, slot, path, &ready, &ready_write);
    if (r == 0) {
        struct spawn_plan plan = {.argv = NULL};
        struct environment_facts facts = {
            .slot = slot,
            .group = slot.kind == SLOT_PRIMARY ? 0 : spec_group_index(performer->spec, slot.index),
            .worker_pid = slot.kind == SLOT_HOOK ? children_live_pid(performer->children, worker) : 0,
            .ending = action->ending,
            .notify_socket = path[0] ? path : NULL};
        plan_process(performer, slot, ready_write, &plan);
        plan.envp = environment_of(performer->environment, &facts);
        plan.wraps =
            wrap_context(performer->wraps, slot.kind == SLOT_PRIMARY ? performer->spec->groups_count : facts.group);
        r = spawn(&plan, &status_write, &pid);
    }
    if (r == 0) {
        children_add(performer->children, slot, pid, status, ready);
        return 0;
    }
    watch_remove(performer->epoll, &status);
    watch_remove(performer->epoll, &ready);
    if (path[0])
        readiness_socket_remove(performer->readiness, slot.index);
    return r;
}

static void do_spawn(struct performer *performer, const struct action *action) {
    int r = try_spawn(performer, action);
    if (r < 0)
        inbox_push(performer->inbox,
                   (struct event){.kind = EVENT_SPAWN_FAILED, .slot = action->slot, .error = -r, .stage = STAGE_FORK});
}

static void do_signal(struct performer *performer, const struct action *action) {
    struct subject subject;
    int r =
        children_signal(performer->children, action->slot, action->signal, action->to_leader, action->then_continue);
    if (r < 0)
        log_record(LOG_WARNING, subject_of(performer->spec, action->slot, &subject), NULL,
                   "cannot be sent signal %d: %s", action->signal, strerror(-r));
}

static void do_stragglers(struct performer *performer, const struct action *action) {
    pid_t *groups;
    size_t count = children_groups(performer->children, &groups);
    int r = descendants_signal(performer->descendants, action->signal, groups, count);
    if (r < 0)
        log_record(LOG_WARNING, "container", NULL, "cannot look for processes that are left: %s", strerror(-r));
    children_report_none(performer->children);
}

static void do_report(struct performer *performer, const struct action *action) {
    const struct spec *spec = performer->spec;
    const struct report *report = &action->report;
    enum cause cause = report->cause;
    bool signal =
        cause == CAUSE_KILLED || cause == CAUSE_STOP_SIGNAL || cause == CAUSE_SIGNAL || cause == CAUSE_SECOND_SIGNAL;
    struct slot slot = action->slot;
    struct subject subject;
    char text[256];
    pid_t pid = slot.kind == SLOT_WORKER ? children_pid(performer->children, slot) : 0;
    const struct log_fields fields = {.event = describe_cause(cause),
                                      .pid = pid,
                                      .status = cause == CAUSE_EXITED ? report->number : -1,
                                      .signal = signal ? report->number : 0,
                                      .sigrtmin = spec->sigrtmin};
    describe_report(spec, slot, report, text, sizeof text);
    log_record(describe_level(spec, slot, report), subject_of(spec, slot, &subject), &fields, "%s", text);
}

void perform(struct performer *performer, const struct action *action) {
    switch (action->kind) {
    case ACTION_SPAWN:
        do_spawn(performer, action);
        return;
    case ACTION_SIGNAL:
        do_signal(performer, action);
        return;
    case ACTION_SIGNAL_STRAGGLERS:
        do_stragglers(performer, action);
        return;
    case ACTION_REPORT:
        do_report(performer, action);
        return;
    case ACTION_KINDS:
        return;
    }
}
