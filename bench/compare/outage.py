#!/usr/bin/env python3
"""How long after an outage of its database a coordinator is back at its rate, and what it lost.

Two-branch sagas with wait_result by one concertod on PostgreSQL, MariaDB or Redis, which the script
starts itself. Under load the database is killed, stays away, and is started again. Times count from
the first answer that the database gives to a ping of the script: until the coordinator says that
its store serves, and until the end of the first second in which the rate was at least 90 % of the
rate before. At the end the load asks for every saga that was acknowledged.
"""

import bisect
import collections
import dataclasses
import json
import os
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import measure  # noqa: E402
import shared_stores  # noqa: E402
from concerto_testing import http_call  # noqa: E402
from servers import CONCERTOD  # noqa: E402

ENDED = 'concerto_transactions_ended_total{model="saga",status="succeed"}'
SERVES = 'concerto_store_state{state="serving"}'
SAMPLE_S = 0.25
PING_S = 0.02
WINDOW_S = 1.0
BACK_MAX_S = 60.0
CHECK_MAX_S = 300.0
UNLIMITED_S = 3600
FAILURES_MAX = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Sample:
    """What the coordinator said at a time of time.monotonic."""

    at: float
    ended: float
    serves: bool


def rate(first, last):
    return (last.ended - first.ended) / (last.at - first.at)


def rate_between(samples, begin, end):
    """Sagas per second between the first and the last sample of this time."""
    inside = [sample for sample in samples if begin <= sample.at <= end]
    if len(inside) < 2:
        raise SystemExit("the coordinator shows its metrics too rarely")
    return rate(inside[0], inside[-1])


def full_again(samples, since, full):
    """The end of the first second after `since` with the full rate; None if there was none."""
    times = [sample.at for sample in samples]
    for number in range(bisect.bisect_left(times, since), len(samples)):
        end = bisect.bisect_left(times, times[number] + WINDOW_S)
        if end < len(samples) and rate(samples[number], samples[end]) >= full:
            return times[end]
    return None


class Sampler:
    """Reads the coordinator's metrics at even times, in a thread, inside of a `with` block."""

    def __init__(self, http_port):
        self._url = f"http://127.0.0.1:{http_port}/api/metrics"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._samples = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    @property
    def samples(self):
        return list(self._samples)

    def _run(self):
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            page = http_call("GET", self._url).body.decode()
            values = dict(line.rsplit(" ", 1) for line in page.splitlines() if line[:1] != "#")
            self._samples.append(Sample(time.monotonic(), float(values[ENDED]),
                                        float(values[SERVES]) == 1.0))
            due = max(due + SAMPLE_S, time.monotonic())


def start_again(store):
    """Starts the database. Returns when it was started, and when it answered for the first time."""
    answered = []

    def ping():
        while not store.answers():
            time.sleep(PING_S)
        answered.append(time.monotonic())

    # The database would end with the thread that starts it.
    pinging = threading.Thread(target=ping, daemon=True)
    started = time.monotonic()
    pinging.start()
    store.server.start()
    pinging.join()
    return started, answered[0]


def wait_for_rate(sampler, since, full):
    while time.monotonic() < since + BACK_MAX_S:
        again = full_again(sampler.samples, since, full)
        if again:
            return again
        time.sleep(SAMPLE_S)
    return None


def end_load(process, store):
    """The load ends early, and then makes its checks."""
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=CHECK_MAX_S)
    if not out.startswith("{"):
        raise SystemExit(f"the load on {store.name} failed: {errors.strip()}\n{out[:2000]}")
    return json.loads(out)


def measure_once(arguments, store, prefix):
    cores = os.sched_getaffinity(0)
    program = os.path.join(arguments.bin, "concerto-load")
    with shared_stores.running(arguments, store, CONCERTOD, 1) as [server]:
        process = measure.start_load(
            program, server, cores, arguments.wire, arguments.in_flight, UNLIMITED_S,
            arguments.warm_up, prefix,
            options=["--max-failures", str(FAILURES_MAX), "--check", "all"])
        try:
            with Sampler(server.http_port) as sampler:
                times = make_outage(arguments, store, sampler)
            result = end_load(process, store)
        finally:
            process.kill()
    return judge(sampler.samples, times, result)


@dataclasses.dataclass
class Times:
    """Of one outage, on time.monotonic."""

    full_since: float
    killed: float
    started: float
    answered: float
    full_again: float | None
    ended: float


