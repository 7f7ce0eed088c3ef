"""broodctl: its command line, and import of the configs that tests/import has, as images of real programs have them."""

import os
import re
import subprocess

from harness import OPTIONS, PATIENCE

IMPORTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "import")


def client(t, *words, **keywords):
    path = os.path.join(os.path.dirname(OPTIONS["brood"]), "broodctl")
    if "input" not in keywords:
        keywords.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.run([path, *words], env=t.environment, capture_output=True, timeout=PATIENCE, text=True,
                             check=False, **keywords)
    t.notes.append(f"broodctl {' '.join(words)}: {process.returncode}\n{process.stdout}\n{process.stderr}")
    return process.returncode, process.stdout, process.stderr


def test_broodctl_version_and_help(t):
    for option in ("-V", "--version"):
        status, out, err = client(t, option)
        t.equal((status, err), (0, ""), option)
        t.match(out, r"\Abroodctl \d+\.\d+\.\d+\n\Z", "the version")
        t.equal(out.split()[1], t.run("--version")[1].split()[1], "brood's version")
    for option in ("-h", "--help"):
        status, out, err = client(t, option)
        t.equal((status, err), (0, ""), option)
        t.ok("import FILE" in out, "the command is not in the help")


def test_broodctl_wrong_usage(t):
    for words in ([], ["--nonsense"], ["nonsense"], ["import"], ["import", "a", "b"], ["import", "--x"], [""]):
        status, out, err = client(t, *words)
        t.equal((status, out), (2, ""), f"broodctl {words}")
        t.match(err, r"\Abroodctl: error: [^\n]+; see broodctl --help\n\Z", "one line on stderr")


def test_broodctl_import_that_fails(t):
    status, out, err = client(t, "import", "/nowhere/x.conf")
    t.equal((status, out, err), (1, "", "broodctl: error: /nowhere/x.conf: No such file or directory\n"), "no file")
    t.equal(client(t, "import", "/usr")[0], 1, "a directory")
    status, out, err = client(t, "import", "/dev/zero")
    t.equal((status, out, err), (1, "", "broodctl: error: /dev/zero: is larger than 1 MiB\n"), "a file without an end")
    path = t.file("faulty.conf", "[program:x]\ncommand=x\nnumprocs=no\nword\n")
    status, out, err = client(t, "import", path)
    t.equal((status, out), (1, ""), "faults: nothing is printed")
    t.match(err, rf"\A{path}:3: error: numprocs: .*\n{path}:4: error: .*\n\Z", "each with its line")
    t.equal(client(t, "import", "-", input="")[2].split(":")[0], "<stdin>", "standard input's name")
    with open("/dev/full", "w", encoding="ascii") as full:
        path = os.path.dirname(OPTIONS["brood"]) + "/broodctl"
        words = [path, "import", IMPORTS + "/desktop.conf"]
        process = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False, timeout=PATIENCE)
    t.equal(process.returncode, 1, "status when nothing could be written")
    t.match(process.stderr.decode(), "standard output: No space left", "the reason")


def test_broodctl_import_of_real_images(t):
    """Byte for byte as in tests/import; and brood takes each. The users of these images are not on this machine."""
    names = sorted(name[:-5] for name in os.listdir(IMPORTS) if name.endswith(".conf"))
    t.ok(len(names) >= 8, "fewer configs than there were")
    for name in names:
        status, out, err = client(t, "import", name + ".conf", cwd=IMPORTS)
        t.equal((status, err), (0, ""), name)
        with open(f"{IMPORTS}/{name}.ini", encoding="utf-8") as file:
            t.equal(out, file.read(), name)
        with open(f"{IMPORTS}/{name}.conf", encoding="utf-8-sig") as file:
            source = file.read()
        for line in re.findall(r"^; line (\d+): (\w+)=", out, re.M):
            t.match(source.split("\n")[int(line[0]) - 1].lower(), rf"^\s*{line[1]}\b", f"{name}: line {line[0]}")
        path = t.file("imported.ini", re.sub(r"\b(user ?= ?)(?:app|shop|www-data)\b", r"\g<1>root", out))
        t.equal(t.run("--check", "-c", path)[:2], (0, ""), f"brood --check of {name}")


def test_broodctl_import_here(t):
    path = t.file("here.conf", "[program:x]\ncommand=%(here)s/x\n")
    t.match(client(t, "import", path)[1], "\nstart = /tmp/test/x\n", "beside the file")
    with open(path, encoding="ascii") as file:
        out = client(t, "import", "-", stdin=file, cwd="/usr")[1]
    t.match(out, "\nstart = /usr/x\n", "standard input: where broodctl was started")


def test_broodctl_import_runs(t):
    """What was imported runs: words, variables, numbers of processes, a success status that isn't 0."""
    program = OPTIONS["programs"] + "/worker"
    directory = os.path.dirname(t.file("say:all", ""))  # which a shell would find in say:a*
    path = t.file("run.conf", f"""
[supervisord]
environment=GREETING="hello, %(ENV_NAME)s"

[program:show]
command={program} 'say:%(ENV_NAME)s and  "more"' env:GREETING env:OWN exit:3
environment=OWN='it "is; %%'
exitcodes=3

[program:bare]
command={program} %(ENV_WORDS)s serve
directory={directory}

[program:stays]
command={program} say:%(program_name)s-%(process_num)02d serve
numprocs=2
numprocs_start=7
""")
    status, out, err = client(t, "import", path)
    t.equal((status, err), (0, ""), "the import")
    brood = t.brood(t.file("run.ini", out), env={"NAME": "world", "WORDS": "say:one say:a*"})
    t.wait_event("bare/0 one")
    t.wait_event(r"bare/0 a\*")
    t.wait_event("stays_7/0 stays-07")
    t.wait_event("stays_8/0 stays-08")
    brood.wait_record("show/0.*completed")
    t.equal(t.story(["show/0"]), ['show/0 world and  "more"', "show/0 GREETING=hello, world", 'show/0 OWN=it "is; %'],
            "what it was given")
    brood.stop()
