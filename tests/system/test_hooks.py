"""Stop hooks of workers and the primary's two commands."""

import signal

from harness import worker


def hook(*words, last="exit:0"):
    return worker("name:hook", "env:WORKER_PID", "env:WORKER_EXIT_STATUS", "env:WORKER_SIGNAL", *words, last)


def test_stop_hook_runs_before_the_signal(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('show', 'say:start', 'serve')}
        stop = {hook('wait:200', 'say:done')}
        """)
    t.wait_event("web/0 start")
    pid = t.told(r"web/0 pid=\d+.*")[0].what.split(" ")[0].split("=")[1]
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story({"hook"}), [f"hook WORKER_PID={pid}", "hook WORKER_EXIT_STATUS=(unset)",
                                "hook WORKER_SIGNAL=(unset)", "hook done"], "the hook")
    t.equal(t.story()[-2:], ["hook done", "web/0 TERM"], "the order")


def test_stop_hook_may_end_the_worker_itself(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        stop = sh -c 'kill -INT $WORKER_PID'
        """)
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story({"web/0"})[:2], ["web/0 start", "web/0 INT"], "by the hook")


def test_stop_hook_runs_after_a_crash_and_before_the_restart(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'wait:100', 'exit:3')}
        stop = {hook('wait:300', 'say:done')}
        restart_limit = 1/5m
        restart_delay = 50ms
        """)
    brood.ends(3, "web/0")
    t.equal(t.story(), ["web/0 start", "hook WORKER_PID=(unset)", "hook WORKER_EXIT_STATUS=3",
                        "hook WORKER_SIGNAL=(unset)", "hook done"] * 2, "the order")


def test_stop_hook_is_told_the_signal(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'wait:50', 'kill:6')}
        stop = {hook()}
        restart = no
        """)
    brood.ends(134, "web/0")
    t.equal(t.story({"hook"}), ["hook WORKER_PID=(unset)", "hook WORKER_EXIT_STATUS=(unset)",
                                "hook WORKER_SIGNAL=ABRT"], "the hook")


def test_stop_hook_is_not_run_for_a_worker_that_was_never_ready(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        ready = fd:3
        stop = {hook()}
        """)
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story({"hook"}), [], "no hook")


def test_stop_hook_that_fails_changes_nothing(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        stop = {hook(last='exit:9')}
        """)
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story()[-1], "web/0 TERM", "the signal comes after it")
    brood.has("warning: hook web/0.*exited 9")


def test_stop_hook_that_is_missing_changes_nothing(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        stop = /nowhere/at-all
        """)
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
    brood.has("hook web/0.*/nowhere/at-all")


def test_stop_hook_that_hangs(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 1s
        [worker:web]
        start = {worker('say:start', 'serve')}
        stop = {worker('name:hook', 'say:start', 'serve:ignore')}
        """)
    t.wait_event("web/0 start")
    begin = brood.send(signal.SIGTERM)
    brood.ends(137, "hook of web/0")
    t.between(t.told("web/0 TERM")[0].ms - begin, 499, 990, "the worker gets its signal at half of the grace period")
    t.between(brood.records[-1].ms - begin, 999, 5000, "the hook is killed at its end")


