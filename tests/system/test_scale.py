"""Many workers, many groups, and too few descriptors or processes for them. The times are far above what is needed on a
quiet machine: they are there for what grows with the square of the number."""

import os
import re
import resource
import signal

from harness import children_of, limit, now_ms, pause, worker


class Counter:
    """How many records match, each looked at once: there are tens of thousands of them."""

    def __init__(self, brood, pattern):
        self.brood, self.pattern, self.seen, self.count = brood, re.compile(pattern), 0, 0

    def reached(self, count):
        for record in self.brood.records[self.seen:]:
            self.count += bool(self.pattern.search(record.text))
        self.seen = len(self.brood.records)
        return self.count >= count


def wait_ready(t, counter, count, patience=60):
    begin = now_ms()
    t.pump(lambda: counter.reached(count), f"{count} times ready", patience)
    return now_ms() - begin


def stop_all(t, brood, count, patience=30):
    """TERM; nobody is killed, everybody is told."""
    took = brood.stop(signal.SIGTERM, 0, patience=patience)
    brood.has("killed by TERM", count)
    brood.has_not("killed by KILL")
    return took


@limit(200)
def test_10000_workers(t):
    """Started, 1000 of them killed at once and started again, stopped."""
    brood = t.brood(f"""
        [supervisor]
        grace = 60s
        [worker:a]
        start = {pause()}
        count = 10000
        """)
    ready = Counter(brood, "executed -> ready")
    started = wait_ready(t, ready, 10000)
    children = children_of(brood.pid)
    t.equal(len(children), 10000, "children")
    for pid in children[::10]:
        os.kill(pid, signal.SIGKILL)
    restarted = wait_ready(t, ready, 11000)
    brood.has("killed by KILL -> backoff 100ms", 1000)
    t.equal(len(children_of(brood.pid)), 10000, "children again")
    t.ok(set(children) - set(children[::10]) < set(children_of(brood.pid)), "the others are the same")
    stopped = brood.stop(signal.SIGTERM, 0, patience=60)
    brood.has("killed by TERM -> down", 10000)
    t.notes.append(f"10000 started in {started} ms, 1000 again in {restarted} ms, stopped in {stopped} ms")
    t.ok(restarted < 50000 and stopped < 50000, f"1000 again took {restarted} ms, the stop {stopped} ms")


FAMILY = "busybox sh -c '{pause} & exec {pause}'"


@limit(90)
def test_1000_workers_with_members_crash_and_stop(t):
    """Each has a member in its group, which outlives it. Looking through /proc for each took brood more than a grace
    period, with everybody killed at its end."""
    brood = t.brood(f"""
        [supervisor]
        grace = 30s
        [worker:a]
        start = {FAMILY.format(pause=pause())}
        count = 1000
        """)
    ready = Counter(brood, "executed -> ready")
    started = wait_ready(t, ready, 1000)
    t.poll(lambda: len(children_of(brood.pid)) == 1000 and family_size(brood.pid) == 2000, "members", patience=30)
    leaders = children_of(brood.pid)
    for pid in leaders[:250]:
        os.kill(pid, signal.SIGKILL)
    for pid in leaders[250:500]:
        os.killpg(pid, signal.SIGKILL)
    restarted = wait_ready(t, ready, 1500)
    t.poll(lambda: family_size(brood.pid) == 2000, "members again", patience=30)
    stopped = brood.stop(signal.SIGTERM, 0, patience=30)
    t.notes.append(f"1000 started in {started} ms, 500 again in {restarted} ms, stopped in {stopped} ms")
    t.ok(restarted < 10000 and stopped < 10000, f"500 again took {restarted} ms, the stop {stopped} ms")


