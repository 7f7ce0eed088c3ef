/* See owners.h. fgetpwent() and fgetgrent() read the files as they are; the first entry of a name counts. */
#include "init/owners.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The config knows numbers up to 2^32 - 2 only. */
static bool is_number(const char *text) {
    return text[strspn(text, "0123456789")] == '\0';
}

int owners_user(const char *text, uid_t *ret) {
    int r = -ENOENT;
    if (is_number(text)) {
        *ret = (uid_t)strtoul(text, NULL, 10);
        return 0;
    }
    FILE *file = fopen("/etc/passwd", "re");
    if (!file)
        return -errno;
    for (const struct passwd *entry; r < 0 && (entry = fgetpwent(file));)
        if (strcmp(entry->pw_name, text) == 0) {
            *ret = entry->pw_uid;
            r = 0;
        }
    fclose(file);
    return r;
}

int owners_group(const char *text, gid_t *ret) {
    int r = -ENOENT;
    if (is_number(text)) {
        *ret = (gid_t)strtoul(text, NULL, 10);
        return 0;
    }
    FILE *file = fopen("/etc/group", "re");
    if (!file)
        return -errno;
    for (const struct group *entry; r < 0 && (entry = fgetgrent(file));)
        if (strcmp(entry->gr_name, text) == 0) {
            *ret = entry->gr_gid;
            r = 0;
        }
    fclose(file);
    return r;
}
