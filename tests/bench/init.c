/* brood as the init of one command, against tini, tini-static, dumb-init and catatonit.
 *
 *     init start ROUNDS BROOD          `INIT -- true`: from vfork() to its end
 *     init orphans ROUNDS BROOD        as PID 1: orphans, one after the other and many at once (orphans.c)
 *     init signal ROUNDS BROOD         from kill(INIT) to the command's sigwaitinfo() (latency.c)
 *
 * A peer that is missing ends the program: a table with holes would praise brood for nothing. */
#include "tests/bench/init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/figures.h"
#include "tests/bench/peers.h"

#define ROUNDS_MAX 100000
#define WARM_UP 20
#define GOAL_START 0.95

extern char **environ;

void own_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length < 0)
        cannot("/proc/self/exe", strerror(errno));
    path[length] = '\0';
}

static double run(const char *name, char *const *argv) {
    int status;
    double begin = microseconds_now();
    pid_t pid = vfork();
    if (pid == 0) {
        execve(argv[0], argv, environ);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        cannot(name, strerror(errno));
    double end = microseconds_now();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        cannot(name, "it did not run its command to success");
    return end - begin;
}

static void measure_start(const struct peer *peers, size_t rounds) {
    static char command_name[] = "true";
    char *command[] = {command_name, NULL};
    struct series series[PEERS];
    char *argv[PEERS][COMMAND_WORDS + 3];
    size_t order[PEERS];
    for (size_t i = 0; i < PEERS; i++) {
        series_open(&series[i], peers[i].name, rounds);
        peer_command(&peers[i], command, argv[i]);
        order[i] = i;
        for (int j = 0; j < WARM_UP; j++)
            run(peers[i].name, argv[i]);
    }
    for (size_t round = 0; round < rounds; round++) {
        shuffle(order, PEERS);
        for (size_t i = 0; i < PEERS; i++)
            series_add(&series[order[i]], run(peers[order[i]].name, argv[order[i]]));
    }
    print_against_peers("microseconds of INIT -- true", series, GOAL_START);
}

void print_against_peers(const char *what, struct series series[static PEERS], double goal) {
    for (size_t i = 0; i < PEERS; i++)
        series_close(&series[i]);
    struct series fastest = series_fastest(series, BROOD + 1, PEERS);
    print_heading(what);
    for (size_t i = 0; i < PEERS; i++)
        print_series(&series[i], &fastest, i == BROOD ? goal : 0);
}

int main(int argc, char **argv) {
    static struct peer peers[PEERS];
    if (argc > 1 && strcmp(argv[1], "orphan-maker") == 0)
        return orphan_maker();
    if (argc > 1 && strcmp(argv[1], "receiver") == 0)
        return receiver();
    if (argc != 4)
        cannot("usage", "init start|orphans|signal ROUNDS BROOD");
    size_t rounds = number_of(argv[2], ROUNDS_MAX);
    peers_find(peers, argv[3]);
    if (strcmp(argv[1], "start") == 0)
        measure_start(peers, rounds);
    else if (strcmp(argv[1], "orphans") == 0)
        measure_orphans(peers, rounds);
    else if (strcmp(argv[1], "signal") == 0)
        measure_signal(peers, rounds);
    else
        cannot(argv[1], "there are start, orphans and signal");
    return EXIT_SUCCESS;
}
