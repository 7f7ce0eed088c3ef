"""brood called as tini, docker-init or dumb-init, on a terminal: as `docker run -it` has it, where PID 1 leads the session
of a terminal that is nobody else's, and below an interactive shell."""

import os
import re
import signal

from harness import OPTIONS, children_of, worker_argv
from test_personalities import NAMES, guise
from test_terminal import BASH, Terminal, foreground, job_control, leave, outer_shell, state_is


class Container(Terminal):
    """PID 1 of a namespace is the first process of its session and takes the pty."""

    def __init__(self, t, *words, name="inner"):
        super().__init__(t, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "setsid", "--ctty", *words,
                         name=name)

    @staticmethod
    def _fork():
        master, slave = os.openpty()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            for descriptor in range(3):
                os.dup2(slave, descriptor)
        else:
            os.close(slave)
        return pid, master


WAYS = [*((name, ()) for name in NAMES), ("dumb-init", ("-c",)), ("tini", ("-g",)), ("brood", ())]


def path_of(t, name):
    return OPTIONS["brood"] if name == "brood" else guise(t, name)


def test_guise_terminal_of_a_container(t):
    """An interactive shell has job control, Ctrl-C, Ctrl-Z and the window's size."""
    for name, options in WAYS:
        terminal = Container(t, path_of(t, name), *options, "--", *BASH)
        terminal.prompt("inner")
        t.equal(re.findall("no job control|Inappropriate|cannot set", terminal.shown), [], f"{name}: complaints")
        pid, parent, group, session, foreground_group = terminal.ids()
        own = 1 if "-c" in options else pid
        t.equal((parent, group, session, foreground_group), (1, pid, own, pid), f"{name} {options}: in the foreground")
        terminal.prompt("inner")
        terminal.resize(31, 97)
        terminal.line("stty size")
        terminal.expect("31 97")
        terminal.prompt("inner")
        job_control(t, terminal, "inner")
        terminal.line("exit 3")
        t.equal(terminal.wait(), 3, f"{name} {options}: status")


def test_guise_terminal_keys_come_once(t):
    """Also with dumb-init -c, whose command is in the group that the terminal sends them to."""
    for name, options in WAYS:
        seen = len(t.events)
        terminal = Container(t, path_of(t, name), *options, "--",
                             *worker_argv("name:main", "say:start", "serve:only=64"))
        for key, said in ((None, "start"), ("\x03", "INT"), ("\x1c", "QUIT"), ("size", "WINCH")):
            if key == "size":
                terminal.resize(20, 20)
            elif key:
                terminal.type(key)
            t.pump(lambda: t.events[seen:] and t.events[-1].what == said, f"main {said}")
        (init,) = children_of(terminal.pid)
        os.kill(init, 64)
        t.equal(terminal.wait(), 0, "status")
        t.equal([event.what for event in t.events[seen:]], ["start", "INT", "QUIT", "WINCH", "signal 64"],
                f"{name} {options}: each once")


def test_guise_terminal_hang_up(t):
    """The command gets one HUP, by the kernel, or with dumb-init -c from brood."""
    for name, options in WAYS:
        seen = len(t.events)
        terminal = Container(t, path_of(t, name), *options, "--", *worker_argv("name:main", "say:start", "serve:only=64"))
        t.pump(lambda: t.events[seen:], "the command")
        terminal.hang_up()
        t.pump(lambda: t.events[seen + 1:], "HUP")
        (init,) = children_of(terminal.pid)
        os.kill(init, 64)
        t.equal(terminal.wait(), 0, "status")
        said = [event.what for event in t.events[seen:] if event.what != "CONT"]
        t.equal(said, ["start", "HUP", "signal 64"], f"{name} {options}")


def test_guise_terminal_below_a_shell(t):
    """Ctrl-Z stops command and init, and the shell above sees its job stop; fg brings both back, Ctrl-C ends it."""
    for name, options in WAYS:
        terminal = outer_shell(t)
        terminal.line(" ".join((path_of(t, name), *options, "-- cat")))
        foreground(t, "cat")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.prompt()
        (init,) = children_of(terminal.pid)
        state_is(t, [init, *children_of(init)], "T")
        terminal.line("fg")
        terminal.expect("cat\r\n")
        state_is(t, [init, *children_of(init)], "S")
        terminal.line("hello")
        terminal.expect("hello\r\nhello\r\n")
        os.kill(init, signal.SIGTSTP)  # not by the terminal
        terminal.expect("Stopped")
        terminal.prompt()
        state_is(t, [init, *children_of(init)], "T")
        terminal.line("fg")
        foreground(t, "cat")
        terminal.line("again")
        terminal.expect("again\r\nagain\r\n")
        terminal.type("\x03")
        terminal.prompt()
        terminal.run("echo status-$?-", f"status-{128 + signal.SIGINT}-")
        leave(t, terminal)


def test_guise_terminal_of_a_shell_below_a_shell(t):
    for name, options in WAYS:
        terminal = outer_shell(t)
        before = terminal.modes()
        terminal.line(" ".join((path_of(t, name), *options, "-- env PS1=inner\\>\\ ", *BASH)))
        terminal.prompt("inner")
        t.equal(re.findall("no job control|Inappropriate|cannot set", terminal.shown), [], f"{name}: complaints")
        job_control(t, terminal, "inner")
        terminal.line("exit 7")
        terminal.prompt()
        terminal.run("echo status-$?-", "status-7-")
        t.equal(terminal.modes(), before, "the terminal's modes")
        leave(t, terminal)
