/* wrap/shimdir.c, for real: roots of all kinds, directories of live, dead and half-dead broods, and what others may
 * have put in the way. Each story has a mount namespace of its own, and a umask of 077. */
#include "tests/unit/strict_helper.h"

#include <sys/file.h>
#include <sys/resource.h>

#include "wrap/shimdir.h"

#define ROOT "/srv/root"

static char error[1024];
static int undone; /* calls of undo() */
static bool undo_works = true;

static bool undo(void *context, const char *path) {
    CHECK(context == &undone && path[0] == '/');
    undone++;
    return undo_works;
}

static void sweep(void) {
    shimdir_sweep(ROOT, undo, &undone);
}

static void make_root(void) {
    make_directory(ROOT);
}

static mode_t mode_of(const char *path) {
    struct stat status;
    CHECK(lstat(path, &status) == 0);
    return status.st_mode & 07777;
}

/* A path below a directory; valid until the next but one call. */
static const char *in(const char *directory, const char *name) {
    static char paths[2][2 * PATH_MAX];
    static int next;
    next = !next;
    snprintf(paths[next], sizeof paths[next], "%s/%s", directory, name);
    return paths[next];
}

static int open_fds(void) {
    return count_entries("/proc/self/fd");
}

static struct shimdir made(void) {
    struct shimdir directory;
    WORKS(shimdir_make(ROOT, &directory, error, sizeof error));
    return directory;
}

/* --- roots -------------------------------------------------------------------------------------------------------- */

static void expect_refused(const char *root, unsigned flags, int expected, const char *why) {
    char text[1024];
    int fds = open_fds();
    CHECK(shimdir_check_root(root, flags, error, sizeof error) == expected);
    snprintf(text, sizeof text, "%s: %s", root, why);
    if (strcmp(text, error) != 0)
        dprintf(STDERR_FILENO, "got %s\nwanted %s\n", error, text);
    CHECK(strcmp(text, error) == 0 && open_fds() == fds);
}

static void expect_good(const char *root, unsigned flags) {
    WORKS(shimdir_check_root(root, flags, error, sizeof error));
    CHECK(shimdir_check_root(root, flags, error, sizeof error) == 0);
}

static void story_names(void) {
    char longest[SHIMDIR_ROOT_BYTES + 2] = "/srv/";
    const char *colon = "has a colon, which ends it in PATH; choose another directory";
    const char *blank = "has a blank, which ends it in LD_PRELOAD; choose another directory";
    make_directory("/srv/a b");
    make_directory("/srv/a\tb");
    make_directory("/srv/a:b");
    expect_refused("srv", SHIMDIR_MAKE, -EINVAL, "not an absolute path");
    expect_refused("", SHIMDIR_MAKE, -EINVAL, "not an absolute path");
    expect_refused("/srv/a:b", SHIMDIR_BLANKS, -EINVAL, colon);
    expect_refused("/srv/a b", 0, -EINVAL, blank);
    expect_refused("/srv/a\tb", SHIMDIR_BLANKS, -EINVAL, blank);
    expect_good("/srv/a b", SHIMDIR_BLANKS);
    memset(longest + 5, 'x', sizeof longest - 6);
    expect_refused(longest, SHIMDIR_MAKE, -ENAMETOOLONG, "longer than 200 bytes; choose another directory");
    longest[SHIMDIR_ROOT_BYTES] = '\0';
    expect_good(longest, SHIMDIR_MAKE);
}

static void story_made_root(void) {
    expect_refused(ROOT, 0, -ENOENT, "No such file or directory");
    expect_good(ROOT, SHIMDIR_MAKE);
    CHECK(mode_of(ROOT) == 0755);
    CHECK(chmod(ROOT, 0700) == 0);
    expect_good(ROOT, SHIMDIR_MAKE);
    CHECK(mode_of(ROOT) == 0700); /* what was there stays as it is */
    expect_refused("/srv/no/root", SHIMDIR_MAKE, -ENOENT, "No such file or directory");
}

