/* One file with every key, field by field; the defaults; and
 * files at the limits, which have to be read in no time. */
#include "tests/unit/config_helper.h"

#include <time.h>

#include "supervisor/signals.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char everything[] = "# A shop, with all that brood can be told.\n"
                                 "[supervisor]\n"
                                 "grace = 25s               ; of 30 that the orchestrator gives\n"
                                 "finish_grace = 3s\n"
                                 "log_level = debug\n"
                                 "log_format = json\n"
                                 "control = \"/run/shop.sock\"\n"
                                 "on_second_signal = ignore\n"
                                 "\n"
                                 "[signals]\n"
                                 "INT = forward\n"
                                 "SIGHUP = stop\n"
                                 "USR1 = forward WINCH\n"
                                 "USR2 = forward:web\n"
                                 "WINCH = ignore\n"
                                 "RTMIN+2 = reload\n"
                                 "\n"
                                 "[env]\n"
                                 "NODE_ENV = production\n"
                                 "PATH = /opt/shop/bin:${PATH}\n"
                                 "DEBUG\n"
                                 "EMPTY = ''\n"
                                 "\n"
                                 "[primary]\n"
                                 "start = /opt/shop/migrate --wait 'a b'\n"
                                 "stop = /opt/shop/cleanup\n"
                                 "user = shop\n"
                                 "working_directory = /opt/shop\n"
                                 "env.PGHOST = db\n"
                                 "env_file = /etc/shop.env\n"
                                 "\n"
                                 "[worker:db]\n"
                                 "start = postgres -D /data\n"
                                 "ready = tcp:localhost:5432\n"
                                 "kill_after_completed = no\n"
                                 "\n"
                                 "[worker:web]\n"
                                 "start = node server.js\n"
                                 "count = auto\n"
                                 "type = cluster\n"
                                 "listen = tcp://0.0.0.0:8080, tcp://[::]:8080, unix:/run/shop.web\n"
                                 "stop = /opt/shop/drain\n"
                                 "ready = exec:curl -fs 'http://localhost/;x' ; is it up?\n"
                                 "startup_timeout = 90s\n"
                                 "kill_after_completed = true\n"
                                 "grace = 20s\n"
                                 "stop_signal = SIGQUIT\n"
                                 "stop_to = leader\n"
                                 "restart = always\n"
                                 "restart_delay = 250ms..8s\n"
                                 "stable_after = 1m\n"
                                 "restart_limit = 7/2m\n"
                                 "success_status = 0, 143, 255, SIGTERM, INT\n"
                                 "on_failure = continue\n"
                                 "on_success = shutdown\n"
                                 "after = db, queue\n"
                                 "check = tcp:[::1]:8080\n"
                                 "check_interval = 5s\n"
                                 "check_timeout = 500ms\n"
                                 "check_failures = 2\n"
                                 "every = 24h\n"
                                 "lifetime = 6h\xc2\xb1"
                                 "30m\n"
                                 "watchdog = 45s\n"
                                 "user = 1000\n"
                                 "group = www\n"
                                 "groups = www, 33\n"
                                 "umask = 027\n"
                                 "nice = -5\n"
                                 "oom_score_adj = 500\n"
                                 "capabilities = !cap_sys_admin,^cap_net_bind_service\n"
                                 "no_new_privileges = on\n"
                                 "limit_nofile = 1024:65536\n"
                                 "limit_core = unlimited\n"
                                 "working_directory = '/srv/my shop'\n"
                                 "env.PORT = 8080\n"
                                 "env.NODE_OPTIONS\n"
                                 "env_file = /etc/web.env\n"
                                 "stdin = inherit\n"
                                 "output = json\n"
                                 "\n"
                                 "[worker:queue]\n"
                                 "start = redis-server\n"
                                 "ready = fd:5\n"
                                 "output = null\n"
                                 "\n"
                                 "[wrap:coverage]\n"
                                 "programs = node, /usr/bin/nodejs\n"
                                 "wrapper = /cov/wrapper.mjs\n"
                                 "data = {\"dir\": \"/cov ; out\"}\n"
                                 "same_process = no\n"
                                 "shim_root = /run/shims\n"
                                 "reach = path\n"
                                 "workers = web, queue\n"
                                 "[wrap:mock]\n"
                                 "wrapper = /mock.cjs\n";

