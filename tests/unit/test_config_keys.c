/* Every key of brood.ini(5): values that are taken, and one that is not, with its exact fault and line. A key of
 * the list below without a faulty row fails. Also, from its own table, everything that isn't built yet. */
#include "tests/unit/config_helper.h"

#define WORKER "[worker:web]\nstart = x\n"
#define LISTENS(places) "[worker:a]\nstart = x\ntype = cluster\nlisten = " places "\n" WORKER "type = cluster\n"
#define TAKEN ": it is listened at on line 4; "
#define PORT_REMEDY "remove one of them, or give both reuseport=yes"
#define PRIMARY "[primary]\nstart = x\n"
#define WRAP WORKER "[wrap:cov]\nwrapper = /w\n"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct row {
    const char *before; /* the section, without the line */
    const char *line;   /* KEY = VALUE */
    const char *fault;  /* of the last line, without its number and severity; NULL: none */
};

static const struct row rows[] = {
    {WORKER "[supervisor]\n", "grace = 0", NULL},
    {WORKER "[supervisor]\n", "grace = \"2m\"", NULL},
    {WORKER "[supervisor]\n", "grace = 8760h", NULL},
    {WORKER "[supervisor]\n", "grace = 10", "[supervisor] grace: \"10\" has no unit; write 10s (or ms, m, h)"},
    {WORKER "[supervisor]\n", "grace = 8761h",
     "[supervisor] grace: \"8761h\" is longer than 365 days; write at most 8760h"},
    {WORKER "[supervisor]\n", "grace = 99999999999999999999999s",
     "[supervisor] grace: \"99999999999999999999999s\" is longer than 365 days; write at most 8760h"},
    {WORKER "[supervisor]\n", "grace = -1s",
     "[supervisor] grace: \"-1s\" is not a duration; write a whole number with ms, s, m or h, such as 10s"},
    {WORKER "[supervisor]\n", "finish_grace = 100ms", NULL},
    {WORKER "[supervisor]\n", "finish_grace = 1d",
     "[supervisor] finish_grace: \"1d\" is not a duration; write a whole number with ms, s, m or h, such as 10s"},
    {WORKER "[supervisor]\n", "log_level = debug", NULL},
    {WORKER "[supervisor]\n", "log_level = loud",
     "[supervisor] log_level: \"loud\" is not a value of it; write error, warning, info or debug"},
    {WORKER "[supervisor]\n", "log_format = json", NULL},
    {WORKER "[supervisor]\n", "log_format = xml",
     "[supervisor] log_format: \"xml\" is not a value of it; write text or json"},
    {WORKER "[supervisor]\n", "control = none", NULL},
    {WORKER "[supervisor]\n", "control = run/sock",
     "[supervisor] control: \"run/sock\" is not a socket's path; write an absolute one of at most 107 bytes, or none"},
    {WORKER "[supervisor]\n", "on_second_signal = ignore", NULL},
    {WORKER "[supervisor]\n", "on_second_signal = yes",
     "[supervisor] on_second_signal: \"yes\" is not a value of it; write ignore or kill"},

    {WORKER "[signals]\n", "HUP = reload", NULL},
    {WORKER "[signals]\n", "SIGUSR1 = stop", NULL},
    {WORKER "[signals]\n", "RTMIN+3 = forward\t\tHUP", NULL},
    {WORKER "[signals]\n", "WINCH = forward:web", NULL},
    {WORKER "[signals]\n", "USR2 = forwards",
     "[signals] USR2: \"forwards\" is not a value of it; write forward, forward SIGNAL, forward:GROUP, stop, reload or "
     "ignore"},
    {WORKER "[signals]\n", "USR2 = forward TREM", "[signals] USR2: \"TREM\" is not a signal; did you mean \"TERM\"?"},
    {WORKER "[signals]\n", "USR2 = forward:wbe", "[signals] USR2: \"wbe\" is no group; did you mean \"web\"?"},
    {WORKER "[signals]\n", "USR2 = forward:a b",
     "[signals] USR2: \"forward:a b\" names no group; write forward:NAME of a [worker:NAME]"},
    {WORKER "[signals]\n", "USR3 = stop", "[signals] USR3: unknown signal; did you mean \"USR1\"?"},
    {WORKER "[signals]\n", "SIGNAL = stop",
     "[signals] SIGNAL: unknown signal; write a name such as TERM, USR1 or RTMIN+3"},
    {WORKER "[signals]\n", "KILL = stop", "[signals] KILL: no process can handle this signal; remove the line"},
    {WORKER "[signals]\n", "STOP = stop", "[signals] STOP: no process can handle this signal; remove the line"},
    {WORKER "[signals]\n", "CHLD = forward", "[signals] CHLD: this signal is brood's own; remove the line"},

    {WORKER "[env]\n", "PATH = /bin", NULL},
    {WORKER "[env]\n", "HOME", NULL},
    {WORKER "[env]\n", "2A = x", "[env] 2A: not a variable's name; write letters, digits and _, no digit first"},
    {WORKER "[env]\n", "A = 'x",
     "[env] A: 'x: the quote is not closed; close it, or put the whole value into the other kind of quotes"},

    {"[primary]\nstop = x\n", "start = /app/migrate --now", NULL},
    {"[primary]\nstop = x\n", "start = it's",
     "[primary] start: it's: a quote is not closed; close it, or write \\ before it"},
    {PRIMARY, "stop = ''", "[primary] stop: \"''\" names no program; write one, with its arguments behind it"},
    {PRIMARY, "user = 4294967295",
     "[primary] user: \"4294967295\" is neither a name nor a number up to 4294967294; write one of them"},
    {PRIMARY, "stdin = null", "[primary] stdin: unknown key; brood.ini(5) lists those of [primary]"},

    {"[worker:web]\n", "start = sh -c 'a ; b' ; comment", NULL},
    {"[worker:web]\nstop = x\n", "start = a\\",
     "[worker:web] start: a\\: the command ends with a backslash; remove it, or write \\\\"},
    {WORKER, "count = 10000", NULL},
    {WORKER, "count = auto", NULL},
    {WORKER, "count = 0", "[worker:web] count: \"0\" is not a count; write 1 to 10000, or auto"},
    {WORKER, "count = 10001", "[worker:web] count: \"10001\" is not a count; write 1 to 10000, or auto"},
    {WORKER, "type = childProcess", NULL},
    {WORKER, "type = thread", "[worker:web] type: \"thread\" is not a value of it; write childProcess or cluster"},
    {WORKER "type = cluster\n", "listen = tcp://*:80, tcp://[::1]:80,tcp://1.2.3.4:1, unix:/a", NULL},
    {WORKER, "listen = tcp://*:80", "[worker:web] listen: only a cluster listens; add type = cluster"},
    {WORKER "type = cluster\n", "listen = tcp://*:80, tcp://*:80",
     "[worker:web] listen: \"tcp://*:80\" stands in the list twice; remove one"},
    {WORKER "type = cluster\n", "listen = *:80",
     "[worker:web] listen: \"*:80\" is no place to listen at; write tcp://HOST:PORT, udp://HOST:PORT or unix:PATH, "
     "separated by commas"},
    {WORKER "type = cluster\n", "listen = tcp://*:0, udp://localhost:0", NULL},
    {WORKER "type = cluster\n", "listen = tcp://a:65536",
     "[worker:web] listen: \"tcp://a:65536\" has no port of 0 to 65535; write one behind the host's colon"},
    {WORKER "type = cluster\n", "listen = tcp://[::]:80?backlog=5&reuseport=yes&ipv6only=no&name=x", NULL},
    {WORKER "type = cluster\n", "listen = unix:/a?mode=0600&user=app&group=1000&backlog=65535&name=x", NULL},
    {WORKER "type = cluster\n", "listen = udp://*:53?reuseport=no", NULL},
    {WORKER "type = cluster\n", "listen = unix:a",
     "[worker:web] listen: \"unix:a\" has no absolute path; write one that begins with /"},
    {WORKER "type = cluster\n", "listen = udp://*:53?backlog=1",
     "[worker:web] listen: \"udp://*:53?backlog=1\": \"backlog\" is no option of it; there are reuseport, ipv6only and "
     "name"},
    {WORKER "type = cluster\n", "listen = tcp://*:53?mode=0660",
     "[worker:web] listen: \"tcp://*:53?mode=0660\": \"mode\" is no option of it; there are backlog, reuseport, "
     "ipv6only "
     "and name"},
    {WORKER "type = cluster\n", "listen = unix:/a?",
     "[worker:web] listen: \"unix:/a?\": \"\" is no option of it; there are mode, user, group, backlog and name"},
    {WORKER "type = cluster\n", "listen = tcp://*:1?backlog=0",
     "[worker:web] listen: \"tcp://*:1?backlog=0\": backlog is a number of 1 to 65535"},
    {WORKER "type = cluster\n", "listen = tcp://*:1?reuseport",
     "[worker:web] listen: \"tcp://*:1?reuseport\": \"\" is neither yes nor no; write one of them"},
    {WORKER "type = cluster\n", "listen = tcp://*:1?ipv6only=yes",
     "[worker:web] listen: \"tcp://*:1?ipv6only=yes\": ipv6only is for an address in brackets, such as [::]"},
    {WORKER "type = cluster\n", "listen = tcp://*:1?name=a&name=b",
     "[worker:web] listen: \"tcp://*:1?name=a&name=b\": name is given twice; remove one"},
    {WORKER "type = cluster\n", "listen = tcp://*:1?name=a:b",
     "[worker:web] listen: \"tcp://*:1?name=a:b\": \"a:b\" can't be a socket's name; write a letter or digit, then up "
     "to "
     "31 of a-z A-Z 0-9 . _ -"},
    {WORKER "type = cluster\n", "listen = unix:/a?mode=0888",
     "[worker:web] listen: \"unix:/a?mode=0888\": mode is an octal number of 000 to 0777, such as 0660"},
    {WORKER "type = cluster\n", "listen = unix:/a?mode=1777",
     "[worker:web] listen: \"unix:/a?mode=1777\": mode is an octal number of 000 to 0777, such as 0660"},
    {WORKER "type = cluster\n",
     "listen = unix:/a?user=", "[worker:web] listen: \"unix:/a?user=\": an owner is a name or a number"},
    {WORKER "type = cluster\n", "listen = unix:/a?group=4294967295",
     "[worker:web] listen: \"4294967295\" is neither a name nor a number up to 4294967294; write one of them"},
    {WORKER "type = cluster\nlisten = tcp://*:80, unix:/a\n", "ready = fd:5", NULL},
    {WORKER "type = cluster\nlisten = tcp://*:80, unix:/a\n", "ready = fd:4",
     "[worker:web] ready: descriptor 4 is one of listen's, which begin at 3; write fd:5 or more"},
    {LISTENS("tcp://*:80"), "listen = tcp://*:80", "[worker:web] listen: \"tcp://*:80\"" TAKEN PORT_REMEDY},
    {LISTENS("tcp://*:80"), "listen = tcp://*:81, tcp://*:80?reuseport=yes",
     "[worker:web] listen: \"tcp://*:80?reuseport=yes\"" TAKEN PORT_REMEDY},
    {LISTENS("tcp://*:80?reuseport=yes"), "listen = tcp://*:80?backlog=1",
     "[worker:web] listen: \"tcp://*:80?backlog=1\"" TAKEN PORT_REMEDY},
    {LISTENS("tcp://*:80?reuseport=yes"), "listen = tcp://*:80?reuseport=yes", NULL},
    {LISTENS("udp://*:80"), "listen = udp://*:80", "[worker:web] listen: \"udp://*:80\"" TAKEN PORT_REMEDY},
    {LISTENS("udp://*:80"), "listen = tcp://*:80", NULL},
    {LISTENS("tcp://*:0, udp://a:0"), "listen = tcp://*:0, udp://a:0", NULL},
    {LISTENS("tcp://*:80, unix:/a:0"), "listen = unix:/a:0?mode=0600",
     "[worker:web] listen: \"unix:/a:0?mode=0600\"" TAKEN "remove one of them"},
    {WORKER "type = cluster\n", "listen = tcp://*:80, tcp://*:80?name=a",
     "[worker:web] listen: \"tcp://*:80?name=a\"" TAKEN PORT_REMEDY}, /* by itself */
    {WORKER "type = cluster\n", "listen = tcp://a:80,",
     "[worker:web] listen: the list has an empty item; remove a comma"},
    {WORKER, "stop = /app/drain $WORKER_PID", NULL},
    {WORKER, "stop = \"", "[worker:web] stop: \": a quote is not closed; close it, or write \\ before it"},
    {WORKER, "ready = notify", NULL},
    {WORKER, "ready = fd:3", NULL},
    {WORKER, "ready = tcp:db.local:5432", NULL},
    {WORKER, "ready = tcp:[1:2:3:4:5:6:7:8]:5432", NULL},
    {WORKER, "ready = tcp:[::ffff:1.2.3.4]:5432", NULL},
    {WORKER, "ready = unix:/run/x", NULL},
    {WORKER, "ready = file:/run/x y", NULL},
    {WORKER, "ready = exec:sh -c 'a ; b' ; or so", NULL},
    {WORKER, "ready = yes",
     "[worker:web] ready: \"yes\" is not a value of it; write none, notify, fd:N, tcp:HOST:PORT, unix:PATH, file:PATH "
     "or "
     "exec:COMMAND"},
    {WORKER, "ready = fd:2", "[worker:web] ready: \"fd:2\" has no free descriptor; write fd:3 to fd:1023"},
    {WORKER, "ready = tcp:localhost", "[worker:web] ready: \"tcp:localhost\" has no port; write HOST:PORT"},
    {WORKER, "ready = tcp:localhost:0",
     "[worker:web] ready: \"tcp:localhost:0\" has no port of 1 to 65535; write one behind the host's colon"},
    {WORKER, "ready = tcp:::1:80",
     "[worker:web] ready: \"tcp:::1:80\" has too many colons; write an IPv6 address in brackets, [::1]:80"},
    {WORKER, "ready = tcp:1.2.3.256:80",
     "[worker:web] ready: \"tcp:1.2.3.256:80\" has no valid host; write a numeric address ([\xe2\x80\xa6] around "
     "IPv6), * "
     "or a name of /etc/hosts"},
    {WORKER, "ready = unix:run/x",
     "[worker:web] ready: \"unix:run/x\" has no absolute path; write one that begins with /"},
    {WORKER,
     "ready = exec:", "[worker:web] ready: \"exec:\" names no program; write one, with its arguments behind it"},
    {WORKER "ready = notify\n", "startup_timeout = 0", NULL},
    {WORKER "ready = notify\n", "startup_timeout = 5",
     "[worker:web] startup_timeout: \"5\" has no unit; write 5s (or ms, m, h)"},
    {WORKER, "kill_after_completed = on", NULL},
    {WORKER, "kill_after_completed = 1",
     "[worker:web] kill_after_completed: \"1\" is neither yes nor no; write yes, true, on, no, false or off"},
    {WORKER, "grace = 1s", NULL},
    {WORKER, "grace = 1 s",
     "[worker:web] grace: \"1 s\" is not a duration; write a whole number with ms, s, m or h, such as 10s"},
    {WORKER, "stop_signal = SIGRTMIN+1", NULL},
    {WORKER, "stop_signal = QUTI", "[worker:web] stop_signal: \"QUTI\" is not a signal; did you mean \"QUIT\"?"},
    {WORKER, "stop_to = leader", NULL},
    {WORKER, "stop_to = all", "[worker:web] stop_to: \"all\" is not a value of it; write group or leader"},
    {WORKER, "restart = always", NULL},
    {WORKER, "restart = yes", "[worker:web] restart: \"yes\" is not a value of it; write no, on-failure or always"},
    {WORKER, "restart_delay = 1s", NULL},
    {WORKER, "restart_delay = 1s..1s", NULL},
    {WORKER, "restart_delay = 0..1ms", NULL},
    {WORKER, "restart_delay = 0", NULL},
    {WORKER, "restart_delay = 2s..1s",
     "[worker:web] restart_delay: \"2s..1s\" ends before it begins; write the shorter delay first"},
    {WORKER, "restart_delay = 1s..5", "[worker:web] restart_delay: \"5\" has no unit; write 5s (or ms, m, h)"},
    {WORKER, "stable_after = 0", NULL},
    {WORKER, "stable_after = soon",
     "[worker:web] stable_after: \"soon\" is not a duration; write a whole number with ms, s, m or h, such as 10s"},
    {WORKER, "restart_limit = 0", NULL},
    {WORKER, "restart_limit = 1000/1h", NULL},
    {WORKER, "restart_limit = 10",
     "[worker:web] restart_limit: \"10\" is not a limit; write FAILURES/DURATION such as 10/5m, or 0 for no limit"},
    {WORKER, "restart_limit = 1001/5m",
     "[worker:web] restart_limit: \"1001/5m\": no more than 1000 failures are remembered; write at most 1000, or 0 for "
     "no limit"},
    {WORKER, "restart_limit = 10/5", "[worker:web] restart_limit: \"5\" has no unit; write 5s (or ms, m, h)"},
    {WORKER, "success_status = 0, 143, SIGTERM", NULL},
    {WORKER, "success_status = 256",
     "[worker:web] success_status: \"256\" is not an exit code; write 0 to 255, or the name of a signal"},
    {WORKER, "success_status = TREM", "[worker:web] success_status: \"TREM\" is not a signal; did you mean \"TERM\"?"},
    {WORKER, "success_status = 1,,2", "[worker:web] success_status: the list has an empty item; remove a comma"},
    {WORKER, "success_status = RTMAX",
     "[worker:web] success_status: the highest signal can't be told apart as a success; remove it"},
    {WORKER, "on_failure = continue", NULL},
    {WORKER, "on_failure = stop", "[worker:web] on_failure: \"stop\" is not a value of it; write continue or shutdown"},
    {WORKER, "on_success = shutdown", NULL},
    {WORKER, "on_success = stop", "[worker:web] on_success: \"stop\" is not a value of it; write continue or shutdown"},
    {"[worker:db]\nstart=x\n" WORKER, "after = db", NULL},
    {"[worker:cache]\nstart=x\n" WORKER, "after = cahce",
     "[worker:web] after: \"cahce\" is no group; did you mean \"cache\"?"},
    {WORKER, "after = db", "[worker:web] after: \"db\" is no group; remove it, or add [worker:db]"},
    {WORKER, "after = web", "[worker:web] after: a group can't wait for itself; remove \"web\""},
    {WORKER, "after = a b",
     "[worker:web] after: \"a b\" can't be the name of a group; write NAMEs of [worker:NAME], separated by commas"},
    {WORKER, "after = main",
     "[worker:web] after: \"main\" is the COMMAND of the command line, and none is given; remove it, or give one"},
    {WORKER, "check = tcp:*:80", NULL},
    {WORKER, "check = exec:curl -f 'http://[::1]/'", NULL},
    {WORKER, "check = file:/x",
     "[worker:web] check: \"file:/x\" is not a value of it; write exec:COMMAND or tcp:HOST:PORT"},
    {WORKER, "check_interval = 0", "[worker:web] check_interval: \"0\" is too short; write at least 1ms"},
    {WORKER, "check_timeout = 0", "[worker:web] check_timeout: \"0\" is too short; write at least 1ms"},
    {WORKER, "check_failures = 0", "[worker:web] check_failures: \"0\" is out of range; write 1 to 1000"},
    {WORKER, "every = 1h", NULL},
    {WORKER, "every = 0", "[worker:web] every: \"0\" is too short; write at least 1ms"},
    {WORKER,
     "lifetime = 1h\xc2\xb1"
     "10m",
     NULL},
    {WORKER,
     "lifetime = 1h\xc2\xb1"
     "2h",
     "[worker:web] lifetime: \"1h\xc2\xb1"
     "2h\": the spread is longer than the lifetime; write a shorter one"},
    {WORKER, "watchdog = 30s", NULL},
    {WORKER, "watchdog = 30", "[worker:web] watchdog: \"30\" has no unit; write 30s (or ms, m, h)"},
    {WORKER, "stdin = inherit", NULL},
    {WORKER, "stdin = tty", "[worker:web] stdin: \"tty\" is not a value of it; write null or inherit"},
    {WORKER, "output = null", NULL},
    {WORKER, "output = file",
     "[worker:web] output: \"file\" is not a value of it; write inherit, prefix, json or null"},

    {WORKER, "user = 1000", NULL},
    {WORKER, "user = a b",
     "[worker:web] user: \"a b\" is neither a name nor a number up to 4294967294; write one of them"},
    {WORKER, "group = a:b",
     "[worker:web] group: \"a:b\" is neither a name nor a number up to 4294967294; write one of them"},
    {WORKER, "groups = app, 5", NULL},
    {WORKER, "groups = app, app", "[worker:web] groups: \"app\" stands in the list twice; remove one"},
    {WORKER, "umask = 022", NULL},
    {WORKER, "umask = 0777", NULL},
    {WORKER, "umask = 1777", "[worker:web] umask: \"1777\" is not a file mode mask; write octal digits, 0 to 0777"},
    {WORKER, "umask = 08", "[worker:web] umask: \"08\" is not a file mode mask; write octal digits, 0 to 0777"},
    {WORKER, "nice = -20", NULL},
    {WORKER, "nice = 20", "[worker:web] nice: \"20\" is out of range; write -20 to 19"},
    {WORKER, "oom_score_adj = -1000", NULL},
    {WORKER, "oom_score_adj = -1001", "[worker:web] oom_score_adj: \"-1001\" is out of range; write -1000 to 1000"},
    {WORKER, "capabilities = !cap_chown,^cap_net_bind_service", NULL},
    {WORKER, "capabilities = ", "[worker:web] capabilities: has no value; write one or remove the line"},
    {WORKER, "no_new_privileges = true", NULL},
    {WORKER, "no_new_privileges = Yes",
     "[worker:web] no_new_privileges: \"Yes\" is neither yes nor no; write yes, true, on, no, false or off"},
    {WORKER, "working_directory = '/srv/my app'", NULL},
    {WORKER, "working_directory = ''", "[worker:web] working_directory: has no value; write one or remove the line"},
    {WORKER, "env_file = /etc/app.env", NULL},
    {WORKER, "env_file", "[worker:web] env_file: has no value; write env_file = VALUE"},
    {WORKER, "env.A = 1", NULL},
    {WORKER, "env.A-B = 1", "[worker:web] env.A-B: not a variable's name; write letters, digits and _, no digit first"},
    {WORKER, "limit_nofile = 1024:unlimited", NULL},
    {WORKER, "limit_core = unlimited", NULL},
    {WORKER, "limit_nofile = unlimited:1024",
     "[worker:web] limit_nofile: \"unlimited:1024\": the soft limit is above the hard one; write the lower one first"},
    {WORKER, "limit_stack = 8M",
     "[worker:web] limit_stack: \"8M\" is not a limit; write SOFT:HARD or one number for both, each a whole number or "
     "unlimited"},
    {WORKER, "limit_nofiles = 1", "[worker:web] limit_nofiles: unknown key; did you mean \"limit_nofile\"?"},

    {WRAP, "programs = node, /usr/bin/python3", NULL},
    {WRAP, "programs = bin/node",
     "[wrap:cov] programs: \"bin/node\" is neither a name nor an absolute path; write one without / or one that begins "
     "with it"},
    {WRAP, "programs = ..",
     "[wrap:cov] programs: \"..\" is neither a name nor an absolute path; write one without / or one that begins with "
     "it"},
    {WORKER "[wrap:cov]\n", "wrapper = wrap/cov.js", NULL},
    {WORKER "[wrap:cov]\n", "wrapper = \"a",
     "[wrap:cov] wrapper: \"a: the quote is not closed; close it, or put the "
     "whole value into the other kind of quotes"},
    {WRAP, "data = {\"a\": [1, -2.5e+3, \"b ; c\\u00e9\", true, null]} ; comment", NULL},
    {WRAP, "data = {a: 1}", "[wrap:cov] data: \"{a: 1}\" is not JSON: a string in \"\" is missing, at byte 2 of it"},
    {WRAP, "data = [1] x", "[wrap:cov] data: \"[1] x\" is not JSON: something follows the value, at byte 5 of it"},
    {WRAP, "same_process = off", NULL},
    {WRAP, "same_process = maybe",
     "[wrap:cov] same_process: \"maybe\" is neither yes nor no; write yes, true, on, no, false or off"},
    {WRAP "reach = path\n", "shim_root = /run/my shims", NULL},
    {WRAP, "shim_root = /run/my shims",
     "[wrap:cov] shim_root: has a blank, which ends it in LD_PRELOAD; choose another one, or reach = path"},
    {WRAP, "shim_root = /a:b",
     "[wrap:cov] shim_root: \"/a:b\" has a colon, which would end it in PATH; choose another directory"},
    {WRAP, "shim_root = run", "[wrap:cov] shim_root: \"run\" is not an absolute path; write one that begins with /"},
    {WRAP, "reach = strict", NULL},
    {WRAP, "reach = all", "[wrap:cov] reach: \"all\" is not a value of it; write path, preload or strict"},
    {WRAP, "workers = web, main", NULL},
    {WRAP, "workers = wed", "[wrap:cov] workers: \"wed\" is no group; did you mean \"web\"?"},
    {WRAP "reach = strict\n", "workers = web",
     "[wrap:cov] workers: reach = strict changes the program itself, for every process; remove one of them"},
};

