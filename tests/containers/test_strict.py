"""reach = strict: the program's own file is the shim, by a mount or by renaming, and is itself again at the end."""

from harness import on

NODE = "/usr/bin/node"
SHOW = (NODE, "show-foo.js")
BY_MOUNT = ("--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined")
COPIED = "/usr/bin/node was copied into the container's own layer"


def real_node(test):
    return test.create().digest(NODE)


def leaves_nothing(test, container, real):
    """The file, its directory and the shims: as if brood had never been there."""
    test.equal(container.digest(NODE), real, "node, once brood has ended")
    left = [path for path in container.changed() if "/brood-" in path or path.startswith("/usr/bin/.")
            or path.endswith("journal")]
    test.equal(left, [], "what brood left")
    result = test.run("show-foo.js", options=("--entrypoint", NODE), image=test.commit(container))
    test.shows_foo(result, "undefined")


def test_by_mount(test):
    real = real_node(test)
    container = test.create("-c", "strict.ini", options=BY_MOUNT)
    result = container.run()
    test.shows_foo(result)
    test.ok("copied" not in result.stderr, "nothing is copied up")
    test.ok(NODE not in container.changed(), "node's file is untouched")
    leaves_nothing(test, container, real)


@on("docker", "podman")
def test_by_renaming(test):
    real = real_node(test)
    container = test.create("-c", "strict.ini")
    result = container.run()
    test.shows_foo(result)
    test.match(result.stderr, COPIED, "stderr")
    leaves_nothing(test, container, real)


def test_as_a_random_uid(test):
    result = test.run("-c", "strict.ini", options=("--user", "12345:0"))
    test.refused(result, 111, NODE, "CAP_SYS_ADMIN is missing", "/usr/bin can't be written by uid 12345")


def test_read_only_root(test):
    result = test.run("-c", "strict.ini", options=("--read-only", "--tmpfs", "/run:exec"))
    test.refused(result, 111, NODE, "CAP_SYS_ADMIN is missing", "/usr/bin is read-only")
    test.shows_foo(test.run("-c", "strict.ini", options=("--read-only", "--tmpfs", "/run:exec", *BY_MOUNT)))


def test_in_the_hosts_pid_namespace(test):
    """brood isn't PID 1 there, and what it would replace might be somebody else's."""
    result = test.run("-c", "strict.ini", options=("--pid", "host"))
    test.refused(result, 111, "reach = strict: brood isn't PID 1")


def test_docker_exec_is_wrapped_under_strict_alone(test):
    strict = test.start("-c", "serve-strict.ini")
    strict.wait_line("serving, FOO is bar")
    test.shows_foo(strict.execute(*SHOW))
    test.shows_foo(strict.execute(*SHOW, options=("--user", "12345:0")))
    by_preload = test.start("-c", "serve.ini")
    by_preload.wait_line("serving, FOO is bar")
    test.shows_foo(by_preload.execute(*SHOW), "undefined")
    test.equal((strict.stop(), by_preload.stop()), (0, 0), "statuses")


def stop_and_start_again(test, options):
    real = real_node(test)
    container = test.create("-c", "serve-strict.ini", options=options)
    for life in (1, 2, 3):
        container.start()
        container.wait_line("serving, FOO is bar", life)
        test.shows_foo(container.execute(*SHOW))
        test.equal(container.stop(), 0, "status")
        test.equal(container.digest(NODE), real, "node, once brood has ended")
    leaves_nothing(test, container, real)


def test_stop_and_start_again_by_mount(test):
    stop_and_start_again(test, BY_MOUNT)


def test_stop_and_start_again_by_renaming(test):
    stop_and_start_again(test, ())


def crash_and_start_again(test, options, stays):
    """`stays`: whether the shim outlives a brood that was killed, as a file does and a mount doesn't."""
    real = real_node(test)
    container = test.create("-c", "serve-strict.ini", options=options)
    container.start()
    for life in (1, 2):
        container.wait_line("serving, FOO is bar", life)
        test.equal(container.kill(), 137, "status")
        test.equal(container.digest(NODE) != real, stays, "node is still the shim")
        container.start()
    container.wait_line("serving, FOO is bar", 3)
    test.shows_foo(container.execute(*SHOW))
    test.equal(container.stop(), 0, "status")
    test.match(container.said(), "the programs that a former brood replaced are back", "what the next brood says")
    leaves_nothing(test, container, real)


def test_a_crash_by_mount(test):
    crash_and_start_again(test, BY_MOUNT, False)


def test_a_crash_by_renaming(test):
    crash_and_start_again(test, (), True)
