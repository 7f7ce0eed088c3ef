/* Signals to children, their end, and the members of a worker's group that outlive it.
 *
 * Each end is looked at before it is taken (WNOWAIT). While the leader is a zombie its pid and its group's number are
 * still its own: what it has written last is read, a pidfd is opened, and only then is it reaped. The pidfd stays exact
 * afterwards, for signals to the group too (PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9; before that kill(-pgid), right after
 * a kill(-pgid, 0) that found somebody). When a group is empty is told by the pidfd of one member after the other.
 *
 * Where a worker has named a main process, the leader's end tells nothing: EXITED is about the main process then, which
 * brood has adopted by that time. One that somebody else has reaped already leaves no status. A leader that lives on is
 * a member that is left. Sources: wait(2), pidfd_open(2), pidfd_send_signal(2), kill(2). */
#include "init/children_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"
#include "init/subject.h"
#include "init/watch.h"
#include "init/zombie.h"
#include "supervisor/signals.h"

#define PIDFD_GROUP (1U << 2) /* PIDFD_SIGNAL_PROCESS_GROUP, which Debian 12's headers don't have */

/* --- signals, and who is left --- */

static int signal_pidfd(int fd, int signal, unsigned flags) {
    return syscall(SYS_pidfd_send_signal, fd, signal, NULL, flags) < 0 ? -errno : 0;
}

int children_signal_members(const struct child *child, int signal) {
    if (child->group_fd >= 0) {
        int r = signal_pidfd(child->group_fd, signal, PIDFD_GROUP);
        if (r != -EINVAL)
            return r;
    }
    /* Before 6.9. A number that has a group now had one all the time since the leader's end. */
    if (kill(-child->group, 0) < 0 || (signal != 0 && kill(-child->group, signal) < 0))
        return -errno;
    return 0;
}

static int signal_live(const struct child *child, int signal, bool to_leader) {
    if (!to_leader && kill(-child->pid, signal) == 0)
        return 0;
    /* Forked, but not at its setsid() yet: it is alone. */
    if ((to_leader || errno == ESRCH) && kill(child->pid, signal) == 0)
        return 0;
    return -errno;
}

/* The main process, and its group where that isn't the worker's: a daemon takes a session of its own. */
static int signal_main(const struct child *child, int signal, bool to_leader) {
    pid_t group = to_leader ? child->group : getpgid(child->main_pid);
    if (group > 0 && group != child->group) {
        int r = group == child->main_pid ? signal_pidfd(child->main_fd, signal, PIDFD_GROUP) : -EINVAL;
        if (r != -EINVAL)
            return r;
        /* While the main process is there, its group is, too. */
        if (signal_pidfd(child->main_fd, 0, 0) == 0 && kill(-group, signal) == 0)
            return 0;
    }
    return to_leader ? signal_pidfd(child->main_fd, signal, 0) : 0;
}

static int signal_child(const struct child *child, int signal, bool to_leader) {
    int r = 0;
    if (child->main_fd >= 0)
        r = signal_main(child, signal, to_leader);
    if (r < 0 || (to_leader && child->main_fd >= 0))
        return r;
    bool own = child->live && child->group == child->pid;
    r = own ? signal_live(child, signal, to_leader) : children_signal_members(child, signal);
    return child->main_fd >= 0 && r == -ESRCH ? 0 : r; /* none but the main process is left, elsewhere */
}

int children_signal(struct children *children, struct slot slot, int signal, bool to_leader, bool then_continue) {
    struct child *child = children_find(children, slot);
    int r = 0;
    if (!child || (!child->running && !child->members))
        return 0;
    for (int i = 0; i < 2 && r == 0; i++) {
        r = signal_child(child, signal, to_leader && child->running);
        if (!then_continue || signal == SIGKILL || signal == SIGCONT)
            break;
        signal = SIGCONT;
    }
    if (r != -ESRCH)
        return r;
    if (child->members) { /* gone in the meantime: the next look says so */
        children_set_unsure(children, child, true);
        children->due = true;
    }
    return 0;
}

/* Returns the pid of a child (pid 0: of any, -N: of one in process group N) that has ended, as options has it, 0: none
 * has; or -errno (-ECHILD: there is no such child). */
static pid_t wait_child(pid_t pid, int options, siginfo_t *ret) {
    ret->si_pid = 0;
    idtype_t kind = pid > 0 ? P_PID : pid < 0 ? P_PGID : P_ALL;
    if (waitid(kind, (id_t)(pid < 0 ? -pid : pid), ret, WNOHANG | options) < 0)
        return -errno;
    return ret->si_pid;
}

