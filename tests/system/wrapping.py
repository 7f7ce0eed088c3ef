"""What tests of wrapping share: a program of their own, wrappers that say who they are, a brood around a command."""

import os
import shutil

from harness import OPTIONS, Failure

RAN = "ran version=1"
NOBODY = 65534


class Wrapping:
    """bin/tool on PATH, and wrappers in the test's directory."""

    def __init__(self, t):
        self.t = t
        self.bin = self.directory("bin")
        self.tool = self.copy("tool", "bin/tool")
        self.search = f"{self.bin}:/usr/bin:/bin"
        t.environment["PATH"] = self.search

    def directory(self, name, mode=0o755):
        path = os.path.join(self.t.directory, name)
        os.makedirs(path)
        os.chmod(path, mode)
        self.t.files.add(name.split("/")[0])
        return path

    def copy(self, program, name, version=1):
        """One of programs/, of another version too."""
        path = os.path.join(self.t.directory, name)
        shutil.copy(os.path.join(OPTIONS["programs"], program), path)
        self.t.files.add(name.split("/")[0])
        if version != 1:
            with open(path, "r+b") as file:
                content = file.read().replace(b"version=1", b"version=%d" % version)
                file.seek(0)
                file.write(content)
        return path

    def script(self, name, body='exec "$SPAWN_WRAP_MAIN" "$@"', first="#!/bin/sh"):
        """A wrapper that says its name, then does this."""
        return self.t.file(name, f"{first}\necho {name}\n{body}\n", 0o755)

    def module(self, name, body="w.runMain();"):
        say = f"require('fs').writeSync(1, '{name}\\n');"
        return self.t.file(name, f"module.exports = (w) => {{\n  {say}\n  {body}\n}};\n")

    def start(self, config, *command, **keywords):
        return self.t.brood(config, *keywords.pop("options", ()), command=command or None, keep_stdout=True, **keywords)

    def run(self, config, *command, status=0, **keywords):
        """What the command printed, as words; brood is the last of t.broods."""
        brood = self.start(config, *command, **keywords)
        self.t.equal(brood.wait(), status, f"status of {' '.join(command)}")
        return brood.stdout.decode().split()

    def prints(self, config, command, *wanted, **keywords):
        got = self.run(config, *command, **keywords)
        self.t.equal(got, " ".join(wanted).split(), f"what {' '.join(command)} prints")
        return self.t.broods[-1]

    def refuses(self, config, status, pattern, *command, **keywords):
        """Nothing is started, and nothing is left in any place for shims."""
        got = self.run(config, *(command or ["tool"]), status=status, **keywords)
        self.t.equal(got, [], "nothing was started")
        self.t.broods[-1].has(pattern)
        self.t.equal(shim_directories(), [], "no directory is left")
        return self.t.broods[-1]


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def shim_directories(roots=("/run/brood", "/dev/shm", "/tmp")):
    return [os.path.join(root, name) for root in roots if os.path.isdir(root) for name in os.listdir(root)
            if name.startswith("brood-")]


def only_directory(*roots):
    found = shim_directories(roots) if roots else shim_directories()
    if len(found) != 1:
        raise Failure(f"one shim directory expected: {found}")
    return found[0]
