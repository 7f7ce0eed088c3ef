/* wrap/prebuilt.c, and --write-shims with it: what is written into an image is found by the brood that runs there, and
 * nothing that only looks like it. With real directories, in a mount namespace of each story's own. */
#include "tests/unit/strict_helper.h"

#include "wrap/prebuilt.h"
#include "wrap/wrap.h"

#define ROOT "/srv/root"
#define IMAGE ROOT "/image"

static char error[STRICT_ERROR_BYTES];
static char said[4000];

static void remember(bool warning, const char *text) {
    size_t length = strlen(said);
    snprintf(said + length, sizeof said - length, "%s: %s\n", warning ? "warning" : "info", text);
}

static char program[] = "prog";
static char *programs[] = {program, NULL};
static struct wrap_section section = {
    .name = "w", .programs = programs, .programs_count = 1, .wrapper = "/srv/bin/wrapper", .by_file = true};

static struct wrap_input input_of(void) {
    return (struct wrap_input){.sections = &section,
                               .sections_count = 1,
                               .groups_count = 1,
                               .search = BIN,
                               .shim_root = ROOT,
                               .say = remember};
}

static void write_shims(void) {
    struct wrap_input input = input_of();
    make_shim(BIN "/wrapper", "xxxxxx", 0755);
    WORKS(wrap_write(&input, ROOT, error, sizeof error));
}

/* Opens, and says whether the shims of the image were used. */
static bool uses_image(void) {
    struct wrap_input input = input_of();
    struct wrap *wrap = NULL;
    const char *names = NULL, *library = NULL;
    WORKS(wrap_open(&input, &wrap, error, sizeof error));
    CHECK(wrap_environment(wrap, 0, &names, &library) && wrap_context(wrap, 1));
    CHECK(exists(names) && exists(library));
    bool used = strcmp(names, IMAGE "/0/bin") == 0 && strcmp(library, IMAGE "/0/preload.so") == 0;
    CHECK(count_entries(ROOT) == (used ? 1 : 2));
    wrap_close(wrap);
    CHECK(count_entries(ROOT) == 1 && exists(IMAGE "/manifest"));
    return used;
}