def test_stop_hook_has_directory_and_environment_of_its_worker(t):
    brood = t.brood(f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        stop = {worker('env:WORKER_INDEX', 'show', 'exit:0')}
        working_directory = /usr/bin
        count = 2
        """)
    t.wait_event("web/0 start")
    t.wait_event("web/1 start")
    brood.stop(signal.SIGTERM, 0)
    for index in (0, 1):
        t.equal(len(t.told(f"web/{index} WORKER_INDEX={index}")), 1, "environment")
        t.equal(len(t.told(f"web/{index} cwd=/usr/bin")), 1, "directory")
        t.equal(len(t.told(f"web/{index} fds=0,1,2")), 1, "descriptors")


# --- the primary


def primary(start=("say:start", "exit:0"), stop=("say:stop", "exit:0"), extra="", workers=True):
    return f"""
        [supervisor]
        {extra}
        [primary]
        start = {worker('name:primary', *start)}
        stop = {worker('name:cleanup', *stop)}
        """ + (f"""
        [worker:web]
        start = {worker('say:start', 'serve:delay=50')}
        """ if workers else "")


def test_primary_runs_before_and_after_everything(t):
    brood = t.brood(primary(start=("say:start", "wait:200", "say:end", "exit:0")))
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story(), ["primary start", "primary end", "web/0 start", "web/0 TERM", "web/0 CONT", "cleanup stop"], "")


def test_primary_start_that_fails(t):
    t.brood(primary(start=("say:start", "exit:5"))).ends(5, "primary")
    t.equal(t.story(), ["primary start"], "nothing else runs")


def test_primary_start_that_is_killed(t):
    t.brood(primary(start=("say:start", "kill:9"))).ends(137, "primary")
    t.equal(t.story(), ["primary start"], "nothing else runs")


def test_primary_start_that_is_missing(t):
    brood = t.brood("""
        [primary]
        start = /nowhere/migrate
        [worker:web]
        start = sleep 100
        """)
    brood.ends(127, "primary")
    brood.has("/nowhere/migrate")


def test_stop_during_the_primary_start(t):
    brood = t.brood(primary(start=("say:start", "serve:die")))
    t.wait_event("primary start")
    brood.stop(signal.SIGTERM, 143)
    t.equal(t.story(), ["primary start", "primary TERM"], "no worker, no stop hook")


def test_stop_during_the_primary_start_that_ignores_it(t):
    brood = t.brood(primary(start=("say:start", "serve:ignore"), extra="grace = 300ms"))
    t.wait_event("primary start")
    t.between(brood.stop(signal.SIGINT, 130), 300, 5000, "the stop")
    t.equal(t.story(), ["primary start", "primary INT", "primary CONT"], "no worker, no stop hook")


def test_primary_stop_runs_after_a_failure_too(t):
    brood = t.brood(f"""
        [primary]
        stop = {worker('name:cleanup', 'say:stop', 'exit:3')}
        [worker:web]
        start = {worker('say:start', 'exit:7')}
        restart = no
        """)
    brood.ends(7, "web/0")
    t.equal(t.story(), ["web/0 start", "cleanup stop"], "")


def test_primary_stop_runs_after_the_stragglers(t):
    brood = t.brood(f"""
        [primary]
        stop = {worker('name:cleanup', 'say:stop', 'exit:0')}
        [worker:web]
        start = {worker('orphan:lost:delay=200', 'say:start', 'serve')}
        """)
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story()[-3:], ["lost TERM", "lost CONT", "cleanup stop"], "the order")
    t.ok(t.told("cleanup stop")[0].ms - t.told("lost TERM")[0].ms >= 200, "it waits for the straggler")


def test_finish_grace(t):
    brood = t.brood(primary(stop=("say:stop", "serve:ignore"), extra="finish_grace = 400ms"))
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 137), 400, 5000, "the stop")
    t.equal(len(t.told("cleanup stop")), 1, "it ran")


def test_primary_stop_has_its_time_with_grace_0(t):
    brood = t.brood(primary(stop=("say:stop", "wait:300", "say:end", "exit:0"), extra="grace = 0"))
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 137, "web/0")
    t.equal(t.story()[-2:], ["cleanup stop", "cleanup end"], "it ends in peace")


def test_primary_alone(t):
    t.brood(primary(workers=False)).ends(0)
    t.equal(t.story(), ["primary start", "cleanup stop"], "start, stop, the end")


def test_primary_start_alone_that_leaves_a_process(t):
    brood = t.brood(f"""
        [supervisor]
        grace = 300ms
        [primary]
        start = {worker('name:primary', 'orphan:lost:ignore', 'say:start', 'exit:0')}
        """)
    brood.ends(0)
    t.equal(len(t.told("lost TERM")), 1, "it is asked, then killed")


def test_signals_are_not_forwarded_to_hooks(t):
    brood = t.brood(primary(start=("say:start", "wait:400", "exit:0")))
    t.wait_event("primary start")
    brood.send(signal.SIGUSR1)
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story({"primary"}), ["primary start"], "USR1 goes to worker groups")
