"""The databases of the banks: accounts, the SDK's barrier tables, and transactions prepared by XA.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from database_servers import MariaDb, Postgres, Redis  # noqa: E402  (the path has to be set first)

DATABASE = "bank"  # the Go program uses the same name
ACCOUNTS = """\
create table account(name varchar(64) primary key, balance int not null, trading int not null);
"""

# The SDK's barrier tables, as in the SDK's SQL files.
MARIADB_BARRIER = """\
create database dtm_barrier default character set utf8mb4;
create table dtm_barrier.barrier(
  id bigint(22) primary key auto_increment,
  trans_type varchar(45) default '', gid varchar(128) default '',
  branch_id varchar(128) default '', op varchar(45) default '',
  barrier_id varchar(45) default '', reason varchar(45) default '',
  create_time datetime default now(), update_time datetime default now(),
  key(create_time), key(update_time), unique key(gid, branch_id, op, barrier_id)
) engine = InnoDB default charset = utf8mb4;
"""
POSTGRES_BARRIER = """\
create schema dtm_barrier;
create sequence dtm_barrier.barrier_seq;
create table dtm_barrier.barrier(
  id bigint not null default nextval('dtm_barrier.barrier_seq'),
  trans_type varchar(45) default '', gid varchar(128) default '',
  branch_id varchar(128) default '', op varchar(45) default '',
  barrier_id varchar(45) default '', reason varchar(45) default '',
  create_time timestamp(0) with time zone, update_time timestamp(0) with time zone,
  primary key(id), constraint uniq_barrier unique(gid, branch_id, op, barrier_id));
"""


class SqlBank:
    """Starts the server at construction."""

    def __init__(self, server, driver, barrier, prepared_query):
        self.server = server
        self.driver = driver
        self._prepared_query = prepared_query
        server.start()
        server.create_database(DATABASE)
        server.sql(ACCOUNTS + barrier, DATABASE)

    def open(self, account, balance):
        self.server.sql(f"insert into account values ('{account}', {balance}, 0)", DATABASE)

    def balance(self, account):
        """AssertionError if a TCC transaction has left anything of itself."""
        [[balance, trading]] = self.server.sql(
            f"select balance, trading from account where name = '{account}'", DATABASE)
        if trading != "0":
            raise AssertionError(f"{account}: {trading} are not confirmed or cancelled")
        return int(balance)

    def trading(self, account):
        [[trading]] = self.server.sql(f"select trading from account where name = '{account}'",
                                      DATABASE)
        return int(trading)

    def prepared(self):
        """The prepared transactions, according to the database."""
        return self.server.sql(self._prepared_query)


class RedisBank:
    """Starts the server at construction."""

    driver = "redis"

    def __init__(self, server):
        self.server = server
        server.start()

    def open(self, account, balance):
        self.server.command("set", account, balance)

    def balance(self, account):
        return int(self.server.command("get", account))

    def prepared(self):
        return []


def open_bank(database, directory):
    """A bank in a new database server: mariadb, postgres or redis."""
    if database == "mariadb":
        return SqlBank(MariaDb(directory), "mysql", MARIADB_BARRIER, "xa recover")
    if database == "postgres":
        return SqlBank(Postgres(directory), "postgres", POSTGRES_BARRIER,
                       "select gid from pg_prepared_xacts")
    return RedisBank(Redis(directory))