static uint32_t lines_of(const char *text) {
    uint32_t lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void rows_are_as_written(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512];
        char expected[512] = "";
        (void)snprintf(text, sizeof(text), "%s%s", rows[i].before, rows[i].line);
        /* A command that is faulty is still there: its section isn't without one. */
        if (rows[i].fault != NULL)
            (void)snprintf(expected, sizeof(expected), "%u: error: %s\n", lines_of(rows[i].before), rows[i].fault);
        helper_expect(text, expected);
    }
}

static const struct {
    const char *before;
    const char *keys[64];
} known[] = {
    {WORKER "[supervisor]\n", {"grace", "finish_grace", "log_level", "log_format", "control", "on_second_signal"}},
    {"[worker:web]\n",
     {"start",
      "count",
      "type",
      "listen",
      "stop",
      "ready",
      "startup_timeout",
      "kill_after_completed",
      "grace",
      "stop_signal",
      "stop_to",
      "restart",
      "restart_delay",
      "stable_after",
      "restart_limit",
      "success_status",
      "on_failure",
      "on_success",
      "after",
      "check",
      "check_interval",
      "check_timeout",
      "check_failures",
      "every",
      "lifetime",
      "watchdog",
      "stdin",
      "output",
      "user",
      "group",
      "groups",
      "umask",
      "nice",
      "oom_score_adj",
      "capabilities",
      "no_new_privileges",
      "working_directory",
      "env_file",
      "env.A"}},
    {"[wrap:cov]\n", {"programs", "wrapper", "data", "same_process", "shim_root", "reach", "workers"}},
};

