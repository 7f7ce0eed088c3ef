"""What is wrapped, and what isn't, by each reach: every way to start a program, measured and compared with the table in
wrap-matrix.expected, which brood-wrap(7) shows.

A cell says `yes`: the wrapper ran, then the version of the program that was meant; `no`: that version ran without it;
`refused`: brood doesn't start. Anything else is told as it is and fails.
"""

import glob
import json
import os
import shutil
import subprocess

from harness import OPTIONS, limit

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(HERE, "wrap-matrix.expected")
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O1"]
REACHES = ["path", "preload", "strict"]
NODE_SCRIPT = """
const processes = require('child_process');
const [tool, script] = process.argv.slice(2);
const silent = { stdio: ['ignore', 'pipe', 'pipe'] };
const here = process.execPath;
const rows = {
  'Node spawn, bare name': () => processes.spawn('tool', [], silent),
  'Node spawn, absolute path': () => processes.spawn(tool, [], silent),
  'Node exec, bare name': () => processes.exec('tool'),
  'Node exec, absolute path': () => processes.exec(tool),
  'Node execFile, bare name': () => processes.execFile('tool'),
  'Node execFile, absolute path': () => processes.execFile(tool),
  'Node spawnSync, bare name': () => processes.spawnSync('tool', [], silent).stdout,
  'Node spawnSync, absolute path': () => processes.spawnSync(tool, [], silent).stdout,
  'Node execSync, bare name': () => processes.execSync('tool'),
  'Node execSync, absolute path': () => processes.execSync(tool),
  'Node execFileSync, bare name': () => processes.execFileSync('tool'),
  'Node execFileSync, absolute path': () => processes.execFileSync(tool),
  'Node fork': () => processes.fork(script, { silent: true }),
  'Node spawn of node': () => processes.spawn('node', [script], silent),
  'Node spawn of process.execPath': () => processes.spawn(here, [script], silent),
  'Node spawnSync of process.execPath': () => processes.spawnSync(here, [script], silent).stdout,
  'Node exec of node by absolute path': () => processes.exec('/usr/bin/node ' + script),
};
const answer = {};
for (const name of Object.keys(rows)) {
  const child = rows[name]();
  answer[name] = '';
  if (Buffer.isBuffer(child)) answer[name] = child.toString();
  else for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { answer[name] += data; });
}
process.on('exit', () => console.log('NODE ' + JSON.stringify(answer)));
"""


