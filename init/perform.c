/* Actions to calls: one exhaustive switch, and the plan of a process that is to be forked. */
#include "init/perform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"
#include "init/spawn.h"
#include "init/subject.h"
#include "init/watch.h"
#include "supervisor/descriptors.h"
#include "supervisor/signals.h"

static const struct spec_group *group_of(const struct performer *performer, struct slot slot) {
    return slot.kind == SLOT_PRIMARY ? NULL : spec_group_of(performer->spec, slot.index);
}

static const struct spec_command *command_of(const struct performer *performer, struct slot slot) {
    if (slot.kind == SLOT_PRIMARY)
        return slot.index == PRIMARY_START ? &performer->spec->primary.start : &performer->spec->primary.stop;
    const struct spec_group *group = group_of(performer, slot);
    if (slot.kind == SLOT_PROBE)
        return &group->ready_command;
    return slot.kind == SLOT_HOOK ? &group->stop : &group->start;
}

/* A worker that is probed by a file, or that probe. */
static void plan_file(const struct performer *performer, struct slot slot, const struct spec_group *group,
                      struct spawn_plan *plan) {
    if (slot.kind == SLOT_WORKER)
        plan->moment = probes_birth(performer->probes, slot);
    if (slot.kind == SLOT_PROBE) {
        plan->moment = probes_born(performer->probes, slot);
        plan->file = group->ready_text;
    }
}

/* What a child speaks through, both ends of it. */
struct channels {
    struct descriptors wanted;
    struct children_fds fds;
    int status_write;
    int ready_write;
    int output[2];                                          /* not closed here: they outlive the process */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of the notify socket; "": none */
};

/* What of brood's own is a process's descriptor. */
static int source_of(const struct performer *performer, struct slot slot, const struct channels *channels,
                     const struct descriptor *descriptor) {
    const int *sockets = NULL;
    switch (descriptor->kind) {
    case DESCRIPTOR_NULL:
        return performer->null;
    case DESCRIPTOR_OUTPUT:
        return channels->output[0];
    case DESCRIPTOR_ERRORS:
        return channels->output[1];
    case DESCRIPTOR_SOCKET:
        sockets_of(performer->sockets, spec_group_index(performer->spec, slot.index), &sockets);
        return sockets[descriptor->socket];
    case DESCRIPTOR_READY:
        return channels->ready_write;
    }
    return -1;
}

/* A command without a config gets back what brood was started with; everybody else starts clean. */
static void plan_process(const struct performer *performer, struct slot slot, const struct channels *channels,
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
        plan->start = inherited->directory;
        plan->renamed_pid = getpid();
        plan->sandbox = performer->sandbox;
        plan->path = performer->sandbox ? "/proc/self/exe" : NULL;
        return;
    }
    plan->directory = group ? group->identity.working_directory : spec->primary.identity.working_directory;
    for (uint32_t i = 0; i < channels->wanted.count; i++) {
        const struct descriptor *wanted = &channels->wanted.items[i];
        plan->fds[plan->fds_count++] =
            (struct spawn_fd){.source = source_of(performer, slot, channels, wanted), .target = wanted->number};
    }
    if (group && group->ready == READY_FILE)
        plan_file(performer, slot, group, plan);
    /* LISTEN_PID and WATCHDOG_PID are to be the pid of the program, also of one that is wrapped: shims only exec. */
    if (channels->wanted.sockets > 0 || (group && slot.kind == SLOT_WORKER && group->watchdog > 0))
        plan->renamed_pid = getpid();
}

/* What a worker tells by itself. Returns 0 or -errno. */
static int open_worker(struct performer *performer, struct slot slot, struct channels *channels) {
    const struct spec_group *group = group_of(performer, slot);
    int r = 0;
    if (descriptors_have(&channels->wanted, DESCRIPTOR_READY)) {
        r = fd_pipe(&channels->fds.ready, &channels->ready_write);
        if (r == 0)
            r = watch_add(performer->epoll, channels->fds.ready, SOURCE_READY, slot);
    }
    if (r == 0 && readiness_needs_socket(group)) {
        r = readiness_socket(performer->readiness, slot.index, &channels->fds.notify, channels->path);
        if (r == 0)
            r = watch_add(performer->epoll, channels->fds.notify, SOURCE_NOTIFY, slot);
    }
    return r;
}

static int open_channels(struct performer *performer, struct slot slot, struct channels *channels) {
    int r = fd_pipe(&channels->fds.status, &channels->status_write);
    if (r == 0)
        r = watch_add(performer->epoll, channels->fds.status, SOURCE_STATUS, slot);
    if (r == 0 && descriptors_have(&channels->wanted, DESCRIPTOR_OUTPUT))
        r = output_pipes(performer->output, slot.index, channels->output);
    return r == 0 && slot.kind == SLOT_WORKER ? open_worker(performer, slot, channels) : r;
}

static void close_channels(struct performer *performer, struct slot slot, struct channels *channels) {
    watch_remove(performer->epoll, &channels->fds.status);
    watch_remove(performer->epoll, &channels->fds.ready);
    watch_remove(performer->epoll, &channels->fds.notify);
    if (channels->path[0])
        readiness_socket_remove(performer->readiness, slot.index);
}

