/* See ids.h. fgetpwent() and fgetgrent() read the files as they are; the first entry of a name counts. */
#include "init/ids.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

/* musl's fgetpwent() and fgetgrent() take the last byte of a line for its end. Files that are made for an image often
 * have none behind the last line, which would lose a letter, or a colon and so itself: the copy has one. */
static FILE *complete(FILE *file, size_t length) {
    FILE *copy = fmemopen(NULL, length + sizeof "\n", "w+");
    rewind(file);
    for (int byte; copy && (byte = fgetc(file)) != EOF;)
        fputc(byte, copy);
    if (copy) {
        fputc('\n', copy);
        rewind(copy);
    }
    fclose(file);
    return copy;
}

FILE *ids_open(const char *path) {
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    if (fseek(file, -1, SEEK_END) == 0 && fgetc(file) != '\n')
        return complete(file, (size_t)ftell(file));
    rewind(file);
    return file;
}

bool ids_number(const char *text, uint32_t *ret) {
    if (text[strspn(text, "0123456789")] != '\0')
        return false;
    *ret = (uint32_t)strtoul(text, NULL, 10);
    return true;
}

const struct passwd *ids_user_entry(FILE *passwd, const char *name, uint32_t uid) {
    if (!passwd)
        return NULL;
    rewind(passwd);
    for (const struct passwd *entry; (entry = fgetpwent(passwd)) != NULL;)
        if (name ? strcmp(entry->pw_name, name) == 0 : entry->pw_uid == uid)
            return entry;
    return NULL;
}

bool ids_group(FILE *group, const char *text, uint32_t *ret) {
    if (ids_number(text, ret))
        return true;
    if (!group)
        return false;
    rewind(group);
    for (const struct group *entry; (entry = fgetgrent(group)) != NULL;) {
        if (strcmp(entry->gr_name, text) == 0) {
            *ret = entry->gr_gid;
            return true;
        }
    }
    return false;
}

int ids_find_user(const char *text, uid_t *ret) {
    if (ids_number(text, ret))
        return 0;
    FILE *file = ids_open("/etc/passwd");
    if (!file)
        return -errno;
    const struct passwd *entry = ids_user_entry(file, text, 0);
    fclose(file);
    if (!entry)
        return -ENOENT;
    *ret = entry->pw_uid;
    return 0;
}

int ids_find_group(const char *text, gid_t *ret) {
    if (ids_number(text, ret))
        return 0;
    FILE *file = ids_open("/etc/group");
    if (!file)
        return -errno;
    bool found = ids_group(file, text, ret);
    fclose(file);
    return found ? 0 : -ENOENT;
}
