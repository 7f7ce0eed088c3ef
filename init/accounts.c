/* As login has it, but for two things. A number needs no entry: the uids that OpenShift gives out are in no file, and
 * such a user has no other group than the one given and lives in /, as Docker has it. And `groups` come on top of
 * those that /etc/group gives a user, as systemd's SupplementaryGroups= do. */
#include "init/accounts.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "init/ids.h"
#include "init/privileges.h"
#include "init/subject.h"

struct resolving {
    struct config *config;
    const struct accounts_files *files;
    accounts_report report;
    void *context;
    struct subject section;
    bool failed; /* no memory */
};

static void unknown(struct resolving *resolving, uint32_t line, const char *key, const char *name, FILE *file) {
    const char *path = strcmp(key, "user") == 0 ? "/etc/passwd" : "/etc/group";
    char text[512];
    snprintf(text, sizeof text, "[%s] %s: \"%.100s\" is not in %s%s; write another name or a number",
             resolving->section.text, key, name, path, file ? "" : ", which can't be read");
    resolving->report(resolving->context, line, text);
}

static char *keep(struct resolving *resolving, const char *text, const char *otherwise) {
    const char *from = text && text[0] ? text : otherwise;
    char *copy = config_keep(resolving->config, strlen(from) + 1);
    if (copy)
        memcpy(copy, from, strlen(from) + 1);
    else
        resolving->failed = true;
    return copy;
}

static bool is_member(const struct group *entry, const char *name) {
    for (char **member = entry->gr_mem; *member; member++)
        if (strcmp(*member, name) == 0)
            return true;
    return false;
}

/* --- one identity ------------------------------------------------------------------------------------------------- */

static void add_group(struct spec_account *account, uint32_t *room, uint32_t gid) {
    for (uint32_t i = 0; i < account->groups_count; i++)
        if (room[i] == gid)
            return;
    room[account->groups_count++] = gid;
}

/* Those that initgroups() would give, to room: as many as there are, where room is NULL. */
static uint32_t member_groups(struct resolving *resolving, struct spec_account *account, uint32_t *room) {
    FILE *file = resolving->files->group;
    uint32_t count = 0;
    if (!file)
        return 0;
    rewind(file);
    for (const struct group *entry; (entry = fgetgrent(file)) != NULL;) {
        if (!is_member(entry, account->name))
            continue;
        count++;
        if (room)
            add_group(account, room, entry->gr_gid);
    }
    return count;
}

static void take_user(struct resolving *resolving, const struct spec_identity *identity, struct spec_account *account) {
    bool number = ids_number(identity->user, &account->uid);
    const struct passwd *entry =
        ids_user_entry(resolving->files->passwd, number ? NULL : identity->user, number ? account->uid : 0);
    if (!entry && !number) {
        unknown(resolving, identity->user_line, "user", identity->user, resolving->files->passwd);
        return;
    }
    if (entry) {
        account->uid = entry->pw_uid;
        account->gid = entry->pw_gid;
    }
    account->name = keep(resolving, entry ? entry->pw_name : identity->user, "");
    account->home = keep(resolving, entry ? entry->pw_dir : NULL, "/");
    account->shell = keep(resolving, entry ? entry->pw_shell : NULL, "/bin/sh");
}

static void take_groups(struct resolving *resolving, const struct spec_identity *identity,
                        struct spec_account *account) {
    bool named = account->name != NULL;
    uint32_t most = 1 + identity->groups.count + (named ? member_groups(resolving, account, NULL) : 0), gid;
    uint32_t *room = config_keep(resolving->config, most * sizeof *room);
    if (!room) {
        resolving->failed = true;
        return;
    }
    if (named && account->gid != ID_OWN)
        add_group(account, room, account->gid); /* as initgroups() is called */
    if (named)
        member_groups(resolving, account, room);
    for (uint32_t i = 0; i < identity->groups.count; i++) {
        if (ids_group(resolving->files->group, identity->groups.items[i], &gid))
            add_group(account, room, gid);
        else
            unknown(resolving, identity->groups_line, "groups", identity->groups.items[i], resolving->files->group);
    }
    account->groups = room;
}

static void resolve(struct resolving *resolving, int32_t group) {
    struct spec *spec = &resolving->config->spec;
    struct spec_identity *identity = group < 0 ? &spec->primary.identity : &spec->groups[group].identity;
    struct spec_account account = {.uid = ID_OWN, .gid = ID_OWN};
    subject_section(spec, group, &resolving->section);
    if (identity->user)
        take_user(resolving, identity, &account);
    if (identity->group && !ids_group(resolving->files->group, identity->group, &account.gid))
        unknown(resolving, identity->group_line, "group", identity->group, resolving->files->group);
    if (!resolving->failed && (account.name || identity->groups.count > 0))
        take_groups(resolving, identity, &account);
    identity->account = account;
}

int accounts_resolve(struct config *config, const struct accounts_files *files, accounts_report report, void *context) {
    struct resolving resolving = {.config = config, .files = files, .report = report, .context = context};
    for (int32_t i = -1; i < (int32_t)config->spec.groups_count && !resolving.failed; i++)
        resolve(&resolving, i);
    return resolving.failed ? -ENOMEM : 0;
}

/* --- checks ------------------------------------------------------------------------------------------------------- */

int accounts_check(struct config *config, accounts_report report, void *context) {
    struct accounts_files files = {.passwd = ids_open("/etc/passwd"), .group = ids_open("/etc/group")};
    int r = accounts_resolve(config, &files, report, context);
    if (files.passwd)
        fclose(files.passwd);
    if (files.group)
        fclose(files.group);
    for (int32_t i = -1; r == 0 && i < (int32_t)config->spec.groups_count; i++) {
        struct subject section;
        char item[64], text[256];
        const struct spec_identity *identity = spec_identity_of(&config->spec, i);
        if (!identity->capabilities || privileges_text_valid(identity->capabilities, item, sizeof item))
            continue;
        snprintf(
            text, sizeof text,
            "[%s] capabilities: \"%s\" is no capability; write names such as ^cap_net_bind_service, with !, %% and "
            "^ before them, separated by commas",
            subject_section(&config->spec, i, &section), item);
        report(context, identity->capabilities_line, text);
    }
    return r;
}

void accounts_check_mapped(const struct spec *spec, uint32_t uid, uint32_t gid, accounts_report report, void *context) {
    for (int32_t i = -1; i < (int32_t)spec->groups_count; i++) {
        struct subject section;
        char text[256];
        const struct spec_identity *identity = spec_identity_of(spec, i);
        const struct spec_account *account = &identity->account;
        bool user = account->uid != ID_OWN && account->uid != uid,
             group = account->gid != ID_OWN && account->gid != gid;
        if (!user && !group && identity->groups_line == 0)
            continue;
        bool by_user = user || (group && identity->group_line == 0); /* whose group it is */
        const char *key = by_user ? "user" : group ? "group" : "groups";
        snprintf(text, sizeof text,
                 "[%s] %s: can't be had under --sandbox without CAP_SYS_ADMIN, where uid %u and gid %u alone are "
                 "mapped; run as root, or remove the line",
                 subject_section(spec, i, &section), key, uid, gid);
        report(context, by_user ? identity->user_line : group ? identity->group_line : identity->groups_line, text);
    }
}
