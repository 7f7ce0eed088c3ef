"""output = prefix and json: whole lines in order, whatever the workers write and whatever reads brood's output."""

import fcntl
import hashlib
import json
import os
import pty
import re
import select
import signal

from harness import limit, now_ms, pids, status_field, worker

MIB = 1 << 20


def lines_of(data, name):
    return [line[len(name) + 3:] for line in data.decode().splitlines() if line.startswith(name + " | ")]


def stalled_pipe():
    """A pipe of 64 KiB that nobody reads until somebody does."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    return read, write


def read_all(t, brood, read):
    """Everything that comes through a pipe until brood has ended."""
    pieces = []

    def take():
        while select.select([read], [], [], 0)[0]:
            piece = os.read(read, MIB)
            if not piece:
                return brood.process.poll() is not None
            pieces.append(piece)
        return False

    t.pump(take, "the end of brood's output", 60)
    os.close(read)
    return b"".join(pieces)


def is_full(write):
    return not select.select([], [write], [], 0)[1]


def written_by(name):
    """Bytes that the one process of this name has written so far."""
    pid, = [pid for pid in pids() if status_field(pid, "Name") == name]
    with open(f"/proc/{pid}/io", encoding="utf-8") as file:
        return int(re.search(r"^wchar: (\d+)$", file.read(), re.M).group(1))


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_output_prefix(t):
    brood = t.brood("""
        [worker:web]
        count = 2
        start = sh -c 'echo one; echo two >&2; printf "three\\n\\nlast"'
        output = prefix
        """, keep_stdout=True)
    brood.ends(0, "all workers completed")
    for name in ("web/0", "web/1"):
        t.equal(lines_of(brood.stdout, name), ["one", "three", "", "last"], f"standard output of {name}")
        brood.has(rf"^{name} \| two$", 1)
    t.equal(len(brood.stdout.splitlines()), 8, "no other lines")
    t.match(brood.records[-1].text, "container: exit 0", "the outcome comes last")


def test_output_json(t):
    brood = t.brood("""
        [worker:web]
        start = sh -c 'printf "tab\\there \\"\\\\ \\377 \\303\\274\\n"; echo oops >&2; head -c 70000 /dev/zero | tr "\\0" x; echo end'
        output = json
        """, keep_stdout=True)
    brood.ends(0)
    objects = [json.loads(line) for line in brood.stdout.decode().splitlines()]
    t.equal([(one["worker"], one["stream"]) for one in objects], [("web/0", "stdout")] * 3, "where they come from")
    t.equal(objects[0]["text"], "tab\there \"\\ \ufffd \u00fc", "text")
    t.equal([sorted(one) for one in objects], [["stream", "text", "time", "worker"],
                                               ["partial", "stream", "text", "time", "worker"],
                                               ["stream", "text", "time", "worker"]], "members")
    t.equal((len(objects[1]["text"]), objects[1]["partial"]), (65536, True), "the first piece")
    t.equal(objects[1]["text"] + objects[2]["text"], "x" * 70000 + "end", "the pieces together")
    for one in objects:
        t.match(one["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "time")
    errors = [json.loads(text) for text in brood.text() if text.startswith("{")]
    t.equal([(one["stream"], one["text"]) for one in errors], [("stderr", "oops")], "standard error")


@limit(120)
def test_output_binary_and_100_mb(t):
    t.file("make.py", """
import hashlib, os, sys
block = bytes(range(256)).replace(b"\\n", b"N") * 4096
digest = hashlib.sha256()
out = sys.stdout.buffer
for number in range(100):
    piece = block[number:] + block[:number]
    digest.update(piece)
    out.write(piece)
