/* Why brood ends, and with which status: one list of reasons, the first that holds counts. brood(1), EXIT STATUS. */
#include "supervisor/core.h"
#include "supervisor/describe.h"
#include "supervisor/signals.h"

#include <stdio.h>

enum reason_to_end {
    END_COMMAND,     /* a COMMAND was given and ran: its own status, whatever happened else */
    END_CUT_COMMAND, /* a stop came before it ran */
    END_CUT_START,   /* a stop came before the primary's start was done */
    END_START_FAILED,
    END_KILLED,  /* in a requested stop brood had to kill somebody */
    END_CUT_JOB, /* a requested stop cut a job short */
    END_REQUESTED,
    END_WORKER_FAILED, /* the first that failed for good */
    END_COMPLETED,
};

/* One that is still there was sent KILL and didn't end in time, or may not be signalled at all: a setuid program. */
struct ending sv_command_ending(const struct sv *sv) {
    if (sv->spec->command_group < 0)
        return (struct ending){.kind = ENDING_NONE};
    const struct worker *command = &sv->workers[sv->spec->groups[sv->spec->command_group].first_worker];
    return command->leader ? (struct ending){.kind = ENDING_KILLED, .number = SIGNAL_KILL} : command->ending;
}

static enum reason_to_end reason_of(const struct sv *sv) {
    const struct lifecycle *life = &sv->life;
    if (sv_command_ending(sv).kind != ENDING_NONE)
        return END_COMMAND;
    if (life->requested && life->cut_start)
        return END_CUT_START;
    if (life->requested && sv->spec->command_group >= 0)
        return END_CUT_COMMAND;
    if (!life->requested && lifecycle_primary_failed(sv))
        return END_START_FAILED;
    if (life->requested && life->killed_slot.generation != 0)
        return END_KILLED;
    if (life->requested && life->cut_job != NOBODY)
        return END_CUT_JOB;
    if (life->requested)
        return END_REQUESTED;
    return life->failed_worker != NOBODY ? END_WORKER_FAILED : END_COMPLETED;
}

static int status_of(struct ending ending) {
    return ending.kind == ENDING_KILLED ? 128 + ending.number : ending.number;
}

/* A failure never gives 0, whatever its process said: a start timeout that ends with 0, a worker never started. */
static int failure_status(struct ending ending) {
    int status = status_of(ending);
    return status != 0 ? status : 1;
}

int sv_exit_status(const struct sv *sv) {
    const struct lifecycle *life = &sv->life;
    switch (reason_of(sv)) {
    case END_COMMAND:
        return status_of(sv_command_ending(sv));
    case END_CUT_COMMAND:
    case END_CUT_START:
    case END_CUT_JOB:
        return 128 + life->stop_signal;
    case END_START_FAILED:
        return failure_status(life->primary[PRIMARY_START].ending);
    case END_KILLED:
        return 128 + SIGNAL_KILL;
    case END_WORKER_FAILED:
        return failure_status(life->failed_ending);
    case END_REQUESTED:
    case END_COMPLETED:
        break;
    }
    return 0;
}

int sv_command_signal(const struct sv *sv) {
    struct ending ending = sv_command_ending(sv);
    if (ending.kind == ENDING_KILLED)
        return ending.number;
    return reason_of(sv) == END_CUT_COMMAND ? sv->life.stop_signal : 0;
}

bool sv_status_is_own(const struct sv *sv) {
    switch (reason_of(sv)) {
    case END_COMMAND:
        return sv_command_ending(sv).unexecuted;
    case END_START_FAILED:
        return sv->life.primary[PRIMARY_START].ending.unexecuted;
    case END_WORKER_FAILED:
        return sv->life.failed_ending.unexecuted;
    case END_CUT_COMMAND:
    case END_CUT_START:
    case END_KILLED:
    case END_CUT_JOB:
    case END_REQUESTED:
    case END_COMPLETED:
        break;
    }
    return false;
}

