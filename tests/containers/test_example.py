"""examples/wrap-env in a container: npm runs a shell script, which runs `env -i /usr/bin/node show-foo.js`."""

from harness import on

RANDOM_UID = ("--user", "12345:0")  # as OpenShift starts containers: a uid without an entry, group 0


def no_shims_left(test, container):
    left = [path for path in container.changed() if "/brood-" in path]
    test.equal(left, [], "shim directories in the container's layer")


@on("docker", "podman", "rootless")
def test_the_example_as_root(test):
    container = test.create()
    test.shows_foo(container.run())
    no_shims_left(test, container)


@on("docker", "podman", "rootless")
def test_the_example_as_a_random_uid(test):
    container = test.create(options=RANDOM_UID)
    test.shows_foo(container.run())
    no_shims_left(test, container)


@on("docker", "podman", "rootless")
def test_without_the_wrapper(test):
    test.shows_foo(test.run("-c", "plain.ini"), "undefined")


def test_without_capabilities_and_new_privileges(test):
    """As Kubernetes' restricted profile has it."""
    options = (*RANDOM_UID, "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    test.shows_foo(test.run(options=options))


def test_again_in_the_same_container(test):
    container = test.create()
    test.shows_foo(container.run())
    test.shows_foo(container.run())


def test_after_a_crash_the_next_start_removes_the_old_shims(test):
    container = test.start("-c", "serve.ini")
    container.wait_line("serving, FOO is bar")
    test.equal(container.kill(), 137, "status")
    old = [path for path in container.changed() if path.startswith("/run/brood/brood-")]
    test.ok(old, "the killed brood left its shims")
    container.start()
    container.wait_line("serving, FOO is bar", 2)
    test.equal(container.stop(), 0, "status")
    no_shims_left(test, container)


# --- a root that can't be written


def test_read_only_without_a_place_for_shims(test):
    for options in ((), RANDOM_UID):
        result = test.run(options=("--read-only", *options))
        test.refused(result, 111, "no place for shims", "/run/brood: Read-only file system", "/dev/shm.*noexec",
                     "/tmp: Read-only file system", "shim_root")


def test_read_only_with_a_run_that_is_noexec(test):
    test.refused(test.run(options=("--read-only", "--tmpfs", "/run")), 111, "/run/brood: .*noexec")


def test_read_only_with_a_tmpfs(test):
    """Docker's tmpfs gets the permissions of what it lies on, also with mode=1777: only root can write to /run."""
    test.shows_foo(test.run(options=("--read-only", "--tmpfs", "/run:exec")))
    test.shows_foo(test.run(options=("--read-only", "--tmpfs", "/tmp:exec", *RANDOM_UID)))


def test_read_only_with_shims_of_the_image(test):
    for options in ((), RANDOM_UID):
        test.shows_foo(test.run(options=("--read-only", *options), image="brood-prepared"))


def test_read_only_with_shims_of_another_config(test):
    result = test.run("-c", "other.ini", options=("--read-only",), image="brood-prepared")
    test.refused(result, 111, "/opt/shims", "made for another config", "--write-shims")


def test_writable_with_shims_of_another_config(test):
    test.shows_foo(test.run("-c", "other.ini", image="brood-prepared"), "other")