static bool has_faulty_row(const char *section, const char *key) {
    size_t length = strncmp(key, "env.", 4) == 0 ? 4 : strlen(key);
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool same = strncmp(rows[i].line, key, length) == 0 && (length == 4 || rows[i].line[length] == ' ');
        if (rows[i].fault != NULL && (same || strcmp(rows[i].line, key) == 0) &&
            strstr(rows[i].before, section) != NULL)
            return true;
    }
    return false;
}

static void no_key_is_forgotten(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        const char *section = strrchr(known[i].before, '[');
        for (size_t j = 0; j < COUNT(known[i].keys) && known[i].keys[j] != NULL; j++) {
            char text[256];
            (void)snprintf(text, sizeof(text), "%s%s = \n", known[i].before, known[i].keys[j]);
            struct config_input input = helper_input(text, strlen(text));
            struct config config;
            assert_int_equal(config_parse(&input, &config), 0);
            char *faults = helper_faults(&config);
            assert_null(strstr(faults, "unknown key"));
            assert_true(strncmp(known[i].keys[j], "env.", 4) == 0 || strstr(faults, "has no value") != NULL);
            if (!has_faulty_row(section, known[i].keys[j]))
                fail_msg("%s has no faulty row", known[i].keys[j]);
            free(faults);
            config_free(&config);
        }
    }
}

