"""What a wrapped program keeps of an unwrapped one: its pid, signals, exit statuses, arguments, descriptors, terminal,
environment and all else that its parent gave it. For a C program behind an executable wrapper, and for node behind a
module that runs in its process.

A test is itself the parent, with the environment that brood gives its workers: programs are found by their names.
"""

import contextlib
import fcntl
import os
import re
import pty
import resource
import select
import shutil
import signal
import struct
import subprocess
import termios

from harness import OPTIONS, PATIENCE

FORWARDED = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2]
SCRIPT = """
const { writeSync, readdirSync, readFileSync } = require('fs');
const say = (text) => writeSync(1, text + '\\n');
const [mode] = process.argv.slice(2);
const names = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGWINCH'];
const serve = () => {
  for (const name of names) {
    process.on(name, () => { say('got ' + require('os').constants.signals[name]); process.exit(0); });
  }
  setInterval(() => {}, 1 << 30);
  say('ready ' + process.pid);
};
if (mode.startsWith('exit:')) process.exit(Number(mode.slice(5)));
else if (mode.startsWith('raise:')) process.kill(process.pid, Number(mode.slice(6)));
else if (mode === 'args') writeSync(1, process.argv.slice(2).map((word) => word + '\\0').join(''));
else if (mode === 'serve') serve();
else if (mode === 'wait') { setInterval(() => {}, 1 << 30); say('ready ' + process.pid); }
else if (mode === 'tty') {
  const { isatty } = require('tty');
  const group = readFileSync('/proc/self/stat', 'utf8').replace(/.*\\) /, '').split(' ');
  say(`${[0, 1, 2].map((fd) => Number(isatty(fd))).join(' ')} foreground=${group[2] === group[5] ? 'yes' : 'no'} `
    + `${process.stdout.rows}x${process.stdout.columns}`);
  serve();
} else {
  const wanted = /^(SigBlk|SigIgn|Uid|Gid|Groups|NoNewPrivs|Cap|Cpus_allowed:)/;
  const open = readdirSync('/proc/self/fd').filter((fd) => fd === '70' || fd === '71');
  say(`pid ${process.pid}`);
  for (const key of ['argv', 'argv0', 'execPath', 'execArgv', 'title']) say(`${key} ${JSON.stringify(process[key])}`);
  say(`main ${require.main === module} ${__filename}`);
  say(`cwd ${process.cwd()}\\numask ${process.umask()}`);
  for (const line of readFileSync('/proc/self/status', 'utf8').split('\\n')) if (wanted.test(line)) say(line);
  for (const fd of open) say(`fd ${fd} ${readFileSync(Number(fd), 'utf8')}`);
  for (const name of Object.keys(process.env)) say(`env ${name}=${process.env[name]}`);
}
"""


class World:
    """A brood that holds the shims, and the two environments: with them and without."""

    def __init__(self, t):
        self.t = t
        t.files.add("bin")
        os.mkdir("bin")
        shutil.copy(OPTIONS["programs"] + "/tool", "bin")
        shutil.copy(OPTIONS["programs"] + "/wrapper", ".")
        t.files.add("wrapper")
        self.script = t.file("script.js", SCRIPT)
        t.file("wrapper.cjs", "module.exports = (wrapper) => {\n"
               "  require('fs').writeSync(1, 'wrapped\\n');\n  wrapper.runMain();\n};\n")
        self.search = f"{t.directory}/bin:/usr/bin:/bin"
        self.brood = t.brood(f"""
            [worker:hold]
            start = {OPTIONS['programs']}/pause
            [wrap:tool]
            programs = tool
            wrapper = wrapper
            [wrap:node]
            wrapper = wrapper.cjs
            """, env={"PATH": self.search})
        self.brood.wait_record("ready")
        root = f"/run/brood/{os.listdir('/run/brood')[0]}/0"
        self.plain = {"PATH": self.search, "HOME": "/nowhere", "EMPTY": "", "SPAWN_WRAP_SHIM_ROOT": "/user's"}
        self.wrapped = dict(self.plain, PATH=f"{root}/bin:{self.search}", LD_PRELOAD=f"{root}/preload.so")

    def start(self, words, environment=None, **popen):
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.PIPE)
        environment = self.wrapped if environment is None else environment
        path = shutil.which(words[0], path=environment["PATH"])
        return subprocess.Popen(words, executable=popen.pop("executable", path), env=environment,
                                stderr=subprocess.STDOUT, **popen)

    def output(self, words, environment=None, status=0, **popen):
        """What it printed, behind the wrapper's line where there is one."""
        process = self.start(words, environment, **popen)
        text = process.communicate(timeout=PATIENCE)[0]
        if environment is None:
            self.t.equal(text[:8], b"wrapped\n", f"{words[:3]}: the wrapper's line")
            text = text[8:]
        self.t.equal(process.returncode, status, f"status of {words[:3]}: {text[:300]}")
        return text

    def both(self, words, **popen):
        """(unwrapped, wrapped)."""
        return self.output(words, self.plain, **popen), self.output(words, **popen)

    def programs(self):
        return {"tool": ["tool"], "node": ["node", self.script]}.items()

    def end(self):
        self.brood.stop()


