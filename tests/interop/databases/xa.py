"""XA: the branches' work is prepared in the database, and committed by the coordinator's call."""

from shared_stores import MysqlServer, store_server

TIMEOUT_TO_FAIL_S = 3


def check_xa(world, database, wire):
    bank = world.open_bank(database)

    def new_transfer():
        return world.transfer("xa", wire, bank)

    world.run_together([run(new_transfer) for run in (
        success, failure_at_first, failure_at_second, crash_before_prepare, crash_before_commit,
        crash_after_commit, crash_before_rollback, crash_after_rollback, late)]
        + [timeout(world, new_transfer)])
    world.run_together([coordinator_dies(world, new_transfer)])
    world.run_together([database_dies(new_transfer)])


def check_xa_on_stores(world):
    """With each store that coordinators share. The store on MySQL is on the bank's server."""
    bank = world.open_bank("mariadb")
    servers = {"mysql": MysqlServer(world.work, bank.server)}
    for name in ("postgres", "redis"):
        servers[name] = world.enterContext(store_server(name, world.work))
    for name, server in servers.items():
        with world.subTest(store=name):
            world.move_to(server.place(f"{name}_store"))
            check_xa_on_this_store(world, bank)


def check_xa_on_this_store(world, bank):
    transfers = [lambda wire=wire: world.transfer("xa", wire, bank) for wire in ("http", "grpc")]
    world.run_together([run(new_transfer) for new_transfer in transfers for run in (
        success, failure_at_second, crash_before_commit, crash_before_rollback)]
        + [timeout(world, new_transfer) for new_transfer in transfers])
    world.run_together([coordinator_dies(world, transfers[0])])


def success(new_transfer):
    transfer = new_transfer()
    transfer.start()
    yield
    transfer.check("succeed", "^ok$")


def failure_at_first(new_transfer):
    transfer = new_transfer()
    transfer.overdraw()
    transfer.start()
    yield
    transfer.check("failed", "FAILURE")


def failure_at_second(new_transfer):
    transfer = new_transfer()
    transfer.swap()
    transfer.overdraw()
    transfer.start()
    yield
    transfer.program.wait_for_answer(transfer.gid, "01:rollback", "ok")
    transfer.check("failed", "FAILURE")


def crash_before_prepare(new_transfer):
    """The database rolls back what was not prepared."""
    transfer = new_transfer()
    transfer.start_until("registerBranch:01:")
    transfer.program.restart()
    yield
    transfer.check("failed", "EOF|Unavailable|reset|refused")


def crash_before_commit(new_transfer):
    transfer = new_transfer()
    transfer.start_until("01:commit:arrived")
    transfer.wait_until_prepared(2)
    transfer.program.restart()
    yield
    transfer.check("succeed", "^ok$")


def crash_after_commit(new_transfer):
    """The repeated commit finds nothing to commit."""
    transfer = new_transfer()
    transfer.start_until("01:commit:done")
    transfer.wait_until_prepared(1)
    transfer.program.restart()
    yield
    transfer.check("succeed", "^ok$")


def crash_before_rollback(new_transfer):
    transfer = new_transfer()
    transfer.swap()
    transfer.overdraw()
    transfer.start_until("01:rollback:arrived")
    transfer.wait_until_prepared(1)
    transfer.program.restart()
    yield
    transfer.check("failed", "FAILURE")


def crash_after_rollback(new_transfer):
    transfer = new_transfer()
    transfer.swap()
    transfer.overdraw()
    transfer.start_until("01:rollback:done")
    transfer.wait_until_prepared(0)
    transfer.program.restart()
    yield
    transfer.check("failed", "FAILURE")


def late(new_transfer):
    """A branch's work is on its way while the transaction times out, so it cannot register."""
    transfer = new_transfer()
    transfer.start_until("01:action:arrived", timeout_to_fail=TIMEOUT_TO_FAIL_S)
    yield
    transfer.check("failed")
    transfer.program.release()
    transfer.check("failed", "status: prepared found")


def timeout(world, new_transfer):
    """The program that started the transaction dies before the submit."""
    transfer = new_transfer()
    transfer.start(hold="submit", timeout_to_fail=TIMEOUT_TO_FAIL_S)
    transfer.wait_until_prepared(2)
    transfer.initiator.kill()
    yield
    transfer.check("failed")
    reason = world.coordinator.query(transfer.gid)["transaction"]["rollback_reason"]
    world.assertRegex(reason, r"^Timeout after \d+ seconds$")


def coordinator_dies(world, new_transfer):
    """The coordinator and the branches' program die, between the two commits."""
    transfer = new_transfer()
    transfer.start_until("02:commit:arrived")
    transfer.wait_until_prepared(1)
    world.coordinator.kill()
    transfer.program.restart()
    world.coordinator.start()
    yield
    transfer.check("succeed", "^ok$")


def database_dies(new_transfer):
    """The database remembers what was prepared."""
    transfer = new_transfer()
    transfer.start_until("01:commit:arrived")
    transfer.wait_until_prepared(2)
    transfer.program.bank.server.kill()
    transfer.program.bank.server.start()
    transfer.wait_until_prepared(2)
    transfer.program.release()
    yield
    transfer.check("succeed", "^ok$")
