/* The simulator: runs seeds, shrinks one that fails, prints its trace and the command that shows it again.
 *
 *     sim [--first S] [--seeds N] [--cells [--unreached FILE]]
 *     sim --seed S [--trace] [--capacity N] [masks as printed by a failure]
 *
 * Seeds run in a child, so that an assertion of the core (or an endless loop: alarm) is a failure of a seed like any
 * other, known to the parent by the memory that both share. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/cells.h"
#include "tests/sim/examine.h"

#define SEED_SECONDS_MAX 30 /* for one seed; it takes milliseconds */
#define DEFAULT_SEEDS 20000

struct shared {
    uint64_t seed; /* the one that runs now */
    uint64_t passed;
    uint64_t steps;
    uint32_t capacity;
    bool failed;
    char text[EXAMINE_TEXT_BYTES];
    uint64_t cells[WORKER_STATES * WORKER_INPUTS];
};

struct arguments {
    uint64_t first;
    uint64_t seeds;
    uint64_t seed;
    bool one;
    bool trace;
    bool cells;
    const char *unreached;
    uint32_t capacity;
    struct scenario_masks masks;
};

static struct examiner examiner;
static struct shared *shared;

/* Runs work in a child. Returns whether it went through and nothing failed. */
static bool in_child(void (*work)(const struct arguments *), const struct arguments *arguments) {
    int status = 0;
    shared->failed = false;
    snprintf(shared->text, sizeof(shared->text), "the core ended itself: an assertion, or an endless loop");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        work(arguments);
        exit(0); /* not _exit(): what `make cover` counts is written by a handler */
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("sim: fork");
        exit(2);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && !shared->failed;
}

static void run_seeds(const struct arguments *arguments) {
    for (uint64_t i = 0; i < arguments->seeds; i++) {
        shared->seed = arguments->first + i;
        alarm(SEED_SECONDS_MAX);
        shared->failed = !examine(&examiner, shared->seed, &arguments->masks, shared->text, &shared->capacity);
        if (shared->failed)
            return;
        shared->passed++;
        for (uint32_t run = 0; run < 3; run++)
            shared->steps += examiner.results[run].steps;
    }
    memcpy(shared->cells, examiner.run.cells, sizeof(shared->cells));
}

/* Quiet: what an assertion prints is wanted once, not at each attempt to shrink. */
static void run_quietly(const struct arguments *arguments) {
    if (!freopen("/dev/null", "w", stderr))
        return;
    run_seeds(arguments);
}

static void run_traced(const struct arguments *arguments) {
    struct run_result *result = &examiner.results[0];
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(SEED_SECONDS_MAX);
    scenario_make(&examiner.scenario, arguments->seed, &arguments->masks);
    scenario_print(&examiner.scenario);
    run_scenario(&examiner.run, &examiner.scenario, arguments->capacity, true, result);
    if (result->failure[0] == 0) {
        printf("[%6lld] done, status %d\n", (long long)result->end, result->status);
        return;
    }
    printf("FAILED: %s\n", result->failure);
    shared->failed = true;
}

/* --- shrinking --- */

static bool still_fails(struct arguments *arguments) {
    if (!examine_possible(&examiner, arguments->first, &arguments->masks))
        return false;
    return !in_child(run_quietly, arguments);
}

/* Tries to set each of the lowest `count` bits of *mask; keeps those with which it still fails. */
static bool shrink_mask(struct arguments *arguments, uint64_t *mask, uint32_t count) {
    bool changed = false;
    for (uint32_t bit = 0; bit < count; bit++) {
        if (*mask >> bit & 1)
            continue;
        *mask |= (uint64_t)1 << bit;
        if (still_fails(arguments))
            changed = true;
        else
            *mask &= ~((uint64_t)1 << bit);
    }
    return changed;
}

static void shrink(struct arguments *arguments) {
    struct scenario_masks *masks = &arguments->masks;
    scenario_make(&examiner.scenario, arguments->first, masks);
    uint32_t groups = examiner.scenario.group_all, script = examiner.scenario.script_all;
    masks->steady = true;
    if (!still_fails(arguments))
        masks->steady = false;
    for (bool changed = true; changed;) {
        changed = shrink_mask(arguments, &masks->drop_groups, groups);
        changed |= shrink_mask(arguments, &masks->drop_script, script);
        changed |= shrink_mask(arguments, &masks->single, groups);
        changed |= shrink_mask(arguments, &masks->calm, groups);
    }
    masks->calm |= (uint64_t)1 << 63;
    if (!still_fails(arguments))
        masks->calm &= ~((uint64_t)1 << 63);
    still_fails(arguments); /* so that text and capacity are those of the shrunk one */
}

