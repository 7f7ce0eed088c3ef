"""Who else is there: a brood above or below, another init above, another brood beside, processes of nobody's."""

import os
import signal

from harness import OPTIONS, children_of, stat_of, worker, worker_argv


def brood_words(*options):
    return " ".join([OPTIONS["brood"], *options])


def program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def below(pid):
    """All descendants of pid, parents before children."""
    found = []
    for child in children_of(pid):
        found += [child, *below(child)]
    return found


def find(t, brood, name):
    """The first process below (of unshare, tini …) that runs this program."""
    return t.poll(lambda: next((pid for pid in below(brood.process.pid) if program(pid) == name), None), name, 5)


# --- brood below brood


def check_brood_below_brood(t, start, **keywords):
    """The inner brood is a worker of the outer one; what is below it is asked once, by one of them."""
    brood = t.brood(f"""
        [supervisor]
        grace = 4s
        [worker:inner]
        start = {start} {worker('name:main', 'orphan:lost:delay=100', 'say:start', 'serve')}
        """, **keywords)
    t.wait_event("main start")
    t.between(brood.stop(signal.SIGTERM, 0, "stopped by TERM"), 100, 3900, "the stop")
    t.equal([text for text in t.story({"main"}) if text != "main CONT"], ["main start", "main TERM"], "asked once")
    t.equal([text.split(" ")[1] for text in t.story({"lost"})], ["start", "TERM", "CONT"], "the straggler, too")


def test_brood_is_a_worker_of_brood(t):
    check_brood_below_brood(t, brood_words("--"))


def test_brood_is_a_worker_of_a_subreaper(t):
    check_brood_below_brood(t, brood_words("--subreaper", "--"), mode="subreaper")


def test_brood_without_subreaper_is_a_worker_of_brood(t):
    """The straggler is the outer one's then."""
    check_brood_below_brood(t, brood_words("--no-subreaper", "--"))


def test_brood_is_pid_1_of_a_namespace_below_brood(t):
    check_brood_below_brood(t, "unshare --pid --fork --mount-proc --kill-child " + brood_words("--"))


def test_sandbox_is_a_worker_of_brood(t):
    check_brood_below_brood(t, brood_words("-n", "--"))


def test_configs_below_each_other(t):
    inner = t.file("inner.ini", f"[worker:deep]\nstart = {worker('say:start', 'serve')}\ncount = 3\n")
    brood = t.brood(f"""
        [worker:middle]
        start = {brood_words('-c', inner)}
        """)
    t.wait_event("deep/[0-2] start", 3)
    brood.stop(signal.SIGTERM, 0)
    for index in range(3):
        t.equal(len(t.told(f"deep/{index} TERM")), 1, "asked once")


def test_inner_brood_that_is_killed_leaves_nobody(t):
    """Its workers lead sessions of their own: the outer brood has adopted them and stops them at the end."""
    brood = t.brood(f"""
        [supervisor]
        grace = 2s
        [worker:inner]
        start = {brood_words('--')} {worker('name:main', 'say:start', 'serve')}
        restart = no
        """)
    t.wait_event("main start")
    (inner,) = children_of(brood.pid)
    os.kill(inner, signal.SIGKILL)
    brood.ends(137, "inner/0 failed for good")
    t.equal(len(t.told("main TERM")), 1, "asked")


def test_status_through_three_broods(t):
    for words, status in ((["exit:9"], 9), (["kill:11"], 139)):
        brood = t.brood(command=[OPTIONS["brood"], "--", OPTIONS["brood"], "-s", "--", *worker_argv(*words)])
        t.equal(brood.wait(), status, "status")
    brood = t.brood(None, "-m", command=[OPTIONS["brood"], "-m", "--", *worker_argv("kill:11")], mode="child")
    t.equal(brood.wait(), -11, "mirrored twice")


# --- below another init


def below_init(t, *init, config=None, command=None):
    """brood under this program as PID 1 of a namespace; returns it, and the pid of that init."""
    brood = t.brood(config, command=command, mode="child",
                    prefix=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *init))
    return brood, find(t, brood, init[0])


INITS = (("tini", "--"), ("tini", "-g", "--"), ("dumb-init", "--"), ("dumb-init", "-c", "--"), ("catatonit", "--"))


def test_config_below_another_init(t):
    """The init is sent the TERM; dumb-init's and tini -g's reach the whole group, which is brood alone."""
    for init in INITS:
        t.events.clear()
        brood, pid = below_init(t, *init, config=f"""
            [worker:web]
            start = {worker('orphan:lost:delay=50', 'say:start', 'serve')}
            count = 2
            """)
        t.wait_event("web/[01] start", 2)
        os.kill(pid, signal.SIGTERM)
        t.equal(brood.wait(), 0, f"{init}: status")
        brood.has("exit 0: stopped by TERM", 1)
        for name in ("web/0", "web/1"):
            t.equal(len(t.told(f"{name} TERM")), 1, f"{init}: asked once")
        t.equal(len(t.told("lost TERM")), 2, f"{init}: brood is a subreaper, the stragglers are its own")


def test_command_below_another_init(t):
    for init in INITS:
        t.events.clear()
        brood, pid = below_init(t, *init, command=worker_argv("name:main", "say:start", "serve:exit=5"))
        t.wait_event("main start")
        os.kill(pid, signal.SIGTERM)
        t.equal(brood.wait(), 5, f"{init}: status")
        t.equal(len(t.told("main TERM")), 1, f"{init}: asked once")


