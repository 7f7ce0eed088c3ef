"""The preload library alone, in glibc and in musl processes, with shims that only report: what is turned, what is put
right, and that nothing else is changed. See programs/execs.c for the ways to execute, ../preload_set.c for the shims.
"""

import os
import shutil
import subprocess

from harness import OPTIONS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EXECS = ["execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve", "execveat", "execveat_fd",
         "vfork", "thread", "handler"]
SPAWNS = ["spawn", "spawnp", "spawn_actions", "spawnp_actions"]
SHELLS = ["system", "popen"]
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O2"]
NOTHING = "PATH=- LD_PRELOAD=-"


class World:
    """A directory with programs, shims for `tool` and for `mock`, which isn't there, and the programs that execute."""

    def __init__(self, t):
        self.t, self.root = t, t.directory + "/w"
        t.files.add("w")
        os.makedirs(self.root + "/bin")
        os.makedirs(self.root + "/later")
        self.report = self.root + "/report"
        for name in ("report", "bin/tool", "bin/other", "later/tool"):
            shutil.copy(OPTIONS["programs"] + "/report", os.path.join(self.root, name))
        source = os.path.join(ROOT, "tests/system/programs/execs.c")
        self.compile("glibc", ["cc", *FLAGS, source])
        self.compile("copied", ["cc", *FLAGS, "-no-pie", source])  # environ is copied into the program itself
        self.compile("musl", ["musl-gcc", *FLAGS, source])
        self.compile("preload_set", ["cc", *FLAGS, "-I", ROOT, os.path.join(ROOT, "tests/preload_set.c")])
        self.template = os.path.join(os.path.dirname(OPTIONS["brood"]), "wrap/preload.so")
        self.tool, self.other = self.root + "/bin/tool", self.root + "/bin/other"
        self.library = self.make_set("set", f"tool={self.tool}", "mock")
        self.names = self.root + "/set/names"
        self.search = f"{self.names}:{self.root}/bin:/usr/bin:/bin"
        self.entry = self.root + "/set/entries/1/0/tool"
        self.by_name = self.root + "/set/entries/0/0/tool"

    def compile(self, name, command):
        subprocess.run([*command, "-o", f"{self.root}/{name}"], check=True)

    def make_set(self, name, *programs):
        subprocess.run([f"{self.root}/preload_set", self.template, f"{self.root}/{name}", self.report, *programs],
                       check=True)
        return f"{self.root}/{name}/preload.so"

    def run(self, libc, *words, preload=True, search=None, status=None, **keywords):
        """(status, stdout) of execs."""
        environment = {"PATH": search or self.search, "SPAWN_WRAP_KEY": "user's"}
        if preload:
            environment["LD_PRELOAD"] = self.library
        done = subprocess.run([f"{self.root}/{libc}", *words], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=self.root, check=False, **keywords)
        text = done.stdout.decode()
        if status is not None:
            self.t.equal((done.returncode, text), (status, text), f"{libc} {words}: status")
        return done.returncode, text

    def reports(self, libc, *words, path, has=(), **keywords):
        """The program ran, by this path, and said all this."""
        _, text = self.run(libc, *words, status=7, **keywords)
        for part in (f"{path} argc=", *has):
            self.t.ok(part in text, f"{libc} {words}: {part!r} in {text!r}")
        return text


def test_preload_every_way(t):
    w = World(t)
    kept = [f"PATH={w.search}", f"LD_PRELOAD={w.library}", "told=-", "variables=3"]
    for libc in ("glibc", "copied", "musl"):
        for way in EXECS + SPAWNS:
            w.reports(libc, way, w.tool, "a", "b", path=w.entry, has=["argc=3", f"<{w.tool}> <a> <b>", *kept])
        for way in SHELLS:
            w.reports(libc, way, w.tool, path=w.entry, has=["argc=1", *kept[:3]])
        w.reports(libc, "execl_many", w.tool, "a", path=w.entry, has=["argc=71"])
        w.reports(libc, "execle", w.tool, path=w.entry, has=["argc=1", *kept])
        for way in EXECS + SPAWNS:
            if "fexecve" not in way and "_fd" not in way:  # these report /dev/fd/N
                w.reports(libc, way, w.other, "a", "b", path=w.other, has=["argc=3", *kept])


