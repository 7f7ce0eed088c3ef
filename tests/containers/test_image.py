"""The Dockerfile at the top, with the lines of README.md: the same bytes from both of Docker's builders, wherever the
sources lie, and nothing else in the image."""

import io
import re
import tarfile

import readme
from images import ROOT

LIMIT = 500_000  # bytes of each program: "under 0.5 MB" in README.md


def build(test, target, *options, name, buildkit):
    """As README.md has it, under another name: `brood` is what the other tests build upon."""
    lines = [words for words in readme.lines("docker", "build") if words[-1] == "." and target in words]
    test.equal(len(lines), 1, f"lines in README.md that build {target}")
    words = [name if lines[0][at - 1:at] == ["-t"] else word for at, word in enumerate(lines[0][:-1])]
    test.image_named("debian:12")
    test.images.append(name)
    test.must("build", "--network", "host", *options, *words, ROOT, patience=300,
              environment={"DOCKER_BUILDKIT": str(int(buildkit))})


def files(test, image):
    """Name and content of every file of an image."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(test.must("save", image).raw)) as saved:
        for layer in (member for member in saved if member.name.endswith("layer.tar")):
            with tarfile.open(fileobj=saved.extractfile(layer)) as archive:
                found.update({member.name: archive.extractfile(member).read() for member in archive if member.isfile()})
    return found


def test_dockerfile(test):
    build(test, "brood", "--no-cache", name="built-once", buildkit=False)
    build(test, "brood", "--no-cache", "--build-arg", "SOURCE=/home/else/where", name="built-twice", buildkit=True)
    once, twice = files(test, "built-once"), files(test, "built-twice")
    test.equal(sorted(once), ["brood", "broodctl"], "what is in the image")
    test.ok(once == twice, "two builds give the same bytes")
    for name, content in once.items():
        test.ok(len(content) < LIMIT, f"{name} has {len(content)} bytes")
        test.equal(re.findall(rb"/src/|/else/where", content), [], f"paths in {name}")
    test.match(test.run("/brood", "--version", image="built-once").stdout, r"^brood \d", "stdout")
    build(test, "brood-demo", name="built-demo", buildkit=False)
    shown = test.run(image="built-demo")
    test.equal(shown.status, 0, "status of the demo")
    test.match(shown.stdout, "primary: after everything else\n$", "what the demo shows")
