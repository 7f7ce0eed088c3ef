"""sd_notify as a supervisor sees it: every state with datagrams of the test's own (programs/notifier.c) and with Debian's
systemd-notify, bad senders, MAINPID, the watchdog; and what brood tells a manager above it."""

import os
import re
import shlex
import shutil
import signal
import socket

from harness import OPTIONS, Failure, children_of, inner_pid, limit, now_ms, pids, stat_of, worker

MANAGER = "manager.socket"


def notifier(*words, then=()):
    """The command line of the notifier, as a config's value; `then` are words of the worker that it becomes."""
    if then:
        words += ("--", OPTIONS["programs"] + "/worker", *then)
    return " ".join(shlex.quote(word) for word in (OPTIONS["programs"] + "/notifier", *words))


def descriptors_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def find_member(brood, inner):
    """The outer pid, None where it is gone."""
    try:
        return brood.worker_pid(inner)
    except Failure:
        return None


# --- states ---


def test_notify_order_of_lines_and_noise(t):
    """READY among lines that nobody knows, several in one datagram, a last newline or none, values that are none."""
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('send:FOO=1%n%n=%nREADY=1%nBAR', then=('serve',))}
        ready = notify
        [worker:b]
        start = {notifier('send:READY=0%nREADY=%nREADY=10%n READY=1%nREADY=1 ', 'barrier', 'say:sent', 'send:READY=1%n',
                          then=('serve',))}
        ready = notify
        """)
    t.wait_event("b/0 sent")
    brood.wait_record("a/0.*-> ready")
    brood.wait_record("b/0.*-> ready", 1)
    brood.stop(signal.SIGTERM, 0)
    brood.has("-> ready", 2)


def test_notify_reports(t):
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('send:ERRNO=2%nSTATUS=looks for it', 'barrier', 'send:ERRNO=2', 'barrier', 'send:EXIT_STATUS=9',
                          'barrier', 'send:RELOADING=1%nMONOTONIC_USEC=12345', 'barrier', 'say:told', 'exit:9')}
        ready = notify
        restart = no
        """, "-v")
    brood.ends(9, "a/0")
    t.told("a/0 told") or t.ok(False, "it has told")
    brood.has(r"info: a/0\[\d+\]: reports an error: No such file or directory", 1)
    brood.has(r"info: a/0\[\d+\]: reports that it will exit with 9", 1)
    brood.has(r"debug: a/0\[\d+\]: status: looks for it", 1)
    brood.has(r"debug: a/0\[\d+\]: reloads its configuration", 1)


def test_notify_malformed(t):
    """A NUL inside, more than 4 KiB, READY=1 in both: not believed; the worker is none the worse for it."""
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('send:READY=1@NUL@%nX=1', 'large:4097', 'large:200000', 'send:', 'barrier', 'say:sent', 'wait')}
        ready = notify
        [worker:b]
        start = {notifier('large:4096', 'send:MAINPID=0%nMAINPID=-1%nMAINPID=99999999999999999999%nERRNO=x', 'barrier',
                          'say:sent', then=('serve',))}
        ready = notify
        """, "-v")
    t.wait_event("a/0 sent")
    t.wait_event("b/0 sent")
    brood.wait_record("b/0.*-> ready")
    brood.has(r"a/0\[\d+\]: a malformed notification is ignored", 1)
    brood.has(r"a/0\[\d+\]: a notification of more than 4096 bytes is ignored", 2)
    brood.has_not("a/0.*-> ready")
    brood.stop(signal.SIGTERM, 0)


def test_notify_barrier_and_descriptors(t):
    """Every descriptor is closed, asked for or not, and brood has none of them afterwards."""
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('send:READY=1', 'barrier', 'say:one', 'fds:2:BARRIER=1', 'fds:1:BARRIER=1%nREADY=1',
                          'fds:253:FDSTORE=1%nFDNAME=x', 'fds:7:STATUS=x', 'fds:3:', 'say:all', then=('serve',))}
        ready = notify
        """, "-v")
    t.wait_event("a/0 one")
    brood.wait_record("a/0.*-> ready")
    before = descriptors_of(brood.pid)
    t.wait_event("a/0 all")
    t.equal(t.story()[:2], ["a/0 closed", "a/0 one"], "the barrier")
    t.equal(t.story()[2:], 5 * ["a/0 closed"] + ["a/0 all"], "all others")
    t.equal(descriptors_of(brood.pid), before, "descriptors of brood")
    brood.has(r"2 descriptors came with a barrier", 1)
    brood.has(r"253 descriptors came with a FDSTORE=1", 1)
    brood.stop(signal.SIGTERM, 0)