def test_preload_every_name(t):
    """However the file is named; and what is found only later by its name, or leads to it by a #! line."""
    w = World(t)
    os.symlink(w.tool, w.root + "/symlink")
    os.link(w.tool, w.root + "/hardlink")
    t.file("w/script", f"#!{w.tool} -x\n", 0o755)
    t.file("w/second", f"#! \t{w.root}/script\n", 0o755)
    for libc in ("glibc", "musl"):
        for name in ("bin/tool", "./bin/../bin/tool", w.root + "/symlink", "hardlink", "./symlink"):
            for way in ("execve", "fexecve", "execveat", "vfork", "spawn"):
                w.reports(libc, way, name, path=w.entry, has=["told=- "])
        for name in ("later/tool", w.root + "/later/tool"):
            for way in ("execve", "execvp", "execl"):
                w.reports(libc, way, name, path=w.by_name, has=[f"told=self file {name} "])
        for name in ("./script", w.root + "/script", "second"):
            w.reports(libc, "execve", name, "a", path=w.entry, has=[f"told=self script {name} ", f"<{name}> <a>"])
        later = w.root + "/later/tool"
        w.reports(libc, "spawn", "later/tool", path=w.by_name, has=["told=parent file later/tool "])
        w.reports(libc, "spawn_actions", later, path=w.by_name, has=[f"told=parent file {later} "])
        w.reports(libc, f"chdir:{w.root}/later", "spawn_chdir", "./tool", path=w.by_name,
                  has=["told=parent file ./tool "])
        w.reports(libc, f"chdir:{w.root}/bin", "spawn_chdir", "./other", path="./other", has=["told=- "])
        w.reports(libc, "vfork", later, path=w.by_name, has=[f"told=self file {later} "])


def test_preload_search(t):
    w = World(t)
    later = f"{w.root}/later:/usr/bin:/bin"
    for libc in ("glibc", "copied", "musl"):
        for way in ("execvp", "execvpe", "execlp", "spawnp", "spawnp_actions", "system", "popen"):
            who = "parent" if way.startswith("spawn") else "self"
            w.reports(libc, way, "tool", path=f"{w.names}/tool")
            if way not in SHELLS:  # sh finds the shim by the PATH that was put right for it
                w.reports(libc, way, "tool", search=f"/nowhere:{w.root}/bin:/bin", path=w.entry, has=["told=- "])
                w.reports(libc, way, "tool", search=later, path=w.by_name,
                          has=[f"told={who} file {w.root}/later/tool ", f"PATH={w.names}:{later} "])
            w.reports(libc, way, "other", search=f"{w.root}/bin:/bin", path=f"{w.root}/bin/other",
                      has=[f"PATH={w.names}:{w.root}/bin:/bin "])
            w.reports(libc, way, "mock", search="/nowhere:/bin", path=f"{w.names}/mock")
        for search in ("", ":", "/nowhere:", ":/nowhere", "/nowhere::/bin"):
            w.reports(libc, f"set:PATH={search}", "execvp", "report", path="report")
        w.reports(libc, "clear", "execvp", "mock", path=f"{w.names}/mock", has=[f"PATH={w.names}:{DEFAULT} "])


def test_preload_environment(t):
    """What lacks something gets it, with all that was there; what is too much goes as it is."""
    w = World(t)
    got = [f"PATH={w.names}:{DEFAULT} ", f"LD_PRELOAD={w.library} "]
    for libc in ("glibc", "copied", "musl"):
        for way in EXECS + SPAWNS + SHELLS:
            for option in ("clear", "null") if way != "fexecve" else ("clear",):  # glibc refuses NULL there
                w.reports(libc, option, way, w.tool, "a", "b", path=w.entry, has=got)
        for way in ("execve", "execl", "spawn"):
            w.reports(libc, "clear", way, w.other, "a", "b", path=w.other, has=[*got, "variables=2"])
            for count in (1, 126, 127, 128, 129, 511, 512, 513, 4090, 4096):
                w.reports(libc, "clear", f"variables:{count}", way, w.other, "a", "b", path=w.other,
                          has=[*got, f"variables={count + 2}\n"])
            for count in (4097, 5000):
                w.reports(libc, "clear", f"variables:{count}", way, w.tool, "a", "b", path=w.tool,
                          has=[NOTHING, f"variables={count}\n"])
        w.reports(libc, "set:LD_PRELOAD=", "set:PATH=/bin:/usr/bin", "execve", w.other, path=w.other,
                  has=[f"PATH={w.names}:/bin:/usr/bin ", got[1], "variables=3"])
        long = "/x" * 5000
        w.reports(libc, f"set:PATH={long}", "execve", w.tool, path=w.entry, has=[f"PATH={long} ", got[1]])


