"""Free TCP ports on loopback."""

import random
import socket

from .wait import wait_until

HOST = "127.0.0.1"
# Below the ports that the system gives to outgoing connections.
PORTS = range(10240, 32640)
BLOCK_PORTS = 64

_guards = []    # The first port of each of this process's blocks, bound while it lives.
_unused = []    # The ports of the last block that are not yet given out.


def free_ports(count):
    """`count` different ports on which no program listens at this moment.

    They come from a block of this process's own, and none is given twice: a server that starts
    late, or again, finds its port unless it is some program's that knows nothing of blocks.
    """
    ports = []
    while len(ports) < count:
        if not _unused:
            _claim_block()
        port = _unused.pop(0)
        with socket.socket() as listener:
            if _binds(listener, port):
                ports.append(port)
    return ports


def _claim_block():
    for first in random.sample(PORTS[::BLOCK_PORTS], len(PORTS[::BLOCK_PORTS])):
        guard = socket.socket()
        if _binds(guard, first):
            _guards.append(guard)
            _unused.extend(range(first + 1, first + BLOCK_PORTS))
            return
        guard.close()
    raise AssertionError("no block of ports is free")


def _binds(listener, port):
    try:
        listener.bind((HOST, port))
        return True
    except OSError:
        return False


def free_port():
    return free_ports(1)[0]


def wait_for_port(port, process, timeout_s=10.0):
    """Waits until `process` listens on a port of loopback."""

    def connects():
        process.check_runs()
        socket.create_connection((HOST, port), timeout=1.0).close()
        return True

    wait_until(connects, f"port {port} is listened on", timeout_s)
