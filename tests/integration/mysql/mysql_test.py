#!/usr/bin/env python3
"""Runs a test program against a real MariaDB, which it starts in a scratch directory.

usage: mysql_test.py <program> [arguments of GoogleTest]
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from database_servers import MariaDb  # noqa: E402


def run(program, *arguments):
    with tempfile.TemporaryDirectory() as directory, MariaDb(directory) as server:
        environment = dict(os.environ, CONCERTO_TEST_MYSQL=str(server.port))
        return subprocess.call([program, *arguments], env=environment)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
