/* supervisor/descriptors.c: what each kind of process is given, written out as text; and that there is room for the
 * most that a config can ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/descriptors.h"
#include "tests/unit/config_helper.h"

/* "0 null, 1 output, 3 socket 0": in the order of the plan. */
static void expect(const struct spec *spec, struct slot slot, const char *wanted) {
    static const char *const names[] = {"null", "output", "errors", "socket", "ready"};
    struct descriptors descriptors;
    char text[500] = "";
    size_t used = 0;
    uint32_t sockets = 0;
    descriptors_of(spec, slot, &descriptors);
    for (uint32_t i = 0; i < descriptors.count; i++) {
        const struct descriptor *one = &descriptors.items[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d %s", i > 0 ? ", " : "", one->number,
                                 names[one->kind]);
        if (one->kind == DESCRIPTOR_SOCKET)
            used += (size_t)snprintf(text + used, sizeof text - used, " %u", one->socket);
        sockets += one->kind == DESCRIPTOR_SOCKET;
        assert_true(descriptors_have(&descriptors, one->kind));
    }
    assert_string_equal(text, wanted);
    assert_int_equal(descriptors.sockets, sockets);
    assert_int_equal(descriptors_have(&descriptors, DESCRIPTOR_SOCKET), sockets > 0);
}

static const char whole[] = "[primary]\nstart = a\nstop = a\n"
                            "[worker:plain]\nstart = a\nstop = a\n"
                            "[worker:web]\nstart = a\nstop = a\ntype = cluster\ncount = 2\nready = fd:6\n"
                            "listen = tcp://*:80, unix:/a, udp://*:53\n"
                            "[worker:api]\nstart = a\ntype = cluster\nlisten = tcp://*:81\nready = exec:a\n"
                            "output = prefix\nstdin = inherit\n"
                            "[worker:shared]\nstart = a\ntype = cluster\noutput = null\n"
                            "[worker:told]\nstart = a\nready = fd:3\noutput = json\n";

static void each_process(void **state) {
    (void)state;
    static const struct {
        struct slot slot;
        const char *wanted;
    } table[] = {
        {{SLOT_PRIMARY, PRIMARY_START, 1}, "0 null"},
        {{SLOT_PRIMARY, PRIMARY_STOP, 1}, "0 null"},
        {{SLOT_WORKER, 0, 1}, "0 null"},
        {{SLOT_HOOK, 0, 1}, "0 null"},
        {{SLOT_WORKER, 1, 1}, "0 null, 3 socket 0, 4 socket 1, 5 socket 2, 6 ready"},
        {{SLOT_WORKER, 2, 7}, "0 null, 3 socket 0, 4 socket 1, 5 socket 2, 6 ready"},
        {{SLOT_HOOK, 2, 7}, "0 null"},
        {{SLOT_WORKER, 3, 1}, "1 output, 2 errors, 3 socket 0"},
        {{SLOT_PROBE, 3, 1}, "0 null, 1 output, 2 errors"},
        {{SLOT_WORKER, 4, 1}, "0 null, 1 null, 2 null"},
        {{SLOT_WORKER, 5, 1}, "0 null, 1 output, 2 errors, 3 ready"},
    };
    struct config_input input = helper_input(whole, sizeof whole - 1);
    struct config config;
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.errors, 0);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        expect(&config.spec, table[i].slot, table[i].wanted);
    config_free(&config);
}

/* A command alone keeps what brood has; beside a config it has brood's standard input. */
static void commands(void **state) {
    (void)state;
    static char word[] = "a";
    static char *command[] = {word, NULL};
    static const char *const texts[] = {NULL, "[worker:web]\nstart = a\ntype = cluster\nlisten = tcp://*:80\n"};
    for (uint32_t i = 0; i < 2; i++) {
        struct config_input input = helper_input(texts[i], texts[i] ? strlen(texts[i]) : 0);
        struct config config;
        input.command = command;
        assert_int_equal(config_parse(&input, &config), 0);
        expect(&config.spec, (struct slot){SLOT_WORKER, i, 1}, "");
        config_free(&config);
    }
}

static void the_most(void **state) {
    (void)state;
    struct spec_group group = {.count = 1,
                               .type = TYPE_CLUSTER,
                               .listen.count = LISTEN_MAX,
                               .ready = READY_FD,
                               .ready_fd = 3 + LISTEN_MAX,
                               .output = OUTPUT_JSON};
    const struct spec spec = {.groups = &group, .groups_count = 1, .workers_count = 1, .command_group = -1};
    struct descriptors descriptors;
    descriptors_of(&spec, (struct slot){SLOT_WORKER, 0, 1}, &descriptors);
    assert_int_equal(descriptors.count, DESCRIPTORS_MAX);
    assert_int_equal(descriptors.sockets, LISTEN_MAX);
    assert_int_equal(descriptors.items[DESCRIPTORS_MAX - 2].number, 2 + LISTEN_MAX);
    assert_int_equal(descriptors.items[DESCRIPTORS_MAX - 2].socket, LISTEN_MAX - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_process),
        cmocka_unit_test(commands),
        cmocka_unit_test(the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
