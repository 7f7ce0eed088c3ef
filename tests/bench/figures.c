/* See figures.h. */
#include "tests/bench/figures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void cannot(const char *what, const char *why) {
    fflush(stdout);
    fprintf(stderr, "bench: cannot measure: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

size_t number_of(const char *text, size_t most) {
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 1 || number > most)
        cannot(text, "not a number that makes sense here");
    return number;
}

double microseconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

void shuffle(size_t *order, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)random() % i, moved = order[i - 1];
        order[i - 1] = order[other];
        order[other] = moved;
    }
}

void series_open(struct series *series, const char *name, size_t rounds) {
    *series = (struct series){.microseconds = calloc(rounds, sizeof(double))};
    if (!series->microseconds)
        cannot("memory", strerror(errno));
    snprintf(series->name, sizeof series->name, "%s", name);
}

void series_add(struct series *series, double microseconds) {
    series->microseconds[series->count++] = microseconds;
}

static int compare(const void *a, const void *b) {
    const double *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

void series_close(struct series *series) {
    if (series->count == 0)
        cannot(series->name, "no round");
    qsort(series->microseconds, series->count, sizeof(double), compare);
    series->median = series->microseconds[series->count / 2];
    series->minimum = series->microseconds[0];
    free(series->microseconds);
    series->microseconds = NULL;
}

struct series series_fastest(const struct series *series, size_t first, size_t count) {
    struct series fastest = series[first];
    for (size_t i = first + 1; i < count; i++) {
        if (series[i].median < fastest.median)
            fastest.median = series[i].median;
        if (series[i].minimum < fastest.minimum)
            fastest.minimum = series[i].minimum;
    }
    return fastest;
}

void print_heading(const char *what) {
    printf("\n%-52s %10s %10s %15s   goal\n", what, "median", "minimum", "times the base");
}

void print_series(const struct series *series, const struct series *times, double goal) {
    printf("%-52s %10.1f %10.1f", series->name, series->median, series->minimum);
    if (times)
        printf(" %7.2f %7.2f", series->median / times->median, series->minimum / times->minimum);
    if (goal > 0)
        printf("   %.2f %s", goal, series->median <= goal * times->median ? "met" : "MISSED");
    if (goal < 0)
        printf("   %.2f %s (minimum)", -goal, series->minimum <= -goal * times->minimum ? "met" : "MISSED");
    putchar('\n');
    fflush(stdout);
}

void print_figure(const char *name, double figure, const char *unit, double goal) {
    printf("%-52s %10.0f %-10s", name, figure, unit);
    if (goal >= 0)
        printf(" %15s   %.0f %s", "", goal, figure <= goal ? "met" : "MISSED");
    putchar('\n');
    fflush(stdout);
}
