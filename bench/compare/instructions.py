#!/usr/bin/env python3
"""Instructions of the whole server per saga, the code that takes them, system calls and switches.

    bench/compare/instructions.py --bin build/bench/bin                      # the three cases
    bench/compare/instructions.py --bin build/bench/bin --cases http/1 --functions 25
    bench/compare/instructions.py --bin build/bench/bin --cases grpc/1,grpc+tls/1   # what TLS takes

A case is a wire and a number of shards. With `+tls` clients and branches use TLS. The server runs
under callgrind, once with few sagas and once with more. The difference, divided by the difference
of the numbers, leaves out start and end. System calls and context switches are those of another run
without valgrind. The instructions do not depend on the machine, except for the number of
transactions that meet in one group: under valgrind the server is slower in relation to its disk.
Needs valgrind.
"""

import collections
import json
import os
import ssl
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import callgrind  # noqa: E402  (the path has to be set first)
import contest  # noqa: E402
import measure  # noqa: E402
import servers  # noqa: E402
import system_calls  # noqa: E402
from concerto_testing import need_program  # noqa: E402

END_LIMIT_S = 60
LOAD_SECONDS_MAX = 600
KEPT_FUNCTIONS = 40
PRODUCT = "concerto::"
WITH_TLS = "+tls"


class Instructions:
    def __init__(self, arguments, directory):
        self._arguments = arguments
        self._directory = directory
        self._crt, self._key = f"{directory}/tls.crt", f"{directory}/tls.key"
        self._server_cores, self._load_cores = servers.cores_for_server_and_load()
        servers.certify(directory)
        self._runs = 0

    def case(self, wire, shards):
        few, many = self._arguments.few, self._arguments.many
        fewer, more = (self._profile(wire, shards, count) for count in (few, many))
        each = more.per_unit(fewer, many - few)
        found = {"wire": wire, "shards": shards, "few": few, "many": many,
                 "instructions": each.total(), "objects": shares(each.by_object()),
                 "areas": shares(by_area(each.own)), "functions": functions(each.own),
                 "inclusive": functions(each.with_calls, PRODUCT), **self._native(wire, shards)}
        print(f"  {wire}, {shards} shards: {found['instructions']:,.0f} instructions, "
              f"{sum(found['system_calls'].values()):.2f} system calls and "
              f"{found['context_switches']:.3f} switches per saga", file=sys.stderr, flush=True)
        return found

    def _profile(self, wire, shards, transactions):
        output = os.path.join(self._directory, "callgrind.out")
        under = ("valgrind", "--tool=callgrind", "--fair-sched=yes",
                 f"--callgrind-out-file={output}")
        with self._server(wire, shards, self._server_cores, under=under) as server:
            self._load(server, wire, transactions)
            if server.terminate(END_LIMIT_S) != 0:
                raise SystemExit("the server under callgrind did not end well")
        return callgrind.Profile(output)

    def _native(self, wire, shards):
        """Per saga: {"system_calls": {name: count}, "context_switches": count}."""
        cores = self._server_cores | (self._load_cores if shards > 1 else set())
        with self._server(wire, shards, cores) as server:
            before = system_calls.context_switches(server.pid)
            plain = self._load(server, wire, self._arguments.native)
            switches = system_calls.context_switches(server.pid) - before
            counter = system_calls.Counter(server.pid,
                                           os.path.join(self._directory, "system-calls"))
            with counter.counting():
                counted = self._load(server, wire, self._arguments.native, counter.under)
        return {"system_calls": {name: count / counted["acknowledged"]
                                 for name, count in counter.calls.items()},
                "system_calls_tool": counter.tool, "server_cpu_us": plain["server_cpu_us"],
                "context_switches": switches / plain["acknowledged"]}

    def _server(self, wire, shards, cores, **more):
        binary = os.path.join(self._arguments.bin, "concertod")
        place = os.path.join(self._directory, f"server-{self._runs}")
        if wire.endswith(WITH_TLS):
            more["context"] = ssl.create_default_context(cafile=self._crt)
            more.update({"Tls.CertFile": self._crt, "Tls.KeyFile": self._key,
                         "BranchTls.CaFile": self._crt, "BranchTls.GrpcTargets": "*"})
        return servers.running(servers.OurServer, binary, place, cores, Shards=shards, **more)

    def _load(self, server, wire, transactions, under=()):
        self._runs += 1
        program = os.path.join(self._arguments.bin, "concerto-load")
        options = ["--transactions", str(transactions), "--check", "none"]
        if wire.endswith(WITH_TLS):
            options += ["--tls", "--ca", self._crt, "--branch-cert", self._crt,
                        "--branch-key", self._key]
        return measure.load(program, server, self._load_cores, wire.removesuffix(WITH_TLS),
                            self._arguments.in_flight, LOAD_SECONDS_MAX, 0, f"count-{self._runs}",
                            under=under, options=options)


