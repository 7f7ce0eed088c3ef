/* init/descendants.c, with real processes. Each story runs in a process of its own that plays brood: a subreaper whose
 * descendants are all its own, below the test, so that the test's other children are the strangers. What happens is
 * awaited through pipes, pidfds and waitpid(); an alarm ends a story that waits in vain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/descendants.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* In the process that plays brood, where cmocka's own asserts can't be used. */
#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool holds, const char *condition, int line) {
    if (holds)
        return;
    dprintf(STDERR_FILENO, "line %d: %s (errno %s)\n", line, condition, strerror(errno));
    _exit(1);
}

static int notes[2]; /* what processes of a story have to say: one byte each, and for pids a pid_t */

static void note(char byte) {
    CHECK(write(notes[1], &byte, 1) == 1);
}

static char next_note(void) {
    char byte;
    CHECK(read(notes[0], &byte, 1) == 1);
    return byte;
}

static pid_t next_pid(void) {
    pid_t pid;
    CHECK(read(notes[0], &pid, sizeof pid) == sizeof pid);
    return pid;
}

/* As fork(), but whoever a failed story leaves behind ends by itself (alarm() isn't inherited). */
static pid_t fork_mortal(void) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        alarm(30);
    return pid;
}

/* Runs a story in a child that is a subreaper; its status says how it went. */
static void play(void (*story)(void)) {
    assert_int_equal(pipe2(notes, O_CLOEXEC), 0);
    pid_t brood = fork_mortal();
    if (brood == 0) {
        CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
        story();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(brood, &status, 0), brood);
    close(notes[0]);
    close(notes[1]);
    assert_int_equal(status, 0);
}

/* Notes each TERM ('t') and each RTMIN ('m', a mark that is delivered after it), until it is killed. */
static void listen_to_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGRTMIN);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    note('r');
    for (;;) {
        int number;
        CHECK(sigwait(&set, &number) == 0);
        note(number == SIGTERM ? 't' : 'm');
    }
}

/* A process that left: forked twice, a session of its own. It tells its pid first, then does what it is for. */
static pid_t start_straggler(void (*life)(void)) {
    pid_t middle = fork_mortal();
    if (middle == 0) {
        setsid();
        pid_t straggler = fork_mortal();
        if (straggler > 0)
            _exit(0);
        setsid();
        pid_t self = getpid();
        CHECK(write(notes[1], &self, sizeof self) == sizeof self);
        life();
        _exit(0);
    }
    CHECK(waitpid(middle, NULL, 0) == middle);
    return next_pid();
}

static int ending_of(pid_t pid) {
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static struct descendants *open_descendants(void) {
    struct descendants *descendants = NULL;
    const char *why = NULL;
    CHECK(descendants_open(&descendants) == 0);
    CHECK(descendants_usable(descendants, &why) && why == NULL);
    return descendants;
}

/* --- stories ------------------------------------------------------------------------------------------------------ */

static void story_term_once_then_kill(void) {
    struct descendants *descendants = open_descendants();
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 0);
    pid_t straggler = start_straggler(listen_to_signals);
    CHECK(next_note() == 'r');
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 1);
    CHECK(next_note() == 't');
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 0);
    CHECK(kill(straggler, SIGRTMIN) == 0);
    CHECK(next_note() == 'm'); /* no second TERM came before the mark */

    pid_t late = start_straggler(listen_to_signals);
    CHECK(next_note() == 'r');
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 1);
    CHECK(next_note() == 't');
    CHECK(kill(straggler, SIGRTMIN) == 0);
    CHECK(next_note() == 'm');

    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 2);
    CHECK(ending_of(straggler) == SIGKILL && ending_of(late) == SIGKILL);
    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 0);
    descendants_close(descendants);
}

static void test_term_once_then_kill(void **state) {
    (void)state;
    play(story_term_once_then_kill);
}

