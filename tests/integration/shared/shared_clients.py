"""Clients of several coordinators, as behind a load balancer: each request goes to any of them."""

import asyncio
import contextlib
import json
import threading
import time
from dataclasses import dataclass, field

from http_wire import Connection

LOST = (OSError, EOFError, asyncio.TimeoutError)
AGAIN_S = 0.05
ANSWER_S = 1.5          # then a client asks another coordinator
REQUEST_S = 45.0        # a request that nobody answers in this time has failed
CLIENTS = 24
FINAL = ("succeed", "failed")


@dataclass
class Sent:
    """How a request ended: `began` and `ended` on time.monotonic; `tries` has (status, seconds,
    headers) of each answer, with the status None for none."""

    began: float
    ended: float = 0.0
    status: int = None
    tries: list = field(default_factory=list)


class SharedLoad:
    """Works of `make(number)` through all coordinators, from `start` to `stop`, by clients in a
    thread. `acknowledged` has the works by gid; `refused` what should not have been answered."""

    def __init__(self, ports, make, random, per_second, clients=CLIENTS, answer_s=ANSWER_S):
        self._ports, self._make, self._random = ports, make, random
        self._interval_s = clients / per_second
        self._clients = clients
        self._answer_s = answer_s
        self._number = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error = None
        self.acknowledged = {}
        self.refused = []
        self.sent = []

    def start(self):
        self._thread.start()

    def stop(self):
        """Returns when every work that was begun is acknowledged or refused. Raises what ended a
        client."""
        self._stopping.set()
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self):
        try:
            asyncio.run(self._run_clients())
        except Exception as error:
            self._error = error

    async def _run_clients(self):
        await asyncio.gather(*(self._client(number) for number in range(self._clients)))

    async def _client(self, number):
        begin = time.monotonic() + self._interval_s * number / self._clients
        async with Callers(self._ports, self._answer_s) as callers:
            while not self._stopping.is_set():
                await asyncio.sleep(max(0.0, begin - time.monotonic()))
                begin = max(begin + self._interval_s, time.monotonic() - self._interval_s)
                self._number += 1
                await self._work(callers, self._make(self._number))

    async def _work(self, callers, work):
        for request in work.requests:
            sent = await callers.send(request, self._random)
            self.sent.append(sent)
            if sent.status != 200 and not (len(sent.tries) > 1 and
                                           sent.status in request.repeated_ok):
                self.refused.append((work, request, sent))
                return
        self.acknowledged[work.gid] = work


class Callers:
    """One client's connections to all coordinators."""

    def __init__(self, ports, answer_s):
        self._ports = ports
        self._answer_s = answer_s
        self._open = {}

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        for port in list(self._open):
            await self._drop(port)

    async def send(self, request, random):
        """Tries one coordinator after the other until one answers with anything but 503."""
        sent = Sent(time.monotonic())
        while time.monotonic() < sent.began + REQUEST_S:
            port, begin = random.choice(self._ports), time.monotonic()
            headers = {}
            try:
                sent.status, headers, body = await asyncio.wait_for(
                    self._call(port, "POST", request.path, request.body), self._answer_s)
                headers = {**headers, "body": body}
            except LOST:
                sent.status = None
                await self._drop(port)
            sent.tries.append((sent.status, time.monotonic() - begin, headers))
            if sent.status not in (None, 503):
                break
            await asyncio.sleep(AGAIN_S)
        sent.ended = time.monotonic()
        return sent

    async def get(self, port, path):
        """The JSON answer; None if there is none now."""
        try:
            status, _, body = await asyncio.wait_for(self._call(port, "GET", path, b""),
                                                     self._answer_s)
        except LOST:
            await self._drop(port)
            return None
        assert status in (200, 503), f"{path}: HTTP {status}: {body[:500]!r}"
        return json.loads(body) if status == 200 else None

    async def _call(self, port, method, path, body):
        if port not in self._open:
            connection = Connection(port)
            await connection.__aenter__()
            self._open[port] = connection
        return await self._open[port].call_fully(method, "/api/dtmsvr/" + path, body)

    async def _drop(self, port):
        connection = self._open.pop(port, None)
        if connection:
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(connection.__aexit__(), 1.0)


def end_statuses(ports, gids, timeout_s):
    """gid -> status, once every gid is final or the time is over. Asks the coordinators at `ports`;
    one that says 503, or nothing, is asked again."""
    return asyncio.run(_end_statuses(ports, gids, timeout_s))


async def _end_statuses(ports, gids, timeout_s):
    deadline, found = time.monotonic() + timeout_s, dict.fromkeys(gids)
    waiting = iter(sorted(gids))

    async def client(number):
        async with Callers(ports, ANSWER_S) as callers:
            for gid in waiting:
                while found[gid] not in FINAL and time.monotonic() < deadline:
                    number += 1
                    answer = await callers.get(ports[number % len(ports)], f"query?gid={gid}")
                    if answer:
                        found[gid] = (answer["transaction"] or {}).get("status")
                    if found[gid] not in FINAL:
                        await asyncio.sleep(AGAIN_S)

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return found
