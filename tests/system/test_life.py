"""The life of a worker: start, readiness, order, failures, restarts, jobs, and the status that follows from them."""

import os
import re
import signal

from harness import children_of, limit, pause, worker, worker_argv, now_ms


def starts(t, name):
    return [event.ms for event in t.told(f"{name} start")]


def gaps(times):
    return [later - earlier for earlier, later in zip(times, times[1:])]


def test_count_ids_and_variables(t):
    show = ["say:start"] + [f"env:WORKER_{key}" for key in ("ID", "TYPE", "NAME", "INDEX", "COUNT")]
    brood = t.brood(f"""
        [worker:b]
        start = {worker(*show, 'serve')}
        count = 2
        [worker:a]
        start = {worker(*show, 'serve')}
        """)
    for name in ("b/0", "b/1", "a/0"):
        t.wait_event(f"{name} WORKER_COUNT=.*")
    brood.stop(signal.SIGTERM, 0)
    for group, index, number, count in (("b", 0, 0, 2), ("b", 1, 1, 2), ("a", 0, 2, 1)):
        name = f"{group}/{index}"
        wanted = ["start", f"WORKER_ID={number}", "WORKER_TYPE=childProcess", f"WORKER_NAME={group}",
                  f"WORKER_INDEX={index}", f"WORKER_COUNT={count}", "TERM"]
        t.equal(t.story({name})[:7], [f"{name} {text}" for text in wanted], name)


def test_count_auto(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'env:WORKER_COUNT', 'serve')}
        count = auto
        """)
    event = t.wait_event("a/0 WORKER_COUNT=.*")
    count = int(event.what.split("=")[1])
    t.between(count, 1, len(os.sched_getaffinity(0)), "the CPUs this container may use")
    for index in range(count):
        t.wait_event(f"a/{index} start")
    brood.stop(signal.SIGTERM, 0)


def test_restart_keeps_the_id(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('env:WORKER_ID', 'say:start', 'serve')}
        count = 3
        restart_delay = 10ms
        """)
    t.wait_event("a/1 start")
    inner = int(brood.wait_record(r"a/1\[\d+\].*ready").text.split("[")[1].split("]")[0])
    os.kill(brood.worker_pid(inner), signal.SIGKILL)
    t.wait_event("a/1 start", 2)
    t.equal([event.what for event in t.told("a/1 WORKER_ID=.*")], ["WORKER_ID=1"] * 2, "the id")
    brood.has(r"a/1\[\d+\]: killed by KILL -> backoff 10ms", 1)
    brood.stop(signal.SIGTERM, 0)


def test_backoff_doubles_and_the_restart_limit_ends_it(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:7')}
        restart_delay = 50ms..200ms
        restart_limit = 4/5m
        """)
    brood.ends(7, "a/0")
    times = gaps(starts(t, "a/0"))
    t.equal(len(times), 4, "restarts")
    for got, wanted in zip(times, (50, 100, 200, 200)):
        t.between(got, wanted - 2, 5000, f"the delay of {wanted} ms")
    brood.has(r"a/0\[\d+\]: exited 7 -> backoff 50ms", 1)
    brood.has(r"a/0\[\d+\]: exited 7 -> backoff 100ms", 1)
    brood.has(r"a/0\[\d+\]: exited 7 -> backoff 200ms", 2)
    brood.has(r"a/0\[\d+\]: exited 7 -> failed", 1)


def test_backoff_begins_anew_after_stable_after(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'wait:250', 'exit:1')}
        restart_delay = 50ms..1h
        stable_after = 100ms
        restart_limit = 3/5m
        """)
    brood.ends(1)
    for gap in gaps(starts(t, "a/0")):
        t.between(gap, 298, 5000, "life and first delay")
    brood.has(r"a/0\[\d+\]: exited 1 -> backoff 50ms", 3)


