"""Starts two more Pythons: one as it knows itself, one by a shell and without an environment."""

import subprocess
import sys


def never():
    print("nobody calls this function")


if len(sys.argv) > 1:
    never()
subprocess.run([sys.executable, "child.py", "subprocess"], check=True)
subprocess.run("env -i /usr/bin/python3 child.py shell", shell=True, check=True)
