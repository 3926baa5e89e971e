#!/usr/bin/env python3
"""The order-and-stock example as a test: a saga over two go-zero services with a database each.

Checked are the rows of both databases, the SDK's barrier rows among them, and the coordinator's
own state: when the stock is enough, when it runs out, when a call comes too late, when a program
is killed in the middle, and when a service does not answer.
"""

import os
import signal
import sys
import threading
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from concerto_testing import go_build, main, need_program, wait_until  # noqa: E402

from databases import OrderDatabase, StockDatabase  # noqa: E402
from shop import Shop  # noqa: E402

# Barrier rows: (branch id, op, the op that inserted the row).
CREATED = ("01", "action", "action")
CANCELLED = ("01", "compensate", "compensate")
DEDUCTED = ("02", "action", "action")
RESTORED = ("02", "compensate", "compensate")
# The compensation's row in place of the action's: the action did nothing and never will.
DEDUCTION_BARRED = ("02", "action", "compensate")
IMPATIENT = {"request_timeout": 1, "retry_interval": 1}


class OrderStock(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        need_program("etcd", "etcd-server")
        go_build(HERE, cls.args.build_directory)
        cls.orders = cls.enterClassContext(OrderDatabase(cls.directory))
        cls.stock = cls.enterClassContext(StockDatabase(cls.directory))

    def setUp(self):
        self.name = self.id().split(".")[-1]
        self.products = 0
        directory = os.path.join(self.directory, self.name)
        os.mkdir(directory)
        self.shop = self.enterContext(Shop(
            self.args.concertod, self.args.build_directory, directory,
            {"order": self.orders.data_source, "stock": self.stock.data_source}))
        self.coordinator = self.shop.coordinator

    def new_product(self, quantity):
        """The product that is ordered from now on."""
        self.products += 1
        self.product = f"{self.name}-{self.products}"
        self.stock.put_in_stock(self.product, quantity)

    def assert_sold(self, gid, quantity, left):
        """The order is valid, and was taken from the stock once. It is the only order of the
        product."""
        self.coordinator.wait_for_status(gid, "succeed")
        self.assertEqual(self.orders.orders_of(self.product), {gid: (quantity, "valid")})
        self.assertEqual(self.stock.movements(self.product), [(gid, -quantity, left)])
        self.assertEqual(self.stock.quantity(self.product), left)
        self.assertEqual(self.orders.barrier(gid), [CREATED])
        self.assertEqual(self.stock.barrier(gid), [DEDUCTED])

    def assert_cancelled(self, gid, quantity, left):
        """The order was compensated, and the stock was never changed."""
        self.coordinator.wait_for_status(gid, "failed")
        self.assertEqual(self.orders.orders_of(self.product), {gid: (quantity, "cancelled")})
        self.assertEqual(self.stock.movements(self.product), [])
        self.assertEqual(self.stock.quantity(self.product), left)
        self.assertEqual(self.orders.barrier(gid), [CREATED, CANCELLED])
        self.assertEqual(self.stock.barrier(gid), [DEDUCTION_BARRED, RESTORED])

    def assert_branches(self, gid, *states):
        branches = self.coordinator.query(gid)["branches"]
        self.assertEqual([(b["branch_id"], b["op"], b["status"]) for b in branches], list(states))

    def test_orders_enough(self):
        self.shop.start_all()
        self.new_product(10)
        answer = self.shop.order(self.product, 3).result()
        self.assertEqual((answer.status, answer.error), (200, ""))
        self.assert_sold(answer.gid, 3, 7)
        self.assert_branches(answer.gid, ("01", "compensate", "prepared"),
                             ("01", "action", "succeed"), ("02", "compensate", "prepared"),
                             ("02", "action", "succeed"))

    def test_orders_short(self):
        self.shop.start_all()
        self.new_product(10)
        answer = self.shop.order(self.product, 11).result()
        self.assertEqual(answer.status, 409)
        self.assertIn(f"/stock.rpc/pb.Stock/Deduct return failed: not enough {self.product} in"
                      " stock FAILURE", answer.error)
        self.assert_cancelled(answer.gid, 11, 10)
        self.shop.wait_for_call("restore", "nothing to do", answer.gid)
        self.assert_branches(answer.gid, ("01", "compensate", "succeed"),
                             ("01", "action", "succeed"), ("02", "compensate", "succeed"),
                             ("02", "action", "failed"))

    def test_orders_many(self):
        """50 customers at once for a stock of 20."""
        self.shop.start_all()
        self.new_product(20)
        answers = [future.result() for future in
                   [self.shop.order(self.product, 1, retry_interval=1) for _ in range(50)]]
        gids = [answer.gid for answer in answers]
        self.assertEqual(len(set(gids)), 50, [answer.error for answer in answers])
        orders = self.wait_for_all(gids)
        self.assertEqual(Counter(orders.values()), {"succeed": 20, "failed": 30})
        self.assert_consistent(orders, 20)
        for answer in answers:
            # A customer who waited too long for an answer got 409, too; but 200 is a promise.
            self.assertIn(answer.status, (200, 409), answer.error)
            if answer.status == 200:
                self.assertEqual(orders[answer.gid], "succeed")

    def assert_consistent(self, orders, stock):
        """Checks that orders of one piece each, {gid: last status}, agree with the rows of both
        databases."""
        row = {"succeed": (1, "valid"), "failed": (1, "cancelled")}
        self.assertEqual(self.orders.orders_of(self.product),
                         {gid: row[status] for gid, status in orders.items()})
        sold = {gid for gid, status in orders.items() if status == "succeed"}
        movements = self.stock.movements(self.product)
        self.assertEqual({gid for gid, _, _ in movements}, sold)
        self.assertEqual([(change, left) for _, change, left in movements],
                         [(-1, stock - 1 - index) for index in range(len(sold))])
        self.assertEqual(self.stock.quantity(self.product), stock - len(sold))

    def wait_for_all(self, gids):
        """Each transaction's last status."""
        orders = {}
        for gid in gids:
            wait_until(lambda gid=gid: self.coordinator.status(gid) in ("succeed", "failed"),
                       f"{gid} has ended", 20)
            orders[gid] = self.coordinator.status(gid)
        return orders

    def test_late_action(self):
        """The compensation comes first. The action that arrives later does nothing."""
        self.shop.start_all()
        self.new_product(10)
        with self.shop.gate("deduct-arrived"):
            gid, answer = self.shop.order_begun(self.product, 3, timeout_to_fail=2, **IMPATIENT)
            self.shop.wait_until_held("deduct-arrived", gid)
            self.assert_cancelled(gid, 3, 10)
            late = self.shop.calls("deduct", "begins", gid)
            self.assertEqual(self.shop.calls("deduct", ".*", gid), late, "none has ended")
        self.shop.wait_for_call("deduct", "nothing to do", gid, late)
        self.assert_cancelled(gid, 3, 10)
        self.assertEqual(answer.result().status, 409)

    def test_late_commit(self):
        """The compensation comes before the action has committed. It waits, then undoes the action.
        """
        self.shop.start_all()
        self.new_product(10)
        with self.shop.gate("deduct-uncommitted"):
            gid, answer = self.shop.order_begun(self.product, 3, timeout_to_fail=2, **IMPATIENT)
            self.shop.wait_until_held("deduct-uncommitted", gid)
            self.shop.wait_for_call("restore", "begins", gid)
            self.assertEqual(self.coordinator.status(gid), "aborting")
            self.assertEqual(self.stock.quantity(self.product), 10)
        self.shop.wait_for_call("deduct", "done", gid)
        self.shop.wait_for_call("restore", "done", gid)
        self.coordinator.wait_for_status(gid, "failed")
        self.assertEqual(self.orders.orders_of(self.product), {gid: (3, "cancelled")})
        self.assertEqual(self.stock.movements(self.product), [(gid, -3, 7), (gid, 3, 10)])
        self.assertEqual(self.stock.quantity(self.product), 10)
        self.assertEqual(self.orders.barrier(gid), [CREATED, CANCELLED])
        self.assertEqual(self.stock.barrier(gid), [DEDUCTED, RESTORED])
        self.assertEqual(answer.result().status, 409)

    def crash(self, victim, gate, quantity):
        """Kills a program while a call is held at a gate; returns the gid and the API's answer."""
        self.new_product(10)
        with self.shop.gate(gate):
            gid, answer = self.shop.order_begun(self.product, quantity, **IMPATIENT)
            self.shop.wait_until_held(gate, gid)
            self.assertIn(self.coordinator.status(gid), ("submitted", "aborting"))
            self.shop.kill(victim)
        return gid, answer.result()

    def test_stock_killed(self):
        """Kills the service between its commit and its answer, and before its commit."""
        self.shop.start_all()
        for gate, done_before in (("deduct-committed", True), ("deduct-uncommitted", False)):
            with self.subTest(gate):
                gid, answer = self.crash("stock", gate, 3)
                self.assertEqual(answer.status, 409, answer.error)
                self.assertEqual(self.stock.quantity(self.product), 7 if done_before else 10)
                self.shop.start_participant("stock")
                self.assert_sold(gid, 3, 7)
                self.shop.wait_for_call("deduct", "nothing to do" if done_before else "done", gid)

    def test_stock_moves(self):
        """The service comes back at another address, while its old address is still in etcd."""
        self.shop.start_all()
        gid, _ = self.crash("stock", "deduct-committed", 3)
        self.shop.move("stock")
        self.shop.start_participant("stock")
        self.assert_sold(gid, 3, 7)
        self.shop.wait_for_call("deduct", "nothing to do", gid)

    def test_order_killed(self):
        """Kills the service when it has created the order, and when it has cancelled it."""
        self.shop.start_all()
        for gate, quantity in (("create-committed", 3), ("cancel-committed", 11)):
            with self.subTest(gate):
                gid, answer = self.crash("order", gate, quantity)
                self.assertEqual(answer.status, 409, answer.error)
                self.assertEqual(len(self.orders.orders_of(self.product)), 1)
                self.shop.start_participant("order")
                if quantity == 3:
                    self.assert_sold(gid, 3, 7)
                else:
                    self.assert_cancelled(gid, 11, 10)
                self.shop.wait_for_call(gate.split("-")[0], "nothing to do", gid)

    def test_coordinator_killed(self):
        """Kills the coordinator while it waits for an answer, on the way forward and on the way
        back."""
        self.shop.start_all()
        for gate, quantity in (("create-committed", 3), ("deduct-committed", 3),
                               ("restore-committed", 11), ("cancel-committed", 11)):
            with self.subTest(gate):
                gid, answer = self.crash("coordinator", gate, quantity)
                self.assertEqual(answer.status, 502, answer.error)
                # Nobody gets the answer.
                call = gate.split("-")[0]
                self.shop.wait_for_call(call, "done|nothing to do", gid)
                calls = self.shop.calls(call, "begins", gid)
                self.shop.start_coordinator()
                if quantity == 3:
                    self.assert_sold(gid, 3, 7)
                else:
                    self.assert_cancelled(gid, 11, 10)
                self.assertGreater(self.shop.calls(call, "begins", gid), calls, "called again")
                # A new API, which does not wait for an old connection.
                self.shop.kill("api")
                self.shop.start_api()

    def test_outage_hangs(self):
        """stock.rpc is there and does not answer. When it goes on, all its calls are repeated."""
        self.shop.start_all()
        self.new_product(10)
        os.kill(self.shop["stock"].pid, signal.SIGSTOP)
        gid, answer = self.shop.order_begun(self.product, 3, **IMPATIENT)
        self.shop.wait_for_retries(gid, 4)
        self.assertEqual(self.coordinator.status(gid), "submitted")
        os.kill(self.shop["stock"].pid, signal.SIGCONT)
        self.assert_sold(gid, 3, 7)
        self.assertEqual(answer.result().status, 409)

    def test_outage_absent(self):
        """stock.rpc has never registered. Then it comes."""
        self.shop.start_coordinator()
        self.shop.start_participant("order")
        self.shop.start_api()
        self.new_product(10)
        gid, answer = self.shop.order_begun(self.product, 3, **IMPATIENT)
        self.shop.wait_for_retries(gid, 2)
        self.assertEqual(self.coordinator.status(gid), "submitted")
        self.shop.start_participant("stock")
        self.assert_sold(gid, 3, 7)
        self.assertEqual(answer.result().status, 409)

    def test_storm(self):
        """Kills all programs but the API in turn, while customers keep ordering."""
        self.shop.start_all()
        self.new_product(100)
        over = threading.Event()
        with ThreadPoolExecutor() as pool:
            customers = [pool.submit(self.order_until, over) for _ in range(6)]
            for victim in ("stock", "coordinator", "order", "coordinator"):
                self.wait_for_orders(20)
                self.shop.kill(victim)
                self.wait_for_orders(5 if victim != "coordinator" else 0)
                self.shop.start(victim)
            over.set()
        answers = [answer for customer in customers for answer in customer.result()]
        unheard = {a.gid for a in answers if self.coordinator.status(a.gid) is None}
        orders = self.wait_for_all({a.gid for a in answers} - unheard)
        self.assertEqual(Counter(orders.values())["succeed"], min(100, len(orders)))
        # All rows are compared, so a transaction that the coordinator does not know must have none.
        self.assert_consistent(orders, 100)
        self.assertLessEqual({a.status for a in answers if a.gid in unheard}, {502})
        self.assertEqual({orders[a.gid] for a in answers if a.status == 200}, {"succeed"})

    def order_until(self, over):
        """A customer. Returns the answers to all orders that were placed."""
        answers = []
        while not over.is_set():
            answer = self.shop.order(self.product, 1, **IMPATIENT).result()
            if answer.gid:
                answers.append(answer)
            else:
                over.wait(0.02)
        return answers

    def wait_for_orders(self, count):
        """Waits until the API has begun so many more orders."""
        before = len(self.shop["api"].lines("^order "))
        self.shop["api"].wait_for_line("^order ", count=max(1, before + count))


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where the Go programs are built",
                        type=os.path.abspath)


if __name__ == "__main__":
    main(OrderStock, add_arguments, __doc__)
