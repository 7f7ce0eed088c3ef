/* The grammar of brood.ini, sections against each other, the defaults, and what
 * becomes of a COMMAND. The keys one by one are in test_config_keys.c, all of
 * them together in test_config_whole.c. */
#include "tests/unit/config_helper.h"

#include "supervisor/signals.h"

#define WEB "[worker:web]\nstart = x\n"
#define MODULE(programs) WEB "[wrap:a]\nprograms = " programs "\nwrapper = /w.cjs\n"
#define EXECUTABLE(name) "[wrap:" name "]\nwrapper = /w\n"
#define OTHER(name) "[wrap:" name "]\nwrapper = /w.js\nsame_process = no\n"
#define SAME(name) "[wrap:" name "]\nwrapper = /w.js\n"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A text and all its faults. */
static const struct {
    const char *text;
    const char *faults;
} rows[] = {
    /* Nothing to run. */
    {"", "0: error: nothing to run: add a [worker:NAME] or [primary] section, or give a COMMAND behind --\n"},
    {"; nothing\n",
     "0: error: nothing to run: add a [worker:NAME] or [primary] section, or give a COMMAND behind --\n"},
    {"[supervisor]\n\xef\xbb\xbfgrace = 1s\n",
     "0: error: nothing to run: add a [worker:NAME] or [primary] section, or give a COMMAND behind --\n"
     "2: error: [supervisor] \xef\xbb\xbfgrace: unknown key; did you mean \"grace\"?\n"},
    {"[primary]\nstop = x\n", ""},

    /* Lines. */
    {WEB, ""},
    {"[worker:web]\r\nstart = x\r\ngrace = 1s\r\n", ""},
    {"\xef\xbb\xbf[worker:web]\nstart = x", ""},
    {"  [worker:web] ; a comment\n\t start=x\n \t\n\t# grace = x\n ; = [\n", ""},
    {WEB "  count = 2\n  grace = 1s\n", ""},
    {WEB "count : 2\n", "3: error: [worker:web] count : 2: unknown key; brood.ini(5) lists those of [worker:NAME]\n"},
    {WEB "count:x = 2\n", "3: error: [worker:web] count:x: unknown key; did you mean \"count\"?\n"},
    {WEB "= 2\n", "3: error: [worker:web] the line begins with =; write KEY = VALUE\n"},
    {WEB "count\n", "3: error: [worker:web] count: has no value; write count = VALUE\n"},
    {WEB "count ; = 2\n", "3: error: [worker:web] count: has no value; write count = VALUE\n"},
    {WEB "count = ; 2\n", "3: error: [worker:web] count: has no value; write one or remove the line\n"},
    {WEB "count = 2;\n", "3: error: [worker:web] count: \"2;\" is not a count; write 1 to 10000, or auto\n"},
    {WEB "count = 2\t; two\n", ""},
    {WEB "working_directory = \"/a\" b\n",
     "3: error: [worker:web] working_directory: \"/a\" b: something follows the closing quote; put it inside, or a "
     "comment behind a blank and ;\n"},
    {WEB "Count = 2\n", "3: error: [worker:web] Count: unknown key; did you mean \"count\"?\n"},
    {WEB "gracee = 1s\ngrcae = 1s\nport = 80\n",
     "3: error: [worker:web] gracee: unknown key; did you mean \"grace\"?\n"
     "4: error: [worker:web] grcae: unknown key; did you mean \"grace\"?\n"
     "5: error: [worker:web] port: unknown key; brood.ini(5) lists those of [worker:NAME]\n"},
    {WEB "count = 1\n\ncount = x\n",
     "5: error: [worker:web] count: given twice, first on line 3; remove one of them\n"},
    {WEB "env.A = 1\nenv.A = 2\n", "4: error: [worker:web] env.A: given twice, first on line 3; remove one of them\n"},
    {WEB "[signals]\nTERM = stop\nSIGTERM = stop\n",
     "5: error: [signals] SIGTERM: given twice, first on line 4; remove one of them\n"},
    {"grace = 1s\n" WEB,
     "1: error: grace: stands before the first section; put it below [supervisor], [worker:NAME] or another one\n"},
    {WEB "caf\xc3\xa9 = 1\n\xff = 1\n",
     "3: error: [worker:web] caf\xc3\xa9: unknown key; brood.ini(5) lists those of [worker:NAME]\n"
     "4: error: [worker:web] \\xff: unknown key; brood.ini(5) lists those of [worker:NAME]\n"},

    /* Control bytes. */
    {"[worker:web]\nstart = a\x01 b\n",
     "2: error: [worker:web] start: control byte \\x01 at byte 10 of the line; remove it\n"},
    {WEB "co\x7funt = 1\n", "3: error: control byte \\x7f at byte 3 of the line; remove it\n"},
    {WEB "; \x1f\n", "3: error: control byte \\x1f at byte 3 of the line; remove it\n"},
    {WEB "grace = 1s\r \n", "3: error: [worker:web] grace: control byte \\x0d at byte 11 of the line; remove it\n"},
    {WEB "[wor\x1bker:b]\nanything = 1\n", "3: error: control byte \\x1b at byte 5 of the line; remove it\n"},

    /* Sections. */
    {"[worker:web]\n", "1: error: [worker:web] start: missing; write start = COMMAND\n"},
    {"[worker:web]\n[worker:db]\ncount = 2\n", "1: error: [worker:web] start: missing; write start = COMMAND\n"
                                               "2: error: [worker:db] start: missing; write start = COMMAND\n"},
    {"[worker:web]\nstart = '\n",
     "2: error: [worker:web] start: ': a quote is not closed; close it, or write \\ before it\n"},
    {"[primary]\nworking_directory = /\n",
     "1: error: [primary] start, stop: both are missing; write start = COMMAND or stop = COMMAND\n"},
    {WEB "[wrap:a]\n", "3: error: [wrap:a] wrapper: missing; write wrapper = PATH\n"},
    {WEB "[supervisor]\n[signals]\n[env]\n", ""},
    {WEB WEB, "3: error: [worker:web] given twice, first on line 1; put its keys there\n"},
    {WEB "[worker:web]\ncuont = 3\n", "3: error: [worker:web] given twice, first on line 1; put its keys there\n"
                                      "4: error: [worker:web] cuont: unknown key; did you mean \"count\"?\n"},
    {WEB "[supervisor]\ngrace = 1s\n[supervisor]\ngrace = 2s\n",
     "5: error: [supervisor] given twice, first on line 3; put its keys there\n"},
    {WEB "[env]\n[env]\n", "4: error: [env] given twice, first on line 3; put its keys there\n"},
    {WEB "[wrap:a]\nwrapper=/x\n[wrap:a]\n", "5: error: [wrap:a] given twice, first on line 3; put its keys there\n"},
    {"[wokrer:web]\nstart = x\nrubbish\n", "1: error: [wokrer:web] unknown section; did you mean [worker:web]?\n"},
    {WEB "[Worker:a]\n", "3: error: [Worker:a] unknown section; did you mean [worker:a]?\n"},
    {WEB "[ worker:a]\n", "3: error: [ worker:a] unknown section; did you mean [worker:a]?\n"},
    {WEB "[superviser]\n", "3: error: [superviser] unknown section; did you mean [supervisor]?\n"},
    {WEB "[supervisor:a]\n", "3: error: [supervisor:a] unknown section; did you mean [supervisor]?\n"},
    {WEB "[program:a]\n",
     "3: error: [program:a] unknown section; there are [supervisor], [signals], [env], [primary], [worker:NAME] and "
     "[wrap:NAME]\n"},
    {WEB "[]\n", "3: error: [] unknown section; there are [supervisor], [signals], [env], [primary], [worker:NAME] and "
                 "[wrap:NAME]\n"},
    {WEB "[worker]\nstart = x\n", "3: error: [worker] has no name; write [worker:NAME]\n"},
    {WEB "[wrap:]\nwrapper = x\n", "3: error: [wrap:] has no name; write [wrap:NAME]\n"},
    {WEB "[worker:a b]\nstart = x\ncount = x\n",
     "3: error: [worker:a b] not a name; write a letter or digit and then up to 31 of a-z A-Z 0-9 . _ -\n"
     "5: error: [worker:a b] count: \"x\" is not a count; write 1 to 10000, or auto\n"},
    {WEB "[worker:-a]\nstart = x\n",
     "3: error: [worker:-a] not a name; write a letter or digit and then up to 31 of a-z A-Z 0-9 . _ -\n"},
    {"[worker:0123456789abcdefghijklmnopqrstuv]\nstart = x\n", ""},
    {WEB "[worker:0123456789abcdefghijklmnopqrstuvw]\nstart = x\n",
     "3: error: [worker:0123456789abcdefghijklmnopqrstuvw] not a name; write a letter or digit and then up to 31 of "
     "a-z "
     "A-Z 0-9 . _ -\n"},
    {WEB "[worker:main]\nstart = x\n",
     "3: error: [worker:main] the name is reserved for brood's own use; choose another one\n"},
    {WEB "[worker:primary]\nstart = x\n",
     "3: error: [worker:primary] the name is reserved for brood's own use; choose another one\n"},
    {"[worker:web\nstart = x\n", "1: error: [worker:web is not closed; write [worker:web]\n"},
    {"[worker:web]x\nstart = x\n",
     "1: error: \"x\" follows the section's name; put it on a line of its own, a comment behind a blank and ;\n"},

    /* after. */
    {"[worker:a]\nstart=x\nafter=b\n[worker:b]\nstart=x\nafter=c\n[worker:c]\nstart=x\nafter=a\n",
     "9: error: [worker:c] after: a cycle, a -> b -> c -> a; remove one of them\n"},
    {"[worker:a]\nstart=x\nafter=b\n[worker:b]\nstart=x\nafter=a,c\n[worker:c]\nstart=x\nafter=b\n",
     "6: error: [worker:b] after: a cycle, a -> b -> a; remove one of them\n"},
    {"[worker:a]\nstart=x\nafter=b, b\n[worker:b]\nstart=x\n",
     "3: error: [worker:a] after: \"b\" stands in the list twice; remove one\n"},

    /* Totals. */
    {"[worker:a]\nstart=x\ncount=9999\n[worker:b]\nstart=x\n", ""},
    {"[worker:a]\nstart=x\ncount=10000\n[worker:b]\nstart=x\n[worker:c]\nstart=x\n",
     "4: error: [worker:b] count: this makes 10001 workers in all, of at most 10000; lower a count\n"},

    /* Warnings. */
    {WEB "startup_timeout = 5s\n", "3: warning: [worker:web] startup_timeout: means nothing with ready = none; remove "
                                   "it, or write how it gets ready\n"},
    {WEB "startup_timeout = 5s\nready = x\n",
     "4: error: [worker:web] ready: \"x\" is not a value of it; write none, notify, fd:N, tcp:HOST:PORT, unix:PATH, "
     "file:PATH or exec:COMMAND\n"},
    {WEB "startup_timeout = 0\n", ""},
    {WEB "grace = 11s\n", "3: warning: [worker:web] grace: longer than the container's, which ends it; raise "
                          "[supervisor] grace or lower it\n"},
    {WEB "grace = 10s\n", ""},
    {WEB "grace = 11s\n[supervisor]\ngrace = 12s\n", ""},
    {WEB "restart_delay = 1s..60s\nrestart_limit = 3/5m\n",
     "4: warning: [worker:web] restart_limit: comes before the longest delay of restart_delay; raise it, or end the "
     "delays earlier\n"},
    {WEB "restart_delay = 1ms..60s\n",
     "3: warning: [worker:web] restart_limit: comes before the longest delay of restart_delay; raise it, or end the "
     "delays earlier\n"},
    {WEB "restart_delay = 1s..60s\nrestart_limit = 3/6s\n", ""}, /* three failures take 7 s: never reached */
    {WEB "restart_delay = 1s..4s\nrestart_limit = 3/5m\n", ""},
    {WEB "restart_delay = 1s..60s\nrestart_limit = 3/5m\nrestart = no\n", ""},

    /* Wraps. */
    {WEB "[wrap:a]\nwrapper=/x\nshim_root=/a\n[wrap:b]\nwrapper=/x\n[wrap:c]\nwrapper=/x\nshim_root=/b\n",
     "10: error: [wrap:c] shim_root: differs from the one of [wrap:a] on line 5; write the same in all\n"},
    {MODULE("node, nodejs, node18, node-20, node.real, /opt/v1/bin/node"), ""},
    {WEB "[wrap:a]\nprograms = git, python3\nwrapper = /w.sh\n", ""},
    {WEB "[wrap:a]\nwrapper = /w.mjs\nprograms = node, git, nodemon, /usr/bin/nod\n",
     "5: error: [wrap:a] programs: \"git\" is not node, and \"/w.mjs\" is a module that only node can run; remove it, "
     "or "
     "write an executable as the wrapper\n"
     "5: error: [wrap:a] programs: \"nodemon\" is not node, and \"/w.mjs\" is a module that only node can run; remove "
     "it, "
     "or write an executable as the wrapper\n"
     "5: error: [wrap:a] programs: \"/usr/bin/nod\" is not node, and \"/w.mjs\" is a module that only node can run; "
     "remove "
     "it, or write an executable as the wrapper\n"},
    {MODULE("git.js/x"), "4: error: [wrap:a] programs: \"git.js/x\" is neither a name nor an absolute path; write one "
                         "without / or one that begins with it\n"},

    /* Wraps around each other: what works, then what doesn't. */
    {WEB EXECUTABLE("e") EXECUTABLE("f") OTHER("n") OTHER("o") SAME("y") SAME("z"), ""},
    {WEB SAME("a") EXECUTABLE("b"), "5: error: [wrap:b] an executable can't wrap \"node\" inside of the module of "
                                    "[wrap:a] on line 3; put this section "
                                    "before that one\n"},
    {WEB OTHER("a") EXECUTABLE("b"), "6: error: [wrap:b] an executable can't wrap \"node\" inside of the module of "
                                     "[wrap:a] on line 3; put this section "
                                     "before that one\n"},
    {WEB SAME("a") OTHER("b"),
     "5: error: [wrap:b] same_process = no can't wrap \"node\" inside of [wrap:a] on line 3, where it is yes; put this "
     "section before that one, or write the same in both\n"},
    {WEB EXECUTABLE("x") SAME("a") OTHER("b") EXECUTABLE("c"),
     "7: error: [wrap:b] same_process = no can't wrap \"node\" inside of [wrap:a] on line 5, where it is yes; put this "
     "section before that one, or write the same in both\n"
     "10: error: [wrap:c] an executable can't wrap \"node\" inside of the module of [wrap:a] on line 5; put this "
     "section "
     "before that one\n"},
    {WEB SAME("a") EXECUTABLE("b") "same_process = yes\nprograms = node18, git\n", ""},
    {WEB SAME("a") "programs = git.js, node18\n", "5: error: [wrap:a] programs: \"git.js\" is not node, and \"/w.js\" "
                                                  "is a module that only node can run; remove it, or "
                                                  "write an executable as the wrapper\n"},
    {WEB SAME("a") "programs = node, node18\n" EXECUTABLE("b") "programs = git, node18\n",
     "6: error: [wrap:b] an executable can't wrap \"node18\" inside of the module of [wrap:a] on line 3; put this "
     "section "
     "before that one\n"},
    {WEB "[worker:jobs]\nstart = x\n" SAME("a") "workers = web\n" EXECUTABLE("b") "workers = jobs\n", ""},
    {WEB "[worker:jobs]\nstart = x\n" SAME("a") "workers = web\n" EXECUTABLE("b") "workers = jobs, web\n",
     "8: error: [wrap:b] an executable can't wrap \"node\" inside of the module of [wrap:a] on line 5; put this "
     "section "
     "before that one\n"},
    {WEB "[worker:jobs]\nstart = x\n" SAME("a") "workers = web\n" EXECUTABLE("b"),
     "8: error: [wrap:b] an executable can't wrap \"node\" inside of the module of [wrap:a] on line 5; put this "
     "section "
     "before that one\n"},
    {WEB SAME("a") "reach = path\n" SAME("b") "reach = strict\n", ""}, /* the widest holds */
};

