#!/usr/bin/env python3
"""The CPU of a client and its coordinator: concerto::client beside the official SDK for Go.

    bench/compare/clients.py --bin build/bench/bin
    bench/compare/clients.py --bin build/bench/bin --wires grpc --modes saga --stores memory

Both programs (bench/peers/client) keep as many transactions in flight: two-branch sagas, and
messages in two phases, with wait_result. A third process serves the branches; its CPU does not
count. The pairs take turns, each with a fresh coordinator: concerto::client and the SDK with
concertod, and the SDK with the reference. The SDK logs warnings only, and over HTTP keeps a
connection for each transaction in flight; as it comes, it writes lines for every call and connects
again for most.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import servers  # noqa: E402
from concerto_testing import http_json  # noqa: E402
from servers import CONCERTOD, REFERENCE  # noqa: E402

SDK_SOURCES = os.path.join(HERE, "..", "peers", "client", "sdk")
OURS = "concerto::client, concertod"
SDK = "SDK, concertod"
SDK_AND_REFERENCE = "SDK, reference"
GOAL = 0.6
END_LIMIT_S = 60
FIRST_NUMBER = 1_000_000_000  # of a gid, in both programs
BOTH = ("client", "server")
ALONE = "the SDK's client alone"
WITH_CONCERTOD = "the SDK's client and concertod"
# With what the CPU of our client and coordinator is compared: a name, a pair, and whose CPU of it.
READINGS = (
    (ALONE, SDK, ("client",)),
    (WITH_CONCERTOD, SDK, BOTH),
    ("the SDK's client and the reference", SDK_AND_REFERENCE, BOTH),
)


def build_sdk(output):
    go = shutil.which("go")
    if not go:
        raise SystemExit("the SDK needs Go 1.22 or later; --only concertod does without")
    subprocess.run([go, "build", "-o", output, "."], check=True, cwd=SDK_SOURCES,
                   env={**os.environ, "GOTOOLCHAIN": "local"})
    return output


def cpu_s(pid):
    """User and system time of all threads, in nanoseconds' resolution (clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


class Program:
    """A program of bench/peers/client. It ends when its input does."""

    def __init__(self, command, cores):
        with servers.pinned_to(cores):
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, text=True,
                                             env={**os.environ, "LOG_LEVEL": "warn"})
        self.pid = self._process.pid

    def words_after(self, word):
        """The rest of the next line, which must begin with the word."""
        line = self._process.stdout.readline()
        if line.split()[:1] != [word]:
            self._process.kill()
            raise SystemExit(f"{self._process.args[0]} wrote {line!r} and not {word!r}")
        return line.split()[1:]

    def ask(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self):
        self._process.communicate(timeout=END_LIMIT_S)


class Branches(Program):
    def __init__(self, program, cores):
        super().__init__([program, "-mode", "serve"], cores)
        grpc, _, http = self.words_after("grpc")
        self.address = {"grpc": f"127.0.0.1:{grpc}", "http": f"127.0.0.1:{http}"}

    def calls(self):
        self.ask()
        return int(self.words_after("calls")[0])


class Clients:
    """Runs each pair of a client and a coordinator in turn."""

    def __init__(self, arguments, directory):
        self._arguments = arguments
        self._directory = directory
        self._server_cores, self._client_cores = servers.cores_for_server_and_load()
        binaries = {name: os.path.join(arguments.bin, name)
                    for name in ("client_load", "concertod", "reference", "sdk_load")}
        ours = binaries["client_load"]
        concertod = (servers.OurServer, binaries["concertod"])
        self._own = ours
        self._pairs = {OURS: (ours, *concertod)}
        if arguments.only != CONCERTOD:
            reference = arguments.reference or contest.build_reference(binaries["reference"])
            sdk = build_sdk(binaries["sdk_load"])
            self._pairs[SDK] = (sdk, *concertod)
            self._pairs[SDK_AND_REFERENCE] = (sdk, servers.ReferenceServer,
                                              os.path.abspath(reference))
        self._runs = 0

    def pairs(self, store):
        """The reference has one store only; it stands beside concertod's own on the disk."""
        return [name for name in self._pairs if name != SDK_AND_REFERENCE or store == "leveldb"]

    def measure(self, name, store, wire, mode):
        """{client_cpu_us, server_cpu_us, tx_per_second} of one run."""
        client, kind, binary = self._pairs[name]
        self._runs += 1
        directory = os.path.join(self._directory, str(self._runs))
        settings = {"Store.Driver": store} if kind is servers.OurServer else {}
        with servers.running(kind, binary, directory, self._server_cores, **settings) as server:
            branches = Branches(self._own, self._client_cores)
            result = self._run(client, server, branches, wire, mode)
        shutil.rmtree(directory)
        print(f"  {store:8} {wire} {mode:4} {name:27}: {result['tx_per_second']:8,.0f} per second, "
              f"{result['client_cpu_us']:7,.1f} us of client CPU, "
              f"{result['server_cpu_us']:7,.1f} of coordinator CPU", file=sys.stderr, flush=True)
        return result

    def _run(self, client, server, branches, wire, mode):
        seconds = self._arguments.seconds
        dtm = (f"127.0.0.1:{server.grpc_port}" if wire == "grpc"
               else f"http://127.0.0.1:{server.http_port}/api/dtmsvr")
        prefix = f"{wire}-{mode}-"
        load = Program([client, "-mode", mode, "-wire", wire, "-dtm", dtm,
                        "-branches", branches.address[wire], "-prefix", prefix,
                        "-in-flight", str(self._arguments.in_flight), "-seconds", str(seconds),
                        "-warm-up", str(self._arguments.warm_up)], self._client_cores)
        load.words_after("begin")
        before = time.monotonic(), cpu_s(load.pid), cpu_s(server.pid)
        count = int(load.words_after("end")[0])
        after = time.monotonic(), cpu_s(load.pid), cpu_s(server.pid)
        if count == 0:
            raise SystemExit(f"no transaction ended within {seconds:g} s")
        begun, *failure = load.words_after("done")
        check(server, branches, prefix, int(begun), failure)
        load.end()
        branches.end()
        elapsed, client_s, server_s = (late - early for early, late in zip(before, after))
        return {"tx_per_second": count / elapsed, "transactions": count,
                "client_cpu_us": client_s / count * 1e6, "server_cpu_us": server_s / count * 1e6}


