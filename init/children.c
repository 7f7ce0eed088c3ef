/* Children: the table of pids, reaping, and the members of a worker's group that outlive their leader.
 *
 * Each end is looked at before it is taken (WNOWAIT). While the leader is a zombie its pid and its group's number are
 * still its own: what it has written last is read, a pidfd is opened, and only then is it reaped. The pidfd stays exact
 * afterwards, for signals to the group too (PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9; before that kill(-pgid), right after
 * a kill(-pgid, 0) that found somebody). When a group is empty is told by the pidfd of one member after the other.
 * Sources: wait(2), pidfd_open(2), pidfd_send_signal(2), kill(2). */
#include "init/children.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"
#include "init/spawn.h"
#include "init/subject.h"
#include "init/watch.h"

#define PIDFD_GROUP (1U << 2) /* PIDFD_SIGNAL_PROCESS_GROUP, which Debian 12's headers don't have */
#define DATAGRAMS_PER_TURN 16 /* of one worker */
#define DATAGRAMS_AT_END 1024 /* more than a socket can hold: an ended worker's are read to the last */

struct child {
    pid_t pid; /* of this generation, also when it is reaped; 0: never forked */
    uint32_t generation;
    int status_fd; /* its status pipe until the exec is known, -1: none */
    int ready_fd;  /* its readiness pipe or notify socket, -1: none */
    int group_fd;  /* pidfd of the reaped leader while members are left, -1: none */
    int member_fd; /* pidfd of a member, in epoll; -1: none */
    bool live;     /* forked and not reaped */
    bool members;  /* reaped, and others of its group are left */
    bool unsure;   /* … and no descriptor tells when they are gone: look after each reap */
    bool ready_told;
    bool stopping_told;
};

/* pid to child: open addressing, at most half full. */
struct entry {
    pid_t pid; /* 0: free */
    uint32_t child;
};

struct children {
    struct children_input input;
    uint32_t workers; /* children[0 …]: workers, then as many hooks, then the primary's two */
    uint32_t count;
    uint32_t mask;      /* of the table */
    uint32_t unsure;    /* how many children are */
    uint32_t look_next; /* where the next look at them begins */
    bool due;
    bool none; /* told that there is no child */
    struct entry *table;
    pid_t *groups;
    struct child children[];
};

/* --- slots --- */

static uint32_t index_of(const struct children *children, struct slot slot) {
    switch (slot.kind) {
    case SLOT_WORKER:
        return slot.index;
    case SLOT_HOOK:
        return children->workers + slot.index;
    case SLOT_PRIMARY:
        return 2 * children->workers + slot.index;
    case SLOT_CONTAINER:
    case SLOT_KINDS:
        break;
    }
    assert(false && "a slot that has no process");
    return 0;
}

static struct slot slot_of(const struct children *children, const struct child *child) {
    uint32_t index = (uint32_t)(child - children->children), workers = children->workers;
    uint32_t generation = child->generation;
    if (index < workers)
        return (struct slot){.kind = SLOT_WORKER, .index = index, .generation = generation};
    if (index < 2 * workers)
        return (struct slot){.kind = SLOT_HOOK, .index = index - workers, .generation = generation};
    return (struct slot){.kind = SLOT_PRIMARY, .index = index - 2 * workers, .generation = generation};
}

/* The child of exactly this generation, NULL where it is another one's time. */
static struct child *child_of(struct children *children, struct slot slot) {
    struct child *child = &children->children[index_of(children, slot)];
    return child->pid != 0 && child->generation == slot.generation ? child : NULL;
}

static const struct child *child_of_const(const struct children *children, struct slot slot) {
    const struct child *child = &children->children[index_of(children, slot)];
    return child->pid != 0 && child->generation == slot.generation ? child : NULL;
}

static void push(struct children *children, const struct child *child, enum event_kind kind) {
    inbox_push(children->input.inbox, (struct event){.kind = kind, .slot = slot_of(children, child)});
}

/* --- the table --- */

