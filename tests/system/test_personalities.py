"""brood called as tini, docker-init or dumb-init. Where it is to behave as they do, Debian's tini and dumb-init run side by
side with it and the two are compared; where it is to do better, a test says what they do, and what brood does."""

import contextlib
import os
import re
import signal
import subprocess

from harness import OPTIONS, PATIENCE, children_of, limit, now_ms, stat_of, worker, worker_argv
from test_process import facts
from test_signals import ALL, FAULTS, LIBRARY, name_of

ORIGINALS = {"tini": "/usr/bin/tini", "docker-init": "/usr/bin/tini", "dumb-init": "/usr/bin/dumb-init"}
NAMES = tuple(ORIGINALS)
STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def guise(t, name):
    """The path of a brood that is called so."""
    directory = t.directory + "/guises"
    t.files.add("guises")
    os.makedirs(directory, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.symlink(OPTIONS["brood"], f"{directory}/{name}")
    return f"{directory}/{name}"


def both(t, name):
    """(what it is, its path): the original and brood."""
    return ((f"the original {name}", ORIGINALS[name]), (f"brood as {name}", guise(t, name)))


def answer(t, path, *words, **variables):
    """(status, stdout, stderr) of a run to its end, as an ordinary child."""
    done = subprocess.run([path, *words], env=dict(t.environment, **variables), capture_output=True, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, check=False, cwd=t.directory)
    t.notes.append(f"{path} {' '.join(words)}: {done}")
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Started:
    """An init whose command is the helper program, and which has said that it runs."""

    def __init__(self, t, path, *options, words=("serve:only=64",), mode="pid1", **keywords):
        self.t, self.seen = t, len(t.events)
        self.brood = t.brood(None, *options, path=path, mode=mode,
                             command=worker_argv("name:main", *words[:-1], "say:start", words[-1]), **keywords)
        self.wait("main start")

    def told(self, pattern):
        return [event for event in self.t.events[self.seen:] if re.fullmatch(pattern, event.text)]

    def wait(self, pattern, count=1):
        return self.t.pump(lambda: self.told(pattern)[count - 1:], f"event {pattern!r} (number {count})")[0]

    def send(self, number, *patterns):
        self.brood.send(number)
        for pattern in patterns:
            self.wait(pattern)

    def story(self):
        return [event.text for event in self.t.events[self.seen:]]

    def end(self, number=64, status=0):
        """Not by TERM: what is left behind is another test's business."""
        self.brood.send(number)
        self.t.equal(self.brood.wait(), status, "status")


# --- the command line ---

SH3, SH0 = ("sh", "-c", "exit 3"), ("true",)
KILLED, TERMED = ("sh", "-c", "kill -9 $$"), ("sh", "-c", "kill $$")

# Words, variables, the original's status; where brood's is another one, that too.
STATUSES = {
    "tini": [
        (("--", *SH3), {}, 3), (("-s", "--", *SH3), {}, 3), (("-sgwvvv", "--", *SH3), {}, 3),
        (("--", *KILLED), {}, 137), (("--", *TERMED), {}, 143),
        (("-e", "3", "--", *SH3), {}, 0), (("-e", "4", "--", *SH3), {}, 3), (("-e4", "-e3", "--", *SH3), {}, 0),
        (("-e", "143", "--", *TERMED), {}, 0), (("-e", "0", "--", *SH0), {}, 0), (("-e", "255", "--", *SH3), {}, 3),
        (("-e", "127", "--", "/nowhere"), {}, 0), (("-e", "126", "--", "/etc/passwd"), {}, 0),
        (("--", "/nowhere"), {}, 127), (("nowhere",), {}, 127), (("/etc/passwd",), {}, 126), (("",), {}, 127),
        (("-e", "256", *SH0), {}, 1), (("-e", "-1", *SH0), {}, 1), (("-e", "x", *SH0), {}, 1), (("-e",), {}, 1),
        (("-e", "1:2", *SH0), {}, 1), (("-p", "SIGFOO", *SH0), {}, 1), (("-p",), {}, 1), (("-Z", *SH0), {}, 1),
        (("--bogus", *SH0), {}, 1), (("--help",), {}, 1), (("--version", *SH0), {}, 1), ((), {}, 1), (("--",), {}, 1),
        (("-h", "--bogus"), {}, 0), (("-p", "SIGTERM", "--", *SH3), {}, 3),
        (("sh", "--", "-c", "exit 3"), {}, 3), (("env", "sh", "--", "-c", "exit 3"), {}, 3),
        (("--", *SH3), {"TINI_SUBREAPER": "", "TINI_KILL_PROCESS_GROUP": "", "TINI_VERBOSITY": "3"}, 3),
        (SH3, {}, 1, 3),  # tini takes -c for an option of its own
        (("-p", "KILL", *SH0), {}, 1, 0),  # brood knows signals by all of their names
    ],
    "dumb-init": [
        (SH3, {}, 3), (("--", *SH3), {}, 3), (("-c", *SH3), {}, 3), (("--single-child", *SH3), {}, 3),
        (("--verbose", *SH3), {}, 3), (("-r", "15:3", *SH3), {}, 3), (("--rewrite=15:0", "-cv", *SH3), {}, 3),
        (KILLED, {}, 137), (TERMED, {}, 143), (("-h",), {}, 0), (("-V", "--bogus"), {}, 0),
        (("-r", "15", *SH0), {}, 1), (("-r", "15:", *SH0), {}, 1), (("-r", ":15", *SH0), {}, 1),
        (("-r", "0:2", *SH0), {}, 1), (("-r", "15:-1", *SH0), {}, 1), (("-r", "a:b", *SH0), {}, 1),
        (("-r", "99:1", *SH0), {}, 1), (("-r",), {}, 1), (("-Z", *SH0), {}, 1), (("--bogus", *SH0), {}, 1),
        (("--single-child=1", *SH0), {}, 1), ((), {}, 1), (("--",), {}, 1),
        (SH3, {"DUMB_INIT_SETSID": "0", "DUMB_INIT_DEBUG": "1"}, 3), (SH3, {"DUMB_INIT_SETSID": "1"}, 3),
        (("/nowhere",), {}, 2, 127), (("/etc/passwd",), {}, 2, 126),  # as shells and tini say it
        (("-r", "TERM:RTMIN+3", *SH0), {}, 1, 0), (("-r", "15:40", *SH0), {}, 1, 0),
    ],
}


@limit(60)
def test_guise_statuses(t):
    for name, rows in STATUSES.items():
        for words, variables, status, *better in rows:
            t.equal(answer(t, ORIGINALS[name], *words, **variables)[0], status, f"{name} {words} {variables}")
            t.equal(answer(t, guise(t, name), *words, **variables)[0], (better or [status])[0],
                    f"brood as {name} {words} {variables}")


def test_guise_is_the_base_name_of_argv_0(t):
    for argv0, status in (("tini", 1), ("/x/y/docker-init", 1), ("./dumb-init", 1), ("xtini", 100), ("tini/brood", 100),
                          ("", 100)):
        done = subprocess.run([argv0, "-Z"], executable=OPTIONS["brood"], capture_output=True, check=False)
        t.equal(done.returncode, status, f"wrong usage, called as {argv0!r}")


def test_guise_texts(t):
    """To the same streams, and saying the truth; docker info takes the version of docker-init apart."""
    for name, option in (("tini", "-h"), ("tini", "--version"), ("tini", "-l"), ("dumb-init", "-h"), ("dumb-init", "-V"),
                         ("dumb-init", "--help"), ("dumb-init", "--version"), ("docker-init", "--version")):
        status, stdout, stderr = answer(t, ORIGINALS[name], option)
        got = answer(t, guise(t, name), option)
        t.equal((got[0], got[1] != "", got[2] != ""), (status, stdout != "", stderr != ""), f"streams of {name} {option}")
        text = got[1] + got[2]
        t.ok("brood" in text, f"{name} {option} says what it is")
        if "ersion" in option or option == "-V":
            t.equal(text.count("\n"), 1, "lines")
            t.equal(text.split(" (")[0], (stdout + stderr).strip(), "the version it stands in for")
            t.equal(len(text.split(" - ")), 1, "docker info splits there")
    with open(OPTIONS["root"] + "/LICENSE", encoding="utf-8") as file:
        t.equal(answer(t, guise(t, "tini"), "-l")[1], file.read(), "the license")
    for name in ("tini", "dumb-init"):
        text = "".join(answer(t, guise(t, name), "-h")[1:])
        original = "".join(answer(t, ORIGINALS[name], "-h")[1:])
        for option in re.findall(r"^ +(-\w|--version)\b", original, re.M) + re.findall(r"TINI_\w+", original):
            t.match(text, re.escape(option), f"{name} -h names {option}")


def test_guise_levels(t):
    """Warnings alone, unless more is wanted; never on standard output, where tini says half of it."""
    table = (("tini", (), {}, ""), ("tini", ("-v",), {}, "info"), ("tini", ("-vv",), {}, "debug info"),
             ("tini", ("-vvvv",), {}, "debug info"), ("tini", (), {"TINI_VERBOSITY": "2"}, "info"),
             ("docker-init", ("-vv",), {"TINI_VERBOSITY": "1"}, ""), ("dumb-init", (), {}, ""),
             ("dumb-init", ("-v",), {}, "debug info"), ("dumb-init", (), {"DUMB_INIT_DEBUG": "1"}, "debug info"),
             ("dumb-init", (), {"DUMB_INIT_DEBUG": "0"}, ""), ("brood", (), {"TINI_VERBOSITY": "3"}, ""))
    for name, options, variables, levels in table:
        path = OPTIONS["brood"] if name == "brood" else guise(t, name)
        status, stdout, stderr = answer(t, path, *options, "--", *worker_argv("zombies:1", "exit:0"), **variables)
        t.equal((status, stdout), (0, ""), "status, standard output")
        found = " ".join(sorted(set(re.findall(r"^brood: (\w+): ", stderr, re.M))))
        t.equal(found, levels, f"levels of {name} {options} {variables}")
    t.equal(answer(t, guise(t, "tini"), "/nowhere", TINI_VERBOSITY="0")[2].count("brood: error"), 1, "errors always")


# --- signals ---


@limit(60)
def test_guise_forwards_every_signal(t):
    """Those of the C library and the faults that a user sends too; as PID 1 and as a plain child."""
    changed = {"dumb-init": STOPS}
    for name in NAMES:
        for mode in ("pid1", "child"):
            init = Started(t, guise(t, name), mode=mode)
            wanted = [number for number in ALL if number != 64 and number not in changed.get(name, ())]
            for number in wanted:
                init.send(number, f"main {name_of(number)}")
            init.end()
            said = [text.removeprefix("main ") for text in init.story()[1:]]
            t.equal(said, [name_of(number) for number in [*wanted, 64]], f"{name}, {mode}: each once")


def test_guise_originals_lose_signals(t):
    """Why the test before is worth one: tini forwards no fault of a user's, as PID 1 it drops them."""
    init = Started(t, ORIGINALS["tini"])
    for number in FAULTS:
        init.send(number)
    init.send(signal.SIGUSR1, "main USR1")
    init.end()
    t.equal(init.story(), ["main start", "main USR1", "main signal 64"], "no fault")


def test_guise_forwards_the_librarys_signals(t):
    """No program can catch them by means of its library: it dies of them."""
    for count, name in enumerate(NAMES, 1):
        brood = t.brood(path=guise(t, name), command=worker_argv("name:main", "all-default", "say:start", "serve"))
        t.wait_event("main start", count)
        brood.send(min(LIBRARY))
        t.equal(brood.wait(), 128 + min(LIBRARY), f"{name}: the command dies of it")


def test_guise_keeps_mask_and_ignored_signals(t):
    def birth():
        for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR2, 40})

    found = {}
    for name in NAMES:
        for what, path in both(t, name):
            init = Started(t, path, words=("show", "serve:only=64"), mode="child", before=birth)
            init.end()
            found[what] = tuple(facts(t, "main")[key] for key in ("blocked", "ignored", "cwd"))
    t.equal(found["the original tini"], ("12,15,40", "2,10,21,22", t.directory), "tini")
    for name in NAMES:
        t.equal(found[f"brood as {name}"], found["the original tini"], f"brood as {name}")
    t.equal(found["the original dumb-init"][0], "", "dumb-init empties the mask")


