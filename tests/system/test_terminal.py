"""Terminals, real ones: brood as the leader of a terminal's session (docker run -it) and as a job of an interactive
shell; job control, Ctrl-C, Ctrl-Z and fg, window sizes, a hang-up, and what the shell finds afterwards.

Everything is awaited by what the terminal shows. What is typed is echoed, so that programs are made to say something
that was not typed: `echo a$((1+1))b`.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios

from harness import OPTIONS, Failure, children_of, stat_of, worker, worker_argv

BASH = ["bash", "--norc", "--noprofile", "-i"]
IDS = r"ids=(\d+),(\d+),(\d+),(\d+),(\d+);"
# pid, parent, group, session, foreground group of the terminal; of the shell itself, by builtins alone.
ASK = "read -r a _ _ b c d _ e _ </proc/self/stat; echo ids=$a,$b,$c,$d,$e';'"


class Terminal:
    """A pty and the leader of its session."""

    def __init__(self, t, *words, before=None, name="outer"):
        self.t, self.unread, self.shown, self.status = t, "", "", None
        environment = dict(t.environment, TERM="dumb", PS1=name + "> ")
        self.pid, self.master = self._fork()
        if self.pid == 0:
            try:
                if before:
                    before()
                os.execvpe(words[0], words, environment)
            finally:
                os._exit(255)
        os.set_blocking(self.master, False)
        t.notes.append(self)

    @staticmethod
    def _fork():
        return pty.fork()

    def __str__(self):
        return f"the terminal showed\n{self.shown}"

    def type(self, text):
        os.write(self.master, text.encode())

    def line(self, text):
        self.type(text + "\n")

    def _read(self):
        """False at the end."""
        if not select.select([self.master], [], [], 0)[0]:
            return True
        try:
            data = os.read(self.master, 65536).decode(errors="replace")
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.unread += data
        self.shown += data
        return data != ""

    def expect(self, pattern):
        """What matches, after everything that was expected before."""

        def find():
            alive = self._read()
            found = re.search(pattern, self.unread)
            if not found and not alive:
                raise Failure(f"the terminal has ended without {pattern!r}")
            return found

        found = self.t.pump(find, f"{pattern!r} on the terminal")
        self.unread = self.unread[found.end():]
        return found

    def ids(self):
        """(pid, parent, group, session, foreground group) of the shell that is typed to."""
        self.line(ASK)
        return tuple(map(int, self.expect(IDS).groups()))

    def prompt(self, name="outer"):
        self.expect(rf"{name}> $")

    def run(self, text, pattern):
        """A line for the outer shell; returns what matches, and waits for the next prompt."""
        self.line(text)
        found = self.expect(pattern)
        self.prompt()
        return found

    def modes(self):
        """As the program in the foreground left them: c_iflag, c_oflag, c_cflag, c_lflag, special characters."""
        return self.run("stty -g | tr : =", r"\n([0-9a-f=]+)\r\n").group(1)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self):
        os.close(self.master)
        self.master = -1

    def wait(self):
        """The leader's status: an exit status, or -n where it died of signal n."""

        def ended():
            if self.master >= 0:
                self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            return pid

        self.t.pump(ended, "the end of the session's leader")
        self.t.drain()
        while self.master >= 0 and select.select([self.master], [], [], 0)[0] and self._read():
            pass
        if self.master >= 0:
            self.hang_up()
        return self.status


def brood(*words):
    return " ".join((OPTIONS["brood"], *words))


def outer_shell(t):
    """An interactive bash that leads the session, at its prompt."""
    terminal = Terminal(t, *BASH)
    terminal.prompt()
    return terminal


def inner_shell(options):
    return brood(*options, "-- env PS1=inner\\>\\  bash --norc --noprofile -i")


def leave(t, terminal, status=0):
    """The outer shell must find its terminal as it was: its own group in the foreground."""
    pid, _, group, session, foreground = terminal.ids()
    t.equal((pid, group, session, foreground), (terminal.pid,) * 4, "the outer shell, its group, session, foreground")
    terminal.prompt()
    terminal.line(f"exit {status}")
    t.equal(terminal.wait(), status, "status of the outer shell")


