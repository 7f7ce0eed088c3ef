/* The files of the cgroup at the root of the hierarchy are the container's own: runtimes give each a cgroup namespace,
 * or mount its part there. A quota of one and a half CPUs counts as two: a worker that waits is no loss, an idle CPU
 * is. */
#include "init/cpus.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/fd.h"

/* Reads a small file as text; false where there is none. */
static bool read_text(const char *directory, const char *name, char *text, size_t size) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return false;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
    text[length < 0 ? 0 : length] = '\0';
    return length > 0;
}

/* "QUOTA PERIOD" in microseconds, as cpu.max has it; UINT32_MAX where there is no limit ("max 100000", or nonsense). */
static uint32_t quota_of(const char *text) {
    uint64_t quota, period;
    if (sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) != 2 || quota == 0 || period == 0)
        return UINT32_MAX;
    uint64_t cpus = quota / period + (quota % period != 0);
    return cpus < UINT32_MAX ? (uint32_t)cpus : UINT32_MAX;
}

static uint32_t cgroup_quota(const char *cgroup) {
    char text[128], quota[48], period[48];
    if (read_text(cgroup, "cpu.max", text, sizeof text))
        return quota_of(text);
    if (!read_text(cgroup, "cpu/cpu.cfs_quota_us", quota, sizeof quota) || quota[0] == '-' ||
        !read_text(cgroup, "cpu/cpu.cfs_period_us", period, sizeof period))
        return UINT32_MAX;
    snprintf(text, sizeof text, "%s %s", quota, period);
    return quota_of(text);
}

static uint32_t affinity(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (uint32_t)count : 1;
}

uint32_t cpus_usable(const char *cgroup) {
    uint32_t allowed = affinity(), quota = cgroup_quota(cgroup);
    return quota < allowed ? quota : allowed;
}
