"""What is in the images, and where the base comes from: Debian packages, since no image registry is needed that way.

mmdebstrap makes the base as a tar file, once: its name has a hash of the recipe in it, so that another recipe makes
another file. The rest is made by each run of the tests, from the Dockerfiles in image/.
"""

import hashlib
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SUITE = "bookworm"
RECIPE = ["--variant=essential", "--include=nodejs,npm", "--aptopt=Acquire::Languages \"none\"",
          *[f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale", "info")], SUITE]

WRAP = """[wrap:foo]
programs = node
wrapper = wrapper.js
data = {"foo": "bar"}
"""
STRICT = WRAP + "reach = strict\n"
NPM = "[worker:app]\nstart = npm --silent --no-update-notifier --logs-max=0 start\nrestart = no\n"
SERVE = "[worker:app]\nstart = node serve.js\n"
CONFIGS = {
    "plain.ini": NPM,
    "strict.ini": NPM + STRICT,
    "serve.ini": SERVE + WRAP,
    "serve-strict.ini": SERVE + STRICT,
    "other.ini": NPM + WRAP.replace("bar", "other"),
    "faulty.ini": NPM + WRAP.replace("wrapper =", "wraper ="),
}


def base(cache):
    """The path of the base's tar file; takes a minute where it isn't in the cache yet."""
    name = hashlib.sha256("\n".join(RECIPE).encode()).hexdigest()[:12]
    path = os.path.join(cache, f"base-{name}.tar")
    if not os.path.exists(path):
        made = subprocess.run(["mmdebstrap", *RECIPE, path + ".part.tar"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"mmdebstrap: status {made.returncode}\n{made.stdout.decode(errors='replace')}")
        os.rename(path + ".part.tar", path)
    return path


def context(directory, brood, root):
    """A directory for `docker build`: the Dockerfiles, brood and the example with more configs."""
    shutil.copytree(os.path.join(HERE, "image"), directory)
    shutil.copytree(os.path.join(root, "examples", "wrap-env"), os.path.join(directory, "app"))
    shutil.move(os.path.join(directory, "serve.js"), os.path.join(directory, "app"))
    shutil.copy(brood, os.path.join(directory, "brood"))
    for name, text in CONFIGS.items():
        with open(os.path.join(directory, "app", name), "w", encoding="utf-8") as file:
            file.write(text)
