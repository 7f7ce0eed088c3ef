/* The last field of a stat line. Its process is a zombie while that is read where the pidfd can still be sent signals
 * afterwards: a reaped one can't, and only after that its number is given away. */
#include "init/zombie.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/fd.h"

#define STAT_BYTES 2048 /* 64 bytes of name, 51 numbers of at most 20 digits */
#define FIELD_STATE 3
#define FIELD_EXIT_CODE 52

/* The wait status in a stat line, -1: it is none of a zombie. The name may hold anything, so the last ) ends it. */
static long status_of(char *text) {
    char *field = strrchr(text, ')');
    if (!field || strncmp(field, ") Z ", 4) != 0)
        return -1;
    field += 2;
    for (int i = FIELD_STATE; i < FIELD_EXIT_CODE; i++) {
        field = strchr(field, ' ');
        if (!field)
            return -1;
        field++;
    }
    return strtol(field, NULL, 10);
}

bool zombie_ending(pid_t pid, int pidfd, struct ending *ret) {
    char path[32], text[STAT_BYTES];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    int status = (int)status_of(text);
    if (status < 0 || syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
        return false;
    *ret = WIFEXITED(status) ? (struct ending){.kind = ENDING_EXITED, .number = (uint8_t)WEXITSTATUS(status)}
                             : (struct ending){.kind = ENDING_KILLED, .number = (uint8_t)WTERMSIG(status)};
    return true;
}
