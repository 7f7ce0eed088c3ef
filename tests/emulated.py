#!/usr/bin/python3
"""Runs a command where programs of arm64 run too: tests/emulated.py COMMAND [ARGUMENT]...

qemu-user does, and binfmt_misc(5) says so to the kernel. Since Linux 6.7 each user namespace may have a binfmt_misc of
its own: nothing of the machine is changed, and all of it is gone with the command. Every user and group is mapped to
itself, since some tests become another one. Where somebody has registered an emulator already (Debian's package
qemu-user-binfmt, Docker's), that one is used, on older kernels too.

The flags of the entry: P keeps argv[0], O hands over what only the kernel could open (a memfd), F opens the emulator now.
"""

import ctypes
import os
import subprocess
import sys

EMULATOR = "/usr/bin/qemu-aarch64"
REGISTRY = "/proc/sys/fs/binfmt_misc"
MAGIC = r"\x7fELF\x02\x01\x01" + r"\x00" * 9 + r"\x02\x00\xb7\x00"
MASK = r"\xff" * 7 + r"\x00" + r"\xff" * 8 + r"\xfe\xff\xff\xff"
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000


def registered():
    """Whether this kernel, here, knows what to do with a program of arm64."""
    for name in os.listdir(REGISTRY):
        with open(f"{REGISTRY}/{name}", encoding="ascii", errors="replace") as entry:
            if name not in ("register", "status") and "aarch64" in entry.read():
                return True
    return False


def enter(mapped, entered):
    """Of the child: namespaces of its own, once its parent has mapped the users, with an emulator in them."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0:
        sys.exit("tests/emulated.py: no namespaces here: " + os.strerror(ctypes.get_errno()))
    os.write(entered, b"x")
    os.read(mapped, 1)
    os.setgid(0)
    os.setuid(0)
    done = subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", REGISTRY], check=False)
    if done.returncode != 0:
        sys.exit("tests/emulated.py: needs Linux 6.7, or an emulator for arm64 that is registered: see binfmt_misc(5)")
    with open(REGISTRY + "/register", "w", encoding="ascii") as file:
        file.write(f":arm64:M::{MAGIC}:{MASK}:{EMULATOR}:POF")


def main():
    command = sys.argv[1:] or sys.exit(__doc__)
    if os.path.exists(REGISTRY) and registered():
        os.execvp(command[0], command)
    mapped, tell_mapped = os.pipe()
    entered, tell_entered = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(tell_mapped)
        enter(mapped, tell_entered)
        os.execvp(command[0], command)
    os.close(tell_entered)
    if os.read(entered, 1):
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{pid}/{name}", "w", encoding="ascii") as file:
                file.write("0 0 65536\n")
        os.write(tell_mapped, b"x")
    sys.exit(abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


main()
