"""Wrapping: what runs around a program, in which order, what it is told, and what can't be done. Where shims lie is in
test_wrap_places.py, what is in the environment in test_wrap_environment.py, reach = strict in test_wrap_strict.py, each
way to start a program in test_wrap_matrix.py.
"""

import os
import shutil

from harness import OPTIONS, now_ms, worker
from wrapping import RAN, Wrapping, only_directory

FIELDS = "MAIN", "DATA", "PROGRAM", "KEY", "INSIDE", "TOLD"
SHOW = "".join(f'echo "{name}=$SPAWN_WRAP_{name}"\n' for name in FIELDS)
CHILD = "w.context.deps.foregroundChild(process.execPath, w.args);"
TOOL = "[wrap:a]\nprograms = tool\nwrapper = a\n"


def test_wrap_order(t):
    """The first section is the outermost; executables around modules, own processes around the same one."""
    w = Wrapping(t)
    for name in ("a", "b", "c"):
        w.script(name)
    w.module("no.cjs", CHILD)
    w.module("yes.cjs")
    w.module("last.cjs")
    script = t.file("main.js", "console.log('main', process.argv.slice(2).join('+'), process.execPath);\n")
    w.prints("""
        [wrap:one]
        programs = other, tool
        wrapper = a
        [wrap:two]
        programs = tool
        wrapper = b
        [wrap:three]
        programs = other
        wrapper = c
        """, ["tool"], "a b", RAN)
    w.prints("""
        [wrap:1]
        wrapper = b
        [wrap:2]
        wrapper = a
        [wrap:3]
        wrapper = no.cjs
        same_process = no
        [wrap:4]
        wrapper = yes.cjs
        [wrap:5]
        wrapper = last.cjs
        """, ["node", script, "x", "-e"], "b a no.cjs yes.cjs last.cjs main x+-e /usr/bin/node")


def test_wrap_order_that_cannot_be(t):
    w = Wrapping(t)
    w.script("a")
    w.module("no.cjs")
    for outer, inner, more in (("no.cjs", "a", ""), ("no.cjs", "no.cjs", "same_process = no")):
        config = f"""
            [wrap:1]
            wrapper = {outer}
            [wrap:2]
            wrapper = {inner}
            {more}
            """
        w.refuses(config, 100, r"brood.ini:\d+: error: \[wrap:.\] ")
    # One names the program, the other one its file.
    config = "[wrap:1]\nprograms = {}\nwrapper = no.cjs\n{}[wrap:2]\nprograms = {}\nwrapper = {}\n{}".format
    for outer, inner in (("node", "/usr/bin/node"), ("/usr/bin/node", "node")):
        w.refuses(config(outer, "", inner, "a", ""), 100, r"brood.ini:4: error: \[wrap:2\] an executable can't wrap "
                  r"/usr/bin/node inside of the module of \[wrap:1\]; put")
        w.refuses(config(outer, "", inner, "no.cjs", "same_process = no\n"), 100,
                  r"brood.ini:4: error: \[wrap:2\] same_process = no can't wrap /usr/bin/node inside of \[wrap:1\]")
        apart = config(outer, "workers = main\n", inner, "a", "workers = other\n[worker:other]\nstart = node -v\n")
        t.equal(t.run("--check", "-c", t.config(apart), "--", "node")[0], 0, "they never meet")
    w.refuses("""
        [wrap:1]
        programs = tool
        wrapper = no.cjs
        """, 100, r'brood.ini:\d+: error: \[wrap:1\] programs: "tool" is not node')


def test_wrap_which_arguments_of_node(t):
    """In node's own process what has no main module isn't wrapped; everything else always."""
    w = Wrapping(t)
    w.script("a")
    w.module("yes.cjs")
    w.module("no.cjs", CHILD)
    script = t.file("main.js", "console.log('main');\n")
    config = "[wrap:1]\nwrapper = {}\nsame_process = {}\n".format
    for words, output in ((["-e", "console.log('main')"], "main"), (["-p", "'main'"], "main"), (["-c", script], ""),
                          (["-r", script, "-p", "1"], "main 1")):
        w.prints(config("yes.cjs", "yes"), ["node", *words], output)
        w.prints(config("no.cjs", "no"), ["node", *words], "no.cjs " + output)
        w.prints(config("a", "yes"), ["node", *words], "a " + output)
    for words in (["--no-warnings", script], ["-r", script, script], ["--conditions", "x", "--", script]):
        w.prints(config("yes.cjs", "yes"), ["node", *words], "main yes.cjs main" if "-r" in words else "yes.cjs main")


