"""The stores that several coordinators share, on real servers that a test starts.

    with store_server("postgres", directory) as server:
        place = server.place("one")         # an empty database of its own
        place.make_as_reference_does(sqls)
        Reference(program, directory, env=place.environment)
        Concertod(program, directory, place.settings)
"""

import json
import os
import subprocess

from database_servers import MariaDb, Postgres, Redis

SHARED_STORES = ("postgres", "mysql", "redis")
ALL_STORES = ("leveldb", *SHARED_STORES)
LARGE = {"postgres": ("-c", "shared_buffers=128MB", "-c", "max_wal_size=1GB"),
         "mysql": ("--innodb-buffer-pool-size=128M", "--innodb-log-file-size=96M")}
IS_UNFINISHED = "status in ('prepared', 'submitted', 'aborting')"
# Both servers together, and tests beside them, stay below the servers' limits.
CONNECTIONS_MAX = 20
# So many records keep Redis busy for less than a millisecond.
RECORDS_AT_ONCE = 500
# KEYS: the schedule. ARGV: the first and the last end of a lease. Returns how many leases end in
# this time, and how many have ended. A lease ends in the middle of a second, and nothing else does.
COUNT_LEASES = """
    local owned, due, now = 0, 0, tonumber(redis.call('TIME')[1])
    for second = math.floor(tonumber(ARGV[1])), math.floor(tonumber(ARGV[2])) do
      local ends = string.format('%.1f', second + 0.5)
      local count = redis.call('ZCOUNT', KEYS[1], ends, ends)
      owned = owned + count
      if second < now then due = due + count end
    end
    return {owned, due}
    """


def store_server(name, directory, is_large=False):
    """The server of a store, by the value of Store.Driver: a context manager. A large one has as
    much memory as the server takes by itself; the other ones have little."""
    options = LARGE.get(name, ()) if is_large else ()
    return {"leveldb": NoServer, "postgres": PostgresServer, "mysql": MysqlServer,
            "redis": RedisServer}[name](directory, options=options)


def add_store_argument(parser, stores=ALL_STORES):
    parser.add_argument("--store", choices=stores, default=stores[0],
                        help="where the coordinator stores transactions")


def use_store(test_case, is_large=False):
    """For `setUpClass` of a test case with --store: starts the store's server for its tests."""
    test_case.store = store_server(test_case.args.store, test_case.directory, is_large)
    test_case.store.__enter__()
    test_case.addClassCleanup(test_case.store.__exit__)


def reference_sqls(module):
    """The directory of the reference's own SQL scripts; `module` has a go.mod that names it."""
    listed = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", "github.com/dtm-labs/dtm"], cwd=module, check=True,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "GOTOOLCHAIN": "local"})
    return os.path.join(listed.stdout.strip(), "sqls")


class _SharedServer:
    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.kill()


class PostgresServer(_SharedServer):
    def __init__(self, directory, options=()):
        super().__init__(Postgres(directory, "store", options))

    def place(self, name):
        self.server.create_database(name)
        return _PostgresPlace(self.server, name)


class MysqlServer(_SharedServer):
    """`server`: a MariaDB that also serves something else, instead of a new one."""

    def __init__(self, directory, server=None, options=()):
        super().__init__(server or MariaDb(directory, "store", options))

    def place(self, name):
        return _MysqlPlace(self.server, name)


class RedisServer:
    """A server for each place: the reference finds its topics only if there are few other keys."""

    def __init__(self, directory, options=()):
        self._directory = directory
        self._options = options
        self._servers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.kill()

    def place(self, name):
        server = Redis(self._directory, f"redis-{name}", self._options)
        self._servers.append(server)
        server.start()
        return _RedisPlace(server, name)


class NoServer:
    """LevelDB: each coordinator has its own directory."""

    def __init__(self, _, options=()):
        assert not options, options

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def place(self, _):
        return _NoPlace()


class _NoPlace:
    settings = {}
    options_of_first_start = ()


class _Place:
    """A database, or the keys with one prefix."""

    DRIVER = None
    options_of_first_start = ("-r",)

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.settings = {"Store.Driver": self.DRIVER, "Store.Host": "127.0.0.1",
                         "Store.Port": server.port, **self._own_settings()}
        # The reference takes the same values from its environment.
        self.environment = {"STORE_DRIVER": self.DRIVER, "STORE_HOST": "127.0.0.1",
                            "STORE_PORT": str(server.port), **self._own_environment()}

    def make_as_reference_does(self, sqls):
        """Makes the tables by the reference's own scripts."""

    def transaction(self, gid):
        """The stored transaction: its columns or members, with None for null."""
        raise NotImplementedError

    def branches(self, gid):
        """The same of its branches, in their order."""
        raise NotImplementedError

    def unfinished(self):
        """The gids of all unfinished transactions."""
        raise NotImplementedError

    def owned_by(self, node):
        """How many unfinished transactions have this owner, and how many of these are due."""
        raise NotImplementedError

    def left_of(self, node):
        """A function that returns what `owned_by` does, and costs the store little. `node` does not
        run any more."""
        return lambda: self.owned_by(node)

    def set_text(self, gid, column, text):
        """Sets a column, or member, of a stored transaction."""
        raise NotImplementedError


