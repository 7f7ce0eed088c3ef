"""Readiness by asking: ready = tcp:, unix:, file: and exec:; each kind ready at once, later, never, and at its worst."""

import ctypes
import os
import re
import shlex
import signal
import socket

from harness import children_of, limit, now_ms, pids, stat_of, worker


MS_BIND = 4096


def python(text):
    """A server of a few lines, as a config's value."""
    return " ".join(shlex.quote(word) for word in ("python3", "-c", text))


# Listens after some time, and says when it begins to.
LISTEN = ("import os, signal, socket, sys, time; "
          "signal.sigtimedwait([], {delay}); os.system(\"'{worker}' say:listens\"); "
          "s = socket.socket({family}, {kind}); s.bind({address}); {listen}; signal.pause()")


def listener(delay, address, family="socket.AF_INET", kind="socket.SOCK_STREAM", listen="s.listen()"):
    return python(LISTEN.format(delay=delay, family=family, kind=kind, address=address, listen=listen,
                                worker=worker().strip("'")))


def ready_of(brood, name="a/0"):
    return brood.wait_record(rf"{name}\[\d+\]: ready -> ready")


def descriptors_of(pid):
    return sorted(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd"))


def no_probe_is_left(t, brood):
    """Nothing but the workers is below brood, and brood has no socket."""
    own = children_of(brood.pid)
    for pid in own:
        t.ok(stat_of(pid)[0] != "Z", f"a zombie: {stat_of(pid)}")
    t.equal([kind for kind in descriptors_of(brood.pid) if kind == "socket"], [], "sockets that brood has open")
    return own


def check_ready_later(t, start, ready):
    """Not ready before it listens, ready within the second of the longest pause after it, whoever waits starts then."""
    brood = t.brood(f"""
        [worker:a]
        start = {start}
        ready = {ready}
        [worker:b]
        start = {worker('say:start', 'serve')}
        after = a
        """)
    listens = t.wait_event("a/0 listens")
    record = ready_of(brood)
    t.between(record.ms - listens.ms, 0, 5000, "from listening to ready")
    t.ok(t.wait_event("b/0 start").ms >= listens.ms, "b/0 waits for it")
    t.equal(len(no_probe_is_left(t, brood)), 2, "children of brood")
    brood.stop(signal.SIGTERM, 0)


def test_ready_tcp(t):
    check_ready_later(t, listener(0.4, "('127.0.0.1', 8080)"), "tcp:127.0.0.1:8080")


def test_ready_tcp_of_ipv6(t):
    check_ready_later(t, listener(0.2, "('::1', 8080)", "socket.AF_INET6"), "tcp:[::1]:8080")


def test_ready_tcp_by_star_and_by_name(t):
    """* and a name stand for two addresses each, of which the second one listens."""
    hosts = t.file("hosts", "127.0.0.1 localhost\n# 1.2.3.4 two.test\n127.0.0.1\tone TWO.test # of two\n::1 two.test")
    mounted = ctypes.CDLL(None).mount(hosts.encode(), b"/etc/hosts", None, ctypes.c_ulong(MS_BIND), None)
    t.equal(mounted, 0, "an /etc/hosts of the test's own")
    brood = t.brood(f"""
        [worker:star]
        start = {listener(0.1, "('::1', 8080)", "socket.AF_INET6")}
        ready = tcp:*:8080
        [worker:name]
        start = {listener(0.1, "('::1', 8081)", "socket.AF_INET6")}
        ready = tcp:two.test:8081
        """)
    ready_of(brood, "star/0")
    ready_of(brood, "name/0")
    brood.stop(signal.SIGTERM, 0)


def test_ready_tcp_of_an_unknown_host(t):
    path = t.config(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = tcp:nobody.knows.it:80
        """)
    for options in (("--check", "-c", path), ("-c", path)):
        status, output, errors = t.run(*options)
        t.equal(status, 100, "the status")
        t.match(output + errors, rf"{path}:3: error: \[worker:a\] ready: .*nobody.knows.it:80 is not in /etc/hosts", "fault")
    t.equal(t.story(), [], "nothing was started")


def test_ready_tcp_connected_to_itself_is_not_ready(t):
    """Every port that the kernel may choose as a source is the one that is asked: one probe in a few meets itself."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w", encoding="ascii") as file:
        file.write("40000 40001")
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = tcp:127.0.0.1:40000
        count = 20
        startup_timeout = 3s
        restart = no
        """)
    brood.ends(1, "a/")
    brood.has_not("-> ready")


def test_ready_unix(t):
    path = t.directory + "/socket"
    t.files.add("socket")
    check_ready_later(t, listener(0.3, f"'{path}'", "socket.AF_UNIX"), f"unix:{path}")


def test_ready_unix_of_datagrams(t):
    path = t.directory + "/socket"
    t.files.add("socket")
    check_ready_later(t, listener(0.2, f"'{path}'", "socket.AF_UNIX", "socket.SOCK_DGRAM", "None"), f"unix:{path}")


def test_ready_unix_of_a_dead_socket(t):
    """A file of a server that is gone; and one that listens but has a full backlog is not ready while it is."""
    path = t.directory + "/dead"
    socket.socket(socket.AF_UNIX).bind(path)
    t.files.add("dead")
    full = socket.socket(socket.AF_UNIX)
    full.bind(t.directory + "/full")
    full.listen(0)
    t.files.add("full")
    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(t.directory + "/full")
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = unix:{path}
        startup_timeout = 1s
        restart = no
        on_failure = continue
        [worker:b]
        start = {worker('say:start', 'serve')}
        ready = unix:{t.directory}/full
        """, "-v")
    brood.wait_record(r"probe b/0: not ready: Resource temporarily unavailable")
    brood.wait_record(r"a/0.*not ready in time")
    brood.has_not("b/0.*-> ready")
    full.accept()
    ready_of(brood, "b/0")
    brood.stop(signal.SIGTERM, 0)


