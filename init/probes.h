/* Readiness by asking: ready = tcp:, unix:, file: and exec:. The core says when (ACTION_PROBE, ACTION_PROBE_END); each
 * of its questions gets exactly one EVENT_PROBED, when nothing of the probe is left.
 *
 * tcp and unix are nonblocking connects that epoll watches. file and exec are processes, since a file system can hang
 * and brood must not: init/perform.c forks them as it does hooks, init/children.c reaps them. Answers wait in a queue
 * of this module's own and are handed to the inbox a bounded number a turn, so that a thousand probes that end at once
 * can't flood it. */
#ifndef INIT_PROBES_H
#define INIT_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "init/inbox.h"
#include "supervisor/event.h"
#include "supervisor/spec.h"

struct probes;

/* Everything is the caller's and outlives it. Returns 0 with *ret owned by the caller, or -errno with one line in
 * error. /etc/hosts is read here, once. */
int probes_open(const struct spec *spec, int epoll, struct probes **ret, char *error, size_t size);
void probes_close(struct probes *probes); /* takes NULL */

/* Whether any group of spec is probed by processes. */
bool probes_fork(const struct spec *spec);

/* Whether this one is. */
bool probes_forks(const struct probes *probes, struct slot slot);

/* A probe of slot begins. False where it needs a process: the caller forks one, or says probes_over(). */
bool probes_begin(struct probes *probes, struct slot slot);

/* Nobody waits for it any more: its answer is no, whatever it still says. A process is the caller's to kill. */
void probes_end(struct probes *probes, struct slot slot);

/* What epoll says about a connect; nothing happens where it speaks of a former probe. */
void probes_connected(struct probes *probes, struct slot slot);

/* The probe of slot is over, its process reaped or never forked. */
void probes_over(struct probes *probes, struct slot slot, bool success);

/* True once for each incarnation: what is wrong with a probe is said once aloud, then in debug records. */
bool probes_complain(struct probes *probes, struct slot slot);

/* A worker with ready = file: is about to be forked: the moment that its file must be newer than. The pointer is valid
 * until the next call for this worker. */
const struct timespec *probes_birth(struct probes *probes, struct slot worker);
const struct timespec *probes_born(const struct probes *probes, struct slot slot);

/* Pushes up to PROBES_PER_TURN answers. probes_due(): some are left. */
void probes_report(struct probes *probes, struct inbox *inbox);
bool probes_due(const struct probes *probes);

#endif
