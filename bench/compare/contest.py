"""Both coordinators under the same load, in turn, each time with a fresh server."""

import argparse
import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile

import measure
import servers

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE_PACKAGE = "github.com/dtm-labs/dtm"


def build_reference(output):
    """Builds the reference that go.mod names. Go keeps what it has built."""
    go = shutil.which("go")
    if not go:
        raise SystemExit("the reference needs Go 1.22 or later; --only concertod does without")
    subprocess.run([go, "build", "-o", output, REFERENCE_PACKAGE], check=True,
                   cwd=os.path.join(HERE, "reference"), env={**os.environ, "GOTOOLCHAIN": "local"})
    return output


def argument_parser(description):
    """The arguments of every comparison."""
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", required=True, type=os.path.abspath,
                        help="directory of the built programs")
    parser.add_argument("--directory", help="where the servers' data goes while they run")
    parser.add_argument("--json", help="file for the single results")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--tiny", action="store_true",
                        help="a moment with concertod alone: whether it works, not how fast")
    return parser


def add_reference_arguments(parser):
    parser.add_argument("--reference", help="the reference's program, if built already")
    parser.add_argument("--only", choices=[servers.CONCERTOD], help="leave the reference out")


def add_round_arguments(parser):
    """The arguments of comparisons that have rounds. Parse them with `parse_rounds`."""
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warm-up", type=float, default=1)
    parser.add_argument("--in-flight", type=int, default=128)


def parse_rounds(parser):
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 2
    if arguments.tiny:
        arguments.only = servers.CONCERTOD
        arguments.rounds, arguments.seconds, arguments.warm_up = 1, 0.3, 0.1
    return arguments


@contextlib.contextmanager
def temporary_directory(name, parent=None):
    directory = tempfile.mkdtemp(prefix=f"concerto-{name}-", dir=parent)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@dataclasses.dataclass(frozen=True)
class Period:
    """One run of the load."""

    wire: str
    in_flight: int
    seconds: float
    warm_up: float
    mode: str = "saga"
    options: tuple = ()


class Contest:
    """Starts each server in turn, and returns what was measured by the servers' names."""

    def __init__(self, arguments, directory):
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

    def measure(self, periods):
        """{server: results of the periods}: each server lives through all periods."""
        found = {}
        for kind, binary in self._kinds:
            self._runs += 1
            directory = os.path.join(self._directory, f"{self._runs}-{kind.name}")
            with servers.running(kind, binary, directory, self._server_cores) as server:
                results = [self._load_once(server, number, period)
                           for number, period in enumerate(periods)]
            _share_out(server.table_bytes(), results)
            shutil.rmtree(directory)
            found[kind.name] = results
        return found

    def _load_once(self, server, number, period):
        sync_us = measure.sync_us(self._directory) if period.in_flight == 1 else None
        prefix = f"{period.wire}-{self._runs}-{number}"
        result = measure.load(self._load, server, self._load_cores, period.wire, period.in_flight,
                              period.seconds, period.warm_up, prefix, mode=period.mode,
                              options=period.options)
        if sync_us:
            result["sync_us"] = sync_us
        print(f"  {server.name:9} {period.wire} {period.mode:8} {period.in_flight:4} in flight: "
              f"{result['tx_per_second']:8,.0f} per second, {result['server_cpu_us']:7,.1f} us of "
              f"server CPU, p50 {result['p50_us'] / 1000:.2f} ms", file=sys.stderr, flush=True)
        return result


def _share_out(table_bytes, results):
    """The size of tables is known for the whole life of a server and is shared by all transactions.
    """
    if table_bytes is None:
        return
    transactions = sum(r["transactions"] + r["warm_up_transactions"] for r in results)
    for result in results:
        result["table_bytes"] = table_bytes / transactions
