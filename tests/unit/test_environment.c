/* init/environment.c: who gets which variables, made from real configs; what an env_file holds is put in by hand. */
#include "tests/unit/config_helper.h"

#include <errno.h>

#include "init/environment.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct world {
    struct config config;
    struct environment *environment;
    char error[512];
    int result;
};

static void parse(struct world *world, const char *text) {
    *world = (struct world){.environment = NULL};
    struct config_input input = helper_input(text, strlen(text));
    assert_int_equal(config_parse(&input, &world->config), 0);
    assert_int_equal(world->config.errors, 0);
}

/* own: brood's own environment, entries separated by |. It has to stay: the strings are borrowed. */
static void open_world(struct world *world, char *own) {
    static char *base[64];
    size_t count = 0;
    for (char *entry = own; entry[0] != '\0'; count++) {
        char *bar = strchr(entry, '|');
        base[count] = entry;
        entry = bar ? bar + 1 : entry + strlen(entry);
        if (bar)
            *bar = '\0';
    }
    base[count] = NULL;
    world->result = environment_open(&world->config.spec, base, &world->environment, world->error, sizeof world->error);
}

static void close_world(struct world *world) {
    environment_close(world->environment);
    config_free(&world->config);
}

static void expect(struct world *world, const struct environment_facts *facts, const char *wanted) {
    char text[2048] = "";
    size_t used = 0;
    for (char **entry = environment_of(world->environment, facts); *entry; entry++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "|" : "", *entry);
    assert_string_equal(text, wanted);
}

#define WORKER_OF(name, id, index, count)                                                                              \
    "WORKER_ID=" id "|WORKER_TYPE=childProcess|WORKER_NAME=" name "|WORKER_INDEX=" index "|WORKER_COUNT=" count

static const struct environment_facts of_primary = {.slot = {.kind = SLOT_PRIMARY}};
static const struct environment_facts of_worker = {.slot = {.kind = SLOT_WORKER, .index = 0}, .group = 0};

static void order_of_the_layers(void **state) {
    (void)state;
    struct world world;
    char own[] = "A=own|B=own|C=own|PATH=/bin";
    struct spec_variable file[] = {{.name = (char[]){"C"}, .value = (char[]){"${A} 'x'"}, .line = 1},
                                   {.name = (char[]){"D"}, .value = (char[]){"file"}, .line = 2},
                                   {.name = (char[]){"D"}, .value = (char[]){"last"}, .line = 3}};
    parse(&world, "[worker:web]\nstart = x\ncount = 2\nenv.D = <${D}${PATH}>\nenv.E = ${D}\nenv_file = /f\n"
                  "[worker:db]\nstart = x\n"
                  "[env]\nA = ${A}+env\nB\nPATH = /opt:${PATH}\nLATE = ${EARLY}.\nEARLY = \"\"\nDOLLAR = $A\n"
                  "[primary]\nstart = x\nenv.A =\nenv.EARLY = ${A}${UNSET}!\n");
    world.config.spec.groups[0].identity.environment.file_variables = file;
    world.config.spec.groups[0].identity.environment.file_count = COUNT(file);
    open_world(&world, own);
    assert_int_equal(world.result, 0);
    expect(&world, &of_worker,
           WORKER_OF("web", "0", "0", "2") "|A=own+env|C=${A} 'x'|PATH=/opt:/bin|LATE=.|EARLY=|DOLLAR=$A|"
                                           "D=<last/opt:/bin>|E=<last/opt:/bin>");
    const struct environment_facts of_db = {.slot = {.kind = SLOT_WORKER, .index = 2}, .group = 1};
    expect(&world, &of_db, WORKER_OF("db", "2", "0", "1") "|A=own+env|C=own|PATH=/opt:/bin|LATE=.|EARLY=|DOLLAR=$A");
    expect(&world, &of_primary, "C=own|PATH=/opt:/bin|LATE=.|EARLY=!|DOLLAR=$A");
    assert_string_equal(environment_get(world.environment, ENVIRONMENT_CONTAINER, "C"), "own");
    assert_null(environment_get(world.environment, ENVIRONMENT_CONTAINER, "D"));
    assert_null(environment_get(world.environment, ENVIRONMENT_PRIMARY, "A"));
    assert_string_equal(environment_get(world.environment, 0, "D"), "<last/opt:/bin>");
    close_world(&world);
}

