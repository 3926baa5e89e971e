"""The load's reports: they agree with each other.

Usage: reports_test.py <concertod> <concerto-load>
"""

import datetime
import json
import os
import platform
import subprocess
import time
import xml.dom.minidom

from load_test_case import LOAD_LIMIT_S, LoadTestCase, main, succeeded


def last_line(text):
    return text.rstrip("\n").rpartition("\n")[2]


class Reports(LoadTestCase):
    def path(self, name):
        return os.path.join(self.directory, name)

    def run_text(self, coordinator, *options):
        command = [self.args.load, *self.targets(coordinator), *options]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LOAD_LIMIT_S, check=False)

    def test_all_say_the_same(self):
        coordinator = self.start("reports")
        done = self.run_text(
            coordinator, "--transactions", "500", "--in-flight", "4", "--warm-up", "0", "--json",
            self.path("l.json"), "--html", self.path("l.html"), "--hgrm", self.path("l.hgrm"),
            "--server-process", str(coordinator.process.pid))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("l.json"), encoding="utf-8") as file:
            results = json.load(file)
        self.assertEqual(results["transactions"], 500)
        self.assertRegex(done.stdout, r"transactions +500 in ")
        self.check_order(results)
        self.check_hgrm(results)
        self.check_html(results)
        self.assertGreater(results["server_cpu_us"], 1)
        self.assertGreater(results["server_resident_bytes"], 1_000_000)

    def check_order(self, results):
        latencies = [results[name] for name in ("p50_us", "p90_us", "p99_us", "p99_9_us",
                                                "max_us")]
        self.assertEqual(latencies, sorted(latencies))
        self.assertGreater(latencies[0], 0)

    def check_hgrm(self, results):
        with open(self.path("l.hgrm"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        rows = [line.split() for line in lines[2:] if not line.startswith("#")]
        self.assertEqual(rows[-1][1:], ["1.000000000000", "500"])
        self.assertAlmostEqual(float(rows[-1][0]), results["max_us"] / 1000, places=2)
        (median,) = [float(row[0]) for row in rows if row[1] == "0.500000000000"]
        self.assertAlmostEqual(median, results["p50_us"] / 1000, places=2)
        self.assertRegex(lines[-2], r"Total count +=  +500\]")

    def check_html(self, results):
        with open(self.path("l.html"), encoding="utf-8") as file:
            page = file.read()
        document = xml.dom.minidom.parseString(page.removeprefix("<!DOCTYPE html>"))
        self.assertEqual(len(document.getElementsByTagName("svg")), 3)
        self.assertIn("500 in ", document.getElementsByTagName("pre")[0].firstChild.data)
        (verdict,) = [p.firstChild.data for p in document.getElementsByTagName("p")]
        self.assertEqual(verdict, "passed")
        rows = {row.firstChild.firstChild.data: row.lastChild.firstChild.data
                for row in document.getElementsByTagName("tr")}
        self.assertEqual(rows, {name: results[name] for name in ("command", "date", "machine")})
        self.assertTrue(rows["machine"].startswith(platform.node() + ": "), rows)
        self.assertRegex(rows["command"], "^[^ ]*concerto-load --grpc 127.0.0.1:.* --html ")
        began = datetime.datetime.strptime(rows["date"] + "+0000", "%Y-%m-%d %H:%M:%S UTC%z")
        self.assertLess(abs(time.time() - began.timestamp()), 60)

    def test_open_loop_begins_at_its_rate(self):
        coordinator = self.start("rate")
        exit_code, results = self.load(coordinator, "--rate", "200", "--seconds", "1")
        self.assert_passed(exit_code, results)
        self.assertEqual(results["transactions"], 200)
        self.assertEqual(results["rate"], 200)

    def test_progress_goes_to_stderr(self):
        coordinator = self.start("progress")
        done = self.run_text(coordinator, "--warm-up", "0", "--rate", "50", "--seconds", "1.5",
                             "--progress")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\[=+ *\] \d+%  \d s  \d+ per second  p99 [\d.,]+ ms  "
                                      r"failures 0\n")
        quiet = self.run_text(coordinator, "--warm-up", "0", "--transactions", "5")
        self.assertEqual((quiet.returncode, quiet.stderr), (0, ""))

    def test_mistakes_end_with_2(self):
        coordinator = self.start("mistakes")
        done = self.run_text(coordinator, "--mode", "sga")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--mode", done.stderr)

    def test_a_report_that_cannot_be_written_is_a_mistake_before_the_load(self):
        coordinator = self.start("unwritten")
        with open(self.path("old.json"), "w", encoding="utf-8") as file:
            file.write("old")
        for option in ("--html", "--json", "--hgrm"):
            path = self.path("nowhere/l")
            other = () if option == "--json" else ("--json", self.path("old.json"))
            done = self.run_text(coordinator, "--warm-up", "0", "--transactions", "5", *other,
                                 option, path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f"{option}: '{path}' cannot be written: "
                                          "No such file or directory\n")
        self.assertEqual(succeeded(coordinator), 0)
        with open(self.path("old.json"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")

    def test_a_disk_that_is_full_after_the_load_ends_with_1(self):
        coordinator = self.start("full")
        done = self.run_text(coordinator, "--warm-up", "0", "--transactions", "5", "--json",
                             "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'/dev/full' cannot be written: No space left on device", done.stderr)

    def test_the_last_line_says_whether_the_load_has_passed(self):
        coordinator = self.start("verdict")
        few = ("--warm-up", "0", "--transactions", "50", "--in-flight", "1")
        good = self.run_text(coordinator, *few)
        self.assertEqual(last_line(good.stdout), "passed: 50 acknowledged, 50 queried, 0 failures")
        quiet = self.run_text(coordinator, *few, "--json", "-")
        self.assertEqual(quiet.stderr, "passed: 50 acknowledged, 50 queried, 0 failures\n")
        coordinator.kill()
        gone = self.run_text(coordinator, *few)
        self.assertEqual(gone.returncode, 1)
        self.assertEqual(last_line(gone.stdout), "failed: no transaction ended in the measured "
                                                 "time; 1 transaction failed, allowed are 0")
        gone = self.run_text(coordinator, *few, "--json", "-")
        self.assertEqual(last_line(gone.stderr), "failed: no transaction ended in the measured "
                                                 "time; 1 transaction failed, allowed are 0")


if __name__ == "__main__":
    main(Reports, __doc__)
