"""Who processes are and what they may do: user, groups, limits, capabilities; what brood does without; what it keeps."""

import os
import shutil
import signal

from harness import status_field

USER, GROUP, EXTRA = 61001, 61002, 61003
PASSWD = f"root:x:0:0:root:/root:/bin/sh\napp:x:{USER}:{GROUP}:App:/home/app:/bin/app-shell\n"
GROUPS = f"root:x:0:\napp:x:{GROUP}:\nextra:x:{EXTRA}:app\nmore:x:61004:\n"
DOCKER = ("chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
          "audit_write,setfcap")
NET_BIND = 1 << 10


def accounts(t):
    """Files of the test's own over /etc/passwd and /etc/group, in a mount namespace of brood's own; programs where
    everybody may go."""
    t.file("passwd", PASSWD)
    t.file("group", GROUPS)
    copy(t)
    return ("sh", "-c", "mount -n --bind passwd /etc/passwd && mount -n --bind group /etc/group && exec \"$@\"", "sh")


def copy(t):
    t.copy_of("brood")
    t.copy_of("worker")


def start(t, config, *options, inside=(), **keywords):
    return t.brood(config, *options, path=t.directory + "/brood", namespace_options=("--mount-proc", "--mount"),
                   in_namespace=(*accounts(t), *inside), **keywords)


def only(capabilities):
    """setpriv with these alone in the bounding set, as a container runtime leaves them."""
    return ("setpriv", "--inh-caps=-all", "--bounding-set", "-all," + ",".join("+" + name for name in
                                                                             capabilities.split(",")))


def as_user(uid, gid=0, *more):
    return ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *more)


def worker(t, *words):
    return " ".join([t.directory + "/worker", *words])


def found(t, name):
    """The outer pid of the one worker of a group, once it runs."""
    return t.wait_event(f"{name}/0 pid=.*").what.split()[0].partition("=")[2]


def pid_of(t, brood, name):
    return brood.worker_pid(int(found(t, name)))


def capability_sets(pid):
    return [int(status_field(pid, "Cap" + name), 16) for name in ("Prm", "Eff", "Inh", "Amb")]


def script(t, name, text):
    return t.file(name, "#!/bin/sh\nexec 3>$EVENTS\nsay() { echo \"0 $WORKER_NAME $*\" >&3; }\n" + text, 0o755)


# --- user and groups


def test_identity_user_of_worker_hook_probe_and_primary(t):
    show = script(t, "show", "say \"$1 $(id -u):$(id -g) $(id -G | tr ' ' ,) $HOME $USER $LOGNAME $SHELL\"\n")
    primary = script(t, "primary", "WORKER_NAME=primary\nsay \"$(id -u):$(id -g) $HOME\"\n")
    brood = start(t, f"""
        [env]
        HOME = /of/env
        [primary]
        start = {primary}
        user = app
        group = more
        [worker:web]
        start = {worker(t, 'env:HOME', 'env:LOGNAME', 'show', 'serve')}
        stop = {show} hook
        ready = exec:{show} probe
        user = app
        env.LOGNAME = mine
        [worker:plain]
        start = {worker(t, 'env:HOME', 'show', 'serve')}
        after = web
        """)
    pid, plain = pid_of(t, brood, "web"), pid_of(t, brood, "plain")
    t.equal(status_field(pid, "Uid").split(), [str(USER)] * 4, "the user")
    t.equal(status_field(pid, "Gid").split(), [str(GROUP)] * 4, "the group")
    t.equal(status_field(pid, "Groups").split(), [str(GROUP), str(EXTRA)], "the supplementary groups")
    t.equal(capability_sets(pid), [0, 0, 0, 0], "capabilities")
    t.equal(status_field(plain, "Uid").split(), ["0"] * 4, "who has no user")
    brood.stop()
    own = f"{USER}:{GROUP} {GROUP},{EXTRA} /home/app app mine /bin/app-shell"
    for event in (f"web probe {own}", f"web hook {own}", f"primary {USER}:61004 /home/app", "web/0 HOME=/home/app",
                  "web/0 LOGNAME=mine", "plain/0 HOME=/of/env"):
        t.ok(t.told(event), f"{event}: {t.story()}")