def check_reach(t, path, options, variables, group):
    """USR1 goes to the command, and to the other member of its group where it is to."""
    init = Started(t, path, *options, words=("member:m:", "serve:only=64"), env=variables)
    init.send(signal.SIGUSR1, "main USR1", *(["m USR1"] if group else []))
    if not group:  # what is sent to the member itself comes after whatever it was sent before
        os.kill(init.brood.worker_pid(int(init.told("m start .*")[0].what.split()[1])), signal.SIGUSR2)
        init.wait("m USR2")
    t.equal(len(init.told("m USR1")), int(group), f"{path} {options} {variables}: to the group")
    init.end()


def test_guise_signals_command_or_group(t):
    table = (("tini", (), {}, False), ("tini", ("-g",), {}, True), ("docker-init", (), {}, False),
             ("tini", (), {"TINI_KILL_PROCESS_GROUP": ""}, True), ("dumb-init", (), {}, True),
             ("dumb-init", ("-c",), {}, False), ("dumb-init", (), {"DUMB_INIT_SETSID": "0"}, False),
             ("dumb-init", (), {"DUMB_INIT_SETSID": "no"}, True))
    for name, options, variables, group in table:
        for _, path in both(t, name):
            check_reach(t, path, options, variables, group)


def test_guise_term_reaches_the_command_first(t):
    """tini without -g: the command alone is asked; what it leaves behind is when it has ended."""
    init = Started(t, guise(t, "tini"), words=("member:m:", "serve:delay=200,exit=4"))
    init.brood.send(signal.SIGTERM)
    t.equal(init.brood.wait(), 4, "status")
    t.equal([init.told("main TERM")[0].ms + 200 <= init.told("m TERM")[0].ms, len(init.told("m TERM"))], [True, 1],
            "m is asked when main has ended")


