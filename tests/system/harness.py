"""One system test's world: starts brood with real processes below it, collects what they say, looks for what is left.

A test runs in PID, mount, IPC and network namespaces of its own (run.py arranges that), with empty /tmp, /run, /srv and
/dev/shm; so "nothing is left" is exact: any other process, any new file but in /srv, fails it. Two streams tell what happens,
both read as they come and never slept for: brood's stderr, and a FIFO to which the helper program writes
(programs/worker.c).
"""

import contextlib
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import time

DIRECTORY = "/tmp/test"
PATIENCE = 10.0  # seconds that anything awaited may take; far more than it needs, the machine may be busy
OPTIONS = {"brood": "", "programs": ""}  # set by run.py


class Failure(Exception):
    """A test's expectation did not hold."""


def now_ms():
    return int(time.monotonic() * 1000)


def worker(*words):
    """The command line of the helper program, as a config's value."""
    return " ".join(shlex.quote(word) for word in (OPTIONS["programs"] + "/worker",) + words)


def worker_argv(*words):
    return [OPTIONS["programs"] + "/worker", *words]


def pause():
    return OPTIONS["programs"] + "/pause"


def limit(seconds):
    """A test's hard limit where 30 s are not enough."""

    def mark(function):
        function.limit = seconds
        return function

    return mark


class Event:
    """A line of the FIFO: at `ms`, `name` said `what`."""

    def __init__(self, line):
        ms, self.name, self.what = line.split(" ", 2)
        self.ms = int(ms)
        self.text = f"{self.name} {self.what}"


class Record:
    """A line of brood's stderr, with the time at which it was read."""

    def __init__(self, line):
        self.ms, self.text = now_ms(), line


def stat_of(pid):
    """(state, ppid, pgid, sid) of a process, None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (fields[0], int(fields[1]), int(fields[2]), int(fields[3]))


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children_of(pid):
    return sorted(child for child in pids() if (stat_of(child) or ("", 0))[1] == pid)


def status_field(pid, field):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            found = re.search(rf"^{field}:\s*(.*)$", file.read(), re.M)
    except OSError:
        return ""
    return found.group(1) if found else ""


def inner_pid(pid):
    """What a process is called in its innermost PID namespace."""
    return int((status_field(pid, "NSpid") or "0").split()[-1])


class Brood:
    """A brood that runs. `pid` is its pid as the test sees it; signals go to brood itself, never to unshare."""

    def __init__(self, test, process, wrapped_path):
        self.test, self.process, self.records = test, process, []
        self.rest, self.stdout, self.stdout_rest = b"", b"", b""
        self.status = None
        self.pid = process.pid
        self.since = now_ms()
        if wrapped_path:
            self.pid = self._find_inner(wrapped_path)

    def _find_inner(self, path):
        """The child of unshare, or of strace, once it is brood; where that is over already, nobody (0)."""
        while self.process.poll() is None and now_ms() < self.since + PATIENCE * 1000:
            for pid in children_of(self.process.pid):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(path):
                        return pid
            os.sched_yield()
        return 0

    # --- acting

    def send(self, number):
        if self.pid == 0:
            raise Failure("brood has ended before it was seen")
        begin = now_ms()  # not after: whoever gets it may be faster
        os.kill(self.pid, number)
        return begin

    def worker_pid(self, inner):
        """The outer pid of the process that is called `inner` in brood's namespace."""
        for pid in pids():
            if inner_pid(pid) == inner and pid != self.pid and len(status_field(pid, "NSpid").split()) > 1:
                return pid
        raise Failure(f"no process with the inner pid {inner}")

    # --- awaiting

    def text(self):
        return [record.text for record in self.records]

    def wait_record(self, pattern, count=1):
        """The count-th record that matches."""

        def find():
            found = [record for record in self.records if re.search(pattern, record.text)]
            return found[count - 1] if len(found) >= count else None

        return self.test.pump(find, f"record {pattern!r} (number {count})")

    def wait(self, patience=PATIENCE):
        """Brood's exit status: 0 to 255, or -n where it died of signal n."""

        def ended():
            self.status = self.process.poll()
            return self.status is not None

        self.test.pump(ended, "the end of brood", patience)
        self.test.drain()
        return self.status

    def ends(self, status, outcome=None, patience=PATIENCE):
        """Waits for the end, expects this status, and the last record to say it, and the reason."""
        self.test.equal(self.wait(patience), status, "exit status")
        last = self.records[-1].text if self.records else ""
        if outcome is not None:
            self.test.match(last, rf"^brood: \w+: container: exit {status}: .*{outcome}", "the last record")
        return self

    def stop(self, number=signal.SIGTERM, status=0, outcome=None, patience=PATIENCE):
        """Sends a stop signal; returns how many milliseconds the stop took."""
        begin = self.send(number)
        self.ends(status, outcome, patience)
        return now_ms() - begin

    def has(self, pattern, count=None):
        """A record that matches, or exactly `count`, said already or, as long as brood lives, on their way."""

        def found():
            return [text for text in self.text() if re.search(pattern, text)]

        with contextlib.suppress(Failure):
            self.test.pump(lambda: self.status is not None or len(found()) >= (count or 1), "")
        if count is None:
            self.test.ok(found(), f"no record matches {pattern!r}")
        else:
            self.test.equal(len(found()), count, f"records that match {pattern!r}")

    def has_not(self, pattern):
        found = [text for text in self.text() if re.search(pattern, text)]
        self.test.equal(found, [], f"records that match {pattern!r}")