class World:
    """Programs of several versions and kinds, what starts them, and the rows: name, what to run, how."""

    def __init__(self, t):
        self.t, self.root = t, t.directory + "/w"
        t.files.add("w")
        for name in ("bin", "two", "later", "applets", "other", "made", "jail/lib"):
            os.makedirs(f"{self.root}/{name}")
        self.tool = f"{self.root}/bin/tool"
        for number, name in enumerate(("bin/tool", "two/tool", "made/tool"), 1):
            self.version(name, number)
        shutil.copy(OPTIONS["programs"] + "/wrapper", self.root)
        os.symlink(self.tool, self.root + "/other/symlink")
        os.link(self.tool, self.root + "/other/hard")
        shutil.copy(self.tool, self.root + "/other/copy")
        for name in ("ipcalc", "crc32", "busybox"):
            os.symlink(shutil.which("busybox"), f"{self.root}/applets/{name}")
        self.compile()
        self.scripts()
        self.search = f"{self.root}/bin:{self.root}/two:{self.root}/applets:/usr/bin:/bin"

    def version(self, name, number):
        with open(OPTIONS["programs"] + "/tool", "rb") as file:
            content = file.read()
        self.t.equal(content.count(b"version=1"), 1, "the number of version marks")
        self.t.file("w/" + name, content.replace(b"version=1", b"version=%d" % number), 0o755)

    def compile(self):
        source = os.path.join(HERE, "programs")
        commands = [["cc", *FLAGS, f"{source}/execs.c", "-o", "glibc"],
                    ["musl-gcc", *FLAGS, f"{source}/execs.c", "-o", "musl"],
                    ["cc", *FLAGS, "-fsanitize=address", f"{source}/execs.c", "-o", "asan"],
                    ["cc", *FLAGS, "-fsanitize=address", f"{source}/tool.c", "-o", "bin/asantool"],
                    ["cc", *FLAGS, f"{source}/tool.c", "-o", "bin/dyntool"],
                    ["musl-gcc", *FLAGS, "-idirafter", "/usr/include", f"{source}/tool.c", "-o", "bin/musltool"]]
        for process in [subprocess.Popen(command, cwd=self.root) for command in commands]:
            self.t.equal(process.wait(), 0, f"status of {process.args}")
        shutil.copy(OPTIONS["programs"] + "/execs", self.root + "/static")
        shutil.copy(self.root + "/glibc", self.root + "/setuid")
        shutil.copy(self.root + "/musl", self.root + "/jail")
        for loader in glob.glob("/lib/ld-musl-*.so.1"):
            shutil.copy(loader, self.root + "/jail/lib")
        os.link(self.tool, self.root + "/jail/tool")
        os.chown(self.root + "/setuid", 65534, 65534)
        os.chmod(self.root + "/setuid", 0o4755)

    def scripts(self):
        self.t.file("w/other/env-script", "#!/usr/bin/env tool\n", 0o755)
        self.t.file("w/other/absolute-script", f"#!{self.tool}\n", 0o755)
        self.t.file("w/bin/launcher", '#!/bin/sh\nexec "$(dirname "$0")/tool" "$@"\n', 0o755)
        self.t.file("w/wrapper.cjs", "module.exports = (wrapper) => {\n"
                    "  require('fs').writeSync(1, 'wrapped\\n');\n  wrapper.runMain();\n};\n")
        self.t.file("w/parent.js", NODE_SCRIPT)
        self.t.file("w/child.js", "console.log('ran version=1');\n")

    def rows(self):
        """(name, words, what else rows.py takes, version that is meant)."""
        tool, root = self.tool, self.root
        bare = {"PATH": f"{root}/bin:/usr/bin:/bin"}
        later = f"{root}/later/tool"
        rows = [
            ("bare name", ["execvp", "tool"], {}, 1),
            ("absolute path", ["execve", tool], {}, 1),
            ("relative path", ["execve", "./tool"], {"directory": root + "/bin"}, 1),
            ("symlink of another name", ["execve", root + "/other/symlink"], {}, 1),
            ("hard link of another name", ["execve", root + "/other/hard"], {}, 1),
            ("copy under another name", ["execve", root + "/other/copy"], {}, 1),
            ("fexecve", ["fexecve", tool], {}, 1),
            ("#!/usr/bin/env", [root + "/other/env-script"], {}, 1),
            ("#! with its absolute path", [root + "/other/absolute-script"], {}, 1),
            ("sh -c, bare name", ["sh", "-c", "tool"], {}, 1),
            ("sh -c, second command, bare name", ["sh", "-c", ": && tool; :"], {}, 1),
            ("sh -c, second command, absolute path", ["sh", "-c", f": && {tool}; :"], {}, 1),
            ("launcher that runs $(dirname $0)/tool", ["launcher"], {}, 1),
            ("absolute path, empty environment", ["clear", "execve", tool], {}, 1),
            ("env -i, absolute path", ["env", "-i", tool], {}, 1),
            ("env -i PATH=..., bare name", ["env", "-i", "PATH=" + bare["PATH"], "tool"], {}, 1),
            ("posix_spawn", ["spawn", tool], {}, 1),
            ("posix_spawnp", ["spawnp", "tool"], {}, 1),
            ("system(), bare name", ["system", "tool"], {}, 1),
            ("system(), absolute path", ["system", tool], {}, 1),
            ("popen(), bare name", ["popen", "tool"], {}, 1),
            ("popen(), absolute path", ["popen", tool], {}, 1),
            ("Python subprocess, bare name", self.python("subprocess.run(['tool'])"), {}, 1),
            ("Python subprocess, absolute path", self.python(f"subprocess.run(['{tool}'])"), {}, 1),
            ("Python os.execv", self.python(f"os.execv('{tool}', ['tool'])"), {}, 1),
            ("Perl system, bare name", ["/usr/bin/perl", "-e", "system 'tool'"], {}, 1),
            ("Perl system, absolute path", ["/usr/bin/perl", "-e", f"system '{tool}'"], {}, 1),
            ("Perl exec, absolute path", ["/usr/bin/perl", "-e", f"exec '{tool}'"], {}, 1),
            ("PATH=DIR:$PATH, another version, bare name", ["execvp", "tool"], {"environment": root + "/two"}, 2),
            ("another version, absolute path", ["execve", root + "/two/tool"], {}, 2),
            ("version that came later, PATH=DIR:$PATH", ["execvp", "tool"],
             {"environment": root + "/later", "make": [root + "/made/tool", later]}, 3),
            ("version that came later, DIR behind the shims",
             ["sh", "-c", f"PATH=${{PATH%%:*}}:{root}/later:/bin tool"], {}, 3),
            ("version that came later, absolute path", ["execve", later], {}, 3),
            ("busybox sh, bare name", ["busybox", "sh", "-c", "tool; :"], {}, 1),
            ("busybox sh, absolute path", ["busybox", "sh", "-c", f"{tool}; :"], {}, 1),
            ("busybox env -i, absolute path", ["busybox", "env", "-i", tool], {}, 1),
            ("parent with ASan, bare name", ["asan", "execvp", "tool"], {}, 1),
            ("parent with ASan, absolute path", ["asan", "execve", tool], {}, 1),
            ("program with ASan, bare name", ["execvp", "asantool"], {}, 1),
            ("program with ASan, absolute path", ["execve", root + "/bin/asantool"], {}, 1),
            ("dynamic program, absolute path", ["execve", root + "/bin/dyntool"], {}, 1),
            ("static parent, bare name", ["static", "execvp", "tool"], {}, 1),
            ("static parent, absolute path", ["static", "execve", tool], {}, 1),
            ("static parent, hard link of another name", ["static", "execve", root + "/other/hard"], {}, 1),
            ("static parent, empty environment", ["static", "clear", "execve", tool], {}, 1),
            ("static parent, version that came later", ["static", "execve", later], {}, 3),
            ("other uid, bare name", [*self.nobody(), "tool"], {}, 1),
            ("other uid, absolute path", [*self.nobody(), tool], {}, 1),
            ("setuid parent, bare name", ["setuid", "execvp", "tool"], {}, 1),
            ("setuid parent, absolute path", ["setuid", "execve", tool], {}, 1),
            ("chroot without the library", ["/usr/sbin/chroot", root + "/jail", "/musl", "execve", "/tool"], {}, 1),
            ("musl parent, bare name", ["musl", "execvp", "tool"], {}, 1),
            ("musl parent, absolute path", ["musl", "execve", tool], {}, 1),
            ("musl parent, empty environment", ["musl", "clear", "execve", tool], {}, 1),
            ("musl program, bare name", ["execvp", "musltool"], {}, 1),
            ("musl program, absolute path", ["execve", root + "/bin/musltool"], {}, 1),
        ]
        return [(name, self.command(words), more, version) for name, words, more, version in rows]

    def command(self, words):
        """A way of execs.c is run by the one for glibc; its other builds are named."""
        if words[0] in ("asan", "static", "setuid", "musl"):
            return [f"{self.root}/{words[0]}", *words[1:]]
        ways = ("execvp", "execve", "fexecve", "clear", "spawn", "spawnp", "system", "popen")
        return [self.root + "/glibc", *words] if words[0] in ways else words

    def python(self, text):
        return ["/usr/bin/python3", "-c", "import os, subprocess; " + text]

    def nobody(self):
        return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    # One file for several programs: what can't be had with reach = strict.
    def applets(self):
        root = self.root + "/applets"
        mask = "NETMASK=255.0.0.0"
        ways = [("busybox applet, bare name", ["ipcalc", "-m", "10.0.0.1"], mask),
                ("busybox applet, absolute path", [root + "/ipcalc", "-m", "10.0.0.1"], mask),
                ("another applet of that file", [root + "/crc32", "/dev/null"], "00000000 /dev/null"),
                ("busybox APPLET", ["busybox", "ipcalc", "-m", "10.0.0.1"], mask)]
        return [(name, ["/usr/bin/env", *words], {}, text) for name, words, text in ways]

    def config(self, reach, applets):
        more = f"""
            [wrap:applet]
            programs = ipcalc
            wrapper = {self.root}/wrapper
            reach = {reach}
            """
        return f"""
            [wrap:tool]
            programs = tool, asantool, dyntool, musltool
            wrapper = {self.root}/wrapper
            reach = {reach}
            [wrap:node]
            wrapper = {self.root}/wrapper.cjs
            reach = {reach}
            """ + (more if applets else "")