static void story_no_directory(void) {
    write_file("/srv/file", "", 0);
    expect_refused("/srv/file", SHIMDIR_MAKE, -ENOTDIR, "not a directory");
    expect_refused("/srv/file/root", SHIMDIR_MAKE, -ENOTDIR, "Not a directory");
}

static void story_mounts(void) {
    make_root();
    CHECK(mount("tmpfs", ROOT, "tmpfs", MS_NOEXEC, "mode=755") == 0);
    expect_refused(ROOT, SHIMDIR_MAKE, -EACCES, "mounted noexec, shims can't be executed from there");
    CHECK(umount(ROOT) == 0 && mount("tmpfs", ROOT, "tmpfs", MS_RDONLY, "mode=755") == 0);
    expect_refused(ROOT, SHIMDIR_MAKE, -EROFS, "Read-only file system");
    expect_refused(ROOT "/new", SHIMDIR_MAKE, -EROFS, "Read-only file system");
}

static void story_symlinks(void) {
    make_root();
    CHECK(symlink("root", "/srv/mine") == 0 && symlink("root", "/srv/his") == 0);
    CHECK(symlink("nowhere", "/srv/dangling") == 0 && symlink("nowhere", "/srv/trap") == 0);
    CHECK(lchown("/srv/his", NOBODY, NOBODY) == 0 && lchown("/srv/trap", NOBODY, NOBODY) == 0);
    const char *his = "a symlink that belongs to somebody else; choose another directory";
    expect_good("/srv/mine", SHIMDIR_MAKE);
    expect_refused("/srv/his", SHIMDIR_MAKE, -ELOOP, his);
    expect_refused("/srv/trap", SHIMDIR_MAKE, -ELOOP, his);
    expect_refused("/srv/dangling", SHIMDIR_MAKE, -ENOENT, "No such file or directory");
    CHECK(!exists("/srv/nowhere"));
    CHECK(chown(ROOT, NOBODY, NOBODY) == 0);
    become(NOBODY); /* root's are followed */
    expect_good("/srv/mine", 0);
    expect_good("/srv/his", 0);
}

static void story_modes(void) {
    const char *others = "others can write to it and it has no sticky bit: they could put shims of their own there";
    make_root();
    static const mode_t bad[] = {0777, 0775, 0757}, good[] = {01777, 01775, 0755, 0700};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(chmod(ROOT, bad[i]) == 0);
        expect_refused(ROOT, SHIMDIR_MAKE, 1, others);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CHECK(chmod(ROOT, good[i]) == 0);
        expect_good(ROOT, SHIMDIR_MAKE);
    }
    CHECK(chown(ROOT, 1000, 0) == 0 && chmod(ROOT, 01777) == 0); /* its owner may remove what he likes */
    expect_refused(ROOT, SHIMDIR_MAKE, 1, "belongs to another user, who could put shims of his own there");
    CHECK(chown(ROOT, 0, 0) == 0 && chmod(ROOT, 0755) == 0);
    become(NOBODY);
    expect_refused(ROOT, SHIMDIR_MAKE, -EACCES, "Permission denied");
}

/* --- making ------------------------------------------------------------------------------------------------------- */

static void story_make(void) {
    make_root();
    struct shimdir directory = made();
    CHECK(strncmp(directory.path, ROOT "/brood-", strlen(ROOT "/brood-")) == 0);
    CHECK(strlen(directory.key) == CONTEXT_KEY_BYTES &&
          strcmp(directory.path + strlen(ROOT "/brood-"), directory.key) == 0);
    CHECK(mode_of(directory.path) == 0700 && mode_of(in(directory.path, "lock")) == 0600);
    CHECK(count_entries(directory.path) == 1);
    CHECK((fcntl(directory.fd, F_GETFD) & FD_CLOEXEC) && (fcntl(directory.lock, F_GETFD) & FD_CLOEXEC));
    CHECK(shimdir_publish(&directory) == 0 && mode_of(directory.path) == 0755);
    char path[PATH_MAX];
    memcpy(path, directory.path, sizeof path);
    shimdir_close(&directory, true);
    CHECK(directory.fd == -1 && directory.lock == -1 && exists(path));
    shimdir_close(&directory, false); /* a closed one is nothing */
    CHECK(exists(path));
}

