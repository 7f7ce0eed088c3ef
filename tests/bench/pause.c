/* The smallest worker: says with one byte on standard output that it runs, then waits to be ended. No C library, so
 * that a thousand of them cost little but what their start costs. */
#include "wrap/start.h"
#include "wrap/syscalls.h"

#define STANDARD_OUTPUT 1

_Noreturn void start(char **stack) {
    (void)stack;
    raw_write(STANDARD_OUTPUT, "+", 1);
    for (;;)
        raw_call(__NR_ppoll, 0, 0, 0, 0, 0);
}
