"""Where shims lie: made in a directory of brood's own, gone at its end, swept up after a brood that was killed; every
other file in these places stays as it is; and what a place must be like.
"""

import fcntl
import os
import shutil
import signal
import subprocess

from harness import OPTIONS
from wrapping import NOBODY, RAN, Wrapping, become_nobody, only_directory, shim_directories

TOOL = "[wrap:a]\nprograms = tool\nwrapper = a\n"
ROOTS = ["/run/brood", "/dev/shm", "/tmp"]


def world(t):
    w = Wrapping(t)
    w.script("a")
    return w


def mount(t, target, *options):
    """A tmpfs in the test's own mount namespace."""
    words = ["mount", "-n", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", target]
    t.equal(subprocess.run(words, check=False).returncode, 0, f"status of {words}")


def is_gone(t, w, config=TOOL, **keywords):
    """The next brood wraps, and at its end there is no directory at all."""
    w.prints(config, ["tool"], "a", RAN, **keywords)
    t.equal(shim_directories(), [], "no directory is left")


def test_wrap_places_end(t):
    """Whatever ends brood, the directory goes with it, and /run/brood where brood has made it."""
    w = world(t)
    show = ["sh", "-c", "tool; ls -d /run/brood/brood-*; exit 3"]
    got = w.run(TOOL, *show, status=3)
    t.match(got[-1], r"^/run/brood/brood-[A-Za-z0-9]{6}$", "the directory")
    t.ok(not os.path.exists("/run/brood"), "nothing of it is left")
    brood = w.start(TOOL, OPTIONS["programs"] + "/pause")
    t.poll(shim_directories, "a directory", every_ms=1)
    brood.wait_record("executed")
    brood.stop(status=143)
    t.ok(not os.path.exists("/run/brood"), "nothing is left after a stop")
    w.run(TOOL, "nosuch", status=127)
    t.ok(not os.path.exists("/run/brood"), "nothing is left after a command that isn't there")


def killed(t, w, config=TOOL, **keywords):
    """The directory of a brood that was killed."""
    brood = w.start(config, OPTIONS["programs"] + "/pause", **keywords)
    brood.wait_record("executed")
    path = only_directory()
    brood.send(signal.SIGKILL)
    brood.wait()
    t.ok(os.path.exists(path + "/lock"), "nobody removed it")
    return path


def test_wrap_places_after_a_kill(t):
    w = world(t)
    killed(t, w)
    is_gone(t, w)
    os.rmdir("/run/brood")
    root = w.directory("root")
    killed_there = w.start(TOOL + f"shim_root = {root}\n", OPTIONS["programs"] + "/pause")
    killed_there.wait_record("executed")
    path = only_directory(root)
    killed_there.send(signal.SIGKILL)
    killed_there.wait()
    is_gone(t, w, TOOL + f"shim_root = {root}\n")
    t.ok(not os.path.exists(path), "in a root of one's own too")
    t.equal(os.listdir(root), [], "nothing is left there")


def test_wrap_places_of_living_broods(t):
    """Several at once, each with its own; a new one doesn't take a living one's."""
    w = world(t)
    broods = []
    for _ in range(3):
        broods.append(w.start(TOOL, OPTIONS["programs"] + "/pause"))
        broods[-1].wait_record("executed")
    before = shim_directories()
    t.equal(len(before), 3, "directories")
    w.prints(TOOL, ["tool"], "a", RAN)
    t.equal(sorted(shim_directories()), sorted(before), "those of living broods")
    for brood in broods:
        brood.stop(status=143)
    t.equal(shim_directories(), [], "at the end")
    os.rmdir("/run/brood")  # whoever had made it found others there


def test_wrap_places_of_others(t):
    """What isn't a dead brood's stays as it is, however it is named."""
    w = world(t)
    shutil.rmtree(killed(t, w))
    root = "/run/brood"
    content = t.file("content", "precious")
    os.makedirs(root + "/brood-NoLock")
    os.makedirs(root + "/brood-abcdef-mine")
    os.makedirs(root + "/other")
    for name in ("brood-NoLock/x", "brood-abcdef-mine/lock", "other/lock", "brood-aFile1"):
        shutil.copy(content, f"{root}/{name}")
    os.symlink(root + "/other", root + "/brood-aLink1")
    os.makedirs(root + "/brood-Strang")  # of another user, with all that a dead one has
    shutil.copy(content, root + "/brood-Strang/lock")
    for path in (root + "/brood-Strang/lock", root + "/brood-Strang"):
        os.chown(path, NOBODY, NOBODY)
    os.makedirs(root + "/brood-HasFifo")
    os.mkfifo(root + "/brood-HasFifo/lock")  # must not be waited for
    os.makedirs(root + "/brood-LinkLo")
    os.symlink(content, root + "/brood-LinkLo/lock")
    before = listing(root)
    w.prints(TOOL, ["tool"], "a", RAN)
    t.equal(listing(root), before, "everything else stays")
    t.ok(os.path.exists(content), "and what symlinks lead to")
    shutil.rmtree(root)


def listing(root):
    return sorted(os.path.join(directory, name) for directory, names, files in os.walk(root) for name in names + files)


def test_wrap_places_with_links_inside(t):
    """Removing a directory follows no symlink out of it."""
    w = world(t)
    outside = w.directory("outside")
    t.file("outside/precious")
    dead = killed(t, w)
    os.symlink(outside, dead + "/0/bin/link")
    os.symlink(outside, dead + "/link")
    is_gone(t, w)
    t.equal(os.listdir(outside), ["precious"], "what lies outside")
    os.rmdir("/run/brood")


def unusable_roots(t, w):
    """(root, what the message says)."""
    for name in ("noexec", "readonly", "others"):
        w.directory(name)
    mount(t, t.directory + "/noexec", "noexec")
    mount(t, t.directory + "/readonly", "ro")
    os.symlink(t.directory + "/others", t.directory + "/link")
    os.lchown(t.directory + "/link", NOBODY, NOBODY)
    t.files.add("link")
    t.file("file")
    return [("noexec", "noexec"), ("readonly", "Read-only"), ("file", "Not a directory|not a directory|File exists"),
            ("link", "symlink"), ("no/such", "No such file")]


def test_wrap_places_explicit(t):
    """A shim_root that can't be used is an error; no other place is tried."""
    w = world(t)
    for name, why in unusable_roots(t, w):
        root = f"{t.directory}/{name}"
        w.refuses(TOOL + f"shim_root = {root}\n", 111, rf"container: exit 111: no place for shims: {root}: .*({why})")
    for mount_point in ("noexec", "readonly"):
        subprocess.run(["umount", "-n", mount_point], check=True)
    w.prints(TOOL + f"shim_root = {t.directory}/new\n", ["sh", "-c", "ls new | wc -l; tool"], "1 a", RAN)
    t.ok(not os.path.exists("new"), "a directory that brood has made goes with it")


def test_wrap_places_link_of_ones_own(t):
    w = world(t)
    root = w.directory("root")
    os.symlink(root, "mine")
    t.files.add("mine")
    w.prints(TOOL + f"shim_root = {t.directory}/mine\n", ["sh", "-c", "ls root | wc -l; tool"], "1 a", RAN)


def test_wrap_places_by_default(t):
    """The first that can be written and executed from; each is spoiled in its turn."""
    w = world(t)
    where = ["sh", "-c", "tool; ls -d /run/brood/brood-* /dev/shm/brood-* /tmp/brood-* 2>/dev/null"]
    spoil = [lambda: t.file("/run/brood"), lambda: mount(t, "/dev/shm", "noexec")]
    for root in ROOTS:
        brood = w.start(TOOL, *where)
        brood.wait()
        t.match(brood.stdout.decode(), rf"^a\n{RAN}\n{root}/brood-\w+\n$", "where shims lie")
        t.equal(shim_directories(), [], "gone")
        if spoil:
            spoil.pop(0)()
    mount(t, "/run", "ro")
    subprocess.run(["mount", "-n", "--rbind", "/tmp", "/tmp"], check=True)
    subprocess.run(["mount", "-n", "-o", "remount,bind,noexec", "/tmp"], check=True)
    brood = t.brood(TOOL.replace("wrapper = a", "wrapper = /bin/true"), command=["/bin/true"])
    t.equal(brood.wait(), 111, "no place at all")
    for root in ROOTS:
        brood.has(rf"exit 111: no place for shims: .*{root}: .*--write-shims", count=1)


def test_wrap_places_by_variable(t):
    """$SPAWN_WRAP_SHIM_ROOT comes before the others, and shim_root before it; unusable, the others are tried."""
    w = world(t)
    root, other = w.directory("root"), w.directory("other")
    where = ["sh", "-c", "ls root other; tool"]
    brood = w.start(TOOL, *where, env={"SPAWN_WRAP_SHIM_ROOT": root})
    brood.wait()
    t.match(brood.stdout.decode(), r"^other:\n\nroot:\nbrood-\w+\na\n", "the variable's")
    brood = w.start(TOOL + f"shim_root = {other}\n", *where, env={"SPAWN_WRAP_SHIM_ROOT": root})
    brood.wait()
    t.match(brood.stdout.decode(), r"^other:\nbrood-\w+\n\nroot:\na\n", "the config's")
    brood = w.prints(TOOL, where, "other: root: a", RAN, env={"SPAWN_WRAP_SHIM_ROOT": "/no/such"})
    brood.has("warning: .*/no/such", count=1)
    w.prints(TOOL, where, "other: root: a", RAN, env={"SPAWN_WRAP_SHIM_ROOT": ""}).has_not("warning")


def test_wrap_places_open_to_others(t):
    """An emptyDir of Kubernetes: used, and said."""
    w = world(t)
    for mode, count in ((0o777, 1), (0o1777, 0), (0o775, 1), (0o755, 0)):
        root = w.directory(f"root{mode:o}", mode)
        brood = w.prints(TOOL + f"shim_root = {root}\n", ["tool"], "a", RAN)
        brood.has(r"warning: .*sticky", count=count)


def test_wrap_places_permissions(t):
    """Whatever brood's umask is, everybody can execute the shims, and nobody else can change them."""
    w = world(t)
    for mask in (0o077, 0o000, 0o777):
        brood = w.start(TOOL, OPTIONS["programs"] + "/pause", before=lambda mask=mask: os.umask(mask))
        brood.wait_record("executed")
        path = only_directory()
        for directory, names, files in os.walk(path):
            for name in [*names, *files, "."]:
                mode = os.stat(os.path.join(directory, name)).st_mode & 0o777
                if name == "lock":  # not for others: who holds it keeps a dead brood's directory
                    t.equal(mode & 0o077, 0, "mode of the lock")
                    continue
                wanted = 0o755 if name in names + ["."] or name in ("tool", "preload.so") else 0o644
                t.equal(oct(mode), oct(wanted), f"mode of {directory}/{name}")
        done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", "env", f"PATH={path}/0/bin:{w.search}",
                               "tool"], stdout=subprocess.PIPE, check=False)
        t.equal(done.stdout.decode().split(), ("a " + RAN).split(), "as nobody")
        brood.stop(status=143)


def test_wrap_places_lock(t):
    """A directory is a living brood's for as long as its lock is held, by whatever process: pids say nothing."""
    w = world(t)
    dead = killed(t, w)
    with open(dead + "/lock", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        w.prints(TOOL, ["tool"], "a", RAN)
        t.equal(shim_directories(), [dead], "it stays")
    is_gone(t, w)
    os.rmdir("/run/brood")


def test_wrap_places_without_privilege(t):
    """As nobody, who can't make /run/brood."""
    w = world(t)
    shutil.copy(OPTIONS["brood"], "brood")
    t.files.add("brood")
    brood = w.start(TOOL, "sh", "-c", "tool; id -u; ls -d /dev/shm/brood-* | wc -l", mode="child",
                    path=t.directory + "/brood", before=become_nobody)
    t.equal(brood.wait(), 0, "status")
    t.equal(brood.stdout.decode().split(), f"a {RAN} {NOBODY} 1".split(), "output")
    t.equal(shim_directories(), [], "gone")