def test_guise_rewrites(t):
    """dumb-init -r, side by side; then what brood knows besides."""
    table = (((), {}, 15, "TERM"), (("-r", "15:3"), {}, 15, "QUIT"), (("-r", "10:12", "-r", "12:10"), {}, 10, "USR2"),
             (("--rewrite", "1:15"), {}, 1, "TERM"), (("-r", "15:3", "-r", "15:1"), {}, 15, "HUP"),
             (("-r", "20:20"), {}, 20, "TSTP"), (("-c", "-r", "15:3"), {}, 15, "QUIT"), (("-c",), {}, 21, "TTIN"),
             ((), {"DUMB_INIT_SETSID": "0"}, 22, "TTOU"))
    for options, variables, number, wanted in table:
        for what, path in both(t, "dumb-init"):
            init = Started(t, path, *options, env=variables)
            init.send(number, f"main {wanted}")
            init.end()
            t.equal(init.story()[1:], [f"main {wanted}", "main signal 64"], f"{what} {options}")
    for option, number, wanted in (("TERM:RTMIN+3", 15, "signal 37"), ("SIGUSR1:SIGQUIT", 10, "QUIT"), ("40:10", 40, "USR1")):
        init = Started(t, guise(t, "dumb-init"), "-r", option)
        init.send(number, f"main {wanted}")
        init.end()


