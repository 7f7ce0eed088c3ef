/* What children say by themselves: whether their exec went well, that they are ready, and all else that sd_notify
 * carries. Each becomes events; one look at one child is good for EXECUTED, READY, EXTEND, WATCHDOG, UNHEALTHY and
 * UNREADY at the most, however much it has said.
 *
 * MAINPID. The pidfd comes first, then the question whether that process is below the worker, then the question whether
 * the pidfd's process is still there: so it was the one that was asked about, and no reused pid is ever taken for it.
 * Sources: sd_notify(3), pidfd_open(2). */
#include "init/children_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"
#include "init/spawn.h"
#include "init/subject.h"
#include "init/watch.h"

/* --- exec --- */

/* A probe that can't be executed will not be able to the next time either: it is said once. */
static enum log_level failure_level(struct children *children, struct slot slot) {
    if (slot.kind != SLOT_PROBE)
        return LOG_ERROR;
    return probes_complain(children->input.probes, slot) ? LOG_WARNING : LOG_DEBUG;
}

void children_read_status(struct children *children, struct slot slot) {
    struct child *child = children_find(children, slot);
    struct spawn_failure failure;
    if (!child || child->status_fd < 0)
        return;
    enum spawn_status status = spawn_status(child->status_fd, &failure);
    if (status == SPAWN_PENDING)
        return;
    watch_remove(children->input.epoll, &child->status_fd);
    if (status == SPAWN_EXECUTED) {
        if (slot.kind != SLOT_PROBE)
            children_push(children, child, EVENT_EXECUTED);
        return;
    }
    child->unexecuted = true;
    struct subject subject;
    const struct log_fields fields = {.event = "exec_failed", .pid = subject_pid(slot, child->pid), .status = -1};
    log_record(failure_level(children, slot), subject_of(children->input.spec, slot, &subject), &fields, "%s",
               failure.text);
    if (slot.kind != SLOT_PROBE)
        inbox_push(
            children->input.inbox,
            (struct event){.kind = EVENT_EXEC_FAILED, .slot = slot, .error = failure.error, .stage = failure.stage});
}

/* --- the main process --- */

void children_release_main(struct children *children, struct child *child) {
    if (child->main_fd < 0)
        return;
    watch_remove(children->input.epoll, &child->main_fd);
    pids_remove(&children->pids, child->main_pid);
}

static bool is_below(const struct child *child, pid_t pid, const struct readiness_owner *owner) {
    if (owner->session && (getsid(pid) == owner->session || descendants_below(owner->descendants, pid, child->pid)))
        return true;
    return owner->main && descendants_below(owner->descendants, pid, owner->main);
}

/* Returns 0 with its pidfd, -ESRCH where it is not below the worker, or another -errno. */
static int open_main(struct children *children, const struct child *child, pid_t pid,
                     const struct readiness_owner *owner, int *ret_fd) {
    uint32_t other;
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return errno == EINVAL ? -ESRCH : -errno;
    if (pid == getpid() || pids_find(&children->pids, pid, &other) || !is_below(child, pid, owner))
        return -ESRCH;
    if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0)
        return -errno;
    int r = watch_add(children->input.epoll, fd, SOURCE_MAIN, children_slot_of(children, child));
    if (r == 0)
        *ret_fd = fd_take(&fd);
    return r;
}

static void take_main(struct children *children, struct child *child, pid_t pid, const struct readiness_owner *owner) {
    const struct log_fields fields = {.event = "main_pid", .pid = child->pid, .status = -1};
    int fd = -1;
    if (child->main_fd >= 0 && pid == child->main_pid)
        return;
    if (pid == child->pid && child->live) {
        /* Back to the leader, as of a server whose successor didn't come up. */
        children_release_main(children, child);
        child->main_pid = 0;
        log_record(LOG_DEBUG, owner->subject, &fields, "MAINPID=%d is its own process", (int)pid);
        return;
    }
    int r = open_main(children, child, pid, owner, &fd);
    if (r < 0) {
        log_record(LOG_DEBUG, owner->subject, &fields, "MAINPID=%d is ignored: %s", (int)pid,
                   r == -ESRCH ? "it is not below this worker" : strerror(-r));
        return;
    }
    children_release_main(children, child);
    child->main_fd = fd;
    child->main_pid = pid;
    pids_insert(&children->pids, pid, (uint32_t)(child - children->children));
    log_record(LOG_INFO, owner->subject, &fields, "its main process is %d", (int)pid);
}

