/* The core: one fact in, what must be done out. Pure: no system call, no clock, no allocation, no log, no global.
 *
 *     sv_step(sv, event, actions)   takes one fact, with its time, and says what must be done
 *     sv_deadline(sv)               when it wants to be woken at the latest (EVENT_TICK)
 *
 * Actions that do not fit one list stay inside as queued workers; sv_deadline() is then the time of the last event,
 * and the caller steps EVENT_TICK, with other events between as they come, until it isn't. */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/action.h"
#include "supervisor/event.h"
#include "supervisor/lifecycle.h"
#include "supervisor/msec.h"
#include "supervisor/spec.h"
#include "supervisor/worker.h"

struct sv;

/* How many bytes sv_init() needs for this spec. */
size_t sv_bytes(const struct spec *spec);

/* Makes a core in memory (sv_bytes() of it, aligned as malloc does; the caller's, freed by the caller after the
 * last use). spec must outlive it. Never fails. */
struct sv *sv_init(const struct spec *spec, void *memory);

/* Takes one event, empties actions and appends what must be done now. After sv_done() nothing is appended. */
void sv_step(struct sv *sv, const struct event *event, struct actions *actions);

/* The time at which EVENT_TICK is wanted at the latest, MSEC_NEVER where only facts can change anything. */
msec_t sv_deadline(const struct sv *sv);

bool sv_done(const struct sv *sv);

/* brood's exit status, valid once sv_done(); --remap is not applied yet. */
int sv_exit_status(const struct sv *sv);

/* Is that status brood's own 126 or 127, of a program that couldn't be executed? --remap leaves those alone. */
bool sv_status_is_own(const struct sv *sv);

/* How the COMMAND ended, by KILL where it has not; kind NONE: there is none, or it was never started. Valid once
 * sv_done(). */
struct ending sv_command_ending(const struct sv *sv);

/* The signal that the COMMAND died of, or that kept it from being started; 0: it ended otherwise. */
int sv_command_signal(const struct sv *sv);

/* Why: "web/1 was killed after 10s of grace", as snprintf does. */
int sv_outcome(const struct sv *sv, char *buffer, size_t size);

enum phase sv_phase(const struct sv *sv);
const struct spec *sv_spec(const struct sv *sv);
enum worker_state sv_worker_state(const struct sv *sv, uint32_t worker);
/* The generation a slot has now; facts and signals of another one are void. */
uint32_t sv_generation(const struct sv *sv, enum slot_kind kind, uint32_t index);

/* How often each cell of the worker table was reached: WORKER_STATES rows of WORKER_INPUTS. For tests. */
const uint64_t *sv_cells(const struct sv *sv);

#endif
