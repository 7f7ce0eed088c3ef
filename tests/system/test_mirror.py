"""--mirror: brood dies of the signal that its command died of, and of nothing else, without a core file of its own."""

import os
import resource
import signal

from harness import OPTIONS, children_of, worker, worker_argv
from test_process import facts

FATAL = (signal.SIGHUP, signal.SIGINT, signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGTERM,
         signal.SIGUSR1, signal.SIGRTMIN + 3, signal.SIGRTMAX)


def mirror(t, *words, options=(), **keywords):
    keywords.setdefault("mode", "child")
    return t.brood(None, "--mirror", *options, command=worker_argv("name:main", *words), **keywords)


def test_mirror_dies_of_every_signal(t):
    for number in FATAL:
        t.equal(mirror(t, f"kill:{int(number)}").wait(), -number, "what brood died of")


def test_mirror_dies_of_the_c_librarys_signal(t):
    brood = mirror(t, "all-default", "say:start", "serve")
    t.wait_event("main start")
    brood.send(33)
    t.equal(brood.wait(), -33, "what brood died of")


def test_mirror_keeps_an_exit_status(t):
    for status in (0, 1, 126, 127, 128 + 15, 255):
        t.equal(mirror(t, f"exit:{status}").wait(), status, "status")
    t.equal(t.brood(None, "-m", command=["/nowhere/program"], mode="child").wait(), 127, "not found")


def test_mirror_as_pid_1_exits(t):
    t.equal(mirror(t, "kill:9", mode="pid1").wait(), 137, "status")
    brood = mirror(t, "say:start", "serve:die", mode="pid1")
    t.wait_event("main start")
    brood.stop(signal.SIGTERM, 143)


def test_mirror_of_the_forwarded_term(t):
    brood = mirror(t, "say:start", "serve:die")
    t.wait_event("main start")
    brood.stop(signal.SIGTERM, -signal.SIGTERM)


def test_mirror_of_a_command_that_had_to_be_killed(t):
    brood = mirror(t, "say:start", "serve:ignore", options=("-t", "300ms"))
    t.wait_event("main start")
    t.between(brood.stop(signal.SIGTERM, -signal.SIGKILL), 300, 5000, "the stop")


def test_mirror_waits_for_stragglers(t):
    brood = mirror(t, "orphan:lost:delay=100", "say:start", "kill:10")
    t.equal(brood.wait(), -signal.SIGUSR1, "what brood died of")
    t.equal([text.split(" ")[1] for text in t.story({"lost"})], ["start", "TERM", "CONT"], "asked before")


def ignore_and_block():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGHUP])


def test_mirror_of_a_signal_that_the_caller_ignored_and_blocked(t):
    for number in (signal.SIGTERM, signal.SIGHUP):
        t.equal(mirror(t, f"kill:{int(number)}", before=ignore_and_block).wait(), -number, "what brood died of")


def pending_term():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.kill(os.getpid(), signal.SIGTERM)


def test_mirror_of_a_term_before_the_command_runs(t):
    """Whether the command was there already is a race that the caller must not see."""
    brood = mirror(t, "say:start", "serve", before=pending_term)
    t.equal(brood.wait(), -signal.SIGTERM, "what brood died of")
    t.equal(t.story(), [], "the command was not started")
    t.equal(mirror(t, "serve", options=("-e", "143:7"), before=pending_term).wait(), 7, "a status that is remapped")


def test_mirror_of_a_command_beside_a_config(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        """, "-m", command=worker_argv("name:main", "say:start", "serve:die"), mode="child")
    t.wait_event("main start")
    t.wait_event("web/0 start")
    t.equal(brood.stop(signal.SIGTERM, -signal.SIGTERM) < 1000, True, "the stop")
    t.match(brood.records[-1].text, "exit 143: main was killed by TERM", "the last record")


def test_mirror_of_a_config_alone_is_nothing(t):
    t.brood(f"""
        [worker:web]
        start = {worker('kill:11')}
        restart = no
        """, "-m", mode="child").ends(139, "killed by SEGV")


# --- no second core file


def ended_how(words, environment):
    """CLD_DUMPED where the kernel wrote a core file for the process, else CLD_KILLED or CLD_EXITED."""
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 2)
        os.execve(words[0], words, environment)
    return os.waitid(os.P_PID, pid, os.WEXITED).si_code


def test_mirror_writes_no_second_core_file(t):
    """The command's own core file is the one of interest; what it is called is the system's choice."""
    segv = worker_argv("kill:11")
    t.equal(ended_how(segv, t.environment), os.CLD_DUMPED, "the command by itself dumps core here")
    t.equal(ended_how([OPTIONS["brood"], "-m", "--", *segv], t.environment), os.CLD_KILLED, "brood doesn't")
    t.files.update(name for name in os.listdir(".") if name.startswith("core"))


# --- in a sandbox: the inner brood is PID 1 and can't die of the signal, the outer one does


def sandboxed(t, *words, options=()):
    return mirror(t, *words, options=("-n", *options))


def test_mirror_in_a_sandbox(t):
    for number in FATAL:
        t.equal(sandboxed(t, f"kill:{int(number)}").wait(), -number, "what brood died of")


def test_mirror_in_a_sandbox_keeps_an_exit_status(t):
    for status in (0, 3, 128 + 15, 255):
        t.equal(sandboxed(t, f"exit:{status}").wait(), status, "status, not mistaken for a death")


def test_mirror_in_a_sandbox_with_a_config(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        """, "-n", "-m", command=worker_argv("name:main", "kill:12"), mode="child")
    t.equal(brood.wait(), -signal.SIGUSR2, "what brood died of")


def test_mirror_in_a_sandbox_leaves_no_descriptor_to_the_command(t):
    t.equal(sandboxed(t, "show", "exit:0").wait(), 0, "status")
    t.equal(facts(t, "main")["fds"], "0,1,2", "descriptors")


def test_mirror_of_an_inner_brood_that_was_killed(t):
    brood = sandboxed(t, "say:start", "serve")
    t.wait_event("main start")
    (inner,) = children_of(brood.pid)
    os.kill(inner, signal.SIGKILL)
    t.equal(brood.wait(), -signal.SIGKILL, "what brood died of")
    brood = t.brood(None, "-n", command=worker_argv("name:main", "say:start", "serve"), mode="child")
    t.wait_event("main start", 2)
    (inner,) = children_of(brood.pid)
    os.kill(inner, signal.SIGKILL)
    t.equal(brood.wait(), 137, "without --mirror")