static uint32_t home_of(const struct children *children, pid_t pid) {
    return (uint32_t)pid * UINT32_C(2654435769) & children->mask;
}

static void table_insert(struct children *children, pid_t pid, uint32_t child) {
    uint32_t at = home_of(children, pid);
    while (children->table[at].pid != 0)
        at = (at + 1) & children->mask;
    children->table[at] = (struct entry){.pid = pid, .child = child};
}

static struct child *table_find(struct children *children, pid_t pid) {
    for (uint32_t at = home_of(children, pid); children->table[at].pid != 0; at = (at + 1) & children->mask)
        if (children->table[at].pid == pid)
            return &children->children[children->table[at].child];
    return NULL;
}

/* Closes the gap: whoever comes later in the run and may lie there moves into it. */
static void table_remove(struct children *children, pid_t pid) {
    uint32_t gap = home_of(children, pid);
    while (children->table[gap].pid != pid)
        gap = (gap + 1) & children->mask;
    for (uint32_t at = (gap + 1) & children->mask; children->table[at].pid != 0; at = (at + 1) & children->mask) {
        uint32_t home = home_of(children, children->table[at].pid);
        if (((at - home) & children->mask) < ((at - gap) & children->mask))
            continue;
        children->table[gap] = children->table[at];
        gap = at;
    }
    children->table[gap] = (struct entry){0};
}

/* --- life --- */

int children_open(const struct children_input *input, struct children **ret) {
    uint32_t workers = input->spec->workers_count, count = 2 * workers + 2, size = 8;
    while (size < 2 * count)
        size *= 2;
    struct children *children = calloc(1, sizeof *children + count * sizeof(struct child));
    struct entry *table = calloc(size, sizeof *table);
    pid_t *groups = calloc(count, sizeof *groups);
    if (!children || !table || !groups) {
        free(children);
        free(table);
        free(groups);
        return -ENOMEM;
    }
    children->input = *input;
    children->workers = workers;
    children->count = count;
    children->mask = size - 1;
    children->due = true; /* whoever was a child of brood's before its exec */
    children->table = table;
    children->groups = groups;
    for (uint32_t i = 0; i < count; i++) {
        struct child *child = &children->children[i];
        child->status_fd = child->ready_fd = child->group_fd = child->member_fd = -1;
    }
    *ret = children;
    return 0;
}

static void close_ready(struct children *children, struct child *child) {
    if (child->ready_fd < 0)
        return;
    struct slot slot = slot_of(children, child);
    watch_remove(children->input.epoll, &child->ready_fd);
    if (spec_group_of(children->input.spec, slot.index)->ready == READY_NOTIFY)
        readiness_socket_remove(children->input.readiness, slot.index);
}

static void set_unsure(struct children *children, struct child *child, bool unsure) {
    if (child->unsure != unsure)
        children->unsure += unsure ? 1 : UINT32_MAX;
    child->unsure = unsure;
}

/* Nothing of this incarnation is of interest any more. */
static void forget(struct children *children, struct child *child) {
    watch_remove(children->input.epoll, &child->status_fd);
    close_ready(children, child);
    watch_remove(children->input.epoll, &child->member_fd);
    fd_close(&child->group_fd);
    set_unsure(children, child, false);
    child->members = false;
}

void children_close(struct children *children) {
    if (!children)
        return;
    for (uint32_t i = 0; i < children->count; i++)
        forget(children, &children->children[i]);
    free(children->table);
    free(children->groups);
    free(children);
}

void children_add(struct children *children, struct slot slot, pid_t pid, int status_fd, int ready_fd) {
    uint32_t index = index_of(children, slot);
    struct child *child = &children->children[index];
    assert(!child->live);
    forget(children, child); /* members that the core no longer waits for */
    *child = (struct child){.pid = pid,
                            .generation = slot.generation,
                            .status_fd = status_fd,
                            .ready_fd = ready_fd,
                            .group_fd = -1,
                            .member_fd = -1,
                            .live = true};
    children->none = false;
    table_insert(children, pid, index);
}

