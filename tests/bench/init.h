/* The parts of tests/bench/init. */
#ifndef BENCH_INIT_H
#define BENCH_INIT_H

#include "tests/bench/figures.h"
#include "tests/bench/peers.h"

void print_against_peers(const char *what, struct series series[static PEERS], double goal);

/* The path of this program, for the inits to run. */
void own_path(char *path, size_t size);

void measure_orphans(const struct peer *peers, size_t rounds);
void measure_signal(const struct peer *peers, size_t rounds);

/* Commands of the inits; each returns its exit status. */
int orphan_maker(void);
int receiver(void);

#endif
