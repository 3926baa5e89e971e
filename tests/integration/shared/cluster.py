"""Three coordinators on one store, which is a real server."""

import os
import random
import signal
import time
from dataclasses import dataclass

from concerto_testing import Concertod
from database_servers import MariaDb, Postgres, Redis

STORES = ("postgres", "mariadb", "redis")
DATABASE = "dtm"
LEASE_S = {"postgres": 15, "mariadb": 15, "redis": 10}  # of a transaction in the store
NODES = 3


def make_server(store, directory):
    """A server that has not been started."""
    return {"postgres": Postgres, "mariadb": MariaDb, "redis": Redis}[store](directory)


def start_server(server):
    """Starts it for the first time, and makes it ready for coordinators."""
    server.start()
    if not isinstance(server, Redis):
        server.create_database(DATABASE)


def store_settings(server, port=None):
    """The settings of a coordinator whose store is on this server, reached by a port."""
    drivers = {Postgres: "postgres", MariaDb: "mysql", Redis: "redis"}
    settings = {"Store.Driver": drivers[type(server)], "Store.Host": "127.0.0.1",
                "Store.Port": port or server.port}
    if not isinstance(server, Redis):
        settings.update({"Store.User": server.USER, "Store.Db": DATABASE})
    return settings


@dataclass(frozen=True)
class Pause:
    """A coordinator that stood still from `begin` to `end`, on the clock time.monotonic."""

    pid: int
    begin: float
    end: float


class Cluster:
    """Three coordinators. `pauses` has what `pause` and `go_on` did."""

    SETTINGS = {"RetryInterval": 1, "TransCronInterval": 1, "Shards": 1}

    def __init__(self, binary, directory, settings, name="node"):
        self.nodes = [Concertod(binary, directory, {**self.SETTINGS, **settings}, f"{name}{number}")
                      for number in range(1, NODES + 1)]
        self.pauses = []
        self._paused = {}  # pid -> begin

    def __enter__(self):
        for node in self.nodes:
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
