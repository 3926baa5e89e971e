"""A branch service that answers slowly and remembers every call."""

import asyncio
import contextlib
import resource
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from http_wire import read_message

BACKLOG = 4096


@dataclass(frozen=True)
class Answer:
    status: int = 200
    delay_s: float = 0.0


@dataclass(frozen=True)
class Call:
    """A call, and the answer that was chosen when the call arrived. From then on the effect of the
    call counts, whether or not the coordinator receives the answer."""

    gid: str
    branch_id: str
    op: str
    payload: bytes
    answer: Answer


class BranchServer:
    """Serves `/step` on a free port of loopback, in a thread of its own, until `stop`.

    `rule(earlier, branch_id, op, payload)` decides on the Answer, where `earlier` are the calls of
    the same gid before this one. It runs in the server's thread.
    """

    def __init__(self, rule):
        _raise_file_limit()
        self._rule = rule
        self._calls = {}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._server = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/step"

    def calls(self, gid):
        """The calls of a gid in the order of their arrival."""
        return list(self._calls.get(gid, ()))

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=BACKLOG))
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._server.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                message = await read_message(reader)
                if message is None:
                    break
                answer = self._record(message)
                await asyncio.sleep(answer.delay_s)
                writer.write(f"HTTP/1.1 {answer.status} Answer\r\nContent-Length: 2\r\n\r\n{{}}"
                             .encode())
        writer.close()

    def _record(self, message):
        first, _, payload = message
        query = parse_qs(urlsplit(first.split(" ")[1]).query)
        gid, branch_id, op = (query[name][0] for name in ("gid", "branch_id", "op"))
        earlier = self._calls.setdefault(gid, [])
        answer = self._rule(earlier, branch_id, op, payload)
        earlier.append(Call(gid, branch_id, op, payload, answer))
        return answer


def _raise_file_limit():
    """Raises the limit of descriptors: each slow call holds a connection, and a process inherits a
    low limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