def test_identity_numbers_groups_and_a_directory_of_the_users(t):
    os.mkdir("private", 0o700)
    os.chown("private", USER, GROUP)
    os.mkdir("closed", 0o700)
    brood = start(t, f"""
        [worker:number]
        start = {worker(t, 'env:HOME', 'env:USER', 'show', 'serve')}
        user = 70000
        group = more
        groups = extra, 61099
        [worker:directory]
        start = {worker(t, 'show', 'serve')}
        user = app
        working_directory = {t.directory}/private
        [worker:closed]
        start = {worker(t, 'say:in', 'serve')}
        user = app
        working_directory = {t.directory}/closed
        restart = no
        on_failure = continue
        [worker:group]
        start = {worker(t, 'show', 'serve')}
        group = 61050
        """)
    pid, directory, group = (pid_of(t, brood, name) for name in ("number", "directory", "group"))
    t.equal(status_field(pid, "Uid").split()[0], "70000", "a user without an entry")
    t.equal(status_field(pid, "Gid").split()[0], "61004", "a named group")
    t.equal(status_field(pid, "Groups").split(), ["61003", "61004", "61099"], "groups, sorted by the kernel")
    t.equal(os.readlink(f"/proc/{directory}/cwd"), t.directory + "/private", "the directory")
    brood.wait_record(r"closed/0\[\d+\]: cannot enter working directory .*/closed: Permission denied")
    t.equal((status_field(group, "Uid").split()[0], status_field(group, "Gid").split()[0]), ("0", "61050"), "group")
    brood.stop()
    t.ok(t.told("number/0 HOME=/") and t.told("number/0 USER=70000"), "a home for a number")
    os.rmdir("private")
    os.rmdir("closed")


def test_identity_of_files_without_a_last_end_of_line(t):
    """An image's files may end without one, and the last line is one like all."""
    inside = accounts(t)
    t.file("passwd", PASSWD + "last:x:2001:2002:::")
    t.file("group", GROUPS + "bonus:x:2003:other,last")
    brood = t.brood(f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        user = last
        type = cluster
        listen = unix:{t.directory}/sock?user=last&group=bonus
        """, path=t.directory + "/brood", namespace_options=("--mount-proc", "--mount"), in_namespace=inside)
    pid = pid_of(t, brood, "web")
    t.equal(status_field(pid, "Groups").split(), ["2002", "2003"], "its groups")
    with open(f"/proc/{pid}/environ", encoding="utf-8") as file:
        t.ok("SHELL=/bin/sh" in file.read().split("\0"), "its SHELL")
    info = os.lstat(t.directory + "/sock")
    t.equal((info.st_uid, info.st_gid), (2001, 2003), "the socket's owner")
    brood.stop()
    t.events.clear()
    t.file("passwd", PASSWD + "last:x:2001:2002::/home/last:/bin/shell")
    brood = t.brood(f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        user = last
        """, path=t.directory + "/brood", namespace_options=("--mount-proc", "--mount"), in_namespace=inside)
    with open(f"/proc/{pid_of(t, brood, 'web')}/environ", encoding="utf-8") as file:
        t.ok("SHELL=/bin/shell" in file.read().split("\0"), "its SHELL, whole")
    brood.stop()


def test_identity_of_nobody_is_a_fault_with_its_line(t):
    config = t.config("""
        [worker:web]
        start = /bin/true
        user = nobody-of-that-name
        group = 5
        groups = no-such-group
        capabilities = ^cap_kill,^cap_none
        """)
    status, out, _ = t.run("--check", "-c", config)
    t.equal(status, 100, "the status")
    lines = out.splitlines()
    t.equal([line.split(" ", 1)[0] for line in lines], [f"{config}:{n}:" for n in (3, 5, 6)], "the lines")
    t.match(lines[0], r'user: "nobody-of-that-name" is not in /etc/passwd', "the user")
    t.match(lines[1], r'groups: "no-such-group" is not in /etc/group', "the group")
    t.match(lines[2], r'capabilities: "\^cap_none" is no capability', "the capability")
    t.equal(t.run("-c", config)[0], 100, "without --check")


