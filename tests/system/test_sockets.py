"""Shared sockets of type = cluster: those that brood opens (listen), handed over, kept, refused, removed; and a port that
unchanged programs share by themselves."""

import contextlib
import http.client
import os
import random
import re
import signal
import socket
import stat
import subprocess
import threading

from harness import limit, now_ms, worker

# What all servers here share: SOCKET is descriptor 3, as sd_listen_fds(3) has it.
PREAMBLE = """
import os, signal, socket, sys, time
name = os.environ["WORKER_NAME"] + "/" + os.environ["WORKER_INDEX"]
def say(what):
    with open(os.environ["EVENTS"], "w") as events:
        events.write(f"{int(time.monotonic() * 1000)} {name} {what}\\n")
def given():
    assert os.environ["LISTEN_PID"] == str(os.getpid()), "LISTEN_PID is another process's"
    return [socket.socket(fileno=3 + i) for i in range(int(os.environ["LISTEN_FDS"]))]
"""

# Answers each connection with its pid; ends without a word after `argv[1]` of them, where that isn't 0.
ANSWER = PREAMBLE + """
listener, most = given()[0], int(sys.argv[1])
say("serves")
served = 0
while True:
    connection, _ = listener.accept()
    connection.sendall(str(os.getpid()).encode())
    connection.close()
    served += 1
    if served == most:
        os._exit(1)
"""

# One request after the other; TERM is heeded between two, and now and then it kills itself there.
HTTP = PREAMBLE + """
import http.server, random, select
stopping = False
def stop(*_):
    global stopping
    stopping = True
signal.signal(signal.SIGTERM, stop)
wake, wakened = socket.socketpair()
wakened.setblocking(False)
signal.set_wakeup_fd(wakened.fileno())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"%010d" % os.getpid()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
listener = given()[0]
listener.setblocking(False)
say("serves")
while not stopping:
    readable = select.select([listener, wake], [], [])[0]
    if listener not in readable:
        continue
    try:
        connection, address = listener.accept()
    except BlockingIOError:
        continue
    Handler(connection, address, None)
    connection.shutdown(socket.SHUT_WR)
    connection.close()
    if random.random() < 0.01:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def facts(t, name):
    """What the helper program says of itself by "show"."""
    return dict(event.what.split("=", 1) for event in t.events if event.name == name and "=" in event.what)


def ask(port, host="127.0.0.1", family=socket.AF_INET, patience=10):
    """What a server that speaks first says."""
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(patience)
        client.connect((host, port))
        return client.recv(100).decode()


def ask_path(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(10)
        client.connect(path)
        return client.recv(100).decode()


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def test_listen_hands_over(t):
    """From descriptor 3 on, with names and the pid of the program itself; to the workers alone."""
    program = worker("name:web", "show", "env:LISTEN_PID", "env:LISTEN_FDS", "env:LISTEN_FDNAMES", "write:6", "serve")
    brood = t.brood(f"""
        [primary]
        start = {worker("name:primary", "show", "env:LISTEN_FDS", "env:LISTEN_PID", "exit:0")}
        [worker:web]
        start = {program}
        type = cluster
        listen = tcp://127.0.0.1:8080, unix:{t.directory}/sock?name=local, udp://127.0.0.1:8080?name=dns
        ready = fd:6
        stop = {worker("name:hook", "show", "env:LISTEN_FDS", "env:LISTEN_PID", "exit:0")}
        [worker:job]
        start = {worker("name:job", "show", "env:LISTEN_FDS", "say:done", "serve")}
    """)
    brood.wait_record(r"web/0.*-> ready")
    t.wait_event("job done")
    told = {name: facts(t, name) for name in ("web", "job", "primary")}
    web = told["web"]
    t.equal((web["LISTEN_FDS"], web["LISTEN_FDNAMES"]), ("3", "web:local:dns"), "how many, and their names")
    t.equal(web["LISTEN_PID"], web["pid"].split(" ")[0], "LISTEN_PID")
    t.equal(web["fds"], "0,1,2,3,4,5,6", "descriptors of the worker")
    for name in ("job", "primary"):
        t.equal((told[name]["fds"], told[name]["LISTEN_FDS"]), ("0,1,2", "(unset)"), f"what {name} has")
    brood.stop()
    hook = facts(t, "hook")
    t.equal((hook["fds"], hook["LISTEN_FDS"], hook["LISTEN_PID"]), ("0,1,2", "(unset)", "(unset)"), "what a hook has")


def test_listen_through_a_wrapper(t):
    """A shim only execs: LISTEN_PID stays true, and the descriptors stay open."""
    t.file("answer.py", ANSWER)
    wrapper = t.file("wrapper", '#!/bin/sh\nexec "$SPAWN_WRAP_MAIN" "$@"\n', 0o755)
    brood = t.brood(f"""
        [worker:web]
        start = python3 {t.directory}/answer.py 0
        type = cluster
        count = 2
        listen = tcp://127.0.0.1:8080
        [wrap:a]
        programs = python3
        wrapper = {wrapper}
    """)
    t.wait_event("web/0 serves")
    t.wait_event("web/1 serves")
    t.match(ask(8080), r"^\d+$", "the answer")
    brood.stop()


def test_listen_queues_while_nobody_is_there(t):
    """Between a worker's end and its restart a connection is neither refused nor lost: the next one serves it."""
    t.file("answer.py", ANSWER)
    brood = t.brood(f"""
        [worker:web]
        start = python3 {t.directory}/answer.py 1
        type = cluster
        listen = tcp://127.0.0.1:8080, unix:{t.directory}/sock
        restart_delay = 300ms..300ms
    """)
    t.wait_event("web/0 serves")
    first = ask(8080)
    brood.wait_record(r"web/0.*exited 1")
    second = ask(8080)
    t.ok(first != second and t.told("web/0 serves"), "another worker answers")
    brood.stop()


