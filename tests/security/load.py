"""Calls that never pause, made by the program in `caller/`."""

import base64
import json
import subprocess

GID = "GID-00000"  # in the body of a lane: another gid for each call


def protobuf(fields):
    """A message of (number, bytes) and (number, small int)."""
    return b"".join(bytes([number << 3, value]) if isinstance(value, int) else
                    bytes([number << 3 | 2, *_varint(len(value))]) + value
                    for number, value in fields)


def _varint(value):
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


def lane(label, front, address, name, body=b"", verb="GET", fresh=False, **files):
    """`fresh`: a new connection for each call. `files`: ca, shown and token_file."""
    return {"label": label, "front": front, "address": address, "name": name, "method": verb,
            "body": base64.b64encode(body).decode(), "fresh": fresh, "pause_ms": 5 if fresh else 2,
            **files}


class Load:
    def __init__(self, program, path, lanes):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(lanes, file)
        self._popen = subprocess.Popen([program, "load", path], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)

    def round(self):
        """Waits until each lane has begun and ended some calls. Returns the lanes by their labels:
        `calls`, `failures`, and `servers` (calls by the certificate of the server)."""
        self._popen.stdin.write("\n")
        self._popen.stdin.flush()
        return self._report()

    def end(self):
        self._popen.stdin.close()
        lanes = self._report()
        self._popen.wait()
        return lanes

    def kill(self):
        self._popen.kill()
        self._popen.wait()
        self._popen.stdout.close()

    def _report(self):
        return {each["label"]: each for each in json.loads(self._popen.stdout.readline())}