static void limits_of_every_resource(void **state) {
    (void)state;
    static const char *const resources[] = {"as",      "core",     "cpu",        "data",   "fsize", "locks",
                                            "memlock", "msgqueue", "nice",       "nofile", "nproc", "rss",
                                            "rtprio",  "rttime",   "sigpending", "stack"};
    char text[1024] = WORKER;
    for (size_t i = 0; i < COUNT(resources); i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "limit_%s = %zu:%zu\n", resources[i], i,
                       i + 1);
    struct config_input input = helper_input(text, strlen(text));
    struct config config;
    assert_int_equal(config_parse(&input, &config), 0);
    assert_int_equal(config.faults_count, 0);
    const struct spec_identity *identity = &config.spec.groups[0].identity;
    assert_int_equal(identity->limits_count, COUNT(resources));
    for (size_t i = 0; i < COUNT(resources); i++) {
        assert_string_equal(identity->limits[i].name, resources[i]);
        assert_int_equal(identity->limits[i].soft, i);
        assert_int_equal(identity->limits[i].hard, i + 1);
    }
    config_free(&config);
}

/* Where a line names something that isn't built, this one and no other fault comes out. */
static void what_is_not_built_says_so(void **state) {
    (void)state;
    static const struct row unbuilt[] = {
        {WORKER "[supervisor]\n", "control = none", NULL},
        {WORKER "[supervisor]\n", "control = /run/b", "[supervisor] control: not built yet; remove the line"},
        {WORKER "[env]\n", "A = ${B}", NULL},
        {WORKER "[wrap:a]\n", "wrapper = x", NULL},
        {WORKER "[signals]\n", "HUP = reload", NULL},
        {WORKER "[signals]\n", "HUP = forward", NULL},
        {WORKER "[signals]\n", "HUP = forward\tUSR1", NULL},
        {WORKER "[signals]\n", "HUP = forward:web", NULL},
        {PRIMARY, "working_directory = /", NULL},
        {PRIMARY, "user = app", NULL},
        {PRIMARY, "limit_core = 0", NULL},
        {PRIMARY, "env.A = 0", NULL},
        {PRIMARY, "env_file = /x", NULL},
        {WORKER, "type = childProcess", NULL},
        {WORKER, "type = cluster", NULL},
        {WORKER "type = cluster\n", "listen = tcp://*:80", NULL},
        {WORKER, "ready = fd:3", NULL},
        {WORKER, "ready = notify", NULL},
        {WORKER, "ready = tcp:a:1", NULL},
        {WORKER, "ready = unix:/a", NULL},
        {WORKER, "ready = file:/a", NULL},
        {WORKER, "ready = exec:a b", NULL},
        {WORKER, "check = tcp:a:1", "[worker:web] check: not built yet; remove the line"},
        {WORKER, "check_interval = 1s", "[worker:web] check_interval: not built yet; remove the line"},
        {WORKER, "check_timeout = 1s", "[worker:web] check_timeout: not built yet; remove the line"},
        {WORKER, "check_failures = 1", "[worker:web] check_failures: not built yet; remove the line"},
        {WORKER, "every = 1h", "[worker:web] every: not built yet; remove the line"},
        {WORKER, "lifetime = 1h", "[worker:web] lifetime: not built yet; remove the line"},
        {WORKER, "watchdog = 1h", NULL},
        {WORKER, "user = app", NULL},
        {WORKER, "group = app", NULL},
        {WORKER, "groups = app", NULL},
        {WORKER, "umask = 022", NULL},
        {WORKER, "nice = 0", NULL},
        {WORKER, "oom_score_adj = 0", NULL},
        {WORKER, "capabilities = ^cap_chown", NULL},
        {WORKER, "no_new_privileges = no", NULL},
        {WORKER, "no_new_privileges = on", NULL},
        {WORKER, "limit_nofile = 5", NULL},
        {WORKER, "env.A = 1", NULL},
        {WORKER, "env_file = /x", NULL},
        {WORKER, "working_directory = /", NULL},
        {WORKER, "output = null", NULL},
        {WORKER, "output = json", NULL},
        {WORKER, "output = prefix", NULL},
        {WORKER, "every = 5", "[worker:web] every: \"5\" has no unit; write 5s (or ms, m, h)"},
    };
    for (size_t i = 0; i < COUNT(unbuilt); i++) {
        char text[512];
        char expected[512] = "";
        (void)snprintf(text, sizeof(text), "%s%s", unbuilt[i].before, unbuilt[i].line);
        if (unbuilt[i].fault != NULL)
            (void)snprintf(expected, sizeof(expected), "%u: error: %s\n", lines_of(unbuilt[i].before),
                           unbuilt[i].fault);
        struct config_input input = helper_input(text, strlen(text));
        input.accept_unbuilt = false;
        helper_expect_input(&input, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_as_written),
        cmocka_unit_test(no_key_is_forgotten),
        cmocka_unit_test(limits_of_every_resource),
        cmocka_unit_test(what_is_not_built_says_so),
    };
    return cmocka_run_group_tests_name("config keys", tests, NULL, NULL);
}
