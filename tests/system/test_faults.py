"""When the system doesn't play along: no /proc, a full or closed stderr, refused system calls; and idleness."""

import os
import re
import signal
import subprocess
import time

from harness import children_of, limit, now_ms, pause, worker

SIMPLE = """
    [supervisor]
    grace = 500ms
    [worker:a]
    start = {start}
    """


def simple(*words):
    return SIMPLE.format(start=worker(*(words or ("say:start", "serve"))))


# --- stderr


def test_closed_stderr(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('show', 'say:start', 'serve')}
        """, stderr=None, before=lambda: os.close(2))
    t.wait_event("a/0 start")
    t.equal(len(t.told("a/0 fds=0,1,2")), 1, "descriptors")
    t.equal(len(t.told("a/0 fd2=/dev/null")), 1, "its place is taken")
    t.equal(brood.stop(signal.SIGTERM, 0) < 1000, True, "the stop")


def test_closed_standard_descriptors(t):
    def close_all():
        for descriptor in (0, 1, 2):
            os.close(descriptor)

    brood = t.brood(f"""
        [worker:a]
        start = {worker('show', 'say:start', 'write:3', 'serve')}
        ready = fd:3
        """, stderr=None, before=close_all)
    t.wait_event("a/0 start")
    t.equal(len(t.told("a/0 fds=0,1,2,3")), 1, "descriptors")
    t.equal(brood.stop(signal.SIGTERM, 0) < 1000, True, "the stop")


def fill(descriptor):
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, True)


def test_full_stderr_does_not_hold_brood_up(t):
    read, write = os.pipe()
    fill(write)
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:1')}
        restart_delay = 5ms
        restart_limit = 0
        [worker:b]
        start = {worker('say:start', 'serve')}
        """, "-v", "-v", stderr=write)
    os.close(write)
    t.wait_event("a/0 start", 20)
    t.wait_event("b/0 start")
    # From here on there is room again: what was lost is counted.
    os.set_blocking(read, False)
    said = b""

    def find():
        nonlocal said
        try:
            said += os.read(read, 1 << 16)
        except BlockingIOError:
            pass
        return re.search(rb"brood: warning: .*\d+.*(lost|dropped)[^\n]*\n", said)

    t.pump(find, "the number of lost records")
    brood.send(signal.SIGTERM)
    t.equal(brood.wait(), 0, "status")
    os.close(read)


def test_full_stderr_does_not_hold_the_stop_up(t):
    read, write = os.pipe()
    fill(write)
    brood = t.brood(simple("say:start", "serve:ignore"), stderr=write)
    os.close(write)
    t.wait_event("a/0 start")
    t.between(brood.stop(signal.SIGTERM, 137), 500, 5000, "the stop")
    os.close(read)


def test_reader_of_stderr_is_gone(t):
    read, write = os.pipe()
    os.close(read)
    brood = t.brood(simple(), stderr=write)
    os.close(write)
    t.wait_event("a/0 start")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")


def test_inherited_stderr_stays_blocking(t):
    read, write = os.pipe()
    brood = t.brood(simple(), "-v", stderr=write)
    t.wait_event("a/0 start")
    t.equal(os.get_blocking(write), True, "the open file belongs to the workers too")
    os.close(write)
    brood.stop(signal.SIGTERM, 0)
    t.equal(os.read(read, 1 << 16)[:6], b"brood:", "records")
    os.close(read)


# --- /proc

NO_PROC = ("sh", "-c", "while umount -n -l /proc 2>/dev/null; do :; done; exec \"$@\"", "sh")


def test_without_proc_as_pid_1(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 500ms
        [worker:web]
        start = {worker('orphan:lost:ignore', 'setsid:polite:delay=50', 'say:start', 'serve')}
        """, namespace_options=("--mount",), in_namespace=NO_PROC)
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 0), 500, 5000, "the stop")
    brood.has("/proc", 1)
    t.equal((len(t.told("lost TERM")), len(t.told("polite TERM"))), (1, 1), "all are asked")


def test_with_the_proc_of_another_pid_namespace(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 500ms
        [worker:web]
        start = {worker('orphan:lost:ignore', 'say:start', 'serve')}
        """, namespace_options=())
    t.other("sleep", "1000")
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 0), 500, 5000, "the stop")
    brood.has("/proc", 1)
    t.equal(t.others[0].poll(), None, "nobody outside is touched")


def test_without_proc_as_a_subreaper(t):
    brood = t.brood(simple("member:m", "say:start", "serve"), mode="subreaper", prefix=("unshare", "--mount", *NO_PROC))
    t.wait_event("a/0 start")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
    brood.has("/proc", 1)


# --- refused system calls: strace plays the kernel that says no


def traced(t, config, *injections, command=None):
    words = ["strace", "-o", t.directory + "/trace"]
    t.files.add("trace")
    for injection in injections:
        words += ["-e", f"inject={injection}"]
    names = ",".join(injection.split(":")[0] for injection in injections)
    return t.brood(config, mode="subreaper", prefix=(*words, "-e", f"trace={names}"), command=command)


def test_fork_is_refused_for_a_while(t):
    brood = traced(t, simple(), "clone,clone3,fork,vfork:error=EAGAIN:when=1..3")
    t.wait_event("a/0 start")
    brood.has("a/0.*cannot fork: EAGAIN", 3)
    brood.stop(signal.SIGTERM, 0)
    brood.has_not("failed")


