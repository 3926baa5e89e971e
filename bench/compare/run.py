#!/usr/bin/env python3
"""The same sagas on concertod and on the reference, in turn, and a table of both.

Sagas with two branches and wait_result, over gRPC and over HTTP. The load itself serves the
branches. Each measurement starts a fresh server on one core; the load has the other core. The
reference is built from bench/compare/reference (needs Go) unless --reference names a program.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import report  # noqa: E402


class Results:
    """The runs of each (wire, in_flight): {server: list of results}."""

    def __init__(self):
        self._found = {}

    def add(self, periods, by_server):
        for name, results in by_server.items():
            for period, result in zip(periods, results):
                row = self._found.setdefault((period.wire, period.in_flight), {})
                row.setdefault(name, []).append(result)

    def rows(self):
        return [{"wire": wire, "in_flight": in_flight, "servers": by_server}
                for (wire, in_flight), by_server in self._found.items()]


def print_tables(rounds, sustained, arguments):
    for row in rounds:
        print(report.table(f"{row['wire']}, {row['in_flight']} in flight, {arguments.rounds} runs "
                           f"of {arguments.seconds:g} s each, median (least to most)",
                           row["servers"]))
    for row in sustained:
        print(report.table(f"{row['wire']}, {row['in_flight']} in flight, one run of "
                           f"{arguments.sustained:g} s", row["servers"]))


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    contest.add_reference_arguments(parser)
    contest.add_round_arguments(parser)
    parser.add_argument("--wires", default="grpc,http")
    parser.add_argument("--sustained", type=float, default=0,
                        help="seconds of one long run over each wire, after the rounds")
    arguments = contest.parse_rounds(parser)
    arguments.wires = arguments.wires.split(",")
    return arguments


def main():
    arguments = parse_arguments()
    rounds, sustained = Results(), Results()
    with contest.temporary_directory("compare", arguments.directory) as directory:
        both = contest.Contest(arguments, directory)
        lone_seconds = min(2.0, arguments.seconds)
        for _ in range(arguments.rounds):
            for wire in arguments.wires:
                periods = [contest.Period(wire, arguments.in_flight, arguments.seconds,
                                          arguments.warm_up),
                           contest.Period(wire, 1, lone_seconds, lone_seconds / 10)]
                rounds.add(periods, both.measure(periods))
        for wire in arguments.wires if arguments.sustained > 0 else []:
            period = contest.Period(wire, arguments.in_flight, arguments.sustained,
                                    arguments.warm_up)
            sustained.add([period], both.measure([period]))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"rounds": rounds.rows(), "sustained": sustained.rows()}, file, indent=1)
    print_tables(rounds.rows(), sustained.rows(), arguments)


if __name__ == "__main__":
    main()
