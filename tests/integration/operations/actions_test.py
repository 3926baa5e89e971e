"""What an operator does to a coordinator, and the lines that this leaves: signals, requests, `-r`.

Usage: actions_test.py <concertod>
"""

import json
import os
import pty
import signal
import socket
import stat
import subprocess
import time

from operations_test_case import (RELOADED, OperationsTestCase, get, hang_up, main, post, submit,
                                  try_now)

from concerto_testing import ends_within, http_call, wait_until

END_S = 20
LONG_S = 600
STACK_FAULT = 16  # SIGSTKFLT, which Python has no name for before 3.11


class Actions(OperationsTestCase):
    def start_stuck(self, name, count, settings=None):
        """A coordinator with sagas that wait for their next attempt."""
        coordinator = self.start(name, settings)
        self.branches.script("broken", (500, "out of order"))
        for number in range(count):
            gid = f"{name}-{number}"
            submit(coordinator, self.saga(gid, "broken", retry_interval=LONG_S))
            self.wait_for_why(coordinator, gid, lambda why: why["state"] == "waiting", "waits")
        return coordinator

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def test_logrotate_gets_whole_files(self):
        for name, settings, number in (("hangup", {}, signal.SIGHUP),
                                       ("user", {}, signal.SIGUSR1),
                                       ("rotated", {"Log.RotationEnable": 1}, signal.SIGHUP)):
            log = f"{name}.log"
            coordinator = self.start(name, {"Log.Outputs": self.path(log), **settings})
            wait_until(lambda log=log: "ready: " in self.read(log), f"{log} has its first lines")
            os.rename(self.path(log), self.path(f"{log}.1"))
            os.kill(coordinator.process.pid, number)
            wait_until(lambda log=log: os.path.exists(self.path(log)), f"{log} is there again")
            self.assertEqual(coordinator.terminate(), 0)
            self.assertIn('"stopped"', self.read(log))
            self.assertNotIn('"stopped"', self.read(f"{log}.1"))

    def test_stray_signals_do_not_end_it(self):
        coordinator = self.start("stray")
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM,
                       signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR,
                       signal.SIGHUP, STACK_FAULT, signal.SIGXFSZ,
                       *range(signal.SIGRTMIN, signal.SIGRTMAX + 1)):
            os.kill(coordinator.process.pid, number)
        submit(coordinator, self.saga("alive", "a"))
        coordinator.wait_for_status("alive", "succeed")
        os.kill(coordinator.process.pid, signal.SIGQUIT)
        self.assertEqual(coordinator.process.wait(), 0)
        coordinator.process.wait_for_line('"stopped"')

    def test_closed_streams_are_no_files_of_the_store(self):
        coordinator = self.start("streams")
        coordinator.kill()  # its configuration and its store stay
        command = [self.args.concertod, "-c", self.path("streams.yml")]
        with subprocess.Popen(command, cwd=self.directory,
                              preexec_fn=lambda: os.closerange(0, 3)) as process:
            try:
                url = f"{coordinator.api}/query?gid=x"
                wait_until(lambda: http_call("GET", url).status, "it answers", END_S)
                for number in range(3):
                    self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{number}"), "/dev/null")
            finally:
                process.kill()

    def test_requests_leave_a_line_with_who_asked(self):
        coordinator = self.start_stuck("asked", 2)
        asked = r", asked by 127\.0\.0\.1:\d+"
        try_now(coordinator, "asked-0")
        coordinator.process.wait_for_line(f'"info".*"try now{asked}","gid":"asked-0"')
        self.branches.wait_for_calls(2, "asked-0")
        url = f"{coordinator.api}/resetCronTime?timeout=1&limit=10"
        self.assertEqual(http_call("GET", url).status, 200)
        coordinator.process.wait_for_line(
            rf'"info".*"try now of all that wait for more than 1 s, \d are due{asked}"')
        self.assertEqual(post(coordinator, "forceStop", {"gid": "asked-1"}).status, 200)
        coordinator.process.wait_for_line(f'"warn".*"force stop{asked}","gid":"asked-1"')
        for name in ("subscribe", "unsubscribe"):
            url = f"{coordinator.api}/{name}?topic=t&url=http%3A%2F%2Fb%2Fx"
            self.assertEqual(http_call("GET", url).status, 200)
            coordinator.process.wait_for_line(rf'"info".*"{name} \w+ topic .t.{asked}')
        # A refused request changes nothing and is not logged.
        self.assertEqual(post(coordinator, "forceStop", {"gid": "asked-1"}).status, 409)
        self.assertEqual(len(coordinator.process.lines("force stop")), 1)

    def records(self, coordinator, query=""):
        """`<event> <action> <gid or details>` of the records in the audit log, oldest first."""
        page = get(coordinator, f"/api/concerto/audit?{query}").json()
        self.assertTrue(page["kept"])
        return [f"{one['event']} {one['action']} {one.get('gid', one.get('details', ''))}"
                for one in reversed(page["records"])]

    def test_actions_are_in_the_audit_log(self):
        audit = self.path("audit.jsonl")
        coordinator = self.start_stuck("audited", 1, {"Audit.File": audit})
        gid = "audited-0"
        url = f"{coordinator.api}/forceStop?reason=ticket%0A4711"
        self.assertEqual(http_call("POST", url, json.dumps({"gid": gid}).encode()).status, 200)
        hang_up(coordinator, RELOADED)
        wait_until(lambda: len(self.records(coordinator)) == 4, "the reload has its records")
        self.assertEqual(self.records(coordinator), [
            f"begun forceStop {gid}", f"done forceStop {gid}",
            "begun reload the configuration", "done reload the configuration"])
        self.assertEqual(self.records(coordinator, f"gid={gid}&caller=127.0.0.1&limit=1"),
                         [f"done forceStop {gid}"])
        with open(audit, encoding="utf-8") as file:
            begun = json.loads(file.readline())
        self.assertEqual(begun["reason"], "ticket\n4711")
        self.assertEqual(stat.S_IMODE(os.stat(audit).st_mode), 0o600)
        store = coordinator.settings["Store.Path"]
        coordinator.kill()
        self.run_reset(coordinator, at_terminal=False)
        with open(audit, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file.readlines()[-2:]]
        self.assertEqual([line["event"] for line in lines], ["begun", "done"])
        for line in lines:
            self.assertEqual(line["action"], "reset")
            self.assertEqual(line["caller"], f"uid {os.getuid()}")
            self.assertIn(store, line["details"])

    def run_reset(self, coordinator, *flags, at_terminal):
        """Starts it with `-r`, until it is ready or has ended. Returns its log and how it ended."""
        config = self.path(coordinator.name + ".yml")
        leader, follower = pty.openpty() if at_terminal else (None, None)
        process = subprocess.Popen([self.args.concertod, "-c", config, "-r", *flags], text=True,
                                   stdin=follower if at_terminal else subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, cwd=self.directory)
        log = ""
        with ends_within(END_S, process, "is ready, or ends"):
            for line in process.stderr:
                log += line
                if '"msg":"ready' in line:
                    process.kill()
        if at_terminal:
            os.close(leader)
            os.close(follower)
        process.stderr.close()
        return log, process.wait(END_S)

    def test_reset_says_what_is_lost_and_asks_at_a_terminal(self):
        coordinator = self.start_stuck("reset", 3)
        store = coordinator.settings["Store.Path"]
        coordinator.kill()
        log, code = self.run_reset(coordinator, at_terminal=True)
        self.assertEqual(code, 1, log)
        self.assertIn(f"the store is not reset: '{store}' has 3 unfinished transactions. To drop "
                      "them too, add --yes. Nothing was changed.", log)
        coordinator.start()
        self.assertEqual(coordinator.status("reset-2"), "submitted")  # nothing was dropped
        coordinator.kill()
        log, code = self.run_reset(coordinator, "--yes", at_terminal=True)
        self.assertEqual(code, -signal.SIGKILL, log)
        self.assertRegex(log, r'"warn".*is dropped, 3 unfinished transactions with it')
        coordinator.start()
        self.assertIsNone(coordinator.status("reset-2"))
        coordinator.kill()
        log, code = self.run_reset(coordinator, at_terminal=True)
        self.assertEqual(code, -signal.SIGKILL, log)
        self.assertIn("nothing of it was unfinished", log)

    def answer_reset(self, coordinator, answer):
        """Starts `-r` at a terminal that shows everything, answers the question, and returns what
        was shown until it was ready or had ended, and how it ended."""
        config = self.path(coordinator.name + ".yml")
        leader, follower = pty.openpty()
        with subprocess.Popen([self.args.concertod, "-c", config, "-r"], stdin=follower,
                              stdout=follower, stderr=follower, cwd=self.directory) as process:
            os.close(follower)
            shown = ""
            try:
                with ends_within(END_S, process, "asks, and is ready, or ends"):
                    while '"msg":"ready' not in shown:
                        had_asked = "Type yes" in shown
                        shown += os.read(leader, 65_536).decode()
                        if "Type yes" in shown and not had_asked:
                            os.write(leader, answer.encode() + b"\n")
                process.kill()
            except OSError:  # the other side is closed
                pass
            finally:
                os.close(leader)
            return shown, process.wait(END_S)

    def test_reset_asks_at_a_terminal_that_shows_the_question(self):
        coordinator = self.start_stuck("asks", 1)
        coordinator.kill()
        shown, code = self.answer_reset(coordinator, "no")
        self.assertEqual(code, 1, shown)
        self.assertIn("has 1 unfinished transaction. Type yes to drop it too: ", shown)
        self.assertIn("the store is not reset: the answer was not yes. Nothing was changed.", shown)
        shown, code = self.answer_reset(coordinator, "yes")
        self.assertEqual(code, -signal.SIGKILL, shown)
        self.assertIn("is dropped, 1 unfinished transaction with it", shown)

    def test_reset_drops_nothing_where_the_start_cannot_listen(self):
        coordinator = self.start_stuck("taken", 1)
        coordinator.kill()
        for port in (coordinator.http_port, coordinator.grpc_port):
            with socket.create_server(("127.0.0.1", port)):
                log, code = self.run_reset(coordinator, "--yes", at_terminal=False)
            self.assertEqual(code, 1, log)
            self.assertIn(f"the store is not reset: cannot listen on 127.0.0.1:{port}: ", log)
        coordinator.start()
        self.assertEqual(coordinator.status("taken-0"), "submitted")

    def test_reset_of_a_script_is_not_asked(self):
        coordinator = self.start_stuck("script", 1)
        coordinator.kill()
        log, code = self.run_reset(coordinator, at_terminal=False)
        self.assertEqual(code, -signal.SIGKILL, log)
        self.assertRegex(log, r'"warn".*is dropped, 1 unfinished transaction with it')

    def test_stopping_serves_on_until_everybody_knows(self):
        coordinator = self.start("leaving", {"ShutdownDelay": LONG_S})
        begin = time.monotonic()
        os.kill(coordinator.process.pid, signal.SIGTERM)
        # The requests use new connections, as probes and clients do.
        wait_until(lambda: get(coordinator, "/readyz").status == 503, "it is not ready")
        self.assertIn("the process is stopping", get(coordinator, "/readyz").json()["reasons"])
        self.assertEqual(get(coordinator, "/livez").status, 200)
        submit(coordinator, self.saga("late", "a"))
        coordinator.wait_for_status("late", "succeed")
        # A second signal ends the process at once.
        self.assertEqual(coordinator.terminate(), -signal.SIGTERM)
        self.assertLess(time.monotonic() - begin, LONG_S / 10)

    def test_stopping_ends_after_the_delay(self):
        coordinator = self.start("left", {"ShutdownDelay": 1})
        begin = time.monotonic()
        self.assertEqual(coordinator.terminate(), 0)
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        coordinator.settings["ShutdownDelay"] = LONG_S
        coordinator.start()
        os.kill(coordinator.process.pid, signal.SIGINT)  # as from a terminal
        self.assertEqual(coordinator.process.wait(), 0)


if __name__ == "__main__":
    main(Actions, __doc__)
