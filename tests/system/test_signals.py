"""Signals sent to brood, each of the 64: what a command gets, and what [signals] makes of them under a config."""

import fcntl
import os
import signal
import termios

from harness import limit, worker, worker_argv

OWN = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}  # the first two can't be caught, CHLD is brood's
LIBRARY = {32, 33}  # the C library's, which its functions refuse to block: test_command.py has them
ALL = [number for number in range(1, 65) if number not in OWN | LIBRARY]
FAULTS = [signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS]
IGNORED = [signal.SIGWINCH, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE, signal.SIGURG, signal.SIGIO]


def name_of(number):
    """As the helper program calls it."""
    if number >= 32:
        return f"signal {number}"
    return {signal.SIGIO: "POLL", signal.SIGABRT: "ABRT", signal.SIGCHLD: "CHLD"}.get(
        number, signal.Signals(number).name[3:])


# --- a command


def check_every_signal(t, mode):
    brood = t.brood(command=worker_argv("name:main", "say:start", "serve:only=64"), mode=mode)
    t.wait_event("main start")
    for number in ALL[:-1]:
        if number == signal.SIGTERM:
            continue
        brood.send(number)
        t.wait_event(f"main {name_of(number)}")
    brood.send(64)
    t.equal(brood.wait(), 0, "status")
    said = [text.removeprefix("main ") for text in t.story()[1:]]
    t.equal(said, [name_of(number) for number in ALL if number != signal.SIGTERM], "each once, as it is")


def test_every_signal_reaches_a_command_of_pid_1(t):
    check_every_signal(t, "pid1")


def test_every_signal_reaches_a_command_of_a_plain_child(t):
    """Fault signals kill other inits there: they are meant for whoever the kernel raises them at."""
    check_every_signal(t, "child")


def test_real_time_signals_are_forwarded_as_often_as_they_come(t):
    brood = t.brood(command=worker_argv("name:main", "say:start", "serve:only=64"))
    t.wait_event("main start")
    for number in (50, 40, 50, 40, 50):
        brood.send(number)
    t.wait_event("main signal 50", 3)
    t.wait_event("main signal 40", 2)
    brood.send(64)
    t.equal(brood.wait(), 0, "status")
    t.equal((len(t.told("main signal 50")), len(t.told("main signal 40"))), (3, 2), "not merged, not multiplied")


def test_fault_signals_do_not_harm_brood(t):
    """The command dies of it, brood says so and ends with its status."""
    for number in FAULTS:
        count = len(t.told("main start"))
        brood = t.brood(command=worker_argv("name:main", "say:start", f"serve:only={int(number)},die"), mode="child")
        t.wait_event("main start", count + 1)
        brood.send(number)
        t.equal(brood.wait(), 128 + number, "status")


def test_signals_reach_the_whole_group_of_a_command(t):
    brood = t.brood(command=worker_argv("name:main", "member:m:only=64", "say:start", "serve:only=64"))
    t.wait_event("main start")
    for number in (signal.SIGUSR1, signal.SIGSEGV, 45):
        brood.send(number)
        t.wait_event(f"main {name_of(number)}")
        t.wait_event(f"m {name_of(number)}")
    brood.send(64)
    t.equal(brood.wait(), 0, "status")
    said = [text.removeprefix("m ") for text in t.story({"m"})[1:]]
    sent = [what for what in said if what not in ("TERM", "CONT")]  # which it gets where main was gone first
    t.equal(sent, ["USR1", "SEGV", "signal 45", "signal 64"], "each signal once")


# --- a config


def web(signals="", mode="serve:only=15", other=""):
    return f"""
        [supervisor]
        grace = 1s
        [signals]
        {signals}
        [worker:web]
        start = {worker('say:start', mode)}
        count = 2
        {other}
        """


@limit(60)
def test_signals_of_a_config_by_default(t):
    brood = t.brood(web())
    t.wait_event("web/[01] start", 2)
    stops = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
    silent = [number for number in ALL if number in IGNORED or number == signal.SIGHUP]
    forwarded = [number for number in ALL if number not in stops | set(silent)]
    for number in silent:
        brood.send(number)
    for number in forwarded:
        brood.send(number)
        for index in (0, 1):
            t.wait_event(f"web/{index} {name_of(number)}")
    brood.stop(signal.SIGTERM, 0)
    for index in (0, 1):
        said = [text.split(" ", 1)[1] for text in t.story({f"web/{index}"})]
        t.equal(said, ["start", *map(name_of, forwarded), "TERM"], "and nothing else")


