/* The order is the kernel's. Limits, nice and oom_score_adj need capabilities that a change of user takes away, and so
 * does the bounding set; groups come before the user for the same reason. PR_SET_KEEPCAPS keeps the permitted set over
 * setresuid(), from which the ambient one is filled. libcap's cap_iab_set_proc() isn't used: it wants CAP_SETPCAP also
 * where only ambient capabilities are raised, which anybody may who holds them. */
#include "init/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/fd.h"

uint64_t privileges_own_set(int flag) {
    uint64_t set = 0;
    cap_t state = cap_get_proc();
    for (int i = 0; state && i < cap_max_bits(); i++) {
        cap_flag_value_t value = CAP_CLEAR;
        if (cap_get_flag(state, i, (cap_flag_t)flag, &value) == 0 && value == CAP_SET)
            set |= PRIVILEGES_BIT(i);
    }
    if (state)
        cap_free(state);
    return set;
}

/* --- in the child ------------------------------------------------------------------------------------------------- */

/* What a child does: each with its key and call, and the capability without which it is refused. */
enum step { OWN, OOM, LIMIT, NICE, BOUNDING, GROUPS, GROUP, USER, KEEP, INHERITABLE, AMBIENT, REST, BOUND };

static const struct privileges_failure failures[] = {
    [OWN] = {"capabilities (capset)", -1},
    [OOM] = {"oom_score_adj (" PRIVILEGES_OOM_FILE ")", CAP_SYS_RESOURCE},
    [LIMIT] = {"limit_", CAP_SYS_RESOURCE}, /* which one is put behind it */
    [NICE] = {"nice (setpriority)", CAP_SYS_NICE},
    [BOUNDING] = {"capabilities (PR_CAPBSET_DROP)", CAP_SETPCAP},
    [GROUPS] = {"groups (setgroups)", CAP_SETGID},
    [GROUP] = {"group (setresgid)", CAP_SETGID},
    [USER] = {"user (setresuid)", CAP_SETUID},
    [KEEP] = {"capabilities (PR_SET_KEEPCAPS)", -1},
    [INHERITABLE] = {"capabilities (capset)", -1},
    [AMBIENT] = {"capabilities (PR_CAP_AMBIENT)", -1},
    [REST] = {"capabilities (capset)", -1},
    [BOUND] = {"no_new_privileges (PR_SET_NO_NEW_PRIVS)", -1},
};

static int set_flags(uint64_t permitted, uint64_t effective, uint64_t inheritable) {
    int r = 0;
    cap_t state = cap_init();
    if (!state)
        return -ENOMEM;
    for (int i = 0; r == 0 && i < cap_max_bits(); i++) {
        cap_value_t value = i;
        if ((permitted & PRIVILEGES_BIT(i) && cap_set_flag(state, CAP_PERMITTED, 1, &value, CAP_SET) < 0) ||
            (effective & PRIVILEGES_BIT(i) && cap_set_flag(state, CAP_EFFECTIVE, 1, &value, CAP_SET) < 0) ||
            (inheritable & PRIVILEGES_BIT(i) && cap_set_flag(state, CAP_INHERITABLE, 1, &value, CAP_SET) < 0))
            r = -errno;
    }
    if (r == 0 && cap_set_proc(state) < 0)
        r = -errno;
    cap_free(state);
    return r;
}

/* brood keeps permitted what it doesn't use by itself; a child does, to become what it is to be. One that is to be as
 * brood was started needs nothing of it: no exec looks at the effective set. */
static int take_own(void) {
    uint64_t permitted = privileges_own_set(CAP_PERMITTED);
    if (permitted == privileges_own_set(CAP_EFFECTIVE))
        return 0;
    return set_flags(permitted, permitted, privileges_own_set(CAP_INHERITABLE));
}

/* Before the user: /proc/self is root's from then on. No /proc: brood has said so. */
static int set_oom_score(int score) {
    char text[16];
    CLEANUP_FD int fd = open(PRIVILEGES_OOM_FILE, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int length = snprintf(text, sizeof text, "%d", score);
    return write(fd, text, (size_t)length) < 0 ? -errno : 0;
}

static int resource_of(const char *name) {
    static const struct {
        const char *name;
        int resource;
    } resources[] = {
        {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},     {"cpu", RLIMIT_CPU},
        {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},   {"locks", RLIMIT_LOCKS},
        {"memlock", RLIMIT_MEMLOCK}, {"nice", RLIMIT_NICE},     {"msgqueue", RLIMIT_MSGQUEUE},
        {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},   {"rss", RLIMIT_RSS},
        {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME}, {"sigpending", RLIMIT_SIGPENDING},
        {"stack", RLIMIT_STACK},
    };
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++)
        if (strcmp(resources[i].name, name) == 0)
            return resources[i].resource;
    return -1;
}