/* Who is not below brood hears nothing, though it was started by the same user at the same time. */
static void test_strangers_are_left_alone(void **state) {
    (void)state;
    int told[2];
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    pid_t stranger = fork_mortal();
    if (stranger == 0) {
        notes[1] = told[1];
        listen_to_signals();
    }
    char byte = 0;
    assert_int_equal(read(told[0], &byte, 1), 1);
    play(story_term_once_then_kill);
    assert_int_equal(kill(stranger, SIGRTMIN), 0);
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 'm');
    assert_int_equal(kill(stranger, SIGKILL), 0);
    assert_int_equal(waitpid(stranger, NULL, 0), stranger);
    close(told[0]);
    close(told[1]);
}

/* A live worker's group is spared as long as it is named. */
static void story_groups_are_spared(void) {
    struct descendants *descendants = open_descendants();
    pid_t workers[3];
    for (int i = 0; i < 3; i++) {
        workers[i] = fork_mortal();
        if (workers[i] == 0) {
            setsid();
            listen_to_signals();
        }
        CHECK(next_note() == 'r');
    }
    pid_t straggler = start_straggler(listen_to_signals);
    CHECK(next_note() == 'r');
    pid_t groups[] = {workers[2], workers[0], workers[1]}; /* in no order */
    CHECK(descendants_signal(descendants, SIGKILL, groups, 3) == 1);
    CHECK(ending_of(straggler) == SIGKILL);
    for (int i = 0; i < 3; i++)
        CHECK(waitpid(workers[i], NULL, WNOHANG) == 0);
    CHECK(descendants_signal(descendants, SIGKILL, groups, 1) == 2);
    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 1);
    for (int i = 0; i < 3; i++)
        CHECK(ending_of(workers[i]) == SIGKILL);
    descendants_close(descendants);
}

static void test_groups_are_spared(void **state) {
    (void)state;
    play(story_groups_are_spared);
}

/* A tree in which every process has a session of its own, and is deaf. All are gone after one KILL. */
static void grow_tree(void) {
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int depth = 0; depth < 5; depth++) {
        if (fork_mortal() == 0)
            setsid();
    }
    note('r');
    for (;;)
        pause();
}

static void story_kill_ends_all(void) {
    struct descendants *descendants = open_descendants();
    start_straggler(grow_tree);
    for (int i = 0; i < 32; i++)
        CHECK(next_note() == 'r');
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 32);
    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 32);
    int reaped = 0, status;
    while (waitpid(-1, &status, 0) > 0) {
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        reaped++;
    }
    CHECK(reaped == 32 && errno == ECHILD);
    descendants_close(descendants);
}

static void test_kill_ends_all(void **state) {
    (void)state;
    play(story_kill_ends_all);
}

/* Each forks the next and goes: those that a look missed are found by the one after it. */
static void breed(void) {
    for (int i = 0; i < 300; i++) {
        if (i == 3)
            note('r');
        pid_t next = fork_mortal();
        if (next != 0)
            _exit(0);
    }
    for (;;)
        pause();
}

static void story_kill_catches_runaways(void) {
    struct descendants *descendants = open_descendants();
    for (int i = 0; i < 4; i++) {
        start_straggler(breed);
        CHECK(next_note() == 'r');
    }
    /* One that forks faster than /proc can be read is caught when its 300 are over, by a later call (REKILL_MS). */
    int status;
    bool left = true;
    while (left) {
        CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) >= 0);
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        }
        left = pid == 0;
    }
    CHECK(errno == ECHILD);
    descendants_close(descendants);
}

static void test_kill_catches_runaways(void **state) {
    (void)state;
    play(story_kill_catches_runaways);
}

/* CONT follows TERM: a stopped process would never see it. */
static void stop_itself(void) {
    note('r');
    raise(SIGSTOP);
    for (;;)
        pause();
}

static void story_stopped(void) {
    struct descendants *descendants = open_descendants();
    pid_t straggler = start_straggler(stop_itself);
    CHECK(next_note() == 'r');
    int status;
    CHECK(waitpid(straggler, &status, WUNTRACED) == straggler && WIFSTOPPED(status));
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 1);
    CHECK(ending_of(straggler) == SIGTERM);
    descendants_close(descendants);
}

static void test_stopped(void **state) {
    (void)state;
    play(story_stopped);
}

/* A name that looks like the end of its own stat line. */
static void be_odd(void) {
    CHECK(prctl(PR_SET_NAME, ") Z 1 (\n)") == 0);
    note('r');
    for (;;)
        pause();
}

