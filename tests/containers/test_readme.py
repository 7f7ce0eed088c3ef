"""What README.md shows of containers, as it shows it: its Dockerfiles, its lines, its claims of who waits how long."""

import hashlib

import readme
from images import CONTEXT


def create(test, image, line=0, other=None):
    """What a line of README.md runs; with another command where that is given."""
    options, command = readme.runs(image)[line]
    return test.create(*(other or command), options=options, image=image)


def start(test, image, line=0, other=None):
    container = create(test, image, line, other)
    container.start()
    return container


def stops(test, container, status, within_s=5):
    """By `docker stop` as it was run, long before Docker's patience is over."""
    got, took = container.stop_as_created()
    test.equal(got, status, "status")
    test.ok(took < within_s, f"stopped within {within_s} s, but it took {took:.1f} s")
    test.ok("docker stop" not in container.said(), "brood finds its grace short enough for docker stop")


def test_readme_shows_what_is_tested(test):
    """Another line would have to be run by a test, too: those below run eight of them, test_dockerfile the demo."""
    test.equal(len(readme.lines("docker", "run")), 9, "lines in README.md that run something")


def test_readme_command(test):
    container = start(test, "app")
    container.wait_line("^server: ready$")
    stops(test, container, 0)
    test.equal(container.said(), "server: ready\nserver: bye\n", "what it said")


def test_readme_command_that_ignores_term(test):
    """With --stop-timeout 15 it is brood that kills, after its 10 s of grace, and says so."""
    container = start(test, "app", other=["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"])
    container.wait_line("^ready$")
    status, took = container.stop_as_created()
    test.equal(status, 137, "status")
    test.ok(9.9 < took < 14, f"killed after 10 s, but it took {took:.1f} s")
    test.match(container.said(), "10s of grace over, KILL -> killed", "what brood says")


def test_readme_user_without_a_name(test):
    container = start(test, "app", line=1)
    container.wait_line("^server: ready$")
    test.equal(container.execute("id", "-u").stdout, "12345\n", "user")
    stops(test, container, 0)


def test_readme_config(test):
    container = start(test, "site")
    container.wait_line("^jobs: ready$")
    container.wait_line("^server: ready$")
    stops(test, container, 0)
    printed = container.printed().splitlines()
    test.equal(sorted(printed[1:3]), ["jobs: ready", "server: ready"], "both: a port is open before that is said")
    test.equal([printed[0], *printed[3:]], ["primary: migrated", "jobs: bye", "server: bye", "primary: cleaned up"],
               "what happened, in order")


def test_readme_alpine(test):
    container = start(test, "alpine-app")
    container.wait_line("^jobs: ready$")
    stops(test, container, 0)
    test.equal(container.printed(), "jobs: ready\njobs: bye\n", "what it printed")


def test_musl_programs_are_wrapped(test):
    """Linked with musl's shared library, and executed by another such program: by its path, without any environment."""
    result = test.run(image="brood-musl")
    test.shows_foo(result)
    unwrapped = test.run("/app/hello", "again", options=("--entrypoint", "/brood"), image="brood-musl")
    test.shows_foo(unwrapped, "undefined")


def test_readme_distroless(test):
    container = start(test, "distroless-app")
    container.wait_line("^server: ready$")
    test.ok(container.execute("/bin/sh", "-c", "true").status != 0, "there is no shell")
    stops(test, container, 0)
    test.equal(container.said(), "server: ready\nserver: bye\n", "what it said")


def test_readme_scratch(test):
    container = start(test, "scratch-app")
    for index in (0, 1):
        container.wait_line(rf"^server/{index} +\| server: ready$")
    stops(test, container, 0)
    for index in (0, 1):
        test.match(container.said(), rf"(?m)^server/{index} +\| server: bye$", "what it said")


def test_readme_read_only(test):
    container = start(test, "read-only-app")
    container.wait_line("^server: ready$")
    test.match(container.said(), "(?m)^wrapper: here I am$", "the wrapper ran")
    test.ok(container.execute("touch", "/tmp/file").status != 0, "the root is read-only")
    stops(test, container, 0)


def test_readme_init(test):
    """dockerd puts brood, as /sbin/docker-init, before a command of an image that has no brood."""
    container = start(test, "node:22-slim")
    with open(CONTEXT + "/brood", "rb") as file:
        brood = hashlib.sha256(file.read()).hexdigest()
    test.equal(container.execute("sha256sum", "/proc/1/exe").stdout.split()[0], brood, "what PID 1 is")
    test.equal(container.execute("cat", "/proc/1/comm").stdout, "docker-init\n", "what it is called")
    stops(test, container, 143)
    test.match(test.must("info").stdout, r"(?m)^ init version: (?!N/A)", "docker info")


def test_readme_init_tells_the_status(test):
    for script, status in (("exit 7", 7), ("kill -KILL $$", 137), ("/no/such/command", 127), ("/etc/passwd", 126)):
        test.equal(create(test, "node:22-slim", other=["sh", "-c", script]).run().status, status, script)
    test.equal(create(test, "node:22-slim", other=["/no/such/command"]).run().status, 127, "no such command")


def test_readme_init_reaps(test):
    """The shell's grandchild becomes an orphan, ends, and leaves no zombie: its pid is free again."""
    script = "(sh -c 'echo $$ >/pid' &); while ! [ -s /pid ] || [ -e /proc/$(cat /pid) ]; do :; done; echo gone"
    result = create(test, "node:22-slim", other=["sh", "-c", script]).run()
    test.equal((result.status, result.stdout), (0, "gone\n"), "status and stdout")