def test_notify_barrier_of_a_stranger_is_passed_too(t):
    """Nobody is to hang because he isn't believed."""
    brood = t.brood(f"""
        [worker:a]
        start = {worker('env:NOTIFY_SOCKET', 'serve')}
        ready = notify
        """)
    path = t.wait_event("a/0 NOTIFY_SOCKET=.*").what.split("=")[1]
    stranger = t.other(OPTIONS["programs"] + "/notifier", "send:READY=1", "barrier", env={"NOTIFY_SOCKET": path})
    t.wait_event(r"\?/\? closed")
    t.equal(stranger.wait(), 0, "the stranger")
    brood.has_not("-> ready")
    brood.stop(signal.SIGTERM, 0)


def test_notify_flood_starves_nobody(t):
    """10,000 datagrams of each of four workers: another one becomes ready, signals are passed on and the stop is prompt."""
    brood = t.brood(f"""
        [worker:flood]
        start = {notifier('ignore:10', 'flood:10000:READY=1%nWATCHDOG=1%nSTATUS=x%nERRNO=1', 'flood:1000000:STOPPING=1', 'wait')}
        ready = notify
        count = 4
        [worker:b]
        start = {notifier('send:READY=1', then=('say:start', 'serve'))}
        ready = notify
        after = flood
        """)
    begin = brood.wait_record("b/0.*-> ready").ms
    t.wait_event("b/0 start")
    for number in range(1, 11):
        sent = now_ms()
        brood.send(signal.SIGUSR1)
        t.between(t.wait_event("b/0 USR1", number).ms - sent, 0, 2000, "milliseconds to pass a signal on")
    for index in range(4):
        t.wait_event(f"flood/{index} flooded")
    t.ok(begin <= now_ms(), "it was ready during the flood")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
    brood.has("flood/.*-> ready", 4)


def test_notify_keeps_no_descriptor(t):
    """Over 20 restarts of a worker that has sent descriptors, named a main process and left it behind."""
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('fds:9:FDSTORE=1', 'main:session', 'send:READY=1', 'barrier', 'exit:0', '--', *worker_argv_of('say:main',
                          'exit:1'))}
        ready = notify
        restart_delay = 1ms..1ms
        restart_limit = 20/1m
        on_failure = continue
        [worker:b]
        start = {worker('say:start', 'serve')}
        """)
    t.wait_event("b/0 start")
    first = descriptors_of(brood.pid)
    brood.wait_record("a/0.*-> failed")
    # What one incarnation holds comes and goes between the two looks; what each of 20 left would be 20.
    t.between(descriptors_of(brood.pid), first - 4, first + 4, "descriptors of brood")
    brood.stop(signal.SIGTERM, 0)
    brood.has("its main process is", 21)


def worker_argv_of(*words):
    return (OPTIONS["programs"] + "/worker", *words)


def test_notify_by_systemd(t):
    """Debian's own client, which waits for its barrier."""
    if not shutil.which("systemd-notify"):
        raise Failure("missing: systemd-notify (Debian's package systemd)")
    brood = t.brood(f"""
        [worker:a]
        start = sh -c 'systemd-notify --status="a word" && systemd-notify --ready && {worker('say:sent')}; exec sleep 1000'
        ready = notify
        """, "-v")
    t.wait_event("a/0 sent")
    brood.wait_record("a/0.*-> ready")
    brood.has("a/0.*status: a word", 1)
    brood.stop(signal.SIGTERM, 0)