/* "exited 3", "was killed by TERM", "could not be executed": the end of a sentence. */
static void phrase(const struct sv *sv, struct ending ending, char *buffer, size_t size) {
    char text[64];
    if (ending.unexecuted) {
        snprintf(buffer, size, "could not be executed");
        return;
    }
    describe_ending(sv->spec, ending, text, sizeof(text));
    snprintf(buffer, size, "%s%s", ending.kind == ENDING_KILLED ? "was " : "", text);
}

/* Of a worker that brood stopped for it: why, before how it ended. */
static const char *fault_of(const struct worker *worker) {
    switch ((enum reason)worker->reason) {
    case REASON_TIMEOUT:
        return "was not ready in time and ";
    case REASON_UNHEALTHY:
        return "was unhealthy and ";
    case REASON_NONE:
    case REASON_RESTART:
    case REASON_DOWN:
    case REASON_COMPLETED:
        break;
    }
    return "";
}

static int killed_outcome(const struct sv *sv, char *buffer, size_t size) {
    const struct lifecycle *life = &sv->life;
    char subject[64], grace[32];
    struct slot worker = {.kind = SLOT_WORKER, .index = life->killed_slot.index};
    describe_slot(sv->spec, worker, subject, sizeof(subject));
    describe_duration(life->killed_after, grace, sizeof(grace));
    if (life->killed_slot.kind == SLOT_PRIMARY)
        return snprintf(buffer, size, "the primary's stop hook was killed after %s of grace", grace);
    return snprintf(buffer, size, "%s%s was killed after %s of grace",
                    life->killed_slot.kind == SLOT_HOOK ? "the stop hook of " : "", subject, grace);
}

/* In a requested stop, and before anybody else. */
static bool had_to_kill_command(const struct sv *sv) {
    struct slot killed = sv->life.killed_slot;
    uint32_t command = sv->spec->groups[sv->spec->command_group].first_worker;
    struct ending ending = sv_command_ending(sv);
    return killed.generation != 0 && killed.kind == SLOT_WORKER && killed.index == command &&
           ending.kind == ENDING_KILLED && ending.number == SIGNAL_KILL;
}

int sv_outcome(const struct sv *sv, char *buffer, size_t size) {
    const struct lifecycle *life = &sv->life;
    char name[64] = "", end[96], signal[SIGNAL_NAME_BYTES];
    struct slot slot = {.kind = SLOT_WORKER};
    signal_name(life->stop_signal, sv->spec->sigrtmin, signal);
    switch (reason_of(sv)) {
    case END_COMMAND:
        if (had_to_kill_command(sv))
            return killed_outcome(sv, buffer, size);
        phrase(sv, sv_command_ending(sv), end, sizeof(end));
        return snprintf(buffer, size, "main %s", end);
    case END_CUT_COMMAND:
        return snprintf(buffer, size, "%s came before main was started", signal);
    case END_CUT_START:
        return snprintf(buffer, size, "%s came before the primary's start was done", signal);
    case END_START_FAILED:
        phrase(sv, life->primary[PRIMARY_START].ending, end, sizeof(end));
        return snprintf(buffer, size, "the primary's start %s", end);
    case END_KILLED:
        return killed_outcome(sv, buffer, size);
    case END_CUT_JOB:
        slot.index = life->cut_job;
        describe_slot(sv->spec, slot, name, sizeof(name));
        return snprintf(buffer, size, "%s cut %s short", signal, name);
    case END_REQUESTED:
        return snprintf(buffer, size, "stopped by %s", signal);
    case END_WORKER_FAILED:
        slot.index = life->failed_worker;
        describe_slot(sv->spec, slot, name, sizeof(name));
        phrase(sv, life->failed_ending, end, sizeof(end));
        return snprintf(buffer, size, "%s failed for good: it %s%s", name, fault_of(&sv->workers[life->failed_worker]),
                        end);
    case END_COMPLETED:
        break;
    }
    if (life->completed_worker != NOBODY) {
        slot.index = life->completed_worker;
        describe_slot(sv->spec, slot, name, sizeof(name));
        return snprintf(buffer, size, "%s completed", name);
    }
    return snprintf(buffer, size, "%s", sv->spec->workers_count > 0 ? "all workers completed" : "all is done");
}
