/* The identities of a config: worked out once, when brood starts. What a kernel, a seccomp filter or a user namespace
 * refuses can't be foretold, so a child tries each of them before anything is started; what is missing of brood's own
 * capabilities is looked up first, since its name is worth more than an errno. */
#include "init/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/log.h"
#include "init/subject.h"

struct privileges_plan {
    const struct spec *spec;
    uint32_t count; /* the primary, then the groups */
    struct privileges items[];
};

bool privileges_text_valid(const char *text, char *ret_item, size_t size) {
    cap_iab_t all = cap_iab_from_text(text);
    if (all) {
        cap_free(all);
        return true;
    }
    for (const char *item = text;; item++) {
        size_t length = strcspn(item, ",");
        snprintf(ret_item, size, "%.*s", (int)(length < 60 ? length : 60), item);
        cap_iab_t one = cap_iab_from_text(ret_item);
        if (!one || length == 0)
            return false; /* for this item */
        cap_free(one);
        item += length;
        if (*item == '\0')
            return false;
    }
}

static bool take_text(const char *text, struct privileges *ret) {
    cap_iab_t iab = cap_iab_from_text(text);
    if (!iab)
        return false;
    for (int i = 0; i < cap_max_bits(); i++) {
        if (cap_iab_get_vector(iab, CAP_IAB_INH, i) == CAP_SET)
            ret->inheritable |= PRIVILEGES_BIT(i);
        if (cap_iab_get_vector(iab, CAP_IAB_AMB, i) == CAP_SET)
            ret->ambient |= PRIVILEGES_BIT(i);
        if (cap_iab_get_vector(iab, CAP_IAB_BOUND, i) == CAP_SET)
            ret->dropped |= PRIVILEGES_BIT(i);
    }
    cap_free(iab);
    return true;
}

/* In a user namespace made without privilege nobody may set groups. */
static bool groups_denied(void) {
    char text[8] = "";
    CLEANUP_FD int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strncmp(text, "deny", 4) == 0;
}

/* A user that brood is already keeps its groups where they can't be set: there is nothing to change. */
static bool sets_groups(const struct spec_identity *identity) {
    const struct spec_account *account = &identity->account;
    bool own = account->uid == geteuid() && (account->gid == ID_OWN || account->gid == getegid());
    if (account->groups_count == 0 && !account->name)
        return false;
    return !own || identity->groups_line != 0 ||
           (privileges_own_set(CAP_PERMITTED) & PRIVILEGES_BIT(CAP_SETGID) && !groups_denied());
}

static bool changes(const struct privileges *privileges) {
    const struct spec_identity *identity = privileges->identity;
    return privileges->capabilities || privileges->groups || identity->account.gid != ID_OWN ||
           identity->limits_count > 0 || identity->has_nice || identity->has_oom_score_adj || identity->umask >= 0 ||
           identity->no_new_privileges;
}

static int take_identity(const struct spec_identity *identity, struct privileges *ret) {
    struct privileges privileges = {.identity = identity};
    if (identity->capabilities && !take_text(identity->capabilities, &privileges))
        return -EINVAL;
    privileges.capabilities = identity->capabilities || identity->account.name;
    privileges.groups = sets_groups(identity);
    if (!changes(&privileges))
        privileges.identity = NULL;
    *ret = privileges;
    return 0;
}

struct trial {
    int error;
    int capability;
    char text[64];
};

static _Noreturn void try_in_child(const struct privileges *privileges, int fd) {
    struct privileges_failure failure = {.text = "", .capability = -1};
    struct trial trial = {.error = -privileges_apply(privileges, &failure)};
    trial.capability = failure.capability;
    snprintf(trial.text, sizeof trial.text, "%s", failure.text);
    _exit(write(fd, &trial, sizeof trial) == (ssize_t)sizeof trial ? 0 : 1);
}

/* Returns 0 also where nothing was learnt: a spawn will tell. */
static int try_identity(const struct privileges *privileges, struct trial *ret) {
    CLEANUP_FD int hear = -1;
    CLEANUP_FD int tell = -1;
    struct trial trial = {.error = 0};
    if (fd_pipe(&hear, &tell) < 0)
        return 0;
    pid_t pid = fork();
    if (pid == 0)
        try_in_child(privileges, tell);
    fd_close(&tell);
    if (pid < 0)
        return 0;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (read(hear, &trial, sizeof trial) != (ssize_t)sizeof trial || trial.error == 0)
        return 0;
    *ret = trial;
    return -trial.error;
}