def read_line(t, stream):
    """One line, and the process that should write it may be dead."""
    text = b""
    while not text.endswith(b"\n"):
        t.ok(select.select([stream], [], [], PATIENCE)[0], f"a line, after {text}")
        byte = b""
        with contextlib.suppress(OSError):  # a terminal that nobody holds any more
            byte = os.read(stream, 1)
        t.ok(byte, f"a line before the end, after {text}")
        text += byte
    return text.decode().strip()


def until_ready(t, process):
    """The pid that the program says it has is the one that its parent got."""
    stream = process.stdout.fileno()
    t.equal(read_line(t, stream), "wrapped", f"{process.args[:2]}: first line")
    t.equal(read_line(t, stream), f"ready {process.pid}", f"{process.args[:2]}: second line")


def wait_for(t, pid, options):
    """The wait status, which has to come: polled, since waitpid() has no limit of its own."""

    def ask():
        found, status = os.waitpid(pid, os.WNOHANG | options)
        return (status,) if found else None

    return t.poll(ask, f"the end of {pid}, its stop or its going on", every_ms=1)[0]


def test_wrap_contract_signals(t):
    w = World(t)
    for name, words in w.programs():
        for number in FORWARDED:
            process = w.start([*words, "serve"])
            until_ready(t, process)
            process.send_signal(number)
            t.equal(process.communicate(timeout=PATIENCE)[0], f"got {number:d}\n".encode(), f"{name}, {number!r}: once")
            t.equal(process.returncode, 0, f"{name}: a handled {number!r}")
        for number in (*FORWARDED, signal.SIGKILL, signal.SIGABRT):
            process = w.start([*words, "wait"])
            until_ready(t, process)
            process.send_signal(number)
            t.equal(process.communicate(timeout=PATIENCE)[0], b"", f"{name}, {number!r}: nothing else is said")
            t.equal(process.returncode, -number, f"{name} dies of {number!r}")
    w.end()


def test_wrap_contract_stop_and_continue(t):
    w = World(t)
    for name, words in w.programs():
        process = w.start([*words, "wait"], preexec_fn=lambda: os.setpgid(0, 0))  # an orphaned group isn't stopped
        until_ready(t, process)
        for stop in (signal.SIGSTOP, signal.SIGTSTP):
            process.send_signal(stop)
            status = wait_for(t, process.pid, os.WUNTRACED)
            t.ok(os.WIFSTOPPED(status) and os.WSTOPSIG(status) == stop, f"{name}: stopped by {stop!r}: {status:#x}")
            process.send_signal(signal.SIGCONT)
            t.ok(os.WIFCONTINUED(wait_for(t, process.pid, os.WCONTINUED)), f"{name} goes on")
        process.terminate()
        t.equal(process.wait(PATIENCE), -signal.SIGTERM, f"{name}: status")
        process.stdout.close()
    w.end()


def test_wrap_contract_exit_statuses(t):
    w = World(t)
    for code in range(256):
        w.output(["tool", f"exit:{code}"], status=code)
    few = [*range(0, 256, 36), 1, 100, 111, 126, 127, 128, 137, 143, 255]
    processes = [(code, w.start(["node", w.script, f"exit:{code}"])) for code in few]
    for code, process in processes:
        t.equal(process.communicate(timeout=PATIENCE)[0], b"wrapped\n", f"node, {code}: output")
        t.equal(process.returncode, code, "node: exit status")
    w.end()


def test_wrap_contract_deaths(t):
    """Of every signal that ends a process by default, as its parent's wait() has it, core dumps and all."""
    w = World(t)
    ignored = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP, signal.SIGTSTP,
               signal.SIGTTIN, signal.SIGTTOU}
    for number in sorted(set(range(1, 32)) - ignored) + [signal.SIGRTMIN + 3, signal.SIGRTMAX]:
        w.output(["tool", f"raise:{number}"], status=-number, preexec_fn=no_core)
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR2):
        process = w.start(["node", w.script, f"raise:{number}"], preexec_fn=no_core)
        t.equal((process.communicate(timeout=PATIENCE)[0], process.returncode), (b"wrapped\n", -number), "node: end")
    w.end()


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def test_wrap_contract_terminal(t):
    """The terminal, its size and its keys: ^C is one INT, ^Z stops, a resize is one WINCH."""
    w = World(t)
    for name, words in w.programs():
        for act, number in ((press(b"\3"), signal.SIGINT), (resize, signal.SIGWINCH)):
            pid, terminal = pty.fork()
            if pid == 0:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 22, 0, 0))
                os.execvpe(words[0], [*words, "tty"], w.wrapped)
            t.equal(read_line(t, terminal), "wrapped", f"{name}: first line")
            t.equal(read_line(t, terminal), "1 1 1 foreground=yes 11x22", f"{name}: the terminal")
            t.equal(read_line(t, terminal), f"ready {pid}", f"{name}: the pid")
            act(terminal)
            line = read_line(t, terminal)
            t.equal(line.removeprefix("^C"), f"got {number:d}", f"{name}: by the terminal")
            t.equal(wait_for(t, pid, 0), 0, f"{name}: status")
            os.close(terminal)
    w.end()


