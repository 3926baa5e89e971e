"""The two databases of the shop, and what their rows contain."""

import os

from concerto_testing import ProcessEnded, free_port
from database_servers import MariaDb, Postgres

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema")
DATABASE = "shop"


def _schema(name):
    with open(os.path.join(SCHEMA, name), encoding="utf-8") as file:
        return file.read()


def _start(server):
    """Tries once more if another process took the port while the data directory was being made."""
    try:
        server.start()
    except ProcessEnded:
        if not server.process.lines("Address already in use"):
            raise
        server.port = free_port()
        server.start()


def _barrier_sql(gid):
    return ("select branch_id, op, reason from dtm_barrier.barrier"
            f" where gid = '{gid}' order by branch_id, op")


class OrderDatabase:
    """The database of order.rpc, on MariaDB."""

    def __init__(self, directory):
        self._server = MariaDb(directory)

    def __enter__(self):
        _start(self._server)
        self._server.create_database(DATABASE)
        self._server.sql(_schema("order.sql"), DATABASE)
        return self

    def __exit__(self, *_):
        self._server.kill()

    @property
    def data_source(self):
        return f"{self._server.USER}@tcp({self._server.address})/{DATABASE}"

    def orders_of(self, product):
        """{order id: (quantity, status)}"""
        rows = self._server.sql("select order_id, quantity, status from orders"
                                f" where product_id = '{product}'", DATABASE)
        return {order: (int(quantity), status) for order, quantity, status in rows}

    def barrier(self, gid):
        """(branch id, op, the op that inserted the row) of each barrier row."""
        return [tuple(row) for row in self._server.sql(_barrier_sql(gid))]


class StockDatabase:
    """The database of stock.rpc, on PostgreSQL."""

    def __init__(self, directory):
        self._server = Postgres(directory)

    def __enter__(self):
        _start(self._server)
        self._server.create_database(DATABASE)
        self._server.sql(_schema("stock.sql"), DATABASE)
        return self

    def __exit__(self, *_):
        self._server.kill()

    @property
    def data_source(self):
        return f"postgres://{self._server.USER}@{self._server.address}/{DATABASE}?sslmode=disable"

    def put_in_stock(self, product, quantity):
        self._server.sql(f"insert into stock values('{product}', {quantity})", DATABASE)

    def quantity(self, product):
        rows = self._server.sql(f"select quantity from stock where product_id = '{product}'",
                                DATABASE)
        return int(rows[0][0])

    def movements(self, product):
        """(gid, change, quantity left) of each movement, in their order."""
        rows = self._server.sql("select gid, change, quantity_left from movements"
                                f" where product_id = '{product}' order by id", DATABASE)
        return [(gid, int(change), int(left)) for gid, change, left in rows]

    def barrier(self, gid):
        """(branch id, op, the op that inserted the row) of each barrier row."""
        return [tuple(row) for row in self._server.sql(_barrier_sql(gid), DATABASE)]
