"""System calls and context switches of a running process, without hardware counters.

perf counts system calls in the kernel and needs root. Without perf strace is used, which stops the
process at each call: the process then does less at a time, and makes more calls for each
transaction.
"""

import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess

from concerto_testing import wait_until

ALL = "raw_syscalls:sys_enter"
PREFIX = "syscalls:sys_enter_"
# Calls that a server under load makes; all others are counted together as "others". Each name costs
# perf a tenth of a second.
NAMES = ("accept4", "close", "epoll_ctl", "epoll_wait", "fdatasync", "futex", "madvise", "mmap",
         "mprotect", "munmap", "pwrite64", "read", "recvfrom", "recvmsg", "sendmsg", "sendto",
         "timerfd_settime", "write", "writev")
ATTACH_LIMIT_S = 10


def context_switches(pid):
    """Context switches of all threads that exist now, voluntary and not."""
    count = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path, encoding="utf-8") as file:
            count += sum(int(number) for number in
                         re.findall(r"voluntary_ctxt_switches:\s*(\d+)", file.read()))
    return count


def tool():
    """The tool that works here: `perf`, `strace`, or None."""
    if shutil.which("perf"):
        probe = subprocess.run(["perf", "stat", "-e", ALL, "true"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if probe.returncode == 0:
            return "perf"
    return "strace" if shutil.which("strace") else None


class Counter:
    """Counts while `counting` is entered. Afterwards `calls` has the number of each call."""

    def __init__(self, pid, output):
        self._pid = pid
        self._output = output
        self.tool = tool()
        self.calls = {}

    @property
    def under(self):
        """The command before that of the load. With perf it counts as long as the load runs."""
        if self.tool != "perf":
            return ()
        events = ",".join([ALL, *(PREFIX + name for name in NAMES)])
        return ("perf", "stat", "-x,", "-o", self._output, "-e", events, "-p", str(self._pid))

    @contextlib.contextmanager
    def counting(self):
        if self.tool == "strace":
            with self._strace():
                yield
        else:
            yield
        if self.tool:
            with open(self._output, encoding="utf-8") as file:
                self.calls = {"perf": perf_calls, "strace": strace_calls}[self.tool](file.read())

    @contextlib.contextmanager
    def _strace(self):
        with subprocess.Popen(["strace", "-c", "-f", "-o", self._output, "-p", str(self._pid)],
                              stderr=subprocess.DEVNULL) as process:
            wait_until(self._is_traced, "strace is attached", ATTACH_LIMIT_S)
            try:
                yield
            finally:
                process.send_signal(signal.SIGINT)

    def _is_traced(self):
        """Whether strace is attached to every thread. It attaches to one after the other."""
        for path in glob.glob(f"/proc/{self._pid}/task/*/status"):
            with open(path, encoding="utf-8") as file:
                if re.search(r"^TracerPid:\s*0$", file.read(), re.MULTILINE):
                    return False
        return True


def perf_calls(text):
    """Parses lines such as `1658,,syscalls:sys_enter_futex,824289863,100.00,,`."""
    rows = [line.split(",") for line in text.splitlines() if "sys_enter" in line]
    counts = {row[2]: int(row[0]) for row in rows if row[0].isdigit()}
    calls = {name: counts.get(PREFIX + name, 0) for name in NAMES}
    calls["others"] = counts[ALL] - sum(calls.values())
    return {name: count for name, count in calls.items() if count > 0}


def strace_calls(text):
    """Parses the table of strace -c: per cent, seconds, us per call, calls, errors if any, name."""
    rows = [line.split() for line in text.splitlines()]
    return {row[-1]: int(row[3]) for row in rows
            if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"}
