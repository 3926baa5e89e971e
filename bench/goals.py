"""The goals as rows of a table: the goal, what was measured, and what the peer does.

A row of which a part was not measured says so, and its goal counts as not reached.
"""

import dataclasses

import clients
import dead_target
import half_rate
import measure
import modes
from results import CONCURRENT, median, median_of, quotient
from servers import CONCERTOD, REFERENCE

NOT_RUN = "not run"
# Above this share the load has no CPU left, so the rate is the load's and not the server's.
LOAD_BUSY_MAX = 0.95
SUSTAINED_S = 60


@dataclasses.dataclass
class Row:
    what: str
    goal: str
    measured: str = NOT_RUN
    peer: str = "-"
    better_by: str = "-"
    reached: bool | None = None  # None: no goal, only a number

    def cells(self):
        if self.measured == NOT_RUN:
            verdict = NOT_RUN
        else:
            verdict = {None: "-", True: "reached", False: "**missed**"}[self.reached]
        return (self.what, self.goal, self.measured, self.peer, self.better_by, verdict)


def us(value):
    return NOT_RUN if value is None else f"{value:,.1f} us"


def number(value):
    return NOT_RUN if value is None else f"{value:,.0f}"


def times(value):
    return "-" if value is None else f"{value:,.2f}x" if value < 10 else f"{value:,.1f}x"


def at_most(value, limit):
    return value is not None and value <= limit


def at_least(value, limit):
    return value is not None and value >= limit


def saga_goals(results):
    for wire, name, cpu_limit, factor in (("grpc", "gRPC", 30, 100), ("http", "HTTP/1.1", 90, 50)):
        yield _sustained(results, wire, name, cpu_limit)
        yield _rate(results, wire, name, factor)


def _sustained(results, wire, name, limit):
    ours, theirs = (results.load(wire, CONCURRENT, server, "sustained")
                    for server in (CONCERTOD, REFERENCE))
    cpu, their_cpu = (median(runs, "server_cpu_us") for runs in (ours, theirs))
    row = Row(f"saga over {name}, {CONCURRENT} in flight: server CPU per transaction",
              f"at most {limit} us over {SUSTAINED_S} s", us(cpu), us(their_cpu),
              times(quotient(their_cpu, cpu)), at_most(cpu, limit))
    if ours and ours[0]["seconds"] < SUSTAINED_S:
        row.measured += f" over {ours[0]['seconds']:.0f} s"
        row.reached = None  # flushes and compactions may still come
    return row


def _rate(results, wire, name, limit):
    """Compares rates. If the load has no CPU left, compares CPU, because the server could do more
    than its rate shows."""
    ours, theirs = (results.load(wire, CONCURRENT, server) for server in (CONCERTOD, REFERENCE))
    rates = [median(runs, "tx_per_second") for runs in (ours, theirs)]
    cpus = [median(runs, "server_cpu_us") for runs in (ours, theirs)]
    row = Row(f"saga over {name}, {CONCURRENT} in flight: transactions per second",
              f"at least {limit}x the reference")
    by_rate, by_cpu = quotient(*rates), quotient(cpus[1], cpus[0])
    if by_rate is None or by_cpu is None:
        return row
    load, server = (median_of(measure.busy(run, side) for run in ours)
                    for side in ("client", "server"))
    saturated = load > LOAD_BUSY_MAX
    row.measured = f"{number(rates[0])} (load {load:.0%}, server {server:.0%} of a core)"
    row.peer = number(rates[1])
    row.better_by = (f"{times(by_rate)} by rate, {times(by_cpu)} by CPU; judged by "
                     f"{'CPU' if saturated else 'rate'}")
    row.reached = at_least(by_cpu if saturated else by_rate, limit)
    return row


def mode_goals(results):
    found = results.read("modes")
    for work, limit in (("msg, submit only", 1.0), ("msg, two phases", 1.6), ("tcc", 2.5)):
        row = Row(f"{work}, over gRPC: server CPU as a multiple of a saga's", f"at most {limit}x")
        if found:
            ours, theirs = (median_of(modes.ratios_to_saga(found["rows"], server)[work])
                            for server in (CONCERTOD, REFERENCE))
            cpu = median(found["rows"][work].get(CONCERTOD, []), "server_cpu_us")
            row.measured, row.peer = f"{times(ours)}, {us(cpu)}", times(theirs)
            row.reached = at_most(ours, limit)
        yield row


def transport_goals(results):
    for side, limit in (("server", 5), ("client", 6)):
        ours, theirs = (results.micro("transport_bench", f"{side}/{whose}", f"{side}_us/call")
                        for whose in ("ours", "grpc"))
        factor = quotient(theirs, ours)
        yield Row(f"unary echo, 100 streams: {side} CPU per call",
                  f"at most {limit} us, and an eighth of gRPC C++", us(ours), us(theirs),
                  times(factor), at_most(ours, limit) and at_least(factor, 8))