def test_wrap_workers(t):
    """Each group sees the wraps that are for it, the primary and `main` too."""
    w = Wrapping(t)
    for name in ("a", "b", "c"):
        w.script(name)
    sections = """
        [wrap:a]
        programs = tool
        wrapper = a
        workers = one, main
        [wrap:b]
        programs = tool
        wrapper = b
        [wrap:c]
        programs = tool
        wrapper = c
        workers = one, two
        """
    groups = "".join(f"\n[worker:{name}]\nstart = sh -c 'tool >{t.directory}/{name}.txt'\n" for name in ("one", "two"))
    t.files |= {"one.txt", "two.txt", "primary.txt"}
    primary = f"\n[primary]\nstart = sh -c 'tool >{t.directory}/primary.txt'\n"
    until = "until grep -q ran one.txt && grep -q ran two.txt; do :; done"
    w.prints(sections + groups + primary, ["sh", "-c", f"{until}; {w.tool}"], "a b", RAN)
    for name, wanted in (("one", "a b c"), ("two", "b c"), ("primary", "b")):
        with open(name + ".txt", encoding="utf-8") as file:
            t.equal(file.read().split(), (wanted + " " + RAN).split(), name)


def test_wrap_workers_that_are_not_wrapped(t):
    """Nothing is in the environment of a group without wraps."""
    w = Wrapping(t)
    w.script("a")
    w.prints(TOOL + f"workers = other\n[worker:other]\nstart = {OPTIONS['programs']}/pause\n",
             ["sh", "-c", "tool; echo $PATH; echo ${LD_PRELOAD-none}"], RAN, w.search, "none")


def test_wrap_hooks_and_primary(t):
    """By any path, under reach = preload; under path only by name."""
    w = Wrapping(t)
    t.file("a", f'#!/bin/sh\necho "wrapped $*" >>{t.directory}/log\nexec "$SPAWN_WRAP_MAIN" "$@"\n', 0o755)
    t.files.add("log")
    for reach, wanted in (("preload", "primary hook worker stop"), ("path", "stop")):
        t.file("log")
        w.run(f"""
            [wrap:a]
            programs = tool
            wrapper = a
            reach = {reach}
            [primary]
            start = {w.tool} primary
            stop = tool stop
            [worker:one]
            start = {w.tool} worker
            stop = {w.tool} hook
            """)
        with open("log", encoding="utf-8") as file:
            told = [line.removeprefix("wrapped ") for line in file.read().splitlines()]
        t.equal(sorted(told), sorted(wanted.split()), reach)


def test_wrap_command(t):
    w = Wrapping(t)
    w.script("a")
    os.symlink("tool", w.bin + "/link")
    for reach, by_path in (("path", RAN), ("preload", "a " + RAN)):
        config = TOOL + f"reach = {reach}\n"
        w.prints(config, ["tool"], "a", RAN)
        for words in ([w.tool], ["bin/tool"], [w.bin + "/link"]):
            w.prints(config, words, by_path)


def test_wrap_absolute_program(t):
    """An absolute path in `programs` is that file alone."""
    w = Wrapping(t)
    w.script("a")
    w.directory("two")
    second = w.copy("tool", "two/tool", version=2)
    config = f"[wrap:a]\nprograms = {second}\nwrapper = a\n"
    w.prints(config, [second], "a ran version=2")
    w.prints(config, ["tool"], RAN)
    w.prints(config, ["sh", "-c", "PATH=$PWD/two:$PATH tool"], "a ran version=2")
    w.prints(config + "reach = path\n", ["sh", "-c", f"{second}; tool"], "ran version=2", RAN)


