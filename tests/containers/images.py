"""What is in the images, and where they come from: Debian packages, since no image registry is needed that way.

mmdebstrap makes two bases as tar files, once: their names have a hash of the recipe in them, so that another recipe
makes another file. The rest is made by each run of the tests, each image when a test needs it: from the Dockerfiles in
image/, and from those that README.md shows. What these begin with (node:22-slim, alpine:3.22), and what the manifests
of examples/kubernetes run, is stood in for by an image that has what it has, as far as it matters, under its name.
"""

import hashlib
import os
import re
import shutil
import subprocess
import threading

import readme
from harness import Failure

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CONTEXT = "/run/context"
SUITE = "bookworm"
with open(os.path.join(ROOT, "tests", "deps.sh"), encoding="utf-8") as deps:
    TOOLS = re.search("^run='(.*?)'", deps.read(), re.M)[1].replace(" ", ",")  # what a build needs
COMMON = ["--aptopt=Acquire::Languages \"none\"",
          *[f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale", "info")], SUITE]
RECIPES = {
    "base": ["--variant=essential", "--include=nodejs,npm", *COMMON],
    "tools": ["--variant=essential", f"--include=apt,busybox-static,{TOOLS}", *COMMON],
}
BASES = {"base": "/run/base.tar", "tools": "/run/tools.tar"}

WRAP = """[wrap:foo]
programs = node
wrapper = wrapper.js
data = {"foo": "bar"}
"""
STRICT = WRAP + "reach = strict\n"
NPM = "[worker:app]\nstart = npm --silent --no-update-notifier --logs-max=0 start\nrestart = no\n"
SERVE = "[worker:app]\nstart = node serve.js\n"
SHOW = "node -e 'const fs = require(\"fs\"); require(\"net\").createServer().listen(80, " \
       "() => console.log(fs.readFileSync(\"/proc/self/status\", \"utf8\")))'"
CONFIGS = {
    "json.ini": "[worker:web]\nstart = sh -c 'echo out; echo error >&2; exec sleep 1000'\noutput = json\n",
    "cron.ini": "[worker:cron]\nstart = sh -c 'echo from a worker > /proc/1/fd/1; exec sleep 1000'\nstdin = null\n",
    "port.ini": f"[worker:web]\nstart = {SHOW}\nuser = www-data\ncapabilities = ^cap_net_bind_service\n",
    "no-port.ini": f"[worker:web]\nstart = {SHOW}\nuser = www-data\nrestart = no\n",
    "plain.ini": NPM,
    "strict.ini": NPM + STRICT,
    "serve.ini": SERVE + WRAP,
    "serve-strict.ini": SERVE + STRICT,
    "other.ini": NPM + WRAP.replace("bar", "other"),
    "faulty.ini": NPM + WRAP.replace("wrapper =", "wraper ="),
}

# Each is a base, another one by a second name, or what a Dockerfile makes of a context.
MADE = {
    "brood-base": ("import", BASES["base"]),
    "brood-tools": ("import", BASES["tools"]),
    "node:22-slim": ("tag", "brood-base"),
    "gcc:12": ("tag", "brood-tools"),
    "brood": ("build", CONTEXT, "Dockerfile.brood"),
    "brood-app": ("build", CONTEXT, "Dockerfile"),
    "brood-prepared": ("build", CONTEXT, "Dockerfile.prepared"),
    "brood-musl": ("build", CONTEXT, "Dockerfile.musl"),
    "brood-inits": ("build", CONTEXT, "Dockerfile.inits"),
    "debian:12": ("build", CONTEXT, "Dockerfile.debian"),
    "alpine:3.22": ("build", CONTEXT, "Dockerfile.alpine"),
    "gcr.io/distroless/base-debian12:nonroot": ("build", CONTEXT, "Dockerfile.distroless"),
    "registry.example/site:1": ("tag", "site"),
    "registry.example/app:1": ("build", CONTEXT, "Dockerfile.straggler"),
    "registry.example/neighbour:1": ("build", CONTEXT, "Dockerfile.neighbour"),
    **{name: ("build", os.path.join(ROOT, context), os.path.join(ROOT, dockerfile))
       for name, (context, dockerfile) in readme.builds().items()},
}


def output_of(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


def archive():
    """Debian's, as this machine has it; nothing where apt doesn't say, and mmdebstrap knows one by itself."""
    sites = output_of("apt-get", "indextargets", "--format", "$(SITE)").splitlines()
    return [site for site in sites if re.search("/debian/*$", site)][:1]


def base(cache, name):
    """The path of a base's tar file; takes a minute where it isn't in the cache yet."""
    digest = hashlib.sha256("\n".join(RECIPES[name]).encode()).hexdigest()[:12]
    path = os.path.join(cache, f"{name}-{digest}.tar")
    if not os.path.exists(path):
        made = subprocess.run(["mmdebstrap", *RECIPES[name], path + ".part.tar", *archive()], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"mmdebstrap: status {made.returncode}\n{made.stdout.decode(errors='replace')}")
        os.rename(path + ".part.tar", path)
    return path


def context(brood):
    """A directory for `docker build`: the Dockerfiles, brood, the example with more configs, and by what this machine
    reaches its archive: proxies and certificates."""
    shutil.copytree(os.path.join(HERE, "image"), CONTEXT)
    shutil.copytree(os.path.join(ROOT, "examples", "wrap-env"), CONTEXT + "/app")
    shutil.move(CONTEXT + "/serve.js", CONTEXT + "/app")
    for name in ("brood", "docker-init"):
        shutil.copy(brood, f"{CONTEXT}/{name}")
    for name, text in CONFIGS.items():
        with open(f"{CONTEXT}/app/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    os.makedirs(CONTEXT + "/machine/etc/apt/apt.conf.d")
    with open(CONTEXT + "/machine/etc/apt/apt.conf.d/90machine", "w", encoding="utf-8") as file:
        file.writelines(re.findall("^Acquire::https?::.*\n", output_of("apt-config", "dump"), re.M))
    if os.path.exists("/etc/ssl/certs/ca-certificates.crt"):
        os.makedirs(CONTEXT + "/machine/etc/ssl/certs")
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", CONTEXT + "/machine/etc/ssl/certs")


class Images:
    """The images of an engine, each made by the first test that needs it, after those that it is made from."""

    def __init__(self, with_engine):
        self.engine, self.lock = with_engine, threading.Lock()
        self.done, self.faulty = set(), set()

    def need(self, name):
        with self.lock:
            self._make(name)

    def _make(self, name):
        if name in self.faulty:
            raise Failure(f"there is no image {name}, see the first test that needed it")
        if name in self.done or name not in MADE:
            return
        self.faulty.add(name)
        how, source, *dockerfile = MADE[name]
        if how == "import":
            self.engine.make_base(name, source)
        elif how == "tag":
            self._make(source)
            self.engine.must("tag", source, name)
        else:
            path = os.path.join(source, *dockerfile)
            with open(path, encoding="utf-8") as file:
                for needed in re.findall(r"^(?:FROM|COPY --from=) *(\S+)", file.read(), re.M):
                    self._make(needed)
            self.engine.make_image(name, source, path)
        self.faulty.remove(name)
        self.done.add(name)