static void expect_globals(const struct spec *spec) {
    assert_int_equal(spec->grace, 25000);
    assert_int_equal(spec->finish_grace, 3000);
    assert_int_equal(spec->log_level, LOG_DEBUG);
    assert_int_equal(spec->log_format, LOG_JSON);
    assert_string_equal(spec->control, "/run/shop.sock");
    assert_false(spec->kill_on_second_signal);
    assert_int_equal(spec->signals[SIGNAL_INT].policy, SIGNAL_FORWARD);
    assert_int_equal(spec->signals[SIGNAL_HUP].policy, SIGNAL_STOP);
    assert_int_equal(spec->signals[SIGNAL_USR1].policy, SIGNAL_FORWARD);
    assert_int_equal(spec->signals[SIGNAL_USR1].number, SIGNAL_WINCH);
    assert_int_equal(spec->signals[SIGNAL_USR1].group, -1);
    assert_int_equal(spec->signals[SIGNAL_USR2].policy, SIGNAL_FORWARD);
    assert_int_equal(spec->signals[SIGNAL_USR2].number, SIGNAL_USR2);
    assert_int_equal(spec->signals[SIGNAL_USR2].group, 1);
    assert_int_equal(spec->signals[36].policy, SIGNAL_RELOAD);
    const struct spec_environment *environment = &spec->environment;
    assert_int_equal(environment->count, 4);
    assert_string_equal(environment->variables[1].value, "/opt/shop/bin:${PATH}");
    assert_null(environment->variables[2].value);
    assert_string_equal(environment->variables[3].value, "");
    const struct spec_primary *primary = &spec->primary;
    assert_int_equal(primary->line, 24);
    assert_int_equal(primary->start.argc, 3);
    assert_string_equal(primary->start.argv[2], "a b");
    assert_int_equal(primary->start.line, 25);
    assert_int_equal(primary->stop.argc, 1);
    assert_string_equal(primary->identity.user, "shop");
    assert_string_equal(primary->identity.working_directory, "/opt/shop");
    assert_string_equal(primary->identity.environment.variables[0].name, "PGHOST");
    assert_string_equal(primary->identity.environment.file, "/etc/shop.env");
    assert_int_equal(primary->identity.environment.file_line, 30);
    assert_int_equal(primary->identity.environment.file_count, 0);
    assert_int_equal(primary->identity.umask, -1);
}

