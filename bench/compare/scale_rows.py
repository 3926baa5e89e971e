"""The rows of scale.py. Each row measures one thing at its size, and says whether the goal is
reached.

A row is a function of the lab. It returns its raw values and the lines of the table.
"""

import signal
import statistics
import time

import scale_lab
from scale_lab import RowFailed, say

MIB = 1 << 20

IN_FLIGHT_BYTES_MAX = 4096
IN_FLIGHT_RATE_MIN = 0.90
WAITING_BYTES_MAX = 128
WAITING_RATE_MIN = 0.95
FINISHED_RATE_MIN = 0.90
FINISHED_START_S_MAX = 2.0
UNFINISHED_PER_SECOND_MIN = 50_000
UNFINISHED_RATE_MIN = 0.50

# A channel to one address has at most 8 connections of 1,000 calls. So the slow branches are at as
# many addresses as necessary, each of them served by a load of its own.
CALLS_PER_ADDRESS = 6_250
SLOW_LIMIT_S = 120
LOAD_AROUND_S = 1.0  # the time of a load for warm-up, checks, start and end of the process
RATE_SECONDS_MIN = 0.3


def line(what, goal, measured, beside, ratio, reached):
    return {"what": what, "goal": goal, "measured": measured, "beside": beside, "ratio": ratio,
            "reached": reached}


def rate_line(what, least, rounds, beside):
    """`rounds`: the rates with the row's transactions and without them."""
    with_, without = ([r[name]["tx_per_second"] for r in rounds] for name in ("with", "without"))
    ratio = statistics.median(a / b for a, b in zip(with_, without))
    return line(what, f"at least {least:.0%} of that {beside}",
                f"{statistics.median(with_):,.0f} per second",
                f"{statistics.median(without):,.0f} {beside}", round(ratio, 3), ratio >= least)


# ---- in_flight