def test_notify_by_another_user_whatever_the_umask(t):
    """brood makes /run/brood itself: what it was started with must not close it to a worker's user."""
    client = t.copy_of("notifier")
    for mask in (0o022, 0o077, 0o777):
        brood = t.brood(f"""
            [worker:a]
            start = {client} send:READY=1 wait
            ready = notify
            user = 61001
            """, before=lambda mask=mask: os.umask(mask))
        brood.wait_record("a/0.*-> ready")
        t.equal(os.stat("/run/brood").st_mode & 0o7777, 0o755, "the mode of the directory that the socket is below")
        brood.stop(signal.SIGTERM, 0)
        t.equal(os.listdir("/run"), [], "what is left")


# --- timeouts ---


def test_notify_extends_startup_timeout(t):
    before = now_ms()
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('send:EXTEND_TIMEOUT_USEC=1500000', then=('wait:900', 'notify:READY=1', 'serve'))}
        ready = notify
        startup_timeout = 300ms
        [worker:b]
        start = {notifier('send:EXTEND_TIMEOUT_USEC=600000', then=('say:start', 'serve'))}
        ready = notify
        startup_timeout = 300ms
        restart = no
        on_failure = continue
        """)
    brood.wait_record("a/0.*-> ready")
    late = brood.wait_record("b/0.*not ready in time").ms
    t.between(late - before, 598, 5000, "the time that it had asked for")
    brood.has_not("a/0.*not ready in time")
    brood.stop(signal.SIGTERM, 0)


def test_notify_sockets_of_killed_broods(t):
    """Containers that are started again keep their /run: what a killed brood left goes away at the next start."""
    for lives in range(1, 4):
        brood = t.brood(f"""
            [worker:a]
            start = {notifier('send:READY=1', then=('say:start', 'serve'))}
            ready = notify
            """)
        brood.wait_record("a/0.*-> ready")
        t.equal(len(os.listdir("/run/brood")), 1, "directories of sockets")
        if lives < 3:
            brood.send(signal.SIGKILL)
            brood.wait()
    brood.stop(signal.SIGTERM, 0)
    os.rmdir("/run/brood")  # it is empty


# --- watchdog ---


def test_watchdog(t):
    """Told in the environment, pinged, missed: ABRT, a restart, and its limit."""
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('env:WATCHDOG_USEC', 'env:WATCHDOG_PID', 'say:pid=@', 'send:READY=1', 'ping:100:13', 'say:silent',
                          then=('say:start', 'show', 'serve:only=6,die'))}
        ready = notify
        watchdog = 1s
        restart_delay = 10ms..10ms
        restart_limit = 1/1m
        """)
    silent = t.wait_event("a/0 silent").ms
    abrt = t.wait_event("a/0 ABRT")
    t.between(abrt.ms - silent, 0, 5000, "from the last ping to ABRT")
    t.wait_event("a/0 silent", 2)
    brood.ends(134, "a/0")
    t.equal(len(t.told("a/0 start")), 2, "starts")
    t.equal(len(t.told("a/0 WATCHDOG_USEC=1000000")), 2, "the interval")
    told = [event.what.split("=")[1] for event in t.told("a/0 WATCHDOG_PID=.*")]
    own = [re.search(r"pid=(\d+)", event.what).group(1) for event in t.told("a/0 pid=.* ppid=.*")]
    t.equal(told, own, "the pid that it is meant for")


