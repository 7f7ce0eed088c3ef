/* A worker group as a whole: when it counts as ready for those that start after it, and as gone for those that stop
 * before it. Counts are kept as workers change state, so that ten thousand workers cost no search. */
#include "supervisor/core.h"

void group_init(struct sv *sv, uint16_t index) {
    const struct spec_group *spec = &sv->spec->groups[index];
    sv->groups[index] = (struct group){.live_count = spec->count, .waits = (uint16_t)spec->after_count};
}

bool group_may_start(const struct sv *sv, uint16_t index) {
    return sv->groups[index].waits == 0 && !sv->groups[index].doomed;
}

bool group_may_stop(const struct sv *sv, uint16_t index) {
    return sv->groups[index].above == 0;
}

static void attend_all(struct sv *sv, uint16_t index) {
    const struct spec_group *spec = &sv->spec->groups[index];
    for (uint32_t i = 0; i < spec->count; i++)
        sv_queue_attention(sv, spec->first_worker + i);
}

static void became_ready(struct sv *sv, uint16_t index) {
    const struct spec_group *spec = &sv->spec->groups[index];
    sv->groups[index].ready = true;
    sv->unready--;
    for (uint32_t i = 0; i < spec->before_count; i++) {
        const struct spec_group *waiting = &sv->spec->groups[spec->before[i]];
        if (--sv->groups[spec->before[i]].waits > 0)
            continue;
        for (uint32_t j = 0; j < waiting->count; j++)
            sv_queue_spawn(sv, waiting->first_worker + j);
    }
}

/* A worker of it has failed for good before the group was ready: those that wait for it never start. */
static void became_hopeless(struct sv *sv, uint16_t index) {
    const struct spec_group *spec = &sv->spec->groups[index];
    for (uint32_t i = 0; i < spec->before_count; i++) {
        uint16_t waiting = spec->before[i];
        if (sv->groups[waiting].doomed)
            continue;
        sv->groups[waiting].doomed = true;
        attend_all(sv, waiting);
    }
}

/* From group to group downwards, without recursion: each is cleared once, so that `clearing` never overflows. */
static void clear_from(struct sv *sv, uint16_t index) {
    uint32_t depth = 0;
    sv->groups[index].cleared = true;
    sv->clearing[depth++] = index;
    while (depth > 0) {
        const struct spec_group *spec = &sv->spec->groups[sv->clearing[--depth]];
        for (uint32_t i = 0; i < spec->after_count; i++) {
            struct group *below = &sv->groups[spec->after[i]];
            if (--below->above > 0)
                continue;
            if (below->live_count == 0 && !below->cleared) {
                below->cleared = true;
                sv->clearing[depth++] = spec->after[i];
            } else {
                attend_all(sv, spec->after[i]);
            }
        }
    }
}

void group_begin_stop(struct sv *sv) {
    for (uint32_t i = 0; i < sv->spec->groups_count; i++) {
        sv->groups[i].above = (uint16_t)sv->spec->groups[i].before_count;
        sv->groups[i].cleared = false;
    }
    for (uint32_t i = 0; i < sv->spec->groups_count; i++)
        if (sv->groups[i].live_count == 0 && sv->groups[i].above == 0 && !sv->groups[i].cleared)
            clear_from(sv, (uint16_t)i);
}

void group_begin(struct sv *sv, uint16_t index) {
    const struct spec_group *spec = &sv->spec->groups[index];
    struct group *group = &sv->groups[index];
    if (!group->begun && spec->ready != READY_NONE && spec->startup_timeout != MSEC_NEVER)
        sv->life.start_until = msec_max(sv->life.start_until, msec_add(sv->now, spec->startup_timeout));
    group->begun = true;
}

static bool is_up(const struct sv *sv, const struct worker *worker, enum worker_state state) {
    if (state == WORKER_READY)
        return !sv->spec->groups[worker->group].kill_after_completed; /* a job is only ready when it is done */
    return state == WORKER_COMPLETED;
}

static bool is_live(enum worker_state state) {
    return state != WORKER_DOWN && state != WORKER_COMPLETED && state != WORKER_FAILED;
}

static bool is_finished(enum worker_state state) {
    return state == WORKER_COMPLETED || state == WORKER_FAILED;
}

void group_note(struct sv *sv, uint32_t index, enum worker_state former, enum worker_state state) {
    struct worker *worker = &sv->workers[index];
    struct group *group = &sv->groups[worker->group];

    bool up = is_up(sv, worker, state);
    group->up_count = group->up_count + up - worker->up;
    worker->up = up;
    group->live_count = group->live_count + is_live(state) - is_live(former);
    sv->live = sv->live + is_live(state) - is_live(former);
    sv->unfinished = sv->unfinished + is_finished(former) - is_finished(state);

    if (!group->ready && group->up_count == sv->spec->groups[worker->group].count)
        became_ready(sv, worker->group);
    if (state == WORKER_FAILED && !group->ready)
        became_hopeless(sv, worker->group);
    if (lifecycle_stopping(sv) && group->live_count == 0 && group->above == 0 && !group->cleared)
        clear_from(sv, worker->group);
}
