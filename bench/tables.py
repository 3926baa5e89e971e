#!/usr/bin/env python3
"""bench/tables.py <directory>: prints the results that bench/run left there as Markdown tables.

The first table has the goals: the goal, what was measured, what the peer does, the ratio. The
others have every number of the comparisons and of the units.
"""

import os
import platform
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from results import Results  # noqa: E402  (it sets the path of the next ones)

import clients  # noqa: E402
import dead_target  # noqa: E402
import goals  # noqa: E402
import half_rate  # noqa: E402
import handshakes  # noqa: E402
import instructions  # noqa: E402
import measure  # noqa: E402
import modes  # noqa: E402
import report  # noqa: E402

BREAKDOWN_FUNCTIONS = 15
MICRO_COUNTERS = {
    "transport_bench": ["server_us/call", "client_us/call", "calls/s"],
    "store_bench": ["cpu_us/tx", "syncs/tx", "bytes/tx", "tx/s", "cpu_us/sync", "p50_us"],
    "saga_bench": ["cpu_us/tx", "allocs/tx", "commits/tx", "syncs/tx", "tx/s"],
}


def machine(directory):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), platform.machine())
    zeroed = measure.sync_us(directory)
    growing = measure.sync_us(directory, zeroed=False)
    return (f"Machine: {os.cpu_count()} cores ({model}), Linux {platform.release()}. A write of "
            f"700 bytes with fdatasync, p50: {zeroed:,.0f} us into space zeroed ahead, "
            f"{growing:,.0f} us into a growing file.\n")


def compare_tables(results):
    for kind, what in (("rounds", "interleaved runs, median (least to most)"),
                       ("sustained", "one long run")):
        for row in results.compared(kind):
            some = next(iter(row["servers"].values()))
            seconds = statistics.median(result["seconds"] for result in some)
            count = f"{len(some)} of " if kind == "rounds" else ""
            yield report.table(f"{row['wire']}, {row['in_flight']} in flight: {what}, {count}"
                               f"{seconds:.0f} s", row["servers"])


def other_tables(results):
    """The tables of each comparison that was run."""
    found = results.read("modes")
    if found:
        yield (f"**Modes, {found['wire']}, {found['in_flight']} in flight** (median, least to "
               f"most)\n\n{modes.table(found['rows'])}")
    found = results.read("clients")
    if found:
        yield (f"**Clients, {found['in_flight']} in flight** (medians)\n\n"
               f"{clients.table(found['rows'])}")
    found = results.read("half_rate")
    if found:
        yield f"**Latency at half of the maximum rate** (medians)\n\n{half_rate.table(found)}"
    found = results.read("dead_target")
    if found:
        yield ("**A service that never answers** (medians)\n\n"
               f"{dead_target.table(found['rounds'], found['waiting'])}")
    found = results.read("handshakes")
    if found:
        yield f"**New TLS connections** (medians)\n\n{handshakes.table(found['rounds'])}"
    found = results.read("instructions")
    if found:
        yield f"**Instructions and system calls per saga**\n\n{instructions.summary(found)}"
        for case in found:
            if case["shards"] == 1:
                yield instructions.breakdown(case, BREAKDOWN_FUNCTIONS)


def counter_table(results, program, columns):
    rows = results.micro_rows(program)
    lines = [f"**{program}** (medians)", "", "| | " + " | ".join(columns) + " |",
             "| --- |" + " --- |" * len(columns)]
    for name, row in rows:
        cells = [f"{row[column]:,.2f}" if column in row else "-" for column in columns]
        lines.append(f"| {name.split('/iterations')[0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    directory = sys.argv[1]
    results = Results(directory)
    print(machine(directory))
    print(goals.table(results))
    for table in (*compare_tables(results), *other_tables(results)):
        print(table)
    for program, columns in MICRO_COUNTERS.items():
        if results.micro_rows(program):
            print(counter_table(results, program, columns))


if __name__ == "__main__":
    main()
