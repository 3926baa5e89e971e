"""The databases of shared.py and outage.py, and coordinators on them."""

import argparse
import contextlib
import os
import subprocess

from concerto_testing import Concertod, Reference
from database_servers import MariaDb, Postgres, Redis
from servers import CONCERTOD, REFERENCE

USER = "dtm"
PASSWORD = "dtm"
DATABASE = "dtm"  # by default for both
# The reference opens up to 500 connections by its default, and fails when PostgreSQL has no more.
REFERENCE_CONNECTIONS = 90
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """User and system time of a process, of its running children, and of those that ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except FileNotFoundError:
        children = []
    return ticks / TICKS_PER_S + sum(map(_cpu_s_or_none, children))


def _cpu_s_or_none(pid):
    try:
        return cpu_s(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has ended, and its parent has its time


class _Store:
    """A running database server. Each run of coordinators finds it empty."""

    name = None
    driver = None
    settings = {}
    options = ()
    # What syncs the disk for each commit.
    sync_options = ()

    def __init__(self, directory, is_synced):
        os.makedirs(directory)
        self.directory = directory
        self.server = self._make(directory,
                                 [*self.options, *(self.sync_options if is_synced else ())])

    def __enter__(self):
        self.server.start()
        self._prepare()
        return self

    def __exit__(self, *_):
        self.server.kill()

    def cpu_s(self):
        return cpu_s(self.server.process.pid)

    def empty(self):
        """Removes what the last run left. Returns the settings of the next run, by their paths in
        the configuration."""
        self._remove_all()
        return {"Store.Driver": self.driver, "Store.Host": "127.0.0.1",
                "Store.Port": self.server.port, **self.settings}

    def answers(self):
        """Whether the server answers a question now."""
        try:
            self._ask()
        except (AssertionError, subprocess.TimeoutExpired):
            return False
        return True

    def _make(self, directory, options):
        raise NotImplementedError

    def _ask(self):
        self.server.sql("select 1")

    def _prepare(self):
        pass

    def _remove_all(self):
        raise NotImplementedError


class PostgresStore(_Store):
    name = "PostgreSQL"
    driver = "postgres"
    settings = {"Store.User": USER, "Store.Password": PASSWORD}
    options = ("-c", "shared_buffers=128MB")
    sync_options = ("-c", "fsync=on", "-c", "full_page_writes=on")

    def _make(self, directory, options):
        return Postgres(directory, options=options)

    def _prepare(self):
        self.server.sql(f"create role {USER} superuser login password '{PASSWORD}'")

    def _remove_all(self):
        self.server.sql(f"drop database if exists {DATABASE} with (force)")
        self.server.create_database(DATABASE)


class MariaDbStore(_Store):
    name = "MariaDB"
    driver = "mysql"
    settings = {"Store.User": USER, "Store.Password": PASSWORD}
    options = ("--innodb-buffer-pool-size=256M", "--innodb-log-file-size=128M")
    sync_options = ("--innodb-flush-method=O_DIRECT", "--innodb-flush-log-at-trx-commit=1")

    def _make(self, directory, options):
        return MariaDb(directory, options=options)

    def _prepare(self):
        self.server.sql(f"create user {USER} identified by '{PASSWORD}'; "
                        f"grant all on *.* to {USER}")

    def _remove_all(self):
        self.server.sql(f"drop database if exists {DATABASE}")
        self.server.create_database(DATABASE)


class RedisStore(_Store):
    name = "Redis"
    driver = "redis"
    sync_options = ("--appendfsync", "always")

    def _make(self, directory, options):
        return Redis(directory, options=options)

    def _ask(self):
        self.server.command("ping")

    def _remove_all(self):
        self.server.command("flushall")


KINDS = {"postgres": PostgresStore, "mysql": MariaDbStore, "redis": RedisStore}


def add_argument(parser):
    parser.add_argument("--stores", type=_kinds, default=list(KINDS),
                        help="a comma between them; default: " + ",".join(KINDS))


def _kinds(text):
    kinds = text.split(",")
    for kind in kinds:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(f"'{kind}' is not one of {', '.join(KINDS)}")
    return kinds


class _Coordinator:
    """What the load and the comparison need of a server."""

    def __init__(self, name, server, pid, directory):
        self.name = name
        self.server = server
        self.pid = pid
        self.directory = directory
        self.http_port = server.http_port
        self.grpc_port = server.grpc_port

    def cpu_s(self):
        return cpu_s(self.pid)


def _environment(settings):
    """`Store.RedisPrefix` as the reference reads it: STORE_REDIS_PREFIX."""
    found = {}
    for path, value in settings.items():
        words = "".join("_" + c if c.isupper() else c for c in path.replace(".", ""))
        found[words.strip("_").upper()] = str(value)
    return found


@contextlib.contextmanager
def running(arguments, store, name, count):
    """`count` coordinators on the emptied store. They are killed at the end."""
    settings = store.empty()
    binary = os.path.join(arguments.bin, "concertod")
    with contextlib.ExitStack() as stack:
        if name == REFERENCE:
            # It makes the tables, which are the reference's.
            maker = Concertod(binary, store.directory, settings, "maker")
            maker.start()
            maker.kill()
            env = {**_environment(settings),
                   "STORE_MAX_OPEN_CONNS": str(REFERENCE_CONNECTIONS)}
            server = stack.enter_context(
                Reference(os.path.abspath(arguments.reference), store.directory, env=env))
            yield [_Coordinator(REFERENCE, server, server.pid, store.directory)]
            return
        servers = []
        for number in range(count):
            server = stack.enter_context(
                Concertod(binary, store.directory, settings, f"{CONCERTOD}-{number}"))
            servers.append(_Coordinator(CONCERTOD, server, server.process.pid, store.directory))
        yield servers
