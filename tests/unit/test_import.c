/* supervisor/import.c: small configs of supervisord, and the lines that have to come of them, or the fault. Whole files
 * are in tests/import. */
#include "tests/unit/config_helper.h"

#include "supervisor/import.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define X "[program:x]\ncommand=x\n"

struct row {
    const char *text;
    const char *wanted; /* lines of the result, in this order; or the faults, as LINE: TEXT */
    const char *absent; /* NULL, or what isn't in the result */
};

static struct import import_of(const char *text) {
    const struct import_input input = {.bytes = text, .length = strlen(text), .name = "x.conf", .here = "/etc/sv"};
    struct import import;
    assert_int_equal(import_supervisord(&input, &import), 0);
    return import;
}

static void expect_lines(const struct row *row) {
    struct import import = import_of(row->text);
    if (import.text == NULL) {
        fail_msg("%s: %u: %s", row->text, import.faults[0].line, import.faults[0].text);
        return;
    }
    char *text = calloc(1, import.length + 1);
    assert_non_null(text);
    memcpy(text, import.text, import.length);
    const char *at = text;
    const char *line = row->wanted;
    while (*line != '\0') {
        char part[256];
        size_t length = strcspn(line, "\n");
        (void)snprintf(part, sizeof(part), "\n%.*s\n", (int)length, line);
        at = strstr(at, part);
        if (at == NULL) {
            fail_msg("%s: no line %s in\n%s", row->text, part, text);
            break;
        }
        at += length + 1;
        line += length + (line[length] == '\n');
    }
    if (row->absent != NULL && strstr(text, row->absent) != NULL)
        fail_msg("%s: there is %s in\n%s", row->text, row->absent, text);
    free(text);
    import_free(&import);
}

static void expect_faults(const struct row *row) {
    struct import import = import_of(row->text);
    char got[2048] = "";
    assert_null(import.text);
    for (uint32_t i = 0; i < import.faults_count; i++) {
        size_t used = strlen(got);
        (void)snprintf(got + used, sizeof(got) - used, "%u: %s\n", import.faults[i].line, import.faults[i].text);
    }
    assert_string_equal(got, row->wanted);
    import_free(&import);
}

static void all_lines(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect_lines(&rows[i]);
}

static void grammar(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"[program:x]\ncommand = a b\n", "start = a b", NULL},
        {"[program:x]\r\nCommand:a\tb  \r\n", "start = a\tb", NULL},
        {"[program:x]\ncommand=a ; b\nuser=u #c\n", "start = a\nuser = u", NULL},
        {"[program:x]\ncommand=a;b#c\n", "start = a;b#c", NULL},
        {"[program:x]\ncommand=a\n  b\n\n; c\n\td\n", "start = a b d", NULL},
        {"[program:x]\n  command=a\n  user=u\n", "start = a\nuser = u", NULL},
        {"[program:x]\ncommand=a\n[program:y]\ncommand=y\n[program:x]\ncommand=b\n", "start = b\nstart = y",
         "start = a"},
        {"[DEFAULT]\nuser=u\n[program:x]\ncommand=a\n[program:y]\ncommand=a\nuser=v\n", "user = u\nuser = v", NULL},
        {"[program:x]\rcommand=a\r  b\r\n\r\nuser=u\r", "start = a b\nuser = u", NULL},
        {"[program: x]\ncommand=a=b:c\n", "[worker:x]\nstart = a=b:c", NULL},
    };
    all_lines(rows, COUNT(rows));
}