def check(server, branches, prefix, begun, failure):
    """Every transaction was acknowledged, all called both branches, and one is stored so."""
    if failure:
        raise SystemExit(f"a transaction failed: {' '.join(failure)}")
    calls = branches.calls()
    if calls < 2 * begun:
        raise SystemExit(f"{begun} transactions called only {calls} branches")
    found = http_json("GET", f"http://127.0.0.1:{server.http_port}/api/dtmsvr/query?gid="
                             f"{prefix}{FIRST_NUMBER + 1}")
    if found["transaction"]["status"] != "succeed":
        raise SystemExit(f"not succeeded: {found}")


def median(results, sides):
    return statistics.median(sum(result[f"{side}_cpu_us"] for side in sides) for result in results)


def ratios(by_pair):
    """{reading: CPU of our client and coordinator as a multiple of that}, medians of one run."""
    ours = median(by_pair[OURS], BOTH)
    return {reading: ours / median(by_pair[pair], sides)
            for reading, pair, sides in READINGS if pair in by_pair}


def table(rows):
    """Markdown: one line for each store, wire, mode and pair."""
    lines = ["| store, wire, mode | client, coordinator | transactions per second "
             "| client CPU, us | coordinator CPU, us | both, us |",
             "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        for name, results in row["pairs"].items():
            rate = statistics.median(result["tx_per_second"] for result in results)
            cells = [f"{median(results, sides):,.1f}"
                     for sides in (("client",), ("server",), BOTH)]
            lines.append(f"| {title(row)} | {name} | {rate:,.0f} | {' | '.join(cells)} |")
    lines += ["", "| CPU of concerto::client and concertod, as a multiple of | "
              + " | ".join(reading for reading, _, _ in READINGS) + " |",
              "| --- |" + " --- |" * len(READINGS)]
    for row in rows:
        found = ratios(row["pairs"])
        lines.append(f"| {title(row)} | " + " | ".join(
            f"{found[reading]:.2f}" if reading in found else "-"
            for reading, _, _ in READINGS) + " |")
    return "\n".join(lines) + "\n"


def make_row(store, wire, mode):
    return {"store": store, "wire": wire, "mode": mode, "pairs": {}}


def title(row):
    return f"{row['store']}, {row['wire']}, {row['mode']}"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    contest.add_reference_arguments(parser)
    contest.add_round_arguments(parser)
    parser.set_defaults(in_flight=64)
    for name, values in (("wires", "grpc,http"), ("modes", "saga,msg"),
                         ("stores", "leveldb,memory")):
        parser.add_argument(f"--{name}", default=values.split(","), help=f"some of {values}",
                            type=lambda text: text.split(","))
    return contest.parse_rounds(parser)


def main():
    arguments = parse_arguments()
    rows = [make_row(store, wire, mode) for store in arguments.stores
            for wire in arguments.wires for mode in arguments.modes]
    with contest.temporary_directory("clients", arguments.directory) as directory:
        clients = Clients(arguments, directory)
        for _ in range(arguments.rounds):
            for row in rows:
                work = row["store"], row["wire"], row["mode"]
                for name in clients.pairs(row["store"]):
                    row["pairs"].setdefault(name, []).append(clients.measure(name, *work))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"in_flight": arguments.in_flight, "rows": rows}, file, indent=1)
    print(f"{arguments.in_flight} in flight, {arguments.rounds} runs of {arguments.seconds:g} s "
          "each, medians\n")
    print(table(rows))


if __name__ == "__main__":
    main()
