/* user, group and groups to numbers, by the container's own /etc/passwd and /etc/group (init/ids.h). The files are
 * handed in as streams, so that this can be tested without being root. Sources: initgroups(3), user_namespaces(7). */
#ifndef INIT_ACCOUNTS_H
#define INIT_ACCOUNTS_H

#include <stdio.h>

#include "supervisor/config.h"

struct accounts_files {
    FILE *passwd; /* NULL: there is none */
    FILE *group;
};

typedef void (*accounts_report)(void *context, uint32_t line, const char *text);

/* Fills identity.account of the primary and of every group, in memory of config's. Calls report for each name that
 * isn't in its file, with its line. Returns 0, or -ENOMEM. */
int accounts_resolve(struct config *config, const struct accounts_files *files, accounts_report report, void *context);

/* The same by /etc/passwd and /etc/group, and with a report for each `capabilities` that is no IAB text. */
int accounts_check(struct config *config, accounts_report report, void *context);

/* Reports what can't be in a user namespace of --sandbox, where uid and gid are the only ids. */
void accounts_check_mapped(const struct spec *spec, uint32_t uid, uint32_t gid, accounts_report report, void *context);

#endif