static void rows_are_as_written(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        helper_expect(rows[i].text, rows[i].faults);
}

static void nul_bytes(void **state) {
    (void)state;
    static const char text[] = WEB "working_directory = /a\0b\n";
    struct config_input input = helper_input(text, sizeof(text) - 1);
    helper_expect_input(
        &input, "3: error: [worker:web] working_directory: control byte \\x00 at byte 23 of the line; remove it\n");
}

/* Everything that a line may hold, of every length, through inih and back. */
static void value_in_is_value_out(void **state) {
    (void)state;
    uint64_t random = 7;
    for (size_t length = 0; length <= 2000; length++) {
        char value[2001];
        char text[6200] = WEB "env.A_NAME_THAT_IS_LONGER_THAN_THE_FORTY_NINE_BYTES_OF_INIH = \"";
        size_t out = strlen(text);
        for (size_t i = 0; i < length; i++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            unsigned byte = (unsigned)(random >> 40) & 0xff;
            /* Half of them are what means something to somebody. */
            value[i] = byte & 0x80 ? " \t;#=:[]\"'\\,\xff\xc3"[byte % 14] : (char)(0x20 + byte % 0x5f);
            if (value[i] == '"' || value[i] == '\\')
                text[out++] = '\\';
            text[out++] = value[i];
        }
        value[length] = '\0';
        (void)snprintf(text + out, sizeof(text) - out, "\" ; \"\n");
        struct config_input input = helper_input(text, strlen(text));
        struct config config;
        assert_int_equal(config_parse(&input, &config), 0);
        assert_int_equal(config.faults_count, 0);
        const struct spec_environment *environment = &config.spec.groups[0].identity.environment;
        assert_int_equal(environment->count, 1);
        assert_string_equal(environment->variables[0].name, "A_NAME_THAT_IS_LONGER_THAN_THE_FORTY_NINE_BYTES_OF_INIH");
        assert_string_equal(environment->variables[0].value, value);
        config_free(&config);
    }
}

