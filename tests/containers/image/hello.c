/* Says what it was told in its environment. With an argument it first executes itself, by its path and without any
 * environment.
 *
 * It is linked with musl's shared library, and stands for all programs of Alpine that are. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc > 1)
        return execve("/app/hello", (char *[]){argv[0], NULL}, (char *[]){NULL}) != 0;
    const char *foo = getenv("FOO");
    return printf("FOO is %s\n", foo ? foo : "undefined") < 0;
}
