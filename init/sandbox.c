/* --sandbox: see sandbox.h. The child is cloned straight into its namespaces, by the raw system call: unshare() would
 * change brood itself, and the PID namespace would begin one fork later. It has a copy of brood's memory, as after
 * fork(), so that what it can't ask any more (its ids read 65534 until they are mapped, its parent's pid reads 0) was
 * written down before.
 *
 * In a user namespace ids stay what they are: files look as they do outside, and what brood starts has no more rights
 * than its user has. Sources: clone(2), namespaces(7), user_namespaces(7), mount_namespaces(7), mount(2), prctl(2). */
#include "init/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTNAME "brood-sandbox"
#define STAT_BYTES 2048
#define RESOLV "/etc/resolv.conf"

/* What the child needs to know of the process that cloned it. */
static struct {
    long pid; /* as the /proc that is mounted there numbers it; 0: one can't tell */
    char uid_map[32];
    char gid_map[32];
} outer;

/* --- what is wanted ----------------------------------------------------------------------------------------------- */

static bool holds_admin(void) {
    cap_flag_value_t value = CAP_CLEAR;
    cap_t capabilities = cap_get_proc();
    if (capabilities == NULL)
        return false;
    if (cap_get_flag(capabilities, CAP_SYS_ADMIN, CAP_EFFECTIVE, &value) < 0)
        value = CAP_CLEAR;
    cap_free(capabilities);
    return value == CAP_SET;
}

static bool lies_in(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* By its name as well as by what it leads to: a symlink in /tmp would be hidden too. */
static bool lies_in_tmp(const char *path) {
    char tmp[PATH_MAX], real[PATH_MAX];
    if (lies_in(path, "/tmp"))
        return true;
    return realpath(path, real) != NULL && realpath("/tmp", tmp) != NULL && lies_in(real, tmp);
}

void sandbox_plan(struct sandbox *ret, char *const *visible_paths) {
    char directory[PATH_MAX];
    *ret = (struct sandbox){.user_namespace = !holds_admin(), .private_tmp = true};
    if (getcwd(directory, sizeof directory) != NULL && lies_in_tmp(directory))
        ret->private_tmp = false;
    for (char *const *path = visible_paths; path != NULL && *path != NULL; path++) {
        if (lies_in_tmp(*path))
            ret->private_tmp = false;
    }
}

void sandbox_plan_search(struct sandbox *sandbox, const char *path) {
    char directory[PATH_MAX];
    while (path != NULL) {
        size_t length = strcspn(path, ":");
        if (length < sizeof directory) {
            memcpy(directory, path, length);
            directory[length] = '\0';
            if (lies_in_tmp(directory))
                sandbox->private_tmp = false;
        }
        path = path[length] == ':' ? path + length + 1 : NULL;
    }
}

/* --- the child: async-signal-safe calls only ---------------------------------------------------------------------- */

/* Reads a small file into text, with a NUL. Returns 0 or -errno. */
static int read_text(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t length = read(fd, text, size - 1);
    int error = errno;
    close(fd);
    if (length < 0)
        return -error;
    text[length] = '\0';
    return 0;
}

static int write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return r;
}

/* The number that text begins with, blanks before it allowed. */
static long leading_number(const char *text) {
    long number = 0;
    while (*text == ' ')
        text++;
    for (; *text >= '0' && *text <= '9'; text++)
        number = 10 * number + (*text - '0');
    return number;
}

/* This process's pid, or its parent's, as the mounted /proc has it; 0 where there is none. */
static long ask_proc(bool parent) {
    char text[STAT_BYTES];
    if (read_text("/proc/self/stat", text, sizeof text) < 0)
        return 0;
    if (!parent)
        return leading_number(text);
    const char *end = strrchr(text, ')'); /* ") S 12": comm may hold anything */
    return end != NULL && strlen(end) > 4 ? leading_number(end + 3) : 0;
}

/* SIGKILL from the kernel when brood is gone. It may be gone already, and getppid() is 0 in a PID namespace of one's
 * own either way; the /proc that is still the outer one knows. */
static int die_with_parent(const struct sandbox *sandbox) {
    (void)sandbox;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    return outer.pid != 0 && ask_proc(true) != outer.pid ? -ESRCH : 0;
}

/* One id of each kind is all that one may map without privilege; the kernel wants setgroups refused before. */
static int map_ids(const struct sandbox *sandbox) {
    if (!sandbox->user_namespace)
        return 0;
    int r = write_text("/proc/self/setgroups", "deny");
    if (r == 0)
        r = write_text("/proc/self/uid_map", outer.uid_map);
    if (r == 0)
        r = write_text("/proc/self/gid_map", outer.gid_map);
    return r;
}