/* What quotes do not surround is taken as it stands, and each type ends before its comment. */
static void values_and_comments(void **state) {
    (void)state;
    static const struct {
        const char *line;
        const char *value; /* NULL: unset */
    } values[] = {
        {"A = it's fine ; it's", "it's fine"},
        {"A = a\"b ;c", "a\"b"},
        {"A = a;b;c", "a;b;c"},
        {"A = 'a ; b' ; c", "a ; b"},
        {"A = \"a \\\" ; b\"", "a \" ; b"},
        {"A = \"a\\nb\"", "a\\nb"},
        {"A = 'a\\'", "a\\"},
        {"A =", NULL},
        {"A", NULL},
        {"A ; x", NULL},
        {"A = ; x", NULL},
        {"A = \"\"", ""},
        {"A = '' ; x", ""},
        {"A=b=c", "b=c"},
        {"A = \xff\xfe", "\xff\xfe"},
        {"A = [x]", "[x]"},
        {"A = a\\ ;b", "a\\"},
        {"A = # x", "# x"},
        {"A =;x", ";x"},
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), WEB "[env]\n%s", values[i].line);
        struct config_input input = helper_input(text, strlen(text));
        struct config config;
        assert_int_equal(config_parse(&input, &config), 0);
        assert_int_equal(config.faults_count, 0);
        assert_int_equal(config.spec.environment.count, 1);
        const struct spec_variable *variable = &config.spec.environment.variables[0];
        assert_string_equal(variable->name, "A");
        assert_int_equal(variable->line, 4);
        if (values[i].value == NULL)
            assert_null(variable->value);
        else
            assert_string_equal(variable->value, values[i].value);
        config_free(&config);
    }
}