out.flush()
sys.stderr.write(digest.hexdigest())
""")
    with open("out", "wb") as out:
        t.files.add("out")
        brood = t.brood("""
            [worker:big]
            start = python3 make.py
            output = prefix
            """, stdout=out)
        brood.wait_record("exited 0 -> completed")
        brood.ends(0, patience=60)
    digest, count, longest = hashlib.sha256(), 0, 0
    with open("out", "rb") as file:
        for line in file:
            t.equal(line[:8], b"big/0 | ", "prefix of a piece")
            digest.update(line[8:-1])
            longest = max(longest, len(line) - 9)
            count += 1
    t.ok(1600 <= count <= 1610 and longest <= 65536, f"{count} pieces, the longest of {longest} bytes")
    brood.has(r"^big/0 \| " + digest.hexdigest(), 1)


@limit(90)
def test_output_slow_reader_loses_nothing(t):
    read, write = stalled_pipe()
    brood = t.brood(f"""
        [worker:flood]
        start = sh -c 'seq 1 1000000; exit 0'
        output = prefix
        [worker:quiet]
        start = sh -c 'echo quiet; exec {worker("say:start", "wait:100", "exit:1")}'
        output = prefix
        restart_delay = 10ms..10ms
        restart_limit = 0
        [worker:other]
        start = {worker("paint:other", "say:start", "serve")}
        """, stdout=write)
    t.poll(lambda: is_full(write), "a full pipe")
    began = len(t.told("quiet/0 start"))
    t.wait_event("quiet/0 start", began + 3)  # what is needed besides output goes on
    taken = written_by("seq")
    t.ok(taken < MIB, f"brood's memory is bounded: it and two pipes hold {taken} bytes, the flood is 7 MB")
    ticks = cpu_ticks(brood.pid)
    t.elapse(500, now_ms())
    t.ok(cpu_ticks(brood.pid) - ticks < 20, "brood doesn't spin while it waits for the reader")
    brood.has_not("flood/0.*completed")
    os.close(write)
    seen, rest = 0, b""

    def take():
        nonlocal seen, rest
        while select.select([read], [], [], 0)[0]:
            data = os.read(read, MIB)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                t.ok(re.match(rb"(flood/0|quiet/0) \| |other$", line), f"a whole line: {line!r}")
                if line.startswith(b"flood"):
                    t.equal(int(line[10:]), seen + 1, "the next number")
                    seen += 1
        return seen == 1000000

    t.pump(take, "all numbers", 60)
    brood.stop(signal.SIGTERM, 0)
    os.close(read)


def test_output_stalled_reader_holds_up_no_stop(t):
    read, write = stalled_pipe()
    brood = t.brood("""
        [worker:flood]
        count = 3
        start = sh -c 'yes 0123456789'
        output = prefix
        """, stdout=write)
    t.poll(lambda: is_full(write), "a full pipe")
    t.between(brood.stop(signal.SIGTERM, 0), 900, 4000, "the stop: a second for a reader that may come back")
    brood.has("warning: container: the last lines of the workers were dropped: standard output took no more", 1)
    t.match(brood.records[-1].text, "container: exit 0", "the outcome comes last")
    os.close(read)
    os.close(write)


def test_output_reader_is_gone(t):
    read, write = os.pipe()
    os.close(read)
    brood = t.brood(f"""
        [worker:flood]
        start = sh -c 'seq 1 300000; echo done >&2; exec {worker("say:written", "serve")}'
        output = prefix
        """, stdout=write)
    os.close(write)
    t.wait_event("flood/0 written")
    brood.wait_record(r"^flood/0 \| done$")
    brood.stop(signal.SIGTERM, 0)
    brood.has("warning: container: standard output is gone, what workers write there is dropped", 1)


def test_output_closed_or_kept_by_somebody(t):
    """A worker that closes its descriptors, and one that leaves somebody behind who holds them open."""
    brood = t.brood(f"""
        [worker:closes]
        start = sh -c 'echo before; exec {worker("say:start", "serve")} >&- 2>&-'
        output = prefix
        [worker:leaves]
        start = sh -c 'setsid {worker("name:left", "say:start", "serve")} & {worker("wait:50")}; printf half; exit 1'
        restart_delay = 20ms..20ms
        restart_limit = 0
        output = prefix
        """, keep_stdout=True)
    t.wait_event("left start", 3)
    t.wait_event("closes/0 start")
    t.pump(lambda: b"closes/0 | before\n" in brood.stdout, "a line")
    t.ok(brood.stop(signal.SIGTERM, 0) < 1500, "the stop isn't held up")
    halves = lines_of(brood.stdout, "leaves/0")
    t.ok(len(halves) >= 2 and set(halves) == {"half"}, f"half lines end with their worker: {halves}")


def test_output_idle_after_close(t):
    brood = t.brood(f"""
        [worker:closes]
        start = sh -c 'exec {worker("say:start", "serve")} >&- 2>&-'
        output = json
        """)
    t.wait_event("closes/0 start")
    brood.wait_record("executed -> ready")
    switches = int(status_field(brood.pid, "voluntary_ctxt_switches"))
    ticks = cpu_ticks(brood.pid)
    t.elapse(500, now_ms())
    woken = int(status_field(brood.pid, "voluntary_ctxt_switches")) - switches
    t.ok(woken <= 3, f"brood sleeps, it was woken {woken} times")
    t.ok(cpu_ticks(brood.pid) - ticks <= 1, "… and doesn't run")
    brood.stop(signal.SIGTERM, 0)


def test_output_half_lines_of_a_blocked_worker(t):
    """Incarnations come and go while the reader stalls: their half lines are told apart all the same."""
    read, write = stalled_pipe()
    brood = t.brood(f"""
        [worker:flood]
        start = sh -c 'yes 0123456789 | head -c 3000000; exit 0'
        output = prefix
        [worker:half]
        start = sh -c 'printf half; exec {worker("say:start", "exit:1")}'
        after = flood
        restart_delay = 10ms..10ms
        restart_limit = 3/10m
        output = prefix
        on_failure = continue
        """, stdout=write)
    os.close(write)
    t.wait_event("half/0 start", 4)
    brood.wait_record("half/0.*failed")
    t.equal(read_all(t, brood, read).count(b"half/0 | half\n"), 4, "lines")
    brood.ends(1)


def test_output_stop_hooks_and_probes(t):
    brood = t.brood(f"""
        [worker:web]
        start = sh -c 'echo start; exec {worker("say:start", "serve")}'
        ready = exec:sh -c 'echo probe'
        stop = sh -c 'echo hook; echo hooked >&2'
        output = prefix
        """, keep_stdout=True)
    brood.wait_record("-> ready")
    brood.stop(signal.SIGTERM, 0)
    t.equal(sorted(lines_of(brood.stdout, "web/0")), ["hook", "probe", "start"], "lines")
    brood.has(r"^web/0 \| hooked$", 1)


def floods_in_one_pipe(t, program, **start):
    """Standard output and error are one pipe, slowly read, and brood has records too: every line is whole."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    brood = t.brood(f"""
        [worker:flood]
        count = 2
        start = sh -c 'seq 1 30000; seq 1 30000 >&2; exit 0'
        output = prefix
        [worker:crash]
        start = {program} exit:1
        restart_delay = 1ms..1ms
        restart_limit = 50/10m
        on_failure = continue
        """, stdout=write, stderr=write, **start)
    os.close(write)
    user = status_field(brood.pid, "Uid").split()[0]
    lines = read_all(t, brood, read).split(b"\n")
    t.equal(lines.pop(), b"", "the end of the last line")
    for line in lines:
        t.ok(re.match(rb"flood/[01] \| [0-9]+$|brood: (info|warning|error): [a-z]", line), f"a whole line: {line!r}")
    for number in (b"0", b"1"):
        t.equal(len([line for line in lines if line.startswith(b"flood/" + number)]), 60000, "lines of a worker")
    t.match(lines[-1].decode(), "container: exit 1", "the outcome comes last")
    t.equal(brood.wait(), 1, "status")
    return user


def test_output_and_records_in_one_pipe(t):
    floods_in_one_pipe(t, worker())


# --- standard output and error belong to root, brood doesn't: they can't be opened again, and may be waited for


ANOTHER = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def test_output_of_another_user_is_whole(t):
    t.equal(floods_in_one_pipe(t, t.copy_of("worker"), in_namespace=ANOTHER), "65534", "brood's user")


def test_output_of_another_user_holds_up_nothing(t):
    """Nobody reads, and two rivals fill the very same open file whenever there is room."""
    read, write = stalled_pipe()
    brood = t.brood(f"""
        [worker:flood]
        start = sh -c 'yes 0123456789'
        output = prefix
        [worker:rival]
        count = 2
        start = sh -c 'yes abcdefghijklm'
        [worker:quiet]
        start = {t.copy_of("worker")} say:start wait:10 exit:1
        restart_delay = 1ms..1ms
        restart_limit = 0
        """, stdout=write, stderr=write, in_namespace=ANOTHER)
    t.poll(lambda: status_field(brood.pid, "Threads") == "2", "brood and who writes for it")
    for _ in range(20):
        t.poll(lambda: is_full(write), "a full pipe", every_ms=1)
        os.read(read, 4096)
        t.wait_event("quiet/0 start", len(t.told("quiet/0 start")) + 2)  # each is a record, too
    begin = brood.send(signal.SIGTERM)
    t.equal(brood.wait(), 0, "status")
    t.between(now_ms() - begin, 900, 5000, "the stop: a second for the lines, one for the records")
    os.close(read)
    os.close(write)


def terminal_output(t, environment):
    main, side = pty.openpty()
    os.set_blocking(main, False)
    brood = t.brood("""
        [worker:a]
        start = sh -c 'echo one'
        output = prefix
        [worker:longer]
        start = sh -c 'echo two'
        after = a
        output = prefix
        """, stdout=side, env=environment)
    brood.ends(0)
    os.close(side)
    data = b""
    while select.select([main], [], [], 0)[0]:
        try:
            data += os.read(main, 4096)
        except OSError:
            break
    os.close(main)
    return sorted(data.decode().replace("\r\n", "\n").splitlines())


def test_output_on_a_terminal(t):
    t.equal(terminal_output(t, {"TERM": "xterm"}), ["\033[32ma/0      |\033[0m one", "\033[33mlonger/0 |\033[0m two"],
            "names of one width, in colour")


def test_output_no_color(t):
    for environment in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}):
        t.equal(terminal_output(t, environment), ["a/0      | one", "longer/0 | two"], f"{environment}")


def test_output_can_be_opened_again_by_another_user(t):
    brood = t.brood("""
        [worker:web]
        start = setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo again >/dev/stdout; echo more >/dev/stderr'
        output = prefix
        """, keep_stdout=True)
    brood.ends(0)
    t.equal(brood.stdout, b"web/0 | again\n", "standard output")
    brood.has(r"^web/0 \| more$", 1)


def test_output_inherit_costs_nothing(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker("say:start", "serve")}
        """)
    t.wait_event("web/0 start")
    brood.wait_record("-> ready")
    ours = [os.readlink(f"/proc/{brood.pid}/fd/{name}") for name in os.listdir(f"/proc/{brood.pid}/fd")]
    t.equal(len({link for link in ours if link.startswith("pipe:")}), 1, "brood's pipes: its own standard error")
    brood.stop(signal.SIGTERM, 0)


def test_output_descriptors_stay_the_same_over_restarts(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker("say:start", "exit:1")}
        output = prefix
        restart_delay = 1ms..1ms
        restart_limit = 0
        """)
    t.wait_event("web/0 start", 3)
    before = os.listdir(f"/proc/{brood.pid}/fd")
    t.wait_event("web/0 start", 30)
    t.ok(len(os.listdir(f"/proc/{brood.pid}/fd")) <= len(before) + 1, "no more descriptors than before, but a status pipe")
    brood.stop(signal.SIGTERM, 0)
