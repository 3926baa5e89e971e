#!/usr/bin/env python3
"""The same sagas against concertod and the reference server, in turn, and a table of both.

Two branches, wait_result, over gRPC and over HTTP; the branches are served by the load itself.
Each measurement starts a fresh server on one core, with the load on the other. The reference is
built from bench/compare/reference (needs Go) unless --reference names a program.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import measure  # noqa: E402  (the path has to be set first)
import report  # noqa: E402
import servers  # noqa: E402

REFERENCE_PACKAGE = "github.com/dtm-labs/dtm"


def build_reference(output):
    """Builds the reference that go.mod names; Go keeps what it has built."""
    go = shutil.which("go")
    if not go:
        raise SystemExit("the reference needs Go 1.22 or later; --only concertod does without")
    subprocess.run([go, "build", "-o", output, REFERENCE_PACKAGE], check=True,
                   cwd=os.path.join(HERE, "reference"), env={**os.environ, "GOTOOLCHAIN": "local"})
    return output


class Comparison:
    """Runs measurements and keeps them: results[(wire, in_flight)][server] is a list."""

    def __init__(self, arguments, directory):
        self._arguments = arguments
        self._directory = directory
        self._load = os.path.join(arguments.bin, "concerto-load")
        self._server_cores, self._load_cores = servers.cores_for_server_and_load()
        self._kinds = [(servers.OurServer, os.path.join(arguments.bin, "concertod"))]
        if arguments.only != servers.CONCERTOD:
            binary = arguments.reference
            if not binary:
                binary = build_reference(os.path.join(arguments.bin, "reference"))
            self._kinds.append((servers.ReferenceServer, os.path.abspath(binary)))
        self._runs = 0
        self.results = {}
        self.sustained = {}

    def measure(self, wire, periods, into):
        """Each server in turn: starts it, loads it for the periods, kills it.

        A period is (in_flight, seconds, warm_up).
        """
        for kind, binary in self._kinds:
            self._runs += 1
            directory = os.path.join(self._directory, f"{self._runs}-{kind.name}")
            with servers.running(kind, binary, directory, self._server_cores) as server:
                found = [self._load_once(server, wire, number, period)
                         for number, period in enumerate(periods)]
            self._share_out(server.table_bytes(), found)
            shutil.rmtree(directory)
            for (in_flight, _, _), result in zip(periods, found):
                into.setdefault((wire, in_flight), {}).setdefault(kind.name, []).append(result)

    def _load_once(self, server, wire, number, period):
        in_flight, seconds, warm_up = period
        sync_us = measure.sync_us(self._directory) if in_flight == 1 else None
        result = measure.load(self._load, server, self._load_cores, wire, in_flight, seconds,
                              warm_up, f"{wire}-{self._runs}-{number}")
        if sync_us:
            result["sync_us"] = sync_us
        print(f"  {server.name:9} {wire} {in_flight:4} in flight: "
              f"{result['tx_per_second']:8,.0f} per second, {result['server_cpu_us']:7,.1f} us of "
              f"server CPU, p50 {result['p50_us'] / 1000:.2f} ms", file=sys.stderr, flush=True)
        return result

    @staticmethod
    def _share_out(table_bytes, found):
        """Tables are known for the whole life of a server: shared by all transactions."""
        if table_bytes is None:
            return
        transactions = sum(r["transactions"] + r["warm_up_transactions"] for r in found)
        for result in found:
            result["table_bytes"] = table_bytes / transactions


def print_tables(comparison, arguments):
    for (wire, in_flight), by_server in comparison.results.items():
        print(report.table(f"{wire}, {in_flight} in flight, {arguments.rounds} runs of "
                           f"{arguments.seconds:g} s each, median (least to most)", by_server))
    for (wire, in_flight), by_server in comparison.sustained.items():
        print(report.table(f"{wire}, {in_flight} in flight, one run of "
                           f"{arguments.sustained:g} s", by_server))


def write_json(comparison, path):
    def rows(results):
        return [{"wire": wire, "in_flight": in_flight, "servers": by_server}
                for (wire, in_flight), by_server in results.items()]

    with open(path, "w", encoding="utf-8") as file:
        json.dump({"rounds": rows(comparison.results), "sustained": rows(comparison.sustained)},
                  file, indent=1)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", required=True, help="directory of the built programs")
    parser.add_argument("--reference", help="the reference's program, if built already")
    parser.add_argument("--only", choices=[servers.CONCERTOD], help="leave the reference out")
    parser.add_argument("--wires", default="grpc,http")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warm-up", type=float, default=1)
    parser.add_argument("--in-flight", type=int, default=128)
    parser.add_argument("--sustained", type=float, default=0,
                        help="seconds of one long run over gRPC, after the rounds")
    parser.add_argument("--directory", help="where the servers' data goes while they run")
    parser.add_argument("--json", help="file for the single results")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    parser.add_argument("--tiny", action="store_true",
                        help="a moment with concertod alone: whether it works, not how fast")
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(arguments.bin)
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 2
    if arguments.tiny:
        arguments.only = servers.CONCERTOD
        arguments.rounds, arguments.seconds, arguments.warm_up = 1, 0.3, 0.1
    return arguments


def main():
    arguments = parse_arguments()
    directory = tempfile.mkdtemp(prefix="concerto-compare-", dir=arguments.directory)
    try:
        comparison = Comparison(arguments, directory)
        lone_seconds = min(2.0, arguments.seconds)
        periods = [(arguments.in_flight, arguments.seconds, arguments.warm_up),
                   (1, lone_seconds, lone_seconds / 10)]
        for _ in range(arguments.rounds):
            for wire in arguments.wires.split(","):
                comparison.measure(wire, periods, comparison.results)
        if arguments.sustained > 0:
            period = (arguments.in_flight, arguments.sustained, arguments.warm_up)
            comparison.measure("grpc", [period], comparison.sustained)
        if arguments.json:
            write_json(comparison, arguments.json)
        print_tables(comparison, arguments)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
