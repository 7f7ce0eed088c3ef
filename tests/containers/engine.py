"""Docker and podman, as far as the tests need them: one class for what both do, and what is special about each.

Docker's own server is started here, with everything it writes in directories of the run, and says by sd_notify that it
is ready. podman has no server. Neither gives a container a network.
"""

import hashlib
import os
import signal
import socket
import subprocess
import time

PATIENCE = 60.0  # seconds that any command may take
# run.py removes it, and the one that podman has for pods; another checkout has another one.
CGROUP = "/brood-containers-" + hashlib.sha256(os.path.abspath(__file__).encode()).hexdigest()[:12]
POD_CGROUP = "/libpod_parent"
USER = 12345  # of rootless podman, and the user with no name in the images

# Without a word about it, rootless podman takes the driver vfs, which copies the whole image for each container.
PODMAN = ["podman", "--storage-driver", "overlay", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
# Soft and hard limits are the same: `podman kube play` takes one for the other.
CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
netns = "none"
[engine]
events_logger = "file"
"""


class Result:
    def __init__(self, words, status, stdout, stderr):
        self.words, self.status, self.raw = words, status, stdout
        self.stdout, self.stderr = (text.decode(errors="replace") for text in (stdout, stderr))

    def __str__(self):
        shown = self.stdout if "\0" not in self.stdout else f"{len(self.raw)} bytes"
        return f"$ {' '.join(self.words)}\nstatus {self.status}\n{shown}{self.stderr}"


class Engine:
    """`program`: the words that every command begins with; `on_create`: options of every container."""

    def __init__(self, program, environment=None, on_create=()):
        self.program, self.on_create = program, on_create
        self.environment = dict(os.environ, **(environment or {}))

    def call(self, *words, patience=PATIENCE, environment=None):
        done = subprocess.run([*self.program, *words], env=dict(self.environment, **(environment or {})), cwd="/",
                              capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=patience)
        return Result([os.path.basename(self.program[0]), "…", *words], done.returncode, done.stdout, done.stderr)

    def must(self, *words, **keywords):
        result = self.call(*words, **keywords)
        if result.status != 0:
            raise RuntimeError(f"this had to work:\n{result}")
        return result

    def follow(self, name):
        """A process whose stdout has everything that a container has said and will say."""
        return subprocess.Popen([*self.program, "logs", "--follow", name], env=self.environment, cwd="/",
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def make_base(self, name, tar):
        self.must("import", tar, name)

    def make_image(self, name, context, dockerfile):
        self.must("build", "--tag", name, "--file", dockerfile, context)

    def stop(self):
        """Ends what runs beside the containers."""


class Docker(Engine):
    """dockerd and its containerd; /run must be a private one, since containerd-shim has a fixed place there."""

    def __init__(self, directory):
        super().__init__(["/usr/bin/docker"], {"DOCKER_HOST": "unix:///run/docker.sock", "DOCKER_BUILDKIT": "0",
                                               "DOCKER_CONFIG": directory + "/docker-client"})
        self.directory, self.process, self.log = directory, None, directory + "/dockerd.log"

    def start(self, init):
        """`init`: what `docker run --init` puts before a command."""
        config = self.directory + "/daemon.json"  # never the machine's own
        with open(config, "w", encoding="utf-8") as file:
            file.write("{}\n")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(self.log, "wb") as log:
            notify.bind("/run/notify.sock")
            self.process = subprocess.Popen(
                ["dockerd", "--config-file", config, "--data-root", self.directory + "/docker-data", "--exec-root",
                 "/run/docker", "--pidfile", "/run/docker.pid", "--host", "unix:///run/docker.sock", "--bridge=none",
                 "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--cgroup-parent", CGROUP,
                 "--init-path", init],
                env=dict(os.environ, NOTIFY_SOCKET="/run/notify.sock"), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT)
            self._wait_ready(notify)

    def _wait_ready(self, notify):
        notify.settimeout(0.5)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if b"READY=1" in notify.recv(4096):
                    return
            except socket.timeout:
                pass
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise RuntimeError(f"dockerd isn't ready (status {self.process.poll()}):\n{log.read()[-4000:]}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)


def podman(directory):
    """As root. crun, the default, refuses some cgroup layouts, and limits above the machine's own can't be set."""
    with open(directory + "/containers.conf", "w", encoding="utf-8") as file:
        file.write(CONTAINERS_CONF)
    places = [f"--{name}={directory}/{name}" for name in ("root", "runroot", "tmpdir")]
    return Engine([*PODMAN, *places],
                  {"CONTAINERS_CONF": directory + "/containers.conf"}, on_create=("--cgroup-parent", CGROUP))


class Rootless(Engine):
    """podman as a user of its own, which run.py has put into /etc/passwd, /etc/subuid and /etc/subgid. It sees its
    directory under /run, whoever may read the path that leads to the real one."""

    def __init__(self, configuration):
        home = "/run/rootless"
        super().__init__(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *PODMAN],
                         {"HOME": home, "XDG_RUNTIME_DIR": home + "/run", "CONTAINERS_CONF": configuration})

    def stop(self):
        self.must("system", "migrate")  # ends the process that keeps the user namespace