def test_failure_status_is_128_plus_the_signal(t):
    for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGTERM):
        brood = t.brood(f"""
            [worker:a]
            start = {worker('say:start', f'kill:{int(number)}')}
            restart = no
            """)
        brood.ends(128 + number, "a/0")


def test_failure_stops_the_others(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 400ms
        [worker:good]
        start = {worker('say:start', 'write:3', 'serve:delay=50')}
        ready = fd:3
        [worker:stubborn]
        start = {worker('say:start', 'write:3', 'serve:ignore')}
        ready = fd:3
        stop_signal = USR2
        [worker:bad]
        start = {worker('say:start', 'exit:9')}
        restart = no
        after = good, stubborn
        """)
    begin = t.wait_event("bad/0 start").ms
    brood.ends(9, "bad/0")
    t.between(brood.records[-1].ms - begin, 399, 5000, "it uses the grace period")
    t.equal(t.story({"good/0"}), ["good/0 start", "good/0 TERM", "good/0 CONT"], "good")
    t.equal(t.story({"stubborn/0"}), ["stubborn/0 start", "stubborn/0 USR2", "stubborn/0 CONT"], "stubborn")


def test_on_failure_continue(t):
    brood = t.brood(f"""
        [worker:bad]
        start = {worker('say:start', 'exit:9')}
        restart = no
        on_failure = continue
        [worker:good]
        start = {worker('say:start', 'serve')}
        """)
    brood.wait_record("bad/0.*failed")
    t.wait_event("good/0 start")
    brood.stop(signal.SIGTERM, 0)


def test_on_failure_continue_until_no_worker_is_left(t):
    brood = t.brood(f"""
        [worker:late]
        start = {worker('say:start', 'wait:300', 'exit:4')}
        restart = no
        on_failure = continue
        [worker:early]
        start = {worker('say:start', 'exit:9')}
        restart = no
        on_failure = continue
        [worker:good]
        start = {worker('say:start', 'wait:400', 'exit:0')}
        """)
    brood.ends(9, "early/0")
    t.equal(t.told(".* TERM"), [], "nobody is stopped")


def test_all_workers_complete(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:0')}
        count = 3
        """)
    brood.ends(0, "completed")
    t.equal(sorted(t.story()), ["a/0 start", "a/1 start", "a/2 start"], "once each")


def test_success_status(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:3')}
        success_status = 0, 3
        [worker:b]
        start = {worker('say:start', 'kill:15')}
        success_status = SIGTERM
        """)
    brood.ends(0, "completed")
    t.equal(sorted(t.story()), ["a/0 start", "b/0 start"], "once each")


def test_success_status_replaces_0(t):
    t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:0')}
        success_status = 3
        restart = no
        """).ends(1, "a/0.*exited 0")


def test_on_success_shutdown(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'wait:100', 'exit:0')}
        on_success = shutdown
        [worker:b]
        start = {worker('say:start', 'serve')}
        """)
    brood.ends(0, "a/0")
    t.equal(t.story({"b/0"})[:2], ["b/0 start", "b/0 TERM"], "the other one is stopped")


def test_restart_always(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'exit:0')}
        restart = always
        restart_delay = 30ms..1h
        restart_limit = 1/5m
        """)
    t.wait_event("a/0 start", 6)
    brood.stop(signal.SIGTERM, 0)
    for gap in gaps(starts(t, "a/0")):
        t.between(gap, 28, 5000, "the delay")
    t.ok(len(re.findall("exited 0 -> backoff 30ms", "\n".join(brood.text()))) >= 5, "always the first, never a failure")
    brood.has_not("-> backoff (?!30ms)")


# --- order and readiness


