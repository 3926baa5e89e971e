"""A coordinator that is gone for a while in the middle of a load: an outage in each report.

Usage: outages_test.py <concertod> <concerto-load>
"""

import os
import re
import signal
import time
import xml.dom.minidom

from load_test_case import LoadTestCase, main, wait_for_some

AWAY_S = 3.5  # at least two whole seconds of the load
SOME_SUCCEED = r" s  [1-9][\d,]* per second"


class Outages(LoadTestCase):
    @classmethod
    def page_path(cls):
        return os.path.join(cls.directory, "outage.html")

    def run_outage(self):
        """Kills the coordinator and starts it again. Returns load, exit code and results."""
        coordinator = self.start("away")
        load = self.start_load(coordinator, "outage", "--seconds", "60", "--progress", "--check",
                               "all", "--max-failures", "1000000", "--html", self.page_path())
        wait_for_some(coordinator, load)
        load.wait_for_line(SOME_SUCCEED, count=2)
        coordinator.kill()
        time.sleep(AWAY_S)
        coordinator.start()
        load.wait_for_line(SOME_SUCCEED, count=len(load.lines(SOME_SUCCEED)) + 2)
        os.kill(load.pid, signal.SIGINT)
        return (load, *self.results(load))

    def test_an_outage_is_a_gap_with_failures_per_second(self):
        load, exit_code, results = self.run_outage()
        self.assertEqual((exit_code, results["passed"], results["wrong"]), (0, True, 0), results)
        (outage,) = results["outages"]
        self.assertTrue(2 <= outage["end"] - outage["begin"] <= AWAY_S + 10, outage)
        inside = [second for second in results["per_second"]
                  if outage["begin"] < second["end"] <= outage["end"]]
        self.assertEqual({second["tx_per_second"] for second in inside}, {0})
        self.assertEqual(sum(second["failures"] for second in inside), outage["failures"])
        self.assertGreater(max(second["failures_per_second"] for second in inside), 20)
        text = load.text()
        self.assertIn(f"outage          {outage['begin']:.1f} s to {outage['end']:.1f} s: "
                      f"{outage['failures']:,} failures\n", text)
        self.assertRegex(text, fr"\npassed: [\d,]+ acknowledged, [\d,]+ queried, "
                               fr"{results['failures']:,} failures\n$")
        self.check_page(outage, results)

    def check_page(self, outage, results):
        with open(self.page_path(), encoding="utf-8") as file:
            page = file.read().removeprefix("<!DOCTYPE html>")
        charts = {chart.getAttribute("aria-label"): chart
                  for chart in xml.dom.minidom.parseString(page).getElementsByTagName("svg")}
        self.assertEqual(list(charts), ["Latency by percentile", "Throughput", "Failures",
                                        "p99 of each second"])
        for title, lines in (("Throughput", 2), ("Failures", 1), ("p99 of each second", 2)):
            (gap,) = charts[title].getElementsByTagName("rect")
            self.assertEqual(gap.getAttribute("class"), "gap")
            self.assertEqual(gap.getElementsByTagName("title")[0].firstChild.data,
                             f"outage of {outage['end'] - outage['begin']:.1f} s, "
                             f"{outage['failures']:,} failures")
            drawn = charts[title].getElementsByTagName("polyline")
            self.assertEqual(len(drawn), lines, title)
            self.check_line(drawn, gap, lines, title)
        failures = charts["Failures"].getElementsByTagName("polyline")[0]
        self.assertEqual(len(points(failures)), len(results["per_second"]))

    def check_line(self, drawn, gap, lines, title):
        """A line that is interrupted has no point within the gap."""
        begin = float(gap.getAttribute("x"))
        end = begin + float(gap.getAttribute("width"))
        inside = [x for line in drawn for x, _ in points(line) if begin + 1 < x < end + 1]
        self.assertEqual(bool(inside), lines == 1, title)


def points(line):
    return [tuple(map(float, point)) for point in
            re.findall(r"([\d.]+),([\d.]+)", line.getAttribute("points"))]


if __name__ == "__main__":
    main(Outages, __doc__)
