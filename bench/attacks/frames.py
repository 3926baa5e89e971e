"""HTTP/2 as an attacker writes it: single frames, and header blocks that no encoder would write."""

import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = \
    range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
WINDOW_BYTES = 65_535  # of a connection and of a stream, until the peer says otherwise
ENHANCE_YOUR_CALM = 11
READ_BYTES = 1 << 16


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _integer(value, bits):
    """HPACK's integer with a prefix of so many bits, all flags 0."""
    full = (1 << bits) - 1
    if value < full:
        return bytes([value])
    rest, octets = value - full, [full]
    while rest >= 128:
        octets.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*octets, rest])


def _text(value):
    return _integer(len(value), 7) + value


def literal(name, value):
    """A field that does not enter the dynamic table."""
    return b"\0" + _text(name) + _text(value)


def remembered(name, value):
    """A field that becomes the newest entry of the dynamic table."""
    return b"\x40" + _text(name) + _text(value)


NEWEST_ENTRY = b"\xbe"  # the first index after the static table


def call_head(path):
    fields = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", path),
              (b":authority", b"attacked"), (b"te", b"trailers"),
              (b"content-type", b"application/grpc"))
    return b"".join(literal(*field) for field in fields)


class Connection:
    """A client's connection after the exchange of SETTINGS. It answers what HTTP/2 requires a
    client to answer, and drops everything else. `ended_by` says how the server ended the
    connection."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._stream = -1
        self.window = WINDOW_BYTES
        self.ended_by = None
        self.answered = set()   # streams that the server has ended
        self.send(PREFACE + frame(SETTINGS, 0, 0))

    def close(self):
        self._socket.close()

    def next_stream(self):
        self._stream += 2
        return self._stream

    def send(self, octets):
        """False once the server has ended the connection."""
        if self.ended_by:
            return False
        try:
            self._socket.settimeout(5)
            self._socket.sendall(octets)
        except TimeoutError:
            self.ended_by = "not read any more"
        except OSError:
            self.receive()
            self.ended_by = self.ended_by or "closed"
        return self.ended_by is None

    def receive(self, wait_s=0.0):
        """Reads what has arrived, and waits up to `wait_s` for the first of it."""
        until = time.monotonic() + wait_s
        while True:
            self._socket.settimeout(max(0.0, until - time.monotonic()))
            try:
                octets = self._socket.recv(READ_BYTES)
            except (BlockingIOError, TimeoutError):
                return
            except OSError:
                self.ended_by = self.ended_by or "reset"
                return
            if not octets:
                self.ended_by = self.ended_by or "closed"
                return
            self._buffer += octets
            self._take_frames()
            until = 0.0

    def wait_for_window(self, octets):
        """Waits until so many octets of DATA may be sent. False if the server does not allow them.
        """
        while self.window < octets and not self.ended_by:
            before = self.window
            self.receive(2)
            if self.window == before:
                return False
        return not self.ended_by

    def _take_frames(self):
        at = 0
        while len(self._buffer) - at >= 9:
            size = int.from_bytes(self._buffer[at:at + 3], "big")
            if len(self._buffer) - at < 9 + size:
                break
            kind, flags, stream = struct.unpack(">BBI", self._buffer[at + 3:at + 9])
            self._take(kind, flags, stream, self._buffer[at + 9:at + 9 + size])
            at += 9 + size
        self._buffer = self._buffer[at:]

    def _take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream == 0:
            self.window += int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            code = int.from_bytes(payload[4:8], "big")
            calm = code == ENHANCE_YOUR_CALM
            self.ended_by = "ENHANCE_YOUR_CALM" if calm else f"GOAWAY with code {code}"
        elif kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM):
            self.answered.add(stream)