static void commands_and_comments(void **state) {
    (void)state;
    static const struct {
        const char *line;
        const char *words;
    } values[] = {
        {"start = a 'b ; c' \"d ; 'e\" ; f", "<a><b ; c><d ; 'e>"},
        {"start = find . -exec ls {} \\; ; x", "<find><.><-exec><ls><{}><;>"},
        {"start = a \\ ;b", "<a>< ;b>"},
        {"start = a b\\ ", "<a><b >"},
        {"start = a=b c;d", "<a=b><c;d>"},
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        char text[128];
        char words[128] = "";
        (void)snprintf(text, sizeof(text), "[worker:web]\n%s", values[i].line);
        struct config_input input = helper_input(text, strlen(text));
        struct config config;
        assert_int_equal(config_parse(&input, &config), 0);
        assert_int_equal(config.faults_count, 0);
        const struct spec_command *start = &config.spec.groups[0].start;
        assert_null(start->argv[start->argc]);
        for (uint32_t j = 0; j < start->argc; j++)
            (void)snprintf(words + strlen(words), sizeof(words) - strlen(words), "<%s>", start->argv[j]);
        assert_string_equal(words, values[i].words);
        config_free(&config);
    }
}

static void faults_beyond_the_limit_are_counted(void **state) {
    (void)state;
    char *text = malloc(200000);
    assert_non_null(text);
    size_t used = (size_t)snprintf(text, 200000, WEB);
    for (int i = 0; i < 1500; i++)
        used += (size_t)snprintf(text + used, 200000 - used, "x%d = 1\n", i);
    struct config_input input = helper_input(text, used);
    struct config config;
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.errors, 1500);
    assert_int_equal(config.faults_count, FAULTS_MAX + 1);
    assert_string_equal(config.faults[FAULTS_MAX].text, "500 more faults are not shown; mend these first");
    assert_int_equal(config.faults[FAULTS_MAX].line, 1002);
    config_free(&config);
    free(text);
}

