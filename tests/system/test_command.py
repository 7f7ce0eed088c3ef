"""One command: as other small inits run it, with brood's guarantees; and a command beside a config."""

import os
import signal

from harness import children_of, limit, status_field, worker, worker_argv
from test_process import facts, odd_birth, odd_descriptors


def test_command_status(t):
    for status in (0, 1, 42, 255):
        brood = t.brood(command=["sh", "-c", f"exit {status}"])
        t.equal(brood.wait(), status, "status")
        t.equal(brood.text(), [], "nothing is said")


def test_command_status_is_128_plus_the_signal(t):
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGHUP):
        t.equal(t.brood(command=worker_argv(f"kill:{int(number)}")).wait(), 128 + number, "status")


def test_command_that_is_missing(t):
    brood = t.brood(command=["/nowhere/prog"])
    t.equal(brood.wait(), 127, "status")
    brood.has("/nowhere/prog: No such file")
    t.equal(t.brood(command=["no-such-program-at-all"]).wait(), 127, "status by PATH")
    brood = t.brood(None, "-v", command=["/nowhere/prog"])
    brood.ends(127, "main could not be executed$")
    brood = t.brood(command=["", "x"])
    t.equal(brood.wait(), 127, "status of what a variable without a value leaves")
    brood.has("cannot execute an empty word: No such file")


def test_command_that_is_not_executable(t):
    brood = t.brood(command=[t.file("plain", "x")])
    t.equal(brood.wait(), 126, "status")
    brood.has("plain: Permission denied")


def test_command_without_dashes(t):
    t.equal(t.brood(None, "sh", "-c", "exit 7").wait(), 7, "options end at the first word that is none")


def test_command_has_no_use_for_files(t):
    """What only a config can name isn't looked at: here a read of it would never end."""
    os.mkfifo("pipe")
    t.files.add("pipe")
    brood = t.brood(command=["sh", "-c", "exit 7"], namespace_options=("--mount-proc", "--mount"),
                    in_namespace=("sh", "-c", "mount -n --bind pipe /etc/hosts && exec \"$@\"", "sh"))
    t.equal(brood.wait(), 7, "status")


def test_command_gets_what_its_caller_left(t):
    descriptors = odd_descriptors(t)
    brood = t.brood(command=worker_argv("name:main", "show", "say:start", "serve"), mode="subreaper", before=odd_birth,
                    pass_fds=descriptors)
    t.wait_event("main start")
    found = facts(t, "main")
    t.equal(found["blocked"], f"{int(signal.SIGUSR2)},{int(signal.SIGTERM)},{int(signal.SIGRTMIN) + 5}", "blocked")
    t.equal(found["ignored"], "1,2,10,13,17", "ignored: HUP, INT, USR1, PIPE, CHLD")
    t.equal(found["fds"], ",".join(map(str, sorted([0, 1, 2, *descriptors]))), "descriptors")
    brood.send(signal.SIGTERM)
    brood.wait()


def test_command_has_a_session_of_its_own_and_keeps_stdin(t):
    path = t.file("input", "x")
    with open(path, "rb") as file:
        brood = t.brood(command=worker_argv("name:main", "show", "exit:0"), stdin=file)
    t.equal(brood.wait(), 0, "status")
    found = facts(t, "main")
    pid = found["pid"].split(" ")[0]
    t.equal(found["pid"], f"{pid} ppid=1 pgid={pid} sid={pid}", "ids")
    t.equal(found["fd0"], path, "stdin")


def test_listen_pid_becomes_the_commands(t):
    brood = t.brood(command=worker_argv("name:main", "show", "env:LISTEN_PID", "env:LISTEN_FDS", "env:WATCHDOG_PID",
                                        "env:NOTIFY_SOCKET", "exit:0"),
                    env={"LISTEN_PID": "1", "LISTEN_FDS": "1", "WATCHDOG_PID": "1", "NOTIFY_SOCKET": "/run/x"})
    t.equal(brood.wait(), 0, "status")
    found = facts(t, "main")
    pid = found["pid"].split(" ")[0]
    t.equal((found["LISTEN_PID"], found["WATCHDOG_PID"]), (pid, pid), "what named brood")
    t.equal((found["LISTEN_FDS"], found["NOTIFY_SOCKET"]), ("1", "/run/x"), "what didn't")


