#!/usr/bin/env python3
"""What each mode costs compared with a saga, in the same run, on concertod and on the reference.

Each transaction has two branches, over gRPC. For the load, a message without wait_result ends when
its submit is acknowledged; its branches are called meanwhile. All of them must have been called
soon after the end, or the load fails: so the server's CPU includes these calls. Each measurement
has a fresh server.
"""

import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import report  # noqa: E402
import servers  # noqa: E402

# name, mode of the load, further options
WORKS = (
    ("saga", "saga", ()),
    ("msg, submit only", "msg", ("--no-wait",)),
    ("msg, two phases", "msg-2p", ()),
    ("tcc", "tcc", ()),
    ("xa", "xa", ()),
    ("workflow", "workflow", ()),
)


def ratios_to_saga(rows, server):
    """{work: [server CPU as a multiple of the saga's, for each round]}."""
    saga = report.values(rows["saga"].get(server, []), "server_cpu_us")
    return {work: [cpu / base for cpu, base in
                   zip(report.values(by_server.get(server, []), "server_cpu_us"), saga)]
            for work, by_server in rows.items()}


def table(rows):
    """Markdown: one line per mode."""
    lines = ["| | concertod, per second | server CPU, us | of a saga's | reference, per second "
             "| server CPU, us | of a saga's | rate | CPU |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    names = (servers.CONCERTOD, servers.REFERENCE)
    ratios = {name: ratios_to_saga(rows, name) for name in names}
    for work, by_server in rows.items():
        cells = [work]
        for name in names:
            results = by_server.get(name, [])
            of_saga = ratios[name][work]
            cells += [report.cell_text(results, "tx_per_second", "{:,.0f}"),
                      report.cell_text(results, "server_cpu_us", "{:,.1f}"),
                      f"{statistics.median(of_saga):.2f}" if of_saga else "-"]
        ours, theirs = (by_server.get(name, []) for name in names)
        cells += [report.ratio_text(ours, theirs, "tx_per_second", True),
                  report.ratio_text(ours, theirs, "server_cpu_us", False)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    contest.add_reference_arguments(parser)
    contest.add_round_arguments(parser)
    parser.add_argument("--wire", choices=["grpc", "http"], default="grpc")
    return contest.parse_rounds(parser)


def main():
    arguments = parse_arguments()
    rows = {work: {} for work, _, _ in WORKS}
    with contest.temporary_directory("modes", arguments.directory) as directory:
        both = contest.Contest(arguments, directory)
        for _ in range(arguments.rounds):
            for work, mode, options in WORKS:
                period = contest.Period(arguments.wire, arguments.in_flight, arguments.seconds,
                                        arguments.warm_up, mode, options)
                for name, results in both.measure([period]).items():
                    rows[work].setdefault(name, []).extend(results)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"wire": arguments.wire, "in_flight": arguments.in_flight, "rows": rows},
                      file, indent=1)
    print(f"{arguments.wire}, {arguments.in_flight} in flight, {arguments.rounds} runs of "
          f"{arguments.seconds:g} s each, median (least to most)\n")
    print(table(rows))


if __name__ == "__main__":
    main()