def family_size(pid):
    """How many pause programs there are, below brood: they are all of its doing."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) > pid:
            try:
                with open(f"/proc/{name}/comm", encoding="utf-8") as file:
                    count += file.read() == "pause\n"
            except OSError:
                pass
    return count


@limit(60)
def test_500_groups_in_a_chain(t):
    """Each waits for the one before it; stopped in the reverse order, one after the other."""
    groups = "".join(f"[worker:g{i}]\nstart = {pause()}\n" + (f"after = g{i - 1}\n" if i else "") for i in range(500))
    brood = t.brood("[supervisor]\ngrace = 40s\n" + groups)
    ready = Counter(brood, "executed -> ready")
    started = wait_ready(t, ready, 500)
    stopped = stop_all(t, brood, 500)
    order = [int(found.group(1)) for found in (re.search(r"g(\d+)/0.*executed -> ready", text) for text in brood.text())
             if found]
    t.equal(order, list(range(500)), "the order of the start")
    order = [int(found.group(1)) for found in (re.search(r"g(\d+)/0.*killed by TERM", text) for text in brood.text())
             if found]
    t.equal(order, list(range(499, -1, -1)), "the order of the stop")
    t.notes.append(f"500 groups started in {started} ms, stopped in {stopped} ms")


@limit(60)
def test_500_groups_after_all_before_them(t):
    groups = "".join(f"[worker:g{i}]\nstart = {pause()}\n" +
                     (f"after = {', '.join(f'g{j}' for j in range(i))}\n" if i else "") for i in range(500))
    brood = t.brood("[supervisor]\ngrace = 40s\n" + groups)
    wait_ready(t, Counter(brood, "executed -> ready"), 500)
    t.between(stop_all(t, brood, 500), 0, 19000, "the stop, before half of the grace period")


# --- limits


def limited(kind, soft, hard):
    return lambda: resource.setrlimit(kind, (soft, hard))


def limit_of(pid, name):
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        for line in file:
            if line.startswith(name):
                return line[len(name):].split()[:2]
    return None


def test_descriptor_limit_is_raised_and_given_back(t):
    for config, command in ((f"[worker:a]\nstart = {worker('say:start', 'serve')}\n", None),
                            (None, ["sh", "-c", f"{worker('name:a/0', 'say:start', 'serve')}; exit $?"])):
        count = len(t.told("a/0 start"))
        brood = t.brood(config, command=command, mode="child", before=limited(resource.RLIMIT_NOFILE, 64, 4096))
        t.wait_event("a/0 start", count + 1)
        t.equal(limit_of(brood.pid, "Max open files"), ["4096", "4096"], "brood's own")
        (child,) = children_of(brood.pid)
        t.equal(limit_of(child, "Max open files"), ["64", "4096"], "the child's")
        brood.stop(signal.SIGTERM, 0 if config else 143)


def test_more_workers_than_the_soft_limit_of_descriptors(t):
    """Each has a notify socket in brood."""
    brood = t.brood(f"""
        [worker:a]
        start = {worker('notify:READY=1', 'serve:mute')}
        ready = notify
        count = 100
        """, before=limited(resource.RLIMIT_NOFILE, 64, 4096))
    wait_ready(t, Counter(brood, "ready -> ready"), 100)
    brood.has_not("warning|error")
    brood.stop(signal.SIGTERM, 0)


@limit(60)
def test_too_few_descriptors_are_waited_for(t):
    """The hard limit is too low for a notify socket each. Who gets none is tried again and has not failed; each that
    completes makes room for another one."""
    brood = t.brood(f"""
        [worker:a]
        start = {worker('notify:READY=1', 'wait:300', 'exit:0')}
        ready = notify
        count = 100
        restart_delay = 100ms
        restart_limit = 1/1h
        """, before=limited(resource.RLIMIT_NOFILE, 64, 64))
    brood.ends(0, "all workers completed", patience=30)
    brood.has("a/.*: cannot fork: EMFILE -> backoff 100ms")
    brood.has("-> completed", 100)
    brood.has_not("failed")


@limit(60)
def test_too_few_descriptors_and_a_stop(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('orphan:lost:mute', 'notify:READY=1', 'serve:mute')}
        ready = notify
        count = 100
        restart_delay = 200ms
        """, before=limited(resource.RLIMIT_NOFILE, 64, 64))
    brood.wait_record("a/.*EMFILE", 100)
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")


@limit(60)
def test_too_few_processes_are_waited_for(t):
    """As another user, whose processes are counted; root's are not."""
    brood = t.brood("""
        [worker:a]
        start = sleep 0.3
        count = 40
        restart_delay = 100ms
        restart_limit = 1/1h
        """, mode="child", before=limited(resource.RLIMIT_NPROC, 20, 20),
                    prefix=("setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"))
    brood.ends(0, "all workers completed", patience=30)
    brood.has("a/.*: cannot fork: EAGAIN -> backoff 100ms")
    brood.has("-> completed", 40)
    brood.has_not("failed")
