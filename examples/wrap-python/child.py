"""Says who runs it; each of its two lines below runs in one process alone."""

import sys

if sys.argv[1] == "subprocess":
    print("child of a subprocess")
elif sys.argv[1] == "shell":
    print("child of a shell")
else:
    print("nobody's child")