/* --- sd_notify --- */

/* A leader that is reaped has given its pid back, unless its group still keeps the number. */
static struct readiness_owner owner_of(struct children *children, const struct child *child, const char *subject) {
    bool kept = child->live || children_signal_members(child, 0) == 0;
    return (struct readiness_owner){.session = kept ? child->pid : 0,
                                    .main = child->main_fd >= 0 ? child->main_pid : 0,
                                    .descendants = children->input.descendants,
                                    .subject = subject};
}

static void log_facts(const struct child *child, const struct readiness_facts *facts, const char *subject) {
    const struct log_fields fields = {
        .event = "notify", .pid = child->main_pid ? child->main_pid : child->pid, .status = -1};
    if (facts->reloading)
        log_record(LOG_DEBUG, subject, &fields, "reloads its configuration");
    if (facts->error > 0 && facts->error != child->error)
        log_record(LOG_INFO, subject, &fields, "reports an error: %s", strerror(facts->error));
    if (facts->reported >= 0 && facts->reported != child->reported)
        log_record(LOG_INFO, subject, &fields, "reports that it will exit with %d", (int)facts->reported);
}

static void push_timed(struct children *children, const struct child *child, enum event_kind kind, msec_t duration) {
    inbox_push(children->input.inbox,
               (struct event){.kind = kind, .slot = children_slot_of(children, child), .duration = duration});
}

/* READY and UNREADY once each: a worker that repeats itself without end costs reads, not events. */
static void tell_facts(struct children *children, struct child *child, const struct readiness_facts *facts) {
    if (facts->ready && !child->ready_told)
        children_push(children, child, EVENT_READY);
    if (facts->extend > 0)
        push_timed(children, child, EVENT_EXTEND, facts->extend);
    if (facts->ping || facts->watchdog > 0)
        push_timed(children, child, EVENT_WATCHDOG, facts->watchdog);
    if (facts->trigger)
        children_push(children, child, EVENT_UNHEALTHY);
    if (facts->stopping && !child->stopping_told)
        children_push(children, child, EVENT_UNREADY);
    child->ready_told |= facts->ready;
    child->stopping_told |= facts->stopping;
    if (facts->error > 0)
        child->error = facts->error;
    if (facts->reported >= 0)
        child->reported = facts->reported;
}

static void listen_to_socket(struct children *children, struct child *child, unsigned datagrams) {
    struct slot slot = children_slot_of(children, child);
    struct readiness_facts facts = {.reported = -1};
    struct subject subject;
    const char *text = subject_of(children->input.spec, slot, &subject);
    unsigned count = 0, read = 0;
    do {
        struct readiness_owner owner = owner_of(children, child, text);
        read = readiness_read_socket(child->notify_fd, &owner, datagrams - count, &facts);
        if (facts.main_pid > 0)
            take_main(children, child, facts.main_pid, &owner);
        count += read;
    } while (facts.main_pid > 0 && count < datagrams);
    log_facts(child, &facts, text);
    /* Where readiness is another thing's, this is none: a library may send it whether it is asked or not. */
    facts.ready = facts.ready && spec_group_of(children->input.spec, slot.index)->ready == READY_NOTIFY;
    tell_facts(children, child, &facts);
}

static void listen_to_pipe(struct children *children, struct child *child) {
    struct readiness_facts facts = {.reported = -1};
    readiness_read_pipe(child->ready_fd, &facts);
    tell_facts(children, child, &facts);
    if (facts.closed)
        watch_remove(children->input.epoll, &child->ready_fd);
}

void children_listen(struct children *children, struct child *child, unsigned datagrams) {
    if (child->ready_fd >= 0)
        listen_to_pipe(children, child);
    if (child->notify_fd >= 0)
        listen_to_socket(children, child, datagrams);
}

void children_read_ready(struct children *children, struct slot slot) {
    struct child *child = children_find(children, slot);
    if (!child || !child->running)
        return;
    /* A fast worker is ready before epoll has told of its exec: EXECUTED comes first. */
    children_read_status(children, slot);
    children_listen(children, child, DATAGRAMS_PER_TURN);
}
