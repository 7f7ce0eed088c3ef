/* wrap/strict_undo.c and wrap/journal.c: a brood that dies in each phase, and what the next one makes of its journal;
 * journals that were damaged, forged or belong to somebody who lives. The worlds are those of test_strict.c. */
#include "tests/unit/strict_helper.h"

#include "wrap/journal.h"

static char error[STRICT_ERROR_BYTES];

enum phase { OPENED, KEPT, REPLACED };

/* A brood that is gone when this returns. */
static void die_after(enum phase phase, bool admin) {
    pid_t child = fork();
    if (child == 0) {
        char executed[PATH_MAX];
        struct strict *strict = NULL;
        if (!admin)
            drop_admin();
        WORKS(strict_open(SHIMS, &strict, error, sizeof error));
        if (phase >= KEPT)
            WORKS(strict_keep(strict, 0, PROG, executed, sizeof executed, error, sizeof error));
        if (phase >= REPLACED)
            WORKS(strict_replace(strict, 0, SHIM, error, sizeof error));
        _exit(0);
    }
    CHECK(status_of(child) == 0);
    CHECK(execute(PROG, NOBODY) == (phase == REPLACED ? RAN_SHIM : RAN_PROGRAM));
}

static int repair(const char *journal) {
    return WORKS(strict_repair(journal, error, sizeof error));
}

/* --- a death in each phase ---------------------------------------------------------------------------------------- */

static void crash_everywhere(bool admin) {
    ino_t original = inode(PROG);
    static const char *const ORDERS[][2] = {{JOURNAL, RUN_JOURNAL}, {RUN_JOURNAL, JOURNAL}};
    for (enum phase phase = OPENED; phase <= REPLACED; phase++) {
        for (int i = 0; i < 2; i++) {
            die_after(phase, admin);
            int expected = phase == OPENED ? 0 : STRICT_UNDONE;
            CHECK(repair(ORDERS[i][0]) == expected);
            CHECK(inode(PROG) == original && count_entries(BIN) == 1 && !exists(SHIMS "/real"));
            CHECK(!exists(ORDERS[i][0]) && repair(ORDERS[i][1]) == expected);
            check_restored(original);
            CHECK(repair(JOURNAL) == 0 && repair(RUN_JOURNAL) == 0);
        }
    }
}

static void story_crash_mount(void) {
    crash_everywhere(true);
}

static void story_crash_link(void) {
    crash_everywhere(false);
}

/* Deaths between two system calls, made by hand: each is a state that a journal line announces. */
static void story_crash_within(void) {
    ino_t original = inode(PROG);
    static const char LINK[] = "brood-strict 1\ndirectory " SHIMS "\nlink 0 " PROG "\n";
    static const char MOUNT[] = "brood-strict 1\ndirectory " SHIMS "\nmount 0 " PROG "\n";
    for (int state = 0; state < 4; state++) {
        write_file(JOURNAL, LINK, sizeof LINK - 1);
        if (state >= 1)
            make_directory(BACKUP);
        if (state >= 2)
            CHECK(link(PROG, BACKUP "/prog") == 0);
        if (state >= 3)
            copy_file(SHIM, BACKUP "/.shim", 0600);
        CHECK(repair(JOURNAL) == STRICT_UNDONE);
        check_restored(original);
    }
    for (int state = 0; state < 4; state++) {
        write_file(JOURNAL, MOUNT, sizeof MOUNT - 1);
        if (state >= 1)
            make_directory(SHIMS "/real");
        if (state >= 2)
            make_directory(SHIMS "/real/0");
        if (state >= 3)
            write_file(SHIMS "/real/0/prog", "", 0);
        CHECK(repair(JOURNAL) == STRICT_UNDONE);
        check_restored(original);
    }
}

/* A container that is started again: the mounts are gone with their namespace. */
static void story_mounts_gone(void) {
    ino_t original = inode(PROG);
    pid_t child = fork();
    if (child == 0) {
        CHECK(unshare(CLONE_NEWNS) == 0);
        die_after(REPLACED, true);
        _exit(0);
    }
    CHECK(status_of(child) == 0 && execute(PROG, NOBODY) == RAN_PROGRAM && exists(SHIMS "/real/0/prog"));
    CHECK(repair(JOURNAL) == STRICT_UNDONE && repair(RUN_JOURNAL) == STRICT_UNDONE);
    check_restored(original);
}