def test_ready_file(t):
    """One from before doesn't count, though it is written in the last moment before; one from right after does."""
    path = t.file("flag", "old")
    brood = t.brood(f"""
        [worker:a]
        start = sh -c {shlex.quote(worker('say:start', 'wait:500', 'say:writes') + f'; echo new >{path}; exec ' + worker('serve'))}
        ready = file:{path}
        """)
    writes = t.wait_event("a/0 writes")
    brood.has_not("-> ready")
    t.between(ready_of(brood).ms - writes.ms, 0, 5000, "from the file to ready")
    t.equal(len(no_probe_is_left(t, brood)), 1, "children of brood")
    brood.stop(signal.SIGTERM, 0)


@limit(60)
def test_ready_file_written_right_around_the_start(t):
    """The first thing that a worker does counts, the last thing before its fork doesn't; file systems have a clock that
    stands still for longer than that, but newer ones stamp exactly what was looked at before."""
    count = 30
    new = "".join(f"""
        [worker:new{i}]
        start = sh -c 'exec >{t.directory}/new{i}; exec sleep 1000'
        ready = file:{t.directory}/new{i}
        """ for i in range(count))
    old = "".join(f"""
        [worker:old{i}]
        start = sleep 1000
        ready = file:{t.directory}/old{i}
        """ for i in range(count))
    files = " ".join(f"{t.directory}/old{i}" for i in range(count))
    t.files |= {f"{name}{i}" for name in ("new", "old") for i in range(count)}
    brood = t.brood(f"""
        [primary]
        start = sh -c 'touch {files}; stat {files} >/dev/null; exec touch {files}'
        {old}
        {new}
        """)
    for i in range(count):
        ready_of(brood, f"new{i}/0")
    t.elapse(1500, now_ms())
    brood.has_not("old.*-> ready")
    brood.stop(signal.SIGTERM, 0)


