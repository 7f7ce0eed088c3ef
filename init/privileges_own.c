/* What brood itself may do. It drops capabilities from its permitted and effective sets alone; its bounding,
 * ambient and inheritable sets are what its children had without brood. Dropping leaves a process dumpable, so that
 * /proc/1/fd/1 stays open to those who hold at least as much as brood does: the less it holds, the more of them.
 *
 * A child that is root gets its capabilities back from the bounding set at its exec, but for one that has no_new_privs:
 * the kernel then gives it no more than it had, so that brood has to keep everything permitted. */
#include "init/privileges.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "init/ids.h"
#include "init/log.h"

/* By itself: signals; directories and files of other users, for probes and working directories; /proc under hidepid;
 * sockets, which a reload may open. */
#define USED                                                                                                           \
    (PRIVILEGES_BIT(CAP_KILL) | PRIVILEGES_BIT(CAP_DAC_OVERRIDE) | PRIVILEGES_BIT(CAP_DAC_READ_SEARCH) |               \
     PRIVILEGES_BIT(CAP_SYS_PTRACE) | PRIVILEGES_BIT(CAP_CHOWN) | PRIVILEGES_BIT(CAP_FOWNER) |                         \
     PRIVILEGES_BIT(CAP_NET_BIND_SERVICE))
/* In a child, before its exec: user, group, groups; capabilities; limit_* and oom_score_adj; nice. */
#define APPLIED                                                                                                        \
    (PRIVILEGES_BIT(CAP_SETUID) | PRIVILEGES_BIT(CAP_SETGID) | PRIVILEGES_BIT(CAP_SETPCAP) |                           \
     PRIVILEGES_BIT(CAP_SYS_RESOURCE) | PRIVILEGES_BIT(CAP_SYS_NICE))
/* To undo reach = strict at the end: mounts, renames, files with capabilities or another owner. */
#define UNDONE (PRIVILEGES_BIT(CAP_SYS_ADMIN) | PRIVILEGES_BIT(CAP_FSETID) | PRIVILEGES_BIT(CAP_SETFCAP))

uint64_t privileges_kept(const struct spec *spec, uint64_t wanted, uint64_t permitted, bool everything) {
    uint64_t kept = USED | APPLIED | wanted | (spec_is_strict(spec) ? UNDONE : 0);
    return everything ? permitted : permitted & kept;
}

bool privileges_all_bound(const struct spec *spec) {
    bool primary = spec->primary.start.argc > 0 || spec->primary.stop.argc > 0;
    if (primary && !spec->primary.identity.no_new_privileges)
        return false;
    for (uint32_t i = 0; i < spec->groups_count; i++)
        if (!spec->groups[i].identity.no_new_privileges)
            return false;
    return true;
}

static bool is_root(const struct spec_identity *identity) {
    return identity->account.name ? identity->account.uid == 0 : geteuid() == 0;
}

/* Whether a process that stays root is to have no_new_privs. */
static bool bound_root(const struct spec *spec, bool all) {
    for (int32_t i = -1; i < (int32_t)spec->groups_count; i++) {
        const struct spec_identity *identity = spec_identity_of(spec, i);
        if (is_root(identity) && (all || identity->no_new_privileges))
            return true;
    }
    return false;
}

static uint64_t ambient_set(void) {
    uint64_t set = 0;
    for (int i = 0; i < cap_max_bits(); i++)
        if (cap_get_ambient(i) > 0)
            set |= PRIVILEGES_BIT(i);
    return set;
}

static int lower(uint64_t permitted, uint64_t effective) {
    int r = 0;
    cap_t state = cap_get_proc();
    if (!state)
        return -ENOMEM;
    for (int i = 0; r == 0 && i < cap_max_bits(); i++) {
        cap_value_t value = i;
        if ((!(permitted & PRIVILEGES_BIT(i)) && cap_set_flag(state, CAP_PERMITTED, 1, &value, CAP_CLEAR) < 0) ||
            (!(effective & PRIVILEGES_BIT(i)) && cap_set_flag(state, CAP_EFFECTIVE, 1, &value, CAP_CLEAR) < 0))
            r = -errno;
    }
    if (r == 0 && cap_set_proc(state) < 0)
        r = -errno;
    cap_free(state);
    return r;
}

int privileges_keep_lent(void) {
    cap_value_t admin = CAP_SYS_ADMIN;
    cap_t state = cap_get_proc();
    int r = 0;
    if (!state)
        return -ENOMEM;
    if (cap_set_flag(state, CAP_INHERITABLE, 1, &admin, CAP_CLEAR) < 0 || cap_set_proc(state) < 0)
        r = -errno; /* the ambient set follows the inheritable one */
    cap_free(state);
    return r;
}

/* --- what brood does without -------------------------------------------------------------------------------------- */

static bool has_flag(const char *path, unsigned long flag) {
    struct statvfs info;
    return statvfs(path, &info) == 0 && info.f_flag & flag;
}

static bool has_name(uint32_t uid) {
    FILE *file = ids_open("/etc/passwd");
    bool named = file && ids_user_entry(file, NULL, uid) != NULL;
    if (file)
        fclose(file);
    return named;
}

static void add(char *text, size_t size, const char *what) {
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%s", length ? ", " : "", what);
}

/* /proc has a record of its own, where descendants are looked for. */
static void say_without(const struct spec *spec, uint64_t permitted) {
    char text[256] = "", uid[64];
    if (permitted == 0)
        add(text, sizeof text, "capabilities");
    if (!has_name(geteuid())) {
        snprintf(uid, sizeof uid, "a name for uid %u", geteuid());
        add(text, sizeof text, uid);
    }
    if (has_flag("/", ST_RDONLY))
        add(text, sizeof text, "a root that can be written");
    if (access("/run", W_OK) < 0)
        add(text, sizeof text, "a /run that can be written");
    if (spec->wraps_count > 0 && has_flag("/dev/shm", ST_NOEXEC))
        add(text, sizeof text, "programs in /dev/shm");
    if (text[0])
        log_record(LOG_INFO, "container", NULL, "does without %s", text);
}

void privileges_give_up(const struct spec *spec, const struct privileges_plan *plan) {
    bool all = privileges_all_bound(spec), former = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0;
    uint64_t permitted = privileges_own_set(CAP_PERMITTED), wanted = privileges_wanted(plan) | ambient_set();
    uint64_t kept = privileges_kept(spec, wanted, permitted, bound_root(spec, all || former));
    uint64_t used = kept & (USED | ambient_set() | (spec_is_strict(spec) ? UNDONE : 0));
    if (!spec->command_only)
        say_without(spec, permitted);
    int r = all && !former && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : lower(kept, used);
    if (r < 0)
        log_record(LOG_WARNING, "container", NULL, "cannot give up privileges: %s", strerror(-r));
}
