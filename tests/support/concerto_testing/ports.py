"""Free TCP ports on loopback."""

import socket

from .wait import wait_until


def free_ports(count):
    """`count` different ports that nobody listens on at this moment.

    They are reserved all at once and then given back, so that no two of one call are the same.
    Another process may still take one before its user binds it.
    """
    reserved = []
    try:
        for _ in range(count):
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.bind(("127.0.0.1", 0))
            reserved.append(listener)
        return [listener.getsockname()[1] for listener in reserved]
    finally:
        for listener in reserved:
            listener.close()


def free_port():
    return free_ports(1)[0]


def wait_for_port(port, process, timeout_s=10.0):
    """Waits until `process` listens on a port of loopback."""

    def connects():
        process.check_runs()
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        return True

    wait_until(connects, f"port {port} is listened on", timeout_s)
