/* Who owns a file, by name or number: from /etc/passwd and /etc/group alone, since a static program has no NSS. */
#ifndef INIT_OWNERS_H
#define INIT_OWNERS_H

#include <sys/types.h>

/* The id of a user or group that a config has checked the form of: a number needs no entry. Return 0, -ENOENT where
 * there is no such name, or the -errno with which the file can't be read. */
int owners_user(const char *text, uid_t *ret);
int owners_group(const char *text, gid_t *ret);

#endif
