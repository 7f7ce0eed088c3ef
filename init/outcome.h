/* How brood ends: the last record, the same text for whoever looks at the container from outside, the status after
 * --remap, and --mirror. */
#ifndef INIT_OUTCOME_H
#define INIT_OUTCOME_H

#include "init/options.h"
#include "supervisor/supervisor.h"

struct outcome {
    int status; /* brood's exit status */
    int signal; /* that the COMMAND died of, or that it wasn't started for, and that status stands for; 0: none */
};

/* What has become of a core that is done. An outer brood of --sandbox doesn't remap what the inner one ended with,
 * which has done so. */
struct outcome outcome_of(const struct sv *sv, const struct remap *remap, bool outer);

/* What sv_outcome() says, and that it was remapped where it was; as snprintf does. */
void outcome_describe(const struct sv *sv, const struct outcome *outcome, char *text, size_t size);

/* Writes "exit STATUS: text" as the last record, and to /dev/termination-log where that is a file; not over what
 * stands there with leave_message: a program that had tini above it may count on its own message. */
void outcome_tell(enum log_level level, int status, const char *text, bool leave_message);

/* Nothing runs: says why in one line, as above. The outcome has that status alone. */
struct outcome outcome_refuse(int status, const char *why);

/* --mirror: ends this process by the signal, without a core file. Does nothing for 0 and as PID 1, which the kernel
 * keeps from its own signals. */
void outcome_mirror(int signal);

/* The two ends of the pipe by which --sandbox's inner brood names that signal: see options.c. outcome_hear() gives it,
 * or 0. */
void outcome_pass_on(int fd, int signal);
int outcome_hear(int fd);

#endif
