/* supervisor/lineage.c: tables by hand first, then random ones, among them impossible ones, against a model that is too
 * slow and too simple to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/lineage.h"

#define SELF 1
#define ROOM 64
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* pid, ppid, pgid, start; sid as pgid, sleeping. */
#define PROCESS(pid_, ppid_, pgid_, start_)                                                                            \
    { .pid = (pid_), .ppid = (ppid_), .pgid = (pgid_), .sid = (pgid_), .start = (start_), .state = 'S' }

static void expect(struct lineage_process *table, size_t count, const int32_t *groups, size_t groups_count,
                   const int32_t *pids, size_t pids_count) {
    uint32_t chosen[ROOM];
    assert_true(count <= ROOM);
    lineage_sort(table, count);
    assert_int_equal(lineage_stragglers(table, count, SELF, groups, groups_count, chosen), pids_count);
    for (size_t i = 0; i < pids_count; i++)
        assert_int_equal(table[chosen[i]].pid, pids[i]);
}

static void test_empty(void **state) {
    (void)state;
    lineage_sort(NULL, 0);
    assert_int_equal(lineage_stragglers(NULL, 0, SELF, NULL, 0, NULL), 0);
    assert_int_equal(lineage_member(NULL, 0, 5), -1);
    assert_false(lineage_descends(NULL, 0, 5, 6));
    assert_true(lineage_descends(NULL, 0, 5, 5));
}

static void test_stragglers(void **state) {
    (void)state;
    struct lineage_process table[] = {
        PROCESS(40, 30, 40, 9),                        /* left its worker's group by setsid */
        PROCESS(1, 0, 1, 0),    PROCESS(10, 1, 10, 5), /* a live worker … */
        PROCESS(11, 10, 10, 6),                        /* … and its group */
        PROCESS(20, 0, 20, 7),                         /* docker exec: from outside */
        PROCESS(21, 20, 20, 8),                        /* its child */
        PROCESS(30, 1, 30, 8),                         /* an adopted daemon */
        PROCESS(12, 11, 12, 9),                        /* a worker's grandchild, setpgid */
    };
    const int32_t groups[] = {2, 10, 99}, expected[] = {12, 30, 40}, all[] = {10, 11, 12, 30, 40};
    expect(table, COUNT(table), groups, COUNT(groups), expected, COUNT(expected));
    expect(table, COUNT(table), NULL, 0, all, COUNT(all));
}

static void test_dead_are_not_chosen_but_their_children_are(void **state) {
    (void)state;
    struct lineage_process table[] = {PROCESS(1, 0, 1, 0), PROCESS(5, 1, 5, 1), PROCESS(6, 5, 6, 2),
                                      PROCESS(7, 1, 7, 1), PROCESS(8, 1, 8, 1)};
    table[1].state = 'Z';
    table[3].state = 'X';
    table[4].state = 'T';
    const int32_t expected[] = {6, 8};
    expect(table, COUNT(table), NULL, 0, expected, COUNT(expected));
}

static void test_circles(void **state) {
    (void)state;
    struct lineage_process table[] = {
        PROCESS(1, 0, 1, 0), PROCESS(2, 2, 2, 1),                      /* its own parent */
        PROCESS(3, 4, 3, 1), PROCESS(4, 5, 4, 1), PROCESS(5, 3, 5, 1), /* in a circle */
        PROCESS(6, 4, 6, 1),                                           /* hangs on to it */
        PROCESS(7, 1, 7, 1),
    };
    const int32_t expected[] = {7};
    expect(table, COUNT(table), NULL, 0, expected, COUNT(expected));
    assert_false(lineage_descends(table, COUNT(table), 6, SELF));
    assert_true(lineage_descends(table, COUNT(table), 6, 5));
    assert_false(lineage_descends(table, COUNT(table), 2, SELF));
}

static void test_missing_parent(void **state) {
    (void)state;
    struct lineage_process table[] = {PROCESS(1, 0, 1, 0), PROCESS(3, 2, 3, 1), PROCESS(4, 3, 4, 1)};
    expect(table, COUNT(table), NULL, 0, NULL, 0);
    assert_false(lineage_descends(table, COUNT(table), 4, SELF));
    assert_false(lineage_descends(table, COUNT(table), 4, 2)); /* 2 isn't there: one can't tell */
    assert_false(lineage_descends(table, COUNT(table), 99, SELF));
}

/* 5 died and its pid was reused by brood's own child between the reading of 6 and of 5. */
static void test_reused_parent(void **state) {
    (void)state;
    struct lineage_process table[] = {PROCESS(1, 0, 1, 0), PROCESS(5, 1, 5, 20), PROCESS(6, 5, 6, 10)};
    const int32_t expected[] = {5};
    expect(table, COUNT(table), NULL, 0, expected, COUNT(expected));
    assert_false(lineage_descends(table, COUNT(table), 6, 5));
}