static void story_write(void) {
    char text[16];
    make_root();
    struct shimdir directory = made();
    CHECK(shimdir_write(&directory, "0/main/1/prog", "12345", 5, true) == 0);
    CHECK(shimdir_write(&directory, "0/main/2/prog", "", 0, false) == 0);
    CHECK(mode_of(in(directory.path, "0/main/1/prog")) == 0755 && mode_of(in(directory.path, "0/main/2/prog")) == 0644);
    CHECK(mode_of(in(directory.path, "0")) == 0755 && mode_of(in(directory.path, "0/main/1")) == 0755);
    CHECK(read_file(in(directory.path, "0/main/1/prog"), text, sizeof text) == 5 && strcmp(text, "12345") == 0);
    CHECK(shimdir_write(&directory, "0/main/1/prog", "x", 1, true) == -EEXIST);
    CHECK(shimdir_write(&directory, "0/main/1/prog/x", "x", 1, true) == -ENOTDIR);
    CHECK(symlink("/srv/outside", in(directory.path, "link")) == 0);
    CHECK(shimdir_write(&directory, "link", "x", 1, true) == -EEXIST && !exists("/srv/outside"));
    char name[NAME_MAX + 2] = "";
    memset(name, 'n', sizeof name - 1);
    CHECK(shimdir_write(&directory, name, "x", 1, true) == -ENAMETOOLONG);
    int fds = open_fds();
    shimdir_close(&directory, false);
    CHECK(count_entries(ROOT) == 0 && open_fds() == fds - 2);
}

static void story_no_space(void) {
    static char large[100000];
    make_root();
    CHECK(mount("tmpfs", ROOT, "tmpfs", 0, "mode=755,size=65536") == 0);
    struct shimdir directory = made();
    CHECK(shimdir_write(&directory, "0/large", large, sizeof large, true) == -ENOSPC);
    shimdir_close(&directory, false);
    CHECK(count_entries(ROOT) == 0);
}

static void story_no_root(void) {
    struct shimdir directory;
    CHECK(shimdir_make(ROOT, &directory, error, sizeof error) == -ENOENT);
    CHECK(strcmp(error, "cannot make the shim directory " ROOT "/brood-XXXXXX: No such file or directory") == 0 ||
          strstr(error, ": No such file or directory") != NULL);
    CHECK(directory.fd == -1 && directory.lock == -1);
    shimdir_close(&directory, false);
}

/* The descriptors run out at each step: nothing is left. */
static void story_no_descriptors(void) {
    struct shimdir directory;
    struct rlimit limit, former;
    make_root();
    CHECK(getrlimit(RLIMIT_NOFILE, &former) == 0);
    int next = dup(0);
    CHECK(next >= 0 && close(next) == 0);
    for (int free_fds = 0; free_fds < 2; free_fds++) {
        limit = (struct rlimit){(rlim_t)(next + free_fds), former.rlim_max};
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHECK(shimdir_make(ROOT, &directory, error, sizeof error) == -EMFILE && strstr(error, "Too many open files"));
        CHECK(shimdir_make_named(ROOT "/image", &directory, error, sizeof error) == (free_fds ? 0 : -EMFILE));
        CHECK(setrlimit(RLIMIT_NOFILE, &former) == 0);
        shimdir_close(&directory, false);
        CHECK(count_entries(ROOT) == 0);
    }
}

