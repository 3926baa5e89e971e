"""The program in `caller/`, which calls coordinators as all kinds of clients do."""

import base64
import dataclasses
import json
import os
import re
import subprocess

from concerto_testing import go_build

HERE = os.path.dirname(os.path.abspath(__file__))
RUN_TIMEOUT_S = 60
UNAVAILABLE = 14
GRPC_VERDICTS = {7: "forbidden", 8: "limited", 16: "unknown"}
HTTP_VERDICTS = {401: "unknown", 403: "forbidden", 429: "limited"}

# The server closes the connection behind its alert, which may overtake it.
BROKEN = re.compile("connection reset|broken pipe|EOF|connection closed|closed network")


def build(directory):
    """The path of the program."""
    go_build(os.path.join(HERE, "caller"), directory)
    return os.path.join(directory, "caller")


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What a client has: a token, and a file with certificate and key."""

    token: str = ""
    shown: str = ""
    own_address: str = ""  # of the client, on loopback; wrong tokens are counted for each


@dataclasses.dataclass(frozen=True)
class Method:
    """`front_end` is http, json-rpc or grpc; `verb` is HTTP's."""

    front_end: str
    verb: str
    name: str
    body: bytes = b""


def request(address, ca, method, credentials):
    """A request for the program. `address` is that of the method's port; `ca`: nothing without
    TLS."""
    path, body = method.name, method.body
    if method.front_end == "json-rpc":
        path = "/api/json-rpc"
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method.name,
                           "params": {}}).encode()
    return {"front": "grpc" if method.front_end == "grpc" else "http", "address": address,
            "ca": ca, "shown": credentials.shown, "from": credentials.own_address,
            "method": method.verb, "name": path, "body": base64.b64encode(body).decode(),
            "token": credentials.token}


def ask(program, requests):
    """The answers: `code` of HTTP or gRPC, `text`, and `failure` if there is no answer."""
    done = subprocess.run([program, "ask"], input="\n".join(map(json.dumps, requests)), text=True,
                          timeout=RUN_TIMEOUT_S, check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def verdict(method, answer):
    """`allowed`, `unknown` (nobody knows the caller), `forbidden`, `limited` (too many wrong
    tokens) or `unheard` (the handshake of TLS failed)."""
    text = answer["failure"] or answer["text"]
    if answer["failure"] or (method.front_end == "grpc" and answer["code"] == UNAVAILABLE):
        return "unheard" if alert(text) or BROKEN.search(text) else text
    verdicts = GRPC_VERDICTS if method.front_end == "grpc" else HTTP_VERDICTS
    return verdicts.get(answer["code"], "allowed")


def alert(text):
    """What the server says of a handshake; nothing if it says nothing."""
    found = re.search(r"remote error: tls: ([a-z ]+)", text)
    return found and found.group(1)