def test_after_waits_for_readiness(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        after = db, cache
        [worker:cache]
        start = {worker('say:start', 'wait:100', 'say:ready', 'notify:READY=1', 'serve')}
        ready = notify
        [worker:db]
        start = {worker('say:start', 'wait:250', 'say:ready', 'write:4', 'serve')}
        ready = fd:4
        count = 2
        """)
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    before = t.story()[:t.story().index("web/0 start")]
    names = ("db/0", "db/1", "cache/0")
    wanted = sorted(f"{name} {what}" for name in names for what in ("start", "ready"))
    t.equal(sorted(before), wanted, "before web")
    for name in names:
        brood.has(rf"{name}\[\d+\]: ready -> ready", 1)
        t.ok(t.told(f"{name} TERM")[0].ms >= t.told("web/0 TERM")[0].ms, "stopped after web")


def test_after_a_group_that_fails(t):
    brood = t.brood(f"""
        [worker:db]
        start = {worker('say:start', 'exit:6')}
        ready = fd:3
        restart = no
        on_failure = continue
        [worker:web]
        start = {worker('say:start', 'serve')}
        after = db
        """)
    brood.ends(6, "db/0")
    t.equal(t.story(), ["db/0 start"], "web is never started")
    brood.has("web/0.*failed")


def test_after_a_completed_job(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        after = migrate
        [worker:migrate]
        start = {worker('say:start', 'wait:200', 'say:end', 'exit:0')}
        kill_after_completed = yes
        """)
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story()[:3], ["migrate/0 start", "migrate/0 end", "web/0 start"], "the order")


def test_notify(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'notify:STATUS=warming up', 'wait:100', 'notify:READY=1', 'wait:100',
                        'notify:STOPPING=1', 'serve')}
        ready = notify
        """, "-v")
    brood.wait_record(r"a/0\[\d+\]: ready -> ready")
    brood.wait_record("a/0.*says it is stopping")
    brood.stop(signal.SIGTERM, 0)
    brood.has("a/0.*warming up", 1)


def test_notify_from_below_the_worker(t):
    brood = t.brood("""
        [worker:a]
        start = sh -c '%s & exec %s'
        ready = notify
        """ % (worker("name:x", "notify:READY=1", "serve"), worker("say:start", "serve")))
    brood.wait_record(r"a/0\[\d+\]: ready -> ready")
    brood.stop(signal.SIGTERM, 0)


def test_notify_from_a_stranger_is_not_believed(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('env:NOTIFY_SOCKET', 'serve')}
        ready = notify
        startup_timeout = 1s
        restart = no
        stop = {worker('name:hook', 'say:hook', 'exit:0')}
        """, "-v")
    path = t.wait_event("a/0 NOTIFY_SOCKET=.*").what.split("=")[1]
    stranger = t.other("nsenter", "-t", str(brood.pid), "-p", "-m",
                       *worker_argv("name:x", "notify:READY=1", "exit:0"), env={"NOTIFY_SOCKET": path})
    t.equal(stranger.wait(), 0, "the stranger has sent it")
    brood.wait_record("a/0.*notification.*ignored")
    brood.ends(1, "a/0")
    brood.has("a/0.*not ready in time")
    t.equal(t.story({"hook", "x"}), [], "it never became ready: no hook")


def test_notify_socket_is_removed(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('env:NOTIFY_SOCKET', 'notify:READY=1', 'serve')}
        ready = notify
        count = 2
        """)
    brood.wait_record("a/0.*ready -> ready")
    brood.wait_record("a/1.*ready -> ready")
    paths = {event.what.split("=")[1] for event in t.told("a/. NOTIFY_SOCKET=.*")}
    t.equal(len(paths), 2, "one socket per worker")
    brood.stop(signal.SIGTERM, 0)
    for path in paths:
        t.ok(not os.path.exists(path) and not os.path.exists(os.path.dirname(path)), path)


def test_startup_timeout(t):
    before = now_ms()
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve:ignore')}
        ready = fd:3
        startup_timeout = 300ms
        grace = 200ms
        restart_limit = 1/5m
        restart_delay = 50ms
        stop = {worker('name:hook', 'say:hook', 'exit:0')}
        """)
    brood.ends(137, "a/0")
    t.equal(t.story(), ["a/0 start", "a/0 TERM", "a/0 CONT"] * 2, "asked, killed, started again, no hook")
    # It counts from the fork on, which nobody here sees: not before brood began, and before the worker had its say.
    terms = [event.ms for event in t.told("a/0 TERM")]
    t.between(terms[0] - before, 299, 5000, "the first timeout, at the least")
    for begin, term in zip(starts(t, "a/0"), terms):
        t.between(term - begin, 0, 5000, "the timeout, at the most")
    t.between(starts(t, "a/0")[1] - before, 547, 5000, "timeout, grace, delay")


