/* What `count = auto` means: the CPUs that this container may use. */
#ifndef INIT_CPUS_H
#define INIT_CPUS_H

#include <stdint.h>

/* The smaller of the affinity mask and the cgroup's quota (rounded up), 1 or more. cgroup is where the hierarchy is
 * mounted, "/sys/fs/cgroup"; what can't be read there is no limit. Sources: sched_getaffinity(2), the kernel's
 * cgroup-v2.rst (cpu.max) and, for version 1, sched-bwc.rst (cpu.cfs_quota_us). */
uint32_t cpus_usable(const char *cgroup);

#endif
