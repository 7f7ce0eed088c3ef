/* Which processes of a table descend from brood, and which of those no live worker answers for. Pure: init/ reads the
 * table from /proc, the simulator makes one up. */
#ifndef SUPERVISOR_LINEAGE_H
#define SUPERVISOR_LINEAGE_H

#include <stddef.h>
#include <stdint.h>

struct lineage_process {
    int32_t pid;
    int32_t ppid; /* 0: the parent is outside of this PID namespace */
    int32_t pgid;
    int32_t sid;
    uint64_t start; /* clock ticks since boot, tells two incarnations of a pid apart */
    char state;     /* as in /proc/PID/stat: Z and X are dead already */
};

/* Sorts the table by pid, as lineage_stragglers() and lineage_member() want it. */
void lineage_sort(struct lineage_process *table, size_t count);

/* Indexes of the living descendants of `self` (not itself) whose process group is none of `groups` (sorted, the
 * groups of live slots), in table order, to ret (room for count). A table read while processes come and go may have
 * cycles, missing parents and duplicates: every process is looked at once. O(n log n). Returns how many. */
size_t lineage_stragglers(const struct lineage_process *table, size_t count, int32_t self, const int32_t *groups,
                          size_t groups_count, uint32_t *ret);

/* Index of the first living process of group pgid, -1 where there is none. */
ptrdiff_t lineage_member(const struct lineage_process *table, size_t count, int32_t pgid);

/* Whether pid is `ancestor` or descends from it. */
int lineage_descends(const struct lineage_process *table, size_t count, int32_t pid, int32_t ancestor);

#endif
