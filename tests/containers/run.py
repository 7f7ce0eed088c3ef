#!/usr/bin/python3
"""Runs brood in real containers of Docker and podman, and asks them what people ask.

    tests/containers/run.py [--brood PATH] [-k PATTERN]... [-v]

Needs root, and Debian's docker.io, podman, runc, uidmap and mmdebstrap. Every function test_* of the files test_*.py
here is a test; one line each, and on failure everything that there is to know.

All of it happens in a PID and a mount namespace, with a /run of its own: whatever ends this program, SIGKILL too, takes
dockerd, containers, mounts and files along. The outer process then removes the cgroups (after a SIGKILL the next one
does); only the base image stays, beside brood in containers/, so that the next run is quick. One run at a time has
that directory.
"""

import argparse
import concurrent.futures
import contextlib
import ctypes
import fcntl
import glob
import importlib
import inspect
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import engine  # noqa: E402
import harness  # noqa: E402
import images  # noqa: E402

NEEDED = ["dockerd", "docker", "podman", "runc", "newuidmap", "mmdebstrap", "setpriv", "unshare", "mount"]
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


# --- the inside ---


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def make_world():
    """A private /run that holds everything, and what lies over /etc, which knows the user of rootless podman here. In
    memory: the end of an overlay mount waits until all of the disk it lies on is written, half a minute for nothing."""
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755,size=8g", "tmpfs", "/run")
    for name in ("etc", "lib", "etc.work", "lib.work", "rootless/run", "podman", "lock", "tmp"):
        os.makedirs("/run/" + name)
    os.chmod("/run/tmp", 0o1777)
    os.environ["TMPDIR"] = "/run/tmp"
    for path in ("/run/rootless", "/run/rootless/run"):
        os.chown(path, engine.USER, engine.USER)
    for target in ("/etc", "/var/lib"):  # podman has a cache in the latter, wherever its images are
        upper = "/run/" + os.path.basename(target)
        mount("-t", "overlay", "overlay", "-o", f"lowerdir={target},upperdir={upper},workdir={upper}.work", target)
    with open("/etc/passwd", "a", encoding="utf-8") as file:
        file.write(f"brood-test:x:{engine.USER}:{engine.USER}::/run/rootless:/bin/sh\n")
    for name in ("subuid", "subgid"):
        with open("/etc/" + name, "w", encoding="utf-8") as file:
            file.write(f"brood-test:{engine.USER * 100}:65536\n")


def bring_sources(options):
    """The base images, which take a minute each where they aren't there yet, and what the Dockerfiles take."""
    images.context(options.brood)
    for name, target in images.BASES.items():
        base = images.base(options.directory, name)
        with open(target, "wb"):
            mount("--bind", base, target)  # every user can read it there


def find_tests():
    """Pairs of a function and the name of an engine."""
    tests = []
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        found = [function for key, function in vars(module).items()
                 if key.startswith("test_") and inspect.isfunction(function) and function.__module__ == module.__name__]
        tests += [(function, name) for function in sorted(found, key=lambda one: one.__code__.co_firstlineno)
                  for name in getattr(function, "engines", ("docker",))]
    return tests


def run_test(function, name, made, verbose):
    title = function.__name__ + ("" if name == "docker" else f"[{name}]")
    fault, begin = "", time.monotonic()
    test = harness.Test(function.__name__, harness.ENGINES[name], made.need)
    try:
        try:
            function(test)
        finally:
            left = test.clean()
        test.equal(left, "", "what can't be removed")
    except Exception:  # whatever it is, it is reported with all there is
        fault = traceback.format_exc()
    text = f"{'FAILED' if fault else 'passed'} {time.monotonic() - begin:5.1f}s {title}\n{fault}"
    if fault or verbose:
        text += "".join(f"--- {note}\n" for note in test.notes)
    print(text, end="", flush=True)
    return not fault


def run_all(tests, options):
    made = {name: images.Images(with_engine) for name, with_engine in harness.ENGINES.items()}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda test: run_test(*test, made[test[1]], options.verbose), tests))
    return results.count(True), results.count(False)