pid_t children_pid(const struct children *children, struct slot slot) {
    const struct child *child = child_of_const(children, slot);
    return child ? child->pid : 0;
}

pid_t children_live_pid(const struct children *children, struct slot slot) {
    const struct child *child = child_of_const(children, slot);
    return child && child->live ? child->pid : 0;
}

/* --- exec and readiness --- */

void children_read_status(struct children *children, struct slot slot) {
    struct child *child = child_of(children, slot);
    struct spawn_failure failure;
    if (!child || child->status_fd < 0)
        return;
    enum spawn_status status = spawn_status(child->status_fd, &failure);
    if (status == SPAWN_PENDING)
        return;
    watch_remove(children->input.epoll, &child->status_fd);
    if (status == SPAWN_EXECUTED) {
        push(children, child, EVENT_EXECUTED);
        return;
    }
    struct subject subject;
    const struct log_fields fields = {.event = "exec_failed", .pid = subject_pid(slot, child->pid), .status = -1};
    log_record(LOG_ERROR, subject_of(children->input.spec, slot, &subject), &fields, "%s", failure.text);
    inbox_push(children->input.inbox,
               (struct event){.kind = EVENT_EXEC_FAILED, .slot = slot, .error = failure.error, .stage = failure.stage});
}

static void read_ready(struct children *children, struct child *child, unsigned datagrams) {
    struct slot slot = slot_of(children, child);
    struct readiness_facts facts;
    struct subject subject;

    if (child->ready_fd < 0)
        return;
    if (spec_group_of(children->input.spec, slot.index)->ready == READY_FD)
        readiness_read_pipe(child->ready_fd, &facts);
    else
        readiness_read_socket(child->ready_fd, child->pid, children->input.descendants,
                              subject_of(children->input.spec, slot, &subject), datagrams, &facts);
    /* Once each: a worker that repeats itself without end costs reads, not events. */
    if (facts.ready && !child->ready_told)
        push(children, child, EVENT_READY);
    if (facts.stopping && !child->stopping_told)
        push(children, child, EVENT_UNREADY);
    child->ready_told |= facts.ready;
    child->stopping_told |= facts.stopping;
    if (facts.closed)
        close_ready(children, child);
}

void children_read_ready(struct children *children, struct slot slot) {
    struct child *child = child_of(children, slot);
    if (!child || !child->live)
        return;
    /* A fast worker is ready before epoll has told of its exec: EXECUTED comes first. */
    children_read_status(children, slot);
    read_ready(children, child, DATAGRAMS_PER_TURN);
}

/* --- signals, and who is left --- */

