"""reach = strict: the program's own file is the shim, by a mount or, without CAP_SYS_ADMIN, by a rename; who may not; and
that all is as it was afterwards, also after a brood that was killed. Programs lie in the test's own directory.
"""

import os
import shutil
import signal
import subprocess

from harness import OPTIONS, status_field
from wrapping import NOBODY, RAN, Wrapping, become_nobody, only_directory, shim_directories

STRICT = "[wrap:a]\nprograms = tool\nwrapper = a\nreach = strict\n"
UNPRIVILEGED = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin")


def world(t):
    w = Wrapping(t)
    w.script("a")
    w.copy("execs", "execs")
    return w


def state(path):
    """What must be the same afterwards: the file itself, and what lies beside it."""
    info = os.stat(path)
    return (info.st_ino, info.st_size, info.st_mode, info.st_uid, info.st_nlink, info.st_mtime_ns,
            sorted(os.listdir(os.path.dirname(path))))


def is_shim(path):
    with open(path, "rb") as file:
        head = file.read(96)
    return head[:4] == b"\x7fELF" and head[95:] == b"b"


def nothing_is_left(t):
    t.equal(shim_directories(), [], "no directory")
    left = os.listdir("/run/brood") if os.path.isdir("/run/brood") else []
    t.equal([name for name in left if name.startswith("journal")], [], "no journal")
    if os.path.isdir("/run/brood"):
        os.rmdir("/run/brood")


def static(w):
    """A static parent, an empty environment, another user: what the library doesn't reach."""
    return ["sh", "-c", f"./execs execve {w.tool}; ./execs clear execve {w.tool}; "
            f"setpriv --reuid 65534 --clear-groups ./execs execve {w.tool}"]


def test_wrap_strict_by_mount(t):
    """And nothing of it is left in the mount namespace that it was done in."""
    w = world(t)
    before = state(w.tool)
    brood = w.start(STRICT, "sh", "-c", f"{' '.join(static(w)[2:])}; exec {OPTIONS['programs']}/pause")
    t.pump(lambda: brood.stdout.count(b"ran") == 3, "three runs")
    t.equal(brood.stdout.decode().split(), ("a " + RAN).split() * 3, "what is wrapped")
    t.equal(state(w.tool), before, "outside of brood's mount namespace nothing changes")
    witness = t.other("nsenter", "--target", str(brood.pid), "--mount", "sleep", "1000")
    t.poll(lambda: status_field(witness.pid, "Name") == "sleep", "the witness", every_ms=1)
    inside = f"/proc/{witness.pid}/root{w.tool}"
    t.ok(is_shim(inside), "the file is the shim")
    brood.stop(status=143)
    t.ok(not is_shim(inside), "and is itself again")
    with open(f"/proc/{witness.pid}/mountinfo", encoding="utf-8") as file:
        t.equal([line for line in file if f" {w.tool} " in line or "brood-" in line], [], "mounts that are left")
    t.equal(state(w.tool), before, "the program")
    nothing_is_left(t)


def test_wrap_strict_by_rename(t):
    w = world(t)
    before = state(w.tool)
    brood = w.start(STRICT, "sh", "-c", f"{' '.join(static(w)[2:])}; exec {OPTIONS['programs']}/pause",
                    in_namespace=UNPRIVILEGED)
    t.pump(lambda: brood.stdout.count(b"ran") == 3, "three runs")
    t.equal(brood.stdout.decode().split(), ("a " + RAN).split() * 3, "what is wrapped")
    t.ok(is_shim(w.tool), "the file is the shim, for whoever looks")
    done = subprocess.run([w.tool], stdout=subprocess.PIPE, env={}, check=False)
    t.equal(done.stdout.decode().split(), ("a " + RAN).split(), "a process that isn't below brood")
    brood.stop(status=143)
    t.equal(state(w.tool), before, "the program is as it was")
    nothing_is_left(t)


def test_wrap_strict_after_a_kill(t):
    """The next brood puts back what the killed one replaced, whether it wraps anything itself or not, and says so."""
    w = world(t)
    before = state(w.tool)
    for config in (STRICT, STRICT.replace("strict", "path"), STRICT.replace("programs = tool", "programs = other"),
                   "[supervisor]\ncontrol = none\n"):
        brood = w.start(STRICT, OPTIONS["programs"] + "/pause", in_namespace=UNPRIVILEGED)
        brood.wait_record("executed")
        t.ok(is_shim(w.tool), "replaced")
        brood.send(signal.SIGKILL)
        brood.wait()
        t.ok(is_shim(w.tool), "nobody put it back")
        wanted = "a " + RAN if "programs = tool" in config else RAN
        brood = w.prints(config, ["sh", "-c", "tool"], wanted, in_namespace=UNPRIVILEGED)
        brood.has(r"info: container: .*back")
        t.equal(state(w.tool), before, "the program is as it was")
        nothing_is_left(t)