/* --- COMMAND ------------------------------------------------------------------------------------------------------ */

static char *command[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"a 'b"}, NULL};

static void expect_command_group(const struct spec *spec) {
    const struct spec_group *group = &spec->groups[spec->command_group];
    assert_int_equal(spec->command_group, (int32_t)spec->groups_count - 1);
    assert_string_equal(group->name, "main");
    assert_int_equal(group->line, 0);
    assert_int_equal(group->count, 1);
    assert_int_equal(group->first_worker, spec->workers_count - 1);
    assert_int_equal(group->start.argc, 3);
    assert_int_equal(group->start.line, 0);
    assert_ptr_not_equal(group->start.argv[2], command[2]);
    assert_string_equal(group->start.argv[2], "a 'b");
    assert_null(group->start.argv[3]);
    assert_int_equal(group->stop.argc, 0);
    assert_int_equal(group->stdin_from, STDIN_INHERIT);
    assert_int_equal(group->output, OUTPUT_INHERIT);
    assert_int_equal(group->ready, READY_NONE);
    assert_int_equal(group->restart, RESTART_NO);
    assert_true(group->shutdown_on_failure);
    assert_true(group->shutdown_on_success);
    assert_false(group->kill_after_completed);
    assert_int_equal(group->success.codes[0], 1);
}

