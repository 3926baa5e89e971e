"""What `cluster.py` shows: coordinators on one PostgreSQL, etcd in which clients find them, and
what the database says about their transactions."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))  # for the next imports

from concerto_testing import Concertod, Etcd, need_program, wait_until  # noqa: E402
from database_servers import Postgres  # noqa: E402

DATABASE = "dtm"
SERVICE = "dtmservice"
UNFINISHED = "('prepared', 'submitted', 'aborting')"


class Cluster:
    """PostgreSQL, etcd and the coordinators, in a scratch directory. Nothing there is synced to the
    disk: what is shown is that a coordinator may die, not the database's machine."""

    def __init__(self, stack, directory, program):
        self._program = program
        self._directory = directory
        self._stack = stack
        self._names = {}    # of coordinators, by the ids that they have in the database
        self.database = stack.enter_context(Postgres(directory))
        self.database.create_database(DATABASE)
        self.etcd = stack.enter_context(
            Etcd(directory, need_program("etcd", "etcd-server")))
        self.coordinators = []

    def add_coordinator(self):
        coordinator = Concertod(self._program, self._directory, {
            "Store.Driver": "postgres", "Store.Host": "127.0.0.1",
            "Store.Port": self.database.port, "Store.User": Postgres.USER,
        }, name=f"coordinator-{len(self.coordinators) + 1}")
        coordinator.settings.update({
            "MicroService.Driver": "dtm-driver-gozero",
            "MicroService.Target": f"etcd://{self.etcd.address}/{SERVICE}",
            "MicroService.EndPoint": coordinator.grpc_address})
        self.coordinators.append(coordinator)
        self._stack.callback(coordinator.kill)
        self.start(coordinator)
        return coordinator

    def start(self, coordinator):
        """Starts it, and learns under which id it works: a new one at each start."""
        before = self._sessions()
        coordinator.start()
        new = wait_until(lambda: self._sessions() - before, f"{coordinator.name} connects")
        self._names[new.pop()] = coordinator.name
        self.wait_for_addresses(lambda found: coordinator.grpc_address in found)

    def addresses(self):
        """The gRPC addresses of coordinators that a client finds in etcd."""
        return sorted(self.etcd.keys(SERVICE).values())

    def wait_for_addresses(self, condition):
        wait_until(lambda: condition(self.addresses()), "the coordinator registers in etcd")

    def owned_by(self, coordinator):
        """(gid, steps that are done) of the unfinished transactions that a coordinator works on."""
        return self._sql(
            "select gid, (select count(*) from trans_branch_op b where b.gid = g.gid"
            " and b.op = 'action' and b.status = 'succeed')"
            f" from trans_global g where owner = '{self._id_of(coordinator)}'"
            f" and status in {UNFINISHED} order by id")

    def owners(self, gids):
        """(status, name of the coordinator that works on it or did so last) by gid."""
        listed = ", ".join(f"'{gid}'" for gid in gids)
        rows = self._sql(f"select gid, status, owner from trans_global where gid in ({listed})")
        return {gid: (status, self._names.get(owner, "nobody")) for gid, status, owner in rows}

    def wait_until_gone(self, coordinator):
        """Until the database has carried out the last statement of a killed coordinator."""
        wait_until(lambda: self._id_of(coordinator) not in self._sessions(),
                   f"the connections of {coordinator.name} end")

    def _id_of(self, coordinator):
        return [node for node, name in self._names.items() if name == coordinator.name][-1]

    def _sessions(self):
        """The ids of all coordinators that are connected."""
        rows = self._sql("select distinct application_name from pg_stat_activity"
                         " where application_name like 'concerto cc-%'")
        return {name.split()[1] for name, in rows}

    def _sql(self, text):
        return self.database.sql(text, DATABASE)