def test_listen_places(t):
    """Every kind of place, and the port that the system chose in the log."""
    t.file("answer.py", ANSWER)
    places = {"any": "tcp://*:0", "four": "tcp://127.0.0.1:0?backlog=7", "name": "tcp://localhost:0",
              "local": f"unix:{t.directory}/sock"}
    if has_ipv6():
        places.update({"six": "tcp://[::1]:0", "any6": "tcp://[::]:0?ipv6only=yes", "dual": "tcp://[::]:0?ipv6only=no"})
    brood = t.brood("".join(f"""
        [worker:{name}]
        start = python3 {t.directory}/answer.py 0
        type = cluster
        listen = {place}
    """ for name, place in places.items()))
    for name in places:
        t.wait_event(f"{name}/0 serves")
    ports = {}
    for name in places:
        if name != "local":
            record = brood.wait_record(rf"^brood: info: container: {name} listens at tcp://.*:\d+ \(tcp://").text
            ports[name] = int(re.search(r":(\d+) \(", record).group(1))
    for name in ("any", "four", "dual"):
        if name in ports:
            t.match(ask(ports[name]), r"^\d+$", f"{name} by IPv4")
    for name in ("any", "six", "any6", "dual"):
        if has_ipv6() and name in ports:
            t.match(ask(ports[name], "::1", socket.AF_INET6), r"^\d+$", f"{name} by IPv6")
    if has_ipv6():
        try:
            ask(ports["any6"])
            t.ok(False, "ipv6only=yes answers IPv4")
        except ConnectionRefusedError:
            pass
    t.match(ask_path(t.directory + "/sock"), r"^\d+$", "by a path")
    queue = subprocess.run(["cat", "/proc/net/tcp"], check=True, stdout=subprocess.PIPE).stdout.decode()
    t.ok(f":{ports['four']:04X} 00000000:0000 0A" in queue, "it listens")
    brood.stop()


def test_listen_udp(t):
    t.file("echo.py", PREAMBLE + """
listener = given()[0]
say("serves")
while True:
    data, address = listener.recvfrom(100)
    listener.sendto(data.upper(), address)
""")
    brood = t.brood(f"""
        [worker:dns]
        start = python3 {t.directory}/echo.py
        type = cluster
        count = 2
        listen = udp://127.0.0.1:5300
    """)
    t.wait_event("dns/0 serves")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(b"hello", ("127.0.0.1", 5300))
        t.equal(client.recv(100), b"HELLO", "the answer")
    brood.stop()


CLUSTER = """
    [primary]
    start = {primary}
    [worker:web]
    start = {worker}
    type = cluster
    listen = {listen}
"""