static void command_without_config(void **state) {
    (void)state;
    for (int given = 0; given < 2; given++) {
        struct config_input input = helper_input(NULL, 0);
        struct config config;
        input.command = command;
        input.grace = given ? 0 : MSEC_NEVER;
        assert_int_equal(config_parse(&input, &config), 0);
        const struct spec *spec = &config.spec;
        assert_int_equal(config.faults_count, 0);
        assert_true(spec->command_only);
        assert_int_equal(spec->groups_count, 1);
        assert_int_equal(spec->workers_count, 1);
        assert_int_equal(spec->log_level, LOG_WARNING);
        assert_int_equal(spec->grace, given ? 0 : 10000);
        assert_int_equal(spec->sigrtmin, 34);
        expect_command_group(spec);
        for (int i = 0; i < SIGNALS_END; i++) {
            bool own = i == 0 || i == SIGNAL_KILL || i == SIGNAL_SIGSTOP || i == SIGNAL_CHLD;
            bool stop = i == SIGNAL_TERM || (given && (i == SIGNAL_INT || i == SIGNAL_QUIT));
            assert_int_equal(spec->signals[i].policy, own ? SIGNAL_IGNORE : stop ? SIGNAL_STOP : SIGNAL_FORWARD);
            assert_int_equal(spec->signals[i].number, i);
            assert_int_equal(spec->signals[i].group, -1);
        }
        config_free(&config);
    }
}

