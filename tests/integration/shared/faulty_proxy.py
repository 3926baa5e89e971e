"""A network between coordinators and their server whose faults a test chooses."""

import asyncio
import contextlib
import threading

from concerto_testing import free_port

HOST = "127.0.0.1"
CHUNK_BYTES = 1 << 16


class FaultyProxy:
    """Forwards connections to a port of loopback, in a thread of its own.

    `set_fault`:
    - None: everything is forwarded.
    - "refuses": connections are reset, and no new one is taken.
    - "silent": connections stay open, and nothing is forwarded. What was sent meanwhile is
      forwarded when the fault ends, as after a cut of the network.
    - "slow": each answer of the server takes `delay_s` longer.
    """

    def __init__(self, target_port, delay_s=2.0):
        self.port = free_port()
        self._target_port = target_port
        self._delay_s = delay_s
        self._fault = None
        self._loop = asyncio.new_event_loop()
        self._connections = set()
        self._listener = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._on_loop(self._begin())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def set_fault(self, fault):
        self._on_loop(self._change(fault))

    def _on_loop(self, work):
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _begin(self):
        self._changed = asyncio.Condition()
        self._listener = await asyncio.start_server(self._connect, HOST, self.port)

    async def _change(self, fault):
        if fault == "refuses":
            self._listener.close()
            for writer in list(self._connections):
                writer.transport.abort()
        elif self._fault == "refuses":
            self._listener = await asyncio.start_server(self._connect, HOST, self.port)
        self._fault = fault
        async with self._changed:
            self._changed.notify_all()

    async def _connect(self, reader, writer):
        with contextlib.suppress(OSError):
            server_reader, server_writer = await asyncio.open_connection(HOST, self._target_port)
            self._connections |= {writer, server_writer}
            await asyncio.gather(self._forward(reader, server_writer, answers=False),
                                 self._forward(server_reader, writer, answers=True))
            self._connections -= {writer, server_writer}
        writer.close()

    async def _forward(self, reader, writer, answers):
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if answers and self._fault == "slow":
                    await asyncio.sleep(self._delay_s)
                async with self._changed:
                    await self._changed.wait_for(lambda: self._fault != "silent")
                writer.write(data)
                await writer.drain()
        writer.close()
