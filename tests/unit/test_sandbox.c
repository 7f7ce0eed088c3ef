/* init/sandbox.c, for real: as root in new namespaces, as another user in a user namespace too, and where the system
 * refuses it, what is said. Each story runs in a child, so that the test itself stays where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/sandbox.h"

#define NOBODY 65534
#define TMP_MARK "/tmp/brood-test-sandbox-mark"

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool holds, const char *condition, int line) {
    if (holds)
        return;
    dprintf(STDERR_FILENO, "line %d: %s (errno %s)\n", line, condition, strerror(errno));
    _exit(1);
}

static int status_of(pid_t pid) {
    int status = -1;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

static void play(void (*story)(void)) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(30);
        story();
        _exit(0);
    }
    assert_int_equal(status_of(child), 0);
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void read_file(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    ssize_t length = read(fd, text, size - 1);
    CHECK(length >= 0);
    text[length] = '\0';
    close(fd);
}

static void become_nobody(void) {
    CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* as after an exec: /proc/self belongs to this user */
}

/* A mount namespace to make a mess of. */
static void leave_mounts(void) {
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

/* --- what the sandbox looks like from within ---------------------------------------------------------------------- */

static int count_entries(const char *path) {
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    int count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void look_around(const struct sandbox *sandbox, uid_t uid, gid_t gid) {
    const char *step = "none";
    int r = sandbox_enter(sandbox, &step);
    if (r < 0)
        dprintf(STDERR_FILENO, "%s: %s\n", step, strerror(-r));
    CHECK(r == 0);
    CHECK(getpid() == 1 && geteuid() == uid && getegid() == gid);
    struct utsname names;
    CHECK(uname(&names) == 0 && strcmp(names.nodename, "brood-sandbox") == 0);

    char text[512], self[512];
    read_file("/proc/1/stat", text, sizeof text);
    read_file("/proc/self/stat", self, sizeof self);
    CHECK(strncmp(text, "1 (", 3) == 0 && strncmp(self, "1 (", 3) == 0);
    CHECK(access("/proc/2", F_OK) < 0);

    CHECK(access("/run/brood-mark", F_OK) < 0);
    CHECK(mkdir("/run/brood", 0755) == 0);
    CHECK((access(TMP_MARK, F_OK) == 0) == !sandbox->private_tmp);
    struct stat tmp;
    CHECK(stat("/tmp", &tmp) == 0 && (tmp.st_mode & 07777) == 01777);
    if (sandbox->private_tmp)
        CHECK(count_entries("/tmp") == 0);
    read_file("/etc/resolv.conf", text, sizeof text);
    CHECK(strcmp(text, "nameserver 192.0.2.1\n") == 0);

    int signal = 0;
    CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGKILL);
}

/* A machine whose resolv.conf leads into /run, as with systemd-resolved. */
static void prepare_machine(void) {
    leave_mounts();
    CHECK(mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0);
    CHECK(mount("tmpfs", "/etc", "tmpfs", 0, "mode=755") == 0);
    CHECK(mkdir("/run/resolver", 0755) == 0 && mkdir("/run/resolver/of", 0755) == 0);
    write_file("/run/resolver/of/resolv.conf", "nameserver 192.0.2.1\n");
    write_file("/run/brood-mark", "");
    CHECK(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") == 0);
    write_file(TMP_MARK, "");
    CHECK(symlink("../run/resolver/of/resolv.conf", "/etc/resolv.conf") == 0);
    CHECK(chdir("/") == 0);
}

static void enter_and_look(const struct sandbox *sandbox) {
    char error[512] = "";
    int r = sandbox_probe(sandbox, error, sizeof error);
    if (r < 0)
        dprintf(STDERR_FILENO, "%s\n", error);
    CHECK(r == 0 && error[0] == '\0');
    uid_t uid = geteuid();
    gid_t gid = getegid();
    pid_t child = sandbox_fork(sandbox);
    if (child == 0) {
        look_around(sandbox, uid, gid);
        _exit(0);
    }
    CHECK(status_of(child) == 0);
    struct utsname names;
    CHECK(uname(&names) == 0 && strcmp(names.nodename, "brood-sandbox") != 0);
    CHECK(access("/run/brood-mark", F_OK) == 0 && access("/run/brood", F_OK) < 0);
}

static void story_privileged(void) {
    prepare_machine();
    struct sandbox sandbox;
    char *none[] = {NULL};
    sandbox_plan(&sandbox, none);
    CHECK(!sandbox.user_namespace && sandbox.private_tmp);
    enter_and_look(&sandbox);
    sandbox.private_tmp = false;
    enter_and_look(&sandbox);
}

static void story_unprivileged(void) {
    prepare_machine();
    become_nobody();
    struct sandbox sandbox;
    char *none[] = {NULL};
    sandbox_plan(&sandbox, none);
    CHECK(sandbox.user_namespace && sandbox.private_tmp);
    enter_and_look(&sandbox);
}

static void test_privileged(void **state) {
    (void)state;
    play(story_privileged);
}

static void test_unprivileged(void **state) {
    (void)state;
    play(story_unprivileged);
}

/* A working directory in /run or /proc is the new one's. */
static void story_working_directory(void) {
    prepare_machine();
    CHECK(chdir("/proc/sys") == 0);
    struct sandbox sandbox = {.user_namespace = false, .private_tmp = true};
    pid_t child = sandbox_fork(&sandbox);
    if (child == 0) {
        const char *step;
        CHECK(sandbox_enter(&sandbox, &step) == 0);
        struct stat here, there;
        CHECK(stat(".", &here) == 0 && stat("/proc/sys", &there) == 0 && here.st_dev == there.st_dev);
        _exit(0);
    }
    CHECK(status_of(child) == 0);
}

static void test_working_directory(void **state) {
    (void)state;
    play(story_working_directory);
}

/* The sandbox's PID 1 is gone when its parent is: its end of the pipe closes. */
static void story_dies_with_parent(void) {
    int ready[2], alive[2];
    char byte;
    CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(alive, O_CLOEXEC) == 0);
    struct sandbox sandbox;
    sandbox_plan(&sandbox, NULL);
    pid_t parent = fork();
    if (parent == 0) {
        pid_t child = sandbox_fork(&sandbox);
        if (child == 0) {
            const char *step;
            CHECK(sandbox_enter(&sandbox, &step) == 0);
            CHECK(write(ready[1], "r", 1) == 1);
            for (;;)
                pause();
        }
        for (;;)
            pause();
    }
    close(alive[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK(kill(parent, SIGKILL) == 0 && WTERMSIG(status_of(parent)) == SIGKILL);
    CHECK(read(alive[0], &byte, 1) == 0);
}

static void test_dies_with_parent(void **state) {
    (void)state;
    play(story_dies_with_parent);
}

/* … and finds out where it was gone before it could ask the kernel to be told. */
static void story_orphan_from_the_start(void) {
    int told[2], gone[2];
    char byte;
    struct {
        int r;
        const char *step;
    } verdict = {0, NULL};
    CHECK(pipe2(told, O_CLOEXEC) == 0 && pipe2(gone, O_CLOEXEC) == 0);
    struct sandbox sandbox;
    sandbox_plan(&sandbox, NULL);
    pid_t parent = fork();
    if (parent == 0) {
        close(gone[1]);
        if (sandbox_fork(&sandbox) == 0) {
            CHECK(read(gone[0], &byte, 1) == 0); /* the test has reaped its parent */
            verdict.r = sandbox_enter(&sandbox, &verdict.step);
            CHECK(write(told[1], &verdict, sizeof verdict) == sizeof verdict);
        }
        _exit(0);
    }
    CHECK(status_of(parent) == 0);
    close(gone[1]);
    CHECK(read(told[0], &verdict, sizeof verdict) == sizeof verdict);
    CHECK(verdict.r == -ESRCH && strcmp(verdict.step, "following its parent") == 0);
}

static void test_orphan_from_the_start(void **state) {
    (void)state;
    play(story_orphan_from_the_start);
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

static bool search_private_tmp(const char *path) {
    struct sandbox sandbox = {.private_tmp = true};
    sandbox_plan_search(&sandbox, path);
    return sandbox.private_tmp;
}

static bool plan_private_tmp(char *const *paths) {
    struct sandbox sandbox;
    sandbox_plan(&sandbox, paths);
    return sandbox.private_tmp;
}

static void story_plan(void) {
    char *elsewhere[] = {(char[]){"/etc/passwd"}, (char[]){"relative"}, (char[]){"/tmpfile"}, NULL};
    char *named[] = {(char[]){"/etc/passwd"}, (char[]){"/tmp/isn't/there"}, NULL};
    char *tmp[] = {(char[]){"/tmp"}, NULL};
    CHECK(chdir("/") == 0);
    CHECK(plan_private_tmp(NULL));
    CHECK(plan_private_tmp(elsewhere));
    CHECK(search_private_tmp(NULL));
    CHECK(search_private_tmp(""));
    CHECK(search_private_tmp("/usr/bin:/tmpfile::relative:"));
    CHECK(!search_private_tmp("/tmp"));
    CHECK(!search_private_tmp("/tmp/isn't/there:/usr/bin"));
    CHECK(!search_private_tmp("/usr/bin::/tmp/bin:"));
    CHECK(!plan_private_tmp(named));
    CHECK(!plan_private_tmp(tmp));

    char name[] = "/var/tmp/brood-test-XXXXXX";
    CHECK(mkdtemp(name) != NULL);
    char link[64];
    snprintf(link, sizeof link, "%s/link", name);
    char *linked[] = {link, NULL};
    CHECK(symlink("/tmp", link) == 0);
    bool private = plan_private_tmp(linked);
    CHECK(unlink(link) == 0 && rmdir(name) == 0);
    CHECK(!private);

    CHECK(chdir("/tmp") == 0);
    CHECK(!plan_private_tmp(NULL));
}

static void test_plan(void **state) {
    (void)state;
    play(story_plan);
}

/* --- refusals ----------------------------------------------------------------------------------------------------- */

static void check_refusal(const struct sandbox *sandbox, int expected, const char *cause) {
    char error[512] = "";
    int r = sandbox_probe(sandbox, error, sizeof error);
    if (r != expected || strstr(error, cause) == NULL)
        dprintf(STDERR_FILENO, "%d: %s\n", r, error);
    CHECK(r == expected);
    CHECK(strstr(error, cause) != NULL);
    CHECK(strncmp(error, "--sandbox: ", 11) == 0 && strchr(error, '\n') == NULL);
    CHECK(strstr(error, "or use --subreaper instead") != NULL);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* As Docker's default filter: clone with any namespace flag is EPERM. */
static void story_seccomp(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x7e020000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    struct sandbox sandbox = {.user_namespace = false, .private_tmp = true};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    check_refusal(&sandbox, -EPERM, "seccomp");
}

static void test_seccomp(void **state) {
    (void)state;
    play(story_seccomp);
}

/* The limit of a user namespace of the test's own. */
static void story_no_user_namespaces(void) {
    CHECK(unshare(CLONE_NEWUSER) == 0);
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 0 1");
    write_file("/proc/self/gid_map", "0 0 1");
    write_file("/proc/sys/user/max_user_namespaces", "0");
    struct sandbox sandbox = {.user_namespace = true, .private_tmp = true};
    check_refusal(&sandbox, -ENOSPC, "user.max_user_namespaces is 0");
}

static void test_no_user_namespaces(void **state) {
    (void)state;
    play(story_no_user_namespaces);
}

/* As in Docker: a file of /proc is covered, and a user namespace may not uncover it by a /proc of its own. */
static void story_masked_proc(void) {
    leave_mounts();
    CHECK(mount("/dev/null", "/proc/version", NULL, MS_BIND, NULL) == 0);
    become_nobody();
    struct sandbox sandbox = {.user_namespace = true, .private_tmp = true};
    check_refusal(&sandbox, -EPERM, "parts of /proc are masked");
}

static void test_masked_proc(void **state) {
    (void)state;
    play(story_masked_proc);
}

int main(void) {
    if (geteuid() != 0) {
        fprintf(stderr, "these tests want root: they mount and change their user\n");
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_privileged),
        cmocka_unit_test(test_unprivileged),
        cmocka_unit_test(test_working_directory),
        cmocka_unit_test(test_dies_with_parent),
        cmocka_unit_test(test_orphan_from_the_start),
        cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_no_user_namespaces),
        cmocka_unit_test(test_masked_proc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