/* What brood says to a worker wins over the same name from anywhere, and stands there once. */
static void variables_of_broods_own_win(void **state) {
    (void)state;
    struct world world;
    char own[] = "WORKER_ID=9|NOTIFY_SOCKET=/outer|LISTEN_FDS=1|WATCHDOG_PID=1|NODE_CHANNEL_FD=3|KEPT=1";
    parse(&world, "[worker:web]\nstart = x\nstop = y\nenv.WORKER_ID = 7\nenv.WORKER_PID = user\n"
                  "[env]\nNOTIFY_SOCKET = /env\nWORKER_NAME = env\nWORKER_IDS = 2\n");
    open_world(&world, own);
    assert_int_equal(world.result, 0);
    expect(&world, &of_worker,
           WORKER_OF("web", "0", "0", "1") "|KEPT=1|NOTIFY_SOCKET=/env|WORKER_IDS=2|WORKER_PID=user");
    struct environment_facts facts = of_worker;
    facts.notify_socket = "/brood";
    expect(&world, &facts, WORKER_OF("web", "0", "0", "1") "|NOTIFY_SOCKET=/brood|KEPT=1|WORKER_IDS=2|WORKER_PID=user");
    facts = (struct environment_facts){.slot = {.kind = SLOT_HOOK, .index = 0}, .group = 0, .worker_pid = 12};
    expect(&world, &facts, WORKER_OF("web", "0", "0", "1") "|WORKER_PID=12|KEPT=1|NOTIFY_SOCKET=/env|WORKER_IDS=2");
    facts = (struct environment_facts){
        .slot = {.kind = SLOT_HOOK, .index = 0}, .group = 0, .ending = {.kind = ENDING_EXITED, .number = 3}};
    expect(
        &world, &facts,
        WORKER_OF("web", "0", "0", "1") "|WORKER_EXIT_STATUS=3|KEPT=1|NOTIFY_SOCKET=/env|WORKER_IDS=2|WORKER_PID=user");
    close_world(&world);
}

static void command_alone_gets_everything(void **state) {
    (void)state;
    char word[] = "x", own[] = "NOTIFY_SOCKET=/outer|odd|A=1|A=2|WORKER_ID=9";
    char *command[] = {word, NULL};
    struct world world = {.environment = NULL};
    const struct config_input input = {
        .command = command, .grace = MSEC_NEVER, .cpus = 1, .sigrtmin = 34, .sigrtmax = 64};
    assert_int_equal(config_parse(&input, &world.config), 0);
    open_world(&world, own);
    assert_int_equal(world.result, 0);
    expect(&world, &of_worker, "NOTIFY_SOCKET=/outer|odd|A=1|A=2|WORKER_ID=9");
    close_world(&world);
}

static void each_is_wrapped_by_itself(void **state) {
    (void)state;
    struct world world;
    char own[] = "PATH=/bin";
    parse(&world, "[worker:web]\nstart = x\n[worker:db]\nstart = x\nenv.PATH = \"\"\nenv.LD_PRELOAD = a.so\n"
                  "[primary]\nstart = x\n");
    open_world(&world, own);
    assert_int_equal(world.result, 0);
    assert_int_equal(environment_wrap(world.environment, 1, "/s/1", "/s/l.so"), 0);
    assert_int_equal(environment_wrap(world.environment, ENVIRONMENT_PRIMARY, "/s/p", NULL), 0);
    assert_int_equal(environment_wrap(world.environment, 1, "/s/1", "/s/l.so"), 0);
    expect(&world, &of_worker, WORKER_OF("web", "0", "0", "1") "|PATH=/bin");
    const struct environment_facts of_db = {.slot = {.kind = SLOT_WORKER, .index = 1}, .group = 1};
    expect(&world, &of_db,
           WORKER_OF("db", "1", "0", "1") "|PATH=/s/1:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|"
                                          "LD_PRELOAD=a.so:/s/l.so");
    expect(&world, &of_primary, "PATH=/s/p:/bin");
    assert_int_equal(environment_wrap(world.environment, 0, "/s/0", "/s/l.so"), 0);
    expect(&world, &of_worker, WORKER_OF("web", "0", "0", "1") "|PATH=/s/0:/bin|LD_PRELOAD=/s/l.so");
    assert_string_equal(environment_get(world.environment, ENVIRONMENT_CONTAINER, "PATH"), "/bin");
    close_world(&world);
}

static void what_grows_without_end_is_named(void **state) {
    (void)state;
    struct world world;
    char own[] = "A=0123456789", text[4096] = "[worker:web]\nstart = x\n[env]\nB = ${A}\n";
    for (int i = 0; i < 20; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "B%d = ${%s%.0d}${%s%.0d}\n", i + 1, "B", i, "B", i);
    parse(&world, text);
    open_world(&world, own);
    assert_int_equal(world.result, -E2BIG);
    assert_null(world.environment);
    assert_string_equal(world.error, "[env] B14 on line 18 is longer than 131071 bytes once it is expanded, no program "
                                     "can be given it; shorten it");
    close_world(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_the_layers),
        cmocka_unit_test(variables_of_broods_own_win),
        cmocka_unit_test(command_alone_gets_everything),
        cmocka_unit_test(each_is_wrapped_by_itself),
        cmocka_unit_test(what_grows_without_end_is_named),
    };
    return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