def test_command_gets_every_signal(t):
    brood = t.brood(command=worker_argv("name:main", "say:start", "serve:only=15"))
    t.wait_event("main start")
    for number, name in ((signal.SIGUSR1, "USR1"), (signal.SIGWINCH, "WINCH"), (signal.SIGHUP, "HUP"),
                         (signal.SIGTSTP, "TSTP"), (signal.SIGPIPE, "PIPE"), (signal.SIGRTMIN + 3, "signal 37"),
                         (signal.SIGINT, "INT"), (signal.SIGQUIT, "QUIT"), (signal.SIGUSR1, "USR1")):
        count = len(t.told(f"main {name}"))
        brood.send(number)
        t.wait_event(f"main {name}", count + 1)
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")


def test_command_gets_the_c_librarys_signals(t):
    brood = t.brood(command=worker_argv("name:main", "all-default", "say:start", "serve"))
    t.wait_event("main start")
    brood.send(33)
    t.equal(brood.wait(), 128 + 33, "it dies of the signal that its C library doesn't let it block")


def test_command_dies_of_the_forwarded_term(t):
    brood = t.brood(command=worker_argv("name:main", "say:start", "serve:die"))
    t.wait_event("main start")
    t.between(brood.stop(signal.SIGTERM, 143), 0, 5000, "the stop")


def test_command_that_ignores_term_is_killed(t):
    brood = t.brood(None, "-v", "-t", "400ms", command=worker_argv("name:main", "say:start", "serve:ignore"))
    t.wait_event("main start")
    t.between(brood.stop(signal.SIGTERM, 137, "main was killed after 400ms of grace"), 400, 5000, "the stop")
    t.equal(t.story()[:2], ["main start", "main TERM"], "")


def test_command_keeps_its_own_status_in_a_stop(t):
    brood = t.brood(command=worker_argv("name:main", "say:start", "serve:exit=9"))
    t.wait_event("main start")
    brood.stop(signal.SIGTERM, 9)


def test_int_without_grace_option_is_forwarded_only(t):
    brood = t.brood(None, "-v", "-v", command=worker_argv("name:main", "say:start", "serve:only=15"))
    t.wait_event("main start")
    first = brood.send(signal.SIGINT)
    t.wait_event("main INT")
    t.elapse(400, first)
    brood.send(signal.SIGINT)
    t.wait_event("main INT", 2)
    t.equal(brood.process.poll(), None, "nobody is killed")
    brood.has_not("-> stop,")
    brood.stop(signal.SIGTERM, 0)


def test_int_with_grace_option_starts_the_grace_period(t):
    brood = t.brood(None, "-t", "300ms", command=worker_argv("name:main", "say:start", "serve:ignore"))
    t.wait_event("main start")
    t.between(brood.stop(signal.SIGINT, 137), 300, 5000, "the stop")


def test_second_term_of_a_command(t):
    brood = t.brood(None, "-t", "1h", command=worker_argv("name:main", "say:start", "serve:ignore"))
    t.wait_event("main start")
    first = brood.send(signal.SIGTERM)
    t.wait_event("main TERM")
    brood.send(signal.SIGTERM)
    t.wait_event("main TERM", 2)
    t.elapse(400, first)
    t.between(brood.stop(signal.SIGTERM, 137), 0, 5000, "one that counts kills")


def test_stragglers_of_a_command_do_not_change_its_status(t):
    brood = t.brood(None, "-t", "300ms", command=worker_argv("name:main", "orphan:lost:ignore", "say:start", "exit:6"))
    t.equal(brood.wait(), 6, "status")
    t.equal(len(t.told("lost TERM")), 1, "asked, then killed")


def test_members_of_a_command(t):
    brood = t.brood(None, "-t", "300ms", command=worker_argv("name:main", "member:m:ignore", "say:start", "exit:6"))
    t.equal(brood.wait(), 6, "status")
    t.equal(len(t.told("m TERM")), 1, "asked, then killed")


def test_command_of_a_plain_child(t):
    brood = t.brood(command=worker_argv("name:main", "orphan:lost:delay=50", "say:start", "serve:exit=3"), mode="child")
    t.wait_event("main start")
    brood.stop(signal.SIGTERM, 3)
    t.equal(len(t.told("lost TERM")), 1, "brood is a subreaper unless told otherwise")


