"""Many clients of the coordinator in one thread."""

import asyncio
import contextlib
import json

from http_wire import Connection

CLIENTS = 24
POLL_INTERVAL_S = 0.05
LOST = (OSError, EOFError)  # EOFError: in the middle of an answer


class Submitter:
    """Several clients that submit works one after the other, until there are no more works or the
    coordinator is gone. `acknowledged` has the gids that were answered with 200. A work that was
    sent and not answered is neither acknowledged nor refused."""

    def __init__(self, works):
        self._works = iter(works)
        self._enough = asyncio.Event()
        self._enough_count = 0
        self.acknowledged = set()
        self.refused = {}  # gid -> (status, body)

    async def run(self, port):
        await asyncio.gather(*(self._client(port) for _ in range(CLIENTS)))

    async def wait_for(self, count):
        """Returns when that many are acknowledged."""
        self._enough_count = count
        self._enough.clear()
        if len(self.acknowledged) < count:
            await self._enough.wait()

    async def _client(self, port):
        with contextlib.suppress(*LOST):
            async with Connection(port) as connection:
                for work in self._works:
                    answer = await connection.call("POST", "/api/dtmsvr/submit", work.body)
                    self._note(work.gid, *answer)

    def _note(self, gid, status, body):
        if status == 200:
            self.acknowledged.add(gid)
        else:
            self.refused[gid] = (status, body)
        if len(self.acknowledged) >= self._enough_count:
            self._enough.set()


async def submit_all(port, works):
    """Submits works that must all be acknowledged. AssertionError otherwise."""
    submitter = Submitter(works)
    await submitter.run(port)
    missing = [work.gid for work in works if work.gid not in submitter.acknowledged]
    assert not missing, f"not acknowledged: {missing[:5]}, refused: {submitter.refused}"


async def statuses(port, gids, settled=("succeed", "failed", None), timeout_s=30.0):
    """gid -> status, once every gid is final or the time is over. None: no such gid."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    waiting, found = iter(sorted(gids)), {}

    async def client():
        async with Connection(port) as connection:
            for gid in waiting:
                while True:
                    found[gid] = await _status(connection, gid)
                    if found[gid] in settled or asyncio.get_running_loop().time() > deadline:
                        break
                    await asyncio.sleep(POLL_INTERVAL_S)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return found


async def _status(connection, gid):
    status, body = await connection.call("GET", f"/api/dtmsvr/query?gid={gid}")
    assert status == 200, f"query of {gid}: HTTP {status}: {body[:500]!r}"
    transaction = json.loads(body)["transaction"]
    return transaction["status"] if transaction else None
