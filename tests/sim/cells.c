/* Coverage of the worker's table: a pair that no seed reaches is either not tested or not possible, and both must be
 * said. The list of exceptions names state and input by the words of worker.h, and a reason. */
#include "tests/sim/cells.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/worker.h"

void cells_print(const uint64_t *cells) {
    for (uint32_t state = 0; state < WORKER_STATES; state++) {
        for (uint32_t input = 0; input < WORKER_INPUTS; input++) {
            enum worker_state next;
            uint64_t count = cells[state * WORKER_INPUTS + input];
            if (!worker_cell((enum worker_state)state, (enum worker_input)input, &next))
                continue;
            printf("%-10s %-18s -> %-10s %12llu\n", worker_state_name((enum worker_state)state),
                   worker_input_name((enum worker_input)input), worker_state_name(next), (unsigned long long)count);
        }
    }
}

/* Whether the file lists the pair: a line "STATE: INPUT ; REASON". */
static bool is_listed(FILE *file, const char *pair) {
    char line[300];
    size_t length = strlen(pair);
    rewind(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, pair, length) == 0 && strncmp(line + length, " ; ", 3) == 0 && line[length + 3] > ' ')
            return true;
    return false;
}

int cells_check(const uint64_t *cells, const char *path) {
    int faults = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    for (uint32_t state = 0; state < WORKER_STATES; state++) {
        for (uint32_t input = 0; input < WORKER_INPUTS; input++) {
            enum worker_state next;
            char pair[64];
            bool reached = cells[state * WORKER_INPUTS + input] > 0;
            if (!worker_cell((enum worker_state)state, (enum worker_input)input, &next))
                continue;
            snprintf(pair, sizeof(pair), "%s: %s", worker_state_name((enum worker_state)state),
                     worker_input_name((enum worker_input)input));
            bool listed = is_listed(file, pair);
            if (reached == listed) {
                printf("%s: %s %s\n", path, pair, reached ? "is listed, but was reached" : "was never reached");
                faults++;
            }
        }
    }
    fclose(file);
    return faults;
}