def make_outage(arguments, store, sampler):
    time.sleep(arguments.warm_up + WINDOW_S)
    full_since = time.monotonic()
    time.sleep(arguments.seconds)
    killed = time.monotonic()
    before = rate_between(sampler.samples, full_since, killed)
    store.server.kill()
    time.sleep(arguments.away)
    started, answered = start_again(store)
    again = wait_for_rate(sampler, answered, arguments.share * before)
    time.sleep(arguments.seconds)
    return Times(full_since, killed, started, answered, again, time.monotonic())


def judge(samples, times, result):
    codes = collections.Counter()
    for kind in result["failure_kinds"]:
        codes[kind["text"].partition(":")[0]] += kind["count"]
    serves = next((one.at for one in samples if one.at >= times.answered and one.serves), None)
    return {
        "before_per_second": rate_between(samples, times.full_since, times.killed),
        "start_s": times.answered - times.started,
        "serves_s": serves and serves - times.answered,
        "full_s": times.full_again and times.full_again - times.answered,
        "after_per_second": times.full_again and
        rate_between(samples, times.full_again, times.ended),
        "failed": dict(codes),
        "failure_kinds": result["failure_kinds"],
        "acknowledged": result["acknowledged"],
        "queried": result["queried"],
        "wrong": result["wrong"],
        "findings": result["findings"],
        "repeated_calls": result["repeated_calls"],
        "samples": [[one.at - times.answered, one.ended, one.serves] for one in samples],
    }


def lost(result):
    """How many acknowledged sagas are not stored as they should be, or were not found out about."""
    return result["wrong"] + result["acknowledged"] - result["queried"]


def cell(value, style):
    return "-" if value is None else style.format(value)


def table(rows, share):
    """Markdown: one line for each outage."""
    lines = ["| store | sagas per second before | database answers after its start, s "
             f"| store serves after that, s | {share:.0%} of the rate after that, s "
             "| sagas per second then | failed requests | acknowledged | of these lost |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, results in rows.items():
        for result in results:
            failed = ", ".join(f"{count:,} {code}" for code, count in result["failed"].items())
            lines.append("| " + " | ".join([
                name, f"{result['before_per_second']:,.0f}", f"{result['start_s']:.2f}",
                cell(result["serves_s"], "{:.2f}"), cell(result["full_s"], "{:.2f}"),
                cell(result["after_per_second"], "{:,.0f}"),
                failed or "none", f"{result['acknowledged']:,}", f"{lost(result):,}"]) + " |")
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    contest.add_round_arguments(parser)
    parser.add_argument("--wire", choices=["grpc", "http"], default="grpc")
    shared_stores.add_argument(parser)
    parser.add_argument("--synced", action="store_true", help="databases sync each commit")
    parser.add_argument("--away", type=float, default=5,
                        help="seconds from the kill of the database to its start")
    parser.add_argument("--share", type=float, default=0.9,
                        help="of the rate before, from which on the rate is back")
    arguments = contest.parse_rounds(parser)
    if arguments.tiny:
        arguments.stores, arguments.away, arguments.seconds = ["redis"], 0.5, 0.6
        arguments.share = 0.1  # whatever else the machine does
    return arguments


def main():
    arguments = parse_arguments()
    rows = {}
    with contest.temporary_directory("outage", arguments.directory) as directory:
        for kind in arguments.stores:
            with shared_stores.KINDS[kind](os.path.join(directory, kind),
                                           arguments.synced) as store:
                for number in range(arguments.rounds):
                    result = measure_once(arguments, store, f"{kind}-{number}")
                    rows.setdefault(store.name, []).append(result)
                    print(f"  {store.name:10} serves {cell(result['serves_s'], '{:.2f}')} s and is "
                          f"at its rate {cell(result['full_s'], '{:.2f}')} s after the database; "
                          f"{result['repeated_calls']} repeated calls", file=sys.stderr, flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"wire": arguments.wire, "in_flight": arguments.in_flight,
                       "away_s": arguments.away, "share": arguments.share, "rows": rows}, file,
                      indent=1)
    print(f"{arguments.wire}, {arguments.in_flight} in flight, database killed and away for "
          f"{arguments.away:g} s\n")
    print(table(rows, arguments.share))
    results = [result for found in rows.values() for result in found]
    findings = [finding for result in results for finding in result["findings"]]
    if any(map(lost, results)):
        raise SystemExit(f"acknowledged sagas were lost, such as {findings[:3]}")
    if not all(result["full_s"] for result in results):
        raise SystemExit(f"the rate did not come back within {BACK_MAX_S:g} s")


if __name__ == "__main__":
    main()
