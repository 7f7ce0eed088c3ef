/* init/cpus.c on cgroup files of both versions, made in a directory of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/cpus.h"

static char directory[64];

static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(remove(path), 0);
}

static int setup(void **state) {
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/brood-cpus-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return rmdir(directory);
}

static void the_affinity_is_the_most(void **state) {
    (void)state;
    uint32_t all = cpus_usable(directory);
    assert_in_range(all, 1, 65536);
    write_file("cpu.max", "100000000 1000\n");
    assert_int_equal(cpus_usable(directory), all);
    write_file("cpu.max", "max 100000\n");
    assert_int_equal(cpus_usable(directory), all);
    write_file("cpu.max", "nonsense");
    assert_int_equal(cpus_usable(directory), all);
    remove_file("cpu.max");
}

static void a_quota_of_half_a_cpu_is_one(void **state) {
    (void)state;
    write_file("cpu.max", "50000 100000\n");
    assert_int_equal(cpus_usable(directory), 1);
    remove_file("cpu.max");
}

static void version_1_has_two_files(void **state) {
    (void)state;
    char path[128];
    uint32_t all = cpus_usable(directory);
    snprintf(path, sizeof path, "%s/cpu", directory);
    assert_int_equal(mkdir(path, 0755), 0);
    write_file("cpu/cpu.cfs_period_us", "100000\n");
    write_file("cpu/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(cpus_usable(directory), all);
    write_file("cpu/cpu.cfs_quota_us", "100000\n");
    assert_int_equal(cpus_usable(directory), 1);
    remove_file("cpu/cpu.cfs_period_us");
    remove_file("cpu/cpu.cfs_quota_us");
    assert_int_equal(rmdir(path), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_affinity_is_the_most),
        cmocka_unit_test(a_quota_of_half_a_cpu_is_one),
        cmocka_unit_test(version_1_has_two_files),
    };
    return cmocka_run_group_tests_name("cpus", tests, setup, teardown);
}
