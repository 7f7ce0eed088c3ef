/* Who descends from whom, in a table that was read while processes came and went.
 *
 * A parent is looked up by pid and by age: the latest of that pid that is no younger than its child. So a pid that was
 * reused between the reading of the child and of the parent breaks the line instead of adopting a stranger; who is
 * missed for that is found by the next look, with its new parent. No recursion and no memory but the caller's: chains
 * may be as long as the table. */
#include "supervisor/lineage.h"

#include <stdbool.h>

enum mark { MARK_UNKNOWN, MARK_PATH, MARK_OURS, MARK_OTHERS };

static bool comes_before(const struct lineage_process *a, const struct lineage_process *b) {
    return a->pid != b->pid ? a->pid < b->pid : a->start < b->start;
}

static void sink(struct lineage_process *heap, size_t place, size_t count) {
    struct lineage_process item = heap[place];
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= count)
            break;
        if (child + 1 < count && comes_before(&heap[child], &heap[child + 1]))
            child++;
        if (!comes_before(&item, &heap[child]))
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = item;
}

/* Heapsort: qsort() may allocate, and its worst case is not O(n log n). */
void lineage_sort(struct lineage_process *table, size_t count) {
    for (size_t i = count / 2; i > 0; i--)
        sink(table, i - 1, count);
    for (size_t left = count; left > 1; left--) {
        struct lineage_process last = table[0];
        table[0] = table[left - 1];
        table[left - 1] = last;
        sink(table, 0, left - 1);
    }
}

/* The latest of this pid that started at `start` or before, -1 where there is none. */
static ptrdiff_t find(const struct lineage_process *table, size_t count, int32_t pid, uint64_t start) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct lineage_process *process = &table[middle];
        if (process->pid < pid || (process->pid == pid && process->start <= start))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && table[low - 1].pid == pid ? (ptrdiff_t)low - 1 : -1;
}

static ptrdiff_t find_parent(const struct lineage_process *table, size_t count, size_t child) {
    return find(table, count, table[child].ppid, table[child].start);
}

/* Alive, and the last incarnation of its pid. */
static bool is_living(const struct lineage_process *table, size_t count, size_t index) {
    char state = table[index].state;
    if (state == 'Z' || state == 'X' || state == 'x')
        return false;
    return index + 1 == count || table[index + 1].pid != table[index].pid;
}

static bool is_among(const int32_t *groups, size_t count, int32_t pgid) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (groups[middle] < pgid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && groups[low] == pgid;
}

/* Marks `index` and all its ancestors. Each process is on one path only, so that all climbs together are linear; a
 * path that comes back to itself belongs to nobody. */
static void climb(const struct lineage_process *table, size_t count, int32_t self, uint32_t *marks, size_t index) {
    enum mark verdict = MARK_OTHERS;
    ptrdiff_t at = (ptrdiff_t)index;
    while (at >= 0) {
        if (table[at].pid == self) {
            verdict = MARK_OURS;
            break;
        }
        if (marks[at] != MARK_UNKNOWN) {
            verdict = marks[at] == MARK_OURS ? MARK_OURS : MARK_OTHERS;
            break;
        }
        marks[at] = MARK_PATH;
        at = find_parent(table, count, (size_t)at);
    }
    at = (ptrdiff_t)index;
    while (at >= 0 && marks[at] == MARK_PATH) {
        marks[at] = verdict;
        at = find_parent(table, count, (size_t)at);
    }
}

size_t lineage_stragglers(const struct lineage_process *table, size_t count, int32_t self, const int32_t *groups,
                          size_t groups_count, uint32_t *ret) {
    uint32_t *marks = ret; /* first the marks, then the result: it never overtakes what is still to be read */
    for (size_t i = 0; i < count; i++)
        marks[i] = MARK_UNKNOWN;
    for (size_t i = 0; i < count; i++)
        climb(table, count, self, marks, i);

    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (marks[i] == MARK_OURS && is_living(table, count, i) && !is_among(groups, groups_count, table[i].pgid))
            ret[found++] = (uint32_t)i;
    }
    return found;
}

ptrdiff_t lineage_member(const struct lineage_process *table, size_t count, int32_t pgid) {
    for (size_t i = 0; i < count; i++) {
        if (table[i].pgid == pgid && is_living(table, count, i))
            return (ptrdiff_t)i;
    }
    return -1;
}

int lineage_descends(const struct lineage_process *table, size_t count, int32_t pid, int32_t ancestor) {
    if (pid == ancestor)
        return 1;
    ptrdiff_t at = find(table, count, pid, UINT64_MAX);
    /* No line is longer than the table; one that seems so runs in a circle. */
    for (size_t steps = 0; at >= 0 && steps < count; steps++) {
        if (table[at].ppid == ancestor)
            return find_parent(table, count, (size_t)at) >= 0;
        at = find_parent(table, count, (size_t)at);
    }
    return 0;
}
