#!/usr/bin/python3
"""Runs the system tests: real processes under a real PID 1.

    tests/system/run.py [--brood PATH] [-k PATTERN]... [-x PATTERN]... [-v] [-q] [-j N] [--slower N]

Every function test_* of the files test_*.py here is a test. Each is run in a process of its own that is the first of
new PID, mount, IPC and network namespaces, with an empty /tmp, /run, /srv and /dev/shm; when it fails, or has used up
its time, all of that is gone with it. One line a test; on failure everything that there is to know. What may be skipped,
and why, stands in ../EXPECTED-SKIPS.
"""

import argparse
import ctypes
import fcntl
import importlib
import inspect
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import harness  # noqa: E402

NEEDED = ["unshare", "nsenter", "strace", "nginx", "node", "npm", "curl", "ab", "cc", "musl-gcc", "nm", "readelf",
          "busybox", "perl", "setpriv", "prlimit", "tini", "dumb-init", "catatonit"]
FLAGS = "-std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -static".split()
LIMIT = 30
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 0x40
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


class Skip(Exception):
    pass


# --- the inside: one test in its namespaces ---


def mount(source, target, kind=None, flags=0):
    libc = ctypes.CDLL(None, use_errno=True)
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    if libc.mount(*encoded, ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


def make_world(visible):
    """Empty /tmp, /run, /srv and /dev/shm; what must stay visible below one of them is bound to its place again."""
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    for target in ("/tmp", "/run", "/dev/shm", "/srv"):
        kept = [(path, os.open(path, os.O_PATH)) for path in visible if path.startswith(target + "/")]
        mount("tmpfs", target, "tmpfs")
        os.chmod(target, 0o1777 if target in ("/tmp", "/dev/shm") else 0o755)
        for path, descriptor in kept:
            os.makedirs(path, exist_ok=True)
            mount(f"/proc/self/fd/{descriptor}", path, None, MS_BIND | MS_REC)
            os.close(descriptor)
            harness.VISIBLE.append(path)


def bring_loopback_up():
    """The network namespace is new: servers can have any port, and its loopback device is down."""
    request = struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def find_tests():
    tests = []
    for name in sorted(os.listdir(HERE)):
        if not re.fullmatch(r"test_\w+\.py", name):
            continue
        module = importlib.import_module(name[:-3])
        found = [function for key, function in vars(module).items()
                 if key.startswith("test_") and inspect.isfunction(function) and function.__module__ == module.__name__]
        tests += sorted(found, key=lambda function: function.__code__.co_firstlineno)
    return tests


def report(test, fault):
    print(fault)
    for config in test.configs:
        print(f"--- config\n{config}", end="")
    begin = min([brood.since for brood in test.broods if brood], default=0)
    for brood in test.broods:
        if brood:
            print(f"--- brood {brood.process.args}: status {brood.status}")
            for record in brood.records:
                print(f"[{record.ms - begin:6}] {record.text}")
            if brood.stdout:
                print(f"--- stdout\n{brood.stdout.decode(errors='replace')}")
    print("--- events")
    for event in test.events:
        print(f"[{event.ms - begin:6}] {event.text}")
    for note in test.notes:
        print(f"--- {note}")


def run_inside(name, keep_visible):
    """Exit status 0: passed, 1: failed, 77: skipped; what there is to say on stdout."""
    make_world(keep_visible)
    bring_loopback_up()
    function = {test.__name__: test for test in find_tests()}[name]
    test = harness.Test()
    try:
        function(test)
    except Skip as skip:
        print(skip)
        return 77
    except Exception:  # whatever it is, it is reported with all there is
        fault = traceback.format_exc()
        for brood in test.broods:
            if brood:
                brood.process.poll()
        test.drain()
        report(test, fault)
        return 1
    faults = test.leftovers()
    if faults:
        report(test, "\n".join(faults))
        return 1
    return 0


# --- the outside ---


def build_programs(directory):
    """The helper programs, static, made anew when their source is newer."""
    os.makedirs(directory, exist_ok=True)
    for name in sorted(os.listdir(os.path.join(HERE, "programs"))):
        source, target = os.path.join(HERE, "programs", name), os.path.join(directory, name[:-2])
        if name.endswith(".c") and not (os.path.exists(target) and os.path.getmtime(target) > os.path.getmtime(source)):
            subprocess.run(["cc", *FLAGS, "-o", target, source], check=True)


class Running:
    def __init__(self, function, options):
        self.function, self.begin = function, time.monotonic()
        self.limit = getattr(function, "limit", LIMIT) * options.slower
        self.output = tempfile.TemporaryFile()
        namespaces = ["unshare", "--pid", "--mount", "--ipc", "--net", "--fork", "--mount-proc", "--kill-child"]
        if os.geteuid() != 0:
            namespaces += ["--user", "--map-root-user"]
        self.process = subprocess.Popen(
            [*namespaces, "/usr/bin/python3", os.path.abspath(__file__), "--brood", options.brood, "--inside",
             function.__name__], stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, cwd=ROOT,
            start_new_session=True)

    def finished(self):
        """None, or (verdict, seconds, text)."""
        seconds = time.monotonic() - self.begin
        status = self.process.poll()
        if status is None and seconds < self.limit:
            return None
        if status is None:
            self.process.kill()  # its namespace goes with it
            self.process.wait()
        self.output.seek(0)
        text = self.output.read().decode(errors="replace")
        self.output.close()
        if status is None:
            return "FAILED", seconds, f"not done after {self.limit:.0f} s\n{text}"
        return {0: "passed", 77: "skipped"}.get(status, "FAILED"), seconds, text


def forget_callers_signals():
    """nohup, and a shell's job in the background, ignore some; all that is started here would, too."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals():
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def expected_skips():
    """Lines "NAME: reason", # begins a comment."""
    with open(os.path.join(HERE, "..", "EXPECTED-SKIPS"), encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return {line.split(":")[0] for line in lines if line and not line.startswith("#")}


def run_all(tests, options):
    waiting, running, results = list(tests), [], {}
    while waiting or running:
        while waiting and len(running) < options.jobs:
            running.append(Running(waiting.pop(0), options))
        for one in list(running):
            result = one.finished()
            if result is None:
                continue
            running.remove(one)
            name = one.function.__name__
            results[name] = result[0]
            if options.verbose or result[0] != "passed" or not options.quiet:
                print(f"{result[0]:7} {result[1]:5.1f}s {name}", flush=True)
            if result[0] != "passed" or options.verbose:
                print(result[2], end="", flush=True)
        time.sleep(0.01)
    return results


def options_of(arguments):
    parser = argparse.ArgumentParser(description="Runs the system tests of brood.")
    parser.add_argument("--brood", default=os.path.join(ROOT, "build", "brood"))
    parser.add_argument("-k", action="append", default=[], metavar="PATTERN", help="tests whose name has this in it")
    parser.add_argument("-x", dest="excluded", action="append", default=[], metavar="PATTERN", help="not those")
    parser.add_argument("-v", dest="verbose", action="store_true", help="output of passed tests too")
    parser.add_argument("-q", dest="quiet", action="store_true", help="no line for a passed test")
    parser.add_argument("-j", dest="jobs", type=int, default=2)
    parser.add_argument("--slower", type=float, default=1.0, help="factor for the limits, for sanitizers")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.brood = os.path.abspath(options.brood)
    options.programs = os.path.join(os.path.dirname(options.brood), "system-programs")
    return options


def main():
    options = options_of(sys.argv[1:])
    harness.OPTIONS.update(brood=options.brood, programs=options.programs, root=ROOT)
    if options.inside:
        sys.exit(run_inside(options.inside, sorted({ROOT, os.path.dirname(options.brood)})))
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing or not os.access(options.brood, os.X_OK):
        sys.exit(f"missing: {' '.join(missing) or options.brood} (tests/deps.sh test installs, make builds)")
    forget_callers_signals()
    build_programs(options.programs)
    tests = [test for test in find_tests() if not options.k or any(re.search(k, test.__name__) for k in options.k)]
    tests = [test for test in tests if not any(re.search(x, test.__name__) for x in options.excluded)]
    if not tests:
        sys.exit("no test has such a name")
    results = run_all(tests, options)
    count = {verdict: list(results.values()).count(verdict) for verdict in ("passed", "FAILED", "skipped")}
    skipped = {name for name, verdict in results.items() if verdict == "skipped"}
    surprising = skipped ^ (expected_skips() & set(results))
    for name in sorted(surprising):
        print(f"{name}: {'skipped' if name in skipped else 'run'}, unlike tests/EXPECTED-SKIPS says")
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['skipped']} skipped")
    sys.exit(1 if count["FAILED"] or surprising else 0)


if __name__ == "__main__":
    main()
