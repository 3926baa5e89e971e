"""One transaction whose branches are a Go service and a C++ service on one barrier table."""


class SharedTable:
    """Makes transfers whose second branch is served by the C++ program."""

    def __init__(self, world, database):
        self._world = world
        self._bank = world.open_bank(database)

    def transfer(self, mode):
        transfer = self._world.transfer(mode, "http", self._bank)
        other = self._world.start_program(self._bank, f"{transfer.gid}-cpp",
                                          binary=self._world.args.cpp_bank)
        transfer.programs[1] = other
        transfer.branches[1]["at"] = other.address("http")
        return transfer


def check_shared_table(world, database):
    table = SharedTable(world, database)
    ops = {"saga": ("action", "compensate"), "tcc": ("try", "cancel")}
    world.run_together([
        run(lambda chosen=mode: table.transfer(chosen), *ops[mode])
        for mode in ops for run in (success, failure_at_go, failure_at_cpp, late)])


def success(new_transfer, forward, _):
    transfer = new_transfer()
    transfer.start()
    yield
    transfer.check("succeed", "^ok$")
    _repeat_crosswise(transfer, forward, *(["confirm"] if transfer.mode == "tcc" else []))
    transfer.check_money("succeed")


def failure_at_go(new_transfer, forward, back):
    """The C++ service has done its work, and undoes it."""
    transfer = new_transfer()
    transfer.swap()
    yield from _failure(transfer, forward, back)


def failure_at_cpp(new_transfer, forward, back):
    """The Go service has done its work, and undoes it."""
    transfer = new_transfer()
    for branch in transfer.branches:  # The C++ service is the one that takes money out.
        branch["amount"] = -branch["amount"]
    yield from _failure(transfer, forward, back)


def _failure(transfer, forward, back):
    transfer.overdraw()
    transfer.start()
    yield
    transfer.check("failed")
    _repeat_crosswise(transfer, back, forward)
    transfer.check_money("failed")


def late(new_transfer, forward, back):
    """One service gets the compensation of an action that comes later to the other."""
    transfer = new_transfer()
    for branch_id in ("01", "02"):
        transfer.repeat([back], [branch_id])
        transfer.programs.reverse()
        transfer.repeat([forward], [branch_id])
        transfer.programs.reverse()
    transfer.check_money("failed")
    yield


def _repeat_crosswise(transfer, *ops):
    """Each service gets the calls that the other has answered."""
    transfer.programs.reverse()
    transfer.repeat(ops, ["01", "02"])
    transfer.programs.reverse()
