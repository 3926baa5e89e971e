"""A child process whose output goes to a file that tests can read and wait on."""

import ctypes
import os
import re
import signal
import subprocess

from .wait import Timeout, wait_until

PR_SET_PDEATHSIG = 1
LOG_TAIL_LINES = 40

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class ProcessEnded(AssertionError):
    """The process ended while a test waited for its output."""


class Process:
    """Starts at construction, killed at the end of a `with` block, and with the test itself.

    stdout and stderr are appended to `<directory>/<name>.log`. A name may be used again (a
    restart): `lines` and `wait_for_line` then see what this run wrote.
    """

    def __init__(self, name, command, directory, env=None):
        self.name = name
        self.log_path = os.path.join(directory, name + ".log")
        with open(self.log_path, "ab") as log:
            self._log_begin = log.tell()
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=directory, env={**os.environ, **(env or {})}, preexec_fn=_die_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def pid(self):
        return self._popen.pid

    def is_running(self):
        return self._popen.poll() is None

    def check_runs(self):
        if not self.is_running():
            raise ProcessEnded(f"{self.name} ended\n{self.tail()}")

    def text(self):
        """Everything this run has written so far."""
        with open(self.log_path, "rb") as log:
            log.seek(self._log_begin)
            return log.read().decode(errors="replace")

    def lines(self, pattern=""):
        """The lines so far in which the regular expression is found."""
        return [line for line in self.text().splitlines() if re.search(pattern, line)]

    def wait_for_line(self, pattern, timeout_s=10.0, count=1):
        """Waits until `count` lines match; returns the last of these."""

        def found():
            matching = self.lines(pattern)
            if len(matching) < count and not self.is_running():
                raise ProcessEnded(f"{self.name} ended before it wrote {pattern!r}\n{self.tail()}")
            return matching[count - 1] if len(matching) >= count else None

        try:
            return wait_until(found, f"{self.name} writes {pattern!r}", timeout_s)
        except Timeout as error:
            raise Timeout(f"{error}\n{self.tail()}") from None

    def wait(self, timeout_s=10.0):
        """Waits for the end; returns the exit code, negative for a signal."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.name} still runs after {timeout_s:g} s\n{self.tail()}") from None

    def terminate(self, timeout_s=10.0):
        """SIGTERM, then waits; returns the exit code."""
        self._popen.send_signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self):
        """SIGKILL, then waits. Harmless when the process has ended."""
        self._popen.kill()
        self._popen.wait()

    def tail(self):
        last = self.text().splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"--- last lines of {self.log_path}", *last, "---"])
