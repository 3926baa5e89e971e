"""The verbs that show something: list, get, why, count, watch, targets, top, doctor.

Usage: reading_test.py <concerto> <concertod>
"""

import json
import re
import subprocess
import threading

import yaml
from cli_test_case import (DONE, LATE, NOT_FOUND, TIMEOUT_S, TRANS_FAILED, UNREACHABLE, USAGE,
                           CliTestCase, dead_url, main)

from concerto_testing import ends_within, free_port, http_json


class Reading(CliTestCase):
    def one_of_each(self):
        """A transaction that is stuck, one that has succeeded, and one that has failed."""
        coordinator = self.start()
        branches = self.start_branches()
        branches.script("poor", (409, "no money"), (200, ""))
        self.submit("g-good", branches.url("good"))
        coordinator.wait_for_status("g-good", "succeed")
        self.submit("g-bad", branches.url("poor"))
        coordinator.wait_for_status("g-bad", "failed")
        self.submit("g-stuck", branches.url("good"), dead_url("stock"))
        self.wait_until_stuck("g-stuck")
        return coordinator

    def test_list(self):
        self.one_of_each()
        ran = self.expect(DONE, "list")
        self.golden("list", ran.out)
        self.assertEqual(ran.err, "")
        self.assertEqual(self.expect(DONE, "list", "--status", "failed", "--gids").out, "g-bad\n")
        self.assertEqual(self.expect(DONE, "list", "--status", "unfinished", "--gids").out,
                         "g-stuck\n")
        self.assertEqual(self.expect(DONE, "list", "--target", "/stock", "--gids").out, "g-stuck\n")
        self.assertEqual(self.expect(DONE, "list", "--mode", "tcc").err, "no transaction\n")
        first = self.expect(DONE, "list", "--limit", "1", "--gids")
        position = re.search(r"--position '(.+)'", first.err)[1]
        rest = self.expect(DONE, "list", "--gids", "--position", position)
        self.assertEqual(sorted((first.out + rest.out).split()), ["g-bad", "g-good", "g-stuck"])

    def test_json_and_yaml_are_what_the_coordinator_says(self):
        self.one_of_each()
        listed = http_json("GET", self.server + "/api/dtmsvr/all?explain=true")["transactions"]
        self.assertEqual(self.expect(DONE, "list", "-o", "json").json(), listed)
        self.assertEqual(yaml.safe_load(self.expect(DONE, "list", "-o", "yaml").out), listed)
        found = http_json("GET", self.server + "/api/dtmsvr/query?gid=g-bad")
        self.assertEqual(self.expect(DONE, "get", "g-bad", "-o", "json").json(), found)
        self.assertEqual(yaml.safe_load(self.expect(DONE, "get", "g-bad", "-o", "yaml").out), found)
        why = self.why("g-stuck")
        self.assertEqual(self.expect(DONE, "why", "g-stuck", "-o", "json").json(), why)
        self.assertEqual(yaml.safe_load(self.expect(DONE, "why", "g-stuck", "-o", "yaml").out), why)
        self.assertEqual(self.expect(DONE, "list", "--mode", "xa", "-o", "json").json(), [])
        self.assertEqual(yaml.safe_load(self.expect(DONE, "list", "--mode", "xa", "-o",
                                                    "yaml").out), [])

    def test_get_and_why(self):
        self.one_of_each()
        self.golden("get", self.expect(DONE, "get", "g-bad", "--payloads", "text").out)
        self.golden("why", self.expect(DONE, "why", "g-stuck").out)
        hexadecimal = self.expect(DONE, "get", "g-bad", "--payloads", "hex").out
        self.assertIn("7b 22 6e 22 3a 31 7d", hexadecimal)
        for verb in ("get", "why", "watch"):
            ran = self.expect(NOT_FOUND, verb, "nobody")
            self.assertIn("nobody", ran.err)
            self.assertEqual(ran.out, "")

    def test_count_and_targets(self):
        self.one_of_each()
        everything = "unfinished,failed,succeed"
        self.golden("count", self.expect(DONE, "count", "--status", everything).out)
        self.assertIn("1 transaction\n", self.expect(DONE, "count").out)
        by_target = self.expect(DONE, "count", "--by", "target", "--status", "unfinished", "-o",
                                "json").json()
        self.assertEqual((by_target["total"], by_target.get("complete", True)), (1, True))
        self.assertEqual([group["count"] for group in by_target["groups"]], [1])
        self.golden("targets", self.expect(DONE, "targets").out)
        targets = self.expect(DONE, "targets", "-o", "json").json()
        self.assertEqual(sum(target["waiting"] for target in targets), 1)
        targets.sort(key=lambda one: -one["waiting"])
        stuck, other = (one["target"] for one in targets)
        for value, reason in ((stuck.removeprefix("http:") + "/", "repair"),
                              (other + "/good", "slow"), ("http://nowhere.b.org/x", "moved")):
            self.expect(DONE, "pause", "target", value, "--reason", reason)
        paused = {one["target"]: one["pause"] for one in
                  self.expect(DONE, "targets", "-o", "json").json()}
        self.assertEqual(paused, {stuck: "yes: repair", other: f"in part, {other}/good: slow",
                                  "http://nowhere.b.org/x": "yes: moved"})
        shown = self.expect(DONE, "targets").out
        self.assertRegex(shown, re.escape(stuck) + r" +1 .*yes: repair")

    def test_watch(self):
        coordinator = self.start()
        branches = self.start_branches()
        gate = branches.hold("slow")
        self.addCleanup(gate.set)
        self.submit("slow", branches.url("slow"))
        threading.Timer(1.5, gate.set).start()
        ran = self.expect(DONE, "watch", "slow", "--interval", "0.2")
        lines = ran.out.splitlines()
        self.assertIn("running", lines[0])
        self.assertRegex(lines[-1], r"^\d\d:\d\d:\d\dZ  succeed  finished$")
        branches.script("poor", (409, "no money"), (200, ""))
        self.submit("bad", branches.url("poor"))
        coordinator.wait_for_status("bad", "failed")
        ran = self.expect(TRANS_FAILED, "watch", "bad", "-o", "json")
        self.assertEqual(json.loads(ran.out.splitlines()[-1])["status"], "failed")
        self.submit("stuck", dead_url())
        self.wait_until_stuck("stuck")
        ran = self.expect(LATE, "watch", "stuck", "--for", "1s", "-o", "yaml")
        self.assertEqual(yaml.safe_load(ran.out.partition("---\n")[2])["state"], "waiting")

    def test_watch_survives_a_restart_of_the_coordinator(self):
        coordinator = self.start({"RetryInterval": 1})
        branches = self.start_branches()
        branches.script("later", (500, ""), (500, ""), (500, ""), (200, ""))
        self.submit("g", branches.url("later"))
        with subprocess.Popen([self.args.concerto, "watch", "g", "--interval", "0.1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=self.environment()) as watch:
            with ends_within(TIMEOUT_S, watch, "says that it asks again"):
                self.assertIn("submitted", watch.stdout.readline())
                coordinator.kill()
                self.assertIn("asked again", watch.stderr.readline())
            coordinator.start()
            out, err = watch.communicate(timeout=60)
        self.assertEqual(watch.returncode, DONE, out + err)
        self.assertTrue(out.endswith("succeed  finished\n"), out)

    def test_terminal(self):
        self.one_of_each()
        wide = self.run_in_terminal("list", columns=200)
        self.assertEqual(wide.code, DONE)
        self.assertIn("\x1b[31mfailed\x1b[0m", wide.out)
        self.assertIn("\x1b[32msucceed\x1b[0m", wide.out)
        plain = self.run_in_terminal("list", columns=200, env={"NO_COLOR": "1"})
        self.assertNotIn("\x1b", plain.out)
        self.assertNotIn("\x1b", self.run_in_terminal("list", env={"TERM": "dumb"}).out)
        narrow = self.run_in_terminal("list", columns=60, env={"NO_COLOR": "1"})
        self.assertLessEqual(max(map(len, narrow.out.splitlines())), 60)
        self.assertIn("\u2026", narrow.out)
        self.assertNotIn("\u2026", self.run_cli("list").out)
        for verb in (("get", "g-bad"), ("why", "g-stuck"), ("count",), ("targets",), ("doctor",)):
            ran = self.run_in_terminal(*verb)
            self.assertEqual(ran.code, DONE, ran)
            self.assertIn("\x1b[1m", ran.out)

    def test_top(self):
        self.one_of_each()
        ran = self.expect(DONE, "top", "--interval", "0.2")
        self.golden("top", re.sub(r"(?<![\d.])\d+\.\d(?![\d.])", "N", ran.out))
        numbers = self.expect(DONE, "top", "--interval", "0.2", "-o", "json").json()
        self.assertEqual((numbers["unfinished"], numbers["unfinished_by_mode"]["saga"]), (1, 1))
        live = self.run_in_terminal("top", "--interval", "0.2", until="unfinished")
        self.assertEqual(live.code, DONE, live)
        self.assertTrue(live.out.startswith("\x1b[?1049h"), live)
        self.assertTrue(live.out.endswith("\x1b[?1049l"), live)

    def test_doctor(self):
        self.one_of_each()
        ran = self.expect(DONE, "doctor")
        self.golden("doctor", ran.out)
        checks = {one["check"]: one["state"] for one in
                  self.expect(DONE, "doctor", "--may-act", "-o", "json").json()}
        self.assertEqual(checks, {"settings": "ok", "reach": "ok", "version": "ok", "clock": "ok",
                                  "ready": "ok", "role": "ok", "certificate": "ok",
                                  "stuck": "ok", "damage": "ok"})
        self.server = f"http://127.0.0.1:{free_port()}"
        self.assertIn("refused", self.expect(UNREACHABLE, "doctor").out)

    def test_mistakes(self):
        self.server = f"http://127.0.0.1:{free_port()}"
        ran = self.expect(UNREACHABLE, "list")
        self.assertEqual(ran.out, "")
        self.assertIn("refused", ran.err)
        for arguments in (("list", "--min-age", "soon"), ("list", "--what"), ("get",), ("nothing",),
                          (), ("list", "-o", "xml"), ("list", "--created-after", "yesterday"),
                          ("list", "--server", "localhost"), ("watch", "g", "--for", "x")):
            ran = self.expect(USAGE, *arguments)
            self.assertEqual(ran.out, "")
            self.assertNotEqual(ran.err, "")
        self.assertEqual(self.run_cli("--help").code, DONE)
        self.assertRegex(self.run_cli("--version").out, r"^concerto \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    main(Reading, __doc__)
