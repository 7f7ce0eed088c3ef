/* Wrapping, as init/ sees it: from the sections of a config to a directory with shims, and what each process needs in
 * its environment to find them.
 *
 * Everything comes as plain data and is only looked at during the call. See brood-wrap(7) for what users see, context.h
 * for what shims carry. */
#ifndef WRAP_WRAP_H
#define WRAP_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wrap/context.h"
#include "wrap/redirect.h"

#define WRAP_SECTIONS_MAX CONTEXT_LAYERS_MAX /* all of them may name one program */

/* A [wrap:NAME]. */
struct wrap_section {
    const char *name;
    char *const *programs; /* names or absolute paths */
    uint32_t programs_count;
    const char *wrapper; /* an absolute path */
    const char *data;    /* JSON; NULL: {} */
    bool same_process;
    bool by_file; /* reach = preload or strict */
    bool strict;
    const uint16_t *groups; /* whose processes see it */
    uint32_t groups_count;  /* 0: every process */
};

struct wrap_input {
    const struct wrap_section *sections; /* the outermost first */
    uint32_t sections_count;             /* at most WRAP_SECTIONS_MAX */
    uint32_t groups_count;
    const bool *shares_ports;     /* of each group: its processes may bind one port together; NULL: none */
    const char *search;           /* PATH of what is started; NULL: the usual one */
    const char *shim_root;        /* as configured; NULL: not at all */
    const char *environment_root; /* $SPAWN_WRAP_SHIM_ROOT; NULL: not set */
    bool keep;                    /* SPAWN_WRAP_DEBUG=1: the directory stays */
    void (*say)(bool warning, const char *text);
};

struct wrap;

/* Makes the shim directory, or finds the one that --write-shims made, and with reach = strict changes the programs.
 * First cleans up after broods that died. Returns 0 with *ret owned by the caller, or -errno with one line in error. */
int wrap_open(const struct wrap_input *input, struct wrap **ret, char *error, size_t size);

/* For a brood that wraps nothing itself: puts back what reach = strict of a dead one has left replaced, as far as
 * /run/brood tells. */
void wrap_repair(void (*record)(bool warning, const char *text));

/* Undoes everything; says what it can't undo. Takes NULL. */
void wrap_close(struct wrap *wrap);

/* --write-shims: writes the shims into `directory`, for broods whose shim_root it will be. */
int wrap_write(const struct wrap_input *input, const char *directory, char *error, size_t size);

/* What processes of a group (the primary: groups_count) get: the first entry of PATH, and the last of LD_PRELOAD, each
 * or NULL. False: this group isn't wrapped, and shares no ports. Both live as long as wrap. */
bool wrap_environment(const struct wrap *wrap, uint32_t group, const char **ret_names, const char **ret_library);

/* What brood itself must execute where a process of this group is to execute something: for redirect_exec(). NULL: this
 * group isn't wrapped. */
const struct context *wrap_context(const struct wrap *wrap, uint32_t group);

/* What of a config can't be on this machine: calls fault for each, with the section's number and a text that begins
 * with the key. Returns 0, or -ENOMEM. Nothing is made. */
int wrap_check(const struct wrap_input *input, void (*fault)(void *context, uint32_t section, const char *text),
               void *context);

/* Whether a wrapper is a module, by its name. */
bool wrap_is_module(const char *wrapper);

#endif
