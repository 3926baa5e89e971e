"""What the tests of the command line share: a coordinator, and runs of `concerto` in a pipe and in
a pseudo-terminal."""

import fcntl
import http.client
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import (BranchServer, Concertod, free_port, http_call,  # noqa: E402
                              http_json, wait_until)
from concerto_testing import main as run_tests  # noqa: E402

GOLDEN = os.path.join(HERE, "golden")
TIMEOUT_S = 120

DONE, FAILED, USAGE, REFUSED, NOT_FOUND, UNREACHABLE, PARTLY, TRANS_FAILED, LATE = range(9)


class Ran:
    """How a run has ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class CliTestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.home = os.path.join(self.directory, self._testMethodName)
        os.makedirs(self.home)
        self.server = None

    def start(self, settings=None, audit=True):
        """A coordinator that tries failed calls again much later."""
        coordinator = Concertod(self.args.concertod, self.home, {
            "Shards": 1, "RetryInterval": 3600, "TimeoutToFail": 360000, "LogLevel": "error",
            **({"Audit.File": os.path.join(self.home, "audit.jsonl")} if audit else {}),
            **(settings or {})})
        self.addCleanup(coordinator.kill)
        coordinator.start()
        self.server = coordinator.root
        wait_until(lambda: http_call("GET", self.server + "/readyz").status == 200, "it is ready",
                   20)
        return coordinator

    def start_branches(self):
        branches = BranchServer()
        self.addCleanup(branches.close)
        return branches

    def environment(self, more=None):
        """Nothing of the user who runs the tests."""
        own = {"PATH": os.environ["PATH"], "HOME": self.home, "TERM": "xterm-256color",
               "LANG": "C.UTF-8"}
        own.update({name: value for name, value in os.environ.items() if "SAN_OPTIONS" in name})
        if self.server:
            own["CONCERTO_SERVER"] = self.server
        own.update(more or {})
        return {name: value for name, value in own.items() if value is not None}

    def run_cli(self, *arguments, env=None, stdin=""):
        """In a pipe."""
        ran = subprocess.run([self.args.concerto, *arguments], input=stdin.encode(),
                             capture_output=True, env=self.environment(env), timeout=TIMEOUT_S,
                             cwd=self.home, check=False)
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    def expect(self, code, *arguments, **options):
        ran = self.run_cli(*arguments, **options)
        self.assertEqual(ran.code, code, ran)
        return ran

    def run_in_terminal(self, *arguments, columns=100, rows=30, keys="", env=None, until=None):
        """In a pseudo-terminal of this size. `keys` are typed when the program has written a
        question; `until` ends it by Ctrl-C when this text has come. stdout and stderr are one."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execve(self.args.concerto, [self.args.concerto, *arguments], self.environment(env))
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        output, end = b"", time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            ready, _, _ = select.select([terminal], [], [], 0.2)
            if ready:
                try:
                    part = os.read(terminal, 65536)
                except OSError:  # nobody has the other end any more
                    break
                if not part:
                    break
                output += part
            if keys and output.endswith(b"] "):
                os.write(terminal, keys.encode())
                keys = ""
            if until and until.encode() in output:
                os.write(terminal, b"\x03")
                until = None
        else:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(terminal)
            self.fail(f"{arguments} still runs after {TIMEOUT_S} s: {output.decode()}")
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        return Ran(os.waitstatus_to_exitcode(status), output.decode().replace("\r\n", "\n"), "")

    def submit(self, gid, *urls, **options):
        steps = [{"action": url, "compensate": url} for url in urls]
        http_json("POST", self.server + "/api/dtmsvr/submit",
                  {"gid": gid, "trans_type": "saga", "steps": steps,
                   "payloads": ['{"n":1}'] * len(steps), **options})

    def submit_many(self, count, url, prefix="stuck"):
        """As fast as it goes."""
        address = self.server.partition("://")[2]
        body = {"trans_type": "saga", "steps": [{"action": url, "compensate": url}],
                "payloads": ["{}"]}

        def some(first):
            connection = http.client.HTTPConnection(address, timeout=60)
            for number in range(first, count, 8):
                connection.request("POST", "/api/dtmsvr/submit", json.dumps(
                    {**body, "gid": f"{prefix}-{number:05}"}))
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status == 200, text
            connection.close()

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(some, range(8)))

    def why(self, gid):
        return http_json("GET", f"{self.server}/api/concerto/why?gid={gid}")

    def wait_until_stuck(self, gid):
        wait_until(lambda: self.why(gid)["state"] == "waiting" and self.why(gid)["attempts"],
                   f"{gid} waits after an error", 20)

    def golden(self, name, text):
        """Compares with golden/<name>.golden, or with CONCERTO_WRITE_GOLDEN=1 writes it."""
        path = os.path.join(GOLDEN, name + ".golden")
        text = stable(text)
        if os.environ.get("CONCERTO_WRITE_GOLDEN"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(text, file.read(), f"the golden output {name} differs")


def stable(text):
    """`text` without what differs from run to run: times, ports, durations, and so the blanks of
    columns."""
    rules = (
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
        (r"\b\d\d:\d\d:\d\dZ", "CLOCK"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\b(\d+[dhm])?\d+[hms]\b", "AGE"),
        (r'("latency_ms"|latency_ms): [0-9.E+-]+', r"\1: MS"),
        (r"\b\d+ ms\b", "MS"),
        (r"\b(error|failure|success) +\d+  ", r"\1 MS  "),
        (r"\bv?\d+\.\d+\.\d+\b(?!\.)", "VERSION"),
        (r"(?m) +$", ""),
        (r"(?<=\S) {2,}", "  "))
    text = text.replace("127.0.0.1", "127-0-0-1")
    for pattern, replacement in rules:
        text = re.sub(pattern.replace(r"127\.0\.0\.1", "127-0-0-1"),
                      replacement.replace("127.0.0.1", "127-0-0-1"), text)
    return text.replace("127-0-0-1", "127.0.0.1")


def dead_url(name="a"):
    """A URL that nobody listens at."""
    return f"http://127.0.0.1:{free_port()}/{name}"


def main(test_case, description):
    def arguments(parser):
        parser.add_argument("concerto")
        parser.add_argument("concertod")

    run_tests(test_case, arguments, description)