static void story_odd_name(void) {
    struct descendants *descendants = open_descendants();
    pid_t straggler = start_straggler(be_odd);
    CHECK(next_note() == 'r');
    CHECK(descendants_below(descendants, straggler, getpid()));
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 1);
    CHECK(ending_of(straggler) == SIGTERM);
    descendants_close(descendants);
}

static void test_odd_name(void **state) {
    (void)state;
    play(story_odd_name);
}

/* Its first thread has ended, /proc says Z, but it lives. */
static void *wait_for_leader(void *unused) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
    char state = ' ';
    while (state != 'Z') {
        FILE *file = fopen(path, "re");
        CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
        state = strrchr(line, ')')[2];
        fclose(file);
        sched_yield();
    }
    note('r');
    for (;;)
        pause();
    return unused;
}

static void lose_its_leader(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_for_leader, NULL) == 0);
    pthread_exit(NULL);
}

static void story_leader_thread_gone(void) {
    struct descendants *descendants = open_descendants();
    pid_t straggler = start_straggler(lose_its_leader);
    CHECK(next_note() == 'r');
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 1);
    CHECK(ending_of(straggler) == SIGTERM);
    descendants_close(descendants);
}

static void test_leader_thread_gone(void **state) {
    (void)state;
    play(story_leader_thread_gone);
}

/* A worker's leader ends, a member of its group stays. */
static void story_member(void) {
    struct descendants *descendants = open_descendants();
    pid_t leader = fork_mortal();
    if (leader == 0) {
        setsid();
        pid_t member = fork_mortal();
        if (member == 0)
            listen_to_signals();
        _exit(0);
    }
    CHECK(next_note() == 'r');
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)leader, &info, WEXITED | WNOWAIT) == 0); /* a zombie: no member */
    int fd = descendants_member(descendants, leader);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(waitpid(leader, NULL, 0) == leader);
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    CHECK(poll(&pollfd, 1, 0) == 0);
    CHECK(kill(-leader, SIGKILL) == 0);
    CHECK(poll(&pollfd, 1, -1) == 1 && (pollfd.revents & POLLIN));
    CHECK(descendants_member(descendants, leader) == -ESRCH); /* it isn't reaped yet, but dead */
    CHECK(waitpid(-1, NULL, 0) > 0);
    CHECK(descendants_member(descendants, leader) == -ESRCH);
    close(fd);
    descendants_close(descendants);
}

static void test_member(void **state) {
    (void)state;
    play(story_member);
}

static void story_below(void) {
    struct descendants *descendants = open_descendants();
    pid_t worker = fork_mortal();
    if (worker == 0) {
        pid_t child = fork_mortal();
        if (child == 0) {
            pid_t self = getpid();
            CHECK(write(notes[1], &self, sizeof self) == sizeof self);
            for (;;)
                pause();
        }
        for (;;)
            pause();
    }
    pid_t child = next_pid(), straggler = start_straggler(listen_to_signals);
    CHECK(next_note() == 'r');
    CHECK(descendants_below(descendants, worker, worker));
    CHECK(descendants_below(descendants, child, worker));
    CHECK(descendants_below(descendants, child, getpid()));
    CHECK(descendants_below(descendants, straggler, getpid()));
    CHECK(!descendants_below(descendants, worker, child));
    CHECK(!descendants_below(descendants, straggler, worker));
    CHECK(!descendants_below(descendants, getpid(), worker));
    CHECK(!descendants_below(descendants, getppid(), getpid()));
    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 3);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    CHECK(!descendants_below(descendants, child, getpid()));
    descendants_close(descendants);
}

static void test_below(void **state) {
    (void)state;
    play(story_below);
}

/* --- poorer systems ----------------------------------------------------------------------------------------------- */

/* From here on the system call fails with this error. */
static void forbid(int number, int error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    CHECK(syscall(number, -1, 0) == -1 && errno == error);
}

static void story_no_pidfds(void) {
    forbid(SYS_pidfd_open, ENOSYS);
    story_term_once_then_kill();
}

