/* From a pid to the number of whoever has it: open addressing, at most half full, nothing allocated after pids_open().
 * A pid is removed in the step that reaps it, so that a reused one is never taken for its former owner. */
#ifndef INIT_PIDS_H
#define INIT_PIDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pids_entry {
    pid_t pid; /* 0: free */
    uint32_t number;
};

struct pids {
    struct pids_entry *entries;
    uint32_t mask;
};

/* Room for `most` pids. Returns 0, or -ENOMEM with *ret untouched. */
int pids_open(uint32_t most, struct pids *ret);
void pids_close(struct pids *pids); /* takes a zeroed struct too */

void pids_insert(struct pids *pids, pid_t pid, uint32_t number); /* pid isn't in it */
void pids_remove(struct pids *pids, pid_t pid);                  /* pid is in it */
bool pids_find(const struct pids *pids, pid_t pid, uint32_t *ret_number);

#endif