def latency_goals(results):
    for wire, name in (("grpc", "gRPC"), ("http", "HTTP/1.1")):
        rounds = results.half_rate(wire)
        p99 = median_of(found["half"]["p99_us"] for found in rounds)
        limit = median_of(found["limit_us"] for found in rounds)
        sync = median_of(found["sync_p99_us"] for found in rounds)
        goal = f"at most {half_rate.SYNC_FACTOR} p99 of a sync + {half_rate.MORE_US / 1000:g} ms"
        row = Row(f"saga over {name} at half of the maximum rate, open loop: p99", goal, us(p99))
        if p99 is not None:
            rate = median_of(found["rate"] for found in rounds)
            row.measured += f" at {number(rate)} per second"
            row.goal += f" = {limit:,.0f} us"
            row.peer, row.reached = f"a sync: {us(sync)}", at_most(p99, limit)
        yield row


SCALE_WORKS = ("in_flight", "waiting", "finished", "unfinished")


def scale_goals(results):
    found = results.read("scale")
    rows = found["rows"] if found else {}
    for work in SCALE_WORKS:
        lines = rows[work]["lines"] if work in rows else []
        if not lines:
            yield Row(f"scale: {work}", "see bench/compare/README.md")
        for line in lines:
            ratio = "-" if line["ratio"] is None else times(line["ratio"])
            # other sizes have other goals
            reached = line["reached"] if found["full_size"] else None
            yield Row(line["what"], line["goal"], line["measured"], line["beside"], ratio, reached)


def cost_goals(results):
    one, two = (results.instructions("grpc", shards) for shards in (1, 2))
    factor = quotient(two, one)
    yield Row("2 shards against 1, over gRPC: instructions per saga", "at most 1.15x",
              NOT_RUN if factor is None else f"{times(factor)}, {number(two)}",
              NOT_RUN if one is None else f"1 shard: {number(one)}", "-", at_most(factor, 1.15))
    for wire, name in (("grpc", "gRPC"), ("http", "HTTP/1.1")):
        runs = results.load(wire, CONCURRENT, CONCERTOD)
        cpu, server = (median(runs, f"{side}_cpu_us") for side in ("client", "server"))
        share = quotient(cpu, server)
        yield Row(f"concerto-load over {name}: its own CPU per saga", "at most 0.6 of the server's",
                  NOT_RUN if share is None else f"{times(share)}, {us(cpu)}", us(server), "-",
                  at_most(share, 0.6))


def client_goals(results):
    """Our client and coordinator together, beside the SDK's client alone: the strictest reading."""
    found = results.read("clients")
    rows = found["rows"] if found else [clients.make_row("leveldb", "grpc", "saga")]
    for row in rows:
        goal = Row(f"concerto::client and concertod together, {clients.title(row)}: CPU per "
                   "transaction", f"at most {clients.GOAL} of the Go SDK's client alone")
        if clients.SDK in row["pairs"]:
            ours = clients.median(row["pairs"][clients.OURS], clients.BOTH)
            share = clients.ratios(row["pairs"])[clients.ALONE]
            goal.measured = f"{times(share)}, {us(ours)}"
            goal.peer = us(clients.median(row["pairs"][clients.SDK], ("client",)))
            goal.better_by = (f"{times(clients.ratios(row['pairs'])[clients.WITH_CONCERTOD])} of "
                              f"{clients.WITH_CONCERTOD}")
            goal.reached = at_most(share, clients.GOAL)
        yield goal


def dead_target_goals(results):
    found = results.read("dead_target")
    row = Row("a service that never answers: p99 of the others", "at most 1.5x of p99 without it")
    if found:
        factor = median_of(dead_target.ratios(found["rounds"], "p99_us"))
        alone, beside = (median_of(one[half]["p99_us"] for one in found["rounds"])
                         for half in ("alone", "beside"))
        row.measured, row.peer = f"{times(factor)}, {us(beside)}", f"alone: {us(alone)}"
        row.reached = at_most(factor, 1.5)
    yield row


def lone_goals(results):
    ours, theirs = (results.load("grpc", 1, server) for server in (CONCERTOD, REFERENCE))
    p50, their_p50 = (median(runs, "p50_us") for runs in (ours, theirs))
    sync = median(ours, "sync_us")
    row = Row("a lone saga over gRPC, p50", "at most 3 syncs + 1 ms", us(p50), us(their_p50),
              times(quotient(their_p50, p50)))
    if sync is not None:
        row.goal += f" = {3 * sync + 1000:,.0f} us"
        row.reached = at_most(p50, 3 * sync + 1000)
    yield row


def store_goals(results):
    cpu = results.micro("store_bench", "million/350", "cpu_us/tx")
    yield Row("the store alone, CPU per transaction, 1,000,000 of 700 bytes in three records, "
              "groups of 64", "at most 12 us", us(cpu), reached=at_most(cpu, 12))
    zeroed, growing = (results.micro("store_bench", f"log/{kind}/700", "p50_us")
                       for kind in ("zeroed", "growing"))
    yield Row("a sync of 700 bytes into zeroed log space, p50", "beside one that grows the file",
              us(zeroed), us(growing), times(quotient(growing, zeroed)))


def rows(results):
    for goals in (saga_goals, mode_goals, transport_goals, latency_goals, scale_goals, cost_goals,
                  client_goals, dead_target_goals, lone_goals, store_goals):
        yield from goals(results)


def table(results):
    """Markdown."""
    lines = ["| what | goal | measured | peer | better by | |",
             "| --- | --- | --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows(results)]
    return "\n".join(lines) + "\n"
