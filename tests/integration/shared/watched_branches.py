"""The external ledger: branches that note every call, and calls of one branch at one time."""

import asyncio
import contextlib
import os
import time
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from branch_server import BranchServer, Call
from http_wire import read_message

# What may pass between the signal to a coordinator and what it had begun before.
SIGNAL_S = 1.0


@dataclass(frozen=True)
class TimedCall(Call):
    at: float = 0.0  # on the clock time.monotonic


@dataclass(frozen=True)
class Overlap:
    """A call that began at `at` while an earlier call of the same branch and op was not answered
    yet, and its caller still had the connection. The callers are process ids, or None."""

    call: Call
    at: float
    earlier_caller: int
    caller: int

    def is_explained(self, pauses):
        """Whether the earlier caller stood still, so that its lease could end."""
        return self.caller != self.earlier_caller and any(
            pause.pid == self.earlier_caller and pause.begin < self.at < pause.end + SIGNAL_S
            for pause in pauses)


class WatchedBranches(BranchServer):
    """A BranchServer that also finds calls of one branch at one time. `pids()` has the process ids
    of the coordinators."""

    def __init__(self, rule, pids):
        self.overlaps = []
        self._pids = pids
        self._running = defaultdict(list)  # (gid, branch_id, op) -> [(reader, writer)]
        super().__init__(rule)

    async def _serve(self, reader, writer):
        lost = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*lost):
            while (message := await read_message(reader)) is not None:
                call = self._record(message)
                key = (call.gid, call.branch_id, call.op)
                self._find_overlap(key, call, writer)
                self._running[key].append((reader, writer))
                try:
                    await asyncio.sleep(call.answer.delay_s)
                finally:
                    self._running[key].remove((reader, writer))
                writer.write(f"HTTP/1.1 {call.answer.status} Answer\r\n"
                             "Content-Length: 2\r\n\r\n{}".encode())
        writer.close()

    def _record(self, message):
        first, _, payload = message
        query = parse_qs(urlsplit(first.split(" ")[1]).query)
        gid, branch_id, op = (query[name][0] for name in ("gid", "branch_id", "op"))
        earlier = self._calls.setdefault(gid, [])
        answer = self._rule(earlier, branch_id, op, payload)
        call = TimedCall(gid, branch_id, op, payload, answer, time.monotonic())
        earlier.append(call)
        return call

    def _find_overlap(self, key, call, writer):
        for other_reader, other_writer in self._running[key]:
            gone = (other_reader.at_eof() or other_reader.exception() is not None or
                    other_writer.transport.is_closing())
            if gone:
                continue
            pids = self._pids()
            self.overlaps.append(Overlap(call, call.at, _caller(other_writer, pids),
                                         _caller(writer, pids)))


def _caller(writer, pids):
    """The process at the other end of a connection."""
    inode = _socket_inode(writer.get_extra_info("peername")[1],
                          writer.get_extra_info("sockname")[1])
    return next((pid for pid in pids if inode and inode in _socket_inodes(pid)), None)


def _socket_inode(port, peer_port):
    """Of the end of a connection on loopback that has the first port."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            fields = line.split()
            ports = [int(field.rpartition(":")[2], 16) for field in fields[1:3]]
            if ports == [port, peer_port]:
                return fields[9]
    return None


def _socket_inodes(pid):
    """None of a process that has ended, or is ending."""
    inodes = set()
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    return inodes
