"""Workflows with branches of three kinds in their own process: like a saga's, like TCC's, XA."""

from world import AMOUNT

SAGA, TCC, XA = "out", "in", "rest"  # the accounts; Transfer has the same names for the first two


def check_workflows(world, database):
    bank = world.open_bank(database)
    for wire in ("http", "grpc"):
        with world.subTest(wire=wire):
            def new_transfer(chosen=wire):
                return _new_transfer(world, chosen, bank)

            world.run_together([run(new_transfer) for run in (
                success, failure, crash_between, crash_before_record, crash_in_xa,
                crash_after_xa, crash_in_commit, crash_before_submit)])


def _new_transfer(world, wire, bank):
    transfer = world.transfer("workflow", wire, bank)
    transfer.add(XA, -AMOUNT, transfer.program)
    for branch, kind in zip(transfer.branches, ("saga", "tcc", "xa")):
        branch["kind"] = kind
    return transfer


def success(new_transfer):
    transfer = new_transfer()
    transfer.start()
    yield
    transfer.check("succeed", "^ok$")


def failure(new_transfer):
    """The last branch fails. The others take back what they did."""
    transfer = new_transfer()
    transfer.branches[2]["amount"] *= 100
    transfer.start()
    yield
    transfer.check("failed", "FAILURE")
    for step in ("01 action", "02 try", "02 cancel", "01 compensate"):
        transfer.initiator.process.wait_for_line(f"^step {step}$")


def _crash(transfer, point):
    """Kills the program at a point. Started again, it only waits for the coordinator's call."""
    transfer.start(hold=point)
    transfer.initiator.restart()


def crash_between(new_transfer):
    transfer = new_transfer()
    _crash(transfer, f"{transfer.gid}-{XA}:begin")
    yield
    transfer.check("succeed")


def crash_before_record(new_transfer):
    """A step has been committed and not recorded. Its second run finds it done."""
    transfer = new_transfer()
    _crash(transfer, f"{transfer.gid}-{TCC}:done")
    yield
    transfer.check("succeed")
    transfer.initiator.process.wait_for_line("^step 02 try$")


def crash_in_xa(new_transfer):
    """The work of XA was neither prepared nor recorded. The second run does it."""
    transfer = new_transfer()
    _crash(transfer, "registerBranch:03:business")
    yield
    transfer.check("succeed")


def crash_after_xa(new_transfer):
    """XA is prepared, but its step is not recorded. The SDK rolls back."""
    transfer = new_transfer()
    transfer.start(hold="registerBranch:03:action")
    transfer.wait_until_prepared(1)
    transfer.initiator.restart()
    yield
    transfer.check("failed")


def crash_in_commit(new_transfer):
    """XA is committed, but that is not recorded. TCC is not confirmed yet."""
    transfer = new_transfer()
    transfer.start(hold="registerBranch:03:commit")
    transfer.wait_until_prepared(0)
    transfer.initiator.restart()
    yield
    transfer.check("succeed")
    transfer.initiator.process.wait_for_line("^step 02 confirm$")


def crash_before_submit(new_transfer):
    transfer = new_transfer()
    _crash(transfer, "submit")
    yield
    transfer.check("succeed")