static void expect_web(const struct spec_group *web) {
    assert_string_equal(web->name, "web");
    assert_int_equal(web->line, 37);
    assert_int_equal(web->count, 3);
    assert_int_equal(web->first_worker, 1);
    assert_int_equal(web->type, TYPE_CLUSTER);
    assert_int_equal(web->listen.count, 3);
    assert_string_equal(web->listen.items[1], "tcp://[::]:8080");
    assert_int_equal(web->sockets[1].kind, LISTEN_TCP);
    assert_string_equal(web->sockets[1].address, "[::]:8080");
    assert_true(web->sockets[1].ipv6only);
    assert_int_equal(web->sockets[2].kind, LISTEN_UNIX);
    assert_string_equal(web->sockets[2].address, "/run/shop.web");
    assert_int_equal(web->sockets[2].mode, 0666);
    assert_string_equal(web->stop.argv[0], "/opt/shop/drain");
    assert_int_equal(web->ready, READY_EXEC);
    assert_int_equal(web->ready_command.argc, 3);
    assert_string_equal(web->ready_command.argv[2], "http://localhost/;x");
    assert_int_equal(web->startup_timeout, 90000);
    assert_true(web->kill_after_completed);
    assert_int_equal(web->grace, 20000);
    assert_int_equal(web->stop_signal, SIGNAL_QUIT);
    assert_int_equal(web->stop_to, STOP_TO_LEADER);
    assert_int_equal(web->restart, RESTART_ALWAYS);
    assert_int_equal(web->delay_first, 250);
    assert_int_equal(web->delay_last, 8000);
    assert_int_equal(web->stable_after, 60000);
    assert_int_equal(web->limit_failures, 7);
    assert_int_equal(web->limit_window, 120000);
    assert_int_equal(web->success.codes[0], 1);
    assert_int_equal(web->success.codes[2], UINT64_C(1) << 15);
    assert_true(web->success.codes[3] == UINT64_C(1) << 63);
    assert_int_equal(web->success.signals, (1u << SIGNAL_TERM) | (1u << SIGNAL_INT));
    assert_false(web->shutdown_on_failure);
    assert_true(web->shutdown_on_success);
    assert_int_equal(web->after_count, 2);
    assert_int_equal(web->after[0], 0);
    assert_int_equal(web->after[1], 2);
    assert_int_equal(web->before_count, 0);
    assert_int_equal(web->check, CHECK_TCP);
    assert_string_equal(web->check_text, "[::1]:8080");
    assert_int_equal(web->check_interval, 5000);
    assert_int_equal(web->check_timeout, 500);
    assert_int_equal(web->check_failures, 2);
    assert_int_equal(web->every, 24 * 3600 * 1000);
    assert_int_equal(web->lifetime, 6 * 3600 * 1000);
    assert_int_equal(web->lifetime_spread, 30 * 60 * 1000);
    assert_int_equal(web->watchdog, 45000);
    assert_int_equal(web->stdin_from, STDIN_INHERIT);
    assert_int_equal(web->output, OUTPUT_JSON);
}

static void expect_identity(const struct spec_identity *identity) {
    assert_string_equal(identity->user, "1000");
    assert_string_equal(identity->group, "www");
    assert_int_equal(identity->groups.count, 2);
    assert_string_equal(identity->groups.items[1], "33");
    assert_int_equal(identity->umask, 027);
    assert_true(identity->has_nice);
    assert_int_equal(identity->nice, -5);
    assert_true(identity->has_oom_score_adj);
    assert_int_equal(identity->oom_score_adj, 500);
    assert_string_equal(identity->capabilities, "!cap_sys_admin,^cap_net_bind_service");
    assert_true(identity->no_new_privileges);
    assert_int_equal(identity->limits_count, 2);
    assert_string_equal(identity->limits[0].name, "nofile");
    assert_int_equal(identity->limits[0].soft, 1024);
    assert_int_equal(identity->limits[0].hard, 65536);
    assert_true(identity->limits[1].soft == UINT64_MAX && identity->limits[1].hard == UINT64_MAX);
    assert_string_equal(identity->working_directory, "/srv/my shop");
    assert_int_equal(identity->environment.count, 2);
    assert_string_equal(identity->environment.variables[0].value, "8080");
    assert_null(identity->environment.variables[1].value);
    assert_string_equal(identity->environment.file, "/etc/web.env");
}

