"""Two-phase messages. Money is taken out in a local transaction under the message's barrier, then
put in by a branch. If the submit is missing, the coordinator asks how the local transaction ended.
"""

TIMEOUT_TO_FAIL_S = 2

COMMITTED, ROLLED_BACK = "ok", "FAILURE"


def check_messages(world, database):
    bank = world.open_bank(database)
    scenarios = (success, local_failure, crash_before_local, crash_before_submit,
                 asked_before_local, delivery_crashes)
    if database != "redis":  # in Redis nothing lies between the beginning and the end
        scenarios += (crash_in_local, asked_in_local)
    for wire in ("http", "grpc"):
        with world.subTest(wire=wire):
            def new_message(chosen=wire):
                return Message(world.transfer("msg", chosen, bank))

            world.run_together([run(new_message) for run in scenarios])


class Message:
    """A transfer whose first branch is the local transaction. `program`: who is asked about it."""

    def __init__(self, transfer, program=None):
        self.transfer = transfer
        self.gid = transfer.gid
        self.program = program or transfer.program

    @property
    def initiator(self):
        return self.transfer.initiator

    def start(self, hold=""):
        local, delivered = self.transfer.branches
        self.transfer.start(hold, branches=[delivered], local=local,
                            query_at=self.program.address(self.transfer.wire),
                            timeout_to_fail=TIMEOUT_TO_FAIL_S)

    def check_asked(self, answer):
        self.program.wait_for_answer(self.gid, "00:msg", answer)

    def check(self, status, result=None):
        self.transfer.check(status, result)


def success(new_message):
    message = new_message()
    message.start()
    yield
    message.check("succeed", "^ok$")


def local_failure(new_message):
    message = new_message()
    message.transfer.overdraw()
    message.start()
    yield
    message.check("failed", "FAILURE")


def crash_before_local(new_message):
    message = new_message()
    message.start(hold="local:begin")
    message.initiator.kill()
    yield
    message.check("failed")
    message.check_asked(ROLLED_BACK)


def crash_in_local(new_message):
    """The database rolls back what was not committed."""
    message = new_message()
    message.start(hold="local:open")
    message.initiator.kill()
    yield
    message.check("failed")
    message.check_asked(ROLLED_BACK)


def crash_before_submit(new_message):
    message = new_message()
    message.start(hold="submit")
    message.initiator.kill()
    yield
    message.check("succeed")
    message.check_asked(COMMITTED)


def asked_before_local(new_message):
    """The local transaction is late: the query was answered before it, so it must not happen."""
    message = new_message()
    message.start(hold="local:begin")
    yield
    message.check("failed")
    message.check_asked(ROLLED_BACK)
    message.initiator.release()
    message.check("failed", "DUPLICATED")


def asked_in_local(new_message):
    """The query is answered after the local transaction, which goes on to its commit."""
    message = new_message()
    message.start(hold="local:open")
    yield
    message.program.wait_for_call(message.gid, "00:msg")
    message.initiator.release()
    message.check("succeed")
    message.check_asked(COMMITTED)


def delivery_crashes(new_message):
    """After the branch's local commit and before its answer."""
    message = new_message()
    message.program.hold("01:action:done")
    message.start()
    message.program.wait_for_hold("01:action:done")
    message.program.restart()
    yield
    message.check("succeed", "^ok$")