def test_identity_that_a_sandbox_cannot_map(t):
    copy(t)
    config = t.config("""
        [worker:web]
        start = /bin/true
        user = 4711
        """)
    words = ["-n", "--check", "-c", config]
    process = t.other(*as_user(65534, 65534), t.directory + "/brood", *words, stdout=open("out", "wb"))
    t.files.add("out")
    t.equal(process.wait(10), 100, "the status")
    with open("out", encoding="utf-8") as file:
        t.match(file.read(), r"brood.ini:3: error: \[worker:web\] user: can't be had under --sandbox", "the fault")


# --- limits and the rest


def test_identity_umask_nice_oom_score_and_limits(t):
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        user = app
        umask = 027
        nice = 5
        oom_score_adj = 300
        limit_nofile = 100:200
        limit_core = 0
        limit_stack = 1048576:unlimited
        limit_nproc = 999
        """)
    pid = pid_of(t, brood, "web")
    t.equal(int(status_field(pid, "Umask"), 8), 0o027, "umask")
    t.equal(os.getpriority(os.PRIO_PROCESS, pid), 5, "nice")
    with open(f"/proc/{pid}/oom_score_adj", encoding="utf-8") as file:
        t.equal(file.read().strip(), "300", "oom_score_adj")
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
    t.equal([limits[name] for name in ("Max open files", "Max core file size", "Max stack size", "Max processes")],
            [["100", "200"], ["0", "0"], ["1048576", "unlimited"], ["999", "999"]], "limits")
    t.equal(os.getpriority(os.PRIO_PROCESS, brood.pid), os.getpriority(os.PRIO_PROCESS, 0), "brood's own")
    brood.stop()


# --- capabilities


def test_identity_capabilities_bind_port_80_and_nothing_else(t):
    t.file("bind.py", "import os, socket\nos.write(os.open(os.environ['EVENTS'], os.O_WRONLY), b'')\n"
           "s = socket.socket()\ns.bind(('127.0.0.1', 80))\ntry:\n    os.chown('/tmp/test/bind.py', 1, 1)\n"
           "    more = 'more'\nexcept PermissionError:\n    more = 'no more'\n"
           "open(os.environ['EVENTS'], 'w').write('0 bind ' + more + '\\n')\n")
    brood = start(t, f"""
        [worker:bind]
        start = /usr/bin/python3 {t.directory}/bind.py
        user = app
        capabilities = ^cap_net_bind_service
        kill_after_completed = yes
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        user = app
        capabilities = ^cap_net_bind_service,!cap_sys_admin
        no_new_privileges = yes
        """)
    pid = pid_of(t, brood, "web")
    t.equal(capability_sets(pid), [NET_BIND] * 4, "its sets")
    t.equal(int(status_field(pid, "CapBnd"), 16) & 1 << 21, 0, "its bounding set")
    t.equal(status_field(pid, "NoNewPrivs"), "1", "no_new_privs")
    t.equal(status_field(brood.pid, "NoNewPrivs"), "0", "brood's own")
    t.ok(int(status_field(brood.pid, "CapBnd"), 16) & 1 << 21, "brood's bounding set")
    t.wait_event("bind no more")
    brood.wait_record(r"bind/0\[\d+\]: exited 0 -> completed")
    brood.stop()


def refused(t, inside, line, pattern):
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'say:start', 'serve')}
        {line}
        """, inside=inside)
    brood.ends(111, pattern)
    t.equal(t.told("web/0 start"), [], "nothing is started")