static void every_key(void **state) {
    (void)state;
    struct config_input input = helper_input(everything, sizeof(everything) - 1);
    struct config config;
    assert_int_equal(config_parse(&input, &config), 0);
    char *faults = helper_faults(&config);
    assert_string_equal(faults, "");
    free(faults);
    const struct spec *spec = &config.spec;
    expect_globals(spec);
    assert_int_equal(spec->groups_count, 3);
    assert_int_equal(spec->workers_count, 5);
    assert_int_equal(spec->command_group, -1);
    assert_int_equal(spec->groups[0].ready, READY_TCP);
    assert_string_equal(spec->groups[0].ready_text, "localhost:5432");
    assert_int_equal(spec->groups[0].before_count, 1);
    assert_int_equal(spec->groups[0].before[0], 1);
    expect_web(&spec->groups[1]);
    expect_identity(&spec->groups[1].identity);
    assert_int_equal(spec->groups[2].first_worker, 4);
    assert_int_equal(spec->groups[2].ready, READY_FD);
    assert_int_equal(spec->groups[2].ready_fd, 5);
    assert_int_equal(spec->groups[2].output, OUTPUT_NULL);
    assert_int_equal(spec->wraps_count, 2);
    const struct spec_wrap *wrap = &spec->wraps[0];
    assert_string_equal(wrap->name, "coverage");
    assert_string_equal(wrap->programs.items[1], "/usr/bin/nodejs");
    assert_string_equal(wrap->wrapper, "/cov/wrapper.mjs");
    assert_string_equal(wrap->data, "{\"dir\": \"/cov ; out\"}");
    assert_string_equal(wrap->shim_root, "/run/shims");
    assert_false(wrap->same_process);
    assert_int_equal(wrap->reach, REACH_PATH);
    assert_int_equal(wrap->groups_count, 2);
    assert_int_equal(wrap->groups[1], 2);
    assert_int_equal(wrap->wrapper_line - wrap->line, 2);
    assert_int_equal(wrap->data_line - wrap->line, 3);
    wrap = &spec->wraps[1];
    assert_int_equal(wrap->reach_line, 0);
    assert_int_equal(wrap->programs.count, 1);
    assert_string_equal(wrap->programs.items[0], "node");
    assert_null(wrap->data);
    assert_string_equal(wrap->shim_root, "/run/shims");
    assert_true(wrap->same_process);
    assert_int_equal(wrap->reach, REACH_PRELOAD);
    config_free(&config);
}

static void expect_default_signals(const struct spec *spec) {
    static const int ignored[] = {0,           SIGNAL_KILL, SIGNAL_SIGSTOP, SIGNAL_CHLD, SIGNAL_WINCH, SIGNAL_TSTP,
                                  SIGNAL_TTIN, SIGNAL_TTOU, SIGNAL_PIPE,    SIGNAL_URG,  SIGNAL_IO};
    for (int i = 0; i < SIGNALS_END; i++) {
        enum signal_policy expected = SIGNAL_FORWARD;
        for (size_t j = 0; j < COUNT(ignored); j++)
            expected = ignored[j] == i ? SIGNAL_IGNORE : expected;
        if (i == SIGNAL_TERM || i == SIGNAL_INT || i == SIGNAL_QUIT)
            expected = SIGNAL_STOP;
        if (i == SIGNAL_HUP)
            expected = SIGNAL_RELOAD;
        assert_int_equal(spec->signals[i].policy, expected);
        assert_int_equal(spec->signals[i].number, i);
        assert_int_equal(spec->signals[i].group, -1);
    }
}

