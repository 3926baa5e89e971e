#!/usr/bin/env python3
"""Sagas on one PostgreSQL, MariaDB or Redis, by the reference, by one concertod and by three.

Two-branch sagas with wait_result, 128 in flight, over gRPC. The script starts each database itself,
in a directory of its own; with --synced the database syncs the disk for each commit. All
coordinators use this one in turn, and each finds it empty. The load itself serves the branches. CPU
is that of the processes from /proc, of the coordinators and of the database apart.
"""

import concurrent.futures
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import measure  # noqa: E402
import shared_stores  # noqa: E402
from servers import CONCERTOD, REFERENCE  # noqa: E402

THREE = "three concertod"
FAILURES_MAX = 1_000_000
NAMES = (CONCERTOD, REFERENCE, THREE)


def start_loads(arguments, servers, prefix):
    """The load's results, one for each server. All begin at the same time and share the number in
    flight."""
    each = max(1, arguments.in_flight // len(servers))
    cores = os.sched_getaffinity(0)

    def one(numbered):
        number, server = numbered
        return load_once(arguments, server, cores, each, f"{prefix}-{number}")

    with concurrent.futures.ThreadPoolExecutor(len(servers)) as threads:
        return list(threads.map(one, enumerate(servers)))


def load_once(arguments, server, cores, in_flight, prefix):
    """What one load reports. Failed requests are counted, and do not end the comparison."""
    process = measure.start_load(os.path.join(arguments.bin, "concerto-load"), server, cores,
                                 arguments.wire, in_flight, arguments.seconds, arguments.warm_up,
                                 prefix, options=["--max-failures", str(FAILURES_MAX)])
    try:
        out, errors = process.communicate(
            timeout=arguments.seconds + arguments.warm_up + measure.LOAD_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise SystemExit(f"the load on {server.name} does not end") from None
    if not out.startswith("{"):
        raise SystemExit(f"the load on {server.name} failed: {errors.strip()}\n{out[:2000]}")
    return json.loads(out)


def measure_once(arguments, store, name, prefix):
    """One run: rate, CPU of coordinators and database for each transaction, failed requests."""
    count = 3 if name == THREE else 1
    with shared_stores.running(arguments, store, name, count) as servers:
        before = [server.cpu_s() for server in servers], store.cpu_s()
        found = start_loads(arguments, servers, prefix)
        ours = sum(server.cpu_s() for server in servers) - sum(before[0])
        database = store.cpu_s() - before[1]
    all_of_them = sum(r["transactions"] + r["warm_up_transactions"] for r in found)
    result = {
        "tx_per_second": sum(r["tx_per_second"] for r in found),
        "p50_us": max(r["p50_us"] for r in found),
        "p99_us": max(r["p99_us"] for r in found),
        "failed": sum(failed_of(r) for r in found),
        # The start and the end of a server are outside, and the warm-up is inside of both.
        "server_cpu_us": ours / max(all_of_them, 1) * 1e6,
        "database_cpu_us": database / max(all_of_them, 1) * 1e6,
    }
    print(f"  {store.name:10} {name:16} {result['tx_per_second']:8,.0f} per second, "
          f"{result['server_cpu_us']:7,.1f} us of coordinator CPU, "
          f"{result['database_cpu_us']:7,.1f} us of database CPU, p50 "
          f"{result['p50_us'] / 1000:.2f} ms, {result['failed']} failed",
          file=sys.stderr, flush=True)
    return result


def failed_of(result):
    """Requests without the answer of a transaction that ended well."""
    return result["failures"] + result["wrong"]


def median(results, field):
    return statistics.median(result[field] for result in results) if results else None


def cell(value, style):
    return style.format(value) if value is not None else "-"


def ratio(ours, theirs):
    return f"{ours / theirs:,.1f}x" if ours and theirs else "-"


def table(rows):
    """Markdown: one line for each store and coordinator, medians."""
    lines = ["| store | coordinator | sagas per second | of the reference's | coordinator CPU, us "
             "| the reference's is | database CPU, us | p50, ms | p99, ms | failed requests |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for store, by_name in rows.items():
        reference = by_name.get(REFERENCE, [])
        for name in NAMES:
            results = by_name.get(name, [])
            if not results:
                continue
            rate, cpu = median(results, "tx_per_second"), median(results, "server_cpu_us")
            lines.append("| " + " | ".join([
                store, name, cell(rate, "{:,.0f}"),
                ratio(rate, median(reference, "tx_per_second")),
                cell(cpu, "{:,.1f}"), ratio(median(reference, "server_cpu_us"), cpu),
                cell(median(results, "database_cpu_us"), "{:,.1f}"),
                cell(median(results, "p50_us") / 1000, "{:.2f}"),
                cell(median(results, "p99_us") / 1000, "{:.2f}"),
                str(sum(result["failed"] for result in results))]) + " |")
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    contest.add_reference_arguments(parser)
    contest.add_round_arguments(parser)
    parser.add_argument("--wire", choices=["grpc", "http"], default="grpc")
    shared_stores.add_argument(parser)
    parser.add_argument("--synced", action="store_true", help="databases sync each commit")
    parser.add_argument("--without-three", action="store_true", help="leave three coordinators out")
    arguments = contest.parse_rounds(parser)
    return arguments


def main():
    arguments = parse_arguments()
    names = [CONCERTOD]
    if arguments.only != CONCERTOD:
        names.append(REFERENCE)
        arguments.reference = arguments.reference or contest.build_reference(
            os.path.join(arguments.bin, "reference"))
    if not arguments.without_three:
        names.append(THREE)
    rows = {}
    with contest.temporary_directory("shared", arguments.directory) as directory:
        for kind in arguments.stores:
            with shared_stores.KINDS[kind](os.path.join(directory, kind),
                                           arguments.synced) as store:
                for number in range(arguments.rounds):
                    for name in names:
                        result = measure_once(arguments, store, name, f"{kind}-{number}")
                        rows.setdefault(store.name, {}).setdefault(name, []).append(result)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"wire": arguments.wire, "in_flight": arguments.in_flight, "rows": rows},
                      file, indent=1)
    print(f"{arguments.wire}, {arguments.in_flight} in flight, {arguments.rounds} runs of "
          f"{arguments.seconds:g} s each, medians\n")
    print(table(rows))


if __name__ == "__main__":
    main()