def test_preload_many_arguments(t):
    w = World(t)
    t.file("w/bin/plain", 'echo "$0 $#"; exit 7\n', 0o755)
    for libc in ("glibc", "musl"):
        for way in ("execve", "execvp", "spawn", "vfork", "fexecve"):
            w.reports(libc, "clear", "arguments:100000", way, w.tool, path=w.entry, has=["argc=100001 "])
    for count in (0, 1, 63, 64, 65, 4095, 4096, 4097, 100000):
        for way, name in (("execvp", "plain"), ("execvpe", "plain"), ("execvp", "bin/plain")):
            expected = w.run("glibc", f"arguments:{count}", way, name, preload=False, status=7)
            t.equal(w.run("glibc", f"arguments:{count}", way, name), expected, f"{way} {name}, {count} arguments")
            t.ok(expected[1].endswith(f"/plain {count}\n"), f"the script itself: {expected[1]!r}")
    expected = w.run("musl", "execvp", "plain", preload=False, status=1)
    t.equal(w.run("musl", "execvp", "plain"), expected, "musl knows no such thing")


def make_failures(t, w):
    t.file("w/text", "echo text\n", 0o755)
    t.file("w/bin/refused", "", 0o644)
    t.file("w/lost", "#!/nowhere/sh\n", 0o755)
    t.file("w/empty", "", 0o755)
    t.file("w/broken", "\x7fELF nonsense", 0o755)
    os.symlink("loop", w.root + "/loop")
    os.mkdir(w.root + "/bin/directory")
    os.mkfifo(w.root + "/fifo", 0o755)
    return ["nowhere", "./nowhere", "/", "", "x" * 255, "x" * 256, "y/" * 2500, "text", "./text", "refused",
            "bin/refused", "lost", "./lost", "empty", "./empty", "./broken", "./loop", "directory", "bin/directory",
            "bin/tool/x", "fifo", "./fifo"]


def test_preload_failures(t):
    """errno, output and status of what fails are those of the C library, with and without the library."""
    w = World(t)
    names = make_failures(t, w)
    searches = [w.search, f"{w.names}:{w.root}/bin/tool:{w.root}/bin", f"{w.names}:{'z' * 300}:{w.root}",
                f"{w.names}:{'z' * 4500}:{w.root}"]
    seen = set()
    for libc in ("glibc", "musl"):
        for way in ["execve", "execv", "execvp", "execlp", "vfork", "fexecve", *SPAWNS]:
            for search in searches if way in ("execvp", "execlp", "spawnp") else searches[:1]:
                for name in names:
                    if "fifo" in name and way == "fexecve":
                        continue  # open() would wait
                    words = (libc, way, name, "a", "b")
                    expected = w.run(*words, preload=False, search=search)
                    t.equal(w.run(*words, search=search), expected, f"{words} {search[-30:]}")
                    seen.add(expected[1])
        for way in ("execve", "execvp", "spawn"):
            words = (libc, "arguments:3000000", way, w.other)
            t.equal(w.run(*words), w.run(*words, preload=False), f"{words}")
    t.ok(len(seen) > 20, f"different outcomes: {len(seen)}")


def test_preload_small_stacks(t):
    """On any stack the exec happens: turned where there is room, as asked where there isn't."""
    w = World(t)
    ends = {"handler": set(), "thread": set()}
    for libc in ("glibc", "musl"):
        for way, sizes in (("handler", range(8192, 65536, 4096)), ("thread", range(16384, 81920, 4096))):
            for size in sizes:
                for options in (["clear"], [], ["clear", "variables:500"], ["clear", "variables:4000"]):
                    words = (libc, f"stack:{size}", *options, way, w.tool)
                    _, text = w.run(*words, status=7)
                    path = text.split(" ", 1)[0]
                    t.ok(path in (w.tool, w.entry), f"{words}: {text!r}")
                    if path == w.entry and "clear" in options:
                        t.ok(f"LD_PRELOAD={w.library} " in text, f"{words}: turned and put right: {text!r}")
                    ends[way].add(path)
    for way, paths in ends.items():
        t.ok(w.entry in paths, f"{way}: some stacks are large enough")
    t.ok(w.tool in ends["handler"], "and some are not")


