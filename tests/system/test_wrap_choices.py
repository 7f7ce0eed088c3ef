"""Which version of a program runs under reach = strict, and the edges of what a config of wraps may say."""

import os

from wrapping import RAN, Wrapping

TOOL = "[wrap:a]\nprograms = tool\nwrapper = a\n"


def two_versions(t):
    w = Wrapping(t)
    w.script("a")
    w.directory("two")
    w.copy("tool", "two/tool", version=2)
    return w


def test_wrap_version_by_path_order(t):
    """The first of the caller's PATH, also where the shim directory is before it, or isn't there at all."""
    w = two_versions(t)
    first, search = f"{w.bin}:{t.directory}/two:/usr/bin:/bin", f"{t.directory}/two:{w.bin}:/usr/bin:/bin"
    orders = [f"PATH={search} exec env tool", f"PATH=${{PATH%%:*}}:{search} exec tool", f"PATH={search}; tool"]
    for reach in ("preload", "strict"):
        for order in orders:
            got = w.run(TOOL + f"reach = {reach}\n", "sh", "-c", order, env={"PATH": first})
            t.equal(got, ["a", *RAN.replace("1", "2").split()], f"{reach}: {order}")


def test_wrap_version_by_path_where_path_has_none(t):
    """A name stands for what was on PATH at the start; a path alone for nothing but itself."""
    w = two_versions(t)
    alone = "PATH=${PATH%%:*} exec tool"
    w.prints(TOOL + "reach = path\n", ["sh", "-c", alone], "a", RAN)
    config = f"[wrap:a]\nprograms = {t.directory}/two/tool\nwrapper = a\n"
    for reach in ("path", "preload"):
        got = w.run(config + f"reach = {reach}\n", "sh", "-c", "tool", status=127, env={"PATH": "/usr/bin:/bin"})
        t.equal(got, [], "its name alone")
    w.prints(config, [t.directory + "/two/tool"], "a", RAN.replace("1", "2"), env={"PATH": "/usr/bin:/bin"})


def test_wrap_root_with_a_blank(t):
    """It ends an entry of LD_PRELOAD; for PATH it is like any other."""
    w = Wrapping(t)
    w.script("a")
    w.directory("a b")
    w.prints(TOOL + f"reach = path\nshim_root = {t.directory}/a b\n", ["tool"], "a", RAN)
    t.equal(os.listdir("a b"), [], "nothing is left")
    status, _, err = t.run("--subreaper", "-c", t.config(TOOL), "--", "tool",
                           env={"SPAWN_WRAP_SHIM_ROOT": t.directory + "/a b"})
    t.equal(status, 0, "a default that can't be used is passed over")
    t.match(err, r"warning: container: .*/a b: has a blank", "and said")


def test_wrap_debug_by_env_section(t):
    w = Wrapping(t)
    w.script("a")
    root = w.directory("root")
    w.prints("[env]\nSPAWN_WRAP_DEBUG = 1\n" + TOOL + f"shim_root = {root}\n", ["tool"], "a", RAN)
    t.equal(len(os.listdir(root)), 1, "directories kept")


def test_wrap_sections_at_most_32(t):
    w = Wrapping(t)
    for i in range(33):
        w.script(f"w{i}")
    sections = [f"[wrap:w{i}]\nprograms = tool\nwrapper = w{i}\n" for i in range(33)]
    w.prints("".join(sections[:32]), ["tool"], *[f"w{i}" for i in range(32)], RAN)
    status, out, _ = t.run("-C", "-c", t.config("".join(sections)), "--", "tool")
    t.equal(status, 100, "status")
    t.match(out, r"^.*:97: error: \[wrap:w32\] one section too many: brood takes at most 32 of \[wrap:NAME\]\n$", "why")


def test_wrap_written_beside_strangers(t):
    """--write-shims removes its own former shims, and nothing that anybody else has put there."""
    w = Wrapping(t)
    w.script("a")
    os.makedirs(w.directory("app") + "/image")
    t.file("app/image/logo.png", "x")
    words = ("-w", "app", "-c", t.config(TOOL), "--", "tool")
    status, _, err = t.run(*words)
    t.equal(status, 111, "status")
    t.match(err, r"app/image is there and is none of brood's; remove it or choose another directory", "why")
    t.ok(os.path.exists("app/image/logo.png"), "it is still there")
    os.rename("app/image", "app/images")
    for _ in range(2):
        t.equal(t.run(*words)[0], 0, "status")
        t.ok(os.path.exists("app/image/0/bin/tool"), "shims")
