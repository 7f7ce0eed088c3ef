/* Out of memory at every single allocation of wrap_open(), wrap_write() and wrap_check(): -ENOMEM with a text, nothing
 * on the disk and nothing left behind in memory. The files that allocate are compiled into this test, with functions
 * that fail on demand; so is a stream that loses what was written to it. */
#include "tests/unit/strict_helper.h"

static int until_failure = -1; /* allocations that succeed before one fails; negative: never */
static int living;

static bool may_allocate(void) {
    if (until_failure == 0) {
        until_failure = -1; /* once: whoever passes over it gets on */
        errno = ENOMEM;
        return false;
    }
    until_failure -= until_failure > 0;
    living++;
    return true;
}

static void *failing_malloc(size_t size) {
    return may_allocate() ? malloc(size) : NULL;
}

static void *failing_calloc(size_t count, size_t size) {
    return may_allocate() ? calloc(count, size) : NULL;
}

static void counting_free(void *memory) {
    living -= memory != NULL;
    free(memory);
}

/* What it is about to return from fclose() counts as an allocation of its own. */
static FILE *failing_open_memstream(char **bytes, size_t *size) {
    return may_allocate() ? open_memstream(bytes, size) : NULL;
}

static int failing_fclose(FILE *stream) {
    int r = fclose(stream);
    living--;
    if (may_allocate())
        return r;
    living++; /* the buffer is there all the same */
    return EOF;
}

#define malloc failing_malloc
#define calloc failing_calloc
#define free counting_free
#define open_memstream failing_open_memstream
#define fclose failing_fclose
#include "wrap/pool.c"     /* NOLINT(bugprone-suspicious-include): see above */
#include "wrap/prebuilt.c" /* NOLINT(bugprone-suspicious-include) */
#include "wrap/set.c"      /* NOLINT(bugprone-suspicious-include) */
#include "wrap/wrap.c"     /* NOLINT(bugprone-suspicious-include) */
#undef malloc
#undef calloc
#undef free
#undef open_memstream
#undef fclose

#define ROOT "/srv/root"

static char error[STRICT_ERROR_BYTES];
static char prog[] = "prog", node[] = "node", path[] = PROG;
static char *programs[] = {prog, node, path, NULL}, *nodes[] = {node, NULL};
static const uint16_t second = 1;
static const struct wrap_section sections[] = {
    {.name = "all", .programs = programs, .programs_count = 3, .wrapper = PROG, .by_file = true},
    {.name = "module",
     .programs = nodes,
     .programs_count = 1,
     .wrapper = "/srv/w.js",
     .data = "{}",
     .same_process = true},
    {.name = "apart",
     .programs = nodes,
     .programs_count = 1,
     .wrapper = "/srv/w.js",
     .groups = &second,
     .groups_count = 1},
};

static void ignore(bool warning, const char *text) {
    CHECK(text[0] != '\0');
    (void)warning;
}

static struct wrap_input input_of(void) {
    return (struct wrap_input){
        .sections = sections, .sections_count = 2, .groups_count = 2, .search = BIN, .shim_root = ROOT, .say = ignore};
}

static void make_files(void) {
    make_directory(ROOT);
    copy_file("/bin/sh", BIN "/node", 0755);
    write_file("/srv/w.js", "", 0);
}

static void check_refused(int r) {
    if (r != -ENOMEM)
        dprintf(STDERR_FILENO, "got %d: %s\n", r, error);
    CHECK(r == -ENOMEM && error[0] != '\0' && !strchr(error, '\n'));
    CHECK(living == 0 && count_entries(ROOT) == 0);
}

static void story_open(void) {
    struct wrap_input input = input_of();
    int count = 0, fds = count_entries("/proc/self/fd");
    make_files();
    for (;; count++) {
        struct wrap *wrap = NULL;
        error[0] = '\0';
        until_failure = count;
        int r = wrap_open(&input, &wrap, error, sizeof error);
        if (r == 0) {
            CHECK(until_failure >= 0 && count_entries(ROOT) == 1);
            wrap_close(wrap);
            break;
        }
        check_refused(r);
        CHECK(!wrap && count_entries("/proc/self/fd") == fds);
    }
    CHECK(count > 30 && living == 0 && count_entries(ROOT) == 0 && count_entries("/proc/self/fd") == fds);
}

static void story_write(void) {
    struct wrap_input input = input_of();
    int count = 0;
    make_files();
    for (;; count++) {
        error[0] = '\0';
        until_failure = count;
        int r = wrap_write(&input, ROOT, error, sizeof error);
        if (r == 0) {
            CHECK(until_failure >= 0);
            break;
        }
        check_refused(r);
    }
    CHECK(count > 30 && living == 0 && count_entries(ROOT) == 1);
}

/* What an image has can't be compared: that is said, or shims are made anew, but never is something half used. */
static void story_open_prebuilt(void) {
    struct wrap_input input = input_of();
    int refused = 0, others = 0;
    make_files();
    WORKS(wrap_write(&input, ROOT, error, sizeof error));
    for (int count = 0;; count++) {
        struct wrap *wrap = NULL;
        const char *names, *library;
        error[0] = '\0';
        until_failure = count;
        int r = wrap_open(&input, &wrap, error, sizeof error);
        bool over = until_failure >= 0;
        if (r < 0) {
            CHECK(r == -ENOMEM && error[0] != '\0' && !wrap && living == 0 && count_entries(ROOT) == 1);
            refused++;
            continue;
        }
        CHECK(wrap_environment(wrap, 0, &names, &library) && exists(names));
        others += strncmp(names, ROOT "/image/", strlen(ROOT "/image/")) != 0;
        wrap_close(wrap);
        CHECK(living == 0 && count_entries(ROOT) == 1);
        if (over)
            break;
    }
    CHECK(refused > 30 && others < 10);
}

static int faults;

static void count_fault(void *context, uint32_t section, const char *text) {
    CHECK(context == &faults && section < 3 && text[0] != '\0');
    faults++;
}

static void story_check(void) {
    struct wrap_input input = input_of();
    int count = 0;
    make_files();
    CHECK(unlink("/srv/w.js") == 0);
    for (;; count++) {
        faults = 0;
        until_failure = count;
        int r = wrap_check(&input, count_fault, &faults);
        CHECK(faults == 1 && living == 0);
        if (r == 0) {
            CHECK(until_failure >= 0);
            break;
        }
        CHECK(r == -ENOMEM);
    }
    CHECK(count > 5);
}

static void story_close_nothing(void) {
    wrap_close(NULL);
    CHECK(living == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(story_open),  STORY(story_write),         STORY(story_open_prebuilt),
        STORY(story_check), STORY(story_close_nothing),
    };
    return cmocka_run_group_tests_name("wrap memory", tests, NULL, NULL);
}
