"""What README.md says about containers, as the tests take it: the lines of shell in it are those that are run here."""

import os
import re
import shlex

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")


def text():
    with open(PATH, encoding="utf-8") as file:
        return file.read()


def lines(*begin):
    """The words of each line of shell that begins with these words, without them and without its comment."""
    words = [shlex.split(line, comments=True) for block in re.findall(r"^```sh\n(.*?)^```$", text(), re.M | re.S)
             for line in block.splitlines()]
    return [found[len(begin):] for found in words if tuple(found[:len(begin)]) == begin]


def builds():
    """Of each image that is built from an example: its context and Dockerfile, as paths below the project."""
    found = {}
    for words in lines("docker", "build", "-t"):
        if words[1:2] == ["-f"]:
            name, _, dockerfile, context = words
            found[name] = (context, dockerfile)
    return found


def runs(image):
    """Pairs of options and command of the lines that run this image."""
    found = [words for words in lines("docker", "run") if image in words]
    if not found:
        raise ValueError(f"README.md runs no {image}")
    return [(words[:words.index(image)], words[words.index(image) + 1:]) for words in found]