def test_wrap_what_a_wrapper_is_told(t):
    """And the program is told nothing of it."""
    w = Wrapping(t)
    w.script("a", SHOW + 'exec "$SPAWN_WRAP_MAIN" "$@"')
    data = '{"foo": ["b a", 1, null, "\\u00e9 \'$HOME\' ; # \\""]}'
    variables = "sh -c 'tool facts; env | grep SPAWN_WRAP; echo end'"
    for line, wanted in (("", "{}"), (f"data = {data}", data)):
        brood = w.start(TOOL + line + "\n", "sh", "-c", f"ls /run/brood; {variables}", env={"SPAWN_WRAP_OWN": "user's"})
        t.equal(brood.wait(), 0, "status")
        text = brood.stdout.decode()
        key = text.split("\n", 1)[0].removeprefix("brood-")
        told = dict(line.split("=", 1) for line in text.split("\n") if line.split("=")[0] in FIELDS)
        t.equal((told["DATA"], told["PROGRAM"], told["KEY"]), (wanted, "tool", key), "what the wrapper is told")
        t.match(told["MAIN"], rf"^/run/brood/brood-{key}/.*/tool$", "MAIN")
        rest = text[text.index("argc"):]
        names = {line.split("=")[0].removeprefix("env ") for line in rest.split("\n") if "SPAWN_WRAP_" in line}
        t.equal(names, {"SPAWN_WRAP_OWN"}, "what the program is told, and whoever comes after it")
    # The program may be a script, and the interpreter of others: told are its arguments as the kernel gives them.
    w.script("a", 'echo "$#"; exec "$SPAWN_WRAP_MAIN" "$@"')
    w.directory("later")
    for place in ("bin", "later"):
        t.file(f"{place}/interpreter", "#!/bin/sh\necho $*\n", 0o755)
        t.file("uses", f"#!{t.directory}/{place}/interpreter -x\n", 0o755)
        t.file("nested", f"#!{t.directory}/uses\n", 0o755)
        config = "[wrap:a]\nprograms = interpreter\nwrapper = a\n"
        w.prints(config, ["sh", "-c", "./uses 1; :"], "a 3 -x ./uses 1")
        w.prints(config, ["./nested", "1"], f"a 4 -x {t.directory}/uses ./nested 1")


def test_wrap_mock(t):
    """A program that isn't there can be played; its wrapper can't run it."""
    w = Wrapping(t)
    w.script("mock", "exit 5")
    w.script("wrapper", '"$SPAWN_WRAP_MAIN"; echo "status=$?"')
    config = "[wrap:a]\nprograms = nosuch\nwrapper = {}\n".format
    for reach in ("path", "preload"):
        brood = w.prints(config("mock") + f"reach = {reach}\n", ["nosuch"], "mock", status=5)
        brood.has(r"warning: .*nosuch", count=1)
        brood = w.prints(config("wrapper") + f"reach = {reach}\n", ["sh", "-c", "nosuch"], "wrapper status=127")
        brood.has(r"^brood: error: nosuch: no such program")


def test_wrap_real_file_is_gone(t):
    w = Wrapping(t)
    w.script("a")
    brood = w.prints(TOOL, ["sh", "-c", "rm bin/tool; tool; echo status=$?"], "a status=127")
    brood.has(rf"^brood: error: tool: {w.tool}: not found$")


def test_wrap_real_file_is_a_shim(t):
    """A copy of the shim in the program's place would execute itself for ever."""
    w = Wrapping(t)
    w.script("a")
    w.module("yes.cjs")
    for source in ("bin/tool", "main/1/0/tool", "main/1/1/tool"):
        shutil.copy(OPTIONS["programs"] + "/tool", w.tool)
        begin = now_ms()
        brood = w.prints(TOOL, ["sh", "-c", f"cp /run/brood/brood-*/0/{source} bin/tool; tool; echo status=$?"],
                         "a status=111")
        brood.has(rf"^brood: error: tool: {w.tool} is a shim itself: ")
        t.between(now_ms() - begin, 0, 5000, "it is found out, not tried for ever")