static void story_named(void) {
    struct shimdir directory;
    make_root();
    WORKS(shimdir_make_named(ROOT "/image", &directory, error, sizeof error));
    CHECK(mode_of(ROOT "/image") == 0700 && count_entries(ROOT "/image") == 0 && directory.lock == -1);
    CHECK(shimdir_write(&directory, "bin/x", "x", 1, true) == 0);
    struct shimdir second;
    CHECK(shimdir_make_named(ROOT "/image", &second, error, sizeof error) == -EEXIST && second.fd == -1);
    CHECK(strcmp(error, "cannot make the shim directory " ROOT "/image: File exists") == 0);
    CHECK(exists(ROOT "/image/bin/x"));
    shimdir_close(&directory, false);
    CHECK(count_entries(ROOT) == 0);
}

/* Somebody who can write to the root has put another directory in the place of ours. */
static void story_exchanged(void) {
    make_root();
    struct shimdir directory = made();
    CHECK(shimdir_write(&directory, "0/x", "x", 1, true) == 0);
    CHECK(rename(directory.path, ROOT "/away") == 0);
    make_directory(directory.path);
    write_file(in(directory.path, "precious"), "", 0);
    char path[PATH_MAX];
    memcpy(path, directory.path, sizeof path);
    shimdir_close(&directory, false);
    CHECK(exists(in(path, "precious")) && count_entries(ROOT "/away") == 0);
}

static void story_symlinks_inside(void) {
    make_root();
    make_directory("/srv/outside");
    write_file("/srv/outside/precious", "", 0);
    struct shimdir directory = made();
    CHECK(shimdir_write(&directory, "0/x", "x", 1, true) == 0);
    CHECK(symlink("/srv/outside", in(directory.path, "0/directory")) == 0);
    CHECK(symlink("/srv/outside/precious", in(directory.path, "0/file")) == 0);
    CHECK(symlink("/srv/outside", in(directory.path, "link")) == 0);
    shimdir_close(&directory, false);
    CHECK(count_entries(ROOT) == 0 && exists("/srv/outside/precious"));
}

/* --- dead broods -------------------------------------------------------------------------------------------------- */

/* A brood that makes a directory in ROOT and dies, or lives until it is killed. path gets the directory's. */
static pid_t start_brood(bool dies, char path[static PATH_MAX]) {
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct shimdir directory = made();
        CHECK(shimdir_write(&directory, "0/bin/prog", "x", 1, true) == 0);
        CHECK(write(ends[1], directory.path, sizeof directory.path) == sizeof directory.path);
        while (!dies)
            pause();
        _exit(0);
    }
    CHECK(close(ends[1]) == 0 && read(ends[0], path, PATH_MAX) == PATH_MAX && close(ends[0]) == 0);
    if (dies)
        CHECK(status_of(pid) == 0);
    return pid;
}

static void story_dead_and_alive(void) {
    char dead[PATH_MAX], alive[PATH_MAX];
    make_root();
    start_brood(true, dead);
    pid_t pid = start_brood(false, alive);
    int fds = open_fds();
    sweep();
    CHECK(undone == 1 && !exists(dead) && exists(in(alive, "0/bin/prog")) && open_fds() == fds);
    CHECK(kill(pid, SIGKILL) == 0 && status_of(pid) == 128 + SIGKILL);
    sweep();
    CHECK(undone == 2 && count_entries(ROOT) == 0);
}

static void story_undo_fails(void) {
    char dead[PATH_MAX];
    make_root();
    start_brood(true, dead);
    undo_works = false;
    sweep();
    CHECK(undone == 1 && exists(in(dead, "0/bin/prog")));
    undo_works = true;
    sweep();
    CHECK(undone == 2 && count_entries(ROOT) == 0);
}

