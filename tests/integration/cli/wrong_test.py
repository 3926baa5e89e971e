"""What goes wrong around every verb: something else answers in place of the coordinator, the output
cannot be written, an option is empty, or stands before the verb.

Usage: wrong_test.py <concerto> <concertod>
"""

import os
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cli_test_case import (DONE, FAILED, REFUSED, UNREACHABLE, USAGE, CliTestCase, dead_url, main)
from scripted_server import ScriptedServer

# Every verb that asks a coordinator, as it asks for each of its routes.
ASKING = (
    ("list",), ("list", "--all", "--gids"), ("get", "g"), ("watch", "g"), ("why", "g"),
    ("count",), ("count", "--by", "topic"), ("retry", "g"), ("retry", "g", "h"),
    ("retry", "--all", "--yes"), ("retry", "--all", "--dry-run"), ("stop", "g"),
    ("stop", "--all", "--yes"), ("skip", "g", "--reason", "x"),
    ("edit", "g", "01", "--url", "http://a", "--reason", "x"), ("pause",),
    ("pause", "mode", "saga"), ("resume", "mode", "saga"), ("begin",), ("jobs",), ("jobs", "j"),
    ("jobs", "j", "--wait"), ("jobs", "j", "--cancel", "--reason", "x"), ("topics", "list"),
    ("topics", "subscribe", "t", "http://a"), ("topics", "unsubscribe", "t", "http://a"),
    ("topics", "delete", "t"), ("targets",), ("top",), ("audit",), ("archive", "--to", "a.gz"),
    ("backup",), ("doctor",))