def test_wrap_by_name_within_its_wrapper(t):
    """No fork bomb, but a line that says what to write."""
    w = Wrapping(t)
    w.script("plain", 'tool; echo "status=$?"')
    w.script("indirect", 'sh -c "env tool"; echo "status=$?"')
    w.script("execs", "exec tool")
    t.file("a.py", "#!/usr/bin/python3\nimport subprocess\nprint('status=%d' % subprocess.call(['tool']))\n", 0o755)
    for name in ("plain", "indirect", "execs", "a.py"):
        brood = w.start(f"[wrap:a]\nprograms = tool\nwrapper = {name}\n", "tool")
        t.equal(brood.wait(), 111 if name == "execs" else 0, "status")
        wanted = {"execs": "execs", "a.py": "status=111"}.get(name, f"{name} status=111")
        t.equal(brood.stdout.decode().split(), wanted.split(), "output")
        brood.has(rf"^brood: error: tool: run by name inside its own wrapper {t.directory}/{name}, .*\$SPAWN_WRAP_MAIN",
                  count=1)
    module = ("const {{ spawnSync }} = require('child_process');\n"
              "console.log(spawnSync({}, ['main.js'], {{ stdio: ['ignore', 1, 2] }}).status);\nw.runMain();").format
    t.file("main.js", "console.log('main');\n")
    for reach in ("path", "preload"):
        config = f"[wrap:a]\nwrapper = yes.cjs\nreach = {reach}\n"
        w.module("yes.cjs", module("'node'"))
        brood = w.prints(config, ["node", "main.js"], "yes.cjs 111 main")
        brood.has(r"^brood: error: node: run by name inside its own wrapper .*execute context.root.execPath", count=1)
        w.module("yes.cjs", module("w.context.root.execPath"))
        w.prints(config, ["node", "main.js"], "yes.cjs main 0 main")
    # By way of another program's wrapper, too.
    w.copy("tool", "bin/other", version=2)
    w.script("a", 'other; echo "status=$?"')
    w.script("b", "exec timeout 5 tool")
    both = TOOL + "[wrap:b]\nprograms = other\nwrapper = b\n"
    w.prints(both, ["tool"], "a b status=111").has(r"tool: run by name inside its own wrapper", count=1)
    # By its file it is meant as it is.
    w.script("file", f"{w.tool}; exec {w.tool}")
    w.prints("[wrap:a]\nprograms = tool\nwrapper = file\n", ["tool"], "file", RAN, RAN)
    w.script("a", 'other; exec "$SPAWN_WRAP_MAIN"')
    w.script("b", f"exec {w.tool}")
    w.prints(both, ["tool"], "a b", RAN, RAN)


def test_wrap_inside_of_another_program(t):
    """A wrapper's other programs are wrapped like all; what one wrapper was told isn't mixed up with the other's."""
    w = Wrapping(t)
    w.copy("tool", "bin/other", version=2)
    w.script("a", 'other; exec "$SPAWN_WRAP_MAIN"')
    w.script("b", 'echo "$SPAWN_WRAP_PROGRAM"; exec "$SPAWN_WRAP_MAIN"')
    w.prints(TOOL + "[wrap:b]\nprograms = other\nwrapper = b\n", ["tool"], "a b other ran version=2", RAN)
    w.script("a", 'exec env -i "$SPAWN_WRAP_MAIN"')
    w.prints(TOOL, ["tool"], "a", RAN)


def test_wrap_node_by_a_script_of_node(t):
    """A wrapper's own interpreter is the real one."""
    w = Wrapping(t)
    script = t.file("main.js", "console.log('main');\n")
    body = ("const { spawnSync } = require('child_process');\nconst words = process.argv.slice(2);\n"
            "console.log('wrapper', words.join('+'));\n"
            "process.exit(spawnSync(process.env.SPAWN_WRAP_MAIN, words, { stdio: 'inherit' }).status);\n")
    for first in ("#!/usr/bin/env node", "#!/usr/bin/node", "#!/usr/bin/env -S node --no-warnings"):
        t.file("wrapper", f"{first}\n{body}", 0o755)
        for reach in ("path", "preload"):
            config = f"[wrap:a]\nwrapper = wrapper\nreach = {reach}\n"
            w.prints(config, ["node", script, "x"], f"wrapper {script}+x main")


