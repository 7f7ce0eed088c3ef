"""The configs in examples/ do what they say: run as they are, from the root of the repository."""

import http.client
import os
import signal

from harness import OPTIONS, children_of, limit, now_ms, pids, stat_of


def get(port, path="/"):
    """(status, body), None where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def serves(t):
    """nginx answers, and the application through it; returns the application's pid."""
    t.poll(lambda: get(8080, "/nginx") == (200, "hello from nginx\n"), "an answer of nginx")

    def ask():
        found = get(8080)
        return found and found[0] == 200 and found[1]

    return int(t.poll(ask, "an answer of node").split()[-1])


def leader_of(brood, record):
    """The pid, seen from here, of the worker that a record is about."""
    inner = int(record.text.split("[")[1].split("]")[0])
    return brood.worker_pid(inner)


@limit(60)
def test_example_web(t):
    os.mkdir("home")
    t.files.add("home")
    brood = t.brood(OPTIONS["root"] + "/examples/web.ini", cwd=OPTIONS["root"], env={"HOME": t.directory + "/home"})
    former = serves(t)
    for number, name in enumerate(("app/0", "nginx/0", "loop/0")):
        ready = brood.wait_record(rf"{name}\[\d+\]: executed -> ready")
        os.kill(leader_of(brood, ready), signal.SIGKILL)
        brood.wait_record(rf"{name}\[\d+\]: killed by KILL", 1)
        brood.wait_record(rf"{name}\[\d+\]: executed -> ready", 2)
        application = serves(t)
        t.equal(application != former, number == 0, f"another application after the end of {name} only if it was that")
        former = application
    begin = now_ms()
    t.between(brood.stop(signal.SIGTERM, 0, "TERM"), 0, 5000, "the stop")
    t.notes.append(f"stopped in {now_ms() - begin} ms")
    t.equal(get(8080), None, "nobody listens any more")
    t.ok(not os.path.exists("/tmp/brood-web"), "nginx's directory is gone")


@limit(60)
def test_example_web_when_the_application_itself_is_killed(t):
    """Not npm, which brood started, but what npm runs."""
    os.mkdir("home")
    t.files.add("home")
    brood = t.brood(OPTIONS["root"] + "/examples/web.ini", cwd=OPTIONS["root"], env={"HOME": t.directory + "/home"})
    former = serves(t)
    os.kill(brood.worker_pid(former), signal.SIGKILL)
    brood.wait_record(r"app/0\[\d+\]: .* -> backoff")
    brood.wait_record(r"app/0\[\d+\]: executed -> ready", 2)
    t.ok(serves(t) != former, "another one answers")
    t.between(brood.stop(signal.SIGTERM, 0, "TERM"), 0, 5000, "the stop")


@limit(60)
def test_example_hello(t):
    brood = t.brood(OPTIONS["root"] + "/examples/hello.ini", cwd=OPTIONS["root"], keep_stdout=True)
    brood.ends(0, "clock/0", patience=20)
    lines = [line.strip() for line in brood.stdout.decode().splitlines()]
    t.equal((lines[0], lines[-1]), ("primary: before everything else", "primary: after everything else"), "the frame")
    clock = [line for line in lines if line.startswith("clock")]
    t.equal(clock, [f"clock: {number}" for number in range(1, 6)], "the clock")
    for index in (0, 1):
        t.ok(lines.count(f"flaky/{index}: here I am") >= 2, f"flaky/{index} is started again")
    brood.has(r"warning: flaky/0\[\d+\]: exited 1 -> backoff 250ms", 1)
    brood.has(r"warning: flaky/0\[\d+\]: exited 1 -> backoff 500ms", 1)


@limit(60)
def test_example_hello_is_stopped_by_int(t):
    brood = t.brood(OPTIONS["root"] + "/examples/hello.ini", cwd=OPTIONS["root"], keep_stdout=True)
    t.pump(lambda: b"clock: 1" in brood.stdout, "the clock")
    t.between(brood.stop(signal.SIGINT, 0, "INT"), 0, 5000, "the stop")
    t.ok(brood.stdout.endswith(b"primary: after everything else\n"), "the end")


def test_example_hello_in_the_sandbox(t):
    """As `make run` has it."""
    brood = t.brood(OPTIONS["root"] + "/examples/hello.ini", "--sandbox", cwd=OPTIONS["root"], keep_stdout=True,
                    mode="child")
    brood.ends(0, "clock/0", patience=20)
    t.equal([pid for pid in pids() if pid != os.getpid() and stat_of(pid)[0] != "Z"], [], "nothing is left")
    t.equal(children_of(brood.pid), [], "nothing below it")


@limit(60)
def test_example_cluster(t):
    """Both workers of each group answer, and still one of each group after the other is killed."""
    brood = t.brood(OPTIONS["root"] + "/examples/cluster.ini", cwd=OPTIONS["root"])
    for port, name in ((8083, "given"), (8081, "itself")):
        answers = set()

        def ask(port=port, answers=answers):
            answers.update({get(port)} - {None})
            return len(answers) == 2

        t.poll(ask, f"two workers on port {port}", every_ms=5)
        ready = brood.wait_record(rf"{name}/0\[\d+\]: executed -> ready")
        os.kill(leader_of(brood, ready), signal.SIGKILL)
        brood.wait_record(rf"{name}/0\[\d+\]: killed by KILL")
        t.ok(t.poll(lambda port=port: get(port), "an answer of who is left")[0] == 200, "status")
    brood.stop(signal.SIGTERM, 0, "TERM", patience=15)
