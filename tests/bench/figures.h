/* What every benchmark here does with its figures: each round runs every way once, in an order of its own, so that
 * whatever else the machine does, and what the way before left in the caches, hits all alike. The median says what is
 * usual, the minimum what is possible. Figures of two runs can't be compared, ratios within one can. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>

#define WAYS_MAX 24

/* One way of doing what is measured, with the time of each round. */
struct series {
    char name[64];
    double *microseconds; /* of each round, sorted by series_close() */
    size_t count;
    double median, minimum;
};

/* Ends the program: a figure that could not be taken is no figure. */
_Noreturn void cannot(const char *what, const char *why);

/* A decimal number of 1 to most, or the end of the program. */
size_t number_of(const char *text, size_t most);

double microseconds_now(void);

void shuffle(size_t *order, size_t count);

/* Room for so many rounds. */
void series_open(struct series *series, const char *name, size_t rounds);
void series_add(struct series *series, double microseconds);
/* Works out median and minimum. */
void series_close(struct series *series);

void print_heading(const char *what);
/* times: what it is a multiple of, NULL: of nothing; goal: at most so many times of it, 0: none. It is about the
 * median; a negative one is about the minimum. */
void print_series(const struct series *series, const struct series *times, double goal);
/* One figure that isn't a time; goal < 0: none. */
void print_figure(const char *name, double figure, const char *unit, double goal);

/* Whichever has the lowest median of those from first on; for the minima, too: that is what a goal is about. */
struct series series_fastest(const struct series *series, size_t first, size_t count);

#endif
