"""What the tests share: a coordinator, banks with their programs, and transfers between them."""

import os
import unittest

from banks import HERE, open_bank
from program import WAIT_TIMEOUT_S, Program

from concerto_testing import Concertod, free_port, go_build, wait_until

BALANCE = 100
AMOUNT = 30
# The shortest intervals that the coordinator accepts.
SETTINGS = {"RetryInterval": 1, "TransCronInterval": 1, "RequestTimeout": 1}
LEASE_S = 5  # the shortest, too


class World(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.work = os.path.join(self.directory, self.id().split(".")[-1])
        os.mkdir(self.work)
        go_build(HERE, self.args.build_directory)
        self.coordinator = Concertod(self.args.concertod, self.work, SETTINGS)
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start()
        self._transfers = 0
        self._programs = []

    def move_to(self, place):
        """From now on the coordinator is one whose store is in `place`, which must be new."""
        self.coordinator.kill()
        settings = {**SETTINGS, "Store.Lease": LEASE_S, **place.settings}
        self.coordinator = Concertod(self.args.concertod, self.work, settings,
                                     name=f"concertod-{place.name}")
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start(*place.options_of_first_start)

    def open_bank(self, database):
        bank = open_bank(database, self.work)
        self.addCleanup(bank.server.kill)
        return bank

    def start_program(self, bank, name, wire="http", binary=None, **options):
        program = Program(self, bank, name, wire, binary)
        self.addCleanup(program.kill)
        self._programs.append(program)
        program.start(**options)
        return program

    def transfer(self, mode, wire, out_of, into=None):
        """A new transfer from a bank to another, or within one."""
        self._transfers += 1
        gid = f"{mode}-{wire}-{self._transfers}"
        program = self.start_program(out_of, f"{gid}-bank")
        other = self.start_program(into, f"{gid}-other-bank") if into else program
        transfer = Transfer(self, mode, wire, gid)
        transfer.add("out", -AMOUNT, program)
        transfer.add("in", AMOUNT, other)
        return transfer

    def run_together(self, scenarios):
        """Scenarios are generators. Before its yield, each brings its transfer into trouble; after
        it, each checks how the transfer ends. The coordinator has all of them at one time."""
        for step in range(2):
            for scenario in scenarios:
                with self.subTest(scenario=scenario.__name__, step=step):
                    next(scenario, None)
        for program in self._programs:
            program.kill()
        self._programs.clear()


class Transfer:
    """Changes of accounts, all of which must happen or none. Each is made by one branch.

    The branches can be changed before `start`. A program of its own starts the transfer.
    """

    def __init__(self, world, mode, wire, gid):
        self.gid = gid
        self.mode = mode
        self.wire = wire
        self.programs = []
        self.branches = []
        self.initiator = None
        self.initiator_binary = None  # none: the Go program
        self._world = world

    @property
    def program(self):
        """The program of the first branch, and often of all branches."""
        return self.programs[0]

    def add(self, name, amount, program, **options):
        account = f"{self.gid}-{name}"
        program.bank.open(account, BALANCE)
        self.programs.append(program)
        self.branches.append({"account": account, "amount": amount,
                              "at": program.address(self.wire), **options})

    def swap(self):
        """Makes the branch that puts money in the first one."""
        self.programs.reverse()
        self.branches.reverse()

    def overdraw(self):
        """Takes out more than there is."""
        for branch in self.branches:
            if branch["amount"] < 0:
                branch["amount"] *= BALANCE

    def refuse(self, index):
        """A branch refuses its first call before it touches its database."""
        self.branches[index]["refuse"] = True

    def misdirect(self, index):
        """The first call of a branch goes where nobody listens."""
        self.branches[index]["action_at"] = f"127.0.0.1:{free_port()}"

    def work(self, **options):
        return {"mode": self.mode, "gid": self.gid, "branches": self.branches, **options}

    def start(self, hold="", **options):
        """Returns at once or, with `hold`, when the program that started the transfer waits at the
        point."""
        self.initiator = self._world.start_program(
            self.program.bank, f"{self.gid}-initiator", self.wire, self.initiator_binary,
            hold=hold, work=self.work(**options))
        if hold:
            self.initiator.wait_for_hold(hold)

    def start_until(self, point, **options):
        """Returns when the first program waits at a point."""
        self.program.hold(point)
        self.start(**options)
        self.program.wait_for_hold(point)

    def repeat(self, ops, branch_ids):
        """Calls branches again that have been called. That must change nothing."""
        for op in ops:
            for branch_id in branch_ids:
                branch = self.branches[int(branch_id) - 1]
                order = {"account": branch["account"], "amount": branch["amount"]}
                self.programs[int(branch_id) - 1].call(self.mode, self.gid, branch_id, op, order)

    def check(self, status, result=None):
        """Waits for the end, which the program that started it must see as `result`. Then counts
        the money."""
        if result:
            self._world.assertRegex(self.initiator.result(), result)
        self._world.coordinator.wait_for_status(self.gid, status, WAIT_TIMEOUT_S)
        self.check_money(status)

    def check_money(self, status):
        moved = 1 if status == "succeed" else 0
        self._world.assertEqual(
            [program.bank.balance(branch["account"])
             for program, branch in zip(self.programs, self.branches)],
            [BALANCE + moved * branch["amount"] for branch in self.branches],
            f"{self.gid} is {status}")
        for program in self.programs:
            self._world.assertEqual(self.prepared(program), [], f"{self.gid} is {status}")

    def prepared(self, program):
        """The prepared transactions of this one in a program's database."""
        return [row for row in program.bank.prepared() if self.gid + "-" in row[-1]]

    def wait_until_prepared(self, count):
        wait_until(lambda: len(self.prepared(self.program)) == count,
                   f"{count} prepared transactions of {self.gid}")
