/* Names of users and groups to ids, and back: by /etc/passwd and /etc/group alone, since a static program has no NSS,
 * and what a network directory says of users must not decide whether PID 1 starts. A number needs no entry. Where
 * several names are looked up, or by a test, the files are handed in as streams. Sources: passwd(5), group(5). */
#ifndef INIT_IDS_H
#define INIT_IDS_H

#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* /etc/passwd or /etc/group, to be handed in below, the caller's to fclose(); NULL with errno. */
FILE *ids_open(const char *path);

/* The number that text is, as the config has checked it: at most 2^32 - 2. False where it is a name. */
bool ids_number(const char *text, uint32_t *ret);

/* The first entry of name, or, where name is NULL, of uid: libc's, until the next call. NULL: none, also for a file
 * that is NULL. */
const struct passwd *ids_user_entry(FILE *passwd, const char *name, uint32_t uid);

/* The id of a group by name or number. False where there is no such name, or file is NULL. */
bool ids_group(FILE *group, const char *text, uint32_t *ret);

/* The same for one user or group, by the files themselves. Return 0, -ENOENT where there is no such name, or the
 * -errno with which the file can't be read. */
int ids_find_user(const char *text, uid_t *ret);
int ids_find_group(const char *text, gid_t *ret);

#endif