def test_wrap_nested_broods(t):
    """Both wrap, the outer around the inner; each removes its own directory."""
    w = Wrapping(t)
    w.script("a")
    w.script("b")
    for reach in ("path", "preload"):
        inner = t.file("inner.ini", f"[wrap:b]\nprograms = tool\nwrapper = b\nreach = {reach}\n")
        config = TOOL + f"reach = {reach}\n"
        brood = w.prints(config, [OPTIONS["brood"], "-c", inner, "--", "sh", "-c", "tool; ls /run/brood | wc -l"],
                         "b a", RAN, "2")
        brood.has_not("error")
    # An exec of the file itself is turned by one library, the first: of the outer brood, unless the inner one is
    # sanitized and so has left it behind.
    got = w.run(TOOL, OPTIONS["brood"], "-c", inner, "--", "env", "-i", w.tool)
    t.ok(got in (["a", *RAN.split()], ["b", *RAN.split()]), f"by its path one brood wraps: {got}")


def test_wrap_wrapper_that_cannot_be_used(t):
    w = Wrapping(t)
    t.file("plain", "#!/bin/sh\n")
    w.directory("wrapper.d")
    for name, why in (("missing", "No such file"), ("plain", "not executable"), ("wrapper.d", "not a regular file"),
                      ("missing.cjs", "No such file")):
        config = f"[env]\nA = 1\n[wrap:a]\nprograms = node\nwrapper = {name}\n"
        pattern = rf"{t.directory}/brood.ini:5: error: \[wrap:a\] wrapper: {t.directory}/{name}: .*{why}"
        w.refuses(config, 100, pattern)
        status, text, _ = t.run("--check", "-c", t.config(config))
        t.equal(status, 100, "status of --check")
        t.match(text, pattern, "--check")
    w.script("a")
    w.refuses(TOOL + f'data = "{"x" * 131072}"\n', 100, r"brood.ini:4: error: \[wrap:a\] data: 131074 bytes, of at most")
    t.equal(t.run("--check", "-c", t.config(TOOL), "--", "tool")[0], 0, "a good one")


def test_wrap_debug(t):
    """Says what shims do, and keeps the directory; only 1 means it."""
    w = Wrapping(t)
    w.script("a")
    brood = w.prints(TOOL, ["tool"], "a", RAN, env={"SPAWN_WRAP_DEBUG": "1"})
    brood.has(r"^brood-shim: tool: under .*/a$", count=1)
    brood.has(rf"^brood-shim: tool: executes {w.tool}$", count=1)
    kept = only_directory()
    t.ok(os.access(kept + "/0/bin/tool", os.X_OK), "the shims are kept")
    w.prints(TOOL, ["tool"], "a", RAN, env={"SPAWN_WRAP_DEBUG": "yes"}).has_not("shim:")
    t.ok(not os.path.exists(kept), "and are a dead brood's for the next one")
    os.rmdir("/run/brood")


def test_wrap_many_processes(t):
    """A worker's tree, all at once: each is wrapped once."""
    w = Wrapping(t)
    w.script("a")
    got = w.run(TOOL, "sh", "-c", f"for i in $(seq 100); do tool & {w.tool} & env -i {w.tool} & done; wait")
    t.equal((got.count("a"), got.count("ran"), len(got)), (300, 300, 900), "wrappers, programs and words")


def test_wrap_restarted_worker(t):
    """What a config's worker is wrapped by doesn't wear out."""
    w = Wrapping(t)
    t.file("a", f'#!/bin/sh\nexec {worker("name:wrapper", "say:ran", "exit:1")}\n', 0o755)
    brood = t.brood(f"""
        [wrap:a]
        programs = tool
        wrapper = a
        [worker:web]
        start = {w.tool}
        restart_delay = 1ms..2ms
        restart_limit = 3/1m
        """)
    brood.ends(1, "web/0")
    t.equal(len(t.told("wrapper ran")), 4, "runs")
