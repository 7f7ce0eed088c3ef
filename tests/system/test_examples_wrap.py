"""The examples of wrapping do what they say: each is run as it is, in a copy of its directory."""

import os
import re
import shutil
import signal

from harness import DIRECTORY, OPTIONS, Failure, limit
from test_examples import get

REAL_NODE = "/usr/bin/node"


def example(t, name):
    """A copy of examples/NAME, for the examples that write beside themselves; returns its path."""
    t.files.add(name)
    return shutil.copytree(f"{OPTIONS['root']}/examples/{name}", f"{DIRECTORY}/{name}", symlinks=True,
                           ignore=shutil.ignore_patterns("node_modules", "coverage"))


def start(t, directory, *options, config="brood.ini", **keywords):
    os.makedirs("home", exist_ok=True)
    t.files.add("home")
    return t.brood(config, "--quiet", *options, cwd=directory, env={"HOME": f"{DIRECTORY}/home"}, keep_stdout=True,
                   **keywords)


def lines(brood):
    return brood.stdout.decode().splitlines()


def modules_of(name):
    """The packages of an example's lock file, which `make system` installs below the build directory."""
    build = os.path.dirname(OPTIONS["brood"])
    for directory in (build, os.path.dirname(build)):
        modules = f"{directory}/examples/{name}/node_modules"
        if os.path.isdir(modules):
            return modules
    raise Failure(f"no {build}/examples/{name}/node_modules: examples/{name} is installed by `make system`")


def counts(lcov):
    """{file: {line: how often it ran}} of an lcov tracefile, see geninfo(1)."""
    found, current = {}, {}
    for line in lcov.splitlines():
        if line.startswith("SF:"):
            current = found.setdefault(os.path.basename(line[3:]), {})
        elif line.startswith("DA:"):
            number, count = line[3:].split(",")[:2]
            current[int(number)] = int(count)
    return found


def line_of(path, text):
    """The number of the one line that has this text in it."""
    with open(path, encoding="utf-8") as file:
        found = [number for number, line in enumerate(file, 1) if text in line]
    if len(found) != 1:
        raise Failure(f"{path}: {len(found)} lines with {text!r}")
    return found[0]


# --- wrap-env


def without_wrap(t, directory):
    """The config of an example as it is above its first [wrap:...]."""
    with open(f"{directory}/brood.ini", encoding="utf-8") as file:
        text = file.read()
    t.ok("\n[wrap:" in text, "the example has a wrap")
    with open(f"{directory}/unwrapped.ini", "w", encoding="utf-8") as file:
        file.write(text[: text.index("\n[wrap:") + 1])
    return "unwrapped.ini"


@limit(60)
def test_example_wrap_env(t):
    t.ok(os.access(REAL_NODE, os.X_OK), f"{REAL_NODE} isn't there: this example is about Debian's nodejs")
    directory = example(t, "wrap-env")
    brood = start(t, directory).ends(0)
    t.equal(lines(brood), ["FOO is bar"], "what the main module sees")
    brood = start(t, directory, config=without_wrap(t, directory)).ends(0)
    t.equal(lines(brood), ["FOO is undefined"], "what it sees without the wrap")


@limit(60)
def test_example_wrap_env_in_the_sandbox(t):
    """As the comment in its config has it."""
    t.ok(os.access(REAL_NODE, os.X_OK), f"{REAL_NODE} isn't there: this example is about Debian's nodejs")
    brood = start(t, example(t, "wrap-env"), "--sandbox", mode="child").ends(0)
    t.equal(lines(brood), ["FOO is bar"], "what the main module sees")


# --- wrap-coverage


@limit(90)
def test_example_wrap_coverage(t):
    directory = example(t, "wrap-coverage")
    os.symlink(modules_of("wrap-coverage"), f"{directory}/node_modules")
    brood = start(t, directory)
    answer = t.poll(lambda: get(8082), "an answer of the service")
    t.equal(answer, (200, "forked\nwithout an environment\n"), "what the children say")
    brood.stop(signal.SIGTERM, 0, patience=20)
    with open(f"{directory}/coverage/lcov.info", encoding="utf-8") as file:
        found = counts(file.read())
    t.equal(sorted(found), ["alone.js", "forked.js", "server.js"], "files in the report")
    for name, ran, never in (("server.js", "server.listen(", "nobody calls this"),
                             ("forked.js", "return 'forked'", "'not a child'"),
                             ("alone.js", "'without an environment'", "'with an environment'")):
        path = f"{directory}/{name}"
        t.ok(found[name][line_of(path, ran)] > 0, f"{name} ran")
        t.equal(found[name][line_of(path, never)], 0, f"{name}: how often what never runs has run")
    for name in found:
        t.ok(any(re.match(rf" *{re.escape(name)} +\|", line) for line in lines(brood)), f"{name} is in the table")


# --- wrap-mock


@limit(60)
def test_example_wrap_mock(t):
    brood = start(t, example(t, "wrap-mock")).ends(0)
    said = lines(brood)
    t.equal(len(said), 4, f"lines of the release: {said}")
    t.equal(said[0], "fake git: not pushed: git push origin main", "by name")
    t.match(said[1], r"^fake git: not pushed: git -C /tmp/tmp\.\w+ push --tags$", "by its path, without an environment")
    t.equal(said[2], "fake git: not pushed: git push --tags", "by its path")
    t.equal(said[3], "Version 1.0, HEAD -> main, tag: v1.0", "what the real git was asked for")
    t.equal(brood.text(), [], "what went wrong; git runs itself by another path, too")


# --- wrap-python


@limit(60)
def test_example_wrap_python(t):
    directory = example(t, "wrap-python")
    brood = start(t, directory).ends(0)
    said = lines(brood)
    t.equal(said[:2], ["child of a subprocess", "child of a shell"], "what the children say")
    report = {line.split()[0]: line.split()[4:] for line in said[2:] if line.split()[0].endswith(".py")}
    never = [str(line_of(f"{directory}/app.py", text)) for text in ('print("nobody calls', "    never()")]
    child = [str(line_of(f"{directory}/child.py", "nobody's child"))]
    t.equal({os.path.basename(name): [text.rstrip(",") for text in missing] for name, missing in report.items()},
            {"app.py": never, "child.py": child}, "lines that never ran")
