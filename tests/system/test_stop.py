"""Stopping: who gets which signal, in which order, how often; when the grace period ends; and the status."""

import os
import signal

from harness import children_of, stat_of, worker

NAMES = ("web/0", "web/1", "db/0")


def three(words=("say:start", "serve:delay=50"), extra=""):
    return f"""
        [supervisor]
        {extra}
        [worker:web]
        start = {worker(*words)}
        count = 2
        [worker:db]
        start = {worker(*words)}
        """


def started(t, names=NAMES):
    for name in names:
        t.wait_event(f"{name} start")


def check_signal_stops_everyone(t, number, name):
    brood = t.brood(three())
    started(t)
    took = brood.stop(number, 0, name)
    t.between(took, 50, 5000, "the stop")
    for worker_name in NAMES:
        t.equal(t.story({worker_name}), [f"{worker_name} {text}" for text in ("start", name, "CONT")], "its life")


def test_term_stops_everyone(t):
    check_signal_stops_everyone(t, signal.SIGTERM, "TERM")


def test_int_stops_everyone(t):
    check_signal_stops_everyone(t, signal.SIGINT, "INT")


def test_quit_stops_everyone(t):
    check_signal_stops_everyone(t, signal.SIGQUIT, "QUIT")


def test_stop_status_is_0_whatever_workers_answer(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve:exit=1')}
        [worker:b]
        start = {worker('say:start', 'serve:die')}
        """)
    started(t, ("a/0", "b/0"))
    brood.stop(signal.SIGTERM, 0, "TERM")


def test_kill_at_the_end_of_grace(t):
    brood = t.brood(three(("say:start", "serve:ignore"), "grace = 500ms"))
    started(t)
    t.between(brood.stop(signal.SIGTERM, 137, "500ms of grace"), 500, 5000, "the stop")
    for name in NAMES:
        t.equal(t.story({name}), [f"{name} start", f"{name} TERM", f"{name} CONT"], "asked once, then killed")


def test_one_ignores_term_the_others_are_not_held_up(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 500ms
        [worker:good]
        start = {worker('say:start', 'serve')}
        [worker:bad]
        start = {worker('say:start', 'serve:ignore')}
        """)
    started(t, ("good/0", "bad/0"))
    t.between(brood.stop(signal.SIGTERM, 137, "bad/0"), 500, 5000, "the stop")
    brood.has(r"good/0.*exited 0 -> down", 1)


def test_option_grace_overrides_the_file(t):
    brood = t.brood(three(("say:start", "serve:ignore"), "grace = 1h"), "-t", "300ms")
    started(t)
    t.between(brood.stop(signal.SIGTERM, 137, "300ms"), 300, 5000, "the stop")


def test_grace_0_kills_at_once(t):
    brood = t.brood(three(("say:start", "serve"), "grace = 0"))
    started(t)
    t.between(brood.stop(signal.SIGTERM, 137), 0, 5000, "the stop")
    t.equal(sorted(t.story()), sorted(f"{name} start" for name in NAMES), "no signal but KILL")


def test_second_term_kills(t):
    brood = t.brood(three(("say:start", "serve:ignore"), "grace = 1h"))
    started(t)
    first = brood.send(signal.SIGTERM)
    started(t)
    t.elapse(400, first)
    t.between(brood.stop(signal.SIGTERM, 137), 0, 5000, "the kill")
    for name in NAMES:
        t.equal(len(t.told(f"{name} TERM")), 1, "TERM is not sent twice")


def test_int_after_term_kills(t):
    brood = t.brood(three(("say:start", "serve:ignore"), "grace = 1h"))
    started(t)
    t.elapse(400, brood.send(signal.SIGTERM))
    t.between(brood.stop(signal.SIGINT, 137), 0, 5000, "the kill")


def test_second_term_within_300_ms_does_not_count(t):
    brood = t.brood(three(("say:start", "serve:ignore"), "grace = 1h"))
    started(t)
    first = brood.send(signal.SIGTERM)
    t.wait_event("db/0 CONT")
    t.elapse(100, first)
    brood.send(signal.SIGTERM)
    t.elapse(800, first)
    t.equal(brood.process.poll(), None, "brood goes on")
    for name in NAMES:
        t.equal(len(t.told(f"{name} TERM")), 1, "and forwards nothing")
    t.between(brood.stop(signal.SIGTERM, 137), 0, 5000, "the third counts")


def test_second_signal_can_be_ignored(t):
    brood = t.brood(three(("say:start", "serve:ignore"), "grace = 1s\non_second_signal = ignore"))
    started(t)
    first = brood.send(signal.SIGTERM)
    t.elapse(400, first)
    brood.send(signal.SIGTERM)
    brood.wait_record("second TERM")
    brood.ends(137, "1s of grace")
    t.between(brood.records[-1].ms - first, 999, 5000, "the grace period is unchanged")
    for name in NAMES:
        t.equal(t.story({name}), [f"{name} start", f"{name} TERM", f"{name} CONT"], "not forwarded")


def test_stop_signal_of_a_group(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve:only=10,delay=50')}
        stop_signal = SIGUSR1
        [worker:b]
        start = {worker('say:start', 'serve:delay=50')}
        """)
    started(t, ("a/0", "b/0"))
    brood.stop(signal.SIGINT, 0)
    t.equal(t.story({"a/0"}), ["a/0 start", "a/0 USR1", "a/0 CONT"], "its own signal")
    t.equal(t.story({"b/0"}), ["b/0 start", "b/0 INT", "b/0 CONT"], "the one brood received")


def test_stop_signal_reaches_the_whole_group_once(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('member:m1:delay=50', 'member:m2:delay=50', 'say:start', 'serve:delay=50')}
        """)
    started(t, ("a/0",))
    brood.stop(signal.SIGTERM, 0)
    for name in ("a/0", "m1", "m2"):
        t.equal([text.split(" ")[1] for text in t.story({name})], ["start", "TERM", "CONT"], name)


