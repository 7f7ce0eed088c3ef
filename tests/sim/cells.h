/* How often each (state, input) pair of the worker's table was reached. */
#ifndef TESTS_SIM_CELLS_H
#define TESTS_SIM_CELLS_H

#include <stdbool.h>
#include <stdint.h>

/* Prints the table, WORKER_STATES rows of WORKER_INPUTS counts. */
void cells_print(const uint64_t *cells);

/* Prints each pair that can happen, was not reached and is not listed in the file (lines of "state: input ; reason"),
 * and each that is listed without need. Returns how many there are, or -1 where the file can't be read. */
int cells_check(const uint64_t *cells, const char *path);

#endif
