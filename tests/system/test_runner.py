"""The runner itself: it has to notice what a test leaves, or all the others would prove less than they say."""

import os
import subprocess

from harness import OPTIONS, worker_argv


def test_runner_notices_a_process(t):
    process = subprocess.Popen([OPTIONS["programs"] + "/pause"])
    faults = t.left_processes()
    process.kill()
    process.wait()
    t.equal(len(faults), 1, "faults")
    t.match(faults[0], rf"left process {process.pid}:.*pause", "the fault")
    t.equal(t.left_processes(), [], "nothing any more")


def test_runner_notices_files(t):
    paths = ["/run/brood-x/y", "/dev/shm/brood-x", "/tmp/brood-x", t.directory + "/brood-x"]
    os.mkdir("/run/brood-x")
    for path in paths:
        with open(path, "w", encoding="ascii"):
            pass
    t.equal(sorted(t.left_files()), sorted([*paths, "/run/brood-x"]), "files")
    for path in paths:
        os.unlink(path)
    os.rmdir("/run/brood-x")
    t.equal(list(t.left_files()), [], "nothing any more")


def test_runner_sees_descriptors_of_a_worker(t):
    """The helper program's account of what it was born with."""
    read, write = os.pipe()
    words = worker_argv("name:x", "show", "exit:0")
    process = subprocess.run(words, pass_fds=(read, write), env=t.environment, check=True)
    t.equal(process.returncode, 0, "status")
    t.wait_event(f"x fds=0,1,2,{read},{write}")