/* Both incarnations were read: each child goes to the one that is old enough, the dead one is not chosen. */
static void test_duplicates(void **state) {
    (void)state;
    struct lineage_process table[] = {PROCESS(1, 0, 1, 0),  PROCESS(5, 1, 5, 20), PROCESS(5, 0, 5, 3),
                                      PROCESS(6, 5, 6, 10), PROCESS(7, 5, 7, 30), PROCESS(7, 5, 7, 30)};
    const int32_t expected[] = {5, 7};
    expect(table, COUNT(table), NULL, 0, expected, COUNT(expected));
}

static void test_member(void **state) {
    (void)state;
    struct lineage_process table[] = {PROCESS(10, 1, 10, 1), PROCESS(12, 10, 10, 2), PROCESS(11, 10, 10, 2),
                                      PROCESS(13, 10, 13, 2)};
    table[0].state = 'Z';
    lineage_sort(table, COUNT(table));
    assert_int_equal(lineage_member(table, COUNT(table), 10), 1);
    assert_int_equal(table[1].pid, 11);
    assert_int_equal(lineage_member(table, COUNT(table), 13), 3);
    assert_int_equal(lineage_member(table, COUNT(table), 14), -1);
    table[3].state = 'Z';
    assert_int_equal(lineage_member(table, COUNT(table), 13), -1);
}

/* A chain as long as the table, in the worst order: no recursion, no quadratic time. */
static void test_long_chain(void **state) {
    (void)state;
    enum { LENGTH = 200000 };
    struct lineage_process *table = calloc(LENGTH, sizeof *table);
    uint32_t *chosen = calloc(LENGTH, sizeof *chosen);
    assert_non_null(table);
    assert_non_null(chosen);
    for (int32_t i = 0; i < LENGTH; i++)
        table[i] = (struct lineage_process)PROCESS(LENGTH - i, i == LENGTH - 1 ? 0 : LENGTH - i - 1, 7, 0);
    lineage_sort(table, LENGTH);
    assert_int_equal(lineage_stragglers(table, LENGTH, SELF, NULL, 0, chosen), LENGTH - 1);
    assert_true(lineage_descends(table, LENGTH, LENGTH, SELF));
    free(chosen);
    free(table);
}

/* --- the model ---------------------------------------------------------------------------------------------------- */

static uint64_t seed;

static uint32_t roll(uint32_t sides) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % sides;
}

static bool model_descends(const struct lineage_process *table, size_t count, size_t child) {
    for (size_t steps = 0; steps <= count; steps++) {
        ptrdiff_t parent = -1;
        for (size_t i = 0; i < count; i++) {
            if (table[i].pid == table[child].ppid && table[i].start <= table[child].start &&
                (parent < 0 || table[i].start >= table[parent].start))
                parent = (ptrdiff_t)i;
        }
        if (parent < 0)
            return false;
        if (table[parent].pid == SELF)
            return true;
        child = (size_t)parent;
    }
    return false;
}

static bool model_chosen(const struct lineage_process *table, size_t count, size_t i, int32_t spared) {
    const struct lineage_process *process = &table[i];
    if (process->pid == SELF || process->state == 'Z' || process->pgid == spared)
        return false;
    for (size_t j = 0; j < count; j++) {
        if (j != i && table[j].pid == process->pid)
            return false; /* the random tables have duplicates of dead pids only: see below */
    }
    return model_descends(table, count, i);
}

static void test_random_tables(void **state) {
    (void)state;
    size_t stragglers = 0;
    for (uint64_t run = 1; run <= 20000; run++) {
        struct lineage_process table[ROOM];
        uint32_t chosen[ROOM];
        seed = run;
        size_t count = roll(ROOM);
        for (size_t i = 0; i < count; i++) {
            table[i] =
                (struct lineage_process)PROCESS((int32_t)roll(40) + 1, (int32_t)roll(40), (int32_t)roll(4), roll(5));
            table[i].state = "SRZDT"[roll(5)];
            for (size_t j = 0; j < i; j++) {
                if (table[j].pid == table[i].pid)
                    table[j].state = table[i].state = 'Z';
            }
        }
        lineage_sort(table, count);
        for (size_t i = 1; i < count; i++)
            assert_true(table[i - 1].pid <= table[i].pid);
        const int32_t spared = 2;
        size_t found = lineage_stragglers(table, count, SELF, &spared, 1, chosen), next = 0;
        for (size_t i = 0; i < count; i++) {
            bool wanted = model_chosen(table, count, i, spared);
            bool got = next < found && chosen[next] == i;
            if (wanted != got)
                print_error("run %llu, pid %d\n", (unsigned long long)run, (int)table[i].pid);
            assert_int_equal(wanted, got);
            next += got;
        }
        assert_int_equal(next, found);
        stragglers += found;
    }
    assert_true(stragglers > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_stragglers),
        cmocka_unit_test(test_dead_are_not_chosen_but_their_children_are),
        cmocka_unit_test(test_circles),
        cmocka_unit_test(test_missing_parent),
        cmocka_unit_test(test_reused_parent),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_member),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_random_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
