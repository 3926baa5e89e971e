"""What the rows of scale.py use: stores of a given size, servers on these stores, loads, memory."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import measure
import servers
from concerto_testing import http_call, wait_until

IN_FLIGHT = 128  # in the load whose rate is measured
WARM_UP_S = 0.3
STORE_BYTES_EACH = 1_000  # room on the disk for a transaction, with a reserve
RECOVERED = "recovery: .* unfinished transactions"
SETTLE_LIMIT_S = 60
SETTLED_BYTES = 128 << 10  # a change of less than this in SETTLED_S counts as none
SETTLED_S = 1


class RowFailed(Exception):
    """A row could not be measured. The other rows can be measured nevertheless."""


@dataclass
class Sizes:
    """The sizes of everything that is measured."""
    in_flight: int = 100_000
    branch_ms: int = 10_000
    waiting: int = 1_000_000
    finished: int = 10_000_000
    unfinished: int = 1_000_000
    rounds: int = 5
    seconds: float = 5  # the time of one measurement of a rate


QUICK = Sizes(10_000, 10_000, 100_000, 1_000_000, 100_000, 2, 2)
TINY = Sizes(200, 2_500, 2_000, 3_000, 2_000, 1, 0.3)


def say(text):
    print("  " + text, file=sys.stderr, flush=True)


def rate_text(rate):
    return f"{rate['tx_per_second']:,.0f} sagas per second at {rate['server_cpu_us']:.1f} us of CPU"


def metric(server, name):
    text = http_call("GET", f"http://127.0.0.1:{server.http_port}/api/metrics").body.decode()
    for line in text.splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise RowFailed(f"no metric {name}")


def memory(server):
    """Resident bytes: all of them, and those of the process alone.

    The others are pages of the store's tables, which LevelDB maps into memory. They belong to the
    page cache, and the kernel drops them when the machine needs memory.
    """
    found = {}
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in ("VmRSS", "RssAnon"):
                found[key] = int(value.split()[0]) * 1024
    return {"all": found["VmRSS"], "own": found["RssAnon"]}


def settled_memory(server):
    """The memory once it no longer changes, so that the work that a start or a load has left is
    done."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    before = memory(server)
    while time.monotonic() < deadline:
        time.sleep(SETTLED_S)  # the measurement needs a quiet time
        now = memory(server)
        if abs(now["own"] - before["own"]) < SETTLED_BYTES:
            return now
        before = now
    raise RowFailed(f"the memory of the server still changes after {SETTLE_LIMIT_S} s")


@contextlib.contextmanager
def stopped(server):
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def evict(directory):
    """Drops the files from the page cache, as a restart of the machine does."""
    for parent, _, files in os.walk(directory):
        for name in files:
            file = os.open(os.path.join(parent, name), os.O_RDONLY)
            os.fsync(file)  # only clean pages can be dropped
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


class Lab:
    """Everything that a row makes is in a directory of its own, which is removed when the row ends.
    """

    def __init__(self, binaries, directory, sizes):
        self.directory = directory
        self.sizes = sizes
        self._binaries = binaries
        self._server_cores, self._load_cores = servers.cores_for_server_and_load()
        self._loads = 0
        self._servers = 0

    def program(self, name):
        return os.path.join(self._binaries, name)

    def fill(self, kind, count):
        """Fills a new store and returns its path."""
        path = os.path.join(self.directory, f"{kind}-{count}")
        free = shutil.disk_usage(self.directory).free
        if free < count * STORE_BYTES_EACH:
            raise RowFailed(f"{count:,} {kind} ones need {count * STORE_BYTES_EACH:,} bytes of "
                            f"disk, {free:,} are free; --directory names another place")
        done = subprocess.run(
            [self.program("store_fill"), "--directory", path, "--kind", kind,
             "--count", str(count)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise RowFailed(f"store_fill: {done.stderr.strip()}")
        found = json.loads(done.stdout)
        say(f"a store with {count:,} {kind}, filled in {found['fill_seconds']:.1f} s; "
            f"{found['unfinished_bytes']:,} bytes of memory for the store's own table")
        return path

    @contextlib.contextmanager
    def server(self, store=None, **settings):
        """Starts a server. Its `begun` is the time just before the process was started."""
        self._servers += 1
        place = os.path.join(self.directory, f"server-{self._servers}")
        # A store does not keep so many finished transactions by default.
        settings["Store.FinishedBytesMax"] = 1 << 40
        if store:
            settings["Store.Path"] = store
        begun = time.monotonic()
        with servers.running(servers.OurServer, self.program("concertod"), place,
                             self._server_cores, **settings) as server:
            server.begun = begun
            server.listens_s = time.monotonic() - begun
            yield server
        shutil.rmtree(place)

    @staticmethod
    def wait_ready(server, timeout_s=300):
        """Seconds from the start of the process until it answers that it is ready."""
        url = f"http://127.0.0.1:{server.http_port}/readyz"
        wait_until(lambda: http_call("GET", url).status == 200, "the server is ready", timeout_s)
        return time.monotonic() - server.begun

    @staticmethod
    def wait_recovered(server, timeout_s=300):
        """Seconds from the start of the process until all unfinished transactions have their
        alarms."""
        server.process.wait_for_line(RECOVERED, timeout_s)
        return time.monotonic() - server.begun

    def start_load(self, server, in_flight=IN_FLIGHT, seconds=None, warm_up=WARM_UP_S, extra=()):
        self._loads += 1
        return measure.start_load(
            self.program("concerto-load"), server, self._load_cores, "grpc", in_flight,
            seconds or self.sizes.seconds, warm_up, f"scale-{self._loads}", options=extra)

    def load_result(self, process, seconds=None):
        return measure.load_result(process, "concertod",
                                   (seconds or self.sizes.seconds) + measure.LOAD_LIMIT_S)

    def rate(self, server, seconds=None):
        """Sagas per second, from submit to end, with as many in flight as one core handles easily.
        """
        found = self.load_result(self.start_load(server, seconds=seconds), seconds)
        return {key: found[key] for key in ("tx_per_second", "server_cpu_us", "p50_us", "p99_us")}

    def compare_rates(self, with_, without):
        """Runs loads on two running servers in turn, and returns what each found, round by round.

        One server is stopped while the other one is measured. Work that a load has left to a server
        slows down only the next load on that server.
        """
        pairs = {"with": (with_, without), "without": (without, with_)}
        rounds = []
        for number in range(self.sizes.rounds):
            found = {}
            for name in sorted(pairs, reverse=number % 2 == 1):
                loaded, other = pairs[name]
                with stopped(other):
                    found[name] = self.rate(loaded)
            rounds.append(found)
            say(f"round {number}: {rate_text(rounds[-1]['with'])}; without: "
                f"{rate_text(rounds[-1]['without'])}")
        return rounds
