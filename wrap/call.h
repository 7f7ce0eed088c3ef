/* The arguments and the environment of a shim, edited in place for the exec.
 *
 * The kernel puts both on the stack of a new program: argc, argv[], NULL, envp[], NULL. The shim never returns, so it
 * may move them: _start leaves a gap of CALL_GAP words below, into which argv grows when words are put in front of it
 * or in its midst, and some room between argv and envp, into which envp grows. So an argument list of any length costs
 * neither memory nor a copy. Source: the System V ABI's process initialisation; execve(2). */
#ifndef WRAP_CALL_H
#define WRAP_CALL_H

#include <stdbool.h>
#include <stddef.h>

#define CALL_VARIABLES_ADDED 12 /* room for variables that were not there */
#define CALL_GAP 128            /* words below argc that nothing else uses; one more than can be needed */

struct call {
    char **argv; /* ends with NULL */
    size_t argc;
    char **envp; /* ends with NULL */
    size_t words_room;
    size_t variables_room;
};

/* stack: where the kernel put argc, with CALL_GAP free words below. */
void call_open(struct call *ret, char **stack);

/* Puts words before argv[index]; index <= argc. False: no room, nothing changed. */
bool call_insert(struct call *call, size_t index, const char *const *words, size_t count);
/* Puts words in the place of argv[0]. As call_insert(). */
bool call_replace_first(struct call *call, const char *const *words, size_t count);

/* The first variable's value, NULL: it isn't there. */
const char *call_get(const struct call *call, const char *name);
/* All of that name go. */
void call_unset(struct call *call, const char *name);
/* variable is "NAME=VALUE", name its name; it is kept as a pointer. False: no room. */
bool call_set(struct call *call, const char *name, const char *variable);

#endif