/* And one with the writable layer of before. */
static void story_overlay_again(void) {
    static const char OPTIONS[] = "lowerdir=/srv/bin:/srv/empty,upperdir=/srv/upper,workdir=/srv/work";
    make_directory("/srv/upper");
    make_directory("/srv/work");
    make_directory("/srv/empty");
    CHECK(mount("overlay", BIN, "overlay", 0, OPTIONS) == 0);
    die_after(REPLACED, false);
    CHECK(umount2(BIN, 0) == 0 && mount("overlay", BIN, "overlay", 0, OPTIONS) == 0);
    CHECK(execute(PROG, NOBODY) == RAN_SHIM && repair(RUN_JOURNAL) == STRICT_UNDONE);
    CHECK(execute(PROG, NOBODY) == RAN_PROGRAM && count_entries(BIN) == 1);
    CHECK(repair(JOURNAL) == STRICT_UNDONE && execute(PROG, NOBODY) == RAN_PROGRAM);
}

/* The shim directory was in a tmpfs. */
static void story_directory_gone(void) {
    ino_t original = inode(PROG);
    die_after(REPLACED, false);
    CHECK(unlink(JOURNAL) == 0 && unlink(SHIM) == 0 && rmdir(SHIMS) == 0);
    CHECK(repair(RUN_JOURNAL) == STRICT_UNDONE && inode(PROG) == original && count_entries(BIN) == 1);
}

/* --- what others did meanwhile ------------------------------------------------------------------------------------ */

static void story_upgraded(void) {
    die_after(REPLACED, false);
    copy_file("/bin/true", BIN "/new", 0755);
    ino_t upgraded = inode(BIN "/new");
    CHECK(rename(BIN "/new", PROG) == 0 && repair(JOURNAL) == STRICT_UNDONE);
    CHECK(inode(PROG) == upgraded && count_entries(BIN) == 1);
}

static void story_removed(void) {
    die_after(REPLACED, false);
    CHECK(unlink(PROG) == 0 && repair(JOURNAL) == STRICT_UNDONE && count_entries(BIN) == 0);
}

static void story_alternatives(void) {
    die_after(REPLACED, false);
    CHECK(unlink(PROG) == 0 && symlink("/bin/true", PROG) == 0);
    CHECK(repair(JOURNAL) == STRICT_UNDONE && count_entries(BIN) == 1 && execute(PROG, 0) == 0);
}

static void story_original_gone(void) {
    die_after(REPLACED, false);
    CHECK(unlink(BACKUP "/prog") == 0 && strict_repair(JOURNAL, error, sizeof error) == -ENOENT && exists(JOURNAL));
    CHECK(strcmp(error, PROG ": is a shim and its original " BACKUP "/prog is gone; install it again") == 0);
}

/* Something is mounted over our shim: the original must stay where it can be found. */
static void story_covered(void) {
    ino_t original = inode(PROG);
    die_after(REPLACED, false);
    CHECK(mount("/bin/true", PROG, NULL, MS_BIND, NULL) == 0);
    CHECK(strict_repair(JOURNAL, error, sizeof error) == -EBUSY && exists(JOURNAL) && exists(BACKUP "/prog"));
    CHECK(strcmp(error, PROG ": can't be put back: Device or resource busy; its original is " BACKUP "/prog") == 0);
    CHECK(umount(PROG) == 0 && repair(JOURNAL) == STRICT_UNDONE && repair(RUN_JOURNAL) == STRICT_UNDONE);
    check_restored(original);
}

/* A second brood on the same files, and the first one dies or ends first: nobody's original is lost. */
static void story_two_broods(void) {
    char executed[PATH_MAX];
    struct strict *outer = NULL, *inner = NULL;
    ino_t original = inode(PROG);
    drop_admin();
    make_directory("/srv/inner-Other1");
    make_shim("/srv/inner-Other1/shim", "Other1", 0755);
    WORKS(strict_open(SHIMS, &outer, error, sizeof error));
    WORKS(strict_keep(outer, 0, PROG, executed, sizeof executed, error, sizeof error));
    WORKS(strict_replace(outer, 0, SHIM, error, sizeof error));
    WORKS(strict_open("/srv/inner-Other1", &inner, error, sizeof error));
    WORKS(strict_keep(inner, 0, PROG, executed, sizeof executed, error, sizeof error));
    WORKS(strict_replace(inner, 0, "/srv/inner-Other1/shim", error, sizeof error));
    CHECK(strict_close(outer, error, sizeof error) == -EBUSY && exists(JOURNAL) && exists(BACKUP "/prog"));
    WORKS(strict_close(inner, error, sizeof error));
    CHECK(execute(PROG, NOBODY) == RAN_SHIM && repair(JOURNAL) == STRICT_UNDONE);
    CHECK(repair(RUN_JOURNAL) == STRICT_UNDONE);
    check_restored(original);
}

/* --- without any journal ------------------------------------------------------------------------------------------ */