/* Signal 0 asks. Returns 0, or -errno (-ESRCH: nobody is left in the group of the ended leader). */
static int signal_members(const struct child *child, int signal) {
    if (child->group_fd >= 0) {
        if (syscall(SYS_pidfd_send_signal, child->group_fd, signal, NULL, PIDFD_GROUP) == 0)
            return 0;
        if (errno != EINVAL)
            return -errno;
    }
    /* Before 6.9. A number that has a group now had one all the time since the leader's end. */
    if (kill(-child->pid, 0) < 0 || (signal != 0 && kill(-child->pid, signal) < 0))
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

int children_signal(struct children *children, struct slot slot, int signal, bool to_leader, bool then_continue) {
    struct child *child = child_of(children, slot);
    int r = 0;
    if (!child || (!child->live && !child->members))
        return 0;
    for (int i = 0; i < 2 && r == 0; i++) {
        r = child->live ? signal_live(child, signal, to_leader) : signal_members(child, signal);
        if (!then_continue || signal == SIGKILL || signal == SIGCONT)
            break;
        signal = SIGCONT;
    }
    if (r != -ESRCH)
        return r;
    if (child->members) { /* gone in the meantime: the next look says so */
        set_unsure(children, child, true);
        children->due = true;
    }
    return 0;
}

size_t children_groups(struct children *children, pid_t **ret) {
    size_t count = 0;
    for (uint32_t i = 0; i < children->count; i++) {
        const struct child *child = &children->children[i];
        if (child->live || child->members)
            children->groups[count++] = child->pid;
    }
    *ret = children->groups;
    return count;
}

/* Finds somebody alive in an ended leader's group and watches him. False where nobody is left: zombies that somebody
 * else has to reap don't count. */
static bool watch_member(struct children *children, struct child *child) {
    set_unsure(children, child, false);
    if (signal_members(child, 0) == -ESRCH)
        return false;
    CLEANUP_FD int fd = descendants_member(children->input.descendants, child->pid);
    if (fd == -ESRCH)
        return false;
    if (fd >= 0 && watch_add(children->input.epoll, fd, SOURCE_MEMBER, slot_of(children, child)) == 0)
        child->member_fd = fd_take(&fd);
    else
        set_unsure(children, child, true);
    return true;
}

static void look(struct children *children, struct child *child) {
    watch_remove(children->input.epoll, &child->member_fd);
    if (watch_member(children, child))
        return;
    fd_close(&child->group_fd);
    child->members = false;
    push(children, child, EVENT_GROUP_EMPTY);
}

void children_look(struct children *children, struct slot slot) {
    struct child *child = child_of(children, slot);
    if (child && child->members)
        look(children, child);
}

/* --- reaping --- */

/* Returns the pid of a child that has ended, 0: none has; or -errno (-ECHILD: there is no child). */
static pid_t wait_child(pid_t pid, int options, siginfo_t *ret) {
    ret->si_pid = 0;
    if (waitid(pid > 0 ? P_PID : P_ALL, (id_t)pid, ret, WEXITED | WNOHANG | options) < 0)
        return -errno;
    return ret->si_pid;
}

static struct ending ending_of(const siginfo_t *info) {
    return (struct ending){.kind = info->si_code == CLD_EXITED ? ENDING_EXITED : ENDING_KILLED,
                           .number = (uint8_t)info->si_status};
}

static void reap_orphan(const siginfo_t *info) {
    const struct log_fields fields = {.event = "reaped", .pid = info->si_pid, .status = -1};
    siginfo_t taken;
    wait_child(info->si_pid, 0, &taken);
    log_record(LOG_DEBUG, "orphan", &fields, "%s %d, reaped",
               info->si_code == CLD_EXITED ? "exited" : "killed by signal", info->si_status);
}

static void reap_child(struct children *children, struct child *child, const siginfo_t *info) {
    struct slot slot = slot_of(children, child);
    bool worker = slot.kind == SLOT_WORKER;
    siginfo_t taken;

    children_read_status(children, slot);
    read_ready(children, child, DATAGRAMS_AT_END);
    watch_remove(children->input.epoll, &child->status_fd);
    close_ready(children, child);
    if (worker)
        child->group_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    wait_child(child->pid, 0, &taken);
    table_remove(children, child->pid);
    child->live = false;
    child->members = worker && watch_member(children, child);
    if (!child->members)
        fd_close(&child->group_fd);
    inbox_push(
        children->input.inbox,
        (struct event){.kind = EVENT_EXITED, .slot = slot, .ending = ending_of(info), .members_left = child->members});
}

/* False where nobody has ended. */
static bool reap_one(struct children *children) {
    siginfo_t info;
    pid_t pid = wait_child(0, WNOWAIT, &info);
    if (pid == -ECHILD && !children->none) {
        children->none = true;
        inbox_push(children->input.inbox, (struct event){.kind = EVENT_CHILDREN_GONE});
    }
    if (pid != -ECHILD)
        children->none = false;
    if (pid <= 0)
        return false;
    struct child *child = table_find(children, pid);
    if (child)
        reap_child(children, child, &info);
    else
        reap_orphan(&info);
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
    while (reaps < REAPS_PER_TURN && reap_one(children))
        reaps++;
    if (reaps == REAPS_PER_TURN)
        children->due = true;
    if (children->unsure > 0)
        look_at_unsure(children);
}

bool children_due(const struct children *children) {
    return children->due;
}

void children_report_none(struct children *children) {
    children->none = false;
    children->due = true;
}
