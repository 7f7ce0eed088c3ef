"""What a test of real containers gets: containers that go away with it, and expectations that tell all on failure."""

import hashlib
import io
import re
import select
import tarfile
import time

from engine import PATIENCE

ENGINES = {}  # name: Engine; set by run.py


class Failure(Exception):
    """A test's expectation did not hold."""


def on(*names):
    """Which engines a test is run on, one after the other; without this, on Docker alone."""

    def mark(function):
        function.engines = names
        return function

    return mark


class Container:
    """One that was created; `call` words go to the engine."""

    def __init__(self, test, name):
        self.test, self.name = test, name

    def run(self):
        """Starts it, and waits for its end with what it said."""
        return self.test.call("start", "--attach", self.name)

    def start(self):
        self.test.must("start", self.name)

    def wait(self):
        """Its exit status, once it has ended."""
        return int(self.test.must("wait", self.name).stdout)

    def stop(self, patience_s=30):
        """As the operator does it; the exit status."""
        self.test.must("stop", "--time", str(patience_s), self.name)
        return self.wait()

    def stop_as_created(self):
        """With the patience that it was created with; the exit status, and how many seconds it took."""
        begin = time.monotonic()
        self.test.must("stop", self.name)
        return self.wait(), time.monotonic() - begin

    def kill(self):
        self.test.must("kill", self.name)
        return self.wait()

    def signal(self, number):
        self.test.must("kill", "--signal", str(number), self.name)

    def inspect(self, field):
        """What the engine knows of it, as text: State.ExitCode, RestartCount, …"""
        return self.test.must("inspect", "--format", "{{." + field + "}}", self.name).stdout.strip()

    def execute(self, *words, options=()):
        return self.test.call("exec", *options, self.name, *words)

    def said(self):
        result = self.test.must("logs", self.name)
        return result.stdout + result.stderr

    def printed(self):
        """What was said on stdout alone."""
        return self.test.must("logs", self.name).stdout

    def wait_line(self, pattern, count=1):
        """Until the count-th line that matches, of all its lives, is there."""
        end, text = time.monotonic() + PATIENCE, b""
        with self.test.engine.follow(self.name) as process:
            try:
                while len(re.findall(pattern, text.decode(errors="replace"), re.M)) < count:
                    ready = select.select([process.stdout], [], [], max(0, end - time.monotonic()))[0]
                    data = process.stdout.read1(65536) if ready else b""
                    if not data:
                        raise Failure(f"{self.name} never said {pattern!r} ({count} times), but:\n{text.decode()}")
                    text += data
            finally:
                process.kill()

    def digest(self, path):
        """The SHA-256 of a file in it, running or not."""
        copied = self.test.must("cp", f"{self.name}:{path}", "-")
        with tarfile.open(fileobj=io.BytesIO(copied.raw)) as archive:
            return hashlib.sha256(archive.extractfile(archive.next()).read()).hexdigest()

    def changed(self):
        """The paths in which it differs from its image."""
        return {line[2:]: line[0] for line in self.test.must("diff", self.name).stdout.splitlines()}


class Test:
    """`image_named` makes one of the images that all tests share, where nobody has needed it yet."""

    def __init__(self, name, engine, image_named):
        self.name, self.engine, self.image_named, self.notes = name.replace("_", "-"), engine, image_named, []
        self.containers, self.images, self.pods, self.made = [], [], [], 0

    def call(self, *words, **keywords):
        result = self.engine.call(*words, **keywords)
        self.notes.append(str(result))
        return result

    def must(self, *words, **keywords):
        result = self.call(*words, **keywords)
        if result.status != 0:
            raise Failure(f"{words[0]}: status {result.status}")
        return result

    def create(self, *command, options=(), image="brood-app"):
        """A container that isn't started yet. `command` is what stands after the image's name."""
        self.image_named(image)
        self.made += 1
        name = f"{self.name}-{self.made}"
        self.containers.append(name)
        self.must("create", "--name", name, *self.engine.on_create, *options, image, *command)
        return Container(self, name)

    def run(self, *command, **keywords):
        """Makes a container and runs it to its end: status, stdout and stderr."""
        return self.create(*command, **keywords).run()

    def start(self, *command, **keywords):
        container = self.create(*command, **keywords)
        container.start()
        return container

    def commit(self, container):
        """An image of what a container has become."""
        name = f"{container.name}-image"
        self.images.append(name)
        self.must("commit", container.name, name)
        return name

    def clean(self):
        """Returns what could not be removed."""
        failed = [self.engine.call("pod", "rm", "--force", name) for name in self.pods]
        failed += [self.engine.call("rm", "--force", "--volumes", name) for name in self.containers]
        failed += [self.engine.call("rmi", "--force", name) for name in self.images]
        return "".join(str(result) for result in failed if result.status != 0)

    # --- expecting

    def ok(self, value, what):
        if not value:
            raise Failure(what)

    def equal(self, got, wanted, what):
        if got != wanted:
            raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")

    def match(self, text, pattern, what):
        if not re.search(pattern, text):
            raise Failure(f"{what}: {text!r} does not match {pattern!r}")

    def shows_foo(self, result, foo="bar"):
        """The example's outcome."""
        self.equal((result.status, result.stdout), (0, f"FOO is {foo}\n"), "status and stdout")

    def refused(self, result, status, *patterns):
        """brood says why it starts nothing."""
        self.equal((result.status, result.stdout), (status, ""), "status and stdout")
        for pattern in patterns:
            self.match(result.stderr, pattern, "stderr")