static void commands(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"[program:x]\ncommand=nginx -g \"daemon off;\"\n", "start = nginx -g \"daemon off;\"", NULL},
        {"[program:x]\ncommand=a \"\\$b\" c\\ d ''\n", "start = a '\\$b' 'c d' ''", NULL},
        {"[program:x]\ncommand=a \"it's\\\\$\\n\"\n", "start = a \"it's\\\\$\\n\"", NULL},
        {"[program:x]\ncommand=%(here)s/%(program_name)s 100%% %(group_name)s\n", "start = /etc/sv/x 100% x", NULL},
        {"[group:g]\nprograms=y, x\n[program:x]\ncommand=%(group_name)s\n[program:y]\ncommand=y\n", "start = g", NULL},
        {"[program:x]\ncommand=a \"\" %(ENV_B)s\n", "start = sh -fc 'exec a \"\" ${B?}'", NULL},
        {"[program:x]\ncommand=a --port=%(ENV_PORT)s\n", "start = sh -fc 'exec a --port=${PORT?}'", NULL},
        {"[program:x]\ncommand=a \"%(ENV_A)s b\" '$c' \"it's\" d=\"%(ENV_D)s\"\n",
         "start = sh -c \"exec a \\\"\\${A?} b\\\" \\\"\\\\\\$c\\\" \\\"it's\\\" d=\\\"\\${D?}\\\"\"", NULL},
        {"[program:x]\ncommand=%(ENV_A)s%(ENV_B)s;%(ENV_C)s\n", "start = sh -fc 'exec ${A?}${B?}\";\"${C?}'", NULL},
        {"[program:x]\ncommand=a %(process_num)03d %(numprocs)s %(process_num)-3d.\nnumprocs_start=7\n",
         "start = a 007 1 7  .", NULL},
    };
    all_lines(rows, COUNT(rows));
}

static void processes(void **state) {
    (void)state;
    static const struct row rows[] = {
        {X "numprocs=3\nprocess_name=%(process_num)s\nstdout_logfile=/l/%(process_num)s\n", "[worker:x]\ncount = 3",
         NULL},
        {"[program:x]\ncommand=x %(process_num)02d\nnumprocs=2\nnumprocs_start=9\n",
         "[worker:x_9]\nstart = x 09\n[worker:x_10]\nstart = x 10", "count"},
        {"[program:x]\ncommand=x\nenvironment=N=%(process_num)d\nnumprocs=2\nprocess_name=p-%(process_num)d\n",
         "[worker:p-0]\nenv.N = 0\n[worker:p-1]\nenv.N = 1", NULL},
        {X "[program:y]\ncommand=y\nautostart=False\n",
         "[worker:x]\n; line 5: autostart=False: brood starts every group, hence a comment; without the ; it is one\n"
         "; [worker:y]\n; start = y",
         "\n[worker:y]"},
        {X "[program:y]\ncommand=y\nnumprocs=0\n", "; [worker:y]", NULL},
        {X "[program:main]\ncommand=m\n[program:a+b]\ncommand=c\n[program:a*b]\ncommand=d\n[program:+]\ncommand=e\n",
         "[worker:x]\n[worker:main-2]\n[worker:a-b]\n[worker:a-b-2]\n[worker:x-2]", NULL},
        {"[fcgi-program:x]\nsocket=tcp://localhost:80\ncommand=x -u /s%(process_num)d --fd 0\nnumprocs=2\n"
         "process_name=x%(process_num)02d\n",
         "[worker:x]\nstart = sh -fc 'exec x -u /s${WORKER_INDEX?} --fd 0 <&3 3<&-'\ncount = 2", "[worker:x00]"},
        {X "autostart=%(ENV_A)s\n",
         "[worker:x]\n"
         "; line 3: autostart=%(ENV_A)s: only the container knows this value; brood starts the group, whatever it is",
         "write what"},
        {X "numprocs=%(ENV_N)s\n",
         "; line 3: numprocs=%(ENV_N)s: only the container knows this value, and brood.ini has no variables here; "
         "write what it is to be",
         "count"},
    };
    all_lines(rows, COUNT(rows));
}

static void restarting(void **state) {
    (void)state;
    static const struct row rows[] = {
        {X, "restart_delay = 1s..3s\nrestart_limit = 3/12s\non_failure = continue", "restart = "},
        {X "autorestart=TRUE\nexitcodes=1\n", "restart = always\nrestart_limit = 3/12s", "success_status"},
        {X "autorestart=unexpected\nexitcodes=0,2\n", "success_status = 0,2\nrestart_limit = 3/12s", "restart = "},
        {X "autorestart=false\nstartretries=5\n",
         "restart = no\n; line 4: startretries=5: with restart = no a failed start isn't tried again either",
         "restart_limit"},
        {X "autorestart=no\n",
         "restart = no\n; line 3: autorestart=no: with restart = no a failed start isn't tried again either",
         "restart_limit"},
        {X "autorestart=false\nstartsecs=0\nstartretries=5\n", "restart = no", "tried again"},
        {X "autorestart=false\nstartretries=0\n", "restart = no", "tried again"},
        {X "autorestart=Unexpected\n", "restart_limit = 3/12s", "restart = "},
        {X "startsecs=0\n", "restart_limit = 0", "stable_after"},
        {X "startsecs=5\nstartretries=1\n", "restart_delay = 1s\nrestart_limit = 1/7s\nstable_after = 5s", NULL},
        {X "startretries=0\n", "restart_limit = 1/3s\n; line 3: startretries=0: one retry is brood's least", NULL},
        {X "startretries=100\n", "restart_delay = 1s..30s\nrestart_limit = 100/3081s", NULL},
        {X "startretries=1001\n", "restart_limit = 0", "restart_delay"},
        {X "exitcodes=\n", "; line 3: exitcodes=: brood needs at least one status that is a success", NULL},
    };
    all_lines(rows, COUNT(rows));
}

