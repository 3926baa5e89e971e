"""The part of gRPC over HTTP/2 that a unary call needs. The status is not read."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
STREAM = 1
TIMEOUT_S = 10.0


def call(port, path, message=b"", metadata=()):
    """Returns when the answer has ended; AssertionError when the server resets the stream.
    `metadata`: (name, value) each."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        connection.sendall(
            PREFACE + _frame(SETTINGS, 0, 0) +
            _frame(HEADERS, END_HEADERS, STREAM, _head(path, metadata)) +
            _frame(DATA, END_STREAM, STREAM, b"\0" + struct.pack(">I", len(message)) + message))
        with connection.makefile("rb") as stream:
            while True:
                size, kind, flags, stream_id = _frame_head(stream)
                payload = stream.read(size)
                if kind in (RST_STREAM, GOAWAY):
                    raise AssertionError(f"{path}: frame {kind}: {payload!r}")
                if kind in (SETTINGS, PING) and not flags & ACK:
                    answer = payload if kind == PING else b""
                    connection.sendall(_frame(kind, ACK, 0, answer))
                if stream_id == STREAM and flags & END_STREAM and kind in (DATA, HEADERS):
                    return


def message(fields):
    """A protobuf message of texts: (number, text) each."""
    return b"".join(bytes([number << 3 | 2]) + _varint(len(text)) + text.encode()
                    for number, text in fields)


def _varint(value):
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _head(path, metadata):
    """Header fields as HPACK's literals without index, which need no table."""
    fields = ((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
              ("content-type", "application/grpc"), ("te", "trailers"), *metadata)
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)


def _text(value):
    assert len(value) < 127, "longer ones need HPACK's integers of several bytes"
    return bytes([len(value)]) + value.encode()


def _frame(kind, flags, stream_id, payload=b""):
    head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream_id)
    return head + payload


def _frame_head(stream):
    head = stream.read(9)
    if len(head) < 9:
        raise AssertionError("the server closed the connection")
    return (int.from_bytes(head[:3], "big"), *struct.unpack(">BBI", head[3:]))