static void story_heal(void) {
    ino_t original = inode(PROG);
    CHECK(WORKS(strict_heal(PROG, error, sizeof error)) == 0);
    die_after(REPLACED, false);
    CHECK(unlink(JOURNAL) == 0 && unlink(RUN_JOURNAL) == 0);
    CHECK(WORKS(strict_heal(PROG, error, sizeof error)) == STRICT_UNDONE);
    check_restored(original);
    CHECK(WORKS(strict_heal(BIN "/none", error, sizeof error)) == 0);
}

/* Neither its journals nor its shims are touched while it lives. */
static void story_alive(void) {
    char executed[PATH_MAX];
    struct strict *strict = NULL;
    ino_t original = inode(PROG);
    drop_admin();
    WORKS(strict_open(SHIMS, &strict, error, sizeof error));
    CHECK(strict_repair(JOURNAL, error, sizeof error) == -EWOULDBLOCK);
    WORKS(strict_keep(strict, 0, PROG, executed, sizeof executed, error, sizeof error));
    WORKS(strict_replace(strict, 0, SHIM, error, sizeof error));
    CHECK(strict_repair(JOURNAL, error, sizeof error) == -EWOULDBLOCK);
    CHECK(strict_repair(RUN_JOURNAL, error, sizeof error) == -EWOULDBLOCK);
    CHECK(WORKS(strict_heal(PROG, error, sizeof error)) == 0);
    CHECK(execute(PROG, NOBODY) == RAN_SHIM && execute(executed, NOBODY) == RAN_PROGRAM);
    WORKS(strict_close(strict, error, sizeof error));
    check_restored(original);
}

/* --- journals that aren't what they should be --------------------------------------------------------------------- */

/* Cut anywhere: a line that isn't whole hasn't been acted upon, one that is whole is. */
static void story_truncated(void) {
    char text[512];
    ino_t original = inode(PROG);
    die_after(REPLACED, false);
    size_t length = read_file(JOURNAL, text, sizeof text);
    for (size_t cut = 0; cut < length; cut++) {
        write_file(JOURNAL, text, cut);
        bool tried_mount = memmem(text, cut, "mount 0 " PROG "\n", strlen("mount 0 " PROG "\n")) != NULL;
        CHECK(repair(JOURNAL) == (tried_mount ? STRICT_UNDONE : 0) && !exists(JOURNAL));
        CHECK(execute(PROG, NOBODY) == RAN_SHIM && exists(BACKUP "/prog"));
    }
    write_file(JOURNAL, text, length);
    CHECK(repair(JOURNAL) == STRICT_UNDONE && repair(RUN_JOURNAL) == STRICT_UNDONE);
    check_restored(original);
}

#define HEAD "brood-strict 1\ndirectory " SHIMS "\n"
#define GOOD "link 0 " PROG "\n"

static const struct {
    const char *text;
    int line;
} GARBAGE[] = {
    {"\n", 1},
    {"brood-strict 2\n", 1},
    {"brood-strict 1 \n", 1},
    {"brood-strict 1\n" GOOD, 2},
    {"brood-strict 1\ndirectory srv/" KEY "\n" GOOD, 2},
    {"brood-strict 1\ndirectory /srv/../" KEY "\n" GOOD, 2},
    {"brood-strict 1\ndirectory /srv/Kz-1Qa\n" GOOD, 2},
    {"brood-strict 1\ndirectory /a\n" GOOD, 2},
    {HEAD GOOD "link  0 " PROG "\n", 4},
    {HEAD GOOD "link 00 " PROG "\n", 4},
    {HEAD GOOD "link -1 " PROG "\n", 4},
    {HEAD GOOD "link 4294967296 " PROG "\n", 4},
    {HEAD GOOD "link 0" PROG "\n", 4},
    {HEAD GOOD "link 0 srv/bin/prog\n", 4},
    {HEAD GOOD "link 0 /srv/bin/../../etc/passwd\n", 4},
    {HEAD GOOD "link 0 /srv//bin\n", 4},
    {HEAD GOOD "link 0 /srv/bin/\n", 4},
    {HEAD GOOD "link 0 /srv/\tbin\n", 4},
    {HEAD GOOD "link 0 /\n", 4},
    {HEAD GOOD "unlink 0 " PROG "\n", 4},
    {HEAD GOOD GOOD "\n", 5},
};

static void refuse_garbage(const char *text, size_t length, int line) {
    char expected[256];
    write_file(JOURNAL, text, length);
    snprintf(expected, sizeof expected,
             JOURNAL ":%d: isn't a journal of brood's, nothing was undone; look at the file and remove it", line);
    CHECK(strict_repair(JOURNAL, error, sizeof error) == -EBADMSG);
    if (strcmp(error, expected) != 0)
        dprintf(STDERR_FILENO, "%s%s\n", text, error);
    CHECK(strcmp(error, expected) == 0 && exists(JOURNAL) && execute(PROG, NOBODY) == RAN_SHIM);
}

