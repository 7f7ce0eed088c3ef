/* wrap/strict.c, for real: mounts, links, overlayfs and shared mounts in a mount namespace of each story's own; as root
 * with and without CAP_SYS_ADMIN, and as another user. What happens after a crash is in test_strict_repair.c. */
#include "tests/unit/strict_helper.h"

#include <sys/prctl.h>

static char error[STRICT_ERROR_BYTES];
static char executed[PATH_MAX];

static struct strict *open_strict(void) {
    struct strict *strict = NULL;
    WORKS(strict_open(SHIMS, &strict, error, sizeof error));
    CHECK(exists(JOURNAL) && exists(RUN_JOURNAL));
    return strict;
}

static int keep(struct strict *strict, const char *path) {
    return WORKS(strict_keep(strict, 0, path, executed, sizeof executed, error, sizeof error));
}

static void replace(struct strict *strict) {
    WORKS(strict_replace(strict, 0, SHIM, error, sizeof error));
}

/* Both phases with what everybody sees in between and afterwards. */
static void run_through(int expected, const char *second_name) {
    ino_t original = inode(PROG);
    struct strict *strict = open_strict();
    CHECK(keep(strict, PROG) == expected);
    CHECK(strcmp(executed, second_name) == 0);
    CHECK(execute(PROG, NOBODY) == RAN_PROGRAM && execute(executed, NOBODY) == RAN_PROGRAM);
    replace(strict);
    CHECK(execute(PROG, NOBODY) == RAN_SHIM && execute(PROG, 0) == RAN_SHIM);
    CHECK(execute(executed, NOBODY) == RAN_PROGRAM && execute(executed, 0) == RAN_PROGRAM);
    WORKS(strict_close(strict, error, sizeof error));
    check_restored(original);
}

/* --- the two ways ------------------------------------------------------------------------------------------------- */

static void story_mount(void) {
    run_through(0, SHIMS "/real/0/prog");
    CHECK(count_entries(SHIMS) == 1 && count_entries("/run/brood") == 0);
}

static void story_link(void) {
    drop_admin();
    run_through(0, BACKUP "/prog");
    CHECK(count_entries(SHIMS) == 1 && count_entries("/run/brood") == 0);
}