static void reap_orphan(const struct children *children, const siginfo_t *info) {
    bool exited = info->si_code == CLD_EXITED;
    const struct log_fields fields = {.event = "reaped",
                                      .pid = info->si_pid,
                                      .status = exited ? info->si_status : -1,
                                      .signal = exited ? 0 : info->si_status,
                                      .sigrtmin = SIGRTMIN_USUAL};
    char name[SIGNAL_NAME_BYTES];
    siginfo_t taken;
    wait_child(info->si_pid, WEXITED, &taken);
    if (exited)
        log_record(children->input.reaped, "orphan", &fields, "exited %d, reaped", info->si_status);
    else
        log_record(children->input.reaped, "orphan", &fields, "killed by %s, reaped",
                   signal_name(info->si_status, SIGRTMIN_USUAL, name));
}

/* Zombies are members for kill(). Those of this group that brood has adopted go first, so that a group that was killed
 * as a whole costs no look at /proc: a thousand of them at once would hold brood up for a grace period. */
static void reap_members(struct children *children, pid_t group) {
    siginfo_t info;
    uint32_t number;
    for (uint32_t reaps = 0; reaps < REAPS_PER_TURN; reaps++) {
        pid_t pid = wait_child(-group, WEXITED | WNOWAIT, &info);
        if (pid <= 0)
            return;
        if (pids_find(&children->pids, pid, &number)) { /* a leader or a main process: its end is yet to be told */
            children->due = true;
            return;
        }
        reap_orphan(children, &info);
    }
}

/* Finds somebody alive in an ended worker's group and watches him. False where nobody is left: zombies that somebody
 * else has to reap don't count. */
static bool watch_member(struct children *children, struct child *child) {
    children_set_unsure(children, child, false);
    if (children_signal_members(child, 0) == -ESRCH)
        return false;
    reap_members(children, child->group);
    if (children_signal_members(child, 0) == -ESRCH)
        return false;
    CLEANUP_FD int fd = descendants_member(children->input.descendants, child->group);
    if (fd == -ESRCH)
        return false;
    if (fd >= 0 && watch_add(children->input.epoll, fd, SOURCE_MEMBER, children_slot_of(children, child)) == 0)
        child->member_fd = fd_take(&fd);
    else
        children_set_unsure(children, child, true);
    return true;
}

static void look(struct children *children, struct child *child) {
    watch_remove(children->input.epoll, &child->member_fd);
    if (watch_member(children, child))
        return;
    fd_close(&child->group_fd);
    child->members = false;
    children_push(children, child, EVENT_GROUP_EMPTY);
}

void children_look(struct children *children, struct slot slot) {
    struct child *child = children_find(children, slot);
    if (child && child->members)
        look(children, child);
}

/* --- ends --- */

static struct ending ending_of(const siginfo_t *info) {
    return (struct ending){.kind = info->si_code == CLD_EXITED ? ENDING_EXITED : ENDING_KILLED,
                           .number = (uint8_t)info->si_status};
}

/* The worker is over, as `ending` has it; own_group is the one that its main process led, 0: none. */
static void end(struct children *children, struct child *child, struct ending ending, pid_t own_group) {
    struct slot slot = children_slot_of(children, child);
    children_close_ready(children, child);
    child->running = false;
    ending.unexecuted = child->unexecuted;
    if (slot.kind == SLOT_WORKER) {
        if (child->live && child->group_fd < 0)
            child->group_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
        child->members = watch_member(children, child);
        if (!child->members && own_group > 0 && own_group != child->group) {
            fd_close(&child->group_fd);
            child->group = own_group;
            child->members = watch_member(children, child);
        }
    }
    if (!child->members)
        fd_close(&child->group_fd);
    inbox_push(children->input.inbox,
               (struct event){.kind = EVENT_EXITED, .slot = slot, .ending = ending, .members_left = child->members});
}

/* Whatever a probe has left in its group goes with it, while its zombie still holds the group's number. */
static void reap_probe(struct children *children, struct child *child, const siginfo_t *info) {
    bool success = info->si_code == CLD_EXITED && info->si_status == 0;
    siginfo_t taken;
    kill(-child->pid, SIGKILL);
    wait_child(child->pid, WEXITED, &taken);
    pids_remove(&children->pids, child->pid);
    child->live = child->running = false;
    probes_over(children->input.probes, children_slot_of(children, child), success);
}

