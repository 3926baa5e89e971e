#!/usr/bin/env python3
"""bench/tables.py <directory>: the results that bench/run left there, as Markdown tables.

First the goals: what was to be reached, what was measured, what the peer does, the ratio. Then
every number of the comparison and of the units.
"""

import json
import os
import platform
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "compare"), os.path.join(HERE, "..", "tests", "support")]
sys.dont_write_bytecode = True

import measure  # noqa: E402  (the path has to be set first)
import report  # noqa: E402
from servers import CONCERTOD, REFERENCE  # noqa: E402

CONCURRENT = 128


class Results:
    """What lies in the directory. A program that was not run has no numbers."""

    def __init__(self, directory):
        self._micro = {}
        for name in sorted(os.listdir(directory)):
            if name.endswith("_bench.json"):
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    self._micro[name.removesuffix(".json")] = json.load(file)["benchmarks"]
        with open(os.path.join(directory, "compare.json"), encoding="utf-8") as file:
            self.compare = json.load(file)

    def rows(self, program):
        """(name, medians of the counters) of every benchmark; of a single run its values."""
        benchmarks = self._micro.get(program, [])
        kept = [b for b in benchmarks if b.get("aggregate_name", "median") == "median"]
        aggregated = {b["run_name"] for b in kept if "aggregate_name" in b}
        return [(b["run_name"], b) for b in kept
                if "aggregate_name" in b or b["run_name"] not in aggregated]

    def micro(self, program, prefix, counter):
        for name, row in self.rows(program):
            if name.startswith(prefix) and counter in row:
                return row[counter]
        return None

    def load(self, wire, in_flight, server):
        for row in self.compare["rounds"]:
            if (row["wire"], row["in_flight"]) == (wire, in_flight):
                return row["servers"].get(server, [])
        return []


def us(value):
    return "not measured" if value is None else f"{value:,.1f} us"


def times(value):
    return "not measured" if value is None else f"{value:,.1f}x"


def quotient(above, below):
    return above / below if above and below else None


def verdict(reached):
    return "-" if reached is None else ("reached" if reached else "**missed**")


def below(value, limit):
    return None if value is None else value <= limit


def above(value, limit):
    return None if value is None else value >= limit


def saga_goals(results):
    ours = results.load("grpc", CONCURRENT, CONCERTOD)
    theirs = results.load("grpc", CONCURRENT, REFERENCE)
    cpu, their_cpu = (report.median(r, "server_cpu_us") for r in (ours, theirs))
    yield ("saga over gRPC, server CPU per transaction", "at most 60 us", us(cpu), us(their_cpu),
           times(quotient(their_cpu, cpu)), verdict(below(cpu, 60)))
    rate, their_rate = (report.median(r, "tx_per_second") for r in (ours, theirs))
    factor = quotient(rate, their_rate)
    yield ("saga over gRPC, transactions per second, 128 in flight", "at least 40x the reference",
           "not measured" if rate is None else f"{rate:,.0f}",
           "not measured" if their_rate is None else f"{their_rate:,.0f}", times(factor),
           verdict(above(factor, 40)))
    lone = results.load("grpc", 1, CONCERTOD)
    p50, sync = report.median(lone, "p50_us"), report.median(lone, "sync_us")
    their_p50 = report.median(results.load("grpc", 1, REFERENCE), "p50_us")
    limit = None if sync is None else 3 * sync + 1000
    yield ("a lone saga over gRPC, p50",
           "not measured" if limit is None else f"3 syncs of {sync:,.0f} us + 1 ms = "
           f"{limit:,.0f} us", us(p50), us(their_p50), times(quotient(their_p50, p50)),
           verdict(None if limit is None else below(p50, limit)))


def transport_goals(results):
    for side in ("server", "client"):
        ours = results.micro("transport_bench", f"{side}/ours", f"{side}_us/call")
        theirs = results.micro("transport_bench", f"{side}/grpc", f"{side}_us/call")
        factor = quotient(theirs, ours)
        yield (f"unary call, {side} CPU", "at most a fifth of gRPC C++", us(ours), us(theirs),
               times(factor), verdict(above(factor, 5)))


def store_goals(results):
    cpu = results.micro("store_bench", "million/350", "cpu_us/tx")
    yield ("the store alone, CPU per transaction, 1,000,000 of 700 bytes in three records, groups "
           "of 64", "at most 12 us", us(cpu), "-", "-", verdict(below(cpu, 12)))
    zeroed, growing = (results.micro("store_bench", f"log/{kind}/700", "p50_us")
                       for kind in ("zeroed", "growing"))
    yield ("a sync of 700 bytes into zeroed log space, p50", "beside one that grows the file",
           us(zeroed), us(growing), times(quotient(growing, zeroed)), "-")


def goal_table(results):
    rows = [*saga_goals(results), *transport_goals(results), *store_goals(results)]
    lines = ["| what | goal | measured | peer | better by | |",
             "| --- | --- | --- | --- | --- | --- |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def counter_table(results, program, columns):
    rows = results.rows(program)
    if not rows:
        return ""
    lines = [f"**{program}** (medians)", "", "| | " + " | ".join(columns) + " |",
             "| --- |" + " --- |" * len(columns)]
    for name, row in rows:
        cells = [f"{row[column]:,.2f}" if column in row else "-" for column in columns]
        lines.append(f"| {name.split('/iterations')[0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def compare_tables(results):
    for kind, what in (("rounds", "interleaved runs, median (least to most)"),
                       ("sustained", "one long run")):
        for row in results.compare[kind]:
            some = next(iter(row["servers"].values()))
            seconds = statistics.median(result["seconds"] for result in some)
            count = f"{len(some)} of " if kind == "rounds" else ""
            yield report.table(f"{row['wire']}, {row['in_flight']} in flight: {what}, {count}"
                               f"{seconds:.0f} s", row["servers"])


def machine(directory):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), platform.machine())
    zeroed = measure.sync_us(directory)
    growing = measure.sync_us(directory, zeroed=False)
    return (f"Machine: {os.cpu_count()} cores ({model}), Linux {platform.release()}. A write of "
            f"700 bytes with fdatasync, p50: {zeroed:,.0f} us into space zeroed ahead, "
            f"{growing:,.0f} us into a growing file.\n")


def main():
    directory = sys.argv[1]
    results = Results(directory)
    print(machine(directory))
    print(goal_table(results))
    for table in compare_tables(results):
        print(table)
    print(counter_table(results, "transport_bench",
                        ["server_us/call", "client_us/call", "calls/s"]))
    print(counter_table(results, "store_bench",
                        ["cpu_us/tx", "syncs/tx", "bytes/tx", "tx/s", "cpu_us/sync", "p50_us"]))
    print(counter_table(results, "saga_bench",
                        ["cpu_us/tx", "allocs/tx", "commits/tx", "syncs/tx", "tx/s"]))


if __name__ == "__main__":
    main()