def test_identity_capability_out_of_the_bounding_set_that_is_held(t):
    """libcap's "!^": the worker has it, and nothing that it executes could have it in another way."""
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        user = app
        capabilities = !^cap_net_bind_service
        """)
    pid = pid_of(t, brood, "web")
    t.equal(capability_sets(pid), [NET_BIND] * 4, "its sets")
    t.equal(int(status_field(pid, "CapBnd"), 16) & NET_BIND, 0, "its bounding set")
    brood.stop()


def test_identity_capability_that_brood_lacks(t):
    refused(t, only("kill,setuid,setgid"), "user = app\n        capabilities = ^cap_net_raw",
            r"\[worker:web\] capabilities: brood does not hold cap_net_raw")


def test_identity_user_that_brood_cannot_become(t):
    refused(t, as_user(4711), "user = app", r"\[worker:web\] user: brood does not hold cap_setuid")


def test_identity_limit_above_broods_own(t):
    """The one of several that is refused is named."""
    refused(t, ("prlimit", "--core=0:0", *only("kill,setuid,setgid")),
            "limit_cpu = 1000\nlimit_core = 5\nlimit_nofile = 9",
            r"\[worker:web\] limit_core \(setrlimit\): brood does not hold cap_sys_resource")


def test_identity_refused_for_what_no_capability_helps(t):
    """The cause is named, not a capability that brood lacks as well."""
    read_only = ("sh", "-c", "mount -n -o remount,ro /proc && exec \"$@\"", "sh")
    refused(t, (*read_only, *only("kill,setuid,setgid")), "oom_score_adj = 5",
            r"\[worker:web\] oom_score_adj \(/proc/self/oom_score_adj\): Read-only file system")


def test_identity_user_without_the_right_to_kill(t):
    refused(t, only("setuid,setgid"), "user = app", r"\[worker:web\] user: .*brood does not hold cap_kill")


# --- what brood does without


def goes_on(t, pattern, inside, setup=(), **keywords):
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        """, inside=(*setup, *inside), **keywords)
    pid = pid_of(t, brood, "web")
    brood.wait_record(rf"^brood: info: container: does without .*{pattern}")
    brood.has(r"does without", 1)
    return brood, pid


def test_identity_arbitrary_uid(t):
    brood, pid = goes_on(t, "capabilities, a name for uid 1000650000", as_user(1000650000))
    t.equal(status_field(pid, "Uid").split()[0], "1000650000", "its uid")
    brood.stop()


def test_identity_process_that_brood_may_not_kill(t):
    """Five seconds after its KILL brood goes on: to the primary's stop hook, and then not once more."""
    shutil.copy(shutil.which("setpriv"), t.file("become"))
    os.chmod(t.directory + "/become", 0o4755)
    brood = start(t, f"""
        [supervisor]
        grace = 200ms
        finish_grace = 1h
        [primary]
        stop = {worker(t, 'name:hook', 'say:ran')}
        [worker:web]
        start = {t.directory}/become --reuid=0 {worker(t, 'say:start', 'serve')}
        """, inside=as_user(61001, 61002))
    t.wait_event("web/0 start")
    t.between(brood.stop(signal.SIGTERM, 137, "web/0 was killed after 200ms of grace"), 5200, 9900, "the stop")
    t.equal(t.story({"web/0", "hook"}), ["web/0 start", "hook ran"], "nothing reached the worker")
    brood.has(r"^brood: warning: web/0: cannot be sent TERM: Operation not permitted", 1)
    brood.has(r"^brood: warning: web/0: cannot be sent KILL: Operation not permitted", 1)


def test_identity_no_capabilities_at_all(t):
    brood, pid = goes_on(t, "capabilities", ("setpriv", "--inh-caps=-all", "--bounding-set=-all"))
    t.equal(capability_sets(pid), [0, 0, 0, 0], "its sets")
    brood.stop()


def test_identity_read_only_root_and_run(t):
    read_only = ("sh", "-c", "mount -n -o remount,ro,bind / && mount -n -t tmpfs -o ro none /run && exec \"$@\"", "sh")
    brood, _ = goes_on(t, "a root that can be written, a /run that can be written", (), read_only)
    brood.stop()


def test_identity_noexec_shm_with_wraps(t):
    noexec = ("sh", "-c", "mount -n -t tmpfs -o noexec none /dev/shm && mount -n -t tmpfs -o ro none /run && exec \"$@\"", "sh")
    wrapper = t.file("wrapper", "#!/bin/sh\nexec \"$SPAWN_WRAP_MAIN\" \"$@\"\n", 0o755)
    brood = start(t, f"""
        [worker:web]
        start = sh -c 'env true && exec {worker(t, 'show', 'serve')}'
        user = app
        [wrap:true]
        programs = true
        wrapper = {wrapper}
        """, inside=noexec)
    pid_of(t, brood, "web")
    brood.has(r"does without a /run that can be written, programs in /dev/shm", 1)
    brood.stop()