static int set_limits(const struct spec_identity *identity, const char **ret_refused) {
    for (uint32_t i = 0; i < identity->limits_count; i++) {
        const struct spec_limit *limit = &identity->limits[i];
        struct rlimit wanted = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        if (setrlimit((unsigned)resource_of(limit->name), &wanted) < 0) {
            *ret_refused = limit->name;
            return -errno;
        }
    }
    return 0;
}

/* What is out of the bounding set can't be made inheritable any more, but stays it: "!^cap_kill", as libcap has it. */
static int drop_bounding(uint64_t dropped, uint64_t inheritable) {
    int r = 0;
    if (dropped & inheritable)
        r = set_flags(privileges_own_set(CAP_PERMITTED), privileges_own_set(CAP_EFFECTIVE),
                      privileges_own_set(CAP_INHERITABLE) | inheritable);
    if (r < 0)
        return r;
    for (int i = 0; i < cap_max_bits(); i++)
        if (dropped & PRIVILEGES_BIT(i) && cap_get_bound(i) > 0 && cap_drop_bound(i) < 0)
            return -errno;
    return 0;
}

/* Those of account; without a user they come on top of what brood has. */
static int set_groups(const struct spec_account *account) {
    static gid_t groups[NGROUPS_MAX]; /* not on the stack: limit_stack holds already */
    int count = account->name ? 0 : getgroups(NGROUPS_MAX, groups);
    if (count < 0)
        return -errno;
    if (account->groups_count > NGROUPS_MAX - (uint32_t)count)
        return -EINVAL;
    for (uint32_t i = 0; i < account->groups_count; i++)
        groups[count++] = account->groups[i];
    return setgroups((size_t)count, groups) < 0 ? -errno : 0;
}

static int set_ambient(uint64_t ambient) {
    if (cap_reset_ambient() < 0)
        return ambient == 0 && errno == EINVAL ? 0 : -errno;
    for (int i = 0; i < cap_max_bits(); i++)
        if (ambient & PRIVILEGES_BIT(i) && cap_set_ambient(i, CAP_SET) < 0)
            return -errno;
    return 0;
}

/* Limits first, since RLIMIT_NICE can allow what comes next. */
static int apply_outer(const struct privileges *privileges, enum step *step, const char **ret_refused) {
    const struct spec_identity *identity = privileges->identity;
    int r = 0;
    if (identity->umask >= 0)
        umask((mode_t)identity->umask);
    *step = OOM;
    if (identity->has_oom_score_adj)
        r = set_oom_score(identity->oom_score_adj);
    if (r == 0) {
        *step = LIMIT;
        r = set_limits(identity, ret_refused);
    }
    if (r == 0 && identity->has_nice) {
        *step = NICE;
        r = setpriority(PRIO_PROCESS, 0, identity->nice) < 0 ? -errno : 0;
    }
    if (r == 0) {
        *step = BOUNDING;
        r = drop_bounding(privileges->dropped, privileges->inheritable);
    }
    return r;
}

static int apply_ids(const struct privileges *privileges, enum step *step) {
    const struct spec_account *account = &privileges->identity->account;
    *step = KEEP;
    if (privileges->capabilities && account->uid != ID_OWN && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -errno;
    *step = GROUPS;
    int r = privileges->groups ? set_groups(account) : 0;
    if (r < 0)
        return r;
    *step = GROUP;
    if (account->gid != ID_OWN && setresgid(account->gid, account->gid, account->gid) < 0)
        return -errno;
    *step = USER;
    return account->uid != ID_OWN && setresuid(account->uid, account->uid, account->uid) < 0 ? -errno : 0;
}

/* A user other than root has no more than its ambient set from here on, so that working directory and program are
 * looked for with the rights they are used with. Root gets all of its bounding set at its exec, whatever it has. */
static int apply_capabilities(const struct privileges *privileges, enum step *step) {
    uint64_t ambient = privileges->ambient, permitted = privileges_own_set(CAP_PERMITTED);
    uint64_t inheritable = privileges->inheritable;
    bool root = geteuid() == 0;
    *step = INHERITABLE;
    int r = set_flags(permitted, privileges_own_set(CAP_EFFECTIVE), inheritable);
    if (r < 0)
        return r;
    *step = AMBIENT;
    r = set_ambient(ambient);
    if (r < 0 || root)
        return r;
    *step = REST;
    return set_flags(ambient, ambient, inheritable);
}

int privileges_apply(const struct privileges *privileges, struct privileges_failure *ret_failure) {
    enum step step = OWN;
    const char *limit = NULL;
    if (!privileges->identity)
        return 0;
    int r = take_own();
    if (r == 0)
        r = apply_outer(privileges, &step, &limit);
    if (r == 0)
        r = apply_ids(privileges, &step);
    if (r == 0 && privileges->capabilities)
        r = apply_capabilities(privileges, &step);
    if (r == 0 && privileges->identity->no_new_privileges) {
        step = BOUND;
        r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
    }
    if (r < 0)
        *ret_failure = failures[step];
    if (r < 0 && limit)
        snprintf(ret_failure->text, sizeof ret_failure->text, "limit_%s (setrlimit)", limit);
    return r;
}