def test_each_of_the_stop_signals_stops(t):
    for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGINT, "INT"), (signal.SIGQUIT, "QUIT")):
        count = len(t.told("web/0 start"))
        brood = t.brood(web(mode="serve"))
        t.wait_event("web/0 start", count + 1)
        t.wait_event("web/1 start", count + 1)
        brood.stop(number, 0, f"stopped by {name}")
        t.equal((len(t.told(f"web/0 {name}")), len(t.told(f"web/1 {name}"))), (1, 1), "it is forwarded as it is")


def test_signals_of_a_config_that_are_named(t):
    brood = t.brood(web(f"""
        WINCH = forward
        SIGUSR1 = ignore
        SEGV = ignore
        QUIT = forward
        PIPE = forward USR2
        INT = forward SIGHUP
        RTMIN+2 = forward RTMAX
        USR2 = stop
        """, mode="serve:only=12"))
    t.wait_event("web/[01] start", 2)
    for number, name in ((signal.SIGWINCH, "WINCH"), (signal.SIGQUIT, "QUIT"), (signal.SIGINT, "HUP"),
                         (signal.SIGRTMIN + 2, "signal 64")):
        brood.send(signal.SIGUSR1)
        brood.send(signal.SIGSEGV)
        brood.send(number)
        t.wait_event(f"web/0 {name}")
        t.wait_event(f"web/1 {name}")
    brood.stop(signal.SIGUSR2, 0, "stopped by USR2")
    for index in (0, 1):
        said = [text.split(" ", 1)[1] for text in t.story({f"web/{index}"})]
        t.equal(said, ["start", "WINCH", "QUIT", "HUP", "signal 64", "USR2"], "")


def test_a_rewritten_term_is_forwarded_and_stops_nobody(t):
    brood = t.brood(web("TERM = forward USR1\nINT = stop"))
    t.wait_event("web/[01] start", 2)
    brood.send(signal.SIGTERM)
    t.wait_event("web/[01] USR1", 2)
    brood.has_not("-> stop")
    brood.send(signal.SIGINT)
    t.equal(brood.wait(), 137, "these answer TERM alone, which isn't sent")


def test_signal_for_one_group(t):
    brood = t.brood(web("USR1 = forward:db\nHUP = forward:web\nRTMIN+1 = forward:db", other=f"""
        [worker:db]
        start = {worker('say:start', 'serve')}
        """))
    t.wait_event("web/[01] start", 2)
    t.wait_event("db/0 start")
    brood.send(signal.SIGUSR1)
    t.wait_event("db/0 USR1")
    brood.send(signal.SIGHUP)
    t.wait_event("web/[01] HUP", 2)
    brood.send(signal.SIGRTMIN + 1)
    t.wait_event("db/0 signal 35")
    brood.stop(signal.SIGTERM, 0)
    for name, said in (("db/0", ["USR1", "signal 35"]), ("web/0", ["HUP"]), ("web/1", ["HUP"])):
        got = [text.removeprefix(name + " ") for text in t.story({name})]
        t.equal([what for what in got if what != "CONT"], ["start", *said, "TERM"], "each group gets its own")


# --- the terminal hangs up


def on_a_terminal(slave):
    """What a caller does who gives brood a terminal and a session."""

    def prepare():
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    return prepare


def test_hang_up_is_a_stop(t):
    """HUP means reload; one that the kernel raises because the terminal is gone stops whatever [signals] says of it."""
    for signals in ("", "HUP = ignore", "HUP = forward"):
        master, slave = os.openpty()
        count = len(t.told("web/0 start"))
        brood = t.brood(web(signals, mode="serve:only=1"), mode="child", before=on_a_terminal(slave), stdin=slave)
        os.close(slave)
        t.wait_event("web/0 start", count + 1)
        t.wait_event("web/1 start", count + 1)
        os.close(master)
        brood.ends(0, "stopped by HUP")
        t.equal(len(t.told("web/[01] HUP")), 2 * (count + 1), "forwarded once to each")