def test_ready_exec(t):
    """As the worker's own process has it: directory, environment, WORKER_*; and WORKER_PID; nothing on stdin."""
    probe = t.file("probe.sh", f"""#!/bin/sh
        {worker('name:probe', 'env:WORKER_PID', 'env:WORKER_NAME', 'env:MARK', 'env:NOTIFY_SOCKET', 'show')}
        test -e {t.directory}/up
        """, 0o755)
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'show', 'serve')}
        ready = exec:{probe}
        working_directory = /usr
        env.MARK = here
        """)
    t.wait_event("probe MARK=.*", 3)
    brood.has_not("-> ready")
    t.file("up")
    ready_of(brood)
    told = len(t.told("probe MARK=here"))
    own = re.search(r"pid=(\d+) ppid=(\d+)", t.wait_event("a/0 pid=.*").what)
    t.equal({event.text for event in t.told("probe WORKER_.*")},
            {f"probe WORKER_PID={own.group(1)}", "probe WORKER_NAME=a"}, "what a probe is told")
    t.equal(len(t.told("probe NOTIFY_SOCKET=.unset.")), told, "no socket is its own")
    t.equal({event.what for event in t.told("probe cwd=.*")}, {"cwd=/usr"}, "its directory")
    t.equal({event.what for event in t.told("probe fd0=.*")}, {"fd0=/dev/null"}, "its standard input")
    for event in t.told("probe pid=.*"):
        found = re.search(r"pgid=(\d+) sid=(\d+)", event.what)
        t.ok(found.group(1) == found.group(2) != own.group(1), "a session of its own")
    t.elapse(1200, now_ms())
    t.equal(len(t.told("probe MARK=here")), told, "probes once it was ready")
    t.equal(len(no_probe_is_left(t, brood)), 1, "children of brood")
    brood.stop(signal.SIGTERM, 0)


def test_ready_exec_that_is_missing(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = exec:/no/such/probe
        startup_timeout = 1s
        restart = no
        """)
    brood.ends(1, "a/0")
    brood.has(r"brood: warning: probe a/0: cannot execute /no/such/probe: No such file", 1)


def test_ready_exec_that_hangs(t):
    """Given up after two seconds with all of its group, and tried again; nothing of it is left, not even for a moment."""
    before = now_ms()
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = exec:{worker('name:probe', 'member:below:ignore', 'say:hangs', 'serve:ignore')}
        """)
    t.wait_event("probe hangs")
    second = t.wait_event("probe hangs", 2)
    t.between(second.ms - before, 2097, 8000, "two seconds and the first delay")
    below = [int(event.what.split()[1]) for event in t.told("below start .*")]
    t.equal(len(below), 2, "processes of two probes")
    alive = {int(inner) for pid in pids() for inner in re.findall(r"NSpid:.*\t(\d+)$", status_of(pid), re.M)}
    t.ok(below[0] not in alive, "the first one's process is gone")
    t.equal(len(children_of(brood.pid)), 2, "the worker and one probe")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop, which a probe doesn't hold up")


def status_of(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def test_ready_exec_leaves_nobody(t):
    """A probe that ends and leaves a process in its group: nobody waits for that one, and it doesn't pile up."""
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = exec:{worker('name:probe', 'member:below:ignore', 'say:leaves', 'exit:1')}
        """)
    t.wait_event("probe leaves", 3)
    t.poll(lambda: len(children_of(brood.pid)) == 1, "the worker alone")
    t.ok(len(t.told("below start .*")) >= 3, "there was somebody each time")
    t.ok(len(t.told("below (TERM|KILL)")) == 0, "nobody asked them")
    brood.stop(signal.SIGTERM, 0)


def test_ready_exec_is_killed_with_its_worker(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'wait:300', 'exit:3')}
        ready = exec:{worker('name:probe', 'say:hangs', 'serve:ignore')}
        restart = no
        """)
    t.between(brood.wait(), 3, 3, "exit status")
    t.ok(now_ms() - t.wait_event("probe hangs").ms < 1950, "nobody waits for the probe")