/* A mount lies in it, as reach = strict makes them: the lock stays, so that a later brood tries again. */
static void story_busy(void) {
    char dead[PATH_MAX];
    make_root();
    start_brood(true, dead);
    CHECK(mount("/bin/sh", in(dead, "0/bin/prog"), NULL, MS_BIND, NULL) == 0);
    sweep();
    CHECK(undone == 1 && exists(in(dead, "lock")) && exists(in(dead, "0/bin/prog")));
    CHECK(umount(in(dead, "0/bin/prog")) == 0);
    sweep();
    CHECK(undone == 2 && count_entries(ROOT) == 0);
}

static void story_too_deep(void) {
    char dead[PATH_MAX], name[PATH_MAX];
    make_root();
    start_brood(true, dead);
    snprintf(name, sizeof name, "%s", dead);
    for (int i = 0; i < 9; i++) {
        strncat(name, "/d", sizeof name - strlen(name) - 1);
        make_directory(name);
    }
    sweep();
    CHECK(exists(name) && exists(in(dead, "lock")));
    CHECK(rmdir(name) == 0);
    sweep();
    CHECK(count_entries(ROOT) == 0);
}

static void make_stranger(const char *name, bool locked) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, ROOT "/%s", name);
    make_directory(path);
    write_file(in(path, locked ? "lock" : "lock.new"), "", 0);
    write_file(in(path, "precious"), "", 0);
}

static void story_strangers(void) {
    static const char *const names[] = {"brood-",       "brood-abc",     "brood-abcdefg",
                                        "brood-abcde.", "xbrood-abcdef", "image"};
    make_root();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        make_stranger(names[i], true);
    make_stranger("brood-nolock", false);
    make_stranger("brood-foreig", true);
    CHECK(chown(ROOT "/brood-foreig", NOBODY, NOBODY) == 0);
    make_directory("/srv/outside");
    write_file("/srv/outside/lock", "", 0);
    CHECK(symlink("/srv/outside", ROOT "/brood-symlin") == 0);
    write_file(ROOT "/brood-afile1", "", 0);
    make_directory(ROOT "/brood-slock1");
    CHECK(symlink("/srv/outside/lock", ROOT "/brood-slock1/lock") == 0);
    int before = count_entries(ROOT), fds = open_fds();
    sweep();
    CHECK(undone == 0 && count_entries(ROOT) == before && exists("/srv/outside/lock") && open_fds() == fds);
    CHECK(exists(ROOT "/brood-foreig/precious") && exists(ROOT "/brood-nolock/precious"));
    CHECK(exists(ROOT "/image/precious"));
}

/* A FIFO for a lock must not hold a new brood up. */
static void story_lock_is_a_fifo(void) {
    make_root();
    make_directory(ROOT "/brood-afifo1");
    CHECK(mkfifo(ROOT "/brood-afifo1/lock", 0600) == 0);
    sweep();
    CHECK(count_entries(ROOT) == 0);
}

static void story_nothing_to_sweep(void) {
    sweep(); /* no such root */
    make_root();
    sweep();
    CHECK(undone == 0);
}

/* Other users may read the directory, and can't hold its lock for ever. */
static void story_others_cannot_lock(void) {
    char dead[PATH_MAX];
    make_root();
    start_brood(true, dead);
    CHECK(chmod(dead, 0755) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        become(NOBODY);
        CHECK(open(in(dead, "lock"), O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(story_names),
        STORY(story_made_root),
        STORY(story_no_directory),
        STORY(story_mounts),
        STORY(story_symlinks),
        STORY(story_modes),
        STORY(story_make),
        STORY(story_write),
        STORY(story_no_space),
        STORY(story_no_root),
        STORY(story_no_descriptors),
        STORY(story_named),
        STORY(story_exchanged),
        STORY(story_symlinks_inside),
        STORY(story_dead_and_alive),
        STORY(story_undo_fails),
        STORY(story_busy),
        STORY(story_too_deep),
        STORY(story_strangers),
        STORY(story_lock_is_a_fifo),
        STORY(story_nothing_to_sweep),
        STORY(story_others_cannot_lock),
    };
    return cmocka_run_group_tests_name("shimdir", tests, NULL, NULL);
}