def test_watchdog_without_notify(t):
    """The socket is there for the pings alone: READY=1 isn't what makes it ready."""
    brood = t.brood(f"""
        [worker:fd]
        start = {notifier('send:READY=1', 'barrier', 'say:sent', 'ping:100:13', then=('write:5', 'serve:only=6,die'))}
        ready = fd:5
        watchdog = 1s
        restart = no
        on_failure = continue
        [worker:none]
        start = {worker('say:start', 'env:NOTIFY_SOCKET', 'serve:only=6,die')}
        watchdog = 300ms
        restart = no
        on_failure = continue
        """, "-v")
    sent = t.wait_event("fd/0 sent").ms
    t.between(brood.wait_record(r"fd/0\[\d+\]: ready -> ready").ms - sent, 1000, 5000, "ready by its descriptor")
    t.wait_event("none/0 ABRT")
    t.match(t.wait_event("none/0 NOTIFY_SOCKET.*").what, r"=/run/brood/brood-\w+/\d+$", "its socket")
    brood.ends(134, "none/0")


def test_watchdog_trigger(t):
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('send:READY=1', 'barrier', 'send:WATCHDOG=trigger', then=('serve:only=6,die',))}
        ready = notify
        watchdog = 1h
        restart = no
        """)
    brood.ends(134, "a/0")


def test_watchdog_interval_is_changed(t):
    brood = t.brood(f"""
        [worker:a]
        start = {notifier('send:READY=1%nWATCHDOG_USEC=300000', then=('say:start', 'serve:only=6,die'))}
        ready = notify
        watchdog = 1h
        restart = no
        """)
    start = t.wait_event("a/0 start").ms
    t.between(t.wait_event("a/0 ABRT").ms - start, 0, 5000, "its own interval")
    brood.ends(134, "a/0")


# --- MAINPID ---


def main_config(how, *words, main=("name:main", "say:start", "serve"), extra=""):
    return f"""
        [worker:a]
        start = {notifier(f'main:{how}', *words, '--', *worker_argv_of(*main))}
        ready = notify
        {extra}
        """


def test_mainpid_is_what_the_end_is_about(t):
    """The leader ends with 7, which tells nothing; the main process is adopted, and its status is the worker's."""
    brood = t.brood(main_config("same", "send:READY=1", "exit:7", main=("name:main", "say:start", "wait:500", "exit:4"),
                                extra="restart = no"))
    brood.wait_record("a/0.*-> ready")
    main = int(t.wait_event("a/0 main .* told").what.split()[1])
    brood.ends(4, "a/0")
    brood.has(rf"a/0\[\d+\]: its main process is {main}$", 1)
    brood.has(rf"a/0\[{main}\]: exited 4", 1)
    brood.has_not("exited 7")


def check_mainpid_stopped(t, how, extra=""):
    """The leader is gone; the main process gets the stop signal once, also in a session of its own."""
    brood = t.brood(main_config(how, "send:READY=1", "exit:0", extra=extra))
    brood.wait_record("a/0.*-> ready")
    t.wait_event("main start")
    t.poll(lambda: len(children_of(brood.pid)) == 1, "the leader's end")
    t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
    t.equal(t.story({"main"}), ["main start", "main TERM", "main CONT"][:len(t.story({"main"}))], "its signals")
    t.equal(len(t.told("main TERM")), 1, "stop signals")
    brood.has(r"a/0\[\d+\]: exited 0 -> down", 1)


def test_mainpid_is_stopped_in_its_group(t):
    check_mainpid_stopped(t, "same")


def test_mainpid_is_stopped_in_its_own_group(t):
    check_mainpid_stopped(t, "group")


def test_mainpid_is_stopped_in_its_own_session(t):
    check_mainpid_stopped(t, "session")


def test_mainpid_alone_is_stopped(t):
    """stop_to = leader: the main process; what is beside it in the group is asked once that has ended."""
    brood = t.brood(main_config("same", "send:READY=1", "exit:0", extra="stop_to = leader",
                                main=("name:main", "member:below", "say:start", "serve:delay=300")))
    brood.wait_record("a/0.*-> ready")
    t.wait_event("main start")
    brood.stop(signal.SIGTERM, 0)
    t.between(t.told("below TERM")[0].ms - t.told("main TERM")[0].ms, 298, 5000, "one after the other")


