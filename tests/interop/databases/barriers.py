"""Sagas and TCC transactions whose branches run under the SDK's barrier.

`forward` and `back` are the ops of a branch: action and compensate, or try and cancel.
"""

TIMEOUT_TO_FAIL_S = 2
# An action is called once more after its first failure; then the saga rolls back.
RETRY_LIMIT = 1


def check_sagas(world, database):
    _check(world, database, "saga", "action", "compensate",
           (success, failure_at_first, failure_at_second, refused_at_first, refused_at_second,
            first_never_arrives, second_never_arrives, late, crash_before_action,
            crash_after_action, crash_before_undo, crash_after_undo))


def check_tccs(world, database):
    _check(world, database, "tcc", "try", "cancel",
           (success, failure_at_first, failure_at_second, refused_at_first, refused_at_second,
            first_never_arrives, second_never_arrives, late, crash_after_try,
            crash_before_confirm, crash_after_confirm, crash_before_undo, crash_after_undo))


def _check(world, database, mode, forward, back, scenarios):
    bank = world.open_bank(database)
    for wire in ("http", "grpc"):
        with world.subTest(wire=wire):
            def new_transfer(chosen=wire):
                return world.transfer(mode, chosen, bank)

            world.run_together([run(new_transfer, forward, back) for run in scenarios])


def success(new_transfer, forward, _):
    transfer = new_transfer()
    transfer.start()
    yield
    transfer.check("succeed", "^ok$")
    transfer.repeat([forward] if transfer.mode == "saga" else [forward, "confirm"], ["01", "02"])
    transfer.check_money("succeed")


def failure_at_first(new_transfer, forward, back):
    transfer = new_transfer()
    transfer.overdraw()
    transfer.start()
    yield
    _check_undone(transfer, forward, back, "01")


def failure_at_second(new_transfer, forward, back):
    transfer = new_transfer()
    transfer.swap()
    transfer.overdraw()
    transfer.start()
    yield
    _check_undone(transfer, forward, back, "01", "02")


def refused_at_first(new_transfer, forward, back):
    """The compensation finds nothing to take back."""
    transfer = new_transfer()
    transfer.refuse(0)
    transfer.start()
    yield
    _check_undone(transfer, forward, back, "01")


def refused_at_second(new_transfer, forward, back):
    transfer = new_transfer()
    transfer.refuse(1)
    transfer.start()
    yield
    _check_undone(transfer, forward, back, "01", "02")


def first_never_arrives(new_transfer, forward, back):
    transfer = new_transfer()
    transfer.misdirect(0)
    transfer.start(retry_limit=RETRY_LIMIT)
    yield
    _check_undone(transfer, forward, back, "01")


def second_never_arrives(new_transfer, forward, back):
    transfer = new_transfer()
    transfer.misdirect(1)
    transfer.start(retry_limit=RETRY_LIMIT)
    yield
    _check_undone(transfer, forward, back, "01", "02")


def _check_undone(transfer, forward, back, *called_back):
    """All branches have been rolled back, and calls that come later have no effect."""
    transfer.check("failed")
    for branch_id in called_back:
        transfer.program.wait_for_answer(transfer.gid, f"{branch_id}:{back}", "ok")
    transfer.repeat([back, forward], called_back)
    transfer.check_money("failed")


def late(new_transfer, forward, back):
    """A call is on its way while the transaction times out and rolls back."""
    transfer = new_transfer()
    transfer.start_until(f"01:{forward}:arrived", timeout_to_fail=TIMEOUT_TO_FAIL_S)
    yield
    transfer.check("failed")
    transfer.program.wait_for_answer(transfer.gid, f"01:{back}", "ok")
    transfer.program.release()
    transfer.program.wait_for_answer(transfer.gid, f"01:{forward}", "ok")
    transfer.check_money("failed")


def crash_before_action(new_transfer, _, __):
    yield from _crash_on_way_forward(new_transfer(), "01:action:arrived")


def crash_after_action(new_transfer, _, __):
    """The program crashes after the local commit and before the answer. The second call finds the
    work done."""
    yield from _crash_on_way_forward(new_transfer(), "01:action:done")


def crash_before_confirm(new_transfer, _, __):
    yield from _crash_on_way_forward(new_transfer(), "02:confirm:arrived")


def crash_after_confirm(new_transfer, _, __):
    yield from _crash_on_way_forward(new_transfer(), "02:confirm:done")


def _crash_on_way_forward(transfer, point):
    transfer.start_until(point)
    transfer.program.restart()
    yield
    transfer.check("succeed", "^ok$")


def crash_after_try(new_transfer, forward, back):
    """The try has been done, but its answer was lost."""
    transfer = new_transfer()
    transfer.start_until("01:try:done")
    transfer.program.restart()
    yield
    _check_undone(transfer, forward, back, "01")


def crash_before_undo(new_transfer, _, back):
    yield from _crash_on_way_back(new_transfer(), f"01:{back}:arrived")


def crash_after_undo(new_transfer, _, back):
    yield from _crash_on_way_back(new_transfer(), f"01:{back}:done")


def _crash_on_way_back(transfer, point):
    transfer.swap()
    transfer.overdraw()
    transfer.start_until(point)
    transfer.program.restart()
    yield
    transfer.check("failed")
