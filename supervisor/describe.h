/* State, event and action to text: the one trace format, for the log and for golden tests.
 *
 *     web/0: exited 1 -> backoff 100ms          container: TERM -> stop, 10s
 *
 * All functions write like snprintf: at most size bytes with the NUL, and return the length the text would have. */
#ifndef SUPERVISOR_DESCRIBE_H
#define SUPERVISOR_DESCRIBE_H

#include <stddef.h>

#include "supervisor/action.h"
#include "supervisor/event.h"
#include "supervisor/msec.h"
#include "supervisor/spec.h"

/* "web/0", "hook web/0", "primary", "container". */
int describe_slot(const struct spec *spec, struct slot slot, char *buffer, size_t size);

/* What follows the subject: "exited 1 -> backoff 100ms". */
int describe_report(const struct spec *spec, struct slot slot, const struct report *report, char *buffer, size_t size);

/* How loud a report is: failures are warnings, failures for good errors, the steps between debug. How a COMMAND ends is
 * its user's business, not brood's: info. */
enum log_level describe_level(const struct spec *spec, struct slot slot, const struct report *report);

/* One word for machines: "exited", "ready", "stop_signal". */
const char *describe_cause(enum cause cause);

/* "100ms", "10s", "5m", "0": the shortest exact form. */
int describe_duration(msec_t duration, char *buffer, size_t size);

/* "exited 1", "killed by TERM". */
int describe_ending(const struct spec *spec, struct ending ending, char *buffer, size_t size);

/* Whole events and actions, for the traces of tests: "web/0#2 EXITED exited 1", "web/0#2 SIGNAL TERM". */
int describe_event(const struct spec *spec, const struct event *event, char *buffer, size_t size);
int describe_action(const struct spec *spec, const struct action *action, char *buffer, size_t size);

#endif