def test_guise_drops(t):
    for _, path in both(t, "dumb-init"):
        init = Started(t, path, "-r", "15:0", "-r", "1:0")
        for number in (signal.SIGTERM, signal.SIGHUP):
            init.send(number)
        init.send(signal.SIGUSR1, "main USR1")
        init.end()
        t.equal(init.story()[1:], ["main USR1", "main signal 64"], "TERM and HUP are dropped")


def state_is(t, pid, state):
    t.pump(lambda: (stat_of(pid) or "?")[0] == state, f"state {state} of {pid}")


def test_guise_suspends_with_the_command(t):
    """dumb-init: its command is stopped by STOP, itself by whatever it was sent; CONT continues both. With -c, and where
    -r says so, the command gets the signal itself."""
    for number in STOPS:
        for options, stops in (((), True), (("-r", f"{int(number)}:{int(number)}"), False), (("-c",), False),
                               (("-r", f"{int(number)}:0"), None)):
            for what, path in both(t, "dumb-init"):
                init = Started(t, path, *options, mode="child")
                (command,) = children_of(init.brood.pid)
                init.send(number)
                state_is(t, init.brood.pid, "T")
                if stops:
                    state_is(t, command, "T")
                if stops is False:
                    init.wait(f"main {name_of(number)}")
                init.send(signal.SIGCONT, "main CONT")
                state_is(t, init.brood.pid, "S")
                init.end()
                t.equal(len(init.story()), 4 if stops is False else 3, f"{what} {options}: {init.story()}")


