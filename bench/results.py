"""What bench/run left in a directory. A part that was not run has None or [] instead of numbers."""

import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "compare"), os.path.join(HERE, "..", "tests", "support")]
sys.dont_write_bytecode = True

import report  # noqa: E402  (the path has to be set first)

CONCURRENT = 128


class Results:
    def __init__(self, directory):
        self._directory = directory
        self._compare = self.read("compare") or {"rounds": [], "sustained": []}

    def read(self, name):
        """The whole content of `<name>.json`. None if it is absent."""
        path = os.path.join(self._directory, name + ".json")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def micro_rows(self, program):
        """(name, medians of the counters) of every benchmark. A single run has its values instead.
        """
        benchmarks = (self.read(program) or {"benchmarks": []})["benchmarks"]
        kept = [b for b in benchmarks if b.get("aggregate_name", "median") == "median"]
        aggregated = {b["run_name"] for b in kept if "aggregate_name" in b}
        return [(b["run_name"], b) for b in kept
                if "aggregate_name" in b or b["run_name"] not in aggregated]

    def micro(self, program, prefix, counter):
        for name, row in self.micro_rows(program):
            if name.startswith(prefix) and counter in row:
                return row[counter]
        return None

    def compared(self, kind):
        """The rows of `rounds` or `sustained`: wire, in_flight, servers: {name: results}."""
        return self._compare[kind]

    def load(self, wire, in_flight, server, kind="rounds"):
        """The runs of sagas on a server."""
        for row in self.compared(kind):
            if (row["wire"], row["in_flight"]) == (wire, in_flight):
                return row["servers"].get(server, [])
        return []

    def instructions(self, wire, shards):
        for case in self.read("instructions") or []:
            if (case["wire"], case["shards"]) == (wire, shards):
                return case["instructions"]
        return None

    def half_rate(self, wire):
        return [found for found in self.read("half_rate") or [] if found["wire"] == wire]


def median(results, field):
    """The median of a field of runs. None without runs."""
    return report.median(results, field)


def median_of(values):
    values = list(values)
    return statistics.median(values) if values else None


def quotient(above, below):
    return above / below if above and below else None