static void command_with_config(void **state) {
    (void)state;
    static const char text[] = "[supervisor]\ngrace = 1s\n[worker:web]\nstart = x\ncount = 2\nafter = main\n"
                               "[signals]\nUSR1 = forward:main\n[wrap:w]\nwrapper = /w\nworkers = main\n";
    struct config_input input = helper_input(text, sizeof(text) - 1);
    struct config config;
    input.command = command;
    input.grace = 3000;
    assert_int_equal(config_parse(&input, &config), 0);
    const struct spec *spec = &config.spec;
    assert_int_equal(config.faults_count, 0);
    assert_false(spec->command_only);
    assert_int_equal(spec->grace, 3000);
    assert_int_equal(spec->groups_count, 2);
    assert_int_equal(spec->workers_count, 3);
    assert_int_equal(spec->groups[0].after_count, 1);
    assert_int_equal(spec->groups[0].after[0], 1);
    assert_int_equal(spec->groups[1].before_count, 1);
    assert_int_equal(spec->groups[1].before[0], 0);
    assert_int_equal(spec->signals[SIGNAL_USR1].group, 1);
    assert_int_equal(spec->wraps[0].groups_count, 1);
    assert_int_equal(spec->wraps[0].groups[0], 1);
    expect_command_group(spec);
    config_free(&config);

    /* The command counts as a worker, too. */
    static const char full[] = "[worker:web]\nstart = x\ncount = 10000\n";
    input = helper_input(full, sizeof(full) - 1);
    input.command = command;
    helper_expect_input(
        &input, "3: error: [worker:web] count: this makes 10001 workers in all, of at most 10000; lower a count\n");

    /* An empty file, and wraps alone, are enough for a command; a wrap of nobody is no wrap. */
    static const char wraps[] = "[wrap:w]\nwrapper = /w\n";
    input = helper_input(wraps, sizeof(wraps) - 1);
    input.command = command;
    helper_expect_input(&input, "");
    input = helper_input("", 0);
    input.command = command;
    helper_expect_input(&input, "");
    static const char nobody[] = WEB "[wrap:w]\nwrapper = /w\nworkers = main\n";
    input = helper_input(nobody, sizeof(nobody) - 1);
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.faults_count, 0);
    assert_int_equal(config.spec.wraps_count, 0);
    config_free(&config);
}

static void durations_for_options(void **state) {
    (void)state;
    msec_t duration = -1;
    const char *why = NULL;
    assert_int_equal(config_duration("90s", &duration, NULL), 0);
    assert_int_equal(duration, 90000);
    assert_int_equal(config_duration("0", &duration, &why), 0);
    assert_int_equal(duration, 0);
    assert_null(why);
    duration = -1;
    static const char *const wrong[] = {"", "10", "s", "1.5s", "1s ", " 1s", "1S", "+1s", "1e3ms", "8761h", "0x1s"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        why = NULL;
        assert_int_equal(config_duration(wrong[i], &duration, NULL), -22);
        assert_int_equal(config_duration(wrong[i], &duration, &why), -22);
        assert_non_null(why);
    }
    assert_int_equal(duration, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_as_written),    cmocka_unit_test(nul_bytes),
        cmocka_unit_test(value_in_is_value_out),  cmocka_unit_test(values_and_comments),
        cmocka_unit_test(commands_and_comments),  cmocka_unit_test(faults_beyond_the_limit_are_counted),
        cmocka_unit_test(command_without_config), cmocka_unit_test(command_with_config),
        cmocka_unit_test(durations_for_options),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
