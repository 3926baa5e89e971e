"""One transaction whose branches are a Go service and a C++ service on one barrier table."""

from messages import COMMITTED, Message

ROLLED_BACK = "FAILURE|not committed"  # in the words of each program


class SharedTable:
    """Makes transfers whose second branch is served by the C++ program."""

    def __init__(self, world, database):
        self._world = world
        self._bank = world.open_bank(database)

    def transfer(self, mode, begins="go"):
        """`begins`: the program that begins it."""
        transfer = self._world.transfer(mode, "http", self._bank)
        if begins == "cpp":
            transfer.initiator_binary = self._world.args.cpp_bank
        other = self._world.start_program(self._bank, f"{transfer.gid}-cpp",
                                          binary=self._world.args.cpp_bank)
        transfer.programs[1] = other
        transfer.branches[1]["at"] = other.address("http")
        return transfer

    def message(self, local):
        """A msg with local work by the Go or the C++ program. The other one delivers it, and is
        asked how the work ended."""
        transfer = self.transfer("msg")
        if local == "cpp":
            transfer.swap()
            for branch in transfer.branches:
                branch["amount"] = -branch["amount"]
            transfer.initiator_binary = self._world.args.cpp_bank
        return Message(transfer, transfer.programs[1])


def check_shared_table(world, database):
    table = SharedTable(world, database)
    ops = {"saga": ("action", "compensate"), "tcc": ("try", "cancel")}
    world.run_together([
        run(lambda chosen=mode: table.transfer(chosen), *ops[mode])
        for mode in ops for run in (success, failure_at_go, failure_at_cpp, late)])
    world.run_together([
        run(lambda chosen=local: table.message(chosen))
        for local in ("go", "cpp")
        for run in (delivered, fails_locally, asked_after_commit, asked_before_local)])
    world.run_together([run(lambda: table.transfer("xa")) for run in (
        xa_success, xa_failure_at_go, xa_failure_at_cpp, ended_by_the_other, xa_late)])
    world.run_together([
        run(lambda chosen=mode: table.transfer(chosen, begins="cpp"))
        for mode in ("xa", "workflow") for run in (begun_in_cpp, begun_in_cpp_and_fails)])


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


def delivered(new_message):
    message = new_message()
    message.start()
    yield
    message.check("succeed", "^ok$")
    for program in message.transfer.programs:  # to one of them it is a repeated call
        program.call("msg", message.gid, "01", "action", message.transfer.branches[1])
    message.transfer.check_money("succeed")


def fails_locally(new_message):
    message = new_message()
    message.transfer.overdraw()
    message.start()
    yield
    message.check("failed", "FAILURE|not enough money")


def asked_after_commit(new_message):
    """Whoever did the work dies, and the other one finds its row."""
    message = new_message()
    message.start(hold="submit")
    message.initiator.kill()
    yield
    message.check("succeed")
    message.check_asked(COMMITTED)


def asked_before_local(new_message):
    """The other one has said that the work did not happen, so it must not happen any more."""
    message = new_message()
    message.start(hold="local:begin")
    yield
    message.check("failed")
    message.check_asked(ROLLED_BACK)
    message.initiator.release()
    message.check("failed", "DUPLICATED|given up before")


def xa_success(new_transfer):
    transfer = new_transfer()
    transfer.start()
    yield
    transfer.check("succeed", "^ok$")
    _repeat_crosswise(transfer, "commit")
    transfer.check_money("succeed")


def xa_failure_at_go(new_transfer):
    """The C++ service has prepared its work, which is rolled back."""
    transfer = new_transfer()
    transfer.swap()
    yield from _xa_failure(transfer)


def xa_failure_at_cpp(new_transfer):
    transfer = new_transfer()
    for branch in transfer.branches:
        branch["amount"] = -branch["amount"]
    yield from _xa_failure(transfer)


def _xa_failure(transfer):
    transfer.overdraw()
    transfer.start()
    yield
    transfer.check("failed", "FAILURE|see the log")
    _repeat_crosswise(transfer, "rollback")
    transfer.check_money("failed")


def begun_in_cpp(new_transfer):
    """A workflow does both steps of XA in its own process."""
    transfer = new_transfer()
    transfer.start()
    yield
    transfer.check("succeed", "^ok$")


def begun_in_cpp_and_fails(new_transfer):
    """At the second branch. The work of the first one is prepared, and rolled back."""
    transfer = new_transfer()
    transfer.swap()
    transfer.overdraw()
    transfer.start()
    yield
    transfer.check("failed", "FAILURE")


def ended_by_the_other(new_transfer):
    """The C++ service commits what the Go service has prepared."""
    transfer = new_transfer()
    transfer.start_until("01:commit:arrived")
    transfer.wait_until_prepared(2)
    transfer.programs[1].call("xa", transfer.gid, "01", "commit", transfer.branches[0])
    transfer.wait_until_prepared(1)
    transfer.program.release()
    yield
    transfer.check("succeed", "^ok$")


def xa_late(new_transfer):
    """The Go service gets the rollback of an action that comes later to the C++ service."""
    transfer = new_transfer()
    transfer.repeat(["rollback"], ["01"])
    transfer.programs[1].call("xa", transfer.gid, "01", "action", transfer.branches[0], (500,))
    transfer.check_money("failed")
    yield