# --- early signals


def blocks_term(pid):
    mask = status_field(pid, "SigBlk")
    return bool(mask) and int(mask, 16) >> (signal.SIGTERM - 1) & 1


@limit(60)
def test_term_right_after_exec_is_never_lost(t):
    """Sent in the first moment at which one can see from outside that brood is there."""
    for number in range(100):
        mode = "pid1" if number % 2 else "child"
        brood = t.brood(command=worker_argv("name:main", "serve:die"), mode=mode)
        while not blocks_term(brood.pid):
            t.ok(brood.process.poll() is None, "brood is there")
        brood.send(signal.SIGTERM)
        t.equal(brood.wait(), 143, f"status of round {number}")


def check_signal_while_the_config_is_read(t, number, command, status):
    """The config is a FIFO: brood waits in reading it, with its signals blocked."""
    os.mkfifo("config")
    t.files.add("config")
    brood = t.brood(t.directory + "/config", command=command)
    descriptor = os.open("config", os.O_WRONLY)  # returns when brood has opened it
    brood.send(number)
    os.write(descriptor, f"[worker:a]\nstart = {worker('say:start', 'serve')}\n".encode())
    os.close(descriptor)
    t.equal(brood.wait(), status, "status")
    t.equal(t.story(), [], "nothing is started")


def test_term_before_the_config_is_read(t):
    check_signal_while_the_config_is_read(t, signal.SIGTERM, None, 0)


def test_term_before_the_command_is_started(t):
    check_signal_while_the_config_is_read(t, signal.SIGTERM, worker_argv("name:main", "say:start", "serve"), 143)


def test_term_before_the_primary_is_started(t):
    os.mkfifo("config")
    t.files.add("config")
    brood = t.brood(t.directory + "/config")
    descriptor = os.open("config", os.O_WRONLY)
    brood.send(signal.SIGINT)
    hooks = f"start = {worker('name:p', 'say:start', 'exit:0')}\nstop = {worker('name:p', 'say:stop', 'exit:0')}\n"
    os.write(descriptor, f"[primary]\n{hooks}".encode())
    os.close(descriptor)
    t.equal(brood.wait(), 130, "128 and the stop's signal")
    t.equal(t.story(), [], "no start, no stop hook")


# --- a command beside a config


def beside(extra=""):
    return f"""
        [supervisor]
        grace = 1s
        [worker:web]
        start = {worker('say:start', 'serve:delay=50')}
        {extra}
        """


def test_config_and_command_end_with_the_command(t):
    brood = t.brood(beside(), command=worker_argv("name:cmd", "env:WORKER_NAME", "say:start", "serve:exit=5"))
    t.wait_event("web/0 start")
    t.wait_event("cmd start")
    for pid in children_of(brood.pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"name:cmd" in file.read():
                os.kill(pid, signal.SIGTERM)
    brood.ends(5, "main")
    t.equal(t.story({"web/0"}), ["web/0 start", "web/0 TERM", "web/0 CONT"], "web is stopped")


def test_config_and_command_requested_stop(t):
    brood = t.brood(beside(), command=worker_argv("name:cmd", "say:start", "serve:die"))
    t.wait_event("cmd start")
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 143, "main")


def test_config_and_command_keeps_stdin(t):
    path = t.file("input", "x")
    with open(path, "rb") as file:
        brood = t.brood(beside(), command=worker_argv("name:cmd", "show", "exit:0"), stdin=file)
    brood.ends(0)
    t.equal(facts(t, "cmd")["fd0"], path, "stdin")


def test_config_and_command_that_fails_is_not_restarted(t):
    brood = t.brood(beside(), command=worker_argv("name:cmd", "say:start", "kill:11"))
    brood.ends(139, "main")
    t.equal(len(t.told("cmd start")), 1, "once")


def test_config_of_a_command_alone_has_worker_named_main(t):
    brood = t.brood(beside(), command=["sleep", "1000"])
    brood.wait_record(r"main\[\d+\]: executed -> ready")
    t.wait_event("web/0 start")
    t.equal(len(children_of(brood.pid)), 2, "children")
    brood.stop(signal.SIGTERM, 143)