static void print_command(const struct arguments *arguments, const char *program) {
    const struct scenario_masks *masks = &arguments->masks;
    printf("%s --seed %llu --trace --capacity %u", program, (unsigned long long)arguments->seed, arguments->capacity);
    if (masks->drop_groups)
        printf(" --drop-groups 0x%llx", (unsigned long long)masks->drop_groups);
    if (masks->single)
        printf(" --single 0x%llx", (unsigned long long)masks->single);
    if (masks->calm)
        printf(" --calm 0x%llx", (unsigned long long)masks->calm);
    if (masks->drop_script)
        printf(" --drop-script 0x%llx", (unsigned long long)masks->drop_script);
    printf("%s\n", masks->steady ? " --steady" : "");
}

static int report_failure(struct arguments *arguments, const char *program) {
    uint64_t seed = shared->seed;
    printf("sim: seed %llu failed after %llu that passed: %s\n", (unsigned long long)seed,
           (unsigned long long)shared->passed, shared->text);
    arguments->first = arguments->seed = seed;
    arguments->seeds = 1;
    shrink(arguments);
    char text[EXAMINE_TEXT_BYTES];
    memcpy(text, shared->text, sizeof(text));
    arguments->capacity = shared->capacity;
    in_child(run_traced, arguments);
    printf("sim: seed %llu, shrunk: %s\n     ", (unsigned long long)seed, text);
    print_command(arguments, program);
    return 1;
}

/* --- the command line --- */

static bool number(const char *text, uint64_t *ret) {
    char *end;
    *ret = strtoull(text, &end, 0);
    return *text && !*end;
}

static bool parse(int argc, char **argv, struct arguments *ret) {
    static const struct option options[] = {
        {"seeds", 1, NULL, 'n'},    {"first", 1, NULL, 'f'},       {"seed", 1, NULL, 's'},
        {"trace", 0, NULL, 't'},    {"cells", 0, NULL, 'c'},       {"unreached", 1, NULL, 'u'},
        {"capacity", 1, NULL, 'C'}, {"drop-groups", 1, NULL, 'g'}, {"single", 1, NULL, '1'},
        {"calm", 1, NULL, 'm'},     {"drop-script", 1, NULL, 'o'}, {"steady", 0, NULL, 'y'},
        {NULL, 0, NULL, 0},
    };
    uint64_t capacity = ACTIONS_MAX;
    int option;
    *ret = (struct arguments){.first = 1, .seeds = DEFAULT_SEEDS};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t *into = option == 'n'   ? &ret->seeds
                         : option == 'f' ? &ret->first
                         : option == 's' ? &ret->seed
                         : option == 'C' ? &capacity
                         : option == 'g' ? &ret->masks.drop_groups
                         : option == '1' ? &ret->masks.single
                         : option == 'm' ? &ret->masks.calm
                         : option == 'o' ? &ret->masks.drop_script
                                         : NULL;
        if (option == '?' || (into && !number(optarg, into)))
            return false;
        ret->one |= option == 's';
        ret->trace |= option == 't';
        ret->cells |= option == 'c';
        ret->masks.steady |= option == 'y';
        if (option == 'u')
            ret->unreached = optarg;
    }
    ret->capacity = (uint32_t)capacity;
    return optind == argc && capacity >= ACTIONS_MIN && capacity <= ACTIONS_MAX;
}

static int check_cells(const struct arguments *arguments) {
    if (arguments->cells)
        cells_print(shared->cells);
    if (!arguments->unreached || arguments->seeds < DEFAULT_SEEDS)
        return 0; /* a few seeds need not reach everything */
    int faults = cells_check(shared->cells, arguments->unreached);
    if (faults < 0)
        fprintf(stderr, "sim: %s can't be read\n", arguments->unreached);
    return faults ? 1 : 0;
}

/* For the figure at the end alone: a seed knows virtual time only. */
static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    struct arguments arguments;
    if (!parse(argc, argv, &arguments)) {
        fprintf(stderr,
                "usage: %s [--first S] [--seeds N] [--cells] [--unreached FILE]\n"
                "       %s --seed S [--trace] [--capacity N] [--drop-groups M] [--single M] [--calm M] "
                "[--drop-script M] [--steady]\n",
                argv[0], argv[0]);
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("sim: mmap");
        return 2;
    }
    if (arguments.one && arguments.trace)
        return in_child(run_traced, &arguments) ? 0 : 1;
    if (arguments.one) {
        arguments.first = arguments.seed;
        arguments.seeds = 1;
    }
    double begin = seconds_now();
    if (!in_child(run_seeds, &arguments))
        return report_failure(&arguments, argv[0]);
    double seconds = seconds_now() - begin;
    printf("sim: %llu seeds passed, %llu steps, %.2f million a second with kernel and checker\n",
           (unsigned long long)shared->passed, (unsigned long long)shared->steps,
           seconds > 0 ? (double)shared->steps / 1e6 / seconds : 0);
    return check_cells(&arguments);
}
