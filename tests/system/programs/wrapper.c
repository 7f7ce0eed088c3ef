/* The wrapper in tests of wrapping: says so, and runs its program with what it was given. It adds nothing to the
 * environment, as a shell would. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static const char text[] = "wrapped\n";
    const char *next = getenv("SPAWN_WRAP_MAIN");
    if (argc < 1 || next == NULL || write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        return 98;
    execv(next, argv);
    perror(next);
    return 99;
}
