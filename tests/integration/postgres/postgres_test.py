#!/usr/bin/env python3
"""Runs a test program against a real PostgreSQL, which it starts in a scratch directory.

usage: postgres_test.py <program> [arguments of GoogleTest]
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from database_servers import Postgres  # noqa: E402


def run(program, *arguments):
    with tempfile.TemporaryDirectory() as directory, Postgres(directory) as server:
        environment = dict(os.environ, CONCERTO_TEST_POSTGRES=str(server.port))
        return subprocess.call([program, *arguments], env=environment)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
