/* Out of memory at every single allocation of a config that uses everything: -ENOMEM, the
 * result untouched, and nothing left behind. The file with the only malloc is compiled into
 * this test, with a malloc that fails on demand. */
#include "tests/unit/config_helper.h"

#include <errno.h>

#include "supervisor/import.h"

static int until_failure; /* allocations that succeed before one fails; negative: never */
static int living;

static void *failing_malloc(size_t size) {
    if (until_failure == 0)
        return NULL;
    until_failure--;
    living++;
    return malloc(size);
}

static void counting_free(void *memory) {
    living -= memory != NULL;
    free(memory);
}

#define malloc failing_malloc
#define free counting_free
#include "supervisor/config_memory.c" /* NOLINT(bugprone-suspicious-include): see above */
#undef malloc
#undef free

/* Large enough that each kind of container has to grow into a chunk of its own. */
static char *large_config(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    (void)fprintf(stream, "[env]\n");
    for (int i = 0; i < 600; i++)
        (void)fprintf(stream, "NAME_%d = a value of some length\n", i);
    for (int i = 0; i < 60; i++)
        (void)fprintf(stream,
                      "[worker:w%d]\nstart = a 'b c' d\nenv.X = 1\nlimit_core = 0\nafter = main\ngroups = a, b\n", i);
    (void)fprintf(stream, "[worker:last]\nstart = x\nafter = w0");
    for (int i = 1; i < 60; i++)
        (void)fprintf(stream, ", w%d", i);
    (void)fprintf(stream, "\nready = exec:%05000d\nstop = %09000d x\n", 1, 2);
    (void)fprintf(stream,
                  "[wrap:w]\nwrapper = /w\nworkers = last\ndata = {}\nunknown = 1\n[signals]\nHUP = forward:last\n");
    (void)fclose(stream);
    return text;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char *text = large_config();
    char *command[] = {(char[]){"cmd"}, NULL};
    struct config_input input = helper_input(text, strlen(text));
    input.command = command;
    int count = 0;
    for (;; count++) {
        struct config config;
        memset(&config, 0x5a, sizeof(config));
        struct config untouched = config;
        until_failure = count;
        int result = config_parse(&input, &config);
        if (result == 0) {
            assert_int_equal(config.errors, 1);
            config_free(&config);
            assert_int_equal(living, 0);
            break;
        }
        assert_int_equal(result, -ENOMEM);
        assert_memory_equal(&config, &untouched, sizeof(config));
        assert_int_equal(living, 0);
    }
    assert_true(count > 10);
    free(text);
}

/* Likewise an import: one that makes every kind of line, with values that need memory of their own, two with faults. */
static void every_allocation_of_an_import_may_fail(void **state) {
    (void)state;
    static const char text[] =
        "[supervisord]\nuser=u\nenvironment=A=\"%%(ENV_A)s\"\n[unknown]\nx=1\n"
        "[fcgi-program:f]\ncommand=f \"%%(ENV_F)s\"\ndirectory=%05000d\nsocket=unix:///s\nsocket_owner=a:b\n"
        "socket_backlog=1\n[program:p]\ncommand=%030000d \"\\$\" %%(process_num)d\nnumprocs=3\n"
        "priority=5\n[program:q]\ncommand=q %020000d\nautostart=no\nenvironment=B=\"${C} x\"\n%s\n";
    static const char *const lasts[] = {"priority=9", "[program:r]\ncommand=r\numask=9", "umask"};
    char *bytes = malloc(65536);
    assert_non_null(bytes);
    for (int i = 0; i < 3; i++) {
        int length = snprintf(bytes, 65536, text, 1, 2, 3, lasts[i]);
        const struct import_input input = {.bytes = bytes, .length = (size_t)length, .name = "n", .here = "/"};
        struct import import;
        struct import untouched;
        memset(&untouched, 0x5a, sizeof(untouched));
        int count = 0;
        for (;; count++) {
            memcpy(&import, &untouched, sizeof(import));
            until_failure = count;
            int result = import_supervisord(&input, &import);
            if (result == 0)
                break;
            assert_int_equal(result, -ENOMEM);
            assert_memory_equal(&import, &untouched, sizeof(import));
            assert_int_equal(living, 0);
        }
        assert_true(count > 10);
        assert_int_equal(import.faults_count, i == 0 ? 0 : 1);
        import_free(&import);
        assert_int_equal(living, 0);
    }
    free(bytes);
}

static void freeing_nothing(void **state) {
    (void)state;
    struct config config = {.errors = 0};
    config_free(&config);
    config_free(&config);
    assert_null(config.memory);
    assert_int_equal(living, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_allocation_of_an_import_may_fail),
        cmocka_unit_test(freeing_nothing),
    };
    return cmocka_run_group_tests_name("config memory", tests, NULL, NULL);
}