def test_guise_of_tini_is_not_suspended(t):
    """Its original ignores two of the three, which it fears for itself; brood has no reason to."""
    for what, path in both(t, "tini"):
        for number in STOPS if what.startswith("brood") else STOPS[:1]:
            init = Started(t, path, mode="child")
            init.send(number, f"main {name_of(number)}")
            t.equal(stat_of(init.brood.pid)[0] == "T", False, what)
            init.end()


def test_guise_of_dumb_init_as_pid_1_is_not_stopped(t):
    """Nor is the original: PID 1 can't be stopped from inside. The command is, and continued."""
    for _, path in both(t, "dumb-init"):
        init = Started(t, path)
        command = init.brood.worker_pid(int(children_names(init)[0]))
        init.send(signal.SIGTSTP)
        state_is(t, command, "T")
        init.send(signal.SIGCONT, "main CONT")
        init.send(signal.SIGUSR1, "main USR1")
        init.end()


def children_names(init):
    """The children of an init that is PID 1, as it calls them."""
    names = []
    for pid in children_of(init.brood.pid):
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            names.append(re.search(r"^NSpid:.*\s(\d+)$", file.read(), re.M).group(1))
    return names


# --- processes ---


def test_guise_sessions(t):
    """Whose session and group the command has: its own, or that of its init."""
    table = (("dumb-init", (), {}, True), ("dumb-init", ("-c",), {}, False),
             ("dumb-init", (), {"DUMB_INIT_SETSID": "0"}, False))
    for name, options, variables, own in table:
        for what, path in both(t, name):
            init = Started(t, path, *options, words=("show", "serve:only=64"), mode="child", env=variables)
            _, _, group, session = stat_of(init.brood.pid)
            pid, _, its_group, its_session = (int(word.split("=")[-1]) for word in facts(t, "main")["pid"].split())
            wanted = (pid, pid) if own else (group, session)
            t.equal((its_group, its_session), wanted, f"{what} {options}: group and session")
            init.end()


def test_guise_strung_together(t):
    for options in ((), ("-c",)):
        for what, path in both(t, "dumb-init"):
            status, stdout, _ = answer(t, path, *options, path, *options, "sh", "-c", "echo hi; exit 3")
            t.equal((status, stdout), (3, "hi\n"), f"{what} in {what}")


def test_guise_warns_of_orphans(t):
    """tini -w: for every process that is reaped but the command."""
    for options, mode, count in ((("-w",), "pid1", 3), (("-w",), "child", 3), ((), "pid1", 0)):
        init = Started(t, guise(t, "tini"), *options, words=("zombies:3", "serve:only=64"), mode=mode)
        if count:
            init.brood.wait_record(r"^brood: warning: orphan\[\d+\]: exited 0, reaped$", count)
        init.end()
        init.brood.has("reaped", count)
    init = Started(t, ORIGINALS["tini"], "-w", words=("zombies:3", "serve:only=64"))
    init.brood.wait_record("Reaped zombie process", 3)
    init.end()


def test_guise_is_a_subreaper(t):
    """With -s, as tini is then; but without it and as dumb-init, too: nobody is lost."""
    for name, options in (("tini", ("-s",)), ("tini", ()), ("dumb-init", ()), ("dumb-init", ("-c",))):
        init = Started(t, guise(t, name), *options, words=("orphan:lost:only=64", "serve:only=64"), mode="child")
        pid = int(init.told("lost start .*")[0].what.split()[1])
        t.pump(lambda: (stat_of(pid) or (0, 0))[1] == init.brood.pid, "the orphan's new parent")
        os.kill(pid, 64)
        t.pump(lambda: stat_of(pid) is None, "its end")
        init.end()