# --- processes of nobody's: a shared PID namespace, as --pid=host


def test_neighbours_in_a_shared_namespace_are_left_alone(t):
    """Sisters, their children, orphans of theirs that PID 1 has adopted; before brood was started, and after."""
    t.other(*worker_argv("name:before", "member:before-member:", "setsid:before-session:", "orphan:before-orphan:",
                         "say:ready", "serve"))
    t.wait_event("before ready")
    brood = t.brood(f"""
        [supervisor]
        grace = 400ms
        [worker:web]
        start = {worker('orphan:mine:ignore', 'setsid:mine-too:ignore', 'say:start', 'serve:ignore')}
        """, mode="child")
    t.wait_event("web/0 start")
    t.other(*worker_argv("name:after", "member:after-member:", "orphan:after-orphan:", "say:ready", "serve"))
    t.wait_event("after ready")
    t.between(brood.stop(signal.SIGTERM, 137), 400, 5000, "the stop")
    t.equal((len(t.told("mine TERM")), len(t.told("mine-too TERM"))), (1, 1), "brood's own are asked")
    others = [event for event in t.events if event.name.startswith(("before", "after"))]
    told = [event.text for event in others if event.what.split(" ")[0] not in ("start", "ready")]
    t.equal(told, [], "nobody else is")
    for event in others:
        if event.what.startswith("start"):
            pid = int(event.what.split(" ")[1])
            t.ok(stat_of(pid) and stat_of(pid)[0] != "Z", f"{event.name} lives")
            os.kill(pid, signal.SIGKILL)


# --- two broods side by side


def beside(name):
    return f"""
        [supervisor]
        grace = 400ms
        [wrap:w]
        programs = true
        wrapper = /bin/echo
        [worker:{name}]
        start = {worker(f'orphan:{name}-lost:ignore', 'notify:READY=1', 'say:start', 'serve')}
        ready = notify
        """


def start_beside(t, name):
    os.makedirs("/run/brood", exist_ok=True)  # a brood that has made it removes it
    config = t.file(f"{name}.ini", "\n".join(line.strip() for line in beside(name).split("\n")))
    brood = t.brood(config, mode="child")
    brood.wait_record(f"{name}/0.*ready -> ready")
    t.wait_event(f"{name}/0 start")
    return brood


def files_of_brood():
    return {os.path.join(directory, name)
            for directory, names, files in os.walk("/run/brood") for name in names + files}


def test_two_broods_side_by_side(t):
    """Each has its sockets and shims; what one does at its end touches nothing of the other."""
    one = start_beside(t, "one")
    files = files_of_brood()
    two = start_beside(t, "two")
    others = files_of_brood() - files
    t.ok(files and others, f"each has its own: {files}, {others}")
    one.stop(signal.SIGTERM, 0)
    t.equal(files_of_brood(), others, "the one's are gone, the other's are there")
    t.equal([text for text in t.story({"two/0", "two-lost"}) if "start" not in text], [], "nobody of two is asked")
    three = start_beside(t, "three")
    three.stop(signal.SIGTERM, 0)
    t.equal(files_of_brood(), others, "a third one takes nothing away")
    two.stop(signal.SIGTERM, 0)
    t.equal((len(t.told("two/0 TERM")), len(t.told("two-lost TERM"))), (1, 1), "its own time has come")
    os.rmdir("/run/brood")  # it is empty


def test_killed_brood_beside_a_living_one(t):
    """The shims and sockets that it left are removed at the next start, those of the living one are not."""
    living = start_beside(t, "living")
    kept = files_of_brood()
    killed = start_beside(t, "killed")
    left = below(killed.pid)
    killed.send(signal.SIGKILL)
    t.equal(killed.wait(), -signal.SIGKILL, "status")
    for pid in [*left, *(int(event.what.split(" ")[1]) for event in t.told("killed-lost start .*"))]:
        if stat_of(pid):
            os.kill(pid, signal.SIGKILL)
    stale = files_of_brood() - kept
    for name in ("true", "0"):
        t.ok(any(path.endswith("/" + name) for path in stale), f"shims and a notify socket are left: {stale}")
    new = start_beside(t, "new")
    t.equal(stale & files_of_brood(), set(), "now they are gone")
    t.ok(kept <= files_of_brood(), "the living one's are not")
    new.stop(signal.SIGTERM, 0)
    living.stop(signal.SIGTERM, 0)
    os.rmdir("/run/brood")  # it is empty


def test_termination_log_of_two_broods(t):
    """Whoever ends last has written it, as a whole: nothing of the longer line before is left."""
    t.files.add("dev")
    own_dev = ("mkdir -p dev && cp -a /dev/null dev/ && touch dev/termination-log && mount -n --bind dev /dev && "
               "\"$0\" -- sh -c 'exit 77'; \"$0\" -- sh -c 'exit 3'; exit $?")
    process = t.other("unshare", "--mount", "sh", "-c", own_dev, OPTIONS["brood"])
    t.equal(process.wait(10), 3, "status")
    with open("dev/termination-log", encoding="utf-8") as file:
        t.equal(file.read(), "exit 3: main exited 3\n", "the log")
