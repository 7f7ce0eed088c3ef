"""Exit statuses, as `docker wait` and a terminal tell them."""

from harness import on

SLEEPER = ("sleep", "1000")
# A shell that ignores TERM, so that brood has to kill it; it says when it does.
STUBBORN = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done")


@on("docker", "podman")
def test_the_commands_own(test):
    for script, status in (("true", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)):
        test.equal(test.start("--", "sh", "-c", script).wait(), status, script)


@on("docker", "podman")
def test_a_command_that_isnt_there(test):
    test.equal(test.run("/no/such/command").status, 127, "status")
    test.equal(test.run("/etc/passwd").status, 126, "status")


@on("docker", "podman")
def test_a_plain_sleeper_is_stopped(test):
    test.equal(test.start(*SLEEPER).stop(), 143, "status")


def test_a_stubborn_one_is_killed_by_brood(test):
    container = test.start("--grace", "100ms", *STUBBORN)
    container.wait_line("^ready$")
    test.equal(container.stop(), 137, "status")
    test.match(container.said(), "100ms of grace over, KILL -> killed", "what brood says")


def test_brood_is_killed(test):
    test.equal(test.start(*SLEEPER).kill(), 137, "status")


def test_a_config_that_is_stopped(test):
    container = test.start("-c", "serve.ini")
    container.wait_line("serving, FOO is bar")
    test.equal(container.stop(), 0, "status")


def test_a_faulty_config(test):
    result = test.run("-c", "faulty.ini")
    test.refused(result, 100, r'faulty.ini:6: error: \[wrap:foo\] wraper: unknown key; did you mean "wrapper"\?')


def test_a_command_beside_a_config(test):
    result = test.run("-c", "serve.ini", "--", "sh", "-c", "env -i /usr/bin/node show-foo.js; exit 7")
    test.equal(result.status, 7, "status")
    test.match(result.stdout, "FOO is bar", "stdout")