def cell(text, ran):
    text = text.strip()
    return {ran: "no", f"wrapped\n{ran}": "yes"}.get(text, text.replace("\n", "|") or "nothing")


def protect_the_machine(t):
    """reach = strict binds over /usr/bin/node in brood's own mount namespace. A rename is made impossible."""
    for words in (["mount", "-n", "--bind", "/usr", "/usr"], ["mount", "-n", "-o", "remount,bind,ro", "/usr"]):
        t.equal(subprocess.run(words, check=False).returncode, 0, f"status of {words}")


def measure(t, w, reach):
    """{row: cell}."""
    applets = reach != "strict"
    rows = w.rows() + (w.applets() if applets else [])
    given = [dict(more, name=name, words=words) for name, words, more, _ in rows]
    given.append({"name": "node", "words": ["node", w.root + "/parent.js", w.tool, w.root + "/child.js"]})
    t.file("rows.json", json.dumps(given))
    program = f"/usr/bin/python3 {HERE}/programs/rows.py rows.json && exec {OPTIONS['programs']}/pause"
    brood = t.brood(w.config(reach, applets), command=["sh", "-c", program], env={"PATH": w.search}, keep_stdout=True)
    t.pump(lambda: brood.process.poll() is not None or (b"ANSWER " in brood.stdout and brood.stdout.endswith(b"}\n")),
           "all rows", 25)
    t.ok(b"ANSWER " in brood.stdout, "rows.py came to its end")
    answer = json.loads(brood.stdout.split(b"ANSWER ")[1])
    cells = {name: cell(answer[name], version if isinstance(version, str) else f"ran version={version}")
             for name, _, _, version in rows}
    if not applets:
        cells |= {name: "refused" for name, _, _, _ in w.applets()}
    t.ok("NODE " in answer["node"], f"the rows of node: {answer['node']}")
    for name, text in json.loads(answer["node"].split("NODE ")[1]).items():
        cells[name] = cell(text, "ran version=1")
    for name, path in (("docker exec, bare name", "tool"), ("docker exec, absolute path", w.tool)):
        done = subprocess.run(["nsenter", "--target", str(brood.pid), "--pid", "--mount", path], cwd="/",
                              env={"PATH": w.search}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        cells[name] = cell(done.stdout.decode(), "ran version=1")
    brood.stop(status=143)
    os.unlink(w.root + "/later/tool")
    return cells


def refuses_applets(t, w):
    brood = t.brood(w.config("strict", True), env={"PATH": w.search}, command=["true"])
    t.equal(brood.wait(), 100, "status: strict for one of several programs in a file")
    brood.has(rf"brood.ini:\d+: error: \[wrap:applet\] reach: {w.root}/applets/ipcalc is ")


@limit(60)
def test_wrap_matrix(t):
    protect_the_machine(t)
    w = World(t)
    measured = {reach: measure(t, w, reach) for reach in REACHES}
    refuses_applets(t, w)
    width = max(len(name) for name in measured["path"]) + 2
    lines = [f"{'':{width}}" + "".join(f"{reach:9}" for reach in REACHES)]
    lines += [f"{name:{width}}" + "".join(f"{measured[reach][name]:9}" for reach in REACHES)
              for name in measured["path"]]
    lines = [line.rstrip() for line in lines]
    print("\n".join(lines))
    with open(EXPECTED, encoding="utf-8") as file:
        expected = file.read().splitlines()
    wrong = [f"measured: {line}" for line in lines if line not in expected]
    wrong += [f"expected: {line}" for line in expected if line not in lines]
    t.equal(wrong, [], "cells that are not as in wrap-matrix.expected")
    t.equal(lines, expected, "the order of rows")
