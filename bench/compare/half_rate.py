#!/usr/bin/env python3
"""Latency at half of the maximum rate, and the time of a sync on the same disk, in one run.

The maximum is the best rate of several numbers of sagas in flight (closed loop). Then sagas begin
at half of that rate, at even times, on another fresh server (open loop: being late counts). The
syncs are measured before and after that, in the same directory, while nothing else writes.
"""

import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import measure  # noqa: E402
import servers  # noqa: E402

SYNC_COUNT = 1000
SYNC_FACTOR = 3
MORE_US = 2000


def limit_us(sync_p99_us):
    return SYNC_FACTOR * sync_p99_us + MORE_US


class HalfRate:
    def __init__(self, arguments, directory):
        self._arguments = arguments
        self._directory = directory
        self._server_cores, self._load_cores = servers.cores_for_server_and_load()
        self._runs = 0

    def run_round(self, wire):
        arguments = self._arguments
        most = max((self._load(wire, in_flight, arguments.seconds)
                    for in_flight in arguments.in_flight), key=lambda run: run["tx_per_second"])
        rate = most["tx_per_second"] / 2
        syncs = measure.sync_times_us(self._directory, SYNC_COUNT)
        half = self._load(wire, 1, arguments.half_seconds, rate)
        syncs += measure.sync_times_us(self._directory, SYNC_COUNT)
        found = {"wire": wire, "most": most, "half": half, "rate": rate,
                 "sync_p50_us": statistics.median(syncs),
                 "sync_p99_us": measure.percentile(syncs, 99)}
        found["limit_us"] = limit_us(found["sync_p99_us"])
        print(f"  {wire} at most {most['tx_per_second']:,.0f} per second; at half of it p50 "
              f"{half['p50_us']:,.0f} us, p99 {half['p99_us']:,.0f} us; a sync's p50 "
              f"{found['sync_p50_us']:,.0f} us, p99 {found['sync_p99_us']:,.0f} us",
              file=sys.stderr, flush=True)
        return found

    def _load(self, wire, in_flight, seconds, rate=0):
        self._runs += 1
        binary = os.path.join(self._arguments.bin, "concertod")
        place = os.path.join(self._directory, str(self._runs))
        with servers.running(servers.OurServer, binary, place, self._server_cores) as server:
            program = os.path.join(self._arguments.bin, "concerto-load")
            return measure.load(program, server, self._load_cores, wire, in_flight, seconds,
                                self._arguments.warm_up, f"half-{self._runs}", rate)


def table(rounds):
    """Markdown: medians over the rounds of each wire."""
    lines = ["| wire | most per second | begun per second | p50, us | p99, us | a sync's p99, us "
             "| 3 of them + 2 ms |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for wire in dict.fromkeys(found["wire"] for found in rounds):
        some = [found for found in rounds if found["wire"] == wire]
        cells = [statistics.median(column) for column in zip(*(
            (f["most"]["tx_per_second"], f["rate"], f["half"]["p50_us"], f["half"]["p99_us"],
             f["sync_p99_us"], f["limit_us"]) for f in some))]
        lines.append(f"| {wire} | " + " | ".join(f"{cell:,.0f}" for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    parser.add_argument("--wires", default="grpc,http")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", default="128,512", help="to find the maximum with")
    parser.add_argument("--seconds", type=float, default=4, help="with each number in flight")
    parser.add_argument("--half-seconds", type=float, default=10, help="at half of the rate")
    parser.add_argument("--warm-up", type=float, default=1)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.half_seconds = 1, 2, 4
    if arguments.tiny:
        arguments.rounds, arguments.seconds, arguments.half_seconds = 1, 0.2, 0.2
        arguments.warm_up, arguments.wires, arguments.in_flight = 0.1, "grpc", "128"
    arguments.wires = arguments.wires.split(",")
    arguments.in_flight = [int(number) for number in arguments.in_flight.split(",")]
    return arguments


def main():
    arguments = parse_arguments()
    with contest.temporary_directory("half-rate", arguments.directory) as directory:
        half_rate = HalfRate(arguments, directory)
        rounds = [half_rate.run_round(wire)
                  for _ in range(arguments.rounds) for wire in arguments.wires]
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rounds, file, indent=1)
    print(table(rounds))


if __name__ == "__main__":
    main()