def test_startup_timeout_that_ends_with_0_gives_1(t):
    t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'serve')}
        ready = fd:3
        startup_timeout = 200ms
        restart = no
        """).ends(1, "a/0")


def test_startup_timeout_in_time(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('say:start', 'write:3', 'serve')}
        ready = fd:3
        startup_timeout = 300ms
        """)
    begin = brood.wait_record("a/0.*ready -> ready").ms
    t.elapse(500, begin)
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story()[:2], ["a/0 start", "a/0 TERM"], "never stopped before")


# --- jobs


def job(*words, extra=""):
    return f"""
        [worker:job]
        start = {worker('say:start', *words)}
        kill_after_completed = yes
        {extra}
        """


def test_job_completes_by_its_end(t):
    t.brood(job("exit:0")).ends(0, "completed")
    t.equal(t.story(), ["job/0 start"], "once")


def test_job_completes_by_ready(t):
    brood = t.brood(job("write:3", "serve:die", extra="ready = fd:3"))
    brood.ends(0, "completed")
    t.equal(t.story()[:2], ["job/0 start", "job/0 TERM"], "it is stopped then")


def test_job_that_fails_is_tried_again(t):
    t.brood(job("exit:3", extra="restart_delay = 20ms\nrestart_limit = 2/5m")).ends(3, "job/0")
    t.equal(t.story(), ["job/0 start"] * 3, "two restarts")


def test_job_cut_short(t):
    brood = t.brood(job("serve:die"))
    t.wait_event("job/0 start")
    brood.stop(signal.SIGTERM, 143)


def test_job_cut_short_by_int(t):
    brood = t.brood(job("serve:exit=1"))
    t.wait_event("job/0 start")
    brood.stop(signal.SIGINT, 130)


def test_job_that_answers_the_stop_with_success_has_completed(t):
    brood = t.brood(job("serve"))
    t.wait_event("job/0 start")
    brood.stop(signal.SIGTERM, 0)


# --- many


def test_descriptors_stay_the_same_over_50_restarts(t):
    brood = t.brood(f"""
        [worker:a]
        start = {worker('notify:READY=1', 'serve')}
        ready = notify
        restart_delay = 1ms
        restart_limit = 0
        stop = {worker('name:hook', 'say:hook', 'exit:0')}
        [worker:b]
        start = {worker('write:3', 'serve')}
        ready = fd:3
        """)
    brood.wait_record("b/0.*ready -> ready")
    counts = []
    for number in range(1, 52):
        ready = brood.wait_record(r"a/0\[\d+\]: ready -> ready", number)
        counts.append(len(os.listdir(f"/proc/{brood.pid}/fd")))
        os.kill(brood.worker_pid(int(re.search(r"\[(\d+)\]", ready.text).group(1))), signal.SIGKILL)
    t.equal(set(counts), {counts[0]}, "descriptors of brood each time that all are ready")
    t.wait_event("hook hook", 51)
    brood.stop(signal.SIGTERM, 0)


@limit(60)
def test_200_workers_crash_at_once(t):
    brood = t.brood(f"""
        [worker:a]
        start = {pause()}
        count = 200
        restart_delay = 50ms
        """)
    brood.wait_record("executed -> ready", 200)
    for pid in children_of(brood.pid):
        os.kill(pid, signal.SIGKILL)
    brood.wait_record("killed by KILL -> backoff", 200)
    brood.wait_record("executed -> ready", 400)
    t.equal(len(children_of(brood.pid)), 200, "children")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 3000, "the stop")
