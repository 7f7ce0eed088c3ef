"""The manifests of examples/kubernetes, as `podman kube play` takes them.

Debian's podman (4.3) starts pods, with one process namespace where they want it, but knows nothing of preStop,
terminationGracePeriodSeconds and terminationMessagePath. What the kubelet does about these is done here, with the
values that the manifest has: the hook is executed, then the container is stopped with what is left of the time, and a
file of the host is mounted where the message is expected.
"""

import os
import re

from harness import Container, on
from images import ROOT
from test_operators import TERM, USR1

MESSAGE = "          terminationMessagePath: /dev/termination-log\n"
MOUNT = "          volumeMounts: [{name: message, mountPath: /dev/termination-log}]\n"
VOLUME = "      volumes: [{name: message, hostPath: {type: File, path: %s}}]\n"


def read(*path):
    with open(os.path.join(ROOT, "examples", *path), encoding="utf-8") as file:
        return file.read()


def seconds(pattern, text):
    return int(re.search(pattern, text)[1])


def play(test, text):
    """The containers in the order of the manifest, running."""
    for image in re.findall("image: (.*)", text):
        test.image_named(image)
    path = os.path.join(os.environ["TMPDIR"], test.name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(" *ports:\n *- containerPort: .*\n", "", text))  # there is no network here
    played = test.must("kube", "play", "--network", "none", path).stdout
    pod, *containers = re.findall("(?m)^[0-9a-f]{64}$", played)
    test.pods.append(pod)
    return [Container(test, name) for name in containers]


def renamed(text, name):
    """Pods of tests that run side by side need names of their own."""
    return re.sub("(?m)^  name: .*$", f"  name: {name}", text, 1)


@on("podman")
def test_kube_stop_fits_into_the_termination_grace_period(test):
    text = read("kubernetes", "site.yaml")
    hook, in_hook = re.search(r'preStop:\n *exec:\n *command: \["(\w+)", "(\d+)"\]', text).groups()
    allowed = seconds("terminationGracePeriodSeconds: ([0-9]+)", text)
    needed = int(in_hook) + seconds('"--grace", "([0-9]+)s"', text) + seconds(
        "finish_grace = ([0-9]+)s", read("images", "site.ini"))
    test.ok(needed + 2 <= allowed, f"{needed} s are needed, {allowed} s are allowed")
    site = play(test, text)[0]
    site.wait_line("^jobs: ready$")
    test.equal(site.execute(hook, in_hook).status, 0, "status of preStop")
    test.equal(site.printed().splitlines()[-1], "jobs: ready", "the last that was said before TERM")
    test.equal(site.stop(allowed - int(in_hook)), 0, "status")
    test.equal(site.printed().splitlines()[-1], "primary: cleaned up", "the last that was said")


def message(test, name, change, event):
    """Status and termination message of a site, changed, that is stopped once it has said something."""
    path = os.path.join(os.environ["TMPDIR"], name)
    with open(path, "w", encoding="utf-8"):
        pass
    text = renamed(read("kubernetes", "site.yaml"), name).replace(MESSAGE, MOUNT) + VOLUME % path
    for line, other in change.items():
        text = re.sub(f"{line}: .*", other, text)
    container = play(test, text)[0]
    container.wait_line(event)
    status = container.stop(20)
    with open(path, encoding="utf-8") as file:
        return status, file.read().rstrip("\n")


@on("podman")
def test_kube_termination_message(test):
    test.ok(MESSAGE in read("kubernetes", "site.yaml"), "the manifest says where the message is")
    got = message(test, "content", {}, "^jobs: ready$")
    test.equal(got, (0, "exit 0: stopped by TERM"), "status and message")
    stubborn = {"image": "image: registry.example/app:1",
                "args": 'command: ["/brood", "--grace", "100ms", "-c", "/stubborn.ini"]'}
    got = message(test, "stubborn", stubborn, "^ready")
    test.equal(got, (137, "exit 137: web/0 was killed after 100ms of grace"), "status and message")


@on("podman")
def test_kube_shared_process_namespace(test):
    """brood isn't PID 1: it stops what it started, though that left its session, and the neighbour hears of nothing."""
    app, neighbour = play(test, read("kubernetes", "shared.yaml"))
    for container in (app, neighbour):
        container.wait_line("^ready")
    commands = "cat /proc/[0-9]*/comm"
    seen = app.execute("sh", "-c", commands).stdout.split()
    test.ok(seen[0] != "brood" and seen.count("brood") == 1 and seen.count("perl") == 2, f"one namespace: {seen}")
    test.equal(app.stop(15), 0, "status")
    test.equal(app.printed().splitlines()[1:], [f"got {TERM}"], "what the straggler heard")
    left = neighbour.execute("sh", "-c", commands).stdout.split()
    test.equal([left.count(name) for name in ("brood", "sleep", "perl")], [0, 0, 1], f"what is left: {left}")
    neighbour.signal(USR1)
    neighbour.wait_line(f"^got {USR1}$")
    test.equal(neighbour.printed().splitlines()[1:], [f"got {USR1}"], "what the neighbour heard")
