/* Kubernetes shows /dev/termination-log as the reason of a container's end. It is a file that is there already: it is
 * never made, and nothing but a regular file is written to.
 *
 * Dying of a signal needs more than raising it: brood has it blocked, its caller may have had it ignored. The core file
 * of interest is the command's. RLIMIT_CORE keeps brood from writing another one but doesn't count where core_pattern
 * is a pipe: not being dumpable does, in both cases. Source: core(5). */
#include "init/outcome.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/inherited.h"
#include "init/log.h"

static void write_termination_log(int status, const char *text, bool leave_message) {
    char line[1024];
    struct stat info;
    CLEANUP_FD int fd = open("/dev/termination-log", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return;
    if ((leave_message && info.st_size > 0) || ftruncate(fd, 0) < 0)
        return;
    snprintf(line, sizeof line, "exit %d: %s\n", status, text);
    ssize_t written = write(fd, line, strlen(line));
    (void)written;
}

void outcome_tell(enum log_level level, int status, const char *text, bool leave_message) {
    const struct log_fields fields = {.event = "exit", .status = status};
    write_termination_log(status, text, leave_message);
    log_last();
    log_record(level, "container", &fields, "exit %d: %s", status, text);
}

struct outcome outcome_refuse(int status, const char *why) {
    outcome_tell(LOG_ERROR, status, why, false);
    return (struct outcome){.status = status};
}

struct outcome outcome_of(const struct sv *sv, const struct remap *remap, bool outer) {
    struct ending command = sv_command_ending(sv);
    int status = sv_exit_status(sv);
    bool own = (sv_status_is_own(sv) && !remap->own_too) || (outer && command.kind == ENDING_EXITED);
    struct outcome outcome = {.status = own ? status : options_remap(remap, status)};
    if (outcome.status == status)
        outcome.signal = sv_command_signal(sv);
    return outcome;
}

void outcome_describe(const struct sv *sv, const struct outcome *outcome, char *text, size_t size) {
    int status = sv_exit_status(sv);
    int length = sv_outcome(sv, text, size);
    if (outcome->status != status && length >= 0 && (size_t)length < size)
        snprintf(text + length, size - (size_t)length, " (%d, remapped)", status);
}

void outcome_mirror(int signal) {
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    if (signal == 0 || getpid() == 1)
        return;
    log_close(); /* no atexit() for who dies of a signal */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal_set_ignored(signal, false);
    signal_mask_set(~signal_bit(signal)); /* whatever else is pending must not be what brood dies of */
    kill(getpid(), signal);
}

void outcome_pass_on(int fd, int signal) {
    uint8_t byte = (uint8_t)signal;
    ssize_t written = write(fd, &byte, sizeof byte);
    (void)written; /* the outer brood is gone, and this one with it */
}

int outcome_hear(int fd) {
    uint8_t byte;
    return read(fd, &byte, sizeof byte) == (ssize_t)sizeof byte ? byte : 0;
}