static void story_pidfds_forbidden(void) {
    forbid(SYS_pidfd_open, EPERM);
    story_term_once_then_kill();
}

static void story_no_member_without_pidfds(void) {
    forbid(SYS_pidfd_open, ENOSYS);
    struct descendants *descendants = open_descendants();
    pid_t worker = fork_mortal();
    if (worker == 0) {
        setsid();
        listen_to_signals();
    }
    CHECK(next_note() == 'r');
    CHECK(descendants_member(descendants, worker) == -ENOSYS);
    CHECK(kill(worker, SIGKILL) == 0);
    CHECK(ending_of(worker) == SIGKILL);
    CHECK(descendants_member(descendants, worker) == -ESRCH);
    descendants_close(descendants);
}

static void test_no_pidfds(void **state) {
    (void)state;
    play(story_no_pidfds);
    play(story_pidfds_forbidden);
    play(story_no_member_without_pidfds);
}

/* No descriptors: an error, and the process is tried again once there are some. */
static void story_no_descriptors(void) {
    struct descendants *descendants = open_descendants();
    pid_t straggler = start_straggler(listen_to_signals);
    CHECK(next_note() == 'r');
    int filler[1024], count = 0;
    while (count < 1024 && (filler[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    if (count == 1024) { /* more are allowed than there is room for here */
        while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
        }
    }
    CHECK(errno == EMFILE);
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == -EMFILE);
    CHECK(descendants_member(descendants, straggler) == -EMFILE);
    close(filler[0]);
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == -EMFILE); /* /proc, but no pidfd beside it */
    close(filler[1]);
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 1);
    CHECK(next_note() == 't');
    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 1);
    CHECK(ending_of(straggler) == SIGKILL);
    descendants_close(descendants);
}

static void test_no_descriptors(void **state) {
    (void)state;
    play(story_no_descriptors);
}

/* PID 1 of a namespace, with the /proc of another: kill(-1), and only while no worker lives. */
static void be_pid_1(void) {
    struct descendants *descendants = NULL;
    const char *why = NULL;
    CHECK(getpid() == 1);
    CHECK(descendants_open(&descendants) == 0);
    CHECK(!descendants_usable(descendants, &why) && strstr(why, "another PID namespace") != NULL);
    pid_t child = fork_mortal();
    if (child == 0) {
        setsid();
        listen_to_signals();
    }
    CHECK(next_note() == 'r');
    pid_t groups[] = {child};
    CHECK(descendants_signal(descendants, SIGKILL, groups, 1) == 0);
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 1);
    CHECK(next_note() == 't');
    CHECK(descendants_signal(descendants, SIGTERM, NULL, 0) == 0);
    CHECK(kill(child, SIGRTMIN) == 0);
    CHECK(next_note() == 'm');
    CHECK(descendants_member(descendants, child) == -EOPNOTSUPP);
    CHECK(!descendants_below(descendants, child, 1));
    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 1);
    CHECK(ending_of(child) == SIGKILL);
    CHECK(descendants_signal(descendants, SIGKILL, NULL, 0) == 0);
    CHECK(descendants_member(descendants, child) == -ESRCH);
    descendants_close(descendants);
}

static void story_another_proc(void) {
    CHECK(unshare(CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) == 0);
    pid_t init = fork_mortal();
    if (init == 0) {
        be_pid_1();
        _exit(0);
    }
    CHECK(ending_of(init) == -1);
}

static void test_another_proc(void **state) {
    (void)state;
    play(story_another_proc);
}

static void test_close_takes_null(void **state) {
    (void)state;
    descendants_close(NULL);
    struct descendants *descendants = NULL;
    assert_int_equal(descendants_open(&descendants), 0);
    assert_non_null(descendants);
    descendants_close(descendants);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_term_once_then_kill),
        cmocka_unit_test(test_strangers_are_left_alone),
        cmocka_unit_test(test_groups_are_spared),
        cmocka_unit_test(test_kill_ends_all),
        cmocka_unit_test(test_kill_catches_runaways),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_odd_name),
        cmocka_unit_test(test_leader_thread_gone),
        cmocka_unit_test(test_member),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_no_pidfds),
        cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_another_proc),
        cmocka_unit_test(test_close_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
