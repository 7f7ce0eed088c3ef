/* How long a signal takes through an init: all of them run at once, each with a command that waits for USR1 and says
 * when it came. The clock is the same for all processes, so the time on the way back is not part of it. Everything is
 * pinned to one CPU: waking another one up takes several times as long as what is measured. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/init.h"

#define GOAL_SIGNAL (-1.1) /* of the minimum */

struct running {
    pid_t pid;
    int from; /* what its command writes */
};

int receiver(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    double now = 0;
    do {
        if (write(STDOUT_FILENO, &now, sizeof now) != (ssize_t)sizeof now)
            return EXIT_FAILURE;
        if (sigwaitinfo(&set, NULL) < 0)
            return EXIT_FAILURE;
        now = microseconds_now();
    } while (true);
}

static double told(const struct running *running, const char *name) {
    double time;
    if (read(running->from, &time, sizeof time) != (ssize_t)sizeof time)
        cannot(name, "its command has ended");
    return time;
}

static struct running start(const struct peer *peer) {
    static char part[] = "receiver";
    char path[4096], *command[] = {path, part, NULL}, *argv[COMMAND_WORDS + 3];
    int ends[2];
    if (pipe(ends) < 0)
        cannot(peer->name, strerror(errno));
    own_path(path, sizeof path);
    peer_command(peer, command, argv);
    struct running running = {.pid = fork(), .from = ends[0]};
    if (running.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    if (running.pid < 0)
        cannot(peer->name, strerror(errno));
    told(&running, peer->name); /* it waits for signals now */
    return running;
}

static double send_one(const struct running *running, const char *name) {
    double begin = microseconds_now();
    if (kill(running->pid, SIGUSR1) < 0)
        cannot(name, strerror(errno));
    return told(running, name) - begin;
}

void measure_signal(const struct peer *peers, size_t rounds) {
    struct running running[PEERS];
    cpu_set_t cpu;
    struct series series[PEERS];
    size_t order[PEERS];
    CPU_ZERO(&cpu);
    CPU_SET(0, &cpu);
    if (sched_setaffinity(0, sizeof cpu, &cpu) < 0)
        cannot("CPU 0", strerror(errno));
    for (size_t i = 0; i < PEERS; i++) {
        series_open(&series[i], peers[i].name, rounds);
        running[i] = start(&peers[i]);
        order[i] = i;
        send_one(&running[i], peers[i].name);
    }
    for (size_t round = 0; round < rounds; round++) {
        shuffle(order, PEERS);
        for (size_t i = 0; i < PEERS; i++)
            series_add(&series[order[i]], send_one(&running[order[i]], peers[order[i]].name));
    }
    for (size_t i = 0; i < PEERS; i++) {
        kill(running[i].pid, SIGTERM);
        if (waitpid(running[i].pid, NULL, 0) < 0)
            cannot(peers[i].name, strerror(errno));
        close(running[i].from);
    }
    print_against_peers("microseconds from kill(INIT) to its command", series, GOAL_SIGNAL);
}
