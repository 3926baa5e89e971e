"""Bytes as no client library sends them: requests of HTTP/1 with broken framing, and of HTTP/2 with
fields that nobody has checked."""

import re
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
STREAM = 1
FRAME_MAX = 16_384
QUIET_S = 0.25
TIMEOUT_S = 5.0


def exchange(port, *pieces, until=None):
    """Sends the pieces. What came back, and whether the peer has closed the connection. Ends when
    `until` (of what came) is true; without it, when the peer is quiet."""
    came, closed = b"", False
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        connection.settimeout(TIMEOUT_S if until else QUIET_S)
        try:
            for piece in pieces:
                connection.sendall(piece)
            while not (until and until(came)):
                more = connection.recv(1 << 16)
                closed = not more
                if closed:
                    break
                came += more
        except TimeoutError:
            pass
        except ConnectionError:
            closed = True
    return came, closed


def never(_came):
    """For `until`: only the end of the connection counts."""
    return False


def statuses(answers):
    """The statuses of the answers on a connection of HTTP/1."""
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d\d\d) ", answers)]


def http2_request(fields, *bodies):
    """The frames of a connection with one request. `fields`: (name, value) each, bytes or text."""
    frames = _http2_head(fields, 0 if bodies else END_STREAM)
    for number, body in enumerate(bodies, 1):
        frames += _frame(DATA, END_STREAM if number == len(bodies) else 0, STREAM, body)
    return frames


def http2_begin(fields, body):
    """The frames of a connection with a request that has not ended. The body has to fit into the
    first window."""
    frames = _http2_head(fields, 0)
    for at in range(0, len(body), FRAME_MAX):
        frames += _frame(DATA, 0, STREAM, body[at:at + FRAME_MAX])
    return frames


def _http2_head(fields, flags):
    head = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
    return (PREFACE + _frame(SETTINGS, 0, 0) + _frame(HEADERS, END_HEADERS | flags, STREAM, head))


def grpc_body(message):
    return b"\0" + struct.pack(">I", len(message)) + message


def frame_kinds(answer):
    """The kinds of the frames that came back, without those about the connection alone."""
    kinds = []
    while len(answer) >= 9:
        size = int.from_bytes(answer[:3], "big")
        kinds.append(answer[3])
        answer = answer[9 + size:]
    return [kind for kind in kinds if kind in (DATA, HEADERS, RST_STREAM, GOAWAY)]


def _text(value):
    data = value if isinstance(value, bytes) else value.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, size = len(data) - 127, b"\x7f"
    while rest >= 128:
        size += bytes([rest & 127 | 128])
        rest >>= 7
    return size + bytes([rest]) + data


def _frame(kind, flags, stream_id, payload=b""):
    head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream_id)
    return head + payload