static void story_garbage(void) {
    ino_t original = inode(PROG);
    die_after(REPLACED, false);
    for (size_t i = 0; i < sizeof GARBAGE / sizeof GARBAGE[0]; i++)
        refuse_garbage(GARBAGE[i].text, strlen(GARBAGE[i].text), GARBAGE[i].line);
    static const char NUL[] = HEAD GOOD "link 0 /srv\0/bin\n";
    refuse_garbage(NUL, sizeof NUL - 1, 4);
    CHECK(repair(RUN_JOURNAL) == STRICT_UNDONE && unlink(JOURNAL) == 0);
    check_restored(original);
}

/* A line for something that is no shim of that brood's touches nothing. */
static void story_forged(void) {
    ino_t original = inode(PROG);
    static const char TEXT[] = HEAD GOOD "mount 3 " PROG "\nlink 1 /etc/passwd\nlink 2 /none/x\n";
    copy_file("/bin/sh", BIN "/other", 0755);
    write_file(JOURNAL, TEXT, sizeof TEXT - 1);
    CHECK(repair(JOURNAL) == STRICT_UNDONE && inode(PROG) == original && exists("/etc/passwd"));
    CHECK(count_entries(BIN) == 2);
}

static void disbelieve(int expected, const char *text) {
    CHECK(strict_repair(JOURNAL, error, sizeof error) == expected && exists(JOURNAL));
    CHECK(strcmp(error, text) == 0 && execute(PROG, NOBODY) == RAN_SHIM);
}

static void story_not_ours(void) {
    static const char FOREIGN[] =
        JOURNAL ": isn't believed: it must be a file of uid 0 that nobody else can write; remove it";
    die_after(REPLACED, false);
    CHECK(chown(JOURNAL, NOBODY, 0) == 0);
    disbelieve(-EPERM, FOREIGN);
    CHECK(chown(JOURNAL, 0, 0) == 0 && chmod(JOURNAL, 0620) == 0);
    disbelieve(-EPERM, FOREIGN);
    CHECK(chmod(JOURNAL, 0602) == 0);
    disbelieve(-EPERM, FOREIGN);
    CHECK(unlink(JOURNAL) == 0 && mkfifo(JOURNAL, 0600) == 0);
    disbelieve(-EPERM, FOREIGN);
    CHECK(unlink(JOURNAL) == 0 && symlink(RUN_JOURNAL, JOURNAL) == 0);
    disbelieve(-ELOOP, JOURNAL ": Too many levels of symbolic links");
    CHECK(unlink(JOURNAL) == 0 && (write_file(JOURNAL, "", 0), truncate(JOURNAL, JOURNAL_BYTES_MAX + 1) == 0));
    disbelieve(-EBADMSG, JOURNAL ": isn't a journal of brood's: it is longer than 1048576 bytes; remove it");
    CHECK(repair(RUN_JOURNAL) == STRICT_UNDONE && execute(PROG, NOBODY) == RAN_PROGRAM);
}

/* A disk that is full: no line in the journal, no change. */
static void story_full(void) {
    char executed[PATH_MAX];
    static char rest[65536];
    struct strict *strict = NULL;
    CHECK(mount("tmpfs", SHIMS, "tmpfs", 0, "mode=755,size=64k") == 0);
    WORKS(strict_open(SHIMS, &strict, error, sizeof error));
    int fd = open(SHIMS "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), journal = open(JOURNAL, O_WRONLY | O_APPEND);
    CHECK(fd >= 0 && journal >= 0);
    while (write(fd, rest, 4096) > 0)
        continue;
    CHECK(write(journal, rest, sizeof rest) > 0 && ftruncate(journal, 4096) == 0); /* its own page is full too */
    CHECK(strict_keep(strict, 0, PROG, executed, sizeof executed, error, sizeof error) == -ENOSPC);
    CHECK(strcmp(error, JOURNAL ": No space left on device; make room there or set another shim_root") == 0);
    CHECK(!exists(SHIMS "/real") && !exists(BACKUP));
    WORKS(strict_close(strict, error, sizeof error));
    CHECK(!exists(JOURNAL) && !exists(RUN_JOURNAL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(story_crash_mount),   STORY(story_crash_link),     STORY(story_crash_within), STORY(story_mounts_gone),
        STORY(story_overlay_again), STORY(story_directory_gone), STORY(story_upgraded),     STORY(story_removed),
        STORY(story_alternatives),  STORY(story_original_gone),  STORY(story_covered),      STORY(story_two_broods),
        STORY(story_heal),          STORY(story_alive),          STORY(story_truncated),    STORY(story_garbage),
        STORY(story_forged),        STORY(story_not_ours),       STORY(story_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