/* What `capabilities` gives has to be brood's; and brood has to be able to stop the worker. */
static int lacks(const struct privileges *privileges, uint64_t permitted, const char **ret_key) {
    uint64_t missing = (privileges->ambient | privileges->inheritable) & ~permitted;
    const struct spec_account *account = &privileges->identity->account;
    *ret_key = "capabilities";
    for (int i = 0; i < cap_max_bits(); i++)
        if (missing & PRIVILEGES_BIT(i))
            return i;
    if (account->uid == ID_OWN || account->uid == geteuid() || account->uid == getuid())
        return -1;
    *ret_key = "user";
    if (!(permitted & PRIVILEGES_BIT(CAP_SETUID)))
        return CAP_SETUID;
    *ret_key = "user: nobody could stop such a process";
    return permitted & PRIVILEGES_BIT(CAP_KILL) ? -1 : CAP_KILL;
}

static int refuse(const char *section, const char *what, int capability, int error, char *text, size_t size) {
    char *name = capability < 0 ? NULL : cap_to_name(capability);
    if (name)
        snprintf(text, size, "[%s] %s: brood does not hold %s", section, what, name);
    else if (error == EINVAL && strncmp(what, "capabilities", 12) != 0)
        snprintf(text, size, "[%s] %s: %s; brood's user namespace may not map it", section, what, strerror(error));
    else
        snprintf(text, size, "[%s] %s: %s", section, what, strerror(error));
    if (name)
        cap_free(name);
    return -error;
}

static int check_item(const struct privileges_plan *plan, int32_t group, char *error, size_t size) {
    const struct privileges *privileges = privileges_of(plan, group);
    uint64_t permitted = privileges_own_set(CAP_PERMITTED);
    struct subject section;
    const char *key;
    struct trial trial;
    if (!privileges->identity)
        return 0;
    subject_section(plan->spec, group, &section);
    int capability = lacks(privileges, permitted, &key);
    if (capability >= 0)
        return refuse(section.text, key, capability, EPERM, error, size);
    if (try_identity(privileges, &trial) == 0)
        return 0;
    bool denied = trial.error == EPERM || trial.error == EACCES; /* else no capability would help: a read-only /proc */
    bool lacked = denied && trial.capability >= 0 && !(permitted & PRIVILEGES_BIT(trial.capability));
    return refuse(section.text, trial.text, lacked ? trial.capability : -1, trial.error, error, size);
}

int privileges_open(const struct spec *spec, struct privileges_plan **ret, char *error, size_t size) {
    uint32_t count = spec->groups_count + 1;
    struct privileges_plan *plan = calloc(1, sizeof *plan + count * sizeof plan->items[0]);
    int r = plan ? 0 : -ENOMEM;
    bool scores = false;
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        const struct spec_identity *identity = spec_identity_of(spec, (int32_t)i - 1);
        plan->spec = spec;
        plan->count = count;
        r = take_identity(identity, &plan->items[i]);
        scores = scores || identity->has_oom_score_adj;
    }
    if (r < 0)
        snprintf(error, size, "cannot work out the workers' identities: %s", strerror(-r));
    for (uint32_t i = 0; r == 0 && !spec->command_only && i < count; i++)
        r = check_item(plan, (int32_t)i - 1, error, size);
    if (r < 0) {
        free(plan);
        return r;
    }
    if (scores && access(PRIVILEGES_OOM_FILE, F_OK) < 0)
        log_record(LOG_WARNING, "container", NULL, "oom_score_adj has no effect: there is no " PRIVILEGES_OOM_FILE);
    *ret = plan;
    return 0;
}

void privileges_close(struct privileges_plan *plan) {
    free(plan);
}

const struct privileges *privileges_of(const struct privileges_plan *plan, int32_t group) {
    return &plan->items[group + 1];
}

uint64_t privileges_wanted(const struct privileges_plan *plan) {
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < plan->count; i++)
        wanted |= plan->items[i].inheritable | plan->items[i].ambient;
    return wanted;
}
