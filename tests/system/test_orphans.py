"""What workers leave behind: zombies, members of their group, stragglers; and who is none of brood's business."""

import os
import signal

from harness import children_of, limit, stat_of, worker


def straggler(kind, mode, leader="serve", grace="4s", extra=""):
    return f"""
        [supervisor]
        grace = {grace}
        [worker:web]
        start = {worker(f'{kind}:lost:{mode}', 'say:start', leader)}
        {extra}
        """


def check_straggler_is_asked(t, kind, **where):
    brood = t.brood(straggler(kind, "delay=100"), **where)
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 0), 100, 3900, "the stop")
    t.equal([text.split(" ")[1] for text in t.story({"lost"})], ["start", "TERM", "CONT"], "asked once")
    t.ok(t.told("lost TERM")[0].ms >= t.told("web/0 TERM")[0].ms, "after the workers")


def check_straggler_is_killed(t, kind, **where):
    brood = t.brood(straggler(kind, "ignore", grace="400ms"), **where)
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 0), 400, 5000, "the stop")
    t.equal([text.split(" ")[1] for text in t.story({"lost"})], ["start", "TERM", "CONT"], "asked, then killed")
    brood.has("^brood: info: container: 1 straggler left, TERM$", 1)
    brood.has("^brood: warning: container: 1 straggler left, KILL$", 1)


def test_setsid_straggler_is_asked(t):
    check_straggler_is_asked(t, "setsid")


def test_orphan_straggler_is_asked(t):
    check_straggler_is_asked(t, "orphan")


def test_setsid_straggler_is_killed(t):
    check_straggler_is_killed(t, "setsid")


def test_orphan_straggler_is_killed(t):
    check_straggler_is_killed(t, "orphan")


def test_straggler_of_a_subreaper_is_asked(t):
    check_straggler_is_asked(t, "orphan", mode="subreaper")


def test_straggler_of_a_subreaper_is_killed(t):
    check_straggler_is_killed(t, "orphan", mode="subreaper")


def test_straggler_of_a_brood_that_is_a_plain_child_is_killed(t):
    check_straggler_is_killed(t, "orphan", mode="child")


def test_straggler_is_asked_at_three_quarters(t):
    brood = t.brood(straggler("orphan", "delay=10", leader="serve:ignore", grace="2s"))
    t.wait_event("web/0 start")
    begin = brood.send(signal.SIGTERM)
    brood.ends(137, "web/0")
    t.between(t.told("lost TERM")[0].ms - begin, 1499, 1990, "three quarters of the grace period")


def test_straggler_outlives_its_worker(t):
    """It can't be told whose it was: it is left until the container stops."""
    brood = t.brood(straggler("orphan", "", leader="exit:1", extra="restart_delay = 20ms\nrestart_limit = 3/5m"))
    brood.ends(1, "web/0")
    t.equal(len(t.told("lost start .*")), 4, "each run leaves one")
    t.equal(len(t.told("lost TERM")), 4, "all are asked at the end")
    t.ok(t.told("lost TERM")[0].ms >= t.told("lost start .*")[3].ms, "not before")


def test_straggler_when_all_workers_complete(t):
    brood = t.brood(straggler("orphan", "delay=100", leader="exit:0"))
    brood.ends(0, "completed")
    t.equal(len(t.told("lost TERM")), 1, "asked")


def test_straggler_of_a_straggler(t):
    """One that forks when it is asked to stop: brood looks again until nobody new appears."""
    path = t.file("lost", """#!/bin/sh
trap "setsid sleep 1000 & setsid sleep 1000 & exit" TERM
%s
while :; do sleep 0.01; done
""" % worker("name:lost", "say:start", "exit:0"), 0o755)
    brood = t.brood(f"""
        [supervisor]
        grace = 400ms
        [worker:web]
        start = sh -c 'setsid {path} & exec {worker("serve")}'
        """)
    t.wait_event("lost start")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")


def test_no_subreaper_leaves_orphans_alone(t):
    brood = t.brood(straggler("orphan", ""), "--no-subreaper", mode="child")
    t.wait_event("web/0 start")
    orphan = int(t.told("lost start .*")[0].what.split(" ")[1])
    t.equal(stat_of(orphan)[1], os.getpid(), "the init's child")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 3900, "the stop")
    t.equal([text.split(" ")[1] for text in t.story({"lost"})], ["start"], "untouched")
    os.kill(orphan, signal.SIGKILL)


# --- not brood's


def test_sibling_of_a_subreaper_is_left_alone(t):
    t.other(*worker("name:sibling", "say:start", "serve").split())
    t.wait_event("sibling start")
    check_straggler_is_killed(t, "orphan", mode="subreaper")
    t.equal(t.story({"sibling"}), ["sibling start"], "no signal")