def test_ready_exec_outlives_a_restart_by_nothing(t):
    """A worker that dies while it is probed and comes again is probed anew; an answer of before isn't taken for it."""
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'wait:200', 'kill:9')}
        ready = exec:{worker('name:probe', 'wait:150', 'exit:1')}
        restart_delay = 10ms..10ms
        restart_limit = 5/1m
        """)
    brood.ends(137, "a/0")
    t.equal(len(t.told("a/0 start")), 6, "starts")
    brood.has_not("-> ready")


def test_ready_startup_timeout(t):
    """Each kind that never becomes ready is a failed start: TERM, no stop hook, its own status 0 gives 1."""
    for number, ready in enumerate(("tcp:127.0.0.1:9", "unix:/no/such", "file:/no/such", "exec:false")):
        before = now_ms()
        brood = t.brood(f"""
            [worker:w{number}]
            start = {worker('say:start', 'serve')}
            ready = {ready}
            startup_timeout = 400ms
            restart = no
            stop = {worker('name:hook', 'say:hook', 'exit:0')}
            """)
        brood.ends(1, f"w{number}/0")
        brood.has("not ready in time, TERM -> stopping", 1)
        t.between(t.told(f"w{number}/0 TERM")[0].ms - before, 398, 5000, "its time")
    t.equal(t.told("hook .*"), [], "no hook")


def test_ready_costs_nothing_once_ready(t):
    brood = t.brood("""
        [worker:a]
        start = sleep 1000
        ready = exec:true
        [worker:c]
        start = sh -c ': >/tmp/test/up; exec sleep 1000'
        ready = file:/tmp/test/up
        """)
    t.files.add("up")
    ready_of(brood, "a/0")
    ready_of(brood, "c/0")
    # What the last probe left behind is over when it is: its CHLD, and the timer that it had for 2 s at the most. A probe
    # that went on would come at least once a second.
    counts = []

    def rests():
        counts.append(switches_of(brood)[0])
        return len(counts) > 1 and counts[-1] == counts[-2]

    t.poll(rests, "two seconds of rest", every_ms=2100)
    t.elapse(2500, now_ms())
    t.equal(switches_of(brood)[0], counts[-1], "how often brood has waited for something")
    brood.stop(signal.SIGTERM, 0)


def switches_of(brood):
    return re.findall(r"ctxt_switches:\s*(\d+)", status_of(brood.pid))


@limit(60)
def test_ready_of_300_workers_at_once(t):
    """One probe for each in flight, by processes and by connects; 900 in all."""
    server = socket.socket()
    server.bind(("127.0.0.1", 8080))
    server.listen(1024)
    brood = t.brood("""
        [worker:exec]
        start = sleep 1000
        ready = exec:sh -c 'sleep 0.2'
        count = 300
        [worker:file]
        start = sh -c ': >/tmp/test/up; exec sleep 1000'
        ready = file:/tmp/test/up
        count = 300
        [worker:tcp]
        start = sleep 1000
        ready = tcp:127.0.0.1:8080
        count = 300
        """)
    t.files.add("up")
    t.pump(lambda: len([text for text in brood.text() if "ready -> ready" in text]) == 900, "900 ready workers", 40)
    t.poll(lambda: len(children_of(brood.pid)) == 900, "the workers alone")
    no_probe_is_left(t, brood)
    server.close()
    brood.stop(signal.SIGTERM, 0)


def test_ready_of_real_servers(t):
    """nginx and a node server by tcp; what asks them is started when both answer."""
    t.file("nginx.conf", f"""
        daemon off; pid {t.directory}/nginx.pid; error_log /dev/null;
        events {{ }}
        http {{ access_log off; client_body_temp_path {t.directory}; server {{ listen 127.0.0.1:8080; return 200 nginx; }} }}
        """)
    brood = t.brood(f"""
        [worker:proxy]
        start = nginx -c {t.directory}/nginx.conf -e /dev/null
        ready = tcp:127.0.0.1:8080
        [worker:api]
        start = node -e "setTimeout(() => require('http').createServer((q, r) => r.end('node')).listen(8081), 300)"
        ready = tcp:*:8081
        [worker:client]
        start = sh -c 'curl -s 127.0.0.1:8080 >got; curl -s 127.0.0.1:8081 >>got; exec sleep 1000'
        after = proxy, api
        ready = exec:grep -q nginxnode {t.directory}/got
        """)
    t.files.add("got")
    ready_of(brood, "client/0")
    brood.stop(signal.SIGTERM, 0)


def test_ready_exec_that_cannot_be_forked(t):
    """No process for the probe: it is tried again, and the worker is none the worse for it."""
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = exec:{worker('name:probe', 'say:probes', 'exit:0')}
        """, prefix=("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3,fork",
                     "-e", "inject=clone,clone3,fork:error=EAGAIN:when=2..3"), mode="subreaper")
    ready_of(brood)
    brood.has("probe a/0: cannot be started: Resource temporarily unavailable", 1)
    t.equal(len(t.told("probe probes")), 1, "probes that ran")
    brood.stop(signal.SIGTERM, 0)