class SlowSagas:
    """Sagas on slow branches, submitted as fast as possible and without waiting."""

    def __init__(self, lab, server):
        count = lab.sizes.in_flight
        addresses = -(-count // CALLS_PER_ADDRESS)
        self._lab = lab
        self._server = server
        self._begun = time.monotonic()
        self._loads = [self._start(count // addresses + (i < count % addresses),
                                   scale_lab.IN_FLIGHT // addresses) for i in range(addresses)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for load in self._loads:
            load.kill()

    def _start(self, count, at_a_time):
        return self._lab.start_load(
            self._server, at_a_time, seconds=SLOW_LIMIT_S, warm_up=0,
            extra=["--no-wait", "--branch-delay", str(self._lab.sizes.branch_ms), "--transactions",
                   str(count), "--check", "none", "--drain", str(SLOW_LIMIT_S)])

    def wait_submitted(self):
        """The seconds that pass until all of them are in memory."""
        while self.seconds_left() > 0:
            in_memory = scale_lab.metric(self._server, "concerto_transactions_in_memory")
            if in_memory >= self._lab.sizes.in_flight:
                return time.monotonic() - self._begun
            time.sleep(0.1)  # asking costs the server something, too
        raise RowFailed(f"{in_memory:,.0f} were submitted before the first branch answered")

    def seconds_left(self):
        """The time until the first branch answers. Before that time the sagas cost only what they
        hold."""
        return self._lab.sizes.branch_ms / 1000 - (time.monotonic() - self._begun)

    def wait_done(self):
        """Fails unless all of them end as they must."""
        results = [self._lab.load_result(load, SLOW_LIMIT_S) for load in self._loads]
        return sum(result["acknowledged"] for result in results)


def in_flight_round(lab):
    """The rate without the slow sagas, with them, and without them again, on one fresh server."""
    with lab.server(RequestTimeout=30) as server:
        lab.rate(server)  # so that the server has allocated its buffers and caches
        before = lab.rate(server)
        empty = scale_lab.memory(server)
        with SlowSagas(lab, server) as slow:
            submit_s = slow.wait_submitted()
            full = scale_lab.memory(server)
            seconds = min(lab.sizes.seconds, slow.seconds_left() - LOAD_AROUND_S)
            if seconds < RATE_SECONDS_MIN:
                raise RowFailed(f"to submit them took {submit_s:.1f} s: no time is left for a rate")
            beside = lab.rate(server, seconds)
            if slow.seconds_left() < 0:
                raise RowFailed("the first slow branches answered before the end")
            acknowledged = slow.wait_done()
        after = lab.rate(server)
    each = (full["own"] - empty["own"]) / lab.sizes.in_flight
    say(f"{scale_lab.rate_text(beside)} beside {lab.sizes.in_flight:,} in flight; before: "
        f"{scale_lab.rate_text(before)}; after: {scale_lab.rate_text(after)}; "
        f"{each:,.0f} bytes each, submitted in {submit_s:.1f} s")
    mean = (before["tx_per_second"] + after["tx_per_second"]) / 2
    return {"with": beside, "before": before, "after": after, "without": {"tx_per_second": mean},
            "memory_empty": empty, "memory_full": full, "bytes_each": each,
            "submit_seconds": submit_s, "rate_seconds": seconds, "acknowledged": acknowledged}


def in_flight(lab):
    """Transactions whose calls run: the memory of one, and what they cost other transactions.

    The rate is that of the same load in both cases: sagas whose branches answer at once, with and
    without the slow sagas, none of whose branches answers meanwhile. Beginning and ending the slow
    sagas costs what it costs for any saga, and is measured in neither case.
    """
    count = lab.sizes.in_flight
    rounds = [in_flight_round(lab) for _ in range(min(3, lab.sizes.rounds))]
    each = statistics.median(r["bytes_each"] for r in rounds)
    empty = statistics.median(r["memory_empty"]["own"] for r in rounds)
    return {"count": count, "rounds": rounds}, [
        line(f"{count:,} in flight on branches of {lab.sizes.branch_ms / 1000:g} s: memory",
             f"at most {IN_FLIGHT_BYTES_MAX:,} bytes each", f"{each:,.0f} bytes each",
             f"{empty / MIB:,.0f} MiB without them", None, each <= IN_FLIGHT_BYTES_MAX),
        rate_line("the same: rate of other sagas", IN_FLIGHT_RATE_MIN, rounds, "without them"),
    ]


# ---- waiting

def memory_at_rest(lab, store):
    """The memory of a server that has recovered, and the time of the recovery.

    The server has had no load: the memory that the allocator keeps after a load varies by more than
    the difference that is measured here.
    """
    with lab.server(store) as server:
        recovered_s = lab.wait_recovered(server)
        found = scale_lab.settled_memory(server)
    say(f"recovered in {recovered_s:.1f} s, {found['own'] / MIB:,.1f} MiB of its own memory")
    return {**found, "recovered_seconds": recovered_s}


def waiting(lab):
    """Transactions that wait until a time far away, compared with as many finished ones.

    The memory is that of twice as many transactions less that of the given number: everything that
    does not grow with the number, such as LevelDB's tables in memory and the newest log, is in
    both.
    """
    count = lab.sizes.waiting
    whole, twice, none = (lab.fill(*what) for what in (
        ("waiting", count), ("waiting", 2 * count), ("finished", count)))
    found = {"whole": memory_at_rest(lab, whole), "twice": memory_at_rest(lab, twice),
             "none": memory_at_rest(lab, none)}
    each = (found["twice"]["own"] - found["whole"]["own"]) / count
    over_none = (found["whole"]["own"] - found["none"]["own"]) / count
    with lab.server(whole) as with_them, lab.server(none) as without:
        lab.wait_recovered(with_them)
        lab.wait_recovered(without)
        rounds = lab.compare_rates(with_them, without)
        alarms = scale_lab.metric(with_them, "concerto_alarms")
    if alarms != count:
        raise RowFailed(f"{alarms:,.0f} of {count:,} wait in the end")
    return {"count": count, "memory": found, "bytes_each": each, "bytes_each_over_none": over_none,
            "rounds": rounds}, [
        line(f"{count:,} waiting: memory", f"at most {WAITING_BYTES_MAX} bytes each",
             f"{each:,.0f} bytes each",
             f"{found['none']['own'] / MIB:,.0f} MiB with as many finished, "
             f"{found['whole']['own'] / MIB:,.0f} MiB with these",
             None, each <= WAITING_BYTES_MAX),
        rate_line("the same: rate of other sagas", WAITING_RATE_MIN, rounds, "without them"),
    ]


# ---- finished

def start_seconds(lab, store):
    with lab.server(store) as server:
        return lab.wait_ready(server)


def finished(lab):
    """Finished transactions in the store: how fast it starts and serves, compared with an empty
    store."""
    count = lab.sizes.finished
    store = lab.fill("finished", count)
    scale_lab.evict(store)
    cold = start_seconds(lab, store)  # after a clean stop; the next start is after a crash
    after_kill = start_seconds(lab, store)
    with lab.server(store) as full, lab.server() as empty:
        lab.wait_ready(full)
        empty_s = lab.wait_ready(empty)
        rounds = lab.compare_rates(full, empty)
        own = scale_lab.memory(full)
    with lab.server(store) as server:
        after_load = lab.wait_ready(server)
    slowest = max(cold, after_kill, after_load)
    say(f"ready after {cold:.2f} s with nothing in the page cache, {after_kill:.2f} s after a "
        f"kill, {after_load:.2f} s after load and a kill")
    return {"count": count, "start_cold_seconds": cold, "start_after_kill_seconds": after_kill,
            "start_after_load_seconds": after_load, "start_empty_seconds": empty_s,
            "memory": own, "rounds": rounds}, [
        rate_line(f"{count:,} finished in the store: rate of sagas", FINISHED_RATE_MIN, rounds,
                  "with an empty store"),
        line("the same: start of the process until it is ready, slowest of three",
             f"within {FINISHED_START_S_MAX:g} s", f"{slowest:.2f} s",
             f"{empty_s:.2f} s with an empty store", None, slowest <= FINISHED_START_S_MAX),
    ]


# ---- unfinished

def seconds_of_recovery(per_second, length_s):
    """The rates of the seconds that lie within the recovery, and of the first second in any case.
    """
    inside = [row for row in per_second if row["end"] <= length_s]
    return [row["tx_per_second"] for row in inside or per_second[:1]]


def recover_under_load(lab, store):
    """New sagas come from the time at which the server listens until it has recovered."""
    with lab.server(store) as server:
        load = lab.start_load(server, seconds=SLOW_LIMIT_S, warm_up=0)
        try:
            recovered_s = lab.wait_recovered(server)
            time.sleep(min(1.0, lab.sizes.seconds))  # so that a second of the load has ended
        finally:
            load.send_signal(signal.SIGINT)
        beside = lab.load_result(load, SLOW_LIMIT_S)
        usual = lab.rate(server)
        alarms = scale_lab.metric(server, "concerto_alarms")
    return {"listens_seconds": server.listens_s, "recovered_seconds": recovered_s,
            "per_second": beside["per_second"], "usual_rate": usual, "alarms": alarms}


def unfinished(lab):
    """Half of them wait after a call, half are prepared. A start sets an alarm for each."""
    count = lab.sizes.unfinished
    store = lab.fill("unfinished", count)
    with lab.server(store) as server:
        alone_s = lab.wait_recovered(server)
    found = recover_under_load(lab, store)
    if found["alarms"] != count:
        raise RowFailed(f"{found['alarms']:,.0f} of {count:,} have an alarm")
    speed = count / found["recovered_seconds"]
    during = seconds_of_recovery(found["per_second"],
                                 found["recovered_seconds"] - found["listens_seconds"])
    usual = found["usual_rate"]["tx_per_second"]
    share = min(during) / usual
    say(f"listens after {found['listens_seconds']:.1f} s, recovered after "
        f"{found['recovered_seconds']:.1f} s ({alone_s:.1f} s without load); meanwhile "
        f"{', '.join(f'{rate:,.0f}' for rate in during)} sagas per second")
    return {"count": count, "alone_seconds": alone_s, "rates_during": during, **found}, [
        line(f"{count:,} unfinished at the start: until all have their timers, beside a load",
             f"at least {UNFINISHED_PER_SECOND_MIN:,} per second", f"{speed:,.0f} per second",
             f"{count / alone_s:,.0f} per second without a load",
             round(speed * alone_s / count, 3), speed >= UNFINISHED_PER_SECOND_MIN),
        line("the same: rate of new sagas, slowest second meanwhile",
             f"at least {UNFINISHED_RATE_MIN:.0%} of afterwards", f"{min(during):,.0f} per second",
             f"{usual:,.0f} afterwards", round(share, 3),
             share >= UNFINISHED_RATE_MIN),
    ]


ROWS = {"in_flight": in_flight, "waiting": waiting, "finished": finished,
        "unfinished": unfinished}
