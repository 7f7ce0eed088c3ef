/* The fake kernel: see kernel.h. What it keeps from the real one, because supervisors have failed by it:
 * a process is reaped exactly once; an exit that is scheduled is not an exit that is known; KILL takes its time and
 * sometimes does not work; members of a group outlive their leader; descendants leave the group and are adopted. */
#include "tests/sim/kernel.h"

#include <assert.h>
#include <string.h>

#include "supervisor/signals.h"

/* --- what is to happen --- */

static bool earlier(const struct pending *a, const struct pending *b) {
    if (a->at != b->at)
        return a->at < b->at;
    if (a->key != b->key)
        return a->key < b->key;
    return a->sequence < b->sequence;
}

static void insert(struct kernel *kernel, struct pending pending) {
    uint32_t at = kernel->heap_count++;
    while (at > 0 && earlier(&pending, &kernel->heap[(at - 1) / 2])) {
        kernel->heap[at] = kernel->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    kernel->heap[at] = pending;
}

struct process *kernel_process(struct kernel *kernel, struct slot slot) {
    switch (slot.kind) {
    case SLOT_PRIMARY:
        return &kernel->primary[slot.index];
    case SLOT_WORKER:
        return &kernel->workers[slot.index].leader;
    case SLOT_HOOK:
        return &kernel->workers[slot.index].hook;
    case SLOT_CONTAINER:
    case SLOT_PROBE:
    case SLOT_KINDS:
        break;
    }
    assert(false && "a slot without a process");
    return NULL;
}

/* What former lives would still have said is forgotten where there is no room for it: a worker that restarts every few
 * milliseconds leaves thousands of such words behind. */
static void forget_the_dead(struct kernel *kernel) {
    uint32_t count = kernel->heap_count;
    kernel->heap_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct pending pending = kernel->heap[i];
        bool dead = pending.kind == PENDING_FACT && pending.fact.kind != EVENT_SPAWN_FAILED &&
                    (!kernel_process(kernel, pending.fact.slot)->alive ||
                     kernel_process(kernel, pending.fact.slot)->generation != pending.fact.slot.generation);
        if (!dead)
            insert(kernel, pending);
    }
    assert(kernel->heap_count < KERNEL_PENDING_MAX / 2);
}

void kernel_push(struct kernel *kernel, struct pending pending) {
    if (pending.at == MSEC_NEVER)
        return;
    if (kernel->heap_count == KERNEL_PENDING_MAX)
        forget_the_dead(kernel);
    pending.sequence = kernel->sequence++;
    insert(kernel, pending);
}

static struct pending pop(struct kernel *kernel) {
    struct pending top = kernel->heap[0];
    struct pending last = kernel->heap[--kernel->heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= kernel->heap_count)
            break;
        if (child + 1 < kernel->heap_count && earlier(&kernel->heap[child + 1], &kernel->heap[child]))
            child++;
        if (!earlier(&kernel->heap[child], &last))
            break;
        kernel->heap[at] = kernel->heap[child];
        at = child;
    }
    kernel->heap[at] = last;
    return top;
}

void kernel_schedule_exit(struct kernel *kernel, struct slot slot, struct process *process, msec_t at,
                          struct ending ending) {
    if (at >= process->exit_at)
        return;
    process->exit_at = at;
    process->ending = ending;
    kernel_push(kernel, (struct pending){.at = at, .key = process->key, .kind = PENDING_EXIT, .fact = {.slot = slot}});
}

/* --- signals --- */

static struct ending ending_by(struct reaction reaction, int signal) {
    if (reaction.ending.kind != ENDING_NONE)
        return reaction.ending;
    return (struct ending){.kind = ENDING_KILLED, .number = (uint8_t)signal};
}

