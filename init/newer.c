/* Two clocks and a file's stamp. This is the only place beside the log that asks for the time of day, and none of it
 * reaches the core; the only sleep is in a child. Sources: clock_gettime(2), statx(2), inode_init_ts() of the kernel's
 * "multigrain timestamps". */
#include "init/newer.h"

#include <stddef.h>
#include <sys/stat.h>

static struct timespec wall(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return time;
}

static bool is_after(const struct timespec *time, const struct timespec *moment) {
    return time->tv_sec != moment->tv_sec ? time->tv_sec > moment->tv_sec : time->tv_nsec > moment->tv_nsec;
}

struct timespec newer_moment(void) {
    return wall(CLOCK_REALTIME);
}

void newer_wait(const struct timespec *moment) {
    const struct timespec pause = {.tv_nsec = 500000};
    for (;;) {
        struct timespec now = wall(CLOCK_REALTIME_COARSE), exact = wall(CLOCK_REALTIME);
        /* The second: somebody has set the clock back, which nobody can wait for. */
        if (is_after(&now, moment) || is_after(moment, &exact))
            return;
        nanosleep(&pause, NULL);
    }
}

bool newer_file(const char *path, const struct timespec *moment) {
    struct stat info;
    if (stat(path, &info) < 0)
        return false;
    if (info.st_mtim.tv_nsec == 0)
        return info.st_mtim.tv_sec >= moment->tv_sec;
    return is_after(&info.st_mtim, moment);
}
