/* --sandbox: local container testing. The command of the outer brood is a brood that is PID 1 of namespaces of its own.
 *
 * The outer process never changes itself: it clones its child straight into new PID, mount and UTS namespaces (and a
 * user namespace where it does not hold CAP_SYS_ADMIN), and the child arranges the mounts before it executes brood
 * again.
 * Sources: clone(2), namespaces(7), user_namespaces(7), mount(2). */
#ifndef INIT_SANDBOX_H
#define INIT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sandbox {
    bool user_namespace;
    bool private_tmp; /* unless the config, the working directory, a command or a directory of PATH lies in /tmp */
    /* In a user namespace the inner brood's exec would take every capability. It keeps CAP_SYS_ADMIN by its ambient
     * set, which it then empties, so that nobody below it has it: reach = strict mounts, since files are also those
     * of processes outside. */
    bool lends_admin;
    bool command; /* the inner brood has a COMMAND, and with it the terminal */
    /* A pipe by which it tells that its command has stopped, by the signal's number; both ends 0: none. */
    int hear_stopped; /* nonblocking */
    int tell_stopped; /* passed on to it */
};

/* Decides how, from brood's capabilities and the paths that must stay visible (absolute or relative; NULL ends the
 * list; the current directory is always one). */
void sandbox_plan(struct sandbox *ret, char *const *visible_paths);

/* After it: the same for the directories of a PATH; NULL: it isn't set. */
void sandbox_plan_search(struct sandbox *sandbox, const char *path);

/* Tries the whole thing in a child that does nothing else. Returns 0, or -errno with one line in error that names
 * the cause and the remedy (seccomp, apparmor_restrict_unprivileged_userns, max_user_namespaces, masked /proc). */
int sandbox_probe(const struct sandbox *sandbox, char *error, size_t size);

/* As fork(), into the new namespaces. Returns 0 in the child, its pid in the parent, or -errno. */
pid_t sandbox_fork(const struct sandbox *sandbox);

/* Where the inner brood finds the number of tell_stopped. It is told here and not by an option: both are brood's own
 * business, and inherited_take() hides it from everything below. */
#define SANDBOX_STOPPED_TO "BROOD_STOPPED_TO"

/* In the child, before exec: dies with its parent, maps its ids, makes the mounts. Async-signal-safe calls only.
 * Returns 0, or -errno with the name of the step that failed in *ret_step (a constant). */
int sandbox_enter(const struct sandbox *sandbox, const char **ret_step);

#endif