def others():
    """Processes that aren't this one, dead ones that nobody waited for aside (all orphans are this one's children)."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        if int(pid) != os.getpid() and text.rpartition(")")[2].split()[0] not in "ZX":
            found[int(pid)] = text[:60]
    return found


def await_no_others():
    """containerd-shim and conmon end after their containers, on their own; what doesn't is returned."""
    end = time.monotonic() + 10
    while time.monotonic() < end and others():
        for pid in others():
            try:
                descriptor = os.pidfd_open(pid)
            except OSError:
                continue
            select.select([descriptor], [], [], max(0, end - time.monotonic()))
            os.close(descriptor)
    return others()


def inside(options):
    begin = time.monotonic()
    make_world()
    bring_sources(options)
    docker, podman = engine.Docker("/run"), engine.podman("/run/podman")
    harness.ENGINES.update(docker=docker, podman=podman, rootless=engine.Rootless("/run/podman/containers.conf"))
    tests = [test for test in find_tests() if not options.k or any(re.search(k, test[0].__name__) for k in options.k)]
    if not tests:
        sys.exit("no test has such a name")
    docker.start(images.CONTEXT + "/docker-init")
    print(f"ready   {time.monotonic() - begin:5.1f}s base image, dockerd", flush=True)
    passed, failed = run_all(tests, options)
    for with_engine in harness.ENGINES.values():
        with_engine.stop()
    left = await_no_others()
    if left:
        failed += 1
        print("FAILED   processes are left:", *left.values(), sep="\n")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


# --- the outside ---


def prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def remove_traces(directory):
    """Of this run, or of one that was killed. Nothing is in the cgroups by now."""
    for part in glob.glob(os.path.join(directory, "*.part.tar")):
        os.remove(part)
    parents = glob.glob("/sys/fs/cgroup" + engine.CGROUP) + glob.glob("/sys/fs/cgroup/*" + engine.CGROUP)
    for parent in parents:
        for path, _, _ in os.walk(parent, topdown=False):
            os.rmdir(path)
    for parent in glob.glob("/sys/fs/cgroup/*" + engine.POD_CGROUP) + glob.glob("/sys/fs/cgroup" + engine.POD_CGROUP):
        for path, _, _ in os.walk(parent, topdown=False):
            with contextlib.suppress(OSError):  # somebody else's pods run there
                os.rmdir(path)


def run_inside():
    """The exit status of the inside. A subreaper waits for its first process itself, whoever ended it: when that is
    gone, the kernel has ended all the others."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    words = ["unshare", "--pid", "--mount", "--ipc", "--fork", "--mount-proc", "--kill-child", "/usr/bin/python3",
             os.path.abspath(__file__), "--inside", *sys.argv[1:]]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    try:
        return process.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        process.kill()
        process.wait()
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break


def interrupt(*_):
    raise KeyboardInterrupt


def options_of():
    parser = argparse.ArgumentParser(description="Runs brood in real containers.")
    parser.add_argument("--brood", default=os.path.join(ROOT, "build", "brood"))
    parser.add_argument("-k", action="append", default=[], metavar="PATTERN", help="tests whose name has this in it")
    parser.add_argument("-v", dest="verbose", action="store_true", help="what passed tests did, too")
    parser.add_argument("-j", dest="jobs", type=int, default=2)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.brood = os.path.abspath(options.brood)
    options.directory = os.path.join(os.path.dirname(options.brood), "containers")
    return options


def main():
    options = options_of()
    if options.inside:
        inside(options)
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing or not os.access(options.brood, os.X_OK):
        sys.exit(f"missing: {' '.join(missing) or options.brood} (tests/deps.sh containers installs, make builds)")
    if os.geteuid() != 0:
        sys.exit("only root can start dockerd")
    os.makedirs(options.directory, exist_ok=True)
    with open(os.path.join(options.directory, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_traces(options.directory)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)
        try:
            sys.exit(run_inside())
        finally:
            remove_traces(options.directory)


if __name__ == "__main__":
    main()