static void defaults(void **state) {
    (void)state;
    static const char text[] = "[worker:web]\nstart = x\n";
    struct config_input input = helper_input(text, sizeof(text) - 1);
    struct config config;
    input.accept_unbuilt = false;
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.faults_count, 0);
    const struct spec *spec = &config.spec;
    assert_int_equal(spec->grace, 10000);
    assert_int_equal(spec->finish_grace, 10000);
    assert_true(spec->kill_on_second_signal);
    assert_int_equal(spec->log_level, LOG_INFO);
    assert_int_equal(spec->log_format, LOG_TEXT);
    assert_null(spec->control);
    assert_int_equal(spec->primary.line, 0);
    assert_int_equal(spec->primary.start.argc, 0);
    assert_false(spec->command_only);
    expect_default_signals(spec);
    const struct spec_group *group = &spec->groups[0];
    assert_int_equal(group->count, 1);
    assert_int_equal(group->type, TYPE_CHILD_PROCESS);
    assert_int_equal(group->ready, READY_NONE);
    assert_true(group->startup_timeout == MSEC_NEVER);
    assert_true(group->grace == MSEC_NEVER);
    assert_int_equal(group->stop_signal, 0);
    assert_int_equal(group->stop_to, STOP_TO_GROUP);
    assert_int_equal(group->restart, RESTART_ON_FAILURE);
    assert_int_equal(group->delay_first, 100);
    assert_int_equal(group->delay_last, 30000);
    assert_int_equal(group->stable_after, 10000);
    assert_int_equal(group->limit_failures, 10);
    assert_int_equal(group->limit_window, 300000);
    assert_int_equal(group->success.codes[0], 1);
    assert_int_equal(group->success.signals, 0);
    assert_true(group->shutdown_on_failure);
    assert_false(group->shutdown_on_success);
    assert_int_equal(group->check, CHECK_NONE);
    assert_int_equal(group->check_interval, 10000);
    assert_int_equal(group->check_timeout, 2000);
    assert_int_equal(group->check_failures, 3);
    assert_int_equal(group->stdin_from, STDIN_NULL);
    assert_int_equal(group->output, OUTPUT_INHERIT);
    assert_null(group->identity.working_directory);
    assert_int_equal(group->identity.umask, -1);
    config_free(&config);
}

/* --- at the limits ------------------------------------------------------------------------------------------------ */

/* Parses what the stream was given, within two seconds of CPU time: far more than any of these takes, far less than
 * anything quadratic would. Returns the number of errors. */
static uint32_t parse_stream(FILE *stream, char **text, size_t *size, struct config *config) {
    assert_int_equal(fclose(stream), 0);
    struct config_input input = helper_input(*text, *size);
    clock_t start = clock();
    assert_int_equal(config_parse(&input, config), 0);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("%zu bytes: %.0f ms\n", *size, seconds * 1000);
    const char *slower = getenv("SLOWER"); /* how many times a machine is, an emulator for one */
    assert_true(seconds < 2 * (slower ? strtod(slower, NULL) : 1));
    free(*text);
    return config->errors;
}

static void all_groups_after_all_before_them(void **state) {
    (void)state;
    char *text;
    size_t size;
    struct config config;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; i < GROUPS_MAX; i++) {
        (void)fprintf(stream, "[worker:group-with-a-long-name-%d]\nstart = x\ncount = 20\n", i);
        for (int j = 0; j < i; j++)
            (void)fprintf(stream, "%sgroup-with-a-long-name-%d%s", j == 0 ? "after = " : ", ", j,
                          j == i - 1 ? "\n" : "");
    }
    assert_int_equal(parse_stream(stream, &text, &size, &config), 0);
    assert_int_equal(config.spec.workers_count, WORKERS_MAX);
    assert_int_equal(config.spec.groups[GROUPS_MAX - 1].after_count, GROUPS_MAX - 1);
    assert_int_equal(config.spec.groups[0].before_count, GROUPS_MAX - 1);
    assert_int_equal(config.spec.groups[250].first_worker, 5000);
    config_free(&config);
}

static void one_cycle_through_all(void **state) {
    (void)state;
    char *text;
    size_t size;
    struct config config;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; i < GROUPS_MAX; i++)
        (void)fprintf(stream, "[worker:g%d]\nstart = x\nafter = g%d\n", i, (i + 1) % GROUPS_MAX);
    assert_int_equal(parse_stream(stream, &text, &size, &config), 1);
    assert_string_equal(config.faults[0].text,
                        "[worker:g499] after: a cycle, g0 -> g1 -> g2 -> g3 -> g4 -> g5 -> g6 -> g7 "
                        "-> \xe2\x80\xa6 -> g0; remove one of them");
    config_free(&config);
}