static void signal_process(struct kernel *kernel, struct slot slot, struct process *process, int signal, bool stops) {
    struct reaction reaction = stops ? process->stop : process->forward;
    if (!process->alive)
        return;
    if (signal == SIGNAL_KILL) {
        struct ending killed = {.kind = ENDING_KILLED, .number = SIGNAL_KILL};
        if (process->kill_delay == MSEC_NEVER)
            process->exit_at = MSEC_NEVER;
        else
            kernel_schedule_exit(kernel, slot, process, kernel->now + process->kill_delay, killed);
    } else if (!reaction.ignores) {
        kernel_schedule_exit(kernel, slot, process, kernel->now + reaction.delay, ending_by(reaction, signal));
    }
}

static void signal_member(struct kernel *kernel, struct slot slot, uint32_t which, int signal) {
    struct sim_worker *worker = &kernel->workers[slot.index];
    struct member *member = &worker->members[which];
    msec_t at = MSEC_NEVER;
    if (!member->alive)
        return;
    if (signal == SIGNAL_KILL && member->kill_delay != MSEC_NEVER)
        at = kernel->now + member->kill_delay;
    else if (signal != SIGNAL_KILL && !member->stop.ignores)
        at = kernel->now + member->stop.delay;
    if (at >= member->exit_at)
        return;
    member->exit_at = at;
    kernel_push(
        kernel,
        (struct pending){
            .at = at, .key = worker->leader.key, .kind = PENDING_MEMBER, .fact = {.slot = slot}, .which = which});
}

static void signal_stragglers(struct kernel *kernel, int signal) {
    for (uint32_t i = 0; i < KERNEL_STRAGGLERS_MAX; i++) {
        struct straggler *straggler = &kernel->stragglers[i];
        msec_t at = MSEC_NEVER;
        if (!straggler->alive)
            continue;
        if (signal == SIGNAL_KILL)
            at = straggler->stuck ? MSEC_NEVER : kernel->now + 1;
        else if (!straggler->stop.ignores && !straggler->told)
            at = kernel->now + straggler->stop.delay;
        straggler->told = true;
        if (at >= straggler->exit_at)
            continue;
        straggler->exit_at = at;
        kernel_push(kernel, (struct pending){.at = at, .key = i, .kind = PENDING_STRAGGLER, .which = i});
    }
    kernel->asked_childless = true;
}

void kernel_perform(struct kernel *kernel, const struct action *action, msec_t now) {
    kernel->now = now;
    switch (action->kind) {
    case ACTION_SPAWN:
        kernel_spawn(kernel, action->slot);
        break;
    case ACTION_SIGNAL:
        signal_process(kernel, action->slot, kernel_process(kernel, action->slot), action->signal,
                       action->then_continue);
        for (uint32_t i = 0; action->slot.kind == SLOT_WORKER && !action->to_leader && i < KERNEL_MEMBERS_MAX; i++)
            signal_member(kernel, action->slot, i, action->signal);
        break;
    case ACTION_SIGNAL_STRAGGLERS:
        signal_stragglers(kernel, action->signal);
        break;
    case ACTION_PROBE:
        kernel_probe(kernel, action->slot);
        break;
    case ACTION_PROBE_END:
        kernel_probe_end(kernel, action->slot);
        break;
    case ACTION_NOTIFY:
    case ACTION_REPORT:
    case ACTION_KINDS:
        break;
    }
}

/* --- facts --- */

static uint32_t members_alive(const struct sim_worker *worker) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < KERNEL_MEMBERS_MAX; i++)
        count += worker->members[i].alive;
    return count;
}

/* Returns whether there is a fact to tell. */
static bool exit_process(struct kernel *kernel, const struct pending *pending, struct event *ret) {
    struct slot slot = pending->fact.slot;
    struct process *process = kernel_process(kernel, slot);
    if (!process->alive || process->generation != slot.generation || process->exit_at != pending->at)
        return false;
    process->alive = false;
    kernel->children--;
    *ret = (struct event){.kind = EVENT_EXITED, .slot = slot, .ending = process->ending};
    if (slot.kind == SLOT_WORKER) {
        struct sim_worker *worker = &kernel->workers[slot.index];
        ret->members_left = worker->members_told = members_alive(worker) > 0;
        for (uint32_t i = 0; i < KERNEL_MEMBERS_MAX; i++)
            kernel->children += worker->members[i].alive && !worker->members[i].unreapable;
    }
    return true;
}