static void stopping(void **state) {
    (void)state;
    static const struct row rows[] = {
        {X, "stop_signal = TERM\nstop_to = leader", "grace"},
        {X "stopsignal=%(ENV_S)s\n", "stop_signal = TERM", NULL},
        {X "stopasgroup=1\nkillasgroup=true\n", "on_failure = continue", "stop_to = leader\n"},
        {X "killasgroup=off\n", "; line 3: killasgroup=off: brood's KILL goes to the whole group", NULL},
        {X "stopsignal=sigint\nstopwaitsecs=3\n", "grace = 3s\nstop_signal = INT", "[supervisor]"},
        {X "stopsignal=12\nstopwaitsecs=30\n", "[supervisor]\ngrace = 30s\n[worker:x]\ngrace = 30s\nstop_signal = USR2",
         NULL},
        {X "stopwaitsecs=30\n[program:y]\ncommand=y\n[program:z]\ncommand=z\nstopwaitsecs=90\nautostart=no\n",
         "[supervisor]\ngrace = 30s\n[worker:x]\ngrace = 30s\n[worker:y]\ngrace = 10s\n; [worker:z]\n; grace = 90s",
         NULL},
        {X "priority=2\n[program:y]\ncommand=y\npriority=1\n[program:z]\ncommand=z\npriority=-3\n",
         "; after = y\n[worker:y]\n; after = z\n[worker:z]", NULL},
    };
    all_lines(rows, COUNT(rows));
}

static void output(void **state) {
    (void)state;
    static const char apart[] = "the two streams stay apart, as brood's own";
    static const struct row rows[] = {
        {X "stdout_logfile=/dev/stdout\nstderr_logfile=/dev/fd/2\nstdout_logfile_maxbytes=0\n", "[worker:x]", "line 3"},
        {X "stdout_logfile=NONE\nstderr_logfile=/dev/null\n", "output = null", NULL},
        {X "stdout_logfile=none\nredirect_stderr=true\n", "output = null", NULL},
        {X "stdout_logfile=NONE\n",
         "; line 3: stdout_logfile=NONE: output = null would be for both streams; this one: sh -c 'exec ... "
         ">/dev/null'",
         "\noutput"},
        {X "stdout_logfile=/l\n",
         "; line 3: stdout_logfile=/l: goes where brood's own goes; for a file: start = sh -c 'exec ... >>FILE'", NULL},
        {X "stdout_logfile=AUTO\n", "[worker:x]", "line 3"},
        {X "stdout_logfile=/dev/stderr\n",
         "; line 3: stdout_logfile=/dev/stderr: the two streams stay apart, as brood's own", NULL},
        {X "redirect_stderr=false\n", "[worker:x]", apart},
        {X "stdout_events_enabled=true\nstderr_events_enabled=false\n",
         "; line 3: stdout_events_enabled=true: brood has no events", "line 4"},
    };
    all_lines(rows, COUNT(rows));
}

