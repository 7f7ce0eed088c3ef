/* The last record, and the same text for whoever looks at the container from outside. */
#ifndef INIT_OUTCOME_H
#define INIT_OUTCOME_H

#include "supervisor/spec.h"

/* Writes "exit STATUS: text" as the last record, and to /dev/termination-log where that is a file. */
void outcome_tell(enum log_level level, int status, const char *text);

#endif