static int make_private(const struct sandbox *sandbox) {
    (void)sandbox;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

static int mount_proc(const struct sandbox *sandbox) {
    (void)sandbox;
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}

/* Without noexec: shims and programs may lie there, as in a container. A directory that isn't there needs none. */
static int mount_tmpfs(const char *path, const char *options) {
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        return errno == ENOENT ? 0 : -errno;
    return 0;
}

/* "/proc/self/fd/N" */
static void name_fd(int fd, char *path) {
    char digits[12];
    size_t count = 0, length = strlen("/proc/self/fd/");
    memcpy(path, "/proc/self/fd/", length);
    do
        digits[count++] = (char)('0' + fd % 10);
    while ((fd /= 10) > 0);
    while (count > 0)
        path[length++] = digits[--count];
    path[length] = '\0';
}

/* The same path in the new /run, and the open file mounted on it: what was there before can't be named any more. */
static int put_back(char *path, const char *file) {
    for (char *slash = strchr(path + strlen("/run/"), '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
        *slash = '/';
        if (r < 0)
            return r;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    close(fd);
    return mount(file, path, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static int mount_run(const struct sandbox *sandbox) {
    (void)sandbox;
    char file[32], path[PATH_MAX];
    ssize_t length = -1;
    int fd = open(RESOLV, O_PATH | O_CLOEXEC);
    if (fd >= 0) {
        name_fd(fd, file);
        length = readlink(file, path, sizeof path - 1);
    }
    int r = mount_tmpfs("/run", "mode=755");
    if (r == 0 && length > 0) {
        path[length] = '\0';
        if (strncmp(path, "/run/", strlen("/run/")) == 0)
            r = put_back(path, file);
    }
    if (fd >= 0)
        close(fd);
    return r;
}

static int mount_tmp(const struct sandbox *sandbox) {
    return sandbox->private_tmp ? mount_tmpfs("/tmp", "mode=1777") : 0;
}

static int set_hostname(const struct sandbox *sandbox) {
    (void)sandbox;
    return sethostname(HOSTNAME, strlen(HOSTNAME)) < 0 ? -errno : 0;
}

/* Not for root, which the exec gives everything. */
static int lend_admin(const struct sandbox *sandbox) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (!sandbox->lends_admin)
        return 0;
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    data[CAP_TO_INDEX(CAP_SYS_ADMIN)].inheritable |= CAP_TO_MASK(CAP_SYS_ADMIN);
    if (syscall(SYS_capset, &header, data) < 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) < 0)
        return -errno;
    return 0;
}

static const char STEP_CLONE[] = "clone"; /* the parent's */
static const char STEP_IDS[] = "mapping its user and group id";
static const char STEP_PROC[] = "mounting /proc";

static const struct {
    const char *name;
    int (*run)(const struct sandbox *sandbox);
} STEPS[] = {
    {"following its parent", die_with_parent},
    {STEP_IDS, map_ids},
    {"making mounts private", make_private},
    {STEP_PROC, mount_proc},
    {"mounting /run", mount_run},
    {"mounting /tmp", mount_tmp},
    {"setting the hostname", set_hostname},
    {"keeping CAP_SYS_ADMIN for reach = strict", lend_admin},
};

/* A working directory in /proc or /run is the covered one until it is looked up again. One that the new mount doesn't
 * have stays what it is: out of sight, but a directory. */
static void look_up_again(const char *directory) {
    if (chdir(directory) < 0)
        return;
}

int sandbox_enter(const struct sandbox *sandbox, const char **ret_step) {
    char directory[PATH_MAX];
    long length = syscall(SYS_getcwd, directory, sizeof directory); /* glibc's may allocate */
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        int r = STEPS[i].run(sandbox);
        if (r < 0) {
            *ret_step = STEPS[i].name;
            return r;
        }
    }
    if (length > 0 && directory[0] == '/') /* "(unreachable)/…" isn't a path */
        look_up_again(directory);
    return 0;
}

/* --- the parent --------------------------------------------------------------------------------------------------- */

pid_t sandbox_fork(const struct sandbox *sandbox) {
    outer.pid = ask_proc(false);
    snprintf(outer.uid_map, sizeof outer.uid_map, "%u %u 1", geteuid(), geteuid());
    snprintf(outer.gid_map, sizeof outer.gid_map, "%u %u 1", getegid(), getegid());
    unsigned long flags = SIGCHLD | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS;
    if (sandbox->user_namespace)
        flags |= CLONE_NEWUSER;
    /* No stack: a copy of this one, as fork() has it. The order of the last two differs between x86-64 and arm64. */
    long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
    return pid < 0 ? -errno : (pid_t)pid;
}

static long read_number(const char *path) {
    char text[32];
    return read_text(path, text, sizeof text) < 0 || text[0] == '\0' ? -1 : leading_number(text);
}

/* The namespace limit that is 0, NULL where none is. */
static const char *find_limit(const struct sandbox *sandbox) {
    if (sandbox->user_namespace && read_number("/proc/sys/user/max_user_namespaces") == 0)
        return "user.max_user_namespaces";
    if (read_number("/proc/sys/user/max_pid_namespaces") == 0)
        return "user.max_pid_namespaces";
    if (read_number("/proc/sys/user/max_mnt_namespaces") == 0)
        return "user.max_mnt_namespaces";
    if (read_number("/proc/sys/user/max_uts_namespaces") == 0)
        return "user.max_uts_namespaces";
    return NULL;
}

/* The cause of EPERM, EACCES or a death by SIGSYS, and what helps. */
static const char *explain_refusal(const struct sandbox *sandbox, const char *step, int error) {
    if (sandbox->user_namespace && read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "apparmor_restrict_unprivileged_userns is 1; set sysctl kernel.apparmor_restrict_unprivileged_userns=0, "
               "run as root";
    if (sandbox->user_namespace && read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return "unprivileged_userns_clone is 0; set sysctl kernel.unprivileged_userns_clone=1, run as root";
    if (step == STEP_CLONE && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0)
        return "a seccomp filter refuses new namespaces, as Docker's does by default; add --security-opt "
               "seccomp=unconfined to docker run";
    if (step == STEP_PROC && error == EPERM)
        return "parts of /proc are masked here, as Docker does it; add --security-opt systempaths=unconfined to docker "
               "run";
    if (step != STEP_CLONE && step != STEP_IDS)
        return "a security module refuses it, as Docker's AppArmor profile does; add --security-opt "
               "apparmor=unconfined to docker run";
    return "the system refuses new namespaces here (a chroot, a security module); run as root";
}

static void explain(const struct sandbox *sandbox, const char *step, int error, char *ret, size_t size) {
    const char *limit = find_limit(sandbox);
    const char *cause;
    if (step == STEP_CLONE && limit != NULL) {
        snprintf(ret, size, "--sandbox: %s: %s: %s is 0; set it with sysctl, or use --subreaper instead", step,
                 strerror(error), limit);
        return;
    }
    if (error == ENOSPC && step == STEP_CLONE)
        cause = "a limit of namespaces is reached; raise max_user_namespaces and its like in /proc/sys/user";
    else if (error == EPERM || error == EACCES)
        cause = explain_refusal(sandbox, step, error);
    else if (error == EINVAL && step == STEP_CLONE)
        cause = "the kernel was built without these namespaces";
    else
        cause = "run elsewhere";
    snprintf(ret, size, "--sandbox: %s: %s: %s, or use --subreaper instead", step, strerror(error), cause);
}

/* What the probe's child says: both were one program until the clone, so that a constant's address is the same. */
struct verdict {
    const char *step;
    int error;
};

static void probe_in_child(const struct sandbox *sandbox, int fd) {
    struct verdict verdict = {.step = NULL, .error = 0};
    verdict.error = -sandbox_enter(sandbox, &verdict.step);
    _exit(write(fd, &verdict, sizeof verdict) == sizeof verdict ? 0 : 1);
}

/* The child's verdict. Where it had none to give a seccomp filter killed it, or someone else did. */
static struct verdict hear_child(pid_t pid, int fd) {
    struct verdict verdict;
    ssize_t length;
    int status = 0;
    do
        length = read(fd, &verdict, sizeof verdict);
    while (length < 0 && errno == EINTR);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (length == sizeof verdict)
        return verdict;
    bool filtered = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    return (struct verdict){.step = STEP_CLONE, .error = filtered ? EPERM : ECHILD};
}

int sandbox_probe(const struct sandbox *sandbox, char *error, size_t size) {
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0) {
        int saved = errno;
        snprintf(error, size, "--sandbox: pipe: %s", strerror(saved));
        return -saved;
    }
    struct verdict verdict = {.step = STEP_CLONE, .error = 0};
    pid_t pid = sandbox_fork(sandbox);
    if (pid == 0)
        probe_in_child(sandbox, pipe[1]);
    close(pipe[1]);
    if (pid < 0)
        verdict.error = -pid;
    else
        verdict = hear_child(pid, pipe[0]);
    close(pipe[0]);
    if (verdict.error == 0)
        return 0;
    explain(sandbox, verdict.step, verdict.error, error, size);
    return -verdict.error;
}
