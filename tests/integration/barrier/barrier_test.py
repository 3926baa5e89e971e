#!/usr/bin/env python3
"""Runs the tests of the barriers on real servers, which it starts in a scratch directory. The
barrier tables are those of the official Go SDK.

usage: barrier_test.py <program> <databases, separated by commas> [arguments of GoogleTest]
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "interop", "databases")]
from banks import DATABASE, open_bank  # noqa: E402  (the path has to be set first)

NAMES = {"mysql": "mariadb", "postgres": "postgres", "redis": "redis"}  # SQLite has no server
OTHER_TABLE = {"mysql": "create table other_barrier like dtm_barrier.barrier",
               "postgres": "create table other_barrier(like dtm_barrier.barrier including all)"}


def run(program, databases, *arguments):
    with tempfile.TemporaryDirectory() as directory, ExitStack() as servers:
        environment = dict(os.environ)
        for database in databases.split(","):
            if database not in NAMES:
                continue
            bank = open_bank(NAMES[database], directory)
            servers.callback(bank.server.kill)
            if database in OTHER_TABLE:
                bank.server.sql(OTHER_TABLE[database], DATABASE)
            environment[f"CONCERTO_TEST_{database.upper()}"] = str(bank.server.port)
        return subprocess.call([program, *arguments], env=environment)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
