"""Transfers between banks whose money is in different databases."""


def check_across(world):
    mariadb, postgres, redis = map(world.open_bank, ("mariadb", "postgres", "redis"))
    for wire, routes in (
            ("http", (("saga", mariadb, redis), ("tcc", redis, postgres),
                      ("xa", mariadb, postgres))),
            ("grpc", (("saga", postgres, mariadb), ("tcc", mariadb, redis),
                      ("xa", postgres, mariadb)))):
        with world.subTest(wire=wire):
            world.run_together([
                run(lambda chosen=wire, route=route: world.transfer(route[0], chosen, *route[1:]))
                for route in routes for run in (success, failure_at_second, crash_of_second)])


def success(new_transfer):
    transfer = new_transfer()
    transfer.start()
    yield
    transfer.check("succeed", "^ok$")


def failure_at_second(new_transfer):
    transfer = new_transfer()
    transfer.swap()
    transfer.overdraw()
    transfer.start()
    yield
    transfer.check("failed")


def crash_of_second(new_transfer):
    """Kills the program of the second bank before the call that makes the transfer final."""
    transfer = new_transfer()
    final = {"saga": "action", "tcc": "confirm", "xa": "commit"}[transfer.mode]
    second = transfer.programs[1]
    second.hold(f"02:{final}:arrived")
    transfer.start()
    second.wait_for_hold(f"02:{final}:arrived")
    second.restart()
    yield
    transfer.check("succeed", "^ok$")