class Test:
    """What a test function gets."""

    def __init__(self):
        os.makedirs(DIRECTORY, mode=0o1777, exist_ok=True)
        os.chmod(DIRECTORY, 0o1777)
        os.chdir(DIRECTORY)
        self.directory, self.broods, self.others, self.events = DIRECTORY, [], [], []
        self.files = {"events"}
        os.mkfifo("events")
        os.chmod("events", 0o666)
        self.fifo = os.open("events", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.fifo, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.rest, self.configs, self.notes = b"", [], []
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                            "EVENTS": DIRECTORY + "/events"}

    # --- starting

    def file(self, name, content="", mode=0o644):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        self.files.add(name)
        return path

    def copy_of(self, name, directory=None):
        """The path of a copy of brood, or of a helper program, that any user may execute: the repository may lie where
        only its owner can go."""
        source = OPTIONS["brood"] if name == "brood" else f"{OPTIONS['programs']}/{name}"
        path = os.path.join(directory or self.directory, name)
        shutil.copy(source, path)
        if directory is None:
            self.files.add(name)
        return path

    def config(self, text, name="brood.ini"):
        text = "\n".join(line.strip() for line in text.strip().split("\n")) + "\n"
        self.configs.append(text)
        return self.file(name, text)

    def brood(self, config=None, *options, command=None, mode="pid1", before=None, prefix=(), path=None,
              keep_stdout=False, namespace_options=("--mount-proc",), in_namespace=(), **popen):
        """Starts brood with the text of a config and the words of a command; mode is pid1, subreaper or child (the last
        leaves it to brood whether it is a subreaper). `prefix` goes before everything, `in_namespace` right before
        brood."""
        words = [*in_namespace, path or OPTIONS["brood"]]
        if mode == "subreaper":
            words.append("--subreaper")
        if config is not None:
            words += ["-c", config if "\n" not in config else self.config(config)]
        words += options
        if command is not None:
            words += ["--", *command]
        if mode == "pid1":
            words = ["unshare", "--pid", "--fork", *namespace_options, "--kill-child", *words]
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stderr", subprocess.PIPE)
        popen.setdefault("stdout", subprocess.PIPE if keep_stdout else subprocess.DEVNULL)
        environment = dict(self.environment, **popen.pop("env", {}))
        if prefix and prefix[0] == "strace":  # a sanitized brood looks for leaks by ptrace, which has one user
            environment["ASAN_OPTIONS"] = "detect_leaks=0"
        process = subprocess.Popen([*prefix, *words], env=environment, preexec_fn=before, **popen)
        for stream in (process.stderr, process.stdout):
            if stream:
                os.set_blocking(stream.fileno(), False)
                with contextlib.suppress(OSError):  # 10,000 records at once: brood drops what doesn't fit
                    fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)
        self.broods.append(None)
        is_wrapped = mode == "pid1" or bool(prefix) and prefix[0] == "strace"
        brood = Brood(self, process, (path or OPTIONS["brood"]) if is_wrapped else None)
        self.broods[-1] = brood
        return brood

    def run(self, *options, **keywords):
        """brood with options alone, to its end: (status, stdout, stderr)."""
        process = subprocess.run([OPTIONS["brood"], *options], env=dict(self.environment, **keywords.pop("env", {})),
                                 capture_output=True, timeout=PATIENCE, stdin=keywords.pop("stdin", subprocess.DEVNULL)
                                 if "input" not in keywords else None, check=False, **keywords)
        self.notes.append(f"brood {' '.join(options)}: {process.returncode}\n{process.stdout}\n{process.stderr}")
        return process.returncode, process.stdout.decode(), process.stderr.decode()

    def other(self, *words, **popen):
        """A process of the test's own, not below brood; ended by the harness."""
        process = subprocess.Popen(words, env=dict(self.environment, **popen.pop("env", {})), **popen)
        self.others.append(process)
        return process

    # --- awaiting

    def _streams(self):
        streams = {self.fifo: None}
        for brood in self.broods:
            for stream in (brood.process.stderr, brood.process.stdout) if brood else ():
                if stream and not stream.closed:
                    streams[stream.fileno()] = (brood, stream)
        return streams

    def _take(self, descriptor, owner):
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return False
        if owner is None:
            *lines, self.rest = (self.rest + data).split(b"\n")
            self.events += [Event(line.decode()) for line in lines]
            return bool(data)
        brood, stream = owner
        if not data:
            stream.close()
        if stream is brood.process.stdout:
            brood.stdout += data
            return bool(data)
        *lines, brood.rest = (brood.rest + data).split(b"\n")
        brood.records += [Record(line.decode(errors="replace")) for line in lines]
        return bool(data)

    def pump(self, condition, what, patience=PATIENCE):
        """Reads both streams until the condition gives something, and returns that."""
        end = time.monotonic() + patience
        while True:
            streams = self._streams()
            for descriptor in select.select(list(streams), [], [], 0)[0]:
                self._take(descriptor, streams[descriptor])
            found = condition()
            if found:
                return found
            left = end - time.monotonic()
            if left <= 0:
                raise Failure(f"waited {patience:.0f} s for {what}")
            # The end of a process is no readable descriptor, hence the short timeout.
            select.select(list(self._streams()), [], [], min(left, 0.01))

    def drain(self):
        """Everything that is in the streams now, once brood has ended for one."""
        for _ in range(10000):
            streams = self._streams()
            ready = select.select(list(streams), [], [], 0)[0]
            if not any([self._take(descriptor, streams[descriptor]) for descriptor in ready]):
                return

    def wait_event(self, text, count=1, patience=PATIENCE):
        """The count-th event "NAME WHAT" that matches this pattern as a whole."""

        def find():
            found = [event for event in self.events if re.fullmatch(text, event.text)]
            return found[count - 1] if len(found) >= count else None

        return self.pump(find, f"event {text!r} (number {count})", patience)

    def poll(self, condition, what, every_ms=50, patience=PATIENCE):
        """As pump(), for what can only be asked again and again: a server that doesn't listen yet."""
        asked = 0

        def ask():
            nonlocal asked
            if now_ms() < asked + every_ms:
                return None
            asked = now_ms()
            return condition()

        return self.pump(ask, what, patience)

    def elapse(self, ms, since):
        """Lets time pass, where the passing of time is what the test is about."""
        end = since + ms
        self.pump(lambda: now_ms() >= end, "time", ms / 1000 + 1)

    # --- expecting

    def ok(self, value, what):
        if not value:
            raise Failure(what)

    def equal(self, got, wanted, what):
        if got != wanted:
            raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")

    def match(self, text, pattern, what):
        if not re.search(pattern, text):
            raise Failure(f"{what}: {text!r} does not match {pattern!r}")

    def between(self, value, low, high, what):
        if not low <= value <= high:
            raise Failure(f"{what}: {value} is not in {low}..{high}")

    def story(self, names=None):
        """The texts of all events so far, in their order; of these names alone."""
        return [event.text for event in self.events if names is None or event.name in names]

    def told(self, text):
        return [event for event in self.events if re.fullmatch(text, event.text)]

    # --- the end

    def leftovers(self):
        """What a test must not leave: processes, files, running broods."""
        faults = []
        for process in self.others:
            if process.poll() is None:
                process.kill()
                process.wait()
        for brood in self.broods:
            if brood and brood.process.poll() is None:
                faults.append("brood still runs")
                brood.process.kill()
                brood.process.wait()
        os.close(self.fifo)
        faults += self.left_processes()
        faults += [f"left file {path}" for path in self.left_files()]
        return faults

    def left_processes(self):
        """Nobody but this process; what ends by itself within a moment (an unshare's --kill-child) doesn't count."""
        end = time.monotonic() + 1.0
        while True:
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            left = [pid for pid in pids() if pid != os.getpid()]
            if not left or time.monotonic() > end:
                return [f"left process {pid}: {describe(pid)}" for pid in left]
            select.select([], [], [], 0.005)

    def left_files(self):
        for root in ("/tmp", "/run", "/dev/shm"):
            for directory, names, files in os.walk(root):
                for name in names + files:
                    path = os.path.join(directory, name)
                    relative = os.path.relpath(path, self.directory)
                    known = path == self.directory or relative.split("/")[0] in self.files
                    if not known and not any(is_at(path, visible) for visible in VISIBLE):
                        yield path


VISIBLE = []  # run.py: what had to be kept visible below /tmp, where the repository lies there


def is_at(path, visible):
    """Above, below or the same."""
    return (path + "/").startswith(visible + "/") or (visible + "/").startswith(path + "/")


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        words = "?"
    return f"{stat_of(pid)} {words}"