def test_identity_without_proc(t):
    no_proc = ("sh", "-c", "while umount -n -l /proc 2>/dev/null; do :; done; exec \"$@\"", "sh")
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        user = app
        oom_score_adj = 5
        """, inside=no_proc)
    t.equal(status_field(pid_of(t, brood, "web"), "Uid").split()[0], str(USER), "its user")
    brood.has("oom_score_adj has no effect", 1)
    brood.stop()


# --- brood itself


def test_identity_of_brood_keeps_what_it_needs(t):
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        """, inside=only(DOCKER))
    pid = pid_of(t, brood, "web")
    permitted, effective = capability_sets(brood.pid)[:2]
    whole = int(status_field(brood.pid, "CapBnd"), 16)
    t.equal(capability_sets(pid)[:2], [whole, whole], "a worker that is root has all that there is")
    for name, number in {"net_raw": 13, "sys_chroot": 18, "mknod": 27, "audit_write": 29, "setfcap": 31}.items():
        t.equal((permitted | effective) & 1 << number, 0, f"{name} is given up")
    t.ok(effective & 1 << 5, "kill is kept")
    t.equal(effective & (1 << 6 | 1 << 7), 0, "setuid and setgid are for children")
    brood.stop()


def test_identity_no_new_privileges_leaves_root_its_capabilities(t):
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'show', 'serve')}
        no_new_privileges = yes
        """, inside=only(DOCKER))
    whole = int(status_field(brood.pid, "CapBnd"), 16)
    t.equal(capability_sets(pid_of(t, brood, "web"))[:2], [whole, whole], "the worker's sets")
    t.equal(status_field(brood.pid, "NoNewPrivs"), "1", "where all have it brood has it")
    brood.stop()


def test_identity_brood_is_open_to_root_and_closed_to_others(t):
    t.file("secret.env", "SECRET=hidden\n", 0o600)
    root = script(t, "root", "echo through > /proc/1/fd/1 && say wrote\n")
    other = script(t, "other", "cat /proc/1/environ >/dev/null 2>&1 && say environ\n"
                   "head -c 1 /proc/1/mem >/dev/null 2>&1; [ -r /proc/1/mem ] && say mem\n"
                   "cat /proc/1/maps 2>/dev/null | grep -q . && say maps\nls /proc/1/fd >/dev/null 2>&1 && say fd\n"
                   "kill -0 1 2>/dev/null && say kill\nsay done\n")
    brood = start(t, f"""
        [worker:root]
        start = {root}
        kill_after_completed = yes
        [worker:other]
        start = {other}
        user = app
        kill_after_completed = yes
        [worker:secret]
        start = {worker(t, 'env:SECRET', 'show', 'serve')}
        env_file = secret.env
        """, inside=only(DOCKER), keep_stdout=True)
    t.wait_event("root wrote")
    t.wait_event("other done")
    brood.wait_record(r"root/0\[\d+\]: exited 0 -> completed")
    brood.wait_record(r"other/0\[\d+\]: exited 0 -> completed")
    found(t, "secret")
    t.equal(t.story(("other",)), ["other done"], "nothing can be read by another user")
    t.pump(lambda: brood.stdout == b"through\n", "the line on brood's standard output")
    brood.stop(signal.SIGTERM)


def copies(pid, wanted):
    """How often the bytes are in memory that the process may read."""
    count = 0
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, flags = line.split()[:2]
            if "r" not in flags or "[v" in line:
                continue
            begin, end = (int(number, 16) for number in span.split("-"))
            memory.seek(begin)
            count += memory.read(end - begin).count(wanted)
    return count


def test_identity_buffers_of_env_file_are_wiped(t):
    """Many, in a file of 100 KiB, which is read into several buffers: others may be written over by chance."""
    secret = "correct-horse-battery-staple"
    t.file("secret.env", "".join(f"SECRET_{number}={secret}-{number}\n" for number in range(2500)), 0o600)
    brood = start(t, f"""
        [worker:web]
        start = {worker(t, 'env:SECRET_1', 'show', 'serve')}
        env_file = secret.env
        [wrap:true]
        programs = true
        wrapper = /bin/true
        """)
    pid_of(t, brood, "web")
    t.equal(copies(brood.pid, secret.encode()), 2 * 2500, "what was read, and the environment that a restart needs")
    brood.stop()
