"""The environment of everything below brood: [env], env.NAME, env_file; who gets what, and what is refused."""

import os
import signal

from harness import OPTIONS, worker


def facts(t, name):
    return dict(event.what.split("=", 1) for event in t.events if event.name == name and "=" in event.what)


def show(*names):
    return worker(*[f"env:{name}" for name in names], "say:start", "serve")


def expect(t, who, **wanted):
    found = facts(t, who)
    t.equal({name: found.get(name) for name in wanted}, wanted, f"the environment of {who}")


def test_environment_is_set_unset_and_expanded(t):
    brood = t.brood(f"""
        [env]
        ADDED = 1
        REMOVED =
        BARE
        EMPTY = ""
        HOME = /new
        OLD_AND_NEW = ${{HOME}}:${{LATER}}:${{NOBODY}}
        LATER = ${{FIRST}}${{FIRST}}
        PLAIN = $FIRST ${{FIRST $${{FIRST}}
        QUOTED = " it's ${{FIRST}} "
        [worker:a]
        start = {show('ADDED', 'REMOVED', 'BARE', 'EMPTY', 'HOME', 'OLD_AND_NEW', 'LATER', 'PLAIN', 'QUOTED', 'KEPT')}
        """, env={"REMOVED": "x", "BARE": "x", "HOME": "/old", "FIRST": "f", "KEPT": "k", "NOT_EXPANDED": "${FIRST}"})
    t.wait_event("a/0 start")
    brood.stop()
    expect(t, "a/0", ADDED="1", REMOVED="(unset)", BARE="(unset)", EMPTY="", HOME="/new", OLD_AND_NEW="/new::",
           LATER="ff", PLAIN="$FIRST ${FIRST $f", QUOTED=" it's f ", KEPT="k")


def test_environment_file_stands_between_env_and_the_own_variables(t):
    t.file("app.env", "# of the app\nexport A=file\r\nB='it''s'\n".replace("''", "")
           + 'C="${A} \\"q\\""\nD=file\nD=later\nEMPTY=\n; the end\nLAST=no newline')
    brood = t.brood(f"""
        [worker:a]
        start = {show('A', 'B', 'C', 'D', 'EMPTY', 'LAST', 'E', 'OUTER')}
        env.D = own ${{D}}
        env_file = app.env
        env.E = ${{A}} ${{C}}
        env.OUTER
        [worker:b]
        start = {show('A', 'B', 'D')}
        [env]
        A = env
        B = env
        OUTER = env
        """)
    t.wait_event("a/0 start")
    t.wait_event("b/0 start")
    brood.stop()
    expect(t, "a/0", A="file", B="its", C='${A} "q"', D="own later", EMPTY="", LAST="no newline", E='file ${A} "q"',
           OUTER="(unset)")
    expect(t, "b/0", A="env", B="env", D="(unset)")


def test_environment_primary_and_hooks_get_theirs(t):
    t.file("primary.env", "P=file\n")
    names = ("env:A", "env:P", "env:W", "env:WORKER_NAME", "exit:0")
    brood = t.brood(f"""
        [env]
        A = env
        [primary]
        start = {worker('name:start', *names)}
        stop = {worker('name:stop', *names)}
        env_file = primary.env
        env.A = ${{A}}+primary
        [worker:a]
        start = {worker('say:start', 'serve')}
        stop = {worker('name:hook', *names)}
        env.W = own
        env.WORKER_NAME = a lie
        """)
    t.wait_event("a/0 start")
    brood.stop()
    for who in ("start", "stop"):
        expect(t, who, A="env+primary", P="file", W="(unset)", WORKER_NAME="(unset)")
    expect(t, "hook", A="env", P="(unset)", W="own", WORKER_NAME="a")


def test_environment_command_with_a_config_gets_env(t):
    brood = t.brood("""
        [env]
        A = ${B}${B}
        B
        """, command=worker("name:main", "env:A", "env:B", "exit:0").split(), env={"B": "x"})
    brood.ends(0)
    expect(t, "main", A="xx", B="(unset)")


def test_environment_command_without_a_config_gets_what_brood_has(t):
    brood = t.brood(command=worker("name:main", "env:WORKER_ID", "env:A", "exit:0").split(),
                    env={"WORKER_ID": "5", "A": "${B}"})
    brood.ends(0)
    expect(t, "main", WORKER_ID="5", A="${B}")


def test_environment_no_variable_is_there_twice(t):
    brood = t.brood("""
        [env]
        WORKER_ID = 9
        A = 1
        [worker:a]
        start = sh -c 'tr "\\\\0" "\\\\n" </proc/$$/environ | grep -E "^(A|PATH|WORKER_ID)="'
        env.A = 2
        restart = no
        env.WORKER_ID = 8
        """, keep_stdout=True)
    brood.ends(0)
    path = t.environment["PATH"].encode()
    t.equal(sorted(brood.stdout.split()), [b"A=2", b"PATH=" + path, b"WORKER_ID=0"], "the entries")