class AnyService:
    """Answers everything with the same status and body."""

    def __init__(self, status, body):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append((self.command, self.path))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_DELETE = _answer

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.root = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Wrong(CliTestCase):
    def answer_everything(self, status, body):
        service = AnyService(status, body)
        self.addCleanup(service.close)
        self.server = service.root
        return service

    def test_something_else_answers(self):
        for status, body in ((200, '{"dtm_result":"SUCCESS"}'), (200, "{}"), (200, "[]"),
                             (200, "null"), (200, "<html>It works!</html>"), (200, ""),
                             (404, "404 page not found"), (404, '{"message":"no Route matched"}'),
                             (405, "")):
            service = self.answer_everything(status, body)
            for arguments in ASKING:
                with self.subTest(body=body, verb=arguments):
                    asked = len(service.asked)
                    ran = self.expect(UNREACHABLE, *arguments)
                    told = ran.out if arguments == ("doctor",) else ran.err
                    self.assertIn(f"{self.server} is no coordinator", told)
                    if arguments != ("doctor",):
                        self.assertEqual(ran.out, "")
                    if arguments[0] in ("topics", "resume"):  # whose answers would say nothing
                        self.assertEqual({method for method, _ in service.asked[asked:]}, {"GET"})

    def test_older_coordinators_are_some(self):
        api = ScriptedServer()
        self.addCleanup(api.close)
        self.server = api.root
        self.assertIn("older version", self.expect(REFUSED, "jobs").err)
        api.script("/api/dtmsvr/version", (401, {"message": "who are you?"}))
        self.assertIn("older version", self.expect(REFUSED, "jobs").err)

    def test_options_of_the_coordinator_stand_before_the_verb(self):
        self.start()
        self.submit("g", dead_url())
        self.wait_until_stuck("g")
        server, self.server = self.server, None
        for arguments in (("--server", server, "list", "--gids"),
                          ("--server=" + server, "--timeout", "5", "list", "--gids")):
            self.assertEqual(self.expect(DONE, *arguments).out, "g\n")
        self.assertEqual(self.expect(DONE, "-o", "json", "--server", server, "topics",
                                     "list").json(), [])
        self.assertEqual(self.expect(DONE, "-ojson", "topics", "list", "--server",
                                     server).json(), [])
        self.expect(DONE, "context", "add", "here", "--server", server)
        self.assertEqual(self.expect(DONE, "--context", "here", "list", "--gids").out, "g\n")
        for arguments in (("--limit", "3", "list"), ("--server", server), ("--server",),
                          ("-o", "json", "completion", "bash"), ("--what", "list")):
            ran = self.expect(USAGE, *arguments)
            self.assertEqual(ran.out, "")
        self.assertIn("Usage", self.expect(DONE, "--server", server, "list", "--help").out)

    def write_to(self, output, *arguments, closed=False):
        """Runs a verb with stdout at `output`; `closed`: at a pipe that nobody reads."""
        if closed:
            end, output = os.pipe()
            os.close(end)
        else:
            output = os.open(output, os.O_WRONLY)
        try:
            return subprocess.run([self.args.concerto, *arguments], stdout=output,
                                  stderr=subprocess.PIPE, env=self.environment(), timeout=60,
                                  cwd=self.home, check=False, text=True)
        finally:
            os.close(output)

    def test_outputs_that_cannot_be_written(self):
        self.start({"Backup.Directory": os.path.join(self.home, "backups")})
        url = dead_url()
        for number in range(300):  # more than a buffer
            self.submit(f"a-transaction-with-a-long-name-{number}", url)
        gid = "a-transaction-with-a-long-name-0"
        self.wait_until_stuck(gid)
        why = ("--reason", "x")
        for number, arguments in enumerate((
                ("list",), ("list", "--all"), ("list", "--all", "--gids"),
                ("list", "--all", "-o", "json"), ("list", "-o", "yaml"), ("get", gid), ("why", gid),
                ("watch", gid), ("watch", gid, "-o", "json"), ("count",), ("targets",),
                ("top", "--times", "100", "--interval", "0.1"), ("doctor",), ("pause",),
                ("pause", "-o", "json"), ("retry", gid), ("retry", "--all", "--yes"),
                ("stop", "--all", "--dry-run"), ("stop", gid), ("jobs",), ("begin",),
                ("topics", "subscribe", "t", "http://b.org/{}"), ("topics", "list"),
                ("audit",), ("archive", "--to", "a{}.gz"), ("backup", "--name", "b{}", "--full",
                                                            *why),
                ("verify", os.path.join(self.home, "backups", "b{}")), ("context", "list"),
                ("completion", "bash"), ("man",), ("man", "--markdown"), ("man", "list"),
                ("--help",), ("list", "--help"), ("--version",))):
            if arguments[0] == "context":
                self.expect(DONE, "context", "add", "here", "--server", self.server)
            if arguments[0] == "verify":
                self.expect(DONE, "backup", "--name", f"b{number}-0", "--full")
                self.expect(DONE, "backup", "--name", f"b{number}-1", "--full")
            with self.subTest(verb=arguments):
                first, second = ([each.format(f"{number}-{run}") for each in arguments]
                                 for run in range(2))
                ran = self.write_to("/dev/full", *first)
                if "pause" == arguments[0] and len(arguments) == 1:  # there is none: no output
                    self.assertEqual(ran.returncode, DONE, ran)
                    continue
                self.assertEqual(ran.returncode, FAILED, ran)
                self.assertEqual(ran.stderr.splitlines()[-1],
                                 "the output cannot be written: No space left on device")
                if arguments[0] == "stop" and len(arguments) == 2:
                    continue  # it has ended
                ran = self.write_to(None, *second, closed=True)
                self.assertEqual(ran.returncode, -signal.SIGPIPE, ran)
                self.assertNotIn("output", ran.stderr)
        self.assertEqual([name for name in os.listdir(self.home) if "partial" in name], [])

    def test_a_stdout_that_is_closed(self):
        """Nobody can have the result, and exit code 0 would say that somebody has it."""
        self.start()
        self.submit("g", dead_url())
        self.wait_until_stuck("g")
        load = os.path.join(os.path.dirname(self.args.concerto), "concerto-load")
        for program, *arguments in (
                (self.args.concerto, "list"), (self.args.concerto, "list", "-o", "json"),
                (self.args.concerto, "top", "--interval", "0.1"), (self.args.concerto, "count"),
                (self.args.concerto, "stop", "g", "-o", "json"), (self.args.concerto, "--help"),
                (self.args.concerto, "--version"), (self.args.concerto, "completion", "bash"),
                (self.args.concerto, "bench", "--", "--version"),
                (self.args.concertod, "--print-sample"), (self.args.concertod, "--print-keys"),
                (self.args.concertod, "--print-config"), (self.args.concertod, "--print-access"),
                (self.args.concertod, "--check-config"), (self.args.concertod, "--version"),
                (self.args.concertod, "--help"), (load, "--version"), (load, "--help")):
            with self.subTest(program=os.path.basename(program), arguments=arguments):
                ran = subprocess.run(["bash", "-c", 'exec "$0" "$@" >&-', program, *arguments],
                                     env=self.environment(), capture_output=True, text=True,
                                     timeout=60, check=False, cwd=self.home)
                self.assertEqual(ran.returncode, FAILED, ran)
                self.assertEqual(ran.stderr.splitlines()[-1:],
                                 ["the output cannot be written: stdout is closed"])
        self.assertEqual(self.expect(DONE, "audit", "--limit", "1", "-o", "json").json()[0]["gid"],
                         "g")

    def test_a_word_that_is_no_verb(self):
        """command_line_test has more of them."""
        for arguments, told in ((("nosuch",), "there is no verb 'nosuch'; concerto --help"),
                                (("--server", "http://a", "lsit"), "did you mean 'list'?"),
                                (("topics", "sub"), "did you mean 'topics subscribe'?")):
            ran = self.expect(USAGE, *arguments)
            self.assertEqual(ran.out, "")
            self.assertIn(told, ran.err)

    def test_what_is_not_known_is_no_zero(self):
        """As while the store is away, or for a caller who may not read the metrics."""
        api = ScriptedServer()
        self.addCleanup(api.close)
        self.server = api.root
        api.script("/api/concerto/count", (200, {"total": 3, "complete": False, "groups": [
            {"value": "http://b.org/a", "count": 3, "oldest": "2026-11-30T00:00:00Z"}]}))
        api.script("/api/concerto/pauses", (200, {"pauses": [
            {"kind": "target", "value": "http://c.org", "reason": "x"}]}))
        api.script("/metrics", (403, {"message": "not for you"}))
        rows = {one["target"]: one for one in
                self.expect(DONE, "targets", "-o", "json").json()}
        self.assertEqual([(rows[name]["waiting"], rows[name]["calls"], rows[name]["errors"])
                          for name in ("http://b.org", "http://c.org")],
                         [(3, None, None), (None, None, None)])
        ran = self.expect(DONE, "targets")
        self.assertRegex(ran.out, r"http://b\.org +3 +\S+ +- +- +-\n")
        self.assertRegex(ran.out, r"http://c\.org +- +- +- +- +yes: x\n")
        self.assertIn("not all targets", ran.err)

    def test_a_reader_that_has_enough(self):
        self.start()
        url = dead_url()
        for number in range(300):
            self.submit(f"a-transaction-with-a-long-name-{number}", url)
        ran = subprocess.run(["bash", "-c", '"$0" list --all -o json | head -1; echo '
                              '${PIPESTATUS[0]}', self.args.concerto], env=self.environment(),
                             capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual((ran.stdout, ran.stderr), (f"[\n{128 + signal.SIGPIPE}\n", ""))

    def test_empty_texts(self):
        """command_line_test has every option."""
        service = self.answer_everything(200, "{}")
        for name, arguments in (
                ("--name", ("backup", "--name", "")), ("gid", ("get", "")),
                ("--reason", ("stop", "g", "--reason", " ")), ("gids", ("retry", "")),
                ("--server", ("--server", "", "list")), ("path", ("verify", "a", "")),
                ("--to", ("migrate", "--from", "leveldb:a", "--to", "")),
                ("name", ("context", "add", "", "--server", "http://a"))):
            ran = self.expect(USAGE, *arguments)
            self.assertIn(f"{name}: expected a text that is not empty", ran.err)
        self.assertEqual(service.asked, [])

    def test_a_name_without_its_value_takes_no_other_word(self):
        service = self.answer_everything(200, "{}")
        for arguments in (("stop", "g", "--reason=", "--dry-run"), ("retry", "--target=", "--yes"),
                          ("--server=", "list"), ("backup", "--name=", "--full")):
            ran = self.expect(USAGE, *arguments)
            self.assertIn("expected a text that is not empty", ran.err)
        self.assertEqual(service.asked, [])


if __name__ == "__main__":
    main(Wrong, __doc__)