def test_wrap_strict_after_a_kill_without_the_directory(t):
    """Places for shims are often a tmpfs of one container; the program's own directory may outlive it."""
    w = world(t)
    before = state(w.tool)
    brood = w.start(STRICT, OPTIONS["programs"] + "/pause", in_namespace=UNPRIVILEGED)
    brood.wait_record("executed")
    brood.send(signal.SIGKILL)
    brood.wait()
    subprocess.run(["rm", "-r", "/run/brood"], check=True)
    w.prints(STRICT, ["sh", "-c", w.tool], "a", RAN, in_namespace=UNPRIVILEGED)
    t.equal(state(w.tool), before, "the program is as it was")
    nothing_is_left(t)


def test_wrap_strict_upgraded(t):
    """A program that a package manager has replaced meanwhile stays the new one."""
    w = world(t)
    w.directory("new")
    w.copy("tool", "new/tool", version=2)
    w.prints(STRICT, ["sh", "-c", "tool; mv new/tool bin/tool; tool"], "a", RAN, "a", RAN, in_namespace=UNPRIVILEGED)
    done = subprocess.run([w.tool], stdout=subprocess.PIPE, check=False)
    t.equal(done.stdout, b"ran version=2\n", "afterwards")
    t.equal(os.listdir(w.bin), ["tool"], "what lies beside it")
    nothing_is_left(t)


def test_wrap_strict_symlinks_and_versions(t):
    """Every file of the name on PATH; a symlink stays one."""
    w = world(t)
    w.directory("two")
    w.copy("tool", "two/tool", version=2)
    w.directory("links")
    os.symlink(w.tool, "links/tool")
    search = f"{t.directory}/links:{t.directory}/two:/usr/bin:/bin"
    for privilege in ((), UNPRIVILEGED):
        commands = f"env -i {w.tool}; ./execs clear execve two/tool; ./execs execve links/tool"
        brood = w.start(STRICT, "sh", "-c", commands, in_namespace=privilege, env={"PATH": search})
        t.equal(brood.wait(), 0, "status")
        t.equal(brood.stdout.decode().split(), f"a {RAN} a ran version=2 a {RAN}".split(), "output")
        t.ok(os.path.islink("links/tool"), "the link")
        nothing_is_left(t)


def test_wrap_strict_who_may(t):
    """Only PID 1, with a /proc of its own namespace."""
    w = world(t)
    before = state(w.tool)
    for mode in ("subreaper", "child"):
        w.refuses(STRICT, 111, r"exit 111: reach = strict: brood isn't PID 1", mode=mode)
    w.refuses(STRICT, 111, r"exit 111: reach = strict: /proc shows the processes of another PID namespace",
              namespace_options=())
    t.equal(state(w.tool), before, "the program")
    w.refuses(STRICT + "workers = main\n", 100, r"brood.ini:\d+: error: \[wrap:a\] workers: reach = strict")
    nothing_is_left(t)


def test_wrap_strict_one_file_for_several_programs(t):
    w = world(t)
    for name, link in (("multi", os.symlink), ("other", os.link)):
        link(w.tool, f"{w.bin}/{name}")
        program = "multi" if name == "multi" else "tool"
        w.refuses(STRICT.replace("programs = tool", f"programs = {program}"), 100,
                  rf"brood.ini:4: error: \[wrap:a\] reach: {w.bin}/{program} is {w.tool}, one file for several")
        os.unlink(f"{w.bin}/{name}")


def read_only(t, path):
    for words in (["mount", "-n", "--bind", path, path], ["mount", "-n", "-o", "remount,bind,ro", path]):
        t.equal(subprocess.run(words, check=False).returncode, 0, f"status of {words}")