static bool exit_member(struct kernel *kernel, const struct pending *pending, struct event *ret) {
    struct slot slot = pending->fact.slot;
    struct sim_worker *worker = &kernel->workers[slot.index];
    struct member *member = &worker->members[pending->which];
    if (worker->generation != slot.generation || !member->alive || member->exit_at != pending->at)
        return false;
    if (member->unreapable && worker->members_told)
        return false; /* a zombie of somebody else: it stays in the group */
    member->alive = false;
    if (!worker->members_told)
        return false;
    kernel->children--;
    *ret = (struct event){.kind = EVENT_GROUP_EMPTY, .slot = slot};
    return members_alive(worker) == 0;
}

static bool exit_straggler(struct kernel *kernel, const struct pending *pending) {
    struct straggler *straggler = &kernel->stragglers[pending->which];
    if (straggler->alive && straggler->exit_at == pending->at) {
        straggler->alive = false;
        kernel->children--;
    }
    return false;
}

static bool end_probe(struct kernel *kernel, const struct pending *pending, struct event *ret) {
    struct slot slot = pending->fact.slot;
    struct probe *probe = &kernel->workers[slot.index].probe;
    if (!probe->alive || probe->generation != slot.generation || probe->number != pending->which ||
        probe->over_at != pending->at)
        return false;
    probe->alive = false;
    kernel->children -= probe->child;
    *ret = (struct event){.kind = EVENT_PROBED, .slot = slot, .success = probe->success};
    return true;
}

static bool happen(struct kernel *kernel, const struct pending *pending, struct event *ret) {
    const struct process *process;
    switch (pending->kind) {
    case PENDING_FACT:
        /* A process that is gone says nothing any more, except what was on its way already. */
        *ret = pending->fact;
        process = kernel_process(kernel, ret->slot);
        if (ret->kind == EVENT_SPAWN_FAILED || process->alive)
            return true;
        return ret->kind != EVENT_EXECUTED && ret->kind != EVENT_EXEC_FAILED;
    case PENDING_EXIT:
        return exit_process(kernel, pending, ret);
    case PENDING_MEMBER:
        return exit_member(kernel, pending, ret);
    case PENDING_STRAGGLER:
        return exit_straggler(kernel, pending);
    case PENDING_PROBE:
        return end_probe(kernel, pending, ret);
    }
    return false;
}

msec_t kernel_next(const struct kernel *kernel) {
    if (kernel->asked_childless && kernel->children == 0)
        return kernel->now;
    return kernel->heap_count ? kernel->heap[0].at : MSEC_NEVER;
}

uint32_t kernel_collect(struct kernel *kernel, msec_t now, struct event *ret_events, uint64_t *ret_keys) {
    uint32_t count = 0;
    kernel->now = now;
    while (kernel->heap_count > 0 && kernel->heap[0].at <= now && count < KERNEL_BATCH_MAX - 1) {
        struct pending pending = pop(kernel);
        if (happen(kernel, &pending, &ret_events[count]))
            ret_keys[count++] = pending.key;
    }
    bool more = kernel->heap_count > 0 && kernel->heap[0].at <= now;
    if (!more && kernel->asked_childless && kernel->children == 0) {
        kernel->asked_childless = false;
        ret_events[count] = (struct event){.kind = EVENT_CHILDREN_GONE};
        ret_keys[count++] = UINT64_MAX;
    }
    return count;
}

void kernel_init(struct kernel *kernel, const struct scenario *scenario) {
    memset(kernel, 0, offsetof(struct kernel, heap));
    kernel->heap_count = 0;
    kernel->sequence = 0;
    kernel->children = 0;
    kernel->asked_childless = false;
    kernel->scenario = scenario;
    for (uint32_t group = 0; group < scenario->spec.groups_count; group++) {
        for (uint32_t i = 0; i < scenario->groups[group].count; i++)
            kernel->workers[scenario->groups[group].first_worker + i].group = group;
    }
}
