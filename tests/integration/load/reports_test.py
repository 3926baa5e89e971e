"""The load's reports: they agree with each other.

Usage: reports_test.py <concertod> <concerto-load>
"""

import json
import os
import subprocess
import xml.dom.minidom

from load_test_case import LOAD_LIMIT_S, LoadTestCase, main


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
        self.check_html()
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

    def check_html(self):
        with open(self.path("l.html"), encoding="utf-8") as file:
            page = file.read()
        document = xml.dom.minidom.parseString(page.removeprefix("<!DOCTYPE html>"))
        self.assertEqual(len(document.getElementsByTagName("svg")), 3)
        self.assertIn("500 in ", document.getElementsByTagName("pre")[0].firstChild.data)

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

    def test_a_report_that_cannot_be_written_ends_with_1(self):
        coordinator = self.start("unwritten")
        path = self.path("nowhere/l.html")
        done = self.run_text(coordinator, "--warm-up", "0", "--transactions", "5", "--html", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(path, done.stderr)


if __name__ == "__main__":
    main(Reports, __doc__)