def refused(t, listen, *patterns, **keywords):
    """111, the place and the reason by name, nothing started."""
    brood = t.brood(CLUSTER.format(primary=worker("name:primary", "say:start", "exit:0"),
                                   worker=worker("name:web", "say:start", "serve"), listen=listen), **keywords)
    t.equal(brood.wait(), 111, f"status with {listen}")
    for pattern in patterns:
        brood.has(pattern)
    t.equal(t.story(), [], "what was started")
    return brood


def test_listen_address_in_use(t):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 8080))
        other.listen()
        refused(t, f"unix:{t.directory}/first, tcp://127.0.0.1:8080",
                r"\[worker:web\] listen: cannot listen at tcp://127.0.0.1:8080: Address (already )?in use")
    t.ok(not os.path.exists(t.directory + "/first"), "the socket that was made before is removed")
    refused(t, "tcp://192.0.2.1:80", r"tcp://192.0.2.1:80: (Cannot assign requested address|Address not available)")


def test_listen_forbidden_port(t):
    """A low port without the capability for it."""
    refused(t, "tcp://127.0.0.1:80", r"cannot listen at tcp://127.0.0.1:80: Permission denied; low ports need CAP_NET_B",
            mode="child", prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))


def test_listen_unix_file(t):
    """Mode and owner; a stale file is replaced, a live socket or another file is a fault; in the end it is gone."""
    path = t.directory + "/sock"
    t.file("answer.py", ANSWER)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(path)
    listen = f"unix:{path}?mode=0640&user=nobody&group=12345"
    brood = t.brood(CLUSTER.format(primary="true", worker=f"python3 {t.directory}/answer.py 0", listen=listen))
    t.wait_event("web/0 serves")
    info = os.lstat(path)
    t.equal((stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid), (0o640, 65534, 12345), "mode and owner")
    t.match(ask_path(path), r"^\d+$", "the answer")
    second = t.brood(CLUSTER.format(primary=worker("name:second", "say:start", "exit:0"), worker="true", listen=listen))
    t.equal(second.wait(), 111, "a second brood at the same path")
    second.has(r"Address (already )?in use; a live process has it")
    t.equal(t.story(["second"]), [], "what it started")
    t.match(ask_path(path), r"^\d+$", "the answer after that")
    brood.stop()
    t.ok(not os.path.lexists(path), "the file is removed")
    t.events.clear()
    t.file("sock", "a file")
    refused(t, f"unix:{path}", r"what is there is no socket")
    t.equal(open(path, encoding="utf-8").read(), "a file", "what was there")
    os.unlink(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(path)
    os.chmod(path, 0o600)
    refused(t, f"unix:{path}", r"Address (already )?in use; brood may not ask whether a live process has it$",
            mode="child", prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    t.ok(os.path.lexists(path), "what may be somebody's is still there")
    refused(t, f"unix:{t.directory}/nowhere/sock", r"No such file or directory")


def test_listen_unix_file_of_somebody_else(t):
    """What has taken the place of brood's file in the meantime stays."""
    path = t.directory + "/sock"
    t.file("answer.py", ANSWER)
    brood = t.brood(CLUSTER.format(primary="true", worker=f"python3 {t.directory}/answer.py 0", listen=f"unix:{path}"))
    t.wait_event("web/0 serves")
    t.equal(stat.S_IMODE(os.lstat(path).st_mode), 0o666, "the usual mode")
    t.file("other", "another one's")
    os.rename(t.directory + "/other", path)
    t.files.add("sock")
    brood.stop()
    t.equal(open(path, encoding="utf-8").read(), "another one's", "what is there")


def test_listen_faults(t):
    """What can be known without opening anything is a fault of the config."""
    config = t.config(CLUSTER.format(primary="true", worker="true",
                                     listen=f"tcp://nowhere.invalid:80, unix:/run/x?user=nobody-here&group=none-here"))
    status, out, _ = t.run("--check", "-c", config)
    t.equal(status, 100, "status")
    for what in ('"tcp://nowhere.invalid:80": its host is not in /etc/hosts', "its user is not in /etc/passwd",
                 "its group is not in /etc/group"):
        t.ok(re.search(r"^\S+:6: error: \[worker:web\] listen: .*" + re.escape(what), out, re.M), f"{what} in {out}")


class Load:
    """Clients that ask without a pause, each connection a new one, and note whatever goes wrong."""

    def __init__(self, port, clients):
        self.port, self.over, self.served, self.faults, self.answers = port, False, 0, [], set()
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while not self.over:
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                client.request("GET", "/")
                response = client.getresponse()
                self.answers.add(response.read())
                if response.status != 200:
                    self.faults.append(f"status {response.status}")
                self.served += 1
            except (OSError, http.client.HTTPException) as error:
                self.faults.append(repr(error))
            finally:
                client.close()

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()


LOAD_SECONDS = 8


@limit(90)
def test_listen_load_while_workers_are_replaced(t):
    """Clients under load, workers that are stopped, restarted and that die by themselves between two requests: no
    connection is refused or reset."""
    t.file("server.py", HTTP)
    brood = t.brood(f"""
        [worker:web]
        start = python3 {t.directory}/server.py
        type = cluster
        count = 3
        listen = tcp://127.0.0.1:8080
        restart = always
        restart_delay = 1ms..50ms
        restart_limit = 0
    """)
    for index in range(3):
        t.wait_event(f"web/{index} serves")
        brood.wait_record(rf"web/{index}\[\d+\]: executed")
    bench = t.other("ab", "-q", "-s", "30", "-c", "4", "-n", "1000000", "-t", str(LOAD_SECONDS),
                    "http://127.0.0.1:8080/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    load = Load(8080, 4)
    begin, kills, choice = now_ms(), 0, random.Random(5)
    while bench.poll() is None and now_ms() < begin + (LOAD_SECONDS + 40) * 1000:
        events = len(t.told(r"web/\d serves"))
        index = choice.randrange(3)
        record = [text for text in brood.text() if re.search(rf"web/{index}\[\d+\]: executed", text)][-1]
        with contextlib.suppress(Exception):
            os.kill(brood.worker_pid(int(re.search(r"\[(\d+)\]", record).group(1))), signal.SIGTERM)
            kills += 1
        t.pump(lambda: len(t.told(r"web/\d serves")) > events or bench.poll() is not None, "a worker that is replaced")
    load.end()
    text = bench.stdout.read().decode()
    bench.stdout.close()
    t.notes.append(f"{load.served} requests by {len(load.answers)} workers, {kills} kills\n{text}")
    t.equal(load.faults, [], "what went wrong")
    t.equal(bench.wait(), 0, "status of ab: " + text)
    t.ok(re.search(r"Failed requests:\s+0$", text, re.M) and "Non-2xx" not in text, "failed requests: " + text)
    complete = int(re.search(r"Complete requests:\s+(\d+)", text).group(1))
    t.ok(load.served > 200 and complete > 200, f"too little load: {load.served}, {complete}")
    t.ok(kills >= 5 and len(load.answers) > 5, f"too few replacements: {kills}, {len(load.answers)}")
    brood.has(r"web/\d.*killed by KILL")
    brood.stop()


# --- a port that workers share by themselves

NODE = ("require('http').createServer((q, r) => { r.setHeader('connection', 'close'); r.end(String(process.pid)) })"
        ".listen(8081)")


def get(port):
    """A response's body, None where nobody listens."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request("GET", "/")
        return client.getresponse().read()
    except ConnectionRefusedError:
        return None
    finally:
        client.close()


def all_serve(t, port, count):
    """Asks until as many processes have answered."""
    answers = set()

    def ask_again():
        answers.add(get(port))
        return len(answers - {None}) >= count

    t.poll(ask_again, f"{count} servers on port {port}", every_ms=2, patience=25)
    t.equal(len(answers - {None}), count, "servers")


@limit(60)
def test_cluster_of_unchanged_servers(t):
    """Four of Node and four of Python's http.server, each on one port without knowing of it."""
    t.file("node.js", NODE)
    brood = t.brood(f"""
        [worker:node]
        start = node {t.directory}/node.js
        type = cluster
        count = 4
        restart = no
        [worker:python]
        start = sh -c 'mkdir /dev/shm/$WORKER_INDEX && cd /dev/shm/$WORKER_INDEX && echo $$ >index.html && exec python3 -m http.server 8082'
        type = cluster
        count = 4
        restart = no
        output = null
        stop = sh -c 'rm -r /dev/shm/$WORKER_INDEX'
    """)
    all_serve(t, 8081, 4)
    all_serve(t, 8082, 4)
    brood.stop()
    brood.has_not("failed")


BINDS = PREAMBLE + """
def bound(family, kind, address):
    s = socket.socket(family, kind)
    try:
        s.bind(address)
    except OSError as error:
        say(f"{address[1]} {error.strerror}")
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
say(" ".join(str(bound(*what)) for what in (
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 8081)), (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 8081)),
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)), (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)))))
if socket.has_ipv6:
    say("six " + str(bound(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 8081))))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket()
say(f"bad {libc.bind(s.fileno(), ctypes.c_void_p(1), 16)} {ctypes.get_errno()}")
s = socket.socket(socket.AF_UNIX)
s.bind("\\0brood-test-" + name)
say("path " + os.environ.get("PATH", ""))
say("done")
signal.pause()
"""


def test_cluster_sets_reuseport_for_ports_of_that_group_alone(t):
    t.file("binds.py", BINDS)
    brood = t.brood(f"""
        [worker:shared]
        start = python3 {t.directory}/binds.py
        type = cluster
        [worker:alone]
        start = python3 {t.directory}/binds.py
        after = shared
        [worker:given]
        start = python3 {t.directory}/binds.py
        type = cluster
        listen = tcp://127.0.0.1:8090
        [worker:below]
        start = env -i sh -c 'WORKER_NAME=below WORKER_INDEX=0 EVENTS={t.directory}/events python3 {t.directory}/binds.py'
        type = cluster
    """)
    for name in ("shared", "alone", "given", "below"):
        t.wait_event(f"{name}/0 done")
    for name, flags in (("shared", "1 1 0 0"), ("below", "1 1 0 0"), ("alone", "0 0 0 0"), ("given", "0 0 0 0")):
        t.ok(f"{name}/0 {flags}" in t.story(), f"{name}: {flags} in {t.story([name + '/0'])}")
        t.ok(f"{name}/0 bad -1 14" in t.story(), f"{name}: EFAULT of a bad address")
    t.ok("shared/0 path " + t.environment["PATH"] in t.story(), "PATH is as it was")
    brood.stop()


LISTENS = r"""
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8081)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)argc;
    int r = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? listen(fd, 5) : -1;
    execl(argv[1], "worker", r == 0 ? "say:listens" : "say:refused", r == 0 ? "serve" : "exit:1", (char *)0);
    return 1;
}
"""


def test_cluster_of_musl_and_static_programs(t):
    """The library is for either C library; without a dynamic loader the second one to bind the port is refused."""
    source = t.file("listens.c", LISTENS)
    for name, compiler in (("dynamic", ["musl-gcc"]), ("static", ["cc", "-static"])):
        subprocess.run([*compiler, "-o", t.directory + "/" + name, source], check=True)
        t.files.add(name)
    for name, listening in (("dynamic", 3), ("static", 1)):
        brood = t.brood(f"""
            [worker:web]
            start = {t.directory}/{name} {worker().strip("'")}
            type = cluster
            count = 3
            restart = no
            on_failure = continue
        """)
        t.pump(lambda: len(t.story()) == 3, "what each of three says")
        t.equal(len([text for text in t.story() if text.endswith(" listens")]), listening, f"{name} programs that listen")
        brood.stop()
        t.events.clear()


def test_cluster_without_a_place_for_the_library(t):
    """No directory that can be written and executed from is 111, and the config can be prepared with the image."""
    config = t.config(f"""
        [worker:web]
        start = {worker("name:web", "say:start", "serve")}
        type = cluster
    """)
    status, _, error = t.run("--write-shims", t.directory + "/shims", "-c", config)
    t.files.add("shims")
    t.equal((status, error), (0, ""), "--write-shims")
    t.ok(os.path.exists(t.directory + "/shims/image/0/preload.so"), "the library of the image")
    read_only = ["sh", "-c", 'for d in /run /dev/shm /tmp; do mount -n -o remount,bind,ro $d || exit 9; done; exec "$@"', "sh"]
    brood = t.brood(config, prefix=("unshare", "--mount"), in_namespace=read_only)
    t.equal(brood.wait(), 111, "status")
    brood.has(r"no place for the library by which the workers of type = cluster share a port: .*SPAWN_WRAP_SHIM_ROOT")
    t.equal(t.story(), [], "what was started")
    brood = t.brood(config, prefix=("unshare", "--mount"), in_namespace=read_only,
                    env={"SPAWN_WRAP_SHIM_ROOT": t.directory + "/shims"})
    t.wait_event("web start")
    brood.stop()