static void too_many_groups(void **state) {
    (void)state;
    char *text;
    size_t size;
    struct config config;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; i < 50000; i++)
        (void)fprintf(stream, "[worker:g%d]\nstart = x\nafter = g49999, nobody-%d\n", i, i);
    (void)parse_stream(stream, &text, &size, &config);
    assert_int_equal(config.faults_count, FAULTS_MAX < GROUPS_MAX ? FAULTS_MAX + 1 : GROUPS_MAX + 1);
    assert_string_equal(config.faults[GROUPS_MAX].text,
                        "[worker:g500] more than 500 groups; merge some into one with a larger count");
    assert_int_equal(config.faults[GROUPS_MAX].line, 1501);
    config_free(&config);
}

/* A megabyte in one line, in one list, in one quote, in variables, in faults. */
static void megabytes(void **state) {
    (void)state;
    enum { MEGABYTE = 1 << 20 };
    char *text;
    size_t size;
    struct config config;
    FILE *stream = open_memstream(&text, &size);
    (void)fprintf(stream, "[worker:a]\nstart = '");
    for (int i = 0; i < MEGABYTE / 2; i++)
        (void)fprintf(stream, " ;");
    (void)fprintf(stream, "'\n");
    assert_int_equal(parse_stream(stream, &text, &size, &config), 0);
    assert_int_equal(strlen(config.spec.groups[0].start.argv[0]), MEGABYTE);
    config_free(&config);

    stream = open_memstream(&text, &size);
    (void)fprintf(stream, "[worker:a]\nstart = a\nafter = x");
    for (int i = 0; i < MEGABYTE / 8; i++)
        (void)fprintf(stream, ", n%d", i);
    assert_int_equal(parse_stream(stream, &text, &size, &config), MEGABYTE / 8 + 1);
    config_free(&config);

    stream = open_memstream(&text, &size);
    (void)fprintf(stream, "[worker:a]\nstart = a\n[env]\n");
    for (int i = 0; i < MEGABYTE / 10; i++)
        (void)fprintf(stream, "V%d = %d\n", i, i);
    assert_int_equal(parse_stream(stream, &text, &size, &config), 0);
    assert_int_equal(config.spec.environment.count, MEGABYTE / 10);
    assert_string_equal(config.spec.environment.variables[77777].value, "77777");
    config_free(&config);

    stream = open_memstream(&text, &size);
    for (int i = 0; i < MEGABYTE; i++)
        (void)fputc(i % 16 == 15 ? '\n' : '[', stream);
    assert_int_equal(parse_stream(stream, &text, &size, &config), 2 * MEGABYTE / 16);
    config_free(&config);
}

static void no_delay_can_be_doubled(void **state) {
    (void)state;
    static const char text[] = "[worker:a]\nstart = x\nrestart_delay = 0\n"
                               "[worker:b]\nstart = x\nrestart_delay = 0..8ms\n";
    struct config_input input = helper_input(text, sizeof(text) - 1);
    struct config config;
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.faults_count, 0);
    assert_int_equal(config.spec.groups[0].delay_first, 1);
    assert_int_equal(config.spec.groups[0].delay_last, 1);
    assert_int_equal(config.spec.groups[1].delay_first, 1);
    assert_int_equal(config.spec.groups[1].delay_last, 8);
    config_free(&config);
}

static void too_large_a_file(void **state) {
    (void)state;
    struct config_input input = helper_input("", (size_t)CONFIG_BYTES_MAX + 1); /* not one byte of it is read */
    struct config config;
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.errors, 1);
    assert_string_equal(config.faults[0].text,
                        "the file is larger than 64 MiB; surely it is not the config that was meant");
    config_free(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key),
        cmocka_unit_test(defaults),
        cmocka_unit_test(no_delay_can_be_doubled),
        cmocka_unit_test(all_groups_after_all_before_them),
        cmocka_unit_test(one_cycle_through_all),
        cmocka_unit_test(too_many_groups),
        cmocka_unit_test(megabytes),
        cmocka_unit_test(too_large_a_file),
    };
    return cmocka_run_group_tests_name("config as a whole", tests, NULL, NULL);
}