def below(pid):
    """All descendants, as pids."""
    found = []
    for child in children_of(pid):
        found += [child, *below(child)]
    return found


def state_is(t, pids, state):
    """Every one of these processes is, or becomes, stopped (T) or not (S)."""
    t.pump(lambda: all((stat_of(pid) or "?")[0] == state for pid in pids), f"state {state} of {pids}")


# --- brood leads the session of its terminal ---


def check_led(t, options):
    terminal = Terminal(t, OPTIONS["brood"], *options, "--", *BASH, name="inner")
    terminal.prompt("inner")
    t.equal(re.findall("no job control|Inappropriate", terminal.shown), [], "complaints of the shell")
    pid, _, group, session, foreground = terminal.ids()
    t.equal((group, session, foreground), (pid, pid, pid), "the command leads a session, in the foreground")
    terminal.prompt("inner")
    job_control(t, terminal, "inner")
    terminal.line("exit 3")
    t.equal(terminal.wait(), 3, "status")


def job_control(t, terminal, name):
    terminal.line("sleep 1000")
    terminal.expect("sleep 1000\r\n")
    foreground(t, "sleep")
    terminal.type("\x1a")
    terminal.expect(r"Stopped\s+sleep 1000")
    terminal.prompt(name)
    terminal.line("fg")
    terminal.expect("sleep 1000\r\n")
    foreground(t, "sleep")
    terminal.type("\x03")
    terminal.prompt(name)
    terminal.line("echo status-$?-")
    terminal.expect("status-130-")
    terminal.prompt(name)


def foreground(t, name):
    """Waits until a program of this name is in the terminal's foreground group: before, a keystroke hits the shell."""

    def reached():
        for pid in below(os.getpid()):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    text = file.read()
            except OSError:
                continue
            comm = text[text.index("(") + 1:text.rindex(")")]
            fields = text.rpartition(")")[2].split()
            if comm == name and fields[2] == fields[5]:
                return pid
        return None

    return t.pump(reached, f"{name} in the foreground")


def test_terminal_led_by_brood(t):
    check_led(t, [])


def test_terminal_led_by_brood_in_a_sandbox(t):
    check_led(t, ["-n"])


def test_terminal_led_by_brood_with_mirror(t):
    check_led(t, ["-m"])


def test_terminal_led_is_given_up_without_a_trace(t):
    terminal = Terminal(t, OPTIONS["brood"], "-v", "-v", "--", *worker_argv("name:main", "say:start", "serve:only=15"))
    t.wait_event("main start")
    with open(f"/proc/{terminal.pid}/stat", encoding="utf-8") as file:
        t.equal(file.read().rpartition(")")[2].split()[4], "0", "brood's own terminal")
    terminal.type("\x03")
    t.wait_event("main INT")
    terminal.resize(33, 101)
    t.wait_event("main WINCH")
    os.kill(terminal.pid, signal.SIGTERM)
    t.equal(terminal.wait(), 0, "status")
    t.equal(t.story(), ["main start", "main INT", "main WINCH", "main TERM"], "no HUP, no CONT, everything else once")


def test_terminal_led_a_hup_of_somebodys_is_kept(t):
    def hup_is_pending():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, signal.SIGCONT])
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGCONT)

    terminal = Terminal(t, OPTIONS["brood"], "--", *worker_argv("name:main", "say:start", "serve:only=15"),
                        before=hup_is_pending)
    t.wait_event("main HUP")
    t.wait_event("main CONT")
    os.kill(terminal.pid, signal.SIGTERM)
    t.equal(terminal.wait(), 0, "status")
    t.equal(sorted(t.story()), ["main CONT", "main HUP", "main TERM", "main start"], "each once")


def test_terminal_led_hang_up(t):
    terminal = Terminal(t, OPTIONS["brood"], "--", *BASH, name="inner")
    terminal.prompt("inner")
    terminal.hang_up()
    t.equal(terminal.wait(), 129, "the shell dies of HUP")


