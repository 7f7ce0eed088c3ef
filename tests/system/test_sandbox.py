"""--sandbox: PID 1 of namespaces of its own, with and without privilege."""

import os
import shutil
import signal

from harness import OPTIONS, now_ms, worker, worker_argv


def as_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def sandbox(t, config, *options, nobody=False, **keywords):
    """As nobody: from copies, since the repository may lie where nobody can't go."""
    if not nobody:
        return t.brood(config, "--sandbox", *options, mode="child", **keywords)
    t.copy_of("worker")
    return t.brood(config, "--sandbox", *options, mode="child", path=t.copy_of("brood"), before=as_nobody, **keywords)


def check_stop(t, nobody):
    program = t.directory + "/worker" if nobody else OPTIONS["programs"] + "/worker"
    brood = sandbox(t, f"""
        [worker:web]
        start = {program} show orphan:lost:ignore say:start serve:delay=50
        count = 2
        [supervisor]
        grace = 500ms
        """, nobody=nobody)
    t.wait_event("web/0 start")
    t.wait_event("web/1 start")
    t.equal(len(t.told(r"web/. pid=\d+ ppid=1 .*")), 2, "the inner brood is PID 1")
    t.between(brood.stop(signal.SIGTERM, 0, "TERM"), 500, 5000, "the stop")
    t.equal(len(t.told("web/. TERM")), 2, "each gets TERM once")
    t.equal(len(t.told("lost TERM")), 2, "stragglers too")


def test_sandbox_stops(t):
    check_stop(t, nobody=False)


def test_sandbox_stops_without_privilege(t):
    check_stop(t, nobody=True)


def test_sandbox_status(t):
    for nobody in (False, True):
        brood = sandbox(t, None, command=["sh", "-c", "echo $$; exit 5"], nobody=nobody, keep_stdout=True)
        t.equal(brood.wait(), 5, "status")
        t.ok(int(brood.stdout) < 10, "a PID namespace of its own")


def test_sandbox_of_a_failure(t):
    brood = sandbox(t, f"""
        [worker:web]
        start = {worker('say:start', 'exit:7')}
        restart = no
        """)
    brood.ends(7, "web/0")


def test_sandbox_with_a_worker_that_ignores_term(t):
    brood = sandbox(t, f"""
        [worker:web]
        start = {worker('say:start', 'serve:ignore')}
        """, "-t", "400ms")
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 137, "web/0"), 400, 5000, "the stop")


def test_sandbox_forwards_signals(t):
    brood = sandbox(t, None, command=worker_argv("name:main", "say:start", "serve:die"))
    t.wait_event("main start")
    brood.send(signal.SIGUSR1)
    t.wait_event("main USR1")
    brood.stop(signal.SIGTERM, 143)


def test_sandbox_mounts_are_its_own(t):
    command = "touch /run/inside && hostname && ls /run && ls -d /proc/1 && readlink /proc/1/exe"
    brood = sandbox(t, None, command=["sh", "-c", command], keep_stdout=True)
    t.equal(brood.wait(), 0, "status")
    lines = brood.stdout.decode().split()
    t.ok("inside" in lines and OPTIONS["brood"] in lines, f"its own /run and /proc: {lines}")
    t.ok(not os.path.exists("/run/inside"), "nothing of it is left outside")


def test_sandbox_inner_brood_dies_with_the_outer(t):
    brood = sandbox(t, f"""
        [worker:web]
        start = {worker('say:start', 'serve:ignore')}
        """)
    t.wait_event("web/0 start")
    begin = now_ms()
    brood.send(signal.SIGKILL)
    t.equal(brood.wait(), -9, "the outer one is killed")
    t.ok(now_ms() - begin < 5000, "and nothing is left, as the runner checks")


def test_sandbox_check_of_config_faults(t):
    status, _, err = t.run("--sandbox", "-c", t.file("app.ini", "[worker:a]\nstart = true\nnonsense = 1\n"))
    t.equal(status, 100, "status")
    t.match(err, "app.ini:3: error", "the fault")


LIST_TMP = ["sh", "-c", "ls -A /tmp; touch /tmp/inside"]