def press(key):
    return lambda terminal: os.write(terminal, key)


def resize(terminal):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 44, 0, 0))


def test_wrap_contract_arguments(t):
    w = World(t)
    lists = {"1000": [str(number) for number in range(1000)],
             "empty": ["", "", "x", ""],
             "100 kB": ["y" * 100_000, "z"],
             "odd": ["a b", "'", '"', "\\", "\n", "$HOME", "*", "-", "--", "-e", "--version", "ä\u20ac", "=", "a=b"],
             "2 MB": ["w" * 1000] * 1000 if os.sysconf("SC_ARG_MAX") >= 2_000_000 else ["w"]}
    for name, words in w.programs():
        for what, arguments in lists.items():
            expected = "".join(word + "\0" for word in ["args", *arguments]).encode()
            t.ok(w.output([*words, "args", *arguments]) == expected, f"{name}: {what}")
    t.equal(w.output(["tool", "args", "\udcff\udcfe"]), b"args\0\xff\xfe\0", "bytes that are no UTF-8")
    t.equal(w.output(["tool"]), b"ran version=1\n", "none")
    w.end()


def lines_of(text):
    """(all but pid and environment, the environment); of the environment the wrapping's own two are told apart."""
    lines = text.decode().splitlines()
    return ([line for line in lines if not line.startswith(("env ", "pid "))],
            dict(line[4:].split("=", 1) for line in lines if line.startswith("env ")))


def compare(t, w, words, **popen):
    """Unwrapped and wrapped differ in PATH and LD_PRELOAD alone; returns the lines."""
    plain, wrapped = (lines_of(text) for text in w.both(words, **popen))
    t.equal(wrapped[0], plain[0], f"{words[:2]}: what its parent gave it")
    t.equal(list(plain[1].items()), list(w.plain.items()), f"{words[:2]}: environment unwrapped")
    t.equal({name: value for name, value in wrapped[1].items() if w.plain.get(name) != value},
            {name: w.wrapped[name] for name in ("PATH", "LD_PRELOAD")}, f"{words[:2]}: what differs in the environment")
    t.equal(set(wrapped[1]), set(w.wrapped), f"{words[:2]}: names in the environment")
    return wrapped[0]


def prepare():
    """What a parent leaves to its child: in the child, before its exec."""
    os.umask(0o27)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGALRM})
    for number in (signal.SIGPIPE, signal.SIGQUIT, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGVTALRM, signal.SIG_IGN)
    os.dup2(os.open("/tmp/test/inherited", os.O_RDONLY), 70)
    os.set_inheritable(70, True)


def test_wrap_contract_inheritance(t):
    """umask, directory, signal mask, ignored signals, descriptors, ids, limits, environment."""
    w = World(t)
    os.mkdir("here")
    t.files.add("here")
    t.file("inherited", "content\n")
    closed = os.dup2(t.fifo, 71, inheritable=False)
    for words in (["tool", "facts"], ["node", w.script, "facts"]):
        text = "\n".join(compare(t, w, words, cwd=t.directory + "/here", preexec_fn=prepare, close_fds=False))
        t.match(text, r"(?m)^umask (27|23)$", "the umask: octal, or node's decimal")
        t.match(text, rf"(?m)^cwd {t.directory}/here$", "the directory")
        if words[0] == "tool":  # node begins with the defaults, whatever it was given
            t.match(text, r"(?m)^SigBlk:\t0000000000002200$", "the signal mask: USR1 and ALRM")
            ignored = int(re.search(r"(?m)^SigIgn:\t(\w+)$", text).group(1), 16)
            # Those of posix_spawn's implementation, 32 and 33, are as whoever started the tests left them.
            t.equal(ignored & ~0x180000000, 0x2200000, "ignored signals: TTOU and VTALRM")
        t.match(text, r"(?m)^fd 70( content)?$", "a descriptor, and its place in the file")
        t.ok("fd 71" not in text, "one that isn't for children")
    os.close(closed)
    w.end()


def test_wrap_contract_first_word(t):
    """argv[0] is what the caller gave, whatever it is."""
    w = World(t)
    for first in ("tool", "other", "-tool", "/else/where", "x" * 3000, ""):
        text = w.output([first, "facts"], executable=shutil.which("tool", path=w.wrapped["PATH"]))
        t.ok(f"argv[0] {first}\n".encode() in text, f"argv[0] {first[:20]!r}: {text[:100]}")
    text = w.output(["renamed", w.script, "facts"], executable=shutil.which("node", path=w.wrapped["PATH"]))
    t.ok(b'argv0 "renamed"\n' in text, "argv[0] of node")
    w.end()