class _SqlPlace(_Place):
    def _own_settings(self):
        return {"Store.User": self.server.USER, "Store.Db": self.name}

    def _own_environment(self):
        return {"STORE_USER": self.server.USER, "STORE_DB": self.name,
                "STORE_MAX_OPEN_CONNS": str(CONNECTIONS_MAX),
                "STORE_MAX_IDLE_CONNS": str(CONNECTIONS_MAX)}

    def make_as_reference_does(self, sqls):
        path = os.path.join(sqls, f"dtmsvr.storage.{self.DRIVER}.sql")
        with open(path, encoding="utf-8") as file:
            self._run_script(file.read())

    def transaction(self, gid):
        rows = self._rows("trans_global", gid)
        return rows[0] if rows else None

    def branches(self, gid):
        return self._rows("trans_branch_op", gid)

    def unfinished(self):
        return [gid for [gid] in self.sql(
            f"select gid from trans_global where {IS_UNFINISHED} order by gid")]

    def owned_by(self, node):
        [[owned, due]] = self.sql(
            "select count(*), count(case when next_cron_time <= now() then 1 end)"
            f" from trans_global where {IS_UNFINISHED} and owner = '{node}'")
        return int(owned), int(due)

    def set_text(self, gid, column, text):
        self.sql(f"update trans_global set {column} = '{text}' where gid = '{gid}'")

    def sql(self, text):
        return self.server.sql(text, self.name)

    def columns(self):
        """(table, column, type) of each column, for a comparison of two places."""
        return sorted(map(tuple, self.sql(
            "select table_name, column_name, " + self.TYPE + " from information_schema.columns"
            f" where {self.SCHEMA} and table_name in ('trans_global', 'trans_branch_op', 'kv')")))


class _PostgresPlace(_SqlPlace):
    DRIVER = "postgres"
    SCHEMA = "table_schema = 'public'"

    def _own_environment(self):
        # The reference cannot connect without a password; the server asks for none.
        return {**super()._own_environment(), "STORE_PASSWORD": "none"}

    TYPE = ("concat(data_type, ' ', character_maximum_length, ' ', is_nullable, ' ',"
            " column_default)")

    def _run_script(self, text):
        self.sql(text)

    def _rows(self, table, gid):
        return [json.loads(row) for [row] in self.sql(
            f"select row_to_json(t) from {table} t where gid = '{gid}' order by id")]

    def keys(self):
        return sorted(self.sql("select indexname, indexdef from pg_indexes"
                               " where schemaname = 'public'"))


class _MysqlPlace(_SqlPlace):
    DRIVER = "mysql"
    SCHEMA = "table_schema = database()"
    TYPE = "concat(column_type, ' ', is_nullable, ' ', ifnull(column_default, ''), ' ', extra)"

    def _run_script(self, text):
        # The script names its database.
        text = text.replace("dtm.", f"`{self.name}`.")
        self.server.sql(text.replace("EXISTS dtm\n", f"EXISTS `{self.name}`\n"))

    def _rows(self, table, gid):
        columns = [name for [name] in self.sql(
            "select column_name from information_schema.columns where table_schema = database()"
            f" and table_name = '{table}' order by ordinal_position")]
        # The client would escape what JSON has escaped.
        pairs = ", ".join(f"'{name}', " + (f"hex({name})" if name == "bin_data" else name)
                          for name in columns)
        return [json.loads(bytes.fromhex(row)) for [row] in self.sql(
            f"select hex(json_object({pairs})) from {table} where gid = '{gid}' order by id")]

    def keys(self):
        return sorted(self.sql(
            "select table_name, index_name, seq_in_index, column_name, non_unique"
            " from information_schema.statistics where table_schema = database()"))


class _RedisPlace(_Place):
    DRIVER = "redis"

    def _own_settings(self):
        return {"Store.RedisPrefix": self._prefix}

    def _own_environment(self):
        return {"STORE_REDIS_PREFIX": self._prefix}

    @property
    def _prefix(self):
        return "{" + self.name + "}"

    def transaction(self, gid):
        record = self.server.command("GET", f"{self._prefix}_g_{gid}")
        return None if record is None else json.loads(record)

    def branches(self, gid):
        return [json.loads(record) for record in
                self.server.command("LRANGE", f"{self._prefix}_b_{gid}", 0, -1)]

    def unfinished(self):
        return sorted(self.server.command("ZRANGE", f"{self._prefix}_u", 0, -1))

    def owned_by(self, node):
        scores, now = self._scores_of(node), self._now()
        return len(scores), sum(score <= now for score in scores)

    def left_of(self, node):
        """Counts leases by their ends, without the records. Every claim by others gives a lease an
        end after the last end of `node`, so what is left is never more than the count. The count
        may have some leases of others, until these are renewed."""
        scores = self._scores_of(node)
        if not scores:
            return lambda: (0, 0)
        return lambda: tuple(self.server.command(
            "EVAL", COUNT_LEASES, 1, f"{self._prefix}_u", min(scores), max(scores)))

    def _scores_of(self, node):
        """When the leases of `node` end. Reads the records in small steps."""
        leases = self.server.command("ZRANGE", f"{self._prefix}_u", 0, -1, "WITHSCORES")
        found = []
        for begin in range(0, len(leases), RECORDS_AT_ONCE):
            part = leases[begin:begin + RECORDS_AT_ONCE]
            records = self.server.command("MGET", *(f"{self._prefix}_g_{gid}" for gid, _ in part))
            found += [score for (_, score), record in zip(part, records)
                      if record and json.loads(record).get("owner") == node]
        return found

    def _now(self):
        return float(self.server.command("TIME")[0])

    def set_text(self, gid, column, text):
        record = {**self.transaction(gid), column: text}
        self.server.command("SET", f"{self._prefix}_g_{gid}", json.dumps(record), "KEEPTTL")
