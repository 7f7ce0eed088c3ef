"""How a process is born: mask, dispositions, session, descriptors, directory; and what happens where it can't be."""

import os
import signal

from harness import DIRECTORY, worker


def odd_birth():
    """What a careless caller hands down."""
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR2, signal.SIGRTMIN + 5})


def odd_descriptors(t):
    """Three open files without close-on-exec, among them one at a high number."""
    read, write = os.pipe()
    high = os.dup2(write, 77, inheritable=True)
    t.others_fds = (read, write, high)
    for descriptor in t.others_fds:
        os.set_inheritable(descriptor, True)
    return t.others_fds


def facts(t, name):
    return dict(event.what.split("=", 1) for event in t.events if event.name == name and "=" in event.what)


def test_worker_is_born_clean(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('show', 'say:start', 'serve')}
        [worker:b]
        start = {worker('show', 'say:start', 'write:5', 'serve')}
        ready = fd:5
        """, before=odd_birth, pass_fds=odd_descriptors(t))
    t.wait_event("a/0 start")
    t.wait_event("b/0 start")
    brood.wait_record("b/0.*ready -> ready")
    for name, descriptors in (("a/0", "0,1,2"), ("b/0", "0,1,2,5")):
        found = facts(t, name)
        t.equal(found["blocked"], "", f"{name}: blocked signals")
        t.equal(found["ignored"], "", f"{name}: ignored signals")
        t.equal(found["fds"], descriptors, f"{name}: descriptors")
        t.equal(found["fd0"], "/dev/null", f"{name}: stdin")
        pid = found["pid"].split(" ")[0]
        t.equal(found["pid"], f"{pid} ppid=1 pgid={pid} sid={pid}", f"{name}: its own session and group")
        t.equal(found["cwd"], DIRECTORY, f"{name}: directory")
    brood.stop(signal.SIGTERM, 0)


def test_worker_of_a_subreaper_is_born_clean(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('show', 'say:start', 'serve')}
        """, mode="subreaper", before=odd_birth, pass_fds=odd_descriptors(t))
    t.wait_event("a/0 start")
    found = facts(t, "a/0")
    t.equal((found["blocked"], found["ignored"], found["fds"]), ("", "", "0,1,2"), "as below PID 1")
    pid = found["pid"].split(" ")[0]
    t.equal(found["pid"], f"{pid} ppid={brood.pid} pgid={pid} sid={pid}", "ids")
    brood.stop(signal.SIGTERM, 0)


def test_variables_of_brood_itself_are_not_passed_on(t):
    names = ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
             "NODE_CHANNEL_FD", "WORKER_PID", "WORKER_SIGNAL")
    brood = t.brood(f"""
        [worker:a]
        start = {worker(*[f'env:{name}' for name in names], 'env:KEPT', 'say:start', 'serve')}
        """, env=dict({name: "1" for name in names}, KEPT="yes"))
    t.wait_event("a/0 start")
    brood.stop(signal.SIGTERM, 0)
    found = facts(t, "a/0")
    t.equal([found[name] for name in names], ["(unset)"] * len(names), "brood's own")
    t.equal(found["KEPT"], "yes", "the rest")


def test_working_directory(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('show', 'say:start', 'serve')}
        working_directory = /usr/share
        [primary]
        start = {worker('name:primary', 'show', 'exit:0')}
        working_directory = /usr/lib
        """)
    t.wait_event("a/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal((facts(t, "a/0")["cwd"], facts(t, "primary")["cwd"]), ("/usr/share", "/usr/lib"), "directories")
    t.equal(facts(t, "primary")["fds"], "0,1,2", "the primary's descriptors")


def test_stdin_can_be_inherited(t):
    path = t.file("input", "x")
    with open(path, "rb") as file:
        brood = t.brood(f"""
            [worker:a]
            start = {worker('show', 'say:start', 'serve')}
            stdin = inherit
            """, stdin=file)
    t.wait_event("a/0 start")
    t.equal(facts(t, "a/0")["fd0"], path, "stdin")
    brood.stop(signal.SIGTERM, 0)


def test_output_goes_where_brood_has_it(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('paint:hello', 'show', 'say:start', 'serve')}
        [worker:b]
        start = {worker('paint:silence', 'show', 'say:start', 'serve')}
        output = null
        """, keep_stdout=True)
    t.wait_event("a/0 start")
    t.wait_event("b/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(brood.stdout, b"hello\n", "standard output")
    found = facts(t, "b/0")
    t.equal((found["fd1"], found["fd2"]), ("/dev/null", "/dev/null"), "output = null")
    t.ok(facts(t, "a/0")["fd2"].startswith("pipe:"), "stderr is brood's")


def test_worker_can_write_to_the_output_of_pid_1(t):
    brood = t.brood("""
        [worker:a]
        start = sh -c 'echo hello >/proc/1/fd/1; exec sleep 100'
        """, keep_stdout=True)
    t.pump(lambda: brood.stdout == b"hello\n", "the line")
    brood.stop(signal.SIGTERM, 0)


def test_start_is_split_as_sh_does(t):
    t.brood("""
        [worker:a]
        start = '%s' say:one\\ two "say:it's" say:'a "b" $HOME *' exit:0
        """ % worker().strip()).ends(0)
    t.equal(t.story(), ["a/0 one two", "a/0 it's", 'a/0 a "b" $HOME *'], "words")


# --- what can't be executed


def check_failure(t, start, status, pattern, extra=""):
    brood = t.brood(f"""
        [worker:a]
        start = {start}
        restart = no
        {extra}
        """)
    brood.ends(status, "a/0 failed for good: it could not be executed$")
    brood.has(pattern)


def test_program_is_missing(t):
    check_failure(t, "/nowhere/prog x", 127, r"a/0.*/nowhere/prog: No such file")


def test_program_is_not_on_the_path(t):
    check_failure(t, "no-such-program-at-all", 127, r"a/0.*no-such-program-at-all: No such file")


def test_program_is_not_executable(t):
    check_failure(t, t.file("plain", "#!/bin/sh\n"), 126, r"a/0.*/plain: Permission denied")


def test_program_is_a_directory(t):
    check_failure(t, "/usr/bin", 126, r"a/0.*/usr/bin: Permission denied")


def test_program_has_a_bad_interpreter(t):
    path = t.file("script", "#!/nowhere/interpreter -x\n", 0o755)
    check_failure(t, path, 126, r"a/0.*script: its interpreter /nowhere/interpreter is missing$")
    path = t.file("script", "#!/bin/sh\r\nexit 0\r\n", 0o755)
    check_failure(t, path, 126, r"a/0.*script: the name of its interpreter /bin/sh ends with a CR; end its lines")


def test_program_has_a_bad_format(t):
    check_failure(t, t.file("broken", b"\x7fELF" + b"\0" * 100, 0o755), 126, r"a/0.*broken: Exec format error")


def test_working_directory_is_missing(t):
    check_failure(t, "/bin/true", 126, r"a/0.*/nowhere/dir: No such file", "working_directory = /nowhere/dir")


def test_missing_program_is_tried_again(t):
    path = os.path.join(t.directory, "late")
    brood = t.brood(f"""
        [worker:a]
        start = {path}
        restart_delay = 100ms
        restart_limit = 0
        """)
    brood.wait_record("a/0.*backoff", 2)
    t.file("late", "#!/bin/sh\nexec " + worker("say:start", "serve") + "\n", 0o755)
    t.wait_event("a/0 start")
    brood.stop(signal.SIGTERM, 0)