static void story_read_only(void) {
    CHECK(mount(BIN, BIN, NULL, MS_BIND, NULL) == 0);
    CHECK(mount(NULL, BIN, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
    run_through(0, SHIMS "/real/0/prog");
}

/* docker run -v FILE:FILE: ours lies above and goes, the user's stays. */
static void story_mount_point(void) {
    copy_file("/bin/sh", "/srv/mine", 0755);
    CHECK(mount("/srv/mine", PROG, NULL, MS_BIND, NULL) == 0);
    run_through(0, SHIMS "/real/0/prog");
    CHECK(inode(PROG) == inode("/srv/mine"));
}

static void story_shared_program(void) {
    CHECK(mount(BIN, BIN, NULL, MS_BIND, NULL) == 0 && mount(NULL, BIN, NULL, MS_SHARED, NULL) == 0);
    run_through(0, BACKUP "/prog");
}

static void story_shared_directory(void) {
    CHECK(mount(SHIMS, SHIMS, NULL, MS_BIND, NULL) == 0 && mount(NULL, SHIMS, NULL, MS_SHARED, NULL) == 0);
    run_through(0, BACKUP "/prog");
}

/* A slave receives mounts and gives none away. */
static void story_slave(void) {
    CHECK(mount(NULL, "/srv", NULL, MS_SHARED, NULL) == 0 && mount(NULL, "/srv", NULL, MS_SLAVE, NULL) == 0);
    run_through(0, SHIMS "/real/0/prog");
}

static void story_setuid(void) {
    CHECK(chown(PROG, 1000, 1001) == 0 && chmod(PROG, 06750) == 0);
    drop_admin();
    struct stat status;
    struct strict *strict = open_strict();
    keep(strict, PROG);
    replace(strict);
    CHECK(stat(PROG, &status) == 0 && status.st_uid == 1000 && status.st_gid == 1001);
    CHECK((status.st_mode & 07777) == 0750);
    CHECK(stat(executed, &status) == 0 && (status.st_mode & 07777) == 06750);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(stat(PROG, &status) == 0 && (status.st_mode & 07777) == 06750);
}

static void story_other_user(void) {
    CHECK(chown(BIN, NOBODY, NOBODY) == 0 && chown(PROG, NOBODY, NOBODY) == 0 && chown(SHIMS, NOBODY, NOBODY) == 0);
    CHECK(chown(SHIM, NOBODY, NOBODY) == 0);
    become(NOBODY);
    ino_t original = inode(PROG);
    struct strict *strict = NULL;
    WORKS(strict_open(SHIMS, &strict, error, sizeof error));
    CHECK(!exists("/run/brood"));
    keep(strict, PROG);
    replace(strict);
    CHECK(strcmp(executed, BACKUP "/prog") == 0 && execute(executed, 0) == RAN_PROGRAM);
    CHECK(execute(PROG, 0) == RAN_SHIM);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(inode(PROG) == original && count_entries(BIN) == 1);
}

/* --sandbox without privilege: root of a user namespace, where the program belongs to nobody it knows. */
static void story_user_namespace(void) {
    CHECK(chown(SHIMS, NOBODY, NOBODY) == 0 && chown(SHIM, NOBODY, NOBODY) == 0);
    become(NOBODY);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* as after an exec: /proc/self belongs to this user */
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
        dprintf(STDERR_FILENO, "needs user namespaces: %s\n", strerror(errno));
        _exit(1);
    }
    write_file("/proc/self/uid_map", "65534 65534 1", 13);
    ino_t original = inode(PROG);
    struct strict *strict = NULL;
    WORKS(strict_open(SHIMS, &strict, error, sizeof error));
    keep(strict, PROG);
    replace(strict);
    CHECK(strcmp(executed, SHIMS "/real/0/prog") == 0 && execute(executed, 0) == RAN_PROGRAM);
    CHECK(execute(PROG, 0) == RAN_SHIM);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(inode(PROG) == original && execute(PROG, 0) == RAN_PROGRAM && count_entries(SHIMS) == 1);
}

static void make_overlay(void) {
    make_directory("/srv/upper");
    make_directory("/srv/work");
    make_directory("/srv/empty");
    CHECK(mount("overlay", BIN, "overlay", 0, "lowerdir=/srv/bin:/srv/empty,upperdir=/srv/upper,workdir=/srv/work") ==
          0);
}

static void story_overlay(void) {
    make_overlay();
    drop_admin();
    CHECK(!exists("/srv/upper/prog"));
    struct strict *strict = open_strict();
    CHECK(keep(strict, PROG) == STRICT_COPIED_UP && exists("/srv/upper/prog"));
    replace(strict);
    CHECK(execute(PROG, NOBODY) == RAN_SHIM && execute(executed, NOBODY) == RAN_PROGRAM);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(execute(PROG, NOBODY) == RAN_PROGRAM && count_entries(BIN) == 1 && !exists(JOURNAL));
}

static void story_overlay_mount(void) {
    make_overlay();
    run_through(0, SHIMS "/real/0/prog");
    CHECK(count_entries("/srv/upper") == 0);
}

/* Several programs in one directory share .brood-KEY; the last one takes it away. */
static void story_several(void) {
    drop_admin();
    copy_file("/bin/sh", BIN "/other", 0755);
    make_shim(SHIMS "/other", KEY, 0755);
    struct strict *strict = open_strict();
    keep(strict, PROG);
    WORKS(strict_keep(strict, 7, BIN "/other", executed, sizeof executed, error, sizeof error));
    WORKS(strict_replace(strict, 7, SHIMS "/other", error, sizeof error));
    replace(strict);
    CHECK(execute(PROG, NOBODY) == RAN_SHIM && execute(BIN "/other", NOBODY) == RAN_SHIM);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(execute(PROG, NOBODY) == RAN_PROGRAM && execute(BIN "/other", NOBODY) == RAN_PROGRAM);
    CHECK(count_entries(BIN) == 2);
}

/* A process that runs the kept file while everything is undone. */
static void end_while_it_runs(void) {
    ino_t original = inode(PROG);
    int to[2], from[2];
    char byte;
    CHECK(pipe(to) == 0 && pipe(from) == 0);
    struct strict *strict = open_strict();
    keep(strict, PROG);
    replace(strict);
    pid_t child = fork();
    if (child == 0) {
        close(to[1]);
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl(executed, "prog", "-c", "echo x; read line; exit 9", (char *)NULL);
        _exit(126);
    }
    CHECK(read(from[0], &byte, 1) == 1);
    WORKS(strict_close(strict, error, sizeof error));
    check_restored(original);
    CHECK(write(to[1], "\n", 1) == 1 && status_of(child) == 9);
}

static void story_running_link(void) {
    drop_admin();
    end_while_it_runs();
}

/* --- the name never goes missing ---------------------------------------------------------------------------------- */

#define LOOKS 50000 /* during at least CYCLES cycles; a gap of some microseconds must be met */
#define CYCLES 3000

/* Says when it has looked often enough, and goes on until the other side closes. */
static void watch_name(int end, int said) {
    char byte;
    for (int count = 0; read(end, &byte, 1) < 0; count++) { /* EAGAIN until then */
        int fd = open(PROG, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || pread(fd, &byte, 1, 0) != 1)
            _exit(2);
        close(fd);
        if (count == LOOKS)
            CHECK(write(said, "x", 1) == 1);
    }
    _exit(0);
}

static void cycle(void) {
    int ends[2], said[2];
    char byte;
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(said, O_CLOEXEC | O_NONBLOCK) == 0);
    pid_t watcher = fork();
    if (watcher == 0) {
        close(ends[1]);
        watch_name(ends[0], said[1]);
    }
    close(ends[0]);
    close(said[1]);
    int before = count_entries("/proc/self/fd");
    ino_t original = inode(PROG);
    for (int i = 0; i < CYCLES || (read(said[0], &byte, 1) < 0 && errno == EAGAIN); i++) {
        struct strict *strict = NULL;
        WORKS(strict_open(SHIMS, &strict, error, sizeof error));
        keep(strict, PROG);
        replace(strict);
        WORKS(strict_close(strict, error, sizeof error));
    }
    CHECK(count_entries("/proc/self/fd") == before);
    check_restored(original);
    close(ends[1]);
    CHECK(status_of(watcher) == 0);
}