static void make_read_only(void) {
    CHECK(mount(ROOT, ROOT, NULL, MS_BIND, NULL) == 0);
    CHECK(mount(NULL, ROOT, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
}

static void expect_refused(int expected, const char *why) {
    struct wrap_input input = input_of();
    struct wrap *wrap = NULL;
    int r = wrap_open(&input, &wrap, error, sizeof error);
    if (r != expected || !strstr(error, why))
        dprintf(STDERR_FILENO, "got %d, %s\n", r, error);
    CHECK(r == expected && strstr(error, why) && !wrap);
}

/* --- from one to the other ---------------------------------------------------------------------------------------- */

static void story_written_and_found(void) {
    write_shims();
    CHECK(exists(IMAGE "/0/bin/prog") && exists(IMAGE "/adapter.cjs") && !exists(IMAGE "/lock"));
    CHECK(count_entries(ROOT) == 1 && uses_image());
    make_read_only();
    CHECK(uses_image());
    become(NOBODY); /* a random uid: root's are good for everybody */
    CHECK(uses_image());
    CHECK(said[0] == '\0');
}

static void story_by_the_variable(void) {
    write_shims();
    struct wrap_input input = input_of();
    struct wrap *wrap = NULL;
    const char *names, *library;
    input.environment_root = ROOT;
    input.shim_root = NULL;
    WORKS(wrap_open(&input, &wrap, error, sizeof error));
    CHECK(wrap_environment(wrap, 0, &names, &library) && strcmp(names, IMAGE "/0/bin") == 0);
    wrap_close(wrap);
}

static void story_written_again(void) {
    write_shims();
    ino_t former = inode(IMAGE "/manifest");
    section.data = "{\"new\":1}";
    CHECK(!uses_image()); /* of another config: others are made beside */
    write_shims();
    CHECK(inode(IMAGE "/manifest") != former && uses_image());
    CHECK(rename(IMAGE "/0/bin/prog", IMAGE "/0/moved") == 0); /* whatever is in there goes */
    write_shims();
    CHECK(!exists(IMAGE "/0/moved") && uses_image());
}

static void story_another_config_read_only(void) {
    write_shims();
    make_read_only();
    section.data = "{\"new\":1}";
    expect_refused(-EROFS, "the shims in " IMAGE " were made for another config or another PATH, and no others");
    section.data = NULL;
    section.by_file = false;
    expect_refused(-EROFS, "were made for another config");
    section.by_file = true;
    copy_file("/bin/sh", SHIMS "/prog", 0755);
    struct wrap_input input = input_of();
    input.search = SHIMS ":" BIN;
    struct wrap *wrap = NULL;
    CHECK(wrap_open(&input, &wrap, error, sizeof error) == -EROFS && !wrap);
}

static void story_two_sets(void) {
    static const uint16_t first = 0;
    struct wrap_section sections[2] = {section, section};
    struct wrap_input input = input_of();
    make_shim(BIN "/wrapper", "xxxxxx", 0755);
    sections[0].groups = &first;
    sections[0].groups_count = 1;
    sections[1].by_file = false;
    input.sections = sections;
    input.sections_count = 2;
    WORKS(wrap_write(&input, ROOT, error, sizeof error));
    CHECK(exists(IMAGE "/0/preload.so") && exists(IMAGE "/1/bin/prog") && !exists(IMAGE "/1/preload.so"));
    struct wrap *wrap = NULL;
    const char *names, *library;
    WORKS(wrap_open(&input, &wrap, error, sizeof error));
    CHECK(wrap_environment(wrap, 0, &names, &library) && strcmp(names, IMAGE "/0/bin") == 0 && library);
    CHECK(wrap_environment(wrap, 1, &names, &library) && strcmp(names, IMAGE "/1/bin") == 0 && !library);
    wrap_close(wrap);
}

/* Made anew after the sets had been put together for the image: nothing of those is left over. */
static void story_stubs_are_not_mixed_up(void) {
    static char node[] = "node", *nodes[] = {node, NULL};
    struct wrap_section module = {
        .name = "w", .programs = nodes, .programs_count = 1, .wrapper = "/srv/bin/w.js", .same_process = true};
    struct wrap_input input = input_of();
    struct wrap *wrap = NULL;
    const char *names, *library;
    input.sections = &module;
    WORKS(wrap_write(&input, ROOT, error, sizeof error));
    module.data = "{\"new\":1}";
    WORKS(wrap_open(&input, &wrap, error, sizeof error));
    CHECK(wrap_environment(wrap, 0, &names, &library));
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s", (int)(strlen(names) - strlen("/0/bin")), names);
    CHECK(count_entries(path) == 4); /* lock, adapter, preload script, set */
    snprintf(path, sizeof path, "%.*s", (int)(strlen(names) - strlen("/bin")), names);
    CHECK(count_entries(path) == 3); /* bin, main, one stub */
    wrap_close(wrap);
}

/* --- what isn't believed ------------------------------------------------------------------------------------------ */

static void story_not_trusted(void) {
    write_shims();
    CHECK(chmod(IMAGE "/manifest", 0664) == 0 && !uses_image());
    CHECK(chmod(IMAGE "/manifest", 0644) == 0 && uses_image());
    CHECK(chmod(IMAGE, 0757) == 0 && !uses_image());
    CHECK(chmod(IMAGE, 0755) == 0 && uses_image());
    CHECK(chown(IMAGE "/manifest", NOBODY, NOBODY) == 0 && !uses_image());
    CHECK(chown(IMAGE "/manifest", 0, 0) == 0 && uses_image());
    CHECK(chown(IMAGE, NOBODY, NOBODY) == 0 && !uses_image());
    CHECK(chown(IMAGE, 0, 0) == 0 && uses_image());
}

static void story_half_of_one(void) {
    write_shims();
    CHECK(chmod(IMAGE, 0700) == 0 && !uses_image()); /* its writer died before the end */
    write_shims();
    CHECK(uses_image());
}

static void story_symlinks(void) {
    write_shims();
    CHECK(rename(IMAGE, "/srv/elsewhere") == 0 && symlink("/srv/elsewhere", IMAGE) == 0);
    CHECK(!uses_image());
    CHECK(unlink(IMAGE) == 0 && rename("/srv/elsewhere", IMAGE) == 0 && uses_image());
    CHECK(rename(IMAGE "/manifest", "/srv/manifest") == 0 && symlink("/srv/manifest", IMAGE "/manifest") == 0);
    CHECK(!uses_image());
}

static void story_bad_manifests(void) {
    static const char *const texts[] = {
        "", "x", "brood-shims 1 ", "brood-shims 1 Ab3dE", "brood-shims 2 Ab3dE6\n", "brood-shims 1 Ab3dE6\n"};
    write_shims();
    static char manifest[1 << 20];
    size_t length = read_file(IMAGE "/manifest", manifest, sizeof manifest);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(IMAGE "/manifest", texts[i], strlen(texts[i]));
        CHECK(!uses_image());
    }
    write_file(IMAGE "/manifest", manifest, length - 1);
    CHECK(!uses_image());
    write_file(IMAGE "/manifest", manifest, length);
    CHECK(uses_image());
    manifest[14 + 6] = '\0'; /* a NUL inside the key */
    manifest[14 + 3] = '\0';
    write_file(IMAGE "/manifest", manifest, length);
    CHECK(!uses_image());
    CHECK(unlink(IMAGE "/manifest") == 0 && mkfifo(IMAGE "/manifest", 0644) == 0 && !uses_image());
}

/* --- what writing must not touch ---------------------------------------------------------------------------------- */

static void expect_write(int expected, const char *why) {
    struct wrap_input input = input_of();
    int r = wrap_write(&input, ROOT, error, sizeof error);
    if (r != expected || !strstr(error, why))
        dprintf(STDERR_FILENO, "got %d, %s\n", r, error);
    CHECK(r == expected && strstr(error, why));
}

static void story_a_directory_of_the_user(void) {
    const char *why = IMAGE " is there and is none of brood's; remove it or choose another directory";
    make_directory(ROOT);
    make_directory(IMAGE);
    write_file(IMAGE "/logo.png", "x", 1);
    expect_write(-EEXIST, why);
    write_file(IMAGE "/manifest", "{}", 2);
    expect_write(-EEXIST, why);
    CHECK(exists(IMAGE "/logo.png") && exists(IMAGE "/manifest"));
    CHECK(rename(IMAGE, ROOT "/other") == 0);
    write_file(IMAGE, "x", 1);
    expect_write(-ENOTDIR, why);
    CHECK(unlink(IMAGE) == 0 && symlink(ROOT "/other", IMAGE) == 0);
    expect_write(-ENOTDIR, why);
    CHECK(rename(ROOT "/other", "/srv/other") == 0 && exists("/srv/other/logo.png") && unlink(IMAGE) == 0);
    make_directory(IMAGE); /* an empty one is nobody's */
    write_shims();
    CHECK(uses_image());
}

static void story_not_for_strict(void) {
    section.strict = true;
    expect_write(-EINVAL, "reach = strict can't be prepared when an image is built; use reach = preload");
    CHECK(!exists(ROOT));
}

static void story_places_that_do_not_work(void) {
    expect_write(0, "");
    make_read_only();
    expect_write(-EROFS, ROOT ": Read-only file system");
    CHECK(umount(ROOT) == 0 && chmod(ROOT, 0777) == 0);
    expect_write(0, "");
    CHECK(strstr(said, "warning: " ROOT ": others can write to it"));
}

/* The disk is full at some point: nothing is left, and nothing that could be taken for shims. */
static void story_no_space(void) {
    char options[64];
    make_directory(ROOT);
    int failed = 0;
    for (int pages = 1; pages < 1000; pages++) {
        snprintf(options, sizeof options, "mode=755,size=%d", pages * 4096);
        CHECK(mount("tmpfs", ROOT, "tmpfs", 0, options) == 0);
        struct wrap_input input = input_of();
        int r = wrap_write(&input, ROOT, error, sizeof error);
        CHECK(r == 0 || r == -ENOSPC);
        if (r < 0)
            CHECK(strstr(error, "No space left on device") && count_entries(ROOT) == 0);
        failed += r < 0;
        CHECK(umount(ROOT) == 0);
        if (r == 0)
            break;
    }
    CHECK(failed > 3 && failed < 990);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(story_written_and_found),
        STORY(story_by_the_variable),
        STORY(story_written_again),
        STORY(story_another_config_read_only),
        STORY(story_two_sets),
        STORY(story_stubs_are_not_mixed_up),
        STORY(story_not_trusted),
        STORY(story_half_of_one),
        STORY(story_symlinks),
        STORY(story_bad_manifests),
        STORY(story_a_directory_of_the_user),
        STORY(story_not_for_strict),
        STORY(story_places_that_do_not_work),
        STORY(story_no_space),
    };
    return cmocka_run_group_tests_name("prebuilt", tests, NULL, NULL);
}
