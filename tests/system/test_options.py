"""What is said and where: options, --check, faults, records, the outcome, the termination log."""

import json
import os
import re
import signal

from harness import worker


def test_version_and_help(t):
    for option in ("-V", "--version"):
        status, out, err = t.run(option)
        t.equal((status, err), (0, ""), option)
        t.match(out, r"\Abrood \d+\.\d+\.\d+\n\Z", "the version")
    for option in ("-h", "--help"):
        status, out, err = t.run(option)
        t.equal((status, err), (0, ""), option)
        for word in ("--config", "--grace", "--check", "--sandbox", "--subreaper", "--log-format"):
            t.ok(word in out, f"{word} is not in the help")


def test_wrong_usage(t):
    for options in (["--nonsense"], ["-c"], ["-t", "10"], ["-t", "soon", "true"], ["--log-format", "xml", "true"],
                    ["--check", "true"], ["--"], ["-e", "256", "true"], ["-w", "/tmp/x"], ["-e", "x:0", "true"]):
        status, out, err = t.run(*options)
        t.equal((status, out), (100, ""), f"brood {options}")
        t.match(err, r"\Abrood: error: [^\n]+\n", "one record on stderr")


def test_missing_config(t):
    for option in ("-c", "--config"):
        status, _, err = t.run(option, "/nowhere/brood.ini")
        t.equal(status, 100, "status")
        t.match(err, "/nowhere/brood.ini", "the file is named")
    status, _, err = t.run(env={"BROOD_CONFIG": "/nowhere/other.ini"})
    t.equal(status, 100, "status")
    t.match(err, "/nowhere/other.ini", "the file is named")
    for options in ((), ("-C",), ("-w", "/x")):
        remedy = "--config FILE," if options else "--config FILE or a COMMAND,"
        status, _, err = t.run(*options, env={"BROOD_CONFIG": "/nowhere/other.ini"})
        t.equal(status, 100, f"brood {options}")
        t.match(err, f"; give {remedy} see brood --help\n", "only what would help")


def test_config_that_is_a_directory(t):
    t.equal(t.run("-c", "/usr")[0], 100, "status")


def test_config_from_the_environment(t):
    path = t.config(f"""
        [worker:a]
        start = {worker('say:start', 'exit:0')}
        """)
    t.brood(env={"BROOD_CONFIG": path}).ends(0)
    t.equal(t.story(), ["a/0 start"], "it is used")


def test_config_from_stdin(t):
    path = t.file("input", f"[worker:a]\nstart = {worker('show', 'say:start', 'exit:0')}\n")
    with open(path, "rb") as file:
        t.brood("-", stdin=file).ends(0)
    t.equal(len(t.told("a/0 fd0=/dev/null")), 1, "stdin of a worker is not the rest of the config")


FAULTY = """[supervisor]
grace = 10
[worker:web]
start = true
gracee = 10s
count = 0
[worker:web]
start = false
[nonsense]
x = 1
[worker:db]
count = 2
"""


def test_check_prints_every_fault(t):
    path = t.file("app.ini", FAULTY)
    status, out, err = t.run("--check", "-c", path)
    t.equal((status, err), (100, ""), "status and stderr")
    lines = out.splitlines()
    for line in lines:
        t.match(line, rf"\A{re.escape(path)}:\d+: (error|warning): ", "the form")
    for number, pattern in ((2, "10s"), (5, r'\[worker:web\] gracee: unknown key; did you mean "grace"\?'),
                            (6, "count"), (7, "3"), (9, "nonsense"), (11, "start")):
        t.ok([line for line in lines if line.startswith(f"{path}:{number}: error:") and re.search(pattern, line)],
             f"no fault in line {number} that matches {pattern!r}: {out}")
    t.equal([int(line.split(":")[1]) for line in lines], sorted(int(line.split(":")[1]) for line in lines), "by line")


def test_faults_without_check_start_nothing(t):
    path = t.file("app.ini", f"[worker:a]\nstart = {worker('say:start', 'exit:0')}\nnonsense = 1\n")
    brood = t.brood(path)
    t.equal(brood.wait(), 100, "status")
    brood.has(rf"^{re.escape(path)}:3: error: \[worker:a\] nonsense: unknown key", 1)
    t.equal(t.story(), [], "nothing is started")


def test_check_of_a_good_file(t):
    path = t.file("app.ini", f"[worker:a]\nstart = {worker('say:start', 'exit:0')}\n")
    t.equal(t.run("--check", "-c", path), (0, "", ""), "silence")
    t.equal(t.story(), [], "nothing is started")


def test_check_warns(t):
    path = t.file("app.ini", "[worker:a]\nstart = true\nstartup_timeout = 5s\n")
    status, out, _ = t.run("-C", "-c", path)
    t.equal(status, 0, "status")
    t.match(out, rf"\A{re.escape(path)}:3: warning: \[worker:a\] startup_timeout", "the warning")


def test_check_of_stdin(t):
    status, out, _ = t.run("--check", "-c", "-", input=b"[worker:a]\nstrat = true\n")
    t.equal(status, 100, "status")
    t.match(out, r"(?m)^<stdin>:2: error: \[worker:a\] strat: unknown key; did you mean \"start\"\?$", "the name")


def test_keys_that_are_not_built_are_refused(t):
    for line in ("check = exec:true", "every = 1h", "lifetime = 1h"):
        status, out, _ = t.run("--check", "-c", t.file("app.ini", f"[worker:a]\nstart = true\n{line}\n"))
        t.equal(status, 100, line)
        t.match(out, r"app.ini:3: error: \[worker:a\] .*not built yet", line)


