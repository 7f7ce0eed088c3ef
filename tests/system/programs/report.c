/* What is executed in tests of wrapping: says on one line by which path, with which arguments and with what in its
 * environment. Static, so that nothing but the kernel and the caller decides. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define ARGUMENTS_SHOWN 4

extern char **environ;

static void show(const char *name) {
    const char *value = getenv(name);
    printf(" %s=%s", name, value == NULL ? "-" : value);
}

int main(int argc, char **argv) {
    size_t variables = 0, bytes = 0;
    while (environ[variables] != NULL)
        variables++;
    for (int i = 0; i < argc; i++)
        bytes += strlen(argv[i]);
    printf("%s argc=%d bytes=%zu", (const char *)getauxval(AT_EXECFN), argc, bytes);
    for (int i = 0; i < argc && i < ARGUMENTS_SHOWN; i++)
        printf(" <%s>", argv[i]);
    show("PATH");
    show("LD_PRELOAD");
    const char *told = getenv("SPAWN_WRAP_TOLD");
    long pid = told == NULL ? 0 : strtol(told, NULL, 10);
    printf(" told=%s%s variables=%zu\n",
           told == NULL             ? "-"
           : pid == (long)getpid()  ? "self"
           : pid == (long)getppid() ? "parent"
                                    : "stranger",
           told == NULL || strchr(told, ' ') == NULL ? "" : strchr(told, ' '), variables);
    return 7;
}