def test_preload_leaves_alone(t):
    """No context, shims that are gone, static and setuid and sanitized programs."""
    w = World(t)
    bare = w.root + "/bare.so"
    shutil.copy(w.template, bare)
    w.library, library = bare, w.library
    for libc in ("glibc", "musl"):
        for way in EXECS + SPAWNS + SHELLS:
            text = w.run(libc, way, w.tool, "a", "b", status=7)[1]
            t.ok(w.entry not in text and "argc=" in text, f"{libc} {way} without a context: {text!r}")
            if way not in ("handler", "thread", "vfork", *SPAWNS, *SHELLS):
                t.match(w.run(libc, way, w.root + "/nowhere", status=1)[1], "error 2|nowhere", "an error")
    w.library = library
    w.compile("static", ["cc", *FLAGS, "-static", os.path.join(ROOT, "tests/system/programs/execs.c")])
    w.reports("static", "execve", w.tool, path=w.tool)
    w.compile("setuid", ["cc", *FLAGS, os.path.join(ROOT, "tests/system/programs/execs.c")])
    os.chown(w.root + "/setuid", 1, 1)
    os.chmod(w.root + "/setuid", 0o6755)
    t.match(w.run("setuid", "execve", w.tool, status=7)[1], f"^{w.tool} ", "a setuid parent isn't reached")
    w.compile("sanitized", ["cc", *FLAGS, "-fsanitize=address", os.path.join(ROOT, "tests/system/programs/execs.c")])
    for libc in ("glibc", "musl"):
        text = w.run(libc, "execve", w.root + "/sanitized", "execve", w.tool, status=7)[1]
        t.ok(f"{w.tool} argc=" in text and "LD_PRELOAD=-" in text, f"without the library: {text!r}")
        text = w.run(libc, "execve", w.root + "/sanitized", "execvp", "tool", status=7)[1]
        t.ok(f"{w.names}/tool argc=" in text, f"by name it is wrapped: {text!r}")
    os.rename(w.root + "/set/entries", w.root + "/set/gone")
    for libc in ("glibc", "musl"):
        for way in EXECS + SPAWNS:
            text = w.run(libc, "clear", way, w.tool, "a", "b", status=7)[1]
            t.ok("argc=3" in text and "entries" not in text, f"{way} with the shims gone: {text!r}")


def test_preload_without_dlsym(t):
    """glibc before 2.34 has it in another library: what is interposed is found without it."""
    w = World(t)
    with open(w.template, "rb") as file:
        bytes_with = file.read()
    t.equal(bytes_with.count(b"\0dlsym\0"), 1, "the name")
    w.template = w.root + "/without.so"
    t.file("w/without.so")
    with open(w.template, "wb") as file:
        file.write(bytes_with.replace(b"\0dlsym\0", b"\0dlsxx\0"))
    w.library = w.make_set("other", f"tool={w.tool}", "mock")
    for libc in ("glibc", "copied", "musl"):
        for way in SPAWNS + SHELLS:
            w.reports(libc, "clear", way, w.tool, path=w.root + "/other/entries/1/0/tool", has=[w.library])


def test_preload_symbols(t):
    """What it refers to, which must be in any C library or may be missing; and what it stands in front of."""
    w = World(t)
    names = subprocess.run(["nm", "-uD", w.template], check=True, stdout=subprocess.PIPE).stdout.decode().split()
    t.equal(names, ["w", "__environ", "w", "__errno_location", "w", "dlsym"], "undefined names")
    done = subprocess.run(["nm", "-D", "--defined-only", w.template], check=True, stdout=subprocess.PIPE)
    t.equal(sorted(line.split()[2] for line in done.stdout.decode().splitlines()),
            ["bind", "execl", "execle", "execlp", "execv", "execve", "execveat", "execvp", "execvpe", "fexecve", "popen",
             "posix_spawn", "posix_spawnp", "system"], "names")
    text = subprocess.run(["readelf", "-dlW", w.template], check=True, stdout=subprocess.PIPE).stdout.decode()
    t.ok("NEEDED" not in text and "TEXTREL" not in text and "INTERP" not in text, "no library, no text relocation")
    loads = [line.split() for line in text.splitlines() if line.split()[:1] == ["LOAD"]]
    t.equal((loads[-1][2], loads[-1][6]), ("0x0000000000100000", "R"), "the context's segment is the last")
    t.match(text, r"GNU_STACK .* RW ", "no executable stack")
