/* Children: slots, their generations and what belongs to each, from the fork on. See children_internal.h. */
#include "init/children_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/subject.h"
#include "init/unshared.h"
#include "init/watch.h"

/* --- slots --- */

static uint32_t index_of(const struct children *children, struct slot slot) {
    switch (slot.kind) {
    case SLOT_WORKER:
        return slot.index;
    case SLOT_HOOK:
        return children->workers + slot.index;
    case SLOT_PRIMARY:
        return 2 * children->workers + slot.index;
    case SLOT_PROBE:
        assert(children->count > 2 * children->workers + 2);
        return 2 * children->workers + 2 + slot.index;
    case SLOT_CONTAINER:
    case SLOT_KINDS:
        break;
    }
    assert(false && "a slot that has no process");
    return 0;
}

struct slot children_slot_of(const struct children *children, const struct child *child) {
    uint32_t index = (uint32_t)(child - children->children), workers = children->workers;
    uint32_t generation = child->generation;
    if (index < workers)
        return (struct slot){.kind = SLOT_WORKER, .index = index, .generation = generation};
    if (index < 2 * workers)
        return (struct slot){.kind = SLOT_HOOK, .index = index - workers, .generation = generation};
    if (index < 2 * workers + 2)
        return (struct slot){.kind = SLOT_PRIMARY, .index = index - 2 * workers, .generation = generation};
    return (struct slot){.kind = SLOT_PROBE, .index = index - 2 * workers - 2, .generation = generation};
}

struct child *children_find(struct children *children, struct slot slot) {
    struct child *child = &children->children[index_of(children, slot)];
    return child->pid != 0 && child->generation == slot.generation ? child : NULL;
}

static const struct child *find_const(const struct children *children, struct slot slot) {
    const struct child *child = &children->children[index_of(children, slot)];
    return child->pid != 0 && child->generation == slot.generation ? child : NULL;
}

/* --- life --- */

static const struct child nobody = {
    .status_fd = -1, .ready_fd = -1, .notify_fd = -1, .main_fd = -1, .group_fd = -1, .member_fd = -1, .reported = -1};

static size_t bytes_of(uint32_t count) {
    return sizeof(struct children) + count * sizeof(struct child);
}

int children_open(const struct children_input *input, struct children **ret) {
    uint32_t workers = input->spec->workers_count, count = 2 * workers + 2;
    if (probes_fork(input->spec))
        count += workers;
    struct children *children = unshared_alloc(bytes_of(count));
    pid_t *groups = calloc(count + workers, sizeof *groups); /* of leaders, and of main processes */
    int r = children && groups ? pids_open(count + workers, &children->pids) : -ENOMEM;
    if (r < 0) {
        unshared_free(children, bytes_of(count));
        free(groups);
        return r;
    }
    children->input = *input;
    children->workers = workers;
    children->count = count;
    children->due = true; /* whoever was a child of brood's before its exec */
    children->groups = groups;
    for (uint32_t i = 0; i < count; i++)
        children->children[i] = nobody;
    *ret = children;
    return 0;
}

void children_close_ready(struct children *children, struct child *child) {
    watch_remove(children->input.epoll, &child->ready_fd);
    if (child->notify_fd < 0)
        return;
    watch_remove(children->input.epoll, &child->notify_fd);
    readiness_socket_remove(children->input.readiness, children_slot_of(children, child).index);
}

void children_set_unsure(struct children *children, struct child *child, bool unsure) {
    if (child->unsure != unsure)
        children->unsure += unsure ? 1 : UINT32_MAX;
    child->unsure = unsure;
}

/* Nothing of this incarnation is of interest any more: a leader that isn't reaped yet (its main process was, and the
 * core has waited long enough) is an orphan like others. */
static void forget(struct children *children, struct child *child) {
    watch_remove(children->input.epoll, &child->status_fd);
    children_close_ready(children, child);
    children_release_main(children, child);
    watch_remove(children->input.epoll, &child->member_fd);
    fd_close(&child->group_fd);
    children_set_unsure(children, child, false);
    child->members = false;
    if (child->live)
        pids_remove(&children->pids, child->pid);
    child->live = false;
}

void children_close(struct children *children) {
    if (!children)
        return;
    for (uint32_t i = 0; i < children->count; i++)
        forget(children, &children->children[i]);
    pids_close(&children->pids);
    free(children->groups);
    unshared_free(children, bytes_of(children->count));
}

void children_add(struct children *children, struct slot slot, pid_t pid, const struct children_fds *fds) {
    uint32_t index = index_of(children, slot);
    struct child *child = &children->children[index];
    assert(!child->running);
    forget(children, child); /* members that the core no longer waits for */
    *child = nobody;
    child->pid = child->group = pid;
    child->generation = slot.generation;
    child->status_fd = fds->status;
    child->ready_fd = fds->ready;
    child->notify_fd = fds->notify;
    child->live = child->running = true;
    children->none = false;
    pids_insert(&children->pids, pid, index);
}

pid_t children_pid(const struct children *children, struct slot slot) {
    const struct child *child = find_const(children, slot);
    if (!child)
        return 0;
    return child->main_pid ? child->main_pid : child->pid;
}

pid_t children_live_pid(const struct children *children, struct slot slot) {
    const struct child *child = find_const(children, slot);
    return child && child->running ? children_pid(children, slot) : 0;
}

size_t children_groups(struct children *children, pid_t **ret) {
    size_t count = 0;
    for (uint32_t i = 0; i < children->count; i++) {
        const struct child *child = &children->children[i];
        if (child->live || child->running || child->members)
            children->groups[count++] = child->group;
        pid_t other = child->main_fd >= 0 ? getpgid(child->main_pid) : -1;
        if (other > 0 && other != child->group)
            children->groups[count++] = other;
    }
    *ret = children->groups;
    return count;
}
