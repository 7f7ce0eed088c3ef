"""When the system refuses one call to a brood that wraps, or to a shim: strace plays the kernel that says no.

brood either says what is missing and starts nothing, or wraps as always: never is a program run without its wrapper,
and never does something stay behind that the next brood doesn't remove. A shim executes, or ends with a line.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess

from harness import OPTIONS, PATIENCE, limit
from wrapping import Wrapping

CONFIG = """[wrap:w]
programs = prog
wrapper = wrapper
shim_root = {root}
"""
WRAPPED, PLAIN = "wrapper\nprog one\n", "prog one\n"

# The calls of a start and of an end that have to do with shims, why each fails, and up to which one: what comes later
# is about processes (test_faults.py).
START = {
    "openat": ("EMFILE", 90), "open": ("EMFILE", 90), "mkdir": ("ENOSPC", 9), "mkdirat": ("ENOSPC", 40),
    "write": ("ENOSPC", 30), "pread64": ("EIO", 9), "newfstatat": ("EACCES", 80), "access": ("EACCES", 9),
    "statfs": ("EIO", 9), "fchmod": ("EPERM", 30), "fchmodat": ("EPERM", 30), "flock": ("ENOLCK", 9),
    "renameat": ("EIO", 9), "getdents64": ("EIO", 40), "readlink": ("EACCES", 12), "getrandom": ("ENOSYS", 9),
    "unlinkat": ("EIO", 60), "rmdir": ("EIO", 9), "close": ("EIO", 90), "mmap": ("ENOMEM", 20),
}


class World:
    """Each run has a directory of its own, so that several may go on at the same time."""

    def __init__(self, t):
        self.t, self.w = t, Wrapping(t)
        self.t.file("bin/prog", '#!/bin/sh\necho prog "$@"\n', 0o755)
        self.w.script("wrapper")
        self.count = 0

    def directory(self):
        self.count += 1
        return self.w.directory(f"run{self.count}")

    def run(self, words, root, injection=None, **environment):
        """(status, stdout, stderr, whether a call was refused)"""
        prefix = []
        if injection:
            name = injection.split(":", maxsplit=1)[0]
            prefix = ["strace", "-o", root + "/trace", "-e", "trace=" + name, "-e", "inject=" + injection]
        got = subprocess.run(prefix + words, capture_output=True, timeout=PATIENCE, check=False, text=True,
                             stdin=subprocess.DEVNULL, env=dict(self.t.environment, ASAN_OPTIONS="detect_leaks=0",
                                                                **environment))
        refused = False
        if injection:
            with open(root + "/trace", encoding="utf-8") as file:
                refused = "INJECTED" in file.read()
        return got.returncode, got.stdout, got.stderr, refused


def brood_words(root):
    config = root + "/brood.ini"
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(root=root + "/shims"))
    return [OPTIONS["brood"], "--subreaper", "-q", "-c", config, "--", "prog", "one"]


def left_in(root):
    return os.listdir(root) if os.path.isdir(root) else []


def check_start(world, root, injection):
    """Returns whether there was such a call, and what was wrong."""
    words = brood_words(root)
    os.makedirs(root + "/shims", exist_ok=True)
    status, out, err, refused = world.run(words, root, injection)
    faults = []
    said = re.search(r"^brood: error: container: exit (100|111): \S|: error: \[wrap:w\] \S", err, re.M)
    if not (status == 0 and out == WRAPPED or status in (100, 111) and out == "" and said):
        faults.append(f"status {status}, out {out!r}, err {err!r}")
    if left_in(root + "/shims"):
        if not injection.startswith(("open", "getdents64", "newfstatat", "unlinkat", "rmdir", "mmap")):  # to remove it
            faults.append(f"left {left_in(root + '/shims')}")
        again = world.run(words, root)
        left = [name for name in left_in(root + "/shims") if os.listdir(f"{root}/shims/{name}")]
        if again[:2] != (0, WRAPPED) or left:
            faults.append(f"the next one: {again}, leaves {left}")
    shutil.rmtree(root)
    return refused, [f"{injection}: {fault}" for fault in faults]


def check_each(t, checks):
    """Runs (function, arguments) side by side; returns how many calls were refused."""
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        results = list(pool.map(lambda check: check[0](*check[1]), checks))
    faults = [fault for _, found in results for fault in found]
    t.equal(faults, [], "faults")
    return sum(refused for refused, _ in results)


def calls_of(world, words, root):
    """The names of all calls of a run, in order."""
    world.run(["strace", "-o", root + "/all", *words], root)
    with open(root + "/all", encoding="utf-8", errors="replace") as file:
        return re.findall(r"^(\w+)\(", file.read(), re.M)


@limit(180)
def test_wrap_faults_of_brood(t):
    world = World(t)
    root = world.directory()
    calls = calls_of(world, brood_words(root), root)
    checks = []
    for name, (error, most) in START.items():
        for number in range(1, min(most, calls.count(name)) + 1):
            checks.append((check_start, (world, world.directory(), f"{name}:error={error}:when={number}")))
    refused = check_each(t, checks)
    t.notes.append(f"{refused} of {len(checks)} calls were refused")
    t.ok(refused >= 150, f"only {refused} calls were refused: does strace work?")


# --- shims

SHIM = {"openat": ("EMFILE", "EACCES", "EIO"), "pread64": ("EIO",), "newfstatat": ("EACCES", "EIO"),
        "faccessat": ("EACCES",), "execve": ("EACCES", "ENOMEM", "E2BIG", "EPERM", "EAGAIN")}


def check_shim(world, root, shim, wanted, injection):
    status, out, err, refused = world.run([shim, "one"], root, injection)
    said = re.fullmatch(r"brood: error: prog: [^\n]+\n", err)
    ended = status in (111, 126, 127) and out in ("", "wrapper\n") and said
    shutil.rmtree(root)
    if status == 0 and out in wanted or ended:
        return refused, []
    return refused, [f"{shim}: {injection}: status {status}, out {out!r}, err {err!r}"]


def own_calls(world, shim, root):
    """What a shim itself calls: up to its exec, which is the second one that strace sees."""
    calls = calls_of(world, [shim, "one"], root)
    return calls[:calls.index("execve", 1) + 1]


def write_shims(t, world, root):
    words = brood_words(root)
    words[1:3] = ["-w", root + "/shims"]
    got = world.run(words, root)
    t.equal(got[:2], (0, ""), f"--write-shims: {got}")
    return root + "/shims/image/0"


def test_wrap_faults_of_shims(t):
    world = World(t)
    directory = write_shims(t, world, world.directory())
    checks = []
    for shim, wanted in (("bin/prog", (WRAPPED,)), ("main/1/0/prog", (WRAPPED,)), ("main/1/1/prog", (PLAIN,)),
                         ("main/0/0/prog", (WRAPPED,))):
        shim = f"{directory}/{shim}"
        t.equal(world.run([shim, "one"], "")[:2], (0, wanted[0]), shim)
        calls = own_calls(world, shim, world.directory())
        for name, errors in SHIM.items():
            for number in range(1, calls.count(name) + (name != "execve")):  # strace leaves its own first exec alone
                checks += [(check_shim, (world, world.directory(), shim, wanted, f"{name}:error={error}:when={number}"))
                           for error in errors]
    refused = check_each(t, checks)
    t.equal(refused, len(checks), "calls refused")
    t.ok(refused >= 30, f"only {refused} calls")


def test_wrap_faults_of_a_shim_that_cannot_speak(t):
    """Where standard error is gone the status still tells."""
    world = World(t)
    directory = write_shims(t, world, world.directory())
    os.unlink("bin/prog")
    got = world.run([directory + "/main/1/1/prog"], world.directory(), "write:error=EPIPE")
    t.equal(got, (127, "", "", True), "the shim of a program that is gone")
