/* node_args_main() for the tests that compare it with node: reads words from standard input, each ended by a NUL; a
 * word that is a newline ends a command line. Prints the index for each line; with --table the tables. One process
 * answers for any number of lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/node_args.h"

static void show(const char *kind, const char *table) {
    for (const char *name = table; *name != '\0'; name += strlen(name) + 1)
        (void)printf("%s %s\n", kind, name);
}

int main(int argc, char **argv) {
    static char text[1 << 20];
    static char *words[1 << 16];
    if (argc == 2 && strcmp(argv[1], "--table") == 0) {
        show("value", node_args_values);
        show("stop", node_args_stops);
        return 0;
    }
    size_t length = fread(text, 1, sizeof(text) - 1, stdin);
    size_t count = 0;
    for (size_t at = 0; at < length; at += strlen(text + at) + 1) {
        if (strcmp(text + at, "\n") == 0) {
            (void)printf("%zu\n", node_args_main(words, count));
            count = 0;
        } else if (count < sizeof(words) / sizeof(words[0])) {
            words[count] = text + at;
            count++;
        }
    }
    return length == sizeof(text) - 1 ? 1 : 0;
}