static void reap_leader(struct children *children, struct child *child, const siginfo_t *info) {
    struct slot slot = children_slot_of(children, child);
    siginfo_t taken;

    children_read_status(children, slot);
    watch_remove(children->input.epoll, &child->status_fd);
    if (slot.kind == SLOT_PROBE) {
        reap_probe(children, child, info);
        return;
    }
    if (child->running)
        children_listen(children, child, DATAGRAMS_AT_END);
    if (slot.kind == SLOT_WORKER && child->group_fd < 0 && child->group == child->pid)
        child->group_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    wait_child(child->pid, WEXITED, &taken);
    pids_remove(&children->pids, child->pid);
    child->live = false;
    if (child->running && child->main_fd < 0)
        end(children, child, ending_of(info), 0);
}

static void reap_main(struct children *children, struct child *child, const siginfo_t *info) {
    siginfo_t taken;
    children_listen(children, child, DATAGRAMS_AT_END);
    if (child->main_fd < 0 || child->main_pid != info->si_pid) { /* its last word named another one */
        reap_orphan(children, info);
        return;
    }
    pid_t group = getpgid(child->main_pid);
    children_release_main(children, child);
    wait_child(info->si_pid, WEXITED, &taken);
    end(children, child, ending_of(info), group);
}

/* The main process has ended. Where it is brood's child, it is a zombie that children_reap() is to take. Somebody
 * else's is one as long as its parent leaves it. */
void children_main_ended(struct children *children, struct slot slot) {
    struct child *child = children_find(children, slot);
    struct subject subject;
    siginfo_t info;
    if (!child || child->main_fd < 0)
        return;
    if (wait_child(child->main_pid, WEXITED | WNOWAIT, &info) != -ECHILD) {
        children->due = true;
        return;
    }
    children_read_status(children, slot);
    children_listen(children, child, DATAGRAMS_AT_END);
    if (child->main_fd < 0)
        return;
    struct ending ending = {.kind = ENDING_EXITED};
    if (!zombie_ending(child->main_pid, child->main_fd, &ending)) {
        const struct log_fields fields = {.event = "main_ended", .pid = child->main_pid, .status = -1};
        log_record(LOG_INFO, subject_of(children->input.spec, slot, &subject), &fields,
                   "its main process has ended, but another process is its parent and has its status: taken for 0");
    }
    children_release_main(children, child);
    end(children, child, ending, 0);
}

int children_stopped(const struct children *children, uint32_t worker) {
    const struct child *child = &children->children[worker];
    siginfo_t info;
    if (!child->live || wait_child(child->pid, WSTOPPED, &info) <= 0)
        return 0;
    return info.si_status;
}

void children_continue(const struct children *children, uint32_t worker) {
    const struct child *child = &children->children[worker];
    if (child->live)
        kill(-child->pid, SIGCONT);
}

static void reap_known(struct children *children, const siginfo_t *info) {
    uint32_t number;
    if (!pids_find(&children->pids, info->si_pid, &number))
        reap_orphan(children, info);
    else if (info->si_pid == children->children[number].pid)
        reap_leader(children, &children->children[number], info);
    else
        reap_main(children, &children->children[number], info);
}

void children_reap_one(struct children *children, pid_t pid) {
    siginfo_t info;
    if (wait_child(pid, WEXITED | WNOWAIT, &info) > 0)
        reap_known(children, &info);
}

/* False where nobody has ended. */
static bool reap_next(struct children *children) {
    siginfo_t info;
    pid_t pid = wait_child(0, WEXITED | WNOWAIT, &info);
    if (pid == -ECHILD && !children->none) {
        children->none = true;
        inbox_push(children->input.inbox, (struct event){.kind = EVENT_CHILDREN_GONE});
    }
    if (pid != -ECHILD)
        children->none = false;
    if (pid <= 0)
        return false;
    reap_known(children, &info);
    return true;
}

static void look_at_unsure(struct children *children) {
    uint32_t looks = 0, left = children->unsure;
    for (uint32_t i = 0; i < children->workers && left > 0; i++) {
        struct child *child = &children->children[(children->look_next + i) % children->workers];
        if (!child->unsure)
            continue;
        if (looks++ == LOOKS_PER_TURN) {
            children->due = true;
            children->look_next = (children->look_next + i) % children->workers;
            return;
        }
        left--;
        look(children, child);
    }
}

void children_reap(struct children *children) {
    uint32_t reaps = 0;
    children->due = false;
    while (reaps < REAPS_PER_TURN && reap_next(children))
        reaps++;
    if (reaps == REAPS_PER_TURN)
        children->due = true;
    if (children->unsure > 0)
        look_at_unsure(children);
}

bool children_due(const struct children *children) {
    return children->due;
}

bool children_any(const struct children *children) {
    siginfo_t info;
    (void)children;
    return wait_child(0, WEXITED | WNOWAIT, &info) != -ECHILD;
}

void children_report_none(struct children *children) {
    children->none = false;
    children->due = true;
}