def test_mainpid_is_killed_after_its_grace(t):
    brood = t.brood(main_config("session", "send:READY=1", "exit:0", main=("name:main", "say:start", "serve:ignore"),
                                extra="grace = 300ms"))
    brood.wait_record("a/0.*-> ready")
    t.wait_event("main start")
    t.between(brood.stop(signal.SIGTERM, 137), 250, 5000, "the stop")


def test_mainpid_ends_before_its_leader(t):
    """The leader is a member that is left: stopped before the restart. It doesn't reap, and so the status is there."""
    brood = t.brood(main_config("session", "send:READY=1", "wait",
                                main=("name:main", "say:start", "wait:300", "exit:3"),
                                extra="restart_delay = 10ms..10ms"))
    brood.wait_record(r"a/0.*exited 3")
    t.wait_event("main start", 2)
    t.equal(len(children_of(brood.pid)), 1, "children of brood: the first leader is gone")
    brood.stop(signal.SIGTERM, 0)


def test_mainpid_is_reaped_by_its_leader(t):
    """Which has its status then: brood may come too late for it. A stopped brood surely does."""
    brood = t.brood(main_config("session", "send:READY=1", "reap", "say:reaped", "wait",
                                main=("name:main", "say:start", "wait:300", "exit:3")), mode="subreaper")
    brood.wait_record("a/0.*-> ready")
    t.wait_event("main start")
    brood.send(signal.SIGSTOP)
    t.wait_event("a/0 reaped")
    brood.send(signal.SIGCONT)
    brood.wait_record("its main process has ended, but another process is its parent and has its status: taken for 0")
    brood.ends(0)


def test_mainpid_of_nobody_is_ignored(t):
    """brood itself, another worker, somebody below that, one that isn't there, the leader: the worker stays what it is."""
    others = [f"send:MAINPID={pid}" for pid in range(1, 10)]
    brood = t.brood(f"""
        [worker:other]
        start = {worker('member:below', 'setsid:far', 'write:3', 'serve')}
        ready = fd:3
        [worker:a]
        start = {notifier(*others, 'send:MAINPID=4000000', 'send:MAINPID=@PID@', 'send:READY=1', 'barrier',
                          then=('say:start', 'wait:200', 'exit:6'))}
        ready = notify
        restart = no
        after = other
        """, "-v")
    brood.ends(6, "a/0")
    for pid in (1, 2, *(int(event.what.split()[1]) for event in t.told("(below|far) start .*"))):
        brood.has(rf"MAINPID={pid} is ignored: it is not below this worker", 1)
    brood.has(r"MAINPID=4000000 is ignored", 1)
    brood.has(r"MAINPID=\d+ is its own process")
    brood.has_not("its main process is")


def test_mainpid_gets_the_notifications(t):
    """Once the leader is gone its main process speaks for the worker."""
    brood = t.brood(main_config("session", "exit:0", main=("name:main", "say:start", "wait:300", "notify:READY=1", "serve")))
    brood.wait_record(r"a/0\[\d+\]: ready -> ready")
    brood.stop(signal.SIGTERM, 0)
    t.told("main TERM")[0]


def test_mainpid_leaves_its_members(t):
    """The main process ends and leaves somebody in its session: stopped before the restart, as of any worker."""
    brood = t.brood(main_config("session", "send:READY=1", "exit:0",
                                main=("name:main", "member:below", "say:start", "wait:300", "exit:3"),
                                extra="restart_delay = 10ms..10ms"))
    t.wait_event("main start", 2)
    first = [int(event.what.split()[1]) for event in t.told("below start .*")][0]
    t.ok(find_member(brood, first) is None, "the member of the first one is gone")
    t.equal([event.text for event in t.told("below TERM")][:1], ["below TERM"], "it was asked")
    brood.stop(signal.SIGTERM, 0)


