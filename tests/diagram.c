/* Prints docs/worker-states.md: the worker table as a diagram for eyes and as a table for looking things up.
 *
 * It asks worker_cell() for every pair, the same table that decides in brood, so the page can't be wrong for long:
 * tests/tidy.sh compares it with the file in docs/, `make diagram` writes that anew. */
#include <stdbool.h>
#include <stdio.h>

#include "supervisor/worker.h"

static const char introduction[] =
    "# The states of a worker\n"
    "\n"
    "Printed by `make diagram` from the table in supervisor/worker_table.c; edit that, not this page. What the states\n"
    "and inputs mean stands in supervisor/worker.h, what a user sees of them in brood(1).\n"
    "\n";

/* A state's name as Mermaid wants it for an arrow: in one word. */
static void print_id(enum worker_state state) {
    for (const char *name = worker_state_name(state); *name; name++)
        putchar(*name == ' ' ? '_' : *name);
}

/* Every input that leads from one state to another stands on the one arrow between them. */
static void print_arrow(enum worker_state from, enum worker_state to) {
    bool drawn = false;
    for (unsigned input = 0; input < WORKER_INPUTS; input++) {
        enum worker_state next;
        if (!worker_cell(from, (enum worker_input)input, &next) || next != to)
            continue;
        if (!drawn) {
            printf("    ");
            print_id(from);
            printf(" --> ");
            print_id(to);
        }
        printf("%s %s", drawn ? " /" : ":", worker_input_name((enum worker_input)input));
        drawn = true;
    }
    if (drawn)
        putchar('\n');
}

static void print_diagram(void) {
    puts("```mermaid\nstateDiagram-v2");
    for (unsigned state = 0; state < WORKER_STATES; state++) {
        printf("    state \"%s\" as ", worker_state_name((enum worker_state)state));
        print_id((enum worker_state)state);
        putchar('\n');
    }
    puts("    [*] --> waiting");
    for (unsigned from = 0; from < WORKER_STATES; from++)
        for (unsigned to = 0; to < WORKER_STATES; to++)
            if (from != to)
                print_arrow((enum worker_state)from, (enum worker_state)to);
    puts("```");
}

static void print_table(void) {
    puts("\nThe same as a table: the next state for each input (row) in each state (column). `=` means that the state\n"
         "stays, an empty cell that the pair can't happen; brood ends with a message if it does.\n");
    printf("| |");
    for (unsigned state = 0; state < WORKER_STATES; state++)
        printf(" %s |", worker_state_name((enum worker_state)state));
    printf("\n| --- |");
    for (unsigned state = 0; state < WORKER_STATES; state++)
        printf(" --- |");
    for (unsigned input = 0; input < WORKER_INPUTS; input++) {
        printf("\n| %s |", worker_input_name((enum worker_input)input));
        for (unsigned state = 0; state < WORKER_STATES; state++) {
            enum worker_state next = WORKER_STATES;
            bool happens = worker_cell((enum worker_state)state, (enum worker_input)input, &next);
            if (!happens)
                printf(" |");
            else
                printf(" %s |", next == (enum worker_state)state ? "=" : worker_state_name(next));
        }
    }
    putchar('\n');
}

int main(void) {
    fputs(introduction, stdout);
    print_diagram();
    print_table();
    return fflush(stdout) == 0 ? 0 : 1;
}
