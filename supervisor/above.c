/* What a manager above brood is told (systemd, podman, another brood): that everything is ready, that the stop has
 * begun, and how long it may have to wait. Source of what it means: sd_notify(3). */
#include "supervisor/core.h"

static void notify(struct actions *actions, enum notify_kind kind, msec_t duration) {
    struct action *action = actions_append(actions, ACTION_NOTIFY);
    action->notify = kind;
    action->duration = duration;
}

/* Level-triggered as the rest: whoever moves a deadline later needs not think of it. True where something was told. */
bool above_review(struct sv *sv, struct actions *actions) {
    struct lifecycle *life = &sv->life;
    bool stopping = lifecycle_stopping(sv), running = life->phase == PHASE_RUN;
    if (sv->spec->command_only || life->phase == PHASE_DONE)
        return false;
    if (running && sv->unready == 0 && !life->told_ready) {
        life->told_ready = true;
        notify(actions, NOTIFY_READY, 0);
        return true;
    }
    if (stopping && !life->told_stopping) {
        life->told_stopping = true;
        life->promised = 0; /* what was said about the start */
        notify(actions, NOTIFY_STOPPING, 0);
        return true;
    }
    msec_t until = stopping ? lifecycle_end(sv) : running && !life->told_ready ? life->start_until : 0;
    if (until <= life->promised || until <= sv->now || until == MSEC_NEVER)
        return false;
    life->promised = until;
    notify(actions, NOTIFY_EXTEND, until - sv->now);
    return true;
}
