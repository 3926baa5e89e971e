"""Faults that only Redis has, while three coordinators work: it loads its data, has no memory left,
fails over, or gives the slot of the keys to another server. What must hold is what faults_test.py
says.

Usage: redis_faults_test.py <concertod> [--seed N] [--rounds N] [-k fault]
"""

import os
import sys
from types import SimpleNamespace

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "support"), os.path.join(HERE, "..", "kill")]

from cluster import Cluster, seeded  # noqa: E402
from concerto_testing import free_port, main, need_program, wait_until  # noqa: E402
from database_servers import HOST, Redis  # noqa: E402
from fault_load import FaultLoad  # noqa: E402
from shared_work import shared_rule  # noqa: E402
from watched_branches import WatchedBranches  # noqa: E402

SLOT = 15495  # of the keys with the prefix {a}
MASTER = "main"
FULL_S = 1.5
MOVING_S = 1.0
DOWN_AFTER_MS = 2000  # A Sentinel asks a new master for the first time after a second.
LOADED_KEYS = 3500
LOAD_DELAY_US = 400  # for each key
SYNC_AT_ONCE = ("--repl-diskless-sync-delay", "0")


class Sentinel(Redis):
    """Decides alone that a master is down."""

    READY = r"\+monitor master"

    def __init__(self, directory, master):
        super().__init__(directory, "sentinel")
        self._config = os.path.join(directory, "sentinel.conf")
        with open(self._config, "w", encoding="utf-8") as file:
            file.write(f"sentinel monitor {MASTER} {HOST} {master.port} 1\n"
                       f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}\n"
                       f"sentinel failover-timeout {MASTER} 3000\n")

    def _command(self):
        return [need_program("redis-server", "redis-server"), self._config, "--sentinel", "--bind",
                HOST, "--port", str(self.port), "--dir", self._data]

    def master_port(self):
        return int(self.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1])

    def knows_a_replica(self):
        return any(replica["master-link-status"] == "ok"
                   for replica in self.command("SENTINEL", "REPLICAS", MASTER))


class ClusterServer(Redis):
    """A server of a Redis cluster."""

    def __init__(self, directory, name):
        self._bus_port = free_port()
        # A server stays a master when it gives its last slot away.
        super().__init__(directory, name, [
            "--cluster-enabled", "yes", "--cluster-port", str(self._bus_port),
            "--cluster-allow-replica-migration", "no"])

    def meet(self, other):
        self.command("CLUSTER", "MEET", HOST, other.port, other._bus_port)
        wait_until(lambda: self.knows_two() and other.knows_two(), "two servers are a cluster")

    def knows_two(self):
        # As text: redis-cli makes no JSON of this answer.
        info = self._run([need_program("redis-cli", "redis-tools"), "-h", HOST, "-p",
                          str(self.port), "CLUSTER", "INFO"])
        return "cluster_state:ok" in info and "cluster_known_nodes:2" in info

    def begin_to_give(self, other):
        other.command("CLUSTER", "SETSLOT", SLOT, "IMPORTING", self.command("CLUSTER", "MYID"))
        self.command("CLUSTER", "SETSLOT", SLOT, "MIGRATING", other.command("CLUSTER", "MYID"))

    def give(self, other):
        while keys := self.command("CLUSTER", "GETKEYSINSLOT", SLOT, 500):
            self.command("MIGRATE", HOST, other.port, "", 0, 5000, "KEYS", *keys)
        for server in (other, self):
            server.command("CLUSTER", "SETSLOT", SLOT, "NODE", other.command("CLUSTER", "MYID"))


class RedisFaults(FaultLoad):
    @classmethod
    def setUpClass(cls):
        cls.random = seeded(cls.args.seed)

    def start(self, server):
        self.addCleanup(server.kill)
        server.start()
        return server

    def start_coordinators(self, host, **settings):
        place = SimpleNamespace(settings={"Store.Driver": "redis", "Store.Host": host},
                                options_of_first_start=())
        self.cluster = Cluster(self.args.concertod, self.directory, place,
                               {f"Store.{key}": value for key, value in settings.items()})
        self.addCleanup(self.cluster.__exit__)
        self.cluster.__enter__()
        self.branches = WatchedBranches(shared_rule, lambda: self.cluster.pids)

    def test_loading(self):
        server = self.start(Redis(self.directory, "loading", [
            "--key-load-delay", str(LOAD_DELAY_US)]))
        server.command("EVAL", "for i = 1, ARGV[1] do redis.call('SET', 'other' .. i, i) end", 0,
                       LOADED_KEYS)
        self.start_coordinators(server.address)
        self.under_load(server.kill, server.start)
        for node in self.cluster.nodes:
            self.assertTrue(node.process.lines("the store is (still )?away.*LOADING"), node.name)

    def test_full_memory(self):
        server = self.start(Redis(self.directory, "full"))
        self.start_coordinators(server.address)

        def set_memory(limit_bytes):
            server.command("CONFIG", "SET", "maxmemory", limit_bytes)

        self.under_load(lambda: set_memory(1), lambda: set_memory(0), fault_s=FULL_S)

    def test_failover(self):
        """The master is killed; the Sentinel promotes its replica. Then the old master comes back
        as the replica of the new one, so that changes are on two servers again."""
        first = self.start(Redis(self.directory, "first", SYNC_AT_ONCE))
        second = self.start(Redis(self.directory, "second", [
            *SYNC_AT_ONCE, "--replicaof", HOST, str(first.port)]))
        sentinel = self.start(Sentinel(self.directory, first))
        wait_until(sentinel.knows_a_replica, "the Sentinel knows the replica", 20.0)
        self.start_coordinators(sentinel.address, RedisSentinelMaster=MASTER, RedisWaitReplicas=1)
        servers = [first, second]

        def fail_over():
            master, replica = servers
            master.kill()
            wait_until(lambda: sentinel.master_port() == replica.port, "a failover", 20.0)

        def come_back():
            servers[0].start("--replicaof", HOST, str(servers[1].port))
            servers.reverse()

        self.under_load(fail_over, come_back)

    def test_slot_moves(self):
        """What the resharding of a cluster does with the slot that has all keys."""
        servers = [self.start(ClusterServer(self.directory, name)) for name in ("one", "two")]
        servers[0].command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        servers[0].meet(servers[1])
        self.start_coordinators(",".join(server.address for server in servers))

        def end():
            servers[0].give(servers[1])
            servers.reverse()

        self.under_load(lambda: servers[0].begin_to_give(servers[1]), end, fault_s=MOVING_S)
        self.assertGreater(servers[0].command("CLUSTER", "COUNTKEYSINSLOT", SLOT), 0)


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat its choices")
    parser.add_argument("--rounds", type=int, default=1)


if __name__ == "__main__":
    main(RedisFaults, add_arguments, __doc__)
