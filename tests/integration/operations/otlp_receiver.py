"""A collector of traces: OTLP over gRPC, as much of both as the test needs."""

import threading
from dataclasses import dataclass, field

from grpc_server import GrpcServer

from concerto_testing import wait_until

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
ERROR = 2
UNAVAILABLE = 14


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


class OtlpReceiver(GrpcServer):
    """Takes spans at `port`, or answers UNAVAILABLE while `is_away`."""

    def __init__(self, context=None):
        self.is_away = False
        self.service_names = set()
        self._spans = []
        self._lock = threading.Lock()
        super().__init__(context)

    def spans(self, trace_id=None):
        with self._lock:
            return [span for span in self._spans if trace_id in (None, span.trace_id)]

    def wait_for(self, condition, what, trace_id=None, timeout_s=20.0):
        """The spans, when there are some that meet the condition."""

        def meets():
            found = self.spans(trace_id)
            return found if condition(found) else None

        return wait_until(meets, what, timeout_s)

    def answer(self, headers, message):
        if self.is_away:
            return UNAVAILABLE, b""
        self._take(message)
        return 0, b""

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