def test_process_that_entered_from_outside_is_left_alone(t):
    """As docker exec does; it ends with its PID namespace."""
    brood = t.brood(straggler("orphan", "delay=300"))
    t.wait_event("web/0 start")
    t.other("nsenter", "-t", str(brood.pid), "-p", "-m", *worker("name:visitor", "say:start", "serve").split())
    t.wait_event("visitor start")
    t.between(brood.stop(signal.SIGTERM, 0), 300, 3900, "the stop")
    t.equal(t.story({"visitor"}), ["visitor start"], "no signal")


def test_daemon_left_by_a_visitor_is_a_straggler(t):
    """Adopted by PID 1, it is brood's from then on."""
    brood = t.brood(straggler("orphan", "delay=10"))
    t.wait_event("web/0 start")
    visitor = t.other("nsenter", "-t", str(brood.pid), "-p", "-m",
                      *worker("name:visitor", "orphan:daemon:delay=10", "exit:0").split())
    t.wait_event("daemon start .*")
    t.equal(visitor.wait(), 0, "the visitor leaves")
    brood.stop(signal.SIGTERM, 0)
    t.equal(len(t.told("daemon TERM")), 1, "asked")


# --- members of a worker's group


def test_members_left_by_a_worker(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('member:m:ignore', 'say:start', 'wait:50', 'exit:1')}
        grace = 300ms
        restart_delay = 50ms
        restart_limit = 1/5m
        """)
    brood.ends(1, "web/0")
    t.equal([text.split(" ")[1] for text in t.story({"m"})], ["start", "TERM", "CONT"] * 2, "before a restart")
    first, second = [event.ms for event in t.told("web/0 start")]
    t.between(second - first, 397, 5000, "life, grace and delay")


def test_members_left_by_a_worker_that_obey(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('member:m1:delay=100', 'member:m2:delay=200', 'say:start', 'wait:50', 'exit:0')}
        [worker:other]
        start = {worker('say:start', 'serve')}
        """, "-v")
    brood.wait_record("web/0.*completed")
    t.wait_event("other/0 start")
    t.equal((len(t.told("m1 TERM")), len(t.told("m2 TERM"))), (1, 1), "asked")
    brood.stop(signal.SIGTERM, 0)


def test_members_left_in_a_stop(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 500ms
        [worker:web]
        start = {worker('member:m:ignore', 'say:start', 'serve')}
        """)
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 137, "web/0"), 500, 5000, "the stop")
    t.equal(len(t.told("m TERM")), 1, "asked once, killed at the end")


def test_members_of_a_hook_are_gone_with_it(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 500ms
        [worker:web]
        start = {worker('say:start', 'serve')}
        stop = {worker('name:hook', 'member:m:ignore', 'exit:0')}
        """)
    t.wait_event("web/0 start")
    brood.send(signal.SIGTERM)
    t.ok(brood.wait() in (0, 137), "it ends")
    t.equal(len(t.told("m start .*")), 1, "it was there")


# --- zombies


@limit(60)
def test_1000_zombies_are_reaped(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('zombies:1000', 'say:done', 'serve')}
        """)
    t.wait_event("web/0 done", patience=30)
    t.pump(lambda: len(children_of(brood.pid)) == 1, "all of them to be reaped")
    brood.stop(signal.SIGTERM, 0)


def test_zombies_are_reaped_while_a_worker_stops(t):
    brood = t.brood("""
        [worker:web]
        start = sh -c 'trap "%s; %s; exit 0" TERM; %s; while :; do sleep 0.01; done'
        """ % (worker("zombies:100"), worker("name:web", "say:done", "wait:300"), worker("name:web", "say:start")))
    t.wait_event("web start")
    brood.send(signal.SIGTERM)
    t.wait_event("web done")
    t.pump(lambda: not [pid for pid in children_of(brood.pid) if (stat_of(pid) or "Z")[0] == "Z"], "no zombie")
    t.equal(brood.process.poll(), None, "the stop goes on")
    brood.ends(0)


def test_zombies_are_reaped_by_a_subreaper(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('zombies:100', 'say:done', 'serve')}
        """, mode="subreaper")
    t.wait_event("web/0 done")
    t.pump(lambda: len(children_of(brood.pid)) == 1, "all of them to be reaped")
    brood.stop(signal.SIGTERM, 0)


def test_zombies_are_recorded(t):
    """How each ended, at level debug."""
    brood = t.brood("""
        [worker:web]
        start = sh -c '(sh -c "exit 3" &); (sh -c "kill -USR1 \\$\\$" &); exec sleep 1000'
        """, "-v")
    brood.wait_record(r"^brood: debug: orphan\[\d+\]: exited 3, reaped$")
    brood.wait_record(r"^brood: debug: orphan\[\d+\]: killed by USR1, reaped$")
    brood.stop(signal.SIGTERM, 0)
