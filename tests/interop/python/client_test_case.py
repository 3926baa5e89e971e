"""What the tests of this directory share: a coordinator, branches in this process, the client."""

import contextlib
import io
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
os.environ["NO_PROXY"] = "*"  # so that the client uses no proxy

from dtmcli import utils  # noqa: E402
from concerto_testing import BranchServer, Concertod, wait_until  # noqa: E402
from concerto_testing.branch_server import FAILURE, ONGOING, SUCCESS  # noqa: E402
from shared_stores import add_store_argument, use_store  # noqa: E402

__all__ = ["BROKEN", "FAILURE", "HERE", "ONGOING", "SUCCESS", "ClientTestCase", "DTMFailureError",
           "add_arguments", "quietly"]

BROKEN = (500, "out of order")
DTMFailureError = utils.DTMFailureError


def quietly(call, *arguments):
    """Hides what the client prints, and the errors that it does not raise."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return call(*arguments)


class ClientTestCase(unittest.TestCase):
    maxDiff = None
    SETTINGS = {"RetryInterval": 1, "RequestTimeout": 2}
    ACCESS = {}  # how the test itself reaches the coordinator, if that wants TLS or tokens

    @classmethod
    def setUpClass(cls):
        use_store(cls)

    def setUp(self):
        name = self.id().split(".")[-1]
        self.work = os.path.join(self.directory, name)
        os.mkdir(self.work)
        place = self.store.place(name)
        self.coordinator = Concertod(self.args.concertod, self.work,
                                     {**self.SETTINGS, **place.settings}, **self.ACCESS)
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start(*place.options_of_first_start)
        self.api = self.coordinator.api
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)

    def new_gid(self):
        return utils.gen_gid(self.api)

    def calls(self, gid):
        """The branch calls of a transaction: op, branch id and name of each."""
        return [str(call) for call in self.branches.calls(gid)]

    def wait_for_branch(self, gid, branch_id, op, status):
        wait_until(lambda: any((branch["branch_id"], branch["op"], branch["status"]) ==
                               (branch_id, op, status)
                               for branch in self.coordinator.query(gid)["branches"]),
                   f"branch {branch_id} {op} of {gid} is {status}")

    def assert_ends(self, gid, status, calls, reason=None):
        """Checks how a transaction ends, and all the branch calls that it took."""
        self.coordinator.wait_for_status(gid, status)
        self.assertEqual(self.calls(gid), calls)
        if reason is not None:
            stored = self.coordinator.query(gid)["transaction"]
            self.assertRegex(stored.get("rollback_reason", ""), reason)


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    add_store_argument(parser)