def shares(objects):
    return [[name, count] for name, count in objects.most_common() if round(count) > 0]


def by_area(counts):
    areas = collections.Counter()
    for (ob, name), count in counts.items():
        areas[callgrind.area(ob, callgrind.short_name(name))] += count
    return areas


def functions(counts, prefix=""):
    """The most expensive functions. Functions that differ only in the arguments of templates are
    one row."""
    found = {}
    for (ob, name), count in counts.items():
        key = (ob, callgrind.short_name(name))
        if key[1].startswith(prefix):
            found[key] = found.get(key, 0) + count
    ordered = sorted(found.items(), key=lambda row: -row[1])
    return [[*key, count] for key, count in ordered[:KEPT_FUNCTIONS]]


def breakdown(case, count):
    """Markdown: where the instructions of a case go."""
    total = case["instructions"]
    lines = [f"**{case['wire']}, {case['shards']} shard(s): {total:,.0f} instructions per saga**"]
    for title, rows in (("object", case["objects"]), ("part", case["areas"])):
        lines += ["", f"| {title} | instructions | share |", "| --- | --- | --- |"]
        lines += [f"| {name} | {own:,.0f} | {own / total:.1%} |"
                  for name, own in rows if own >= total / 1000]
    for title, rows in (("function, without those it calls", case["functions"]),
                        ("function of ours, with those it calls", case["inclusive"])):
        lines += ["", f"| {title} | object | instructions | share |", "| --- | --- | --- | --- |"]
        lines += [f"| `{name}` | {ob} | {own:,.0f} | {own / total:.1%} |"
                  for ob, name, own in rows[:count]]
    return "\n".join(lines) + "\n"


def summary(cases):
    """Markdown: one line per case."""
    lines = ["| wire | shards | instructions | system calls | context switches | system calls by "
             "name |", "| --- | --- | --- | --- | --- | --- |"]
    for case in cases:
        calls = sorted(case["system_calls"].items(), key=lambda row: -row[1])
        named = ", ".join(f"{name} {count:.2f}" for name, count in calls if count >= 0.005)
        total = f"{sum(case['system_calls'].values()):.2f}" if calls else "not measured"
        lines.append(f"| {case['wire']} | {case['shards']} | {case['instructions']:,.0f} | {total} "
                     f"| {case['context_switches']:.3f} | {named} |")
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    parser.add_argument("--cases", default="grpc/1,grpc/2,http/1", help="wire/shards, ...")
    parser.add_argument("--few", type=int, default=5000, help="sagas of the shorter run")
    parser.add_argument("--many", type=int, default=20000, help="sagas of the longer run")
    parser.add_argument("--native", type=int, default=50000, help="sagas without valgrind")
    parser.add_argument("--in-flight", type=int, default=128)
    parser.add_argument("--functions", type=int, default=15, help="rows of each kind shown")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.few, arguments.many, arguments.native = 2000, 6000, 20000
    if arguments.tiny:
        arguments.few, arguments.many, arguments.native = 100, 200, 500
        arguments.cases = "grpc/1"
    return arguments


def main():
    arguments = parse_arguments()
    need_program("valgrind", "valgrind")
    with contest.temporary_directory("instructions", arguments.directory) as directory:
        counting = Instructions(arguments, directory)
        cases = [counting.case(wire, int(shards)) for wire, shards in
                 (case.split("/") for case in arguments.cases.split(","))]
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(cases, file, indent=1)
    print(summary(cases))
    for case in cases:
        print(breakdown(case, arguments.functions))


if __name__ == "__main__":
    main()
