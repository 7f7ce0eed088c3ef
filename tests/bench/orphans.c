/* Reaping as PID 1 of namespaces of its own, everything pinned to one CPU: so the time that passes is the work of all,
 * and whoever reaps more cheaply is done earlier. Waiting for an orphan's end by looking again and again would measure
 * the scheduler instead: whom it lets run first, who looks or who reaps.
 *
 * One by one: ONE_BY_ONE times a parent that forks an orphan and ends. At once: AT_ONCE orphans that are let go
 * together. Both until the process group of the orphans is empty, which is also the proof that no zombie is left. How
 * much of it was the init's own time on the CPU is a table of its own (/proc/1/schedstat, see proc(5)). */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/init.h"

#define ONE_BY_ONE 2000 /* in a round, of which there are ten */
#define AT_ONCE 2000
#define GOAL_ORPHANS 1.1

enum { ONE_BY_ONE_WALL, ONE_BY_ONE_INIT, AT_ONCE_WALL, AT_ONCE_INIT, TIMES };

struct times {
    double microseconds[TIMES]; /* an orphan */
};

static pid_t forked(pid_t pid) {
    if (pid < 0)
        cannot("fork", strerror(errno));
    return pid;
}

static void reap(pid_t pid) {
    if (waitpid(pid, NULL, 0) != pid)
        cannot("waitpid", strerror(errno));
}

static double init_microseconds(void) {
    unsigned long long nanoseconds;
    FILE *file = fopen("/proc/1/schedstat", "re");
    if (!file || fscanf(file, "%llu", &nanoseconds) != 1)
        cannot("/proc/1/schedstat", "it can't be read");
    fclose(file);
    return (double)nanoseconds / 1e3;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

/* Ends when it is told to, by the end of the pipe. */
static _Noreturn void hold(const int ends[2]) {
    char byte;
    close(ends[1]);
    while (read(ends[0], &byte, 1) > 0)
        ;
    _exit(0);
}

static void make_single_orphans(pid_t group) {
    for (int i = 0; i < ONE_BY_ONE; i++) {
        pid_t parent = forked(fork());
        if (parent == 0) {
            setpgid(0, group);
            forked(fork());
            _exit(0);
        }
        reap(parent);
    }
}

static void make_many_orphans(pid_t group, const int ends[2]) {
    pid_t parent = forked(fork());
    if (parent == 0) {
        setpgid(0, group);
        for (int i = 0; i < AT_ONCE; i++)
            if (forked(fork()) == 0)
                hold(ends);
        _exit(0);
    }
    reap(parent);
}

/* Nothing tells when a group is empty: the pause is a thousandth of what is measured. */
static void wait_for_group(pid_t group) {
    const struct timespec pause = {.tv_nsec = 100000};
    while (kill(-group, 0) == 0)
        nanosleep(&pause, NULL);
}

static void run_part(bool single, double count, double *ret_wall, double *ret_init) {
    int ends[2];
    if (pipe(ends) < 0)
        cannot("pipe", strerror(errno));
    pid_t holder = forked(fork());
    if (holder == 0)
        hold(ends);
    setpgid(holder, holder);
    if (!single)
        make_many_orphans(holder, ends);
    double begin = microseconds_now(), init = init_microseconds();
    if (single)
        make_single_orphans(holder);
    close(ends[1]);
    reap(holder);
    wait_for_group(holder);
    *ret_wall = (microseconds_now() - begin) / count;
    *ret_init = (init_microseconds() - init) / count;
    close(ends[0]);
}

int orphan_maker(void) {
    struct times times;
    run_part(true, ONE_BY_ONE, &times.microseconds[ONE_BY_ONE_WALL], &times.microseconds[ONE_BY_ONE_INIT]);
    run_part(false, AT_ONCE, &times.microseconds[AT_ONCE_WALL], &times.microseconds[AT_ONCE_INIT]);
    return write(STDOUT_FILENO, &times, sizeof times) == (ssize_t)sizeof times ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- the namespaces ---------------------------------------------------------------------------------------------- */

/* In a process that has left its PID namespace: its child is PID 1 of the new one. */
static _Noreturn void become_first(char *const *argv, int out) {
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(0, &cpu);
    dup2(out, STDOUT_FILENO);
    if (sched_setaffinity(0, sizeof cpu, &cpu) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        cannot("a /proc of its own", strerror(errno));
    execv(argv[0], argv);
    cannot(argv[0], strerror(errno));
}

static struct times run_once(const char *name, char *const *argv) {
    struct times times;
    int ends[2], status;
    if (pipe(ends) < 0)
        cannot("pipe", strerror(errno));
    pid_t outside = forked(fork());
    if (outside == 0) {
        close(ends[0]);
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
            cannot("a PID namespace (root is needed)", strerror(errno));
        pid_t first = forked(fork());
        if (first == 0)
            become_first(argv, ends[1]);
        close(ends[1]);
        reap(first);
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], &times, sizeof times) != (ssize_t)sizeof times)
        cannot(name, "its command did not report");
    close(ends[0]);
    if (waitpid(outside, &status, 0) != outside || status != 0)
        cannot(name, "it did not end well");
    return times;
}

void measure_orphans(const struct peer *peers, size_t rounds) {
    static char part[] = "orphan-maker";
    static const struct {
        const char *what;
        double goal;
    } tables[TIMES] = {
        [ONE_BY_ONE_WALL] = {"microseconds an orphan, one by one", GOAL_ORPHANS},
        [ONE_BY_ONE_INIT] = {"... of which the init ran", 0},
        [AT_ONCE_WALL] = {"microseconds an orphan, 2000 at once", GOAL_ORPHANS},
        [AT_ONCE_INIT] = {"... of which the init ran", 0},
    };
    char path[4096], *command[] = {path, part, NULL}, *argv[PEERS][COMMAND_WORDS + 3];
    static struct series series[TIMES][PEERS];
    size_t order[PEERS];
    own_path(path, sizeof path);
    for (size_t i = 0; i < PEERS; i++) {
        for (size_t j = 0; j < TIMES; j++)
            series_open(&series[j][i], peers[i].name, rounds);
        peer_command(&peers[i], command, argv[i]);
        order[i] = i;
    }
    for (size_t round = 0; round < rounds; round++) {
        shuffle(order, PEERS);
        for (size_t i = 0; i < PEERS; i++) {
            struct times times = run_once(peers[order[i]].name, argv[order[i]]);
            for (size_t j = 0; j < TIMES; j++)
                series_add(&series[j][order[i]], times.microseconds[j]);
        }
    }
    for (size_t j = 0; j < TIMES; j++)
        print_against_peers(tables[j].what, series[j], tables[j].goal);
}