def test_environment_programs_are_looked_for_on_the_path_of_env(t):
    os.makedirs("bin")
    os.makedirs("own")
    t.files |= {"bin", "own"}
    for directory in ("bin", "own"):
        os.symlink(OPTIONS["programs"] + "/worker", f"{directory}/tool")
    brood = t.brood(f"""
        [env]
        PATH = {t.directory}/bin:${{PATH}}
        [worker:a]
        start = tool env:PATH say:start serve
        [worker:b]
        start = tool env:PATH say:start serve
        env.PATH = {t.directory}/own
        [worker:c]
        start = tool serve
        env.PATH = /nowhere
        restart = no
        on_failure = continue
        """)
    t.wait_event("a/0 start")
    t.wait_event("b/0 start")
    brood.wait_record(r"c/0.* tool")
    brood.stop(signal.SIGTERM, 0)
    expect(t, "a/0", PATH=f"{t.directory}/bin:{t.environment['PATH']}")
    expect(t, "b/0", PATH=f"{t.directory}/own")


# --- what is refused

FAULTY = """
[primary]
start = true
env_file = missing.env
[worker:web]
start = true
gracee = 1s
env_file = bad.env
[worker:jobs]
start = true
env_file = .
env.1A = x
[worker:more]
start = true
env_file = missing.env
[worker:again]
start = true
env_file = bad.env
"""


def faults_of(path):
    remedy = "write the path of a file that brood can read, or remove the line"
    return [
        f"{path}:3: error: [primary] env_file: cannot read missing.env: No such file or directory; {remedy}",
        f'{path}:6: error: [worker:web] gracee: unknown key; did you mean "grace"?',
        "bad.env:2: error: no = in it; write NAME=VALUE, or # before a comment",
        "bad.env:4: error: not a variable's name; write letters, digits and _, no digit first, before the =",
        "bad.env:5: error: a NUL byte, which no variable can hold; remove it",
        "bad.env:6: error: the quote is not closed on this line; close it, or put the whole value into the other kind "
        "of quotes",
        f"{path}:10: error: [worker:jobs] env_file: cannot read .: Is a directory; {remedy}",
        f"{path}:11: error: [worker:jobs] env.1A: not a variable's name; write letters, digits and _, no digit first",
        f"{path}:14: error: [worker:more] env_file: cannot read missing.env: No such file or directory; {remedy}",
    ]


def test_environment_all_faults_come_in_one_pass(t):
    t.file("bad.env", b"A=1\nA\n# fine\n1A=2\nB=x\0y\nC='x\nD=1\n")
    path = t.file("app.ini", FAULTY.lstrip())
    status, out, err = t.run("--check", "-c", path)
    t.equal((status, out.splitlines(), err), (100, faults_of(path), ""), "the check")
    status, out, err = t.run("-c", path)
    t.equal((status, out), (100, ""), "nothing is started")
    lines = err.splitlines()
    t.equal(lines[:-1], faults_of(path), "the same on stderr")
    t.match(lines[-1], r"container: exit 100: .*: 9 errors, nothing was started", "the outcome")


def test_environment_file_alone_that_is_missing_starts_nothing(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'exit:0')}
        env_file = /x
        """)
    brood.ends(100, "1 error, nothing was started")
    brood.has(r"brood\.ini:3: error: \[worker:web\] env_file: cannot read /x: No such file or directory; ", 1)
    t.equal(t.story(), [], "nothing ran")


def test_environment_file_that_is_too_large_is_refused(t):
    line = b"A=" + b"x" * 1021 + b"\n"
    for size, status in ((1024, 0), (1025, 100)):
        t.file("big.env", line * size)
        path = t.file("app.ini", "[worker:a]\nstart = true\nenv_file = big.env\n")
        found, out, _ = t.run("--check", "-c", path)
        t.equal(found, status, f"{size} KiB")
        if status:
            t.equal(out, f"{path}:3: error: [worker:a] env_file: big.env is larger than 1 MiB; surely it is not the "
                         "file that was meant\n", "the fault")
    status, out, _ = t.run("--check", "-c", t.file("app.ini", "[worker:a]\nstart = true\nenv_file = /dev/zero\n"))
    t.equal(status, 100, "no end")


def test_environment_file_can_be_a_pipe_that_two_groups_read(t):
    os.mkfifo("pipe.env")
    t.files.add("pipe.env")
    config = f"""
        [worker:a]
        start = {show('SECRET')}
        env_file = pipe.env
        [worker:b]
        start = {show('SECRET')}
        env_file = pipe.env
        """
    brood = t.brood(config)
    with open("pipe.env", "w", encoding="utf-8") as file:
        file.write("SECRET=s3cret\n")
    t.wait_event("a/0 start")
    t.wait_event("b/0 start")
    brood.stop()
    expect(t, "a/0", SECRET="s3cret")
    expect(t, "b/0", SECRET="s3cret")


def test_environment_values_that_grow_without_end_start_nothing(t):
    doubled = "\n".join(f"V{i + 1} = ${{V{i}}}${{V{i}}}" for i in range(40))
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:0')}
        [env]
        V0 = 0123456789
        {doubled}
        """)
    brood.ends(111, r"\[env\] V14 on line 18 is longer than 131071 bytes once it is expanded")
    t.equal(t.story(), [], "nothing ran")


# --- wraps: what the config alone can say


def test_wraps_in_an_order_that_can_not_work(t):
    module, program = t.file("w.js"), t.file("w.sh", "#!/bin/sh\n", 0o755)
    path = t.file("app.ini", f"[wrap:a]\nwrapper = {module}\n[wrap:b]\nwrapper = {program}\n"
                             "[worker:a]\nstart = true\n")
    status, out, _ = t.run("--check", "-c", path)
    t.equal((status, out), (100, f'{path}:3: error: [wrap:b] an executable can\'t wrap "node" inside of the module of '
                                 "[wrap:a] on line 1; put this section before that one\n"), "the fault")
