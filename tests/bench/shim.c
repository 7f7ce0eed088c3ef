/* What an exec costs below brood: microseconds from vfork() to the end of the child, and the ratio to what it would
 * cost at least.
 *
 * tests/bench/run.sh starts it as brood's command. Each round runs every way once, in an order of its own, so that
 * whatever else the machine does, and what the way before left in the caches, hits all alike; the median says what is
 * usual, the minimum what is possible. Figures of two runs can't be compared, ratios within one can.
 *
 *     shim ROUNDS TINY DIRECTORY EMPTY CHILD...
 *
 * TINY: tests/bench/tiny.c. DIRECTORY: where the wrapped programs lie. EMPTY: a library with nothing in it, the least
 * that any costs. CHILD: a dynamic program that isn't wrapped. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 100000
#define WARM_UP 20
#define CHAIN_MAX 4
#define CHILDREN_MAX 4
#define WAYS_MAX (7 + 4 * CHILDREN_MAX)
#define VARIABLES_MAX 1024

extern char **environ;

/* One way to run a program. */
struct way {
    char name[64];
    const char *path;
    char *argv[CHAIN_MAX + 1];
    char *const *envp;
    bool interposed; /* by the C library's execve(), which the preload library takes over; else by a raw system call */
    int status;
    size_t base; /* index of the way it is compared with; its own: with none */
    double goal; /* at most so many times its base; 0: none */
    double *microseconds;
    double median, minimum;
};

