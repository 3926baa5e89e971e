"""As much of a gRPC server as tests need: unary calls over HTTP/2, with their metadata."""

import contextlib
import ctypes
import ctypes.util
import socket
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 0x20
STATUS_200 = b"\x88"  # an entry of HPACK's static table


class GrpcServer:
    """Serves at `port`. Subclasses have `answer(headers, message)`, which returns a status and a
    message. With `context`, an ssl.SSLContext, over TLS."""

    def __init__(self, context=None):
        self._context = context
        if context:
            context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def answer(self, headers, message):
        raise NotImplementedError

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, EOFError), connection:
            if not self._context:
                self._speak(connection)
                return
            with self._context.wrap_socket(connection, server_side=True) as secured:
                self._speak(secured)

    def _speak(self, connection):
        bodies, headers, inflater = {}, {}, Inflater()
        with connection.makefile("rb") as stream:
            assert _read(stream, len(PREFACE)) == PREFACE
            connection.sendall(frame(SETTINGS, 0, 0))
            while True:
                size, kind, flags, stream_id = _frame_head(stream)
                payload = _read(stream, size)
                if kind in (SETTINGS, PING) and not flags & ACK:
                    connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
                if kind == HEADERS:
                    assert flags & END_HEADERS and not flags & PADDED
                    headers[stream_id] = inflater.fields(payload[5 if flags & PRIORITY else 0:])
                if kind != DATA:
                    continue
                bodies[stream_id] = bodies.get(stream_id, b"") + payload
                if payload:
                    room = struct.pack(">I", len(payload))
                    connection.sendall(frame(WINDOW_UPDATE, 0, 0, room) +
                                       frame(WINDOW_UPDATE, 0, stream_id, room))
                if flags & END_STREAM:
                    body = bodies.pop(stream_id)
                    compressed, size = struct.unpack(">BI", body[:5])
                    assert not compressed and size == len(body) - 5
                    status, message = self.answer(headers.pop(stream_id), body[5:])
                    connection.sendall(_answer(stream_id, status, message))


class _Field(ctypes.Structure):
    _fields_ = (("name", ctypes.POINTER(ctypes.c_char)), ("value", ctypes.POINTER(ctypes.c_char)),
                ("name_size", ctypes.c_size_t), ("value_size", ctypes.c_size_t),
                ("flags", ctypes.c_uint8))


class Inflater:
    """Reads HPACK with libnghttp2, which concertod needs anyway."""

    FINAL, EMIT = 1, 2

    def __init__(self):
        self._library = ctypes.CDLL(ctypes.util.find_library("nghttp2"))
        self._library.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self._inflater = ctypes.c_void_p()
        assert self._library.nghttp2_hd_inflate_new(ctypes.byref(self._inflater)) == 0

    def __del__(self):
        self._library.nghttp2_hd_inflate_del(self._inflater)

    def fields(self, block):
        """The fields of one block, as (name, value) in their order."""
        found = []
        while True:
            field, flags = _Field(), ctypes.c_int()
            used = self._library.nghttp2_hd_inflate_hd2(
                self._inflater, ctypes.byref(field), ctypes.byref(flags), block,
                ctypes.c_size_t(len(block)), 1)
            assert used >= 0, f"HPACK: {used}"
            block = block[used:]
            if flags.value & self.EMIT:
                found.append((field.name[:field.name_size].decode(),
                              field.value[:field.value_size].decode()))
            if flags.value & self.FINAL:
                self._library.nghttp2_hd_inflate_end_headers(self._inflater)
                return found


def _answer(stream_id, status, message):
    head = STATUS_200 + _literal("content-type", "application/grpc")
    if status != 0:
        return frame(HEADERS, END_HEADERS | END_STREAM, stream_id,
                     head + _literal("grpc-status", str(status)))
    return (frame(HEADERS, END_HEADERS, stream_id, head) +
            frame(DATA, 0, stream_id, b"\0" + struct.pack(">I", len(message)) + message) +
            frame(HEADERS, END_HEADERS | END_STREAM, stream_id, _literal("grpc-status", "0")))


def _literal(name, value):
    """A header field as HPACK's literal without index."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def frame(kind, flags, stream_id, payload=b""):
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