def test_guise_parent_death(t):
    """tini -p: the signal when the parent ends, which is forwarded, or ends the init itself where it is KILL."""
    for _, path in both(t, "tini"):
        for name, wanted in (("SIGUSR1", "main USR1"), ("SIGKILL", None)):
            seen, told = len(t.told("main start")), len(t.told("main USR1"))
            words = [path, "-p", name, "--", *worker_argv("name:main", "say:start", "serve:only=64")]
            parent = t.other("sh", "-c", '"$@" & wait', "sh", *words, stderr=subprocess.DEVNULL)
            t.wait_event("main start", seen + 1)
            (init,) = children_of(parent.pid)
            (command,) = children_of(init)
            parent.kill()
            parent.wait()
            if wanted:
                t.wait_event(wanted, told + 1)
            else:
                t.pump(lambda pid=init: (stat_of(pid) or "Z")[0] == "Z", "the end of the init")
            os.kill(command, 64)
            t.pump(lambda pid=command: (stat_of(pid) or "Z")[0] == "Z", "the end of the command")


# --- the end ---


def test_guise_asks_what_is_left(t):
    """The original leaves, and the kernel kills all others at once; here each is asked, and says its last word."""
    left = ("member:m:delay=50", "setsid:s:delay=50", "orphan:o:delay=50")
    for name, options in (*((name, ()) for name in NAMES), ("tini", ("-g",)), ("dumb-init", ("-c",))):
        for what, path in both(t, name):
            init = Started(t, path, *options, words=(*left, "serve:only=64,exit=7"))
            init.end(64, 7)
            asked = sorted(event.name for event in init.told("[mso] TERM"))
            if what.startswith("brood"):
                t.equal(asked, ["m", "o", "s"], f"{what}: who was asked")
            t.ok(what.startswith("brood") or "o" not in asked, "the original asks no orphan")


@limit(60)
def test_guise_kills_what_is_left_after_five_seconds(t):
    """It doesn't outlive docker stop's ten seconds, the command's status stays, and a second TERM makes it shorter."""
    inits = [Started(t, guise(t, name), words=("orphan:o:ignore", "serve:exit=7")) for name in NAMES]
    begin = [init.brood.send(signal.SIGTERM) for init in inits][0]
    for init in inits:
        t.equal(init.brood.wait(), 7, "status")
        t.between(now_ms() - begin, 5000, 8000, "the stop")
    init = Started(t, guise(t, "tini"), words=("orphan:o:ignore", "serve:exit=7"))
    begin = init.brood.send(signal.SIGTERM)
    init.wait("o TERM")
    init.brood.send(signal.SIGTERM)
    t.elapse(350, now_ms())
    init.brood.send(signal.SIGTERM)
    t.equal(init.brood.wait(), 7, "status")
    t.between(now_ms() - begin, 350, 4900, "killed at once")


@limit(60)
def test_guise_never_kills_the_command(t):
    """How long a stop may take is known to docker stop or Kubernetes, and tini and dumb-init leave it to them; a brood
    in their place does so, too, however often it is asked."""
    inits = [Started(t, guise(t, name), words=("serve:delay=11000,exit=5",)) for name in NAMES]
    for init in inits:
        init.brood.send(signal.SIGTERM)
    t.elapse(400, now_ms())
    for init in inits:
        init.brood.send(signal.SIGTERM)
    for init in inits:
        t.equal(init.brood.wait(patience=20), 5, "status")
    t.equal(len(t.told("main TERM")), 2 * len(NAMES), "forwarded each time")


def test_guise_term_before_the_command_runs(t):
    def pending():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    for name in NAMES:
        init = Started(t, guise(t, name), words=("serve:exit=6",), mode="child", before=pending)
        t.equal(init.brood.wait(), 6, "status")
        t.equal(init.story(), ["main start", "main TERM"], "not lost")


def test_guise_term_while_the_command_cannot_be_forked(t):
    """There is nobody to forward it to, and PID 1 must not be left with nothing but a KILL."""
    calls = "clone,clone3,fork,vfork"
    for name in NAMES:
        strace = ("strace", "-o", t.directory + "/trace", "-e", f"trace={calls}", "-e", f"inject={calls}:error=EAGAIN")
        t.files.add("trace")
        brood = t.brood(path=guise(t, name), mode="child", prefix=strace, command=["true"])
        brood.wait_record("cannot fork: EAGAIN")
        brood.send(signal.SIGTERM)
        t.equal(brood.wait(), 143, "status")


# --- images with another STOPSIGNAL ---