static _Noreturn void cannot(const char *what, const char *why) {
    fprintf(stderr, "bench: cannot measure: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* --- one exec --- */

/* The first directory of PATH and a name; the caller's to free(). */
static char *shim_of(const char *name) {
    char path[PATH_MAX];
    const char *search = getenv("PATH");
    size_t length = strcspn(search ? search : "", ":");
    snprintf(path, sizeof path, "%.*s/%s", (int)length, search ? search : "", name);
    if (access(path, X_OK) < 0)
        cannot(path, "no shim there");
    char *copy = strdup(path);
    if (!copy)
        cannot(name, strerror(errno));
    return copy;
}

/* The environment with another LD_PRELOAD, which is kept as a pointer; NULL: with none. The caller's to free(). */
static char **with_library(char *variable) {
    char **envp = calloc(VARIABLES_MAX + 2, sizeof *envp);
    size_t count = 0;
    bool found = false;
    if (!envp)
        cannot("memory", strerror(errno));
    for (char **old = environ; *old && count < VARIABLES_MAX; old++) {
        if (strncmp(*old, "LD_PRELOAD=", strlen("LD_PRELOAD=")) == 0)
            found = true;
        else
            envp[count++] = *old;
    }
    if (!found)
        cannot("LD_PRELOAD", "not set, this doesn't run below brood");
    envp[count] = variable;
    return envp;
}

static double run(const struct way *way) {
    struct timespec begin, end;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t pid = vfork();
    if (pid == 0) {
        if (way->interposed)
            execve(way->path, way->argv, way->envp);
        else
            syscall(SYS_execve, way->path, way->argv, way->envp);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        cannot(way->name, strerror(errno));
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != way->status) {
        fprintf(stderr, "bench: %s: wait status %#x, not exit status %d\n", way->name, (unsigned)status, way->status);
        cannot(way->name, "it isn't what should be measured");
    }
    return (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3;
}

/* --- figures --- */

static int compare(const void *a, const void *b) {
    const double *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

static void shuffle(size_t *order, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)random() % i, moved = order[i - 1];
        order[i - 1] = order[other];
        order[other] = moved;
    }
}

static void measure(struct way *ways, size_t count, size_t rounds) {
    size_t order[WAYS_MAX];
    for (size_t i = 0; i < count; i++) {
        ways[i].microseconds = calloc(rounds, sizeof(double));
        if (!ways[i].microseconds)
            cannot("memory", strerror(errno));
        order[i] = i;
        for (int j = 0; j < WARM_UP; j++)
            run(&ways[i]);
    }
    for (size_t round = 0; round < rounds; round++) {
        shuffle(order, count);
        for (size_t i = 0; i < count; i++)
            ways[order[i]].microseconds[round] = run(&ways[order[i]]);
    }
    for (size_t i = 0; i < count; i++) {
        qsort(ways[i].microseconds, rounds, sizeof(double), compare);
        ways[i].median = ways[i].microseconds[rounds / 2];
        ways[i].minimum = ways[i].microseconds[0];
        free(ways[i].microseconds);
    }
}

static void print_row(const struct way *ways, size_t index) {
    const struct way *way = &ways[index], *base = &ways[way->base];
    printf("%-52s %8.1f %8.1f", way->name, way->median, way->minimum);
    if (base != way)
        printf(" %7.2f %7.2f", way->median / base->median, way->minimum / base->minimum);
    if (way->goal > 0)
        printf("   %.2f %s", way->goal, way->median <= way->goal * base->median ? "met" : "MISSED");
    putchar('\n');
}

/* --- what is measured --- */

static size_t add(struct way *ways, size_t count, const char *name, struct way way) {
    ways[count] = way;
    snprintf(ways[count].name, sizeof ways[count].name, "%s", name);
    return count + 1;
}

/* tiny alone is there to show what the fork costs. */
static size_t add_wrapped(struct way *ways, char *tiny, char *next, char *node, char *real, char *wrapped) {
    static char version[] = "-v", script[] = "/main.js", extra[] = "x";
    enum { ONE, TWO, PASSED, MODULE, TURNED, FOUR };
    size_t count = add(ways, 0, "tiny", (struct way){.path = tiny, .argv = {tiny}, .base = ONE});
    count = add(ways, count, "tiny, tiny", (struct way){.path = tiny, .argv = {tiny, next}, .base = TWO});
    count = add(ways, count, "shim, program: node -v",
                (struct way){.path = node, .argv = {node, version}, .status = 1, .base = TWO, .goal = 1.3});
    count = add(ways, count, "shim, program: node main.js",
                (struct way){.path = node, .argv = {node, script}, .status = 2, .base = TWO, .goal = 1.3});
    count = add(
        ways, count, "shim, program: /PATH/node main.js, by the library",
        (struct way){.path = real, .argv = {real, script}, .status = 2, .base = TWO, .goal = 1.3, .interposed = true});
    count = add(ways, count, "tiny, tiny, tiny, tiny",
                (struct way){.path = tiny, .argv = {tiny, next, next, next}, .base = FOUR});
    return add(ways, count, "shim, wrapper, shim, program",
               (struct way){.path = wrapped, .argv = {wrapped, extra}, .base = FOUR, .goal = 1.3});
}

static size_t add_unrelated(struct way *ways, size_t base, char *child, char *const *plain, char *const *empty) {
    const char *slash = strrchr(child, '/'), *base_name = slash ? slash + 1 : child;
    char name[64];
    snprintf(name, sizeof name, "%.16s, no library", base_name);
    size_t count = add(ways, base, name, (struct way){.path = child, .argv = {child}, .envp = plain, .base = base});
    snprintf(name, sizeof name, "%.16s, an empty library in it", base_name);
    count = add(ways, count, name, (struct way){.path = child, .argv = {child}, .envp = empty, .base = base});
    snprintf(name, sizeof name, "%.16s, the library in it", base_name);
    count = add(ways, count, name, (struct way){.path = child, .argv = {child}, .base = base});
    snprintf(name, sizeof name, "%.16s, the library in it and its parent", base_name);
    return add(ways, count, name,
               (struct way){.path = child, .argv = {child}, .interposed = true, .base = base, .goal = 1.15});
}

int main(int argc, char **argv) {
    static struct way ways[WAYS_MAX];
    char next[PATH_MAX + 1], real[PATH_MAX], library[PATH_MAX];
    if (argc < 6 || argc > 5 + CHILDREN_MAX)
        cannot("usage", "shim ROUNDS TINY DIRECTORY EMPTY CHILD...");
    long rounds = strtol(argv[1], NULL, 10);
    if (rounds < 1 || rounds > ROUNDS_MAX)
        cannot(argv[1], "not a number of rounds");
    snprintf(next, sizeof next, "@%s", argv[2]);
    snprintf(real, sizeof real, "%s/node", argv[3]);
    snprintf(library, sizeof library, "LD_PRELOAD=%s", argv[4]);
    char *node = shim_of("node"), *wrapped = shim_of("wrapped");
    char **plain = with_library(NULL), **empty = with_library(library);
    size_t count = add_wrapped(ways, argv[2], next, node, real, wrapped);
    for (int i = 5; i < argc; i++)
        count = add_unrelated(ways, count, argv[i], plain, empty);
    for (size_t i = 0; i < count; i++)
        if (!ways[i].envp)
            ways[i].envp = environ;
    measure(ways, count, (size_t)rounds);
    printf("%-52s %8s %8s %15s   goal\n", "microseconds an exec", "median", "minimum", "times the base");
    for (size_t i = 0; i < count; i++)
        print_row(ways, i);
    free(plain);
    free(empty);
    free(node);
    free(wrapped);
    return EXIT_SUCCESS;
}
