/* Kubernetes shows /dev/termination-log as the reason of a container's end. It is a file that is there already: it is
 * never made, and nothing but a regular file is written to. */
#include "init/outcome.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"

static void write_termination_log(const char *text) {
    struct stat info;
    CLEANUP_FD int fd = open("/dev/termination-log", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || ftruncate(fd, 0) < 0)
        return;
    ssize_t written = write(fd, text, strlen(text));
    (void)written;
}

void outcome_tell(enum log_level level, int status, const char *text) {
    const struct log_fields fields = {.event = "exit", .status = status};
    char line[1024];
    snprintf(line, sizeof line, "exit %d: %s\n", status, text);
    write_termination_log(line);
    log_record(level, "container", &fields, "exit %d: %s", status, text);
}
