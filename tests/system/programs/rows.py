"""Runs commands one after the other, below brood, and says what each of them printed.

    rows.py FILE     FILE: JSON, a list of {name, words, environment, directory}; the answer, on stdout, is {name: text}

Where `environment` is a string it goes in front of PATH; as an object it is the whole environment. A row with `make`
first copies that file to that place: what comes after brood has looked.
"""

import json
import os
import shutil
import subprocess
import sys


def environment_of(row):
    given = row.get("environment")
    if given is None:
        return None
    return dict(os.environ, PATH=given + ":" + os.environ["PATH"]) if isinstance(given, str) else given


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)
    answer = {}
    for row in rows:
        if "make" in row:
            shutil.copy(*row["make"])
        done = subprocess.run(row["words"], env=environment_of(row), cwd=row.get("directory"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        answer[row["name"]] = done.stdout.decode(errors="replace")
    sys.stdout.write("\nANSWER " + json.dumps(answer) + "\n")


main()
