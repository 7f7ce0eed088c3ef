/* A hash table of pids. Removing leaves no marks behind: who comes later in the run moves up, so that a table that
 * lives as long as the container is never longer to search than it is full. */
#include "init/pids.h"

#include <errno.h>

#include "init/unshared.h"

int pids_open(uint32_t most, struct pids *ret) {
    uint32_t size = 8;
    while (size < 2 * most)
        size *= 2;
    struct pids_entry *entries = unshared_alloc(size * sizeof *entries);
    if (!entries)
        return -ENOMEM;
    *ret = (struct pids){.entries = entries, .mask = size - 1};
    return 0;
}

void pids_close(struct pids *pids) {
    unshared_free(pids->entries, (pids->mask + 1) * sizeof *pids->entries);
    *pids = (struct pids){0};
}

static uint32_t home_of(const struct pids *pids, pid_t pid) {
    return (uint32_t)pid * UINT32_C(2654435769) & pids->mask;
}

void pids_insert(struct pids *pids, pid_t pid, uint32_t number) {
    uint32_t at = home_of(pids, pid);
    while (pids->entries[at].pid != 0)
        at = (at + 1) & pids->mask;
    pids->entries[at] = (struct pids_entry){.pid = pid, .number = number};
}

bool pids_find(const struct pids *pids, pid_t pid, uint32_t *ret_number) {
    for (uint32_t at = home_of(pids, pid); pids->entries[at].pid != 0; at = (at + 1) & pids->mask) {
        if (pids->entries[at].pid == pid) {
            *ret_number = pids->entries[at].number;
            return true;
        }
    }
    return false;
}

/* Closes the gap: whoever comes later in the run and may lie there moves into it. */
void pids_remove(struct pids *pids, pid_t pid) {
    uint32_t gap = home_of(pids, pid);
    while (pids->entries[gap].pid != pid)
        gap = (gap + 1) & pids->mask;
    for (uint32_t at = (gap + 1) & pids->mask; pids->entries[at].pid != 0; at = (at + 1) & pids->mask) {
        uint32_t home = home_of(pids, pids->entries[at].pid);
        if (((at - home) & pids->mask) < ((at - gap) & pids->mask))
            continue;
        pids->entries[gap] = pids->entries[at];
        gap = at;
    }
    pids->entries[gap] = (struct pids_entry){0};
}
