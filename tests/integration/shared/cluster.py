"""Three coordinators on one store, which is a real server."""

import os
import random
import signal
import time
from dataclasses import dataclass

from concerto_testing import Concertod

# The shortest lease that a coordinator takes: the tests wait for the ends of leases.
LEASE_S = 5
NODES = 3


@dataclass(frozen=True)
class Pause:
    """A coordinator that stood still from `begin` to `end`, on the clock time.monotonic."""

    pid: int
    begin: float
    end: float


class Cluster:
    """Three coordinators on a place of shared_stores. `pauses` has what `pause` and `go_on` did."""

    SETTINGS = {"RetryInterval": 1, "TransCronInterval": 1, "Shards": 1, "Store.Lease": LEASE_S}

    def __init__(self, binary, directory, place, settings=None):
        settings = {**self.SETTINGS, **place.settings, **(settings or {})}
        self.nodes = [Concertod(binary, directory, settings, f"node{number}")
                      for number in range(1, NODES + 1)]
        self._options_of_first_start = place.options_of_first_start
        self.pauses = []
        self._paused = {}  # pid -> begin

    def __enter__(self):
        first, *others = self.nodes
        first.start(*self._options_of_first_start)
        for node in others:
            node.start()
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.kill()

    @property
    def ports(self):
        return [node.http_port for node in self.nodes]

    @property
    def pids(self):
        return [node.process.pid for node in self.nodes]

    def pause(self, node):
        self._paused[node.process.pid] = time.monotonic()
        os.kill(node.process.pid, signal.SIGSTOP)

    def go_on(self, node):
        os.kill(node.process.pid, signal.SIGCONT)
        begin = self._paused.pop(node.process.pid)
        self.pauses.append(Pause(node.process.pid, begin, time.monotonic()))


def seeded(seed):
    """A random generator. Its seed is printed, so that a run can be repeated."""
    seed = seed or random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    return random.Random(seed)
