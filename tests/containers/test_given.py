"""What workers are given, and what brood keeps for itself, with the capabilities that Docker and podman give by default."""

import json
import re

from harness import on
from test_strict import BY_MOUNT, leaves_nothing, real_node

PORTS = ("--sysctl", "net.ipv4.ip_unprivileged_port_start=1024")  # Docker's own default is 0: any port for anybody
NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, SYS_ADMIN, MKNOD, AUDIT_WRITE = 10, 13, 18, 21, 27, 29


def bits(status, name="CapEff"):
    """The numbers of the capabilities in a text as /proc/PID/status has it."""
    number = int(re.search(rf"^{name}:\s*([0-9a-f]+)$", status, re.M).group(1), 16)
    return {bit for bit in range(64) if number >> bit & 1}


@on("docker", "podman")
def test_the_output_of_pid_1_can_be_written_to(test):
    """A root worker does it, and docker exec; who isn't root can't."""
    container = test.start("-c", "cron.ini")
    container.wait_line("^from a worker$")
    write = ("sh", "-c", "echo from exec > /proc/1/fd/1")
    test.equal(container.execute(*write).status, 0, "status of docker exec")
    container.wait_line("^from exec$")
    other = container.execute(*write, options=("--user", "12345:0"))
    test.equal(other.status, 2, "status as another user")
    test.match(other.stderr, "Permission denied", "stderr as another user")
    test.equal(container.stop(), 0, "status")
    test.equal(len(re.findall("^from exec$", container.said(), re.M)), 1, "lines of docker exec")


@on("docker", "podman")
def test_a_user_with_a_capability_binds_port_80(test):
    container = test.start("-c", "port.ini", options=PORTS)
    container.wait_line("^CapEff:.*$")
    said = container.said()
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        test.equal(bits(said, name), {NET_BIND_SERVICE}, name)
    test.match(said, r"(?m)^Uid:\s*33\s+33\s+33\s+33$", "its user")
    test.equal(container.stop(), 0, "status")


@on("docker", "podman")
def test_a_user_without_one_does_not(test):
    result = test.run("-c", "no-port.ini", options=PORTS)
    test.equal(result.status, 1, "status")
    test.match(result.stderr, "listen EACCES: permission denied .*:80", "stderr")


def check_strict(test, options, kept):
    """What brood doesn't use is gone; what it undoes a replaced program with isn't."""
    real = real_node(test)
    given = bits(test.run("-c", "cat /proc/self/status", options=("--entrypoint", "sh", *options)).stdout)
    container = test.start("-c", "serve-strict.ini", options=options)
    container.wait_line("serving, FOO is bar")
    left = bits(container.execute("cat", "/proc/1/status").stdout)
    unused = {NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE}
    test.ok(unused <= given and not unused & left and left < given, f"brood gave up some of {given}: {left}")
    test.equal(left & {SYS_ADMIN}, kept, "what mounts")
    test.equal(container.stop(), 0, "status")
    leaves_nothing(test, container, real)


def test_strict_by_mount_with_what_brood_keeps(test):
    check_strict(test, BY_MOUNT, {SYS_ADMIN})


def test_strict_by_renaming_with_what_brood_keeps(test):
    check_strict(test, (), set())


@on("docker", "podman")
def test_json_in_the_logs(test):
    container = test.start("-c", "json.ini")
    container.wait_line('"text":"out"')
    container.wait_line('"text":"error"')
    test.equal(container.stop(), 0, "status")
    logs = test.must("logs", container.name)
    for text, stream, line in ((logs.stdout, "stdout", "out"), (logs.stderr, "stderr", "error")):
        objects = [json.loads(one) for one in text.splitlines() if one.startswith("{")]
        test.equal([sorted(one) for one in objects], [["stream", "text", "time", "worker"]], "members")
        test.equal([objects[0][key] for key in ("worker", "stream", "text")], ["web/0", stream, line], "values")
        test.match(objects[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "time")