def test_stop_to_leader(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 2s
        [worker:a]
        start = {worker('member:m1', 'say:start', 'serve:delay=300,exit=0')}
        stop_to = leader
        """)
    started(t, ("a/0",))
    brood.stop(signal.SIGTERM, 0)
    leader, member = t.told("a/0 TERM"), t.told("m1 TERM")
    t.equal(len(leader), 1, "the leader gets it")
    for event in member:
        t.ok(event.ms - leader[0].ms >= 250, "a member gets nothing before the leader is gone")


def test_grace_of_a_group_is_shorter(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 20s
        [worker:a]
        start = {worker('say:start', 'serve:ignore')}
        grace = 300ms
        [worker:b]
        start = {worker('say:start', 'serve:delay=100')}
        """)
    started(t, ("a/0", "b/0"))
    t.between(brood.stop(signal.SIGTERM, 137, "a/0"), 300, 5000, "the stop")


def ordered(grace, web="serve:delay=200", db="serve:delay=50"):
    return f"""
        [supervisor]
        grace = {grace}
        [worker:web]
        start = {worker('say:start', web)}
        after = db
        [worker:db]
        start = {worker('say:start', db)}
        """


def test_stop_order_is_the_reverse_of_after(t):
    brood = t.brood(ordered("10s"))
    started(t, ("db/0", "web/0"))
    t.between(brood.stop(signal.SIGTERM, 0), 250, 5000, "the stop")
    # db counts as ready once it is executed: what it says may come later than what web says.
    t.equal(t.story()[2:], ["web/0 TERM", "web/0 CONT", "db/0 TERM", "db/0 CONT"], "the order")
    t.between(t.told("db/0 TERM")[0].ms - t.told("web/0 TERM")[0].ms, 198, 5000, "db is asked when web is gone")


def test_order_gives_way_at_half_of_the_grace_period(t):
    brood = t.brood(ordered("1s", web="serve:ignore"))
    started(t, ("db/0", "web/0"))
    begin = brood.send(signal.SIGTERM)
    brood.ends(137, "web/0")
    t.between(t.told("db/0 TERM")[0].ms - begin, 498, 990, "db is asked")
    t.between(brood.records[-1].ms - begin, 999, 5000, "the end")


def test_stopped_worker_is_continued(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve:delay=50')}
        """)
    t.wait_event("a/0 start")
    pid = children_of(brood.pid)[0]
    os.kill(pid, signal.SIGSTOP)
    t.pump(lambda: stat_of(pid)[0] == "T", "the worker to be stopped")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
    t.equal(len(t.told("a/0 TERM")), 1, "it gets the signal")


def test_signals_are_forwarded_or_ignored(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve:delay=50')}
        count = 2
        """)
    started(t, ("a/0", "a/1"))
    for number, name in ((signal.SIGUSR1, "USR1"), (signal.SIGUSR2, "USR2"), (signal.SIGALRM, "ALRM")):
        brood.send(number)
        t.wait_event(f"a/0 {name}")
        t.wait_event(f"a/1 {name}")
    for number in (signal.SIGWINCH, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE, signal.SIGURG,
                   signal.SIGIO, signal.SIGHUP):
        brood.send(number)
    # Real-time signals are read after all of the others: when this one comes they have been dealt with.
    brood.send(signal.SIGRTMIN + 3)
    t.wait_event("a/0 signal 37")
    t.wait_event("a/1 signal 37")
    brood.stop(signal.SIGTERM, 0)
    for name in ("a/0", "a/1"):
        wanted = ["start", "USR1", "USR2", "ALRM", "signal 37", "TERM", "CONT"]
        t.equal(t.story({name}), [f"{name} {text}" for text in wanted], "exactly these")
    brood.has(r"warning: .*HUP", 1)


def test_signals_section(t):
    brood = t.brood(f"""
        [signals]
        USR1 = ignore
        WINCH = forward
        USR2 = stop
        TERM = forward
        [worker:a]
        start = {worker('say:start', 'serve:ignore')}
        [worker:b]
        start = {worker('say:start', 'serve:only=12,delay=50')}
        [supervisor]
        grace = 400ms
        """)
    started(t, ("a/0", "b/0"))
    brood.send(signal.SIGUSR1)
    brood.send(signal.SIGWINCH)
    t.wait_event("b/0 WINCH")
    brood.send(signal.SIGTERM)
    t.wait_event("b/0 TERM")
    t.wait_event("a/0 TERM")
    t.between(brood.stop(signal.SIGUSR2, 137, "a/0"), 400, 5000, "the stop")
    t.equal(t.story({"b/0"}), ["b/0 start", "b/0 WINCH", "b/0 TERM", "b/0 USR2", "b/0 CONT"], "b")


def test_forward_during_a_stop(t):
    brood = t.brood(three(("say:start", "serve:delay=500")))
    started(t)
    brood.send(signal.SIGTERM)
    for name in NAMES:
        t.wait_event(f"{name} CONT")
    brood.send(signal.SIGUSR1)
    for name in NAMES:
        t.wait_event(f"{name} USR1")
    brood.ends(0)


def test_stop_of_workers_in_backoff(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:1')}
        restart_delay = 1h
        [worker:b]
        start = {worker('say:start', 'serve')}
        """)
    brood.wait_record("a/0.*backoff")
    started(t, ("b/0",))
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")


def test_stop_of_waiting_workers(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = fd:3
        [worker:b]
        start = {worker('say:start', 'serve')}
        after = a
        """)
    started(t, ("a/0",))
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
    t.equal(t.told("b/0 start"), [], "it is never started")
