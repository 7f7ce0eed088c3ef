"""The environment of wrapped processes: what is in it when brood starts leads nobody elsewhere; PATH in all its forms;
the user's own LD_PRELOAD.
"""

import subprocess

from wrapping import RAN, Wrapping

TOOL = "[wrap:a]\nprograms = tool\nwrapper = a\n"


def test_wrap_environment_set_beforehand(t):
    """Nothing that is there when brood starts leads a shim elsewhere, or around its wrapper."""
    w = Wrapping(t)
    w.script("a", 'echo "args=$*"; exec "$SPAWN_WRAP_MAIN" "$@"')
    evil = w.script("evil", "exit 9")
    t.file("script", f"#!{w.tool} -x\n", 0o755)
    wanted = ("a args=1 " + RAN).split()
    for told in ("1 file ", "2 file ", "main file ", "1 script ", "2 script ", "0 script "):
        for path in (evil, t.directory + "/script", "/nowhere"):
            environment = {"SPAWN_WRAP_TOLD": told + path, "SPAWN_WRAP_MAIN": evil, "SPAWN_WRAP_KEY": "abcdef",
                           "SPAWN_WRAP_INSIDE": "abcdef.0.0.0", "SPAWN_WRAP_PROGRAM": "evil", "SPAWN_WRAP_DATA": "7"}
            for command in (["tool", "1"], [w.tool, "1"], ["sh", "-c", "tool 1"]):
                got = w.run(TOOL, *command, env=environment)
                t.equal(got, wanted, f"{command} with SPAWN_WRAP_TOLD={told + path}")


def test_wrap_environment_of_prepared_shims(t):
    """Their key is in the image, for everyone to read."""
    w = Wrapping(t)
    w.script("a")
    root = w.directory("shims")
    config = TOOL + f"shim_root = {root}\n"
    brood = w.start(config, "tool", options=("--write-shims", root), mode="child")
    t.equal(brood.wait(), 0, "status of --write-shims")
    with open(f"{root}/image/manifest", "rb") as file:
        key = file.readline().split()[-1].decode()
    brood = w.prints(config, ["tool"], "a", RAN)
    for inside in (f"{key}.0.0.0", f"x {key}.0.0.0", f"{key}.0.0.1"):
        got = w.run(config, "tool", env={"SPAWN_WRAP_INSIDE": inside})
        t.equal(got, ("a " + RAN).split(), f"SPAWN_WRAP_INSIDE={inside}")


def test_wrap_search(t):
    """PATH unset, empty, of [env], with empty entries."""
    w = Wrapping(t)
    w.script("a")
    w.directory("two")
    w.copy("tool", "two/tool", version=2)
    arch = "[wrap:a]\nprograms = arch\nwrapper = a\n"
    machine = subprocess.run(["/usr/bin/arch"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    for line in ("PATH =", 'PATH = ""'):
        w.prints(arch + f"[env]\n{line}\n", ["sh", "-c", "arch"], "a", machine)
    config = TOOL + f"[env]\nPATH = {t.directory}/two:${{PATH}}\n"
    w.prints(config, ["sh", "-c", f"tool; {w.tool}"], "a ran version=2 a", RAN)
    w.prints(TOOL, ["sh", "-c", "cd bin; PATH=${PATH%%:*}:: tool; tool"], "a", RAN, "a", RAN,
             env={"PATH": f"/usr/bin::{w.bin}::/bin:"})
    got = w.run(TOOL, "sh", "-c", "echo $PATH")
    t.match(got[0], rf"^/run/brood/brood-\w+/0/bin:{w.search}$", "PATH")


def test_wrap_preload_of_the_user(t):
    w = Wrapping(t)
    w.script("a")
    t.file("own.c", "int own;\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "own.so", "own.c"], check=True)
    t.files.add("own.so")
    own = t.directory + "/own.so"
    for given in (own, f"{own}:{own}", f"{own} {own}", f" {own}"):
        brood = w.start(TOOL + f"[env]\nLD_PRELOAD = '{given}'\n", "printenv", "LD_PRELOAD")
        t.equal(brood.wait(), 0, "status")
        t.match(brood.stdout.decode(), rf"^{given.strip()}:/run/brood/brood-\w+/0/preload.so\n$", "LD_PRELOAD")
    brood = w.start(TOOL + f"reach = path\n[env]\nLD_PRELOAD = {own}\n", "printenv", "LD_PRELOAD")
    t.equal((brood.wait(), brood.stdout.decode()), (0, own + "\n"), "reach = path leaves it alone")
