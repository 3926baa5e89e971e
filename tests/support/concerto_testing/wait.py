"""Waiting for a condition with a deadline."""

import contextlib
import threading
import time

POLL_INTERVAL_S = 0.02


class Timeout(AssertionError):
    """The awaited condition did not become true in time."""


def wait_until(condition, what, timeout_s=10.0):
    """Calls `condition` until it returns something true, and returns that.

    An OSError (a refused connection, say) counts as "not yet"; the last one is part of the message
    of the Timeout.
    """
    deadline = time.monotonic() + timeout_s
    last_error = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last_error = None
        except OSError as error:
            last_error = error
        if time.monotonic() >= deadline:
            reason = f" (last error: {last_error})" if last_error else ""
            raise Timeout(f"not within {timeout_s:g} s: {what}{reason}")
        time.sleep(POLL_INTERVAL_S)


@contextlib.contextmanager
def ends_within(timeout_s, process, what):
    """Kills `process` (a Popen) and fails if the block takes longer than this. For blocks that read
    what the process writes, which may be nothing for ever."""
    late = threading.Event()

    def end():
        late.set()
        process.kill()

    timer = threading.Timer(timeout_s, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():
            raise Timeout(f"{what}: not within {timeout_s:g} s")
