/* The smallest program that the kernel can execute: no C library, one segment. What it costs to execute is the least
 * that any program costs, and a chain of them the least that a wrapped one can cost.
 *
 * Argument 1 "@PATH": executes PATH with the arguments from there on, so that a chain is one list of words. Else it
 * ends, and its status says how many arguments it got: so the measuring program knows what lay on the way.
 * As the wrapper (-DWRAPPER) it executes $SPAWN_WRAP_MAIN without its argv[0]. */
#include "wrap/call.h"
#include "wrap/start.h"
#include "wrap/syscalls.h"
#include "wrap/text.h"

#define STATUS_CANNOT_EXECUTE 126

#ifdef WRAPPER
static const char *next_path(char *const *argv, char *const *envp) {
    (void)argv;
    for (; *envp != NULL; envp++) {
        const char *value = text_value(*envp, "SPAWN_WRAP_MAIN");
        if (value != NULL)
            return value;
    }
    raw_exit(STATUS_CANNOT_EXECUTE);
}
#else
static const char *next_path(char *const *argv, char *const *envp) {
    int count = 0;
    (void)envp;
    if (argv[0] != NULL && argv[1] != NULL && argv[1][0] == '@')
        return argv[1] + 1;
    while (argv[count] != NULL)
        count++;
    raw_exit(count - 1);
}
#endif

_Noreturn void start(char **stack) {
    char **argv = stack + 1, **envp = argv;
    while (*envp != NULL)
        envp++;
    envp++;
    raw_execve(next_path(argv, envp), argv + 1, envp);
    raw_exit(STATUS_CANNOT_EXECUTE);
}