static void identity(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"[supervisord]\nuser=app\nminfds=4096\n" X "[program:y]\ncommand=y\nuser=z\n",
         "user = app\nlimit_nofile = 4096\n[worker:y]\nuser = z", NULL},
        {"[supervisord]\nuser=root\nminfds=1024\n" X, "start = x", "user ="},
        {X "environment=A=1,#B=2\n  C=3\n", "env.A = 1\nenv.C = 3", "env.B"},
        {X "directory=/a b\numask=027\n", "working_directory = /a b\numask = 027", NULL},
        {X "user=%(ENV_U)s\n",
         "; line 3: user=%(ENV_U)s: only the container knows this value, and brood.ini has no variables here; write "
         "what it is to be",
         "user = "},
        {"[supervisord]\nenvironment=A=1,B='x, \"y\"'\nloglevel=debug\n" X
         "environment=C=\"%(ENV_A)s;\",D=';x',A=\"\"\n",
         "[supervisor]\nlog_level = debug\n[env]\nA = 1\nB = x, \"y\nenv.C = ${A};\nenv.D = \";x\"\nenv.A = \"\"",
         NULL},
        {"[supervisord]\nloglevel=WARN\n" X, "[supervisor]\nlog_level = warning", NULL},
        {"[supervisord]\nloglevel=Info\n" X, "[worker:x]", "log_level"},
        {"[supervisord]\nloglevel=%(ENV_L)s\nuser=%(ENV_U)s\nlogfile_maxbytes=%(ENV_M)s\n" X,
         "[worker:x]\n"
         "; line 2: loglevel=%(ENV_L)s: only the container knows this value, and brood.ini has no variables here; "
         "write what it is to be\n"
         "; line 3: user=%(ENV_U)s: only the container knows this value, and brood.ini has no variables here; write "
         "what it is to be",
         "line 4"},
        {"[fcgi-program:x]\ncommand=x\nsocket=unix:///s\nuser=u\n",
         "start = sh -c 'exec x <&3 3<&-'\ntype = cluster\nlisten = unix:/s?mode=0700&user=u", NULL},
        {"[fcgi-program:x]\ncommand=x\nsocket=tcp://localhost:9000\nsocket_backlog=5\n",
         "listen = tcp://localhost:9000?backlog=5", NULL},
    };
    all_lines(rows, COUNT(rows));
}

/* Sections that brood has no word for. */
static void rest(void **state) {
    (void)state;
    static const struct row rows[] = {
        {X "[group:g]\nprograms=\n  a,\n  b\n",
         "; line 3: [group:g]: brood has no groups of several programs\n"
         ";   programs=a, b",
         NULL},
        {X "[eventlistener:e]\ncommand=e\nevents=EVENT\n",
         "; line 3: [eventlistener:e]: brood has no events; if it is there to end the container, remove on_failure = "
         "continue above, and write on_success = shutdown where an exit 0 is to end it, too\n"
         ";   command=e\n;   events=EVENT",
         NULL},
        {"[program:x]\ncommand=sh -c 'a; supervisorctl stop y'\n",
         "start = sh -c 'a; supervisorctl stop y'\n"
         "; line 2: command=sh -c 'a; supervisorctl stop y': speaks of supervisord, which isn't there any more",
         NULL},
    };
    all_lines(rows, COUNT(rows));
}

