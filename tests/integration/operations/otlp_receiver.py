"""A collector of traces: OTLP over gRPC, as much of both as the test needs."""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field

from concerto_testing import wait_until

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
STATUS_200 = b"\x88"  # an entry of HPACK's static table
ERROR = 2


@dataclass
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    begin: int
    end: int
    attributes: dict = field(default_factory=dict)
    failed: bool = False
    message: str = ""


class OtlpReceiver:
    """Takes spans at `port`, or answers UNAVAILABLE while `is_away`."""

    def __init__(self):
        self.is_away = False
        self.service_names = set()
        self._spans = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def spans(self, trace_id=None):
        with self._lock:
            return [span for span in self._spans if trace_id in (None, span.trace_id)]

    def wait_for(self, condition, what, trace_id=None, timeout_s=20.0):
        """The spans, when there are some that meet the condition."""

        def meets():
            found = self.spans(trace_id)
            return found if condition(found) else None

        return wait_until(meets, what, timeout_s)

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        bodies = {}
        with (contextlib.suppress(OSError, EOFError), connection,
              connection.makefile("rb") as stream):
            assert _read(stream, len(PREFACE)) == PREFACE
            connection.sendall(_frame(SETTINGS, 0, 0))
            while True:
                size, kind, flags, stream_id = _frame_head(stream)
                payload = _read(stream, size)
                if kind in (SETTINGS, PING) and not flags & ACK:
                    connection.sendall(_frame(kind, ACK, 0, payload if kind == PING else b""))
                if kind != DATA:
                    continue
                bodies[stream_id] = bodies.get(stream_id, b"") + payload
                if payload:
                    room = struct.pack(">I", len(payload))
                    connection.sendall(_frame(WINDOW_UPDATE, 0, 0, room) +
                                       _frame(WINDOW_UPDATE, 0, stream_id, room))
                if flags & END_STREAM:
                    connection.sendall(self._answer(stream_id, bodies.pop(stream_id)))

    def _answer(self, stream_id, body):
        if self.is_away:
            head = STATUS_200 + _literal("content-type", "application/grpc")
            return _frame(HEADERS, END_HEADERS | END_STREAM, stream_id,
                          head + _literal("grpc-status", "14"))
        compressed, size = struct.unpack(">BI", body[:5])
        assert not compressed and size == len(body) - 5
        self._take(body[5:])
        return (_frame(HEADERS, END_HEADERS, stream_id,
                       STATUS_200 + _literal("content-type", "application/grpc")) +
                _frame(DATA, 0, stream_id, b"\0\0\0\0\0") +
                _frame(HEADERS, END_HEADERS | END_STREAM, stream_id, _literal("grpc-status", "0")))

    def _take(self, message):
        """ExportTraceServiceRequest."""
        with self._lock:
            for resource_spans in _all(message, 1):
                resource = _one(resource_spans, 1, b"")
                self.service_names.add(_attributes(resource, 1).get("service.name"))
                for scope_spans in _all(resource_spans, 2):
                    self._spans += [_span(each) for each in _all(scope_spans, 2)]


def _span(message):
    status = _one(message, 15, b"")
    return Span(_one(message, 1).hex(), _one(message, 2).hex(), _one(message, 4, b"").hex(),
                _one(message, 5).decode(), _one(message, 6), _one(message, 7), _one(message, 8),
                _attributes(message, 9), _one(status, 3, 0) == ERROR,
                _one(status, 2, b"").decode())


def _attributes(message, number):
    return {_one(each, 1).decode(): _one(_one(each, 2), 1).decode()
            for each in _all(message, number)}


def _one(message, number, default=None):
    return next(iter(_all(message, number)), default)


def _all(message, number):
    return [value for key, value in _fields(message) if key == number]


def _fields(message):
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
        elif kind == BYTES:
            size, at = _varint(message, at)
            value, at = message[at:at + size], at + size
        else:
            size = {FIXED64: 8, FIXED32: 4}[kind]
            value, at = int.from_bytes(message[at:at + size], "little"), at + size
        yield key >> 3, value


def _varint(message, at):
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not message[at - 1] & 0x80:
            return value, at


def _literal(name, value):
    """A header field as HPACK's literal without index."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _frame(kind, flags, stream_id, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream_id) +
            payload)


def _frame_head(stream):
    head = _read(stream, 9)
    return (int.from_bytes(head[:3], "big"), *struct.unpack(">BBI", head[3:]))


def _read(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