def test_wrap_strict_neither_way(t):
    """What is missing is said, and nothing is started or left."""
    w = world(t)
    read_only(t, w.bin)
    before = state(w.tool)
    w.refuses(STRICT, 111, rf"exit 111: {w.tool}: can't be replaced by a mount: CAP_SYS_ADMIN is missing; nor by a "
              rf"rename: {w.bin} is read-only; ", in_namespace=UNPRIVILEGED)
    t.equal(state(w.tool), before, "the program")
    nothing_is_left(t)
    w.prints(STRICT, ["sh", "-c", f"./execs clear execve {w.tool}"], "a", RAN)  # a mount needs no writable place
    nothing_is_left(t)


def test_wrap_strict_half_way(t):
    """The second program can't be replaced: the first one is put back."""
    w = world(t)
    w.directory("ro")
    w.copy("tool", "ro/tool", version=2)
    read_only(t, t.directory + "/ro")
    before = state(w.tool)
    w.refuses(STRICT, 111, rf"exit 111: {t.directory}/ro/tool: can't be replaced", "true", in_namespace=UNPRIVILEGED,
              env={"PATH": f"{w.bin}:{t.directory}/ro:/usr/bin:/bin"})
    t.equal(state(w.tool), before, "the first one is as it was")
    nothing_is_left(t)


def test_wrap_strict_in_a_sandbox(t):
    """Nothing is changed outside, whosever the program is, and nobody below a user's brood can mount."""
    w = world(t)
    path = t.copy_of("brood")
    command = ["sh", "-c", f"./execs clear execve {w.tool}; grep '^Cap[^B]' /proc/self/status"]
    for owner in (0, NOBODY):
        os.chown(w.bin, owner, owner)
        os.chown(w.tool, owner, owner)
        before = state(w.tool)
        for less in ((), UNPRIVILEGED):
            w.prints(STRICT, ["sh", "-c", f"./execs clear execve {w.tool}"], "a", RAN, mode="child",
                     options=("--sandbox",), in_namespace=less)
            t.equal(state(w.tool), before, "the program")
        none = [word for name in ("Inh", "Prm", "Eff", "Amb") for word in (f"Cap{name}:", 16 * "0")]
        w.prints(STRICT, command, "a", RAN, *none, mode="child", options=("--sandbox",), path=path,
                 before=become_nobody)
        t.equal(state(w.tool), before, "the program")
    nothing_is_left(t)


def test_wrap_strict_on_an_overlay(t):
    """As in a container without CAP_SYS_ADMIN: the link copies the file up, and a line says so."""
    w = world(t)
    for name in ("upper", "work", "merged"):
        w.directory("overlay/" + name)
    mounted = subprocess.run(["mount", "-n", "-t", "overlay", "-o", f"lowerdir={w.bin},upperdir=overlay/upper,"
                              "workdir=overlay/work", "overlay", "overlay/merged"], check=False)
    t.equal(mounted.returncode, 0, "an overlay")
    tool = t.directory + "/overlay/merged/tool"
    brood = w.prints(STRICT, ["sh", "-c", f"./execs clear execve {tool}"], "a", RAN, in_namespace=UNPRIVILEGED,
                     env={"PATH": f"{t.directory}/overlay/merged:/usr/bin:/bin"})
    brood.has(rf"info: container: {tool} was copied into the container's own layer", count=1)
    t.ok(not is_shim(tool), "afterwards")
    t.equal(os.listdir("overlay/merged"), ["tool"], "what lies beside it")
    nothing_is_left(t)


def test_wrap_strict_kept_for_debugging(t):
    """SPAWN_WRAP_DEBUG=1 keeps the directory, not the programs' places."""
    w = world(t)
    before = state(w.tool)
    w.prints(STRICT, ["tool"], "a", RAN, in_namespace=UNPRIVILEGED, env={"SPAWN_WRAP_DEBUG": "1"})
    t.equal(state(w.tool), before, "the program")
    t.ok(os.path.exists(only_directory() + "/0/bin/tool"), "the directory")
    w.prints(STRICT, ["tool"], "a", RAN, in_namespace=UNPRIVILEGED)
    nothing_is_left(t)


def test_wrap_strict_own_interpreter(t):
    """A wrapper that is a script of the very program that it wraps."""
    w = world(t)
    shell = w.bin + "/shell"
    shutil.copy("/bin/sh", shell)
    for first in (f"#!{shell}", "#!/usr/bin/env shell"):
        w.script("a", first=first)
        for privilege in ((), UNPRIVILEGED):
            w.prints(STRICT.replace("= tool", "= shell"), ["shell", "-c", f"./execs clear execve {shell} -c 'echo in'"],
                     "a a in", in_namespace=privilege)
            nothing_is_left(t)