static void faults(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", "0: no [program:x] in it; what [include] names has to be imported with it, in one file\n", NULL},
        {X "autostart=no\n", "0: no program in it is started by itself: brood starts every group that a config has\n",
         NULL},
        {"a=1\n" X "word\n",
         "1: stands before the first section; put it below one\n"
         "4: \"word\" is neither [SECTION] nor KEY = VALUE; write one of them\n",
         NULL},
        {X "user=a\x01\nenvironment=A=\"1\v\"\n",
         "3: a control byte in the line; remove it\n4: a control byte in the line; remove it\n", NULL},
        {X "environment=A=\"1\r  2\"\n", "3: A: a value of several lines can't be written in brood.ini\n", NULL},
        {"[program:x]\nuser=u\n", "1: [program:x] has no command\n", NULL},
        {"[program:x]\ncommand=sh -c 'a ; b'\n",
         "2: command: a quote or a backslash is left open; supervisord cuts a value at a blank and ; or #, even in "
         "quotes\n",
         NULL},
        {"[program:x]\ncommand=\n", "2: command: names no program\n", NULL},
        {"[program:x]\ncommand=x 'a\n  b'\n",
         "2: command: a line break in quotes can't be written in brood.ini; put the command into a script\n", NULL},
        {"[program:x]\ncommand=x %d\n", "2: command: \"%d\" can't be expanded; write %% for a percent sign\n", NULL},
        {"[program:x]\ncommand=x %(no)s\n", "2: command: \"%(no)s\" can't be expanded; write %% for a percent sign\n",
         NULL},
        {X "numprocs=many\nautostart=maybe\nautorestart=Unexpectedly\nstopsignal=STOPP\nstopwaitsecs=-1\n",
         "3: numprocs: \"many\" is not a whole number from 0 to 10000\n"
         "4: autostart: \"maybe\" is neither true nor false\n"
         "5: autorestart: \"Unexpectedly\" is neither true, false nor unexpected\n"
         "6: stopsignal: \"STOPP\" is not a signal\n"
         "7: stopwaitsecs: \"-1\" is not a whole number from 0 to 31536000\n",
         NULL},
        {X "environment=A=\"1\n",
         "3: environment: \"A=\"1\" is not NAME=VALUE, with a comma before the next; put "
         "values into quotes\n",
         NULL},
        {X "environment=A=a@%(ENV_B)s\n",
         "3: environment: \"A=a@${B}\" is not NAME=VALUE, with a comma before the next; put values into quotes\n",
         NULL},
        {X "environment=1A=1\n",
         "3: environment: \"1A=1\" is not a variable's name; write letters, digits and _, no digit first\n", NULL},
        {"[program:a b]\ncommand=x\n", "1: [program:a b] has no name that supervisord takes: no blank, no : and no /\n",
         NULL},
        {"[program:x]\ncommand=x %(process_num)d\nnumprocs=501\n",
         "1: more than 500 worker groups would come of this file\n", NULL},
        {"[supervisord]\nloglevel=loud\n" X,
         "2: loglevel: \"loud\" is not a level; supervisord has critical, error, warn, info, debug, trace and "
         "blather\n",
         NULL},
        {"[fcgi-program:x]\nsocket=tcp://*:80\ncommand=x %(process_num)02d\nnumprocs=2\n"
         "[fcgi-program:y]\nsocket=tcp://*:81\ncommand=y %(process_num)d\nnumprocs=2\nnumprocs_start=1\n"
         "[fcgi-program:z]\nsocket=tcp://*:82\ncommand=z\nnumprocs=2\nenvironment=N=%(process_num)d\n",
         "1: [fcgi-program:x]: its processes share a socket, so that brood has them in one group; their number can "
         "only "
         "stand in command, as %(process_num)d, without numprocs_start\n"
         "5: [fcgi-program:y]: its processes share a socket, so that brood has them in one group; their number can "
         "only "
         "stand in command, as %(process_num)d, without numprocs_start\n"
         "10: [fcgi-program:z]: its processes share a socket, so that brood has them in one group; their number can "
         "only "
         "stand in command, as %(process_num)d, without numprocs_start\n",
         NULL},
        {X "umask=888\n",
         "3: brood can't have it so: [worker:x] umask: \"888\" is not a file mode mask; write octal "
         "digits, 0 to 0777\n",
         NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_faults(&rows[i]);
}

static void too_much(void **state) {
    (void)state;
    struct import_input input = {.length = IMPORT_BYTES_MAX + 1, .name = "x", .here = "/"};
    char *bytes = calloc(1, input.length);
    struct import import;
    assert_non_null(bytes);
    memset(bytes, '\n', input.length);
    input.bytes = bytes;
    assert_int_equal(import_supervisord(&input, &import), 0);
    assert_string_equal(import.faults[0].text,
                        "the file is larger than 1 MiB; surely it is not the config that was meant");
    import_free(&import);
    for (size_t i = 0; i + 8 < IMPORT_BYTES_MAX; i += 8)
        (void)snprintf(bytes + i, 9, "[%05u]\n", (unsigned)(i / 8 % 100000));
    input.length = IMPORT_BYTES_MAX / 8 * 8 - 8;
    assert_int_equal(import_supervisord(&input, &import), 0);
    assert_null(import.text);
    assert_int_equal(import.faults_count, 1);
    assert_int_equal(import.faults[0].line, 1001);
    assert_string_equal(import.faults[0].text, "more than 1000 sections; surely it is not the file that was meant");
    import_free(&import);
    import_free(&import);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammar),    cmocka_unit_test(commands), cmocka_unit_test(processes),
        cmocka_unit_test(restarting), cmocka_unit_test(stopping), cmocka_unit_test(output),
        cmocka_unit_test(identity),   cmocka_unit_test(rest),     cmocka_unit_test(faults),
        cmocka_unit_test(too_much),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
