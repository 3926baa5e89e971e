"""The rooms of the libraries, and which rooms each room may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    path: str        # the directory of its sources
    headers: str     # its headers are <concerto/headers/...>
    target: str      # linked as concerto::target
    stands_on: tuple = ()


BASE = Room("core/base", "base", "base")
ENGINE = Room("core/engine", "engine", "core", (BASE,))
TRANSPORT = Room("net/transport", "transport", "transport", (BASE,))
PROTOCOL = Room("net/protocol", "protocol", "protocol", (BASE, ENGINE, TRANSPORT))
CLIENT = Room("net/client", "client", "client", (BASE, ENGINE, TRANSPORT, PROTOCOL))
PERSIST = Room("persist", "persist", "persist", (BASE, ENGINE))
ROOMS = (BASE, ENGINE, TRANSPORT, PROTOCOL, CLIENT, PERSIST)


def room_of(path):
    """The room that a file belongs to, or None."""
    return next((room for room in ROOMS if path.startswith(room.path + "/")), None)


def out_of_bounds(room):
    """The rooms that a room must not use."""
    return [other for other in ROOMS if other is not room and other not in room.stands_on]