def test_file_without_anything_to_run(t):
    status, out, _ = t.run("--check", "-c", t.file("app.ini", "[supervisor]\ngrace = 1s\n"))
    t.equal(status, 100, "status")
    t.match(out, "app.ini", "a fault")


def test_a_config_with_crlf_and_bom(t):
    start = worker("say:start", "exit:0")
    t.brood(t.file("app.ini", b"\xef\xbb\xbf[worker:a]\r\nstart = " + start.encode() + b"\r\n\r\n; end")).ends(0)
    t.equal(t.story(), ["a/0 start"], "it runs")


# --- records


def lively(extra=""):
    return f"""
        [supervisor]
        grace = 300ms
        {extra}
        [worker:bad]
        start = {worker('say:start', 'exit:3')}
        restart_delay = 20ms
        restart_limit = 2/5m
        on_failure = continue
        [worker:web]
        start = {worker('say:start', 'serve:ignore')}
        """


def test_records_are_lines_of_one_form(t):
    brood = t.brood(lively())
    brood.wait_record("bad/0.*failed")
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 137)
    for text in brood.text():
        t.match(text, r"\Abrood: (error|warning|info): (web/0|bad/0)?(\[\d+\])?(container)?: \S", "the form")
    brood.has(r"^brood: warning: bad/0\[\d+\]: exited 3 -> backoff 20ms$", 2)
    brood.has(r"^brood: info: container: exit 137: web/0 was killed after 300ms of grace$", 1)
    t.match(brood.records[-1].text, "container: exit 137", "the last one is the outcome")


def test_json_records(t):
    brood = t.brood(lively("log_format = json"))
    brood.wait_record('"bad/0".*failed')
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 137)
    records = [json.loads(text) for text in brood.text()]
    for record in records:
        t.ok({"time", "level", "subject", "event", "message"} <= set(record), record)
        t.match(record["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", "the time")
    crash = [record for record in records if record["subject"] == "bad/0" and record["event"] == "exited"]
    t.equal([record["status"] for record in crash], [3, 3, 3], "status")
    t.ok(all(isinstance(record["pid"], int) for record in crash), "pid")
    t.equal([record.get("signal") for record in records if record["event"] == "stop_signal"], ["TERM"], "signal")
    t.equal((records[-1]["subject"], records[-1]["status"]), ("container", 137), "the outcome")


def test_option_log_format(t):
    brood = t.brood(lively(), "--log-format", "json")
    brood.wait_record('"bad/0".*failed')
    t.wait_event("web/0 start")
    brood.stop(signal.SIGTERM, 137)
    t.equal([json.loads(text)["level"] for text in brood.text()][-1], "info", "json")


def test_option_log_format_of_a_refusal(t):
    status, _, stderr = t.run("--log-format", "json", "-c", "/no/such/file")
    record = json.loads(stderr)
    t.equal((status, record["subject"], record["status"]), (100, "container", 100), "json")
    t.match(record["message"], "^exit 100: /no/such/file: No such file", "the message")


def test_verbosity(t):
    counts = []
    for options in (["-q", "-q"], ["-q"], [], ["-v"]):
        brood = t.brood(lively(), *options)
        t.wait_event("web/0 start", len(counts) + 1)
        brood.wait_record("bad/0.*failed")
        brood.stop(signal.SIGTERM, 137)
        counts.append(len(brood.records))
    t.equal(sorted(set(counts)), counts, "each level says more")


def test_hint_about_docker_stop(t):
    config = f"""
        [worker:web]
        start = {worker('say:start', 'serve')}
        """
    for mode, count in (("pid1", 1), ("subreaper", 0)):
        brood = t.brood(config, mode=mode)
        t.wait_event("web/0 start", 2 - count)
        brood.stop(signal.SIGTERM, 0)
        brood.has("docker stop", count)
    brood = t.brood(config, "-t", "1s")
    t.wait_event("web/0 start", 3)
    brood.stop(signal.SIGTERM, 0)


def test_last_record_is_the_outcome(t):
    for config, status, outcome in (
            (f"[worker:a]\nstart = {worker('exit:0')}\n", 0, "completed"),
            (f"[worker:a]\nstart = {worker('exit:4')}\nrestart = no\n", 4, "a/0.*exited 4"),
            (f"[worker:a]\nstart = {worker('kill:6')}\nrestart = no\n", 134, "a/0.*killed by ABRT"),
            (f"[primary]\nstart = {worker('exit:3')}\n", 3, "primary")):
        t.brood(config).ends(status, outcome)


# --- the termination log

OWN_DEV = "mkdir dev && cp -a /dev/null dev/ && touch dev/termination-log && mount -n --bind dev /dev && exec \"$@\""


def check_termination_log(t, config, status, text, **keywords):
    t.files.add("dev")
    brood = t.brood(config, in_namespace=("sh", "-c", OWN_DEV, "sh"), **keywords)
    t.equal(brood.wait(), status, "status")
    with open("dev/termination-log", encoding="utf-8") as file:
        t.match(file.read(), text, "the termination log")


def test_termination_log(t):
    check_termination_log(t, f"[worker:a]\nstart = {worker('exit:7')}\nrestart = no\n", 7, r"a/0.*exited 7")


def test_termination_log_of_a_command(t):
    check_termination_log(t, None, 9, "9", command=["sh", "-c", "exit 9"])


def test_termination_log_is_never_created(t):
    t.files.add("dev")
    brood = t.brood(f"[worker:a]\nstart = {worker('exit:7')}\nrestart = no\n",
                    in_namespace=("sh", "-c", OWN_DEV.replace("touch dev/termination-log", "true"), "sh"))
    t.equal(brood.wait(), 7, "status")
    t.equal(os.listdir("dev"), ["null"], "no file")
