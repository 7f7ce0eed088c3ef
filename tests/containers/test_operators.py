"""What an operator does to a container, and what the engine does by itself: signals, exec, restarts, limits."""

import contextlib
import re
import select
import subprocess
import time

from engine import PATIENCE
from harness import Failure, on
from images import CONTEXT
from terminal import Terminal

IMAGE = {"image": "brood-inits"}
CONFIG = ("--entrypoint", "/brood")  # where the image's own is for a command
PERL = ("perl", "/signals.pl")
TERM, USR1, USR2, WINCH, CONT = 15, 10, 12, 28, 18
# Not KILL and STOP, which nobody can catch; not CHLD, which is brood's own; not the two that C libraries keep back.
SIGNALS = [number for number in range(1, 65) if number not in (9, 17, 19, 32, 33)]


@contextlib.contextmanager
def watched(words, environment=None):
    """Runs something beside a container: a function that waits for a line and returns it, and one for all the rest."""
    process = subprocess.Popen(words, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def line():
        if not select.select([process.stdout], [], [], PATIENCE)[0]:
            raise Failure(f"{words} says nothing")
        return process.stdout.readline().decode()

    def rest():
        return process.communicate(timeout=PATIENCE)[0].decode()

    try:
        yield process, line, rest
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# --- docker stop, docker kill


@on("docker", "podman")
def test_stop_takes_what_the_command_takes(test):
    """Not less, and hardly more."""
    script = "trap 'sleep 1; echo bye; exit 3' TERM; echo ready; while :; do sleep 1000 & wait $!; done"
    container = test.start("sh", "-c", script, **IMAGE)
    container.wait_line("^ready$")
    status, took = container.stop_as_created()
    test.equal(status, 3, "status")
    test.match(container.said(), "(?m)^bye$", "what it said")
    test.ok(1 <= took < 6, f"a second and a little, but it took {took:.1f} s")


def test_kill_of_each_signal_reaches_a_command(test):
    container = test.start(*PERL, **IMAGE)
    container.wait_line("^ready")
    for number in [number for number in SIGNALS if number != TERM] + [TERM]:  # from TERM on grace is running
        container.signal(number)
        container.wait_line(f"^got {number}$")
    container.wait_line(f"^got {CONT}$", 2)
    test.equal(container.kill(), 137, "status")
    got = [int(line.split()[1]) for line in container.said().splitlines() if line.startswith("got ")]
    test.equal((sorted(got[:-1]), got[-1]), (SIGNALS, CONT), "each signal once, and CONT after the stop signal")


def test_kill_of_a_config(test):
    """Each reaches the workers; those of a stop end them, and WINCH isn't sent on unless the config says so."""
    container = test.create("-c", "/signals.ini", options=CONFIG, **IMAGE)
    ends = {"TERM": 15, "INT": 2, "QUIT": 3}
    for life, (name, number) in enumerate(ends.items(), 1):
        container.start()
        container.wait_line("^ready", life)
        for other in (WINCH, USR1, USR2, "RTMIN+3"):
            container.signal(other)
        for other in (USR1, USR2, 37):
            container.wait_line(f"^got {other}$", life)
        container.signal(name)
        test.equal(container.wait(), 0, f"status after {name}")
        container.wait_line(f"^got {number}$")
    test.ok(f"got {WINCH}\n" not in container.said(), "WINCH isn't handed on")


# --- docker exec


def test_exec_is_left_alone(test):
    """It hears nothing of a stop that goes on for a second, until the end of PID 1 is its own."""
    script = "trap 'echo stopping; sleep 1; exit 0' TERM; echo ready; while :; do sleep 1000 & wait $!; done"
    container = test.start("sh", "-c", script, **IMAGE)
    container.wait_line("^ready$")
    engine = test.engine
    with watched([*engine.program, "exec", container.name, *PERL], engine.environment) as (process, line, rest):
        pid = line().split()[1]
        test.equal(container.execute("sh", "-c", f"kill -USR2 {pid}").status, 0, "kill -USR2")
        test.equal(line(), f"got {USR2}\n", "signals are told of")
        test.equal(container.stop_as_created()[0], 0, "status")
        test.equal((rest(), process.returncode), ("", 137), "what else it was sent, and its status")


def test_exec_leaves_a_daemon(test):
    """brood adopts it, and asks it to go when the container does."""
    container = test.start("-c", "/signals.ini", options=CONFIG, **IMAGE)
    container.wait_line("^ready")
    done = container.execute("sh", "-c", "setsid perl /signals.pl leave >/proc/1/fd/1 2>&1 </dev/null &")
    test.equal(done.status, 0, "status of exec")
    container.wait_line("^ready", 2)
    test.equal(container.stop_as_created()[0], 0, "status")
    test.equal(container.said().count(f"got {TERM}\n"), 2, "how many were asked to go")


# --- restart policies


@contextlib.contextmanager
def ends(test, *command, restart, options=()):
    """A container that begins, and a function that waits for the next end of it and returns the status."""
    container = test.create(*command, options=("--restart", restart, *options), **IMAGE)
    words = [*test.engine.program, "events", "--since", str(time.time()), "--filter", f"container={container.name}",
             "--filter", "event=die", "--format", "{{.Actor.Attributes.exitCode}}"]
    with watched(words, test.engine.environment) as (_, line, _):
        container.start()
        yield container, lambda: int(line())


def test_restart_on_failure_sees_a_commands_status(test):
    with ends(test, "sh", "-c", "exit 3", restart="on-failure:2") as (container, end):
        test.equal([end(), end(), end()], [3, 3, 3], "statuses")
        test.equal((container.wait(), container.inspect("RestartCount")), (3, "2"), "status and restarts")
    with ends(test, "true", restart="on-failure:2") as (container, end):
        test.equal((end(), container.wait(), container.inspect("RestartCount")), (0, 0, "0"), "status and restarts")


def test_restart_on_failure_sees_a_workers_status(test):
    with ends(test, "-c", "/fails.ini", restart="on-failure:1", options=CONFIG) as (container, end):
        test.equal([end(), end()], [5, 5], "statuses")
        test.equal((container.wait(), container.inspect("RestartCount")), (5, "1"), "status and restarts")


def test_restart_on_failure_takes_a_stop_for_success(test):
    """Also one that the operator has not asked the engine for."""
    with ends(test, "-c", "/signals.ini", restart="on-failure:2", options=CONFIG) as (container, end):
        container.wait_line("^ready")
        container.execute("sh", "-c", "kill -TERM 1")  # whose own end may be that of the container
        test.equal((end(), container.wait(), container.inspect("RestartCount")), (0, 0, "0"), "status and restarts")


def test_restart_always(test):
    with ends(test, "-c", "/signals.ini", restart="always", options=CONFIG) as (container, end):
        container.wait_line("^ready")
        container.execute("sh", "-c", "kill -TERM 1")
        test.equal(end(), 0, "status")
        test.must("stop", container.name)
        test.equal(container.inspect("State.Running"), "false", "it goes on")


# --- what a container may do, and what it has


def test_default_seccomp_and_capabilities(test):
    """They are enough to become somebody else and to give him a capability; not for a sandbox, and that is said."""
    container = test.start("-c", "/nobody.ini", options=CONFIG, **IMAGE)
    container.wait_line("^I am nobody$")
    status = dict(line.split(":\t", 1) for line in container.execute("cat", "/proc/1/status").stdout.splitlines())
    test.equal((status["Seccomp"], status["CapBnd"]), ("2", "00000000a80425fb"), "Docker's defaults")
    test.equal(container.stop_as_created()[0], 0, "status")
    result = test.run("--sandbox", "true", options=CONFIG, **IMAGE)
    test.refused(result, 111, "--sandbox: .*: Operation not permitted: .*seccomp")


def test_pid_host(test):
    """Not PID 1: what brood started is stopped, though it left its session; the host's processes are not."""
    with watched(["perl", CONTEXT + "/signals.pl"]) as (process, line, rest):
        test.match(line(), "^ready", "a process of the host")
        container = test.start("-c", "/straggler.ini", options=("--pid", "host", *CONFIG), **IMAGE)
        container.wait_line("^ready")
        test.equal(container.execute("test", "-d", f"/proc/{process.pid}").status, 0, "it is seen from the container")
        test.equal(container.stop_as_created()[0], 0, "status")
        test.match(container.said(), f"(?m)^got {TERM}$", "the straggler was asked to go")
        process.send_signal(USR1)  # signals are told of in their order
        test.equal(line(), f"got {USR1}\n", "the first that the host's process heard of")
        process.kill()
        test.equal(rest(), "", "what else it heard")


def test_worker_killed_for_memory(test):
    options = ("--memory", "64m", "--memory-swap", "64m", *CONFIG)
    container = test.start("-c", "/greedy.ini", options=options, **IMAGE)
    container.wait_line(r"greedy/0.* killed by KILL", 2)
    container.wait_line("^life$", 3)
    pid = re.search("(?m)^ready (.*)$", container.printed())[1]
    test.equal(container.execute("sh", "-c", f"kill -USR1 {pid}").status, 0, "kill -USR1")
    container.wait_line(f"^got {USR1}$")
    test.equal(container.printed().count("ready"), 1, "lives of the other worker")
    test.equal(container.stop_as_created()[0], 0, "status")


def test_pids_limit(test):
    """Workers for whom there is no pid are tried again, no failure is counted, and a stop is a stop."""
    options = ("--pids-limit", "20", *CONFIG)
    container = test.start("-c", "/many.ini", options=options, **IMAGE)
    container.wait_line("^life$", 15)
    container.wait_line("many/[0-9]+.*cannot fork: EAGAIN")
    status, took = container.stop_as_created()
    test.equal(status, 0, "status")
    test.ok(took < 6, f"stopped at once, but it took {took:.1f} s")
    test.ok(container.said().count("life\n") < 30, "not all have begun")


# --- docker run -it

GUISES = {
    "brood": ("--entrypoint", "/brood", "brood-inits"),
    "docker-init": ("--init", "--entrypoint", "", "brood-inits"),
    "tini": ("--entrypoint", "/tini", "brood-inits"),
    "dumb-init": ("--entrypoint", "/dumb-init", "brood-inits"),
}
SHELL = ("bash", "--norc", "--noprofile", "-i")


def test_terminal_has_job_control(test):
    """Ctrl-Z, jobs, fg, Ctrl-C, the window's size, and the shell's own status, under each of the names."""
    for *options, image in GUISES.values():
        options = ("-it", "--env", "PS1=at> ", "--env", "TERM=dumb", *options)
        container = test.create(*SHELL, options=options, image=image)
        with Terminal(container) as terminal:
            terminal.expect("at> $")
            terminal.type("perl /job.pl\r")
            terminal.expect("\nup\r\n")
            terminal.type("\x1a")
            terminal.expect(r"\[1\]\+ +Stopped +perl /job.pl\r\nat> $")
            terminal.type("fg\r")
            terminal.expect("\nback\r\n")
            terminal.type("\x03")
            terminal.expect("at> $")
            terminal.type("echo status=$? jobs=$(jobs | wc -l)\r")
            terminal.expect("status=130 jobs=0\r\nat> $")
            terminal.resize(33, 101)
            terminal.type("while [ \"$(stty size)\" != '33 101' ]; do :; done; echo re''sized\r")
            terminal.expect("resized\r\nat> $")
            terminal.type("exit 7\r")
            test.equal(terminal.end(), 7, "status")
        test.ok("no job control" not in container.said(), "the shell has job control")
