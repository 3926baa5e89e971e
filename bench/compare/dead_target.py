#!/usr/bin/env python3
"""What a service that never answers costs other services: p99 with and without it, in one run.

Sagas for a healthy bank begin at an even rate. In one of the two halves of each round, a number of
other sagas wait for a service that accepts connections and never answers (half of them over HTTP,
half over gRPC). Their calls are made again and again: the interval is one second, and a call may
take three.
"""

import json
import os
import selectors
import shutil
import socket
import statistics
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import measure  # noqa: E402
import servers  # noqa: E402
from concerto_testing import http_call, http_json, wait_until  # noqa: E402

SETTINGS = {"RetryInterval": 1, "BackoffMax": 1, "RequestTimeout": 3}


class DeadService:
    """Accepts connections, reads what comes, and never answers."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.accepted = 0
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def port(self):
        return self._listener.getsockname()[1]

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    connection, _ = self._listener.accept()
                    self.accepted += 1
                    self._selector.register(connection, selectors.EVENT_READ)
                elif not key.fileobj.recv(65536):
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()


def submit_dead(server, port, count):
    """Sagas whose first action goes to the dead service."""
    for i in range(count):
        wire = ("http", "grpc")[i % 2]
        host = f"127.0.0.1:{port}"
        url = {"http": f"http://{host}/dead", "grpc": f"{host}/dead.Service/Call"}[wire]
        http_json("POST", f"http://127.0.0.1:{server.http_port}/api/dtmsvr/submit", {
            "gid": f"dead-{i}", "trans_type": "saga", "protocol": wire, "payloads": ["p"],
            "steps": [{"action": url, "compensate": ""}]})


def metric(server, name):
    text = http_call("GET", f"http://127.0.0.1:{server.http_port}/api/metrics").body
    if isinstance(text, bytes):
        text = text.decode()
    for line in text.splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise SystemExit(f"no metric {name}")


class Comparison:
    """Each measurement has a server of its own, so that the store is in the same state at each."""

    def __init__(self, arguments, directory, dead):
        self._arguments = arguments
        self._directory = directory
        self._dead = dead
        self._server_cores, self._load_cores = servers.cores_for_server_and_load()

    def run_round(self, number):
        found = {}
        for half in ("alone", "beside") if number % 2 == 0 else ("beside", "alone"):
            found[half] = self._measure(number, half)
        return found

    def _measure(self, number, half):
        binary = os.path.join(self._arguments.bin, "concertod")
        place = os.path.join(self._directory, f"{number}-{half}")
        with servers.running(servers.OurServer, binary, place, self._server_cores,
                             **SETTINGS) as server:
            if half == "beside":
                self._add_dead(server)
            found = self._load(server, f"{number}-{half}")
            if half == "beside":
                self._check_dead(server)
        shutil.rmtree(place)
        print(f"  round {number} {half:7} {found['tx_per_second']:7,.0f} per second, "
              f"p50 {found['p50_us'] / 1000:.2f} ms, p99 {found['p99_us'] / 1000:.2f} ms, "
              f"server CPU {found['server_cpu_us']:.1f} us", file=sys.stderr, flush=True)
        return found

    def _load(self, server, prefix):
        program = os.path.join(self._arguments.bin, "concerto-load")
        return measure.load(program, server, self._load_cores, self._arguments.wire, 1,
                            self._arguments.seconds, 1, prefix, self._arguments.rate)

    def _add_dead(self, server):
        before = self._dead.accepted
        submit_dead(server, self._dead.port, self._arguments.waiting)
        wait_until(lambda: self._dead.accepted > before, "the dead service is called", 10)
        wait_until(lambda: metric(server, "concerto_transactions_queued") > 0,
                   "some are queued", 30)

    def _check_dead(self, server):
        left = metric(server, 'concerto_transactions_unfinished{model="saga"}')
        if left != self._arguments.waiting:
            raise SystemExit(f"{left:.0f} of {self._arguments.waiting} wait for the dead service "
                             "in the end")


def ratios(rounds, name):
    """The ratio of each round: beside waiting sagas to alone."""
    return [found["beside"][name] / found["alone"][name] for found in rounds]


def table(rounds, waiting):
    """Markdown: medians over the rounds."""
    lines = [f"| | alone | beside {waiting:,} that wait for a dead service | ratio |",
             "| --- | --- | --- | --- |"]
    for name, unit in (("p50_us", "p50"), ("p99_us", "p99"), ("server_cpu_us", "server CPU")):
        alone, beside = ([found[half][name] for found in rounds] for half in ("alone", "beside"))
        found = ratios(rounds, name)
        lines.append(f"| {unit}, us | {statistics.median(alone):,.0f} "
                     f"| {statistics.median(beside):,.0f} "
                     f"| {statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f}) |")
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    parser.add_argument("--wire", choices=["grpc", "http"], default="grpc")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="of each half of a round")
    parser.add_argument("--rate", type=int, default=1000, help="healthy sagas per second")
    parser.add_argument("--waiting", type=int, default=1000, help="sagas for the dead service")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 2, 4
    if arguments.tiny:
        arguments.rounds, arguments.seconds, arguments.waiting = 1, 0.5, 100
    return arguments


def main():
    arguments = parse_arguments()
    with contest.temporary_directory("dead-target", arguments.directory) as directory:
        comparison = Comparison(arguments, directory, DeadService())
        rounds = [comparison.run_round(i) for i in range(arguments.rounds)]
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"waiting": arguments.waiting, "rounds": rounds}, file, indent=1)
    print(table(rounds, arguments.waiting))


if __name__ == "__main__":
    main()