static void story_cycle_link(void) {
    drop_admin();
    cycle();
}

/* --- what is refused, and with which words ------------------------------------------------------------------------ */

static void refuse(const char *path, int expected, const char *text) {
    struct strict *strict = NULL;
    WORKS(strict_open(SHIMS, &strict, error, sizeof error));
    snprintf(executed, sizeof executed, "untouched");
    int r = strict_keep(strict, 0, path, executed, sizeof executed, error, sizeof error);
    if (r != expected || strcmp(error, text) != 0)
        dprintf(STDERR_FILENO, "%d: %s\n", r, error);
    CHECK(r == expected && strcmp(error, text) == 0 && strcmp(executed, "untouched") == 0);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(!exists(JOURNAL) && !exists(SHIMS "/real") && !exists(BACKUP));
}

static void story_neither(void) {
    CHECK(mount(BIN, BIN, NULL, MS_BIND, NULL) == 0);
    CHECK(mount(NULL, BIN, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
    drop_admin();
    refuse(PROG, -EROFS,
           PROG ": can't be replaced by a mount: CAP_SYS_ADMIN is missing; nor by a rename: " BIN
                " is read-only; remove either obstacle, or use reach = preload");
}

static void story_neither_mount_point(void) {
    CHECK(mount("/bin/sh", PROG, NULL, MS_BIND, NULL) == 0);
    drop_admin();
    refuse(PROG, -EXDEV,
           PROG ": can't be replaced by a mount: CAP_SYS_ADMIN is missing; nor by a rename: it is a mount point of its "
                "own and can't be renamed; remove either obstacle, or use reach = preload");
}

static void story_neither_shared(void) {
    CHECK(mount(BIN, BIN, NULL, MS_BIND, NULL) == 0 && mount(NULL, BIN, NULL, MS_SHARED, NULL) == 0);
    CHECK(mount(NULL, BIN, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
    refuse(PROG, -EROFS,
           PROG ": can't be replaced by a mount: the mount that holds " PROG
                " is shared, perhaps with the host; nor by a rename: " BIN
                " is read-only; remove either obstacle, or use reach = preload");
}

static void become_owner_of_shims(void) {
    CHECK(chown(SHIMS, NOBODY, NOBODY) == 0 && chown(SHIM, NOBODY, NOBODY) == 0);
    become(NOBODY);
}

static void story_neither_user(void) {
    become_owner_of_shims();
    refuse(PROG, -EACCES,
           PROG ": can't be replaced by a mount: CAP_SYS_ADMIN is missing; nor by a rename: " BIN
                " can't be written by uid 65534; remove either obstacle, or use reach = preload");
}

static void story_neither_owner(void) {
    char value[4];
    read_file("/proc/sys/fs/protected_hardlinks", value, sizeof value);
    if (value[0] != '1') {
        dprintf(STDERR_FILENO, "needs fs.protected_hardlinks = 1\n");
        _exit(1);
    }
    CHECK(chown(BIN, NOBODY, NOBODY) == 0);
    become_owner_of_shims();
    refuse(PROG, -EPERM,
           PROG ": can't be replaced by a mount: CAP_SYS_ADMIN is missing; nor by a rename: it belongs to uid 0 and "
                "fs.protected_hardlinks forbids a link to it; remove either obstacle, or use reach = preload");
}

static void story_wrong_files(void) {
    CHECK(symlink("prog", BIN "/link") == 0 && symlink("bin", "/srv/way") == 0);
    make_shim(BIN "/shim", KEY, 0755);
    refuse(BIN "/link", -ELOOP, BIN "/link: can't be replaced: a symlink leads elsewhere");
    refuse("/srv/way/prog", -ELOOP, "/srv/way/prog: can't be replaced: a symlink leads elsewhere");
    refuse(BIN, -EINVAL, BIN ": can't be replaced: not a regular file");
    refuse(BIN "/none", -ENOENT, BIN "/none: can't be replaced: No such file or directory");
    refuse(BIN "/shim", -EEXIST, BIN "/shim: can't be replaced: it is a shim of this brood already");
    static const char *const PATHS[] = {"bin/prog", BIN "/../bin/prog", BIN "//prog", BIN "/a\nb", "/", ""};
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        refuse(PATHS[i], -EINVAL, "reach = strict: a program's path must be absolute and without control characters");
}

static void story_wrong_shims(void) {
    make_shim(SHIMS "/foreign", "Other1", 0755);
    struct strict *strict = open_strict();
    CHECK(strict_replace(strict, 0, SHIM, error, sizeof error) == -EINVAL);
    CHECK(strcmp(error, SHIM ": is the shim of no program that was kept") == 0);
    keep(strict, PROG);
    CHECK(strict_replace(strict, 0, SHIMS "/foreign", error, sizeof error) == -EINVAL);
    CHECK(strcmp(error, SHIMS "/foreign: can't replace " PROG ": it is no shim of this brood") == 0);
    CHECK(strict_replace(strict, 0, SHIMS "/none", error, sizeof error) == -ENOENT);
    CHECK(execute(PROG, NOBODY) == RAN_PROGRAM);
    WORKS(strict_close(strict, error, sizeof error));
}

/* dpkg between the phases. */
static void change_in_between(void) {
    struct strict *strict = open_strict();
    keep(strict, PROG);
    copy_file("/bin/true", BIN "/new", 0755);
    ino_t upgraded = inode(BIN "/new");
    CHECK(rename(BIN "/new", PROG) == 0);
    CHECK(strict_replace(strict, 0, SHIM, error, sizeof error) == -ESTALE);
    CHECK(strcmp(error,
                 PROG ": can't be replaced by its shim: it has changed since brood started; start brood again") == 0);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(inode(PROG) == upgraded && count_entries(BIN) == 1);
}

static void story_change_link(void) {
    drop_admin();
    change_in_between();
}

/* dpkg while the shim stands there: what it installed stays, the old original goes. */
static void story_upgrade(void) {
    drop_admin();
    struct strict *strict = open_strict();
    keep(strict, PROG);
    replace(strict);
    copy_file("/bin/true", BIN "/new", 0755);
    ino_t upgraded = inode(BIN "/new");
    CHECK(rename(BIN "/new", PROG) == 0);
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(inode(PROG) == upgraded && count_entries(BIN) == 1);
}

static void refuse_directory(const char *directory, int expected) {
    struct strict *strict = NULL;
    int r = strict_open(directory, &strict, error, sizeof error);
    CHECK(r == expected && strict == NULL && strstr(error, "the journal of reach = strict can't be written: ") != NULL);
    CHECK(!exists("/run/brood"));
}

static void story_wrong_directories(void) {
    make_directory("/srv/shims-Kz-1Qa");
    CHECK(symlink(SHIMS, "/srv/shims-Link01") == 0);
    refuse_directory("/srv/shims-Kz-1Qa", -EINVAL);
    refuse_directory("srv/" KEY, -EINVAL);
    refuse_directory("/x", -EINVAL);
    refuse_directory("/srv/none-" KEY, -ENOENT);
    refuse_directory("/srv/shims-Link01", -ENOTDIR);
    CHECK(chmod(SHIMS, 0777) == 0);
    refuse_directory(SHIMS, -EPERM);
    CHECK(chmod(SHIMS, 0755) == 0 && chown(SHIMS, NOBODY, NOBODY) == 0);
    refuse_directory(SHIMS, -EPERM);
    CHECK(mount("tmpfs", SHIMS, "tmpfs", MS_RDONLY, "mode=755") == 0);
    refuse_directory(SHIMS, -EROFS);
    CHECK(strcmp(error,
                 JOURNAL ": the journal of reach = strict can't be written: Read-only file system; set shim_root "
                         "to a directory that can") == 0);
}

/* --- strict_allowed ----------------------------------------------------------------------------------------------- */

static void story_not_pid_1(void) {
    CHECK(strict_allowed(error, sizeof error) == -EPERM);
    CHECK(strcmp(error, "reach = strict: brood isn't PID 1 of a container, and replaces no files of a system that it "
                        "shares with others; run it as the container's entrypoint or with --sandbox") == 0);
}

static void be_pid_1(void) {
    CHECK(getpid() == 1 && strict_allowed(error, sizeof error) == -EPERM);
    CHECK(strcmp(error, "reach = strict: /proc shows the processes of another PID namespace, so files are shared with "
                        "the host; give the container mounts of its own, or use --sandbox") == 0);
    CHECK(mount("tmpfs", "/proc", "tmpfs", 0, NULL) == 0 && strict_allowed(error, sizeof error) == -EPERM);
    CHECK(strcmp(error, "reach = strict: /proc/self: No such file or directory; a container's own /proc must be "
                        "mounted") == 0);
    CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
    snprintf(error, sizeof error, "untouched");
    CHECK(strict_allowed(error, sizeof error) == 0 && strcmp(error, "untouched") == 0);
}

static void story_pid_1(void) {
    CHECK(unshare(CLONE_NEWPID) == 0);
    pid_t child = fork();
    if (child == 0) {
        be_pid_1();
        _exit(0);
    }
    CHECK(status_of(child) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(story_mount),
        STORY(story_link),
        STORY(story_read_only),
        STORY(story_mount_point),
        STORY(story_shared_program),
        STORY(story_shared_directory),
        STORY(story_slave),
        STORY(story_setuid),
        STORY(story_other_user),
        STORY(story_user_namespace),
        STORY(story_overlay),
        STORY(story_overlay_mount),
        STORY(story_several),
        STORY(end_while_it_runs),
        STORY(story_running_link),
        STORY(cycle),
        STORY(story_cycle_link),
        STORY(story_neither),
        STORY(story_neither_mount_point),
        STORY(story_neither_shared),
        STORY(story_neither_user),
        STORY(story_neither_owner),
        STORY(story_wrong_files),
        STORY(story_wrong_shims),
        STORY(change_in_between),
        STORY(story_change_link),
        STORY(story_upgrade),
        STORY(story_wrong_directories),
        STORY(story_not_pid_1),
        STORY(story_pid_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