STOPSIGNALS = ((signal.SIGWINCH, "httpd"), (signal.SIGQUIT, "nginx"), (signal.SIGUSR1, "haproxy"),
               (signal.SIGRTMIN + 3, "systemd"), (signal.SIGINT, "postgres"))


def test_stopsignal_reaches_a_command(t):
    """As under tini and dumb-init: docker stop's first signal is the image's, and the command is left to end."""
    paths = [OPTIONS["brood"], *(path for name in NAMES for _, path in both(t, name))]
    for number, image in STOPSIGNALS:
        for path in paths:
            init = Started(t, path, words=(f"serve:only={int(number)},exit=3",))
            init.end(number, 3)
            t.equal(init.story(), ["main start", f"main {name_of(number)}"], f"{image} under {path}: once")


def test_stopsignal_of_a_config(t):
    """Under a config only QUIT is a stop by itself: the others are named in [signals]."""
    words = worker("say:start", "serve:only=28"), worker("say:start", "serve:only=37")
    brood = t.brood(f"""
        [signals]
        WINCH = stop
        RTMIN+3 = stop
        [worker:httpd]
        start = {words[0]}
        [worker:systemd]
        start = {words[1]}
        stop_signal = RTMIN+3
        """)
    t.wait_event("httpd/0 start")
    t.wait_event("systemd/0 start")
    brood.stop(signal.SIGWINCH, 0, "WINCH")
    t.equal([len(t.told(text)) for text in ("httpd/0 WINCH", "systemd/0 signal 37", "systemd/0 WINCH")], [1, 1, 0],
            "each its own, once")


NGINX = """
    daemon off; pid /tmp/test/nginx/pid; error_log /dev/null; worker_processes 1; events {}
    http {
        access_log off; client_body_temp_path /tmp/test/nginx/a; proxy_temp_path /tmp/test/nginx/b;
        fastcgi_temp_path /tmp/test/nginx/c; uwsgi_temp_path /tmp/test/nginx/d; scgi_temp_path /tmp/test/nginx/e;
        server { listen 127.0.0.1:8080; location / { return 200 "hello\\n"; } }
    }
"""


def test_stopsignal_of_nginx(t):
    """The real one, whose QUIT is graceful: it ends by itself, with 0, and leaves nobody."""
    os.mkdir("nginx")
    t.files.add("nginx")
    config = t.file("nginx.conf", NGINX)
    for path in (OPTIONS["brood"], *(guise(t, name) for name in NAMES)):
        brood = t.brood(path=path, command=["/usr/sbin/nginx", "-c", config])
        t.poll(lambda: subprocess.run(["curl", "-fs", "http://127.0.0.1:8080/"], capture_output=True,
                                      check=False).stdout == b"hello\n", "an answer")
        begin = brood.send(signal.SIGQUIT)
        t.equal(brood.wait(), 0, f"status under {path}")
        t.between(now_ms() - begin, 0, 4000, "the stop")
        brood.has_not("error|killed")


def test_guise_leaves_the_programs_own_termination_message(t):
    """Who had tini above him may count on it; where he said nothing the outcome is there."""
    t.files.add("dev")
    for script, text in (("echo out of beans >/dev/termination-log; exit 3", "out of beans\n"),
                         ("exit 3", "exit 3: main exited 3\n")):
        own_dev = ("mkdir -p dev && cp -a /dev/null dev/ && : >dev/termination-log && mount -n --bind dev /dev && "
                   "exec \"$@\"")
        brood = t.brood(None, mode="child", path=guise(t, "tini"), command=["sh", "-c", script],
                        prefix=["unshare", "--mount", "sh", "-c", own_dev, "sh"])
        t.equal(brood.wait(), 3, "status")
        with open("dev/termination-log", encoding="utf-8") as file:
            t.equal(file.read(), text, "the log")


def test_guise_leaves_its_directory(t):
    """dumb-init keeps no mount busy; what it runs starts where it was started, also a path from there."""
    t.file("here", "#!/bin/sh\necho $(readlink /proc/$PPID/cwd) $(pwd)\n", 0o755)
    for name, kept in (("dumb-init", "/"), ("tini", t.directory)):
        for what, path in both(t, name):
            done = subprocess.run([path, "./here"], capture_output=True, cwd=t.directory, check=False)
            t.equal((done.returncode, done.stdout.decode()), (0, f"{kept} {t.directory}\n"), what)