def test_mainpid_hook_is_told(t):
    brood = t.brood(main_config("session", "send:READY=1", "exit:0",
                                extra=f"stop = {worker('name:hook', 'env:WORKER_PID', 'exit:0')}"))
    brood.wait_record("a/0.*-> ready")
    main = t.wait_event("a/0 main .* told").what.split()[1]
    t.wait_event("main start")
    brood.stop(signal.SIGTERM, 0)
    t.equal(t.story({"hook"}), [f"hook WORKER_PID={main}"], "the process that the hook is told")


# --- brood's own manager ---


def manager_of(t, address):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(address)
    manager.setblocking(False)
    return manager


def received(manager):
    messages = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


def check_manager(t, address, name):
    manager = manager_of(t, address)
    brood = t.brood(f"""
        [supervisor]
        grace = 5s
        [worker:a]
        start = {worker('env:NOTIFY_SOCKET', 'wait:300', 'write:3', 'serve')}
        ready = fd:3
        """, env={"NOTIFY_SOCKET": name})
    t.wait_event("a/0 NOTIFY_SOCKET=.unset.")
    messages = received(manager)
    t.ok("READY=1" not in messages, "not ready before the worker is")
    brood.wait_record("a/0.*-> ready")
    t.poll(lambda: messages.extend(received(manager)) or "READY=1" in messages, "READY=1", 10)
    brood.stop(signal.SIGTERM, 0)
    messages += received(manager)
    t.equal(messages.count("READY=1"), 1, "READY=1")
    t.equal(messages.count("STOPPING=1"), 1, "STOPPING=1")
    t.ok(messages.index("READY=1") < messages.index("STOPPING=1"), "their order")
    extended = [int(text.split("=")[1]) for text in messages if text.startswith("EXTEND_TIMEOUT_USEC=")]
    t.ok(extended and 5000000 <= max(extended) <= 60000000, f"how long the stop may take: {messages}")


def test_manager_at_a_path(t):
    t.files.add(MANAGER)
    check_manager(t, t.directory + "/" + MANAGER, t.directory + "/" + MANAGER)


def test_manager_at_an_abstract_name(t):
    check_manager(t, "\0brood-manager", "@brood-manager")


def test_manager_that_is_gone(t):
    """Neither a socket without a reader, nor one that is full, nor one of another kind holds brood up."""
    t.files.add(MANAGER)
    gone = manager_of(t, t.directory + "/" + MANAGER)
    gone.close()
    full = manager_of(t, "\0full")
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler.setblocking(False)
    try:
        while True:
            filler.sendto(b"x", "\0full")
    except BlockingIOError:
        pass
    for name, text in ((t.directory + "/" + MANAGER, "gone.*Connection refused"), ("@full", "doesn't take READY=1"),
                       ("vsock:2:1", "can't be notified")):
        brood = t.brood(f"""
            [worker:a]
            start = {worker('say:start', 'serve')}
            """, env={"NOTIFY_SOCKET": name})
        t.wait_event("a/0 start")
        brood.wait_record(text)
        t.between(brood.stop(signal.SIGTERM, 0), 0, 5000, "the stop")
        t.events.clear()


def test_manager_of_a_command_is_the_commands_own(t):
    manager = manager_of(t, "\0brood-manager")
    brood = t.brood(None, command=[OPTIONS["programs"] + "/notifier", "env:NOTIFY_SOCKET", "exit:0"],
                    env={"NOTIFY_SOCKET": "@brood-manager"})
    t.equal(brood.wait(), 0, "exit status")
    t.equal(received(manager), [], "what brood has sent")
    t.equal(t.story(), ["?/? NOTIFY_SOCKET=@brood-manager"], "what the command has")