def test_terminal_led_hang_up_is_the_commands_alone(t):
    terminal = Terminal(t, OPTIONS["brood"], "--", *worker_argv("name:main", "say:start", "serve:only=15"))
    t.wait_event("main start")
    terminal.hang_up()
    t.wait_event("main HUP")
    os.kill(terminal.pid, signal.SIGTERM)
    t.equal(terminal.wait(), 0, "status")
    t.equal(len(t.told("main HUP")), 1, "once")


def test_terminal_led_with_a_config(t):
    config = t.config(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        count = 8
        """)
    terminal = Terminal(t, OPTIONS["brood"], "-q", "-c", config, "--", *BASH, name="inner")
    t.wait_event("web/. start", 8)
    terminal.prompt("inner")
    pid, _, group, session, foreground_group = terminal.ids()
    t.equal((group, session, foreground_group), (pid, pid, pid), "main leads the terminal's session")
    terminal.prompt("inner")
    job_control(t, terminal, "inner")
    terminal.line("exit 4")
    t.equal(terminal.wait(), 4, "status")
    t.equal(sorted(t.story()), sorted(f"web/{i} {what}" for i in range(8) for what in ("start", "TERM")),
            "the workers see neither a key nor the HUP of the terminal that is given up")


def test_terminal_keys_stop_a_config_without_a_command(t):
    for options in ([], ["-n"]):
        config = t.config(f"""
            [worker:web]
            start = {worker('say:start', 'serve')}
            """)
        count = len(t.told("web/0 start"))
        terminal = Terminal(t, OPTIONS["brood"], *options, "-c", config)
        t.wait_event("web/0 start", count + 1)
        terminal.type("\x03")
        t.equal(terminal.wait(), 0, "status")
        t.equal(len(t.told("web/0 INT")), count + 1, "Ctrl-C, once")


# --- brood is a job of a shell ---


def check_shared(t, options):
    terminal = outer_shell(t)
    before = terminal.modes()
    terminal.line(inner_shell(options))
    terminal.prompt("inner")
    t.equal(re.findall("no job control|Inappropriate", terminal.shown), [], "complaints of the shell")
    pid, _, group, session, foreground_group = terminal.ids()
    outer_session = 0 if "-n" in options else terminal.pid
    t.equal((group, session, foreground_group), (pid, outer_session, pid), "a group of its own, the shell's session")
    terminal.prompt("inner")
    job_control(t, terminal, "inner")
    terminal.resize(44, 111)
    terminal.line("stty size")
    terminal.expect("44 111")
    terminal.prompt("inner")
    terminal.line("exit 7")
    terminal.prompt()
    terminal.run("echo status-$?-", "status-7-")
    t.equal(terminal.modes(), before, "the terminal's modes")
    leave(t, terminal)


def test_terminal_shared(t):
    check_shared(t, [])


def test_terminal_shared_in_a_sandbox(t):
    check_shared(t, ["-n"])


def test_terminal_ctrl_c_stops_a_sandbox(t):
    """As `docker stop` does: everyone is asked once, the grace period holds, and the shell has its terminal again."""
    config = t.config(f"""
        [worker:web]
        start = {worker('say:start', 'serve:delay=50')}
        count = 2
        [worker:deaf]
        start = {worker('say:start', 'serve:ignore')}
        grace = 300ms
        """)
    terminal = outer_shell(t)
    terminal.line(brood("-n", "-c", config) + "; echo status $?")
    for name in ("web/0", "web/1", "deaf/0"):
        t.wait_event(f"{name} start")
    terminal.type("\x03")
    terminal.expect("status 137")
    for name in ("web/0", "web/1", "deaf/0"):
        t.equal(len(t.told(f"{name} INT")), 1, f"what {name} got")
    leave(t, terminal)


def test_terminal_shared_with_mirror(t):
    check_shared(t, ["-m"])


def check_suspend(t, options):
    terminal = outer_shell(t)
    terminal.line(brood(*options, "-- cat"))
    foreground(t, "cat")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt()
    broods = children_of(terminal.pid)
    stopped = [pid for pid in below(terminal.pid) if not options or pid in broods or not children_of(pid)]
    t.equal(len(stopped), 2, "brood and cat")
    state_is(t, stopped, "T")
    terminal.line("fg")
    terminal.expect("cat\r\n")
    state_is(t, stopped, "S")
    terminal.line("hello")
    terminal.expect("hello\r\nhello\r\n")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt()
    begin = len(terminal.shown)
    terminal.line("bg")  # cat wants to read, which the terminal lets nobody in the background do
    terminal.expect(r"cat &\r\n")

    def told():  # the shell tells of it before a prompt, whichever is the next
        terminal.line("")
        terminal.prompt()
        return re.search("Stopped.*cat", terminal.shown[begin:])

    t.poll(told, "what the shell says of the stopped job")
    state_is(t, stopped, "T")
    terminal.line("fg")
    foreground(t, "cat")
    terminal.line("again")
    terminal.expect("again\r\nagain\r\n")
    terminal.type("\x04")
    terminal.prompt()
    terminal.run("echo status-$?-", "status-0-")
    leave(t, terminal)


def test_terminal_suspend(t):
    check_suspend(t, [])


def test_terminal_suspend_in_a_sandbox(t):
    check_suspend(t, ["-n"])


def test_terminal_suspend_with_mirror(t):
    check_suspend(t, ["-m"])


def test_terminal_suspend_of_a_shell(t):
    for options in ([], ["-n"]):
        terminal = outer_shell(t)
        terminal.line(inner_shell(options))
        terminal.prompt("inner")
        terminal.line("suspend")
        terminal.expect("Stopped")
        terminal.prompt()
        terminal.line("fg")
        terminal.prompt("inner")
        pid, _, group, _, foreground_group = terminal.ids()
        t.equal((group, foreground_group), (pid, pid), "the inner shell has the foreground again")
        terminal.prompt("inner")
        job_control(t, terminal, "inner")
        terminal.line("exit 0")
        terminal.prompt()
        leave(t, terminal)


def test_terminal_suspend_of_a_program_that_never_reads(t):
    for options in ([], ["-n"]):
        terminal = outer_shell(t)
        terminal.line(brood(*options, "-- sleep 1000"))
        foreground(t, "sleep")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.prompt()
        terminal.line("fg")
        foreground(t, "sleep")
        terminal.type("\x03")
        terminal.prompt()
        terminal.run("echo status-$?-", "status-130-")
        leave(t, terminal)


def test_terminal_suspend_is_ended_by_one_cont(t):
    terminal = outer_shell(t)
    terminal.line(brood("--", " ".join(worker_argv("name:main", "say:start", "serve:only=15"))))
    t.wait_event("main start")
    job = children_of(terminal.pid)[0]
    os.kill(children_of(job)[0], signal.SIGSTOP)
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.line("fg")
    t.wait_event("main CONT")
    os.kill(job, signal.SIGTERM)
    terminal.prompt()
    t.equal(t.story(), ["main start", "main CONT", "main TERM"], "what it was sent")
    leave(t, terminal)


def test_terminal_end_in_the_background_takes_nothing(t):
    """The job was in the foreground once; when it ends the shell has the terminal, and keeps it."""
    os.mkfifo("go")
    t.files.add("go")
    terminal = outer_shell(t)
    terminal.line(brood(f"-- sh -c 'read x <{t.directory}/go'"))
    foreground(t, "sh")
    job = children_of(terminal.pid)[0]
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.line("bg")
    terminal.expect("&\r\n")
    terminal.prompt()
    with open("go", "w", encoding="utf-8") as file:
        file.write("\n")
    t.pump(lambda: (stat_of(job) or "Z")[0] == "Z", "the end of the job")
    leave(t, terminal)


def check_background(t, options):
    """A job that is started in the background, and brought to the front."""
    terminal = outer_shell(t)
    terminal.line(brood(*options, "-- cat &"))
    terminal.expect(r"\[1\] \d+")
    job = children_of(terminal.pid)[0]
    state_is(t, [job], "T")
    terminal.line("")
    terminal.expect("Stopped.*cat")
    terminal.line("fg")
    foreground(t, "cat")
    terminal.line("hello")
    terminal.expect("hello\r\nhello\r\n")
    terminal.type("\x03")
    terminal.prompt()
    terminal.run("echo status-$?-", "status-130-")
    leave(t, terminal)


def test_terminal_background(t):
    check_background(t, [])


def test_terminal_background_in_a_sandbox(t):
    check_background(t, ["-n"])


def test_terminal_background_command_that_asks_late(t):
    """A shell that brings a running job to the front says so to nobody: the first read does."""
    for options in ([], ["-n"]):
        go = f"go{len(options)}"
        os.mkfifo(go)
        t.files.add(go)
        terminal = outer_shell(t)
        terminal.line(brood(*options, f"-- sh -c 'echo up-$((1+1)); read x <{t.directory}/{go}; exec cat' &"))
        terminal.expect("up-2")
        terminal.line("fg")
        terminal.expect("exec cat'\r\n")
        job = children_of(terminal.pid)[0]
        t.pump(lambda: stat_of(job) and foreground_group_of(job) == stat_of(job)[2], "brood in the foreground")
        with open(go, "w", encoding="utf-8") as file:
            file.write("\n")
        foreground(t, "cat")
        terminal.line("hello")
        terminal.expect("hello\r\nhello\r\n")
        terminal.type("\x04")
        terminal.prompt()
        leave(t, terminal)


def foreground_group_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[5])


def test_terminal_keys_reach_the_command_once(t):
    for options in ([], ["-n"], ["-m"]):
        before = len(t.events)
        terminal = outer_shell(t)
        words = " ".join(worker_argv("name:main", "say:start", "serve:only=15"))
        terminal.line(brood(*options, "--", words))
        t.pump(lambda: [event for event in t.events[before:] if event.text == "main start"], "its start")
        foreground(t, "worker")
        for key, name in (("\x03", "INT"), ("\x1c", "QUIT"), ("\x1a", "TSTP")):
            terminal.type(key)
            t.pump(lambda: t.events[-1].text == f"main {name}", f"main {name}")
        terminal.resize(50, 120)
        t.pump(lambda: t.events[-1].text == "main WINCH", "main WINCH")
        os.kill(children_of(terminal.pid)[0], signal.SIGTERM)
        terminal.prompt()
        t.equal([event.text for event in t.events[before:]],
                ["main start", "main INT", "main QUIT", "main TSTP", "main WINCH", "main TERM"], "once each")
        leave(t, terminal)


def test_terminal_of_dash_and_python(t):
    terminal = outer_shell(t)
    terminal.line(brood("-- env PS1=dash\\>\\  dash -i"))
    terminal.prompt("dash")
    terminal.line("sleep 1000")
    foreground(t, "sleep")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt("dash")
    terminal.line("fg")
    foreground(t, "sleep")
    terminal.type("\x03")
    terminal.prompt("dash")
    terminal.line("exit")
    terminal.prompt()
    terminal.line(brood("-- python3 -q -i -S -E"))
    terminal.expect(">>> $")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.line("fg")
    terminal.line("print(6 * 7)")
    terminal.expect("42\r\n")
    terminal.type("\x03")
    terminal.expect("KeyboardInterrupt")
    terminal.line("raise SystemExit(5)")
    terminal.prompt()
    terminal.run("echo status-$?-", "status-5-")
    leave(t, terminal)


def test_terminal_of_a_script_that_runs_brood(t):
    """A shell without job control in between stops and goes on with brood, and has the foreground afterwards."""
    for options in ([], ["-n"]):
        terminal = outer_shell(t)
        terminal.line(f"sh -c '{brood(*options)} -- cat; echo after-$((1+1)); read line; echo got-$line-$((2+2))'")
        foreground(t, "cat")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.prompt()
        terminal.line("fg")
        foreground(t, "cat")
        terminal.line("hello")
        terminal.expect("hello\r\nhello\r\n")
        terminal.type("\x04")
        terminal.expect("after-2")
        terminal.line("more")
        terminal.expect("got-more-4")
        terminal.prompt()
        leave(t, terminal)


def test_terminal_whose_shell_has_no_job_control(t):
    """brood's group is orphaned: without brood Ctrl-Z would do nothing, so that it must not hang the command."""
    for options in ([], ["-n"]):
        terminal = Terminal(t, "sh", "-c", f"{brood(*options)} -- cat; echo after-$((1+1)); read line; echo $line$line")
        cat = foreground(t, "cat")
        terminal.type("\x1a")
        terminal.line("hello")
        terminal.expect("hello\r\nhello\r\n")
        t.ok(stat_of(cat), "cat lives")
        terminal.type("\x04")
        terminal.expect("after-2")
        terminal.line("more")
        terminal.expect("moremore")
        t.equal(terminal.wait(), 0, "status")


def test_terminal_of_pid_1_whose_group_lies_outside(t):
    """It can't stop, and its own group has no number for it; it must not take the terminal in the background."""
    words = f"unshare --pid --fork --mount-proc --kill-child {OPTIONS['brood']} -- cat"
    terminal = outer_shell(t)
    terminal.line(words)
    foreground(t, "cat")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.line("fg")
    foreground(t, "cat")
    terminal.line("hello")
    terminal.expect("hello\r\nhello\r\n")
    terminal.type("\x04")
    terminal.prompt()
    terminal.line(words + " &")
    terminal.expect(r"\[1\] \d+")
    state_is(t, children_of(terminal.pid), "T")  # cat wants to read
    terminal.line("")
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.line("fg")
    foreground(t, "cat")
    terminal.type("\x03")
    terminal.prompt()
    leave(t, terminal)


def test_terminal_modes_after_a_command_that_was_killed(t):
    terminal = outer_shell(t)
    before = terminal.modes()
    terminal.run(brood("-- sh -c 'stty raw -echo; kill -9 $$'"), r"")
    terminal.run("echo status-$?-", "status-137-")
    t.equal(terminal.modes(), before, "modes")
    terminal.run(brood("-- sh -c 'stty -echo'") + "; stty -a; stty echo", "-echo ")  # a command that ends may set them
    leave(t, terminal)


def test_terminal_hang_up_below_a_shell(t):
    for options in ([], ["-n"], ["-m"]):
        before = len(t.events)
        terminal = outer_shell(t)
        terminal.line(brood(*options, "--", " ".join(worker_argv("name:main", "say:start", "serve:only=1"))))
        t.pump(lambda: [event for event in t.events[before:] if event.text == "main start"], "its start")
        terminal.hang_up()
        t.pump(lambda: [event for event in t.events[before:] if event.text == "main HUP"], "its HUP")
        terminal.wait()


def test_terminal_hang_up_stops_a_config(t):
    for options in ([], ["-n"]):
        config = t.config(f"""
            [worker:web]
            start = {worker('say:start', 'serve')}
            stop_signal = TERM
            """)
        before = len(t.events)
        terminal = outer_shell(t)
        terminal.line(brood(*options, "-c", config))
        t.pump(lambda: [event for event in t.events[before:] if event.text == "web/0 start"], "its start")
        terminal.hang_up()
        t.pump(lambda: [event for event in t.events[before:] if event.text == "web/0 TERM"], "its TERM")
        terminal.wait()


def test_terminal_shared_with_a_config(t):
    for options in ([], ["-n"]):
        before = len(t.events)
        config = t.config(f"""
            [worker:web]
            start = {worker('show', 'say:start', 'serve')}
            """)
        terminal = outer_shell(t)
        terminal.line(brood(*options, "-q -c", config, "-- env PS1=inner\\>\\  bash --norc --noprofile -i"))
        terminal.prompt("inner")
        t.pump(lambda: [event for event in t.events[before:] if event.text == "web/0 start"], "the worker's start")
        job_control(t, terminal, "inner")
        terminal.line("suspend")
        terminal.expect("Stopped")
        terminal.prompt()
        terminal.line("fg")
        terminal.prompt("inner")
        terminal.line("exit 6")
        terminal.prompt()
        terminal.run("echo status-$?-", "status-6-")
        shown = [event.what for event in t.events[before:] if event.name == "web/0" and event.what.startswith("pid=")][0]
        t.match(shown, r"pid=(\d+) ppid=\d+ pgid=\1 sid=\1", "a worker has a session of its own")
        t.equal([event.text for event in t.events[before:] if event.what in ("INT", "TSTP", "HUP")], [], "keys it got")
        leave(t, terminal)