def test_sandbox_tmp_is_private(t):
    t.file("outside")
    path = t.copy_of("brood", "/srv")
    for before in (None, as_nobody):
        brood = t.brood(None, "--sandbox", command=LIST_TMP, mode="child", keep_stdout=True, cwd="/", path=path,
                        before=before)
        t.equal((brood.wait(), brood.stdout), (0, b""), "status, and what is in /tmp")
        t.ok(not os.path.exists("/tmp/inside"), "nothing of it is left outside")


def test_sandbox_has_broods_name(t):
    for options in ((), ("--mirror",)):
        brood = t.brood(None, "--sandbox", *options, command=["cat", "/proc/1/comm", "/proc/self/comm"], mode="child",
                        keep_stdout=True)
        t.equal((brood.wait(), brood.stdout), (0, b"brood\ncat\n"), "status, and the names")


def test_sandbox_tmp_is_shared_with_whoever_works_there(t):
    """The config, the working directory or a command, by a path or by PATH, lies in it: then it is the one outside."""
    t.file("outside")
    script = t.file("list", "#!/bin/sh\nls -A /tmp/test\n", 0o755)
    config = t.file("app.ini", "[worker:a]\nstart = ls -A /tmp/test\nrestart = no\n")
    with open("/srv/work.ini", "w", encoding="utf-8") as file:
        file.write("[worker:a]\nstart = ls -A .\nworking_directory = /tmp/test\nrestart = no\n")
    with open("/srv/path.ini", "w", encoding="utf-8") as file:
        file.write("[worker:a]\nstart = list\nenv.PATH = /bin:/tmp/test\nrestart = no\n")
    path = {"PATH": "/bin:" + t.directory}
    for case in ({"config": config, "cwd": "/"}, {"config": "/srv/work.ini", "cwd": "/"},
                 {"config": "/srv/path.ini", "cwd": "/"}, {"command": ["list"], "cwd": "/", "env": path},
                 {"command": [script], "cwd": "/"}, {"command": ["ls", "-A", "/tmp/test"], "cwd": t.directory}):
        brood = t.brood(case.get("config"), "--sandbox", command=case.get("command"), mode="child", keep_stdout=True,
                        cwd=case["cwd"], env=case.get("env", {}))
        t.equal(brood.wait(), 0, f"status of {case}")
        t.ok(b"outside" in brood.stdout.split(), f"what {case} sees: {brood.stdout}")


def test_sandbox_keeps_what_resolv_conf_points_at(t):
    """systemd-resolved's, resolvconf's and NetworkManager's point into /run."""
    os.makedirs("/run/resolver")
    t.file("resolv.conf", "nameserver 192.0.2.53\n")
    shutil.copy(t.directory + "/resolv.conf", "/run/resolver/stub.conf")
    os.symlink("/run/resolver/stub.conf", t.directory + "/link")
    t.files.add("link")
    script = (f"mount -n --bind {t.directory} /mnt && mount -n -t tmpfs tmpfs /etc && "
              "cp -P /mnt/link /etc/resolv.conf && exec \"$@\"")
    try:
        brood = t.brood(None, "--sandbox", command=["sh", "-c", "cat /etc/resolv.conf; ls /run"], mode="child",
                        keep_stdout=True, prefix=["unshare", "--mount", "sh", "-c", script, "sh"])
        t.equal((brood.wait(), brood.stdout), (0, b"nameserver 192.0.2.53\nresolver\n"), "status and stdout")
    finally:
        shutil.rmtree("/run/resolver")


def refused(t, prefix, *causes):
    """Nothing is started, and the cause has a name."""
    brood = t.brood(None, "--sandbox", command=worker_argv("name:main", "say:start"), mode="child", prefix=prefix)
    t.equal(brood.wait(), 111, "status")
    for cause in causes:
        brood.has(cause)
    t.equal(t.story(), [], "nothing was started")


def test_sandbox_refused_by_a_limit(t):
    namespaces = ["unshare", "--user", "--map-root-user", "--mount"]
    inside = "echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -sys_admin \"$@\""
    refused(t, [*namespaces, "sh", "-c", inside, "sh"], "user.max_user_namespaces")


def test_sandbox_refused_by_a_masked_proc(t):
    """As in a container of Docker's that may make user namespaces: its /proc has parts that one may not see."""
    namespaces = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"]
    inside = "mount -n --bind /dev/null /proc/version && exec setpriv --bounding-set -sys_admin --inh-caps=-all \"$@\""
    refused(t, [*namespaces, "sh", "-c", inside, "sh"], "masked", "systempaths=unconfined")
