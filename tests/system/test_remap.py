"""--remap and $BROOD_REMAP: another exit status in place of one; brood's own 100, 111, 126 and 127 stay."""

import os
import signal

from harness import children_of, worker, worker_argv


def status_of(t, *options, command, **keywords):
    return t.brood(None, *options, command=command, **keywords).wait()


def test_remap_of_an_exit_status(t):
    command = ["sh", "-c", "exit 3"]
    for options, status in ((["-e", "3"], 0), (["--remap", "3:9"], 9), (["-e3:9", "-e", "9:1"], 9), (["-e", "4:9"], 3),
                            (["-e", "3:1", "-e", "3:2"], 2), (["-e", "0:7"], 3)):
        t.equal(status_of(t, *options, command=command), status, f"with {options}")
    t.equal(status_of(t, "-e", "0:7", command=["true"]), 7, "of a success")


def test_remap_of_a_death_and_of_a_stop(t):
    t.equal(status_of(t, "-e", "137:0", command=worker_argv("kill:9")), 0, "killed")
    brood = t.brood(None, "-v", "-e", "143", command=worker_argv("name:main", "say:start", "serve:die"))
    t.wait_event("main start")
    brood.stop(signal.SIGTERM, 0, r"main was killed by TERM \(143, remapped\)$")


def test_remap_of_a_command_that_was_never_started(t):
    os.mkfifo("config")
    t.files.add("config")
    brood = t.brood(t.directory + "/config", "-e", "143:5", command=worker_argv("name:main", "say:start", "serve"))
    descriptor = os.open("config", os.O_WRONLY)
    brood.send(signal.SIGTERM)
    os.write(descriptor, f"[worker:a]\nstart = {worker('serve')}\n".encode())
    os.close(descriptor)
    t.equal(brood.wait(), 5, "a requested stop is a stop")


def test_remap_by_the_environment(t):
    command = ["sh", "-c", "exit $STATUS"]
    for text, status, wanted in (("3", 3, 0), ("1, 3:9", 3, 9), ("1:2 3:4,5", 5, 0), ("", 3, 3), (" , ", 3, 3)):
        t.equal(status_of(t, command=command, env={"BROOD_REMAP": text, "STATUS": str(status)}), wanted, repr(text))
    t.equal(status_of(t, "-e", "3:8", command=command, env={"BROOD_REMAP": "3:9", "STATUS": "3"}), 8, "options win")


def test_remap_leaves_broods_own_statuses_alone(t):
    every = [word for code in range(256) for word in ("-e", f"{code}:42")]
    t.equal(status_of(t, *every, command=["/nowhere/program"]), 127, "not found")
    t.equal(status_of(t, *every, command=[t.file("plain", "x")]), 126, "not executable")
    t.equal(t.run(*every, "-c", "/nowhere.ini")[0], 100, "no config")
    t.equal(t.run(*every, "--bogus")[0], 100, "wrong usage")
    t.equal(t.brood(None, *every, command=["true"], namespace_options=(), mode="child",
                    prefix=("prlimit", "--nofile=4:4")).wait(), 111, "no descriptors to begin with")
    for status in (100, 111, 126, 127):
        t.equal(status_of(t, *every, command=["sh", "-c", f"exit {status}"]), 42, "the command's own are not brood's")


def test_remap_of_a_config(t):
    failing = f"""
        [worker:a]
        start = {worker('exit:7')}
        restart = no
        """
    t.brood(failing, "-e", "7:1").ends(1, r"a/0 failed for good: it exited 7 \(7, remapped\)$")
    t.brood(failing.replace("exit:7", "kill:15"), "-e", "143").ends(0, "remapped")
    missing = failing.replace(worker("exit:7"), "/nowhere/program")
    t.brood(missing, "-e", "127:1").ends(127, "a/0 failed for good")
    t.brood("[primary]\nstart = /nowhere/program\n", "-e", "127:1").ends(127, "primary")
    t.brood(f"[primary]\nstart = {worker('exit:127')}\n", "-e", "127:1").ends(1, "primary")


def test_remap_before_mirror(t):
    t.equal(status_of(t, "-m", "-e", "143:4", command=worker_argv("kill:15"), mode="child"), 4, "remapped")
    t.equal(status_of(t, "-m", "-e", "143:4", command=worker_argv("kill:9"), mode="child"), -9, "mirrored")


def test_remap_in_a_sandbox(t):
    """The inner brood does it, which knows whose a status is; it is done once."""
    chain = ["-n", "-e", "3:9", "-e", "9:1", "-e", "127:5", "-e", "143:3"]
    for command, status in ((["sh", "-c", "exit 3"], 9), (["/nowhere/program"], 127), (["sh", "-c", "exit 127"], 5),
                            (worker_argv("kill:15"), 3)):
        t.equal(status_of(t, *chain, command=command, mode="child"), status, str(command))
    t.equal(status_of(t, "-n", command=["sh", "-c", "exit 3"], mode="child", env={"BROOD_REMAP": "3:9,9:1"}), 9, "once")
    for options, status in ((["-m"], 4), ([], 4)):
        t.equal(status_of(t, "-n", *options, "-e", "143:4", command=worker_argv("kill:15"), mode="child"), status, "")


def test_remap_in_a_sandbox_whose_inner_brood_was_killed(t):
    brood = t.brood(None, "-n", "-e", "137:6", command=worker_argv("name:main", "say:start", "serve"), mode="child")
    t.wait_event("main start")
    (inner,) = children_of(brood.pid)
    os.kill(inner, signal.SIGKILL)
    t.equal(brood.wait(), 6, "nobody but the outer one is left to do it")


def test_remap_that_is_none(t):
    for options, environment, name in ((("-e", "256"), {}, "--remap 256"), (("-e", "x"), {}, "--remap x"),
                                       ((), {"BROOD_REMAP": "1,2:"}, "[$]BROOD_REMAP 2:")):
        status, stdout, stderr = t.run(*options, "true", env=environment)
        t.equal((status, stdout), (100, ""), "status")
        t.match(stderr, f"{name}: it is CODE or CODE:TO, exit statuses from 0 to 255; see brood --help", "stderr")
