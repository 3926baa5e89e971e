#!/usr/bin/env python3
"""The official Go SDK's XA and barriers on real databases, driven by the coordinator.

Checked are the balances in the databases and the coordinator's state, over failures of branches
and kills of everybody involved.
"""

import os

from across import check_across
from barriers import check_sagas, check_tccs
from messages import check_messages
from shared import check_shared_table
from workflows import check_workflows
from world import World
from xa import check_xa, check_xa_on_stores

from concerto_testing import main


class Databases(World):
    def test_xa_mariadb_http(self):
        check_xa(self, "mariadb", "http")

    def test_xa_mariadb_grpc(self):
        check_xa(self, "mariadb", "grpc")

    def test_xa_postgres_http(self):
        check_xa(self, "postgres", "http")

    def test_xa_postgres_grpc(self):
        check_xa(self, "postgres", "grpc")

    def test_xa_on_stores(self):
        check_xa_on_stores(self)

    def test_saga_mariadb(self):
        check_sagas(self, "mariadb")

    def test_saga_postgres(self):
        check_sagas(self, "postgres")

    def test_saga_redis(self):
        check_sagas(self, "redis")

    def test_tcc_mariadb(self):
        check_tccs(self, "mariadb")

    def test_tcc_postgres(self):
        check_tccs(self, "postgres")

    def test_tcc_redis(self):
        check_tccs(self, "redis")

    def test_msg_mariadb(self):
        check_messages(self, "mariadb")

    def test_msg_postgres(self):
        check_messages(self, "postgres")

    def test_msg_redis(self):
        check_messages(self, "redis")

    def test_workflow_mariadb(self):
        check_workflows(self, "mariadb")

    def test_workflow_postgres(self):
        check_workflows(self, "postgres")

    def test_across(self):
        check_across(self)

    def test_shared_table_mariadb(self):
        check_shared_table(self, "mariadb")

    def test_shared_table_postgres(self):
        check_shared_table(self, "postgres")


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where the Go program is built",
                        type=os.path.abspath)
    parser.add_argument("--cpp-bank", help="the C++ program", type=os.path.abspath)


if __name__ == "__main__":
    main(Databases, add_arguments, __doc__)