def test_fork_of_a_primary_is_refused_for_a_while(t):
    brood = traced(t, f"""
        [primary]
        start = {worker('name:primary', 'say:start', 'exit:0')}
        stop = {worker('name:primary', 'say:stop', 'exit:0')}
        """, "clone,clone3,fork,vfork:error=ENOMEM:when=1..2")
    brood.ends(0)
    t.equal(t.story(), ["primary start", "primary stop"], "each once")


def test_fork_of_a_command_is_refused_for_a_while(t):
    brood = traced(t, None, "clone,clone3,fork,vfork:error=EAGAIN:when=1..2",
                   command=[*worker("name:main", "say:start", "exit:4").split()])
    t.equal(brood.wait(), 4, "status")


def test_descriptors_run_out_for_a_while(t):
    brood = traced(t, f"""
        [worker:a]
        start = {worker('say:start', 'write:3', 'serve')}
        ready = fd:3
        restart_delay = 20ms
        """, "pipe2:error=EMFILE:when=1..4")
    t.wait_event("a/0 start")
    brood.wait_record("a/0.*ready -> ready")
    brood.stop(signal.SIGTERM, 0)


# What brood can't begin without, or can do without, or tries again: each of the first calls fails once.
ONCE = {
    "pipe2": ("EMFILE", 4), "epoll_create1": ("EMFILE", 1), "epoll_ctl": ("ENOMEM", 6), "epoll_wait": ("EINTR", 5),
    "epoll_pwait": ("EINTR", 5), "signalfd4": ("EMFILE", 1), "timerfd_create": ("EMFILE", 1),
    "timerfd_settime": ("EINVAL", 3), "clone": ("EAGAIN", 2), "fcntl": ("EMFILE", 5), "openat": ("EMFILE", 8), "open": ("EMFILE", 8), "fork": ("EAGAIN", 2),
    "prctl": ("EINVAL", 2),
    "pidfd_open": ("EMFILE", 3), "pidfd_send_signal": ("ENOSYS", 3), "getdents64": ("ENOMEM", 2),
    "write": ("EAGAIN", 4), "mmap": ("ENOMEM", 3), "prlimit64": ("EPERM", 2), "setrlimit": ("EPERM", 1),
}


def check_one_refusal(t, name, error, number):
    brood = traced(t, simple("orphan:lost:delay=10", "say:start", "serve"), f"{name}:error={error}:when={number}")
    count = len(t.told("a/0 start"))

    def started_or_over():
        return len(t.told("a/0 start")) > count or brood.process.poll() is not None

    t.pump(started_or_over, f"a start, with {name} call {number} = {error}")
    begin = now_ms()
    if brood.process.poll() is None:
        brood.send(signal.SIGTERM)
    status = brood.wait()
    took = now_ms() - begin
    t.notes.append(f"{name} call {number} = {error}: status {status}, {took} ms")
    started = len(t.told("a/0 start")) > count
    refused = (100, 111) if name in ("open", "openat") else (111,)  # a config that can't be read is the user's fault
    t.ok(status == 0 and started or status in refused and not started,
         f"{name} call {number} = {error}: status {status}, started: {started}")
    t.ok(took < 5000 and len(t.told("lost start .*")) == len(t.told("lost TERM")),
         f"{name} call {number} = {error}: the stop took {took} ms, or a straggler was forgotten")
    with open("trace", encoding="utf-8") as file:
        return "INJECTED" in file.read()


@limit(90)
def test_any_call_may_be_refused_once(t):
    """Either brood says that it can't begin, 111, and starts nothing; or it lives with it, and stops as always."""
    injected = 0
    for name, (error, calls) in ONCE.items():
        for number in range(1, calls + 1):
            if not check_one_refusal(t, name, error, number):
                break
            injected += 1
    t.ok(injected >= 20, f"only {injected} calls were refused: does strace work?")


# --- idleness


def calls_during(t, brood, seconds):
    """What strace sees of brood; the call that it was in when strace came doesn't count."""
    path = t.file("trace")
    strace = subprocess.Popen(["strace", "-o", path, "-p", str(brood.pid)], stderr=subprocess.PIPE)
    t.match(strace.stderr.readline().decode(), "attached", "strace")
    time.sleep(seconds)  # the passing of time is what this is about
    strace.send_signal(signal.SIGINT)
    strace.wait()
    strace.stderr.close()
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return [line for line in lines if not re.match(r"(epoll_p?wait2?|restart_syscall)\(.*(unfinished|detached)", line)]


def test_idle_is_idle(t):
    brood = t.brood(simple())
    t.wait_event("a/0 start")
    brood.wait_record("executed -> ready")
    t.equal(calls_during(t, brood, 1), [], "system calls")
    brood.stop(signal.SIGTERM, 0)


@limit(90)
def test_idle_is_idle_with_1000_workers(t):
    brood = t.brood(f"""
        [worker:a]
        start = {pause()}
        count = 1000
        [worker:b]
        start = {worker('say:start', 'notify:READY=1', 'serve')}
        ready = notify
        stable_after = 100ms
        """)
    begin = time.monotonic()
    t.pump(lambda: len([text for text in brood.text() if "-> ready" in text]) >= 1001, "1000 workers", 60)
    t.notes.append(f"1000 workers after {time.monotonic() - begin:.2f} s")
    t.equal(len(children_of(brood.pid)), 1001, "children")
    t.equal(calls_during(t, brood, 2), [], "system calls")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
