"""A person at a terminal: `docker start --attach --interactive` on a pty, what is typed into it, and what it shows."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from engine import PATIENCE
from harness import Failure


class Terminal:
    """Of a container that was created with `-it`."""

    def __init__(self, container):
        engine = container.test.engine
        self.master, slave = pty.openpty()
        self.shown = ""
        self.resize(24, 80, tell=False)
        self.process = subprocess.Popen([*engine.program, "start", "--attach", "--interactive", container.name],
                                        env=engine.environment, cwd="/", stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)
        os.close(slave)

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, pattern):
        """Until what it has shown since the last match has this in it; then the next one is looked for behind it."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.shown)):
            ready = select.select([self.master], [], [], max(0, end - time.monotonic()))[0]
            try:
                data = os.read(self.master, 65536) if ready else b""
            except OSError:  # nobody has the other end any more
                data = b""
            if not data:
                raise Failure(f"the terminal never showed {pattern!r}, but {self.shown!r}")
            self.shown += data.decode(errors="replace")
        self.shown = self.shown[found.end():]
        return found

    def end(self):
        """The status of `docker start`, which is the container's."""
        return self.process.wait(PATIENCE)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