static int fork_process(struct performer *performer, const struct action *action, struct channels *channels,
                        pid_t *ret_pid) {
    struct slot slot = action->slot, worker = {.kind = SLOT_WORKER, .index = slot.index, .generation = slot.generation};
    bool beside = slot.kind == SLOT_HOOK || slot.kind == SLOT_PROBE;
    struct spawn_plan plan = {.argv = NULL};
    struct terminal terminal; /* a copy: the child doesn't get the loop's memory (init/unshared.h) */
    uint32_t group = slot.kind == SLOT_PRIMARY ? 0 : spec_group_index(performer->spec, slot.index);
    struct environment_facts facts = {
        .slot = slot,
        .group = group,
        .worker_pid = beside ? children_live_pid(performer->children, worker) : 0,
        .ending = action->ending,
        .notify_socket = channels->path[0] ? channels->path : NULL,
        .listen_names = channels->wanted.sockets > 0 ? sockets_names(performer->sockets, group) : NULL};
    plan_process(performer, slot, channels, &plan);
    plan.envp = environment_of(performer->environment, &facts);
    if (slot.kind == SLOT_WORKER)
        terminal_release(performer->terminal);
    if (spec_is_command(performer->spec, slot)) {
        terminal_prepare(performer->terminal);
        terminal = *performer->terminal;
        plan.terminal = &terminal;
    }
    if (!plan.sandbox)
        plan.privileges = privileges_of(performer->privileges, slot.kind == SLOT_PRIMARY ? -1 : (int32_t)group);
    plan.wraps = wrap_context(performer->wraps, slot.kind == SLOT_PRIMARY ? performer->spec->groups_count : group);
    return spawn(&plan, &channels->status_write, ret_pid);
}

static int try_spawn(struct performer *performer, const struct action *action) {
    struct channels channels = {
        .fds = {.status = -1, .ready = -1, .notify = -1}, .status_write = -1, .ready_write = -1};
    struct slot slot = action->slot;
    pid_t pid = 0;
    descriptors_of(performer->spec, slot, &channels.wanted);
    int r = open_channels(performer, slot, &channels);
    if (r == 0)
        r = fork_process(performer, action, &channels, &pid);
    fd_close(&channels.status_write);
    fd_close(&channels.ready_write);
    if (r < 0) {
        close_channels(performer, slot, &channels);
        return r;
    }
    children_add(performer->children, slot, pid, &channels.fds);
    if (spec_is_command(performer->spec, slot))
        terminal_started(performer->terminal, pid);
    return 0;
}

/* A probe that can't be forked is over, and the next one is tried at its time. */
static void do_probe(struct performer *performer, const struct action *action) {
    struct subject subject;
    if (probes_begin(performer->probes, action->slot))
        return;
    int r = try_spawn(performer, action);
    if (r == 0)
        return;
    log_record(probes_complain(performer->probes, action->slot) ? LOG_WARNING : LOG_DEBUG,
               subject_of(performer->spec, action->slot, &subject), NULL, "cannot be started: %s", strerror(-r));
    probes_over(performer->probes, action->slot, false);
}

static void do_probe_end(struct performer *performer, const struct action *action) {
    probes_end(performer->probes, action->slot);
    if (probes_forks(performer->probes, action->slot))
        children_signal(performer->children, action->slot, SIGKILL, false, false);
}

static void do_spawn(struct performer *performer, const struct action *action) {
    int r = try_spawn(performer, action);
    if (r < 0)
        inbox_push(performer->inbox,
                   (struct event){.kind = EVENT_SPAWN_FAILED, .slot = action->slot, .error = -r, .stage = STAGE_FORK});
}

static void do_signal(struct performer *performer, const struct action *action) {
    struct subject subject;
    char name[SIGNAL_NAME_BYTES];
    int r =
        children_signal(performer->children, action->slot, action->signal, action->to_leader, action->then_continue);
    if (r < 0)
        log_record(LOG_WARNING, subject_of(performer->spec, action->slot, &subject), NULL, "cannot be sent %s: %s",
                   signal_name(action->signal, performer->spec->sigrtmin, name), strerror(-r));
}

void perform_say_missing(struct performer *performer) {
    const char *why;
    if (performer->said || descendants_usable(performer->descendants, &why))
        return;
    performer->said = true;
    log_record(LOG_WARNING, "container", NULL, "%s: descendants that left their group are %s", why,
               getpid() == 1 ? "reached by kill(-1) alone" : "not found");
}

/* Without this a stop that waits for them, and kills them, would take its time without a word. */
static void say_stragglers(const struct performer *performer, int signal, int count) {
    char name[SIGNAL_NAME_BYTES];
    int sigrtmin = performer->spec->sigrtmin;
    const struct log_fields fields = {.event = "stragglers", .status = -1, .signal = signal, .sigrtmin = sigrtmin};
    log_record(signal == SIGKILL ? LOG_WARNING : LOG_INFO, "container", &fields, "%d straggler%s left, %s", count,
               count == 1 ? "" : "s", signal_name(signal, sigrtmin, name));
}

static void do_stragglers(struct performer *performer, const struct action *action) {
    pid_t *groups;
    children_report_none(performer->children);
    if (!children_any(performer->children)) /* then nobody is below brood, and /proc needn't be read */
        return;
    perform_say_missing(performer);
    size_t count = children_groups(performer->children, &groups);
    int r = descendants_signal(performer->descendants, action->signal, groups, count);
    if (r > 0 && !performer->said)
        say_stragglers(performer, action->signal, r);
    if (r < 0)
        log_record(LOG_WARNING, "container", NULL, "cannot look for processes that are left: %s", strerror(-r));
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
    case ACTION_PROBE:
        do_probe(performer, action);
        return;
    case ACTION_PROBE_END:
        do_probe_end(performer, action);
        return;
    case ACTION_NOTIFY:
        manager_notify(performer->manager, action);
        return;
    case ACTION_REPORT:
        do_report(performer, action);
        return;
    case ACTION_KINDS:
        return;
    }
}
