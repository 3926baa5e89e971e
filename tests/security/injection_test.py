"""Texts of strangers in logs, records, metrics and header fields, and tokens that are guessed
(docs/security.md, "Audit" and "Guesses").

Usage: injection_test.py <concertod>
"""

import base64
import hashlib
import json
import os
import re
import sys
import unittest
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "integration", "operations"))
sys.dont_write_bytecode = True

from attacks import grpc_fields  # noqa: E402  (the path has to be set first)
from concerto_testing import BranchServer, Concertod, http_call, main, wait_until  # noqa: E402
from grpc_wire import message  # noqa: E402
from wire import exchange, frame_kinds, grpc_body, http2_request, never, statuses  # noqa: E402

FORGED_LINE = '{"level":"error","ts":"2026-01-01T00:00:00.000Z","msg":"forged"}'
FORGED_RECORD = '{"ts":"2026-01-01T00:00:00.000Z","id":"1","event":"done","action":"forged"}'
EVIL = {"crlf": "a\r\nX-Forged: 1\r\n\r\n<b>", "line": f'a"\n{FORGED_LINE}\n',
        "record": f'a"\n{FORGED_RECORD}\n', "quote": 'a","msg":"forged","x":"',
        "terminal": "a\x1b[2J\x1b]0;owned\x07\x08\x7f", "c1": "a\u009b31m\u0085b\u009d",
        "nul": "a\0b", "separators": "a\u2028b\u2029c", "bidi": "a\u202eb\u2066c\u200f",
        "metric": 'a"} 1\nconcerto_forged{x="', "format": "%s%n{}{0}${jndi:ldap://x/}",
        "long": "L" * 60_000}
RAW = b"\xff\xfe\x9b31m\xc2\x9b\xe2\x80\xae\xe2\x80\xa8"  # bytes that a header field may have
# What no line of a log may have as it is: controls, and what hides or turns text.
UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
LINE_MAX = 20_000
FIELDS = {"date", "content-type", "content-length", "connection", "location", "www-authenticate",
          "retry-after", "allow", "cache-control"}


def sha256(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Injection(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.branches = BranchServer()
        callers = os.path.join(cls.directory, "callers")
        with open(callers, "w", encoding="utf-8") as file:
            for role in ("client", "viewer", "operator"):
                file.write(f"the-{role} {role} sha256:{sha256('token-of-' + role)}\n")
        cls.audit = os.path.join(cls.directory, "audit.jsonl")
        cls.coordinator = Concertod(
            cls.args.concertod, cls.directory,
            {"Shards": 1, "Store.Driver": "memory", "RetryInterval": 600, "TimeoutToFail": 600,
             "LogLevel": "debug", "Auth.CallersFile": callers, "Audit.File": cls.audit}, "daemon")
        cls.coordinator.start()

    @classmethod
    def tearDownClass(cls):
        cls.coordinator.kill()
        cls.branches.close()

    def raw(self, method, target, fields=b"", body=b"", role="operator"):
        """The bytes of an answer over HTTP. Its header is checked."""
        head = f"{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n".encode()
        if role:
            head += f"Authorization: Bearer token-of-{role}\r\n".encode()
        head += fields + b"Content-Length: %d\r\n\r\n" % len(body)
        came, _ = exchange(self.coordinator.http_port, head + body, until=never)
        self.assertEqual(len(statuses(came)), 1, came)
        lines = came.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        self.assertLessEqual({line.partition(":")[0].lower() for line in lines}, FIELDS, lines)
        for line in lines:
            self.assertIsNone(UNCLEAN.search(line), line)
        return came

    def post(self, name, value):
        return self.raw("POST", f"/api/dtmsvr/{name}", body=json.dumps(value).encode())

    def over_http(self, text):
        encoded = quote(text[:4000], safe="")
        for target in (f"query?gid={encoded}", f"all?position={encoded}&limit={encoded}",
                       f"all?status={encoded}&transType={encoded}", f"newGid/?{encoded}={encoded}",
                       f"scanKV?cat={encoded}", f"../concerto/why?gid={encoded}", encoded,
                       f"version/{encoded}"):
            self.raw("GET", f"/api/dtmsvr/{target}")
        self.raw("GET", f"/api/concerto/why?gid={encoded}")
        self.raw("GET", f"/api/concerto/audit?gid={encoded}&caller={encoded}&position={encoded}")
        # Operators' actions, whose texts come into the records.
        self.raw("POST", f"/api/dtmsvr/subscribe?topic={encoded}&url={encoded}&remark={encoded}"
                         f"&reason={encoded}")
        self.raw("DELETE", f"/api/dtmsvr/topic/{encoded}?reason={encoded}")
        self.raw("POST", f"/api/dtmsvr/resetCronTime?timeout={encoded}&limit={encoded}")
        self.post("forceStop", {"gid": text})
        self.post("resetNextCronTime", {"gid": text, "trans_type": text})
        for key in ("gid", "trans_type", "query_prepared", "custom_data", "protocol",
                    "rollback_reason", text):
            self.post("submit", {"gid": "g", "trans_type": "saga", "payloads": ["{}"],
                                 "steps": [{"action": self.branches.url("paid")}], key: text})
        self.post("submit", {"gid": "s", "trans_type": "saga", "payloads": [text],
                             "branch_headers": {text: text},
                             "steps": [{"action": "http://b/" + text, "compensate": text}]})
        self.post("registerBranch", {"gid": text, "branch_id": text, "trans_type": text})
        self.raw("POST", "/api/json-rpc", body=json.dumps(
            {"jsonrpc": "2.0", "id": text, "method": text, "params": {"gid": text}}).encode())

    def over_grpc(self, text):
        for path, fields in (("Prepare", [(1, text), (2, text)]),
                             ("Subscribe", [(1, text), (2, text), (3, text)]),
                             ("RegisterBranch", [(1, text), (2, text), (3, text)])):
            extra = [("authorization", "Bearer token-of-operator"),
                     ("x-concerto-reason", RAW), ("user-agent", RAW)]
            head = [(":path", f"/dtmgimp.Dtm/{path}") if name == ":path" else (name, value)
                    for name, value in grpc_fields()]
            exchange(self.coordinator.grpc_port,
                     http2_request([*head, *extra], grpc_body(self.long_message(fields))),
                     until=frame_kinds)

    @staticmethod
    def long_message(fields):
        return message([(number, text[:8000]) for number, text in fields])

    def in_fields(self):
        """Header fields, which may have all bytes but controls."""
        for name in (b"User-Agent", b"X-Concerto-Reason", b"Referer", b"Origin", b"Traceparent",
                     b"X-Forwarded-For", b"Content-Type", b"Accept", b"X-Request-Timeout", RAW):
            for value in (RAW, b'a","msg":"forged', b"%s%n{}", b"L" * 9_000):
                line = name + b": " + value + b"\r\n"
                self.raw("POST", "/api/dtmsvr/forceStop", line, b'{"gid":"none"}')
                self.raw("GET", "/api/dtmsvr/newGid", line)
            for value in (b"a\0b", b"a\x1b[2J", b"a\rb", b"a\nb", b"a\x7f"):
                came, _ = exchange(self.coordinator.http_port, b"GET /api/ping HTTP/1.1\r\nHost: h"
                                   b"\r\n" + name + b": " + value + b"\r\n\r\n", until=never)
                self.assertEqual(statuses(came), [400], (name, value))
        for host in (b"a\xff", b"a\x1b[2J", b"<script>", b"a\r\nX-Forged: 1"):
            exchange(self.coordinator.http_port, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
                     until=statuses)
        exchange(self.coordinator.http_port, b"\x1b[2J\x1b]0;owned\x07\r\n\r\n", until=never)
        exchange(self.coordinator.grpc_port, b"\x1b[2J\x1b]0;owned\x07\r\n\r\n", until=never)

    def in_answers(self):
        """Branches that answer with such texts, which the log and `why` tell."""
        for number, text in enumerate(EVIL.values()):
            for status in (500, 409):
                name = f"evil-{number}-{status}"
                self.branches.script(name, (status, text))
                self.post("submit", {"gid": name, "trans_type": "saga", "payloads": ["{}"],
                                     "steps": [{"action": self.branches.url(name)}]})
                self.branches.wait_for_calls(1, gid=name)
                wait_until(lambda name=name: b'"result"' in self.raw(
                    "GET", f"/api/concerto/why?gid={name}"), "the attempt is told")

    def test_texts_of_strangers_stay_texts(self):
        for text in EVIL.values():
            self.over_http(text)
            self.over_grpc(text)
        self.in_fields()
        self.in_answers()
        self.assert_log_is_clean(self.coordinator.process.log_path)
        self.assert_records_are_clean()
        self.assert_metrics_are_clean()

    def assert_log_is_clean(self, path):
        with open(path, "rb") as file:
            lines = file.read().decode().split("\n")  # UTF-8, or an exception
        self.assertGreater(len(lines), 20)
        for line in lines[:-1]:
            self.assertIsNone(UNCLEAN.search(line), line[:2000])
            self.assertLess(len(line), LINE_MAX, line[:200])
            told = json.loads(line)
            self.assertEqual(list(told)[:3], ["level", "ts", "msg"], line[:2000])
            self.assertNotEqual(told["msg"], "forged")
            self.assertNotIn("token-of-", line)

    def assert_records_are_clean(self):
        with open(self.audit, "rb") as file:
            lines = file.read().decode().split("\n")
        self.assertGreater(len(lines), 20)
        begun, ended = [], []
        for line in lines[:-1]:
            self.assertIsNone(UNCLEAN.search(line), line[:2000])
            self.assertLess(len(line), LINE_MAX, line[:200])
            record = json.loads(line)
            if record["event"] == "refused":  # those with an Origin
                self.assertNotIn("caller", record)
                continue
            self.assertEqual(record["caller"], "the-operator", line[:2000])
            self.assertIn(record["action"], ("forceStop", "resetNextCronTime", "resetCronTime",
                                             "subscribe", "deleteTopic"), line[:2000])
            (begun if record["event"] == "begun" else ended).append(record["id"])
        self.assertEqual(sorted(begun), sorted(ended))
        self.assertEqual(len(set(begun)), len(begun))

    def assert_metrics_are_clean(self):
        page = self.raw("GET", "/metrics", role="viewer").partition(b"\r\n\r\n")[2].decode()
        label = r'[a-z_]+="[^"\\\n]*"'
        sample = re.compile(rf"[a-z_]+({{{label}(,{label})*}})? -?[0-9.e+-]+|# .*")
        for line in page.split("\n")[:-1]:
            self.assertRegex(line, rf"\A(?:{sample.pattern})\Z")
            self.assertIsNone(UNCLEAN.search(line), line)
            self.assertNotIn("forged", line)
        self.assertLess(page.count("\n"), 2_000, "no text of a stranger makes a series")

    def guess(self, number):
        """One guess, each over another way in. The status of the answer, over HTTP."""
        token = f"guess-{number}-" + "x" * 20
        basic = base64.b64encode(f"user:{token}".encode()).decode()
        forwarded = f"X-Forwarded-For: 10.0.0.{number}\r\nForwarded: for=10.0.0.{number}\r\n"
        ways = (("GET", "/api/dtmsvr/newGid", f"Authorization: Bearer {token}\r\n"),
                ("POST", "/api/dtmsvr/forceStop", f"Authorization: Basic {basic}\r\n"),
                ("GET", "/metrics", f"Authorization: bearer  {token}\r\n{forwarded}"),
                ("GET", "/api/concerto/audit", f"Authorization: Bearer {token}\r\n{forwarded}"))
        method, path, fields = ways[number % len(ways)]
        return statuses(self.raw(method, path, fields.encode(), role=None))[0]

    def grpc_guess(self, number):
        exchange(self.coordinator.grpc_port, http2_request(
            [*grpc_fields(), ("authorization", f"Bearer guess-{number}-rpc")], grpc_body(b"")),
                 until=frame_kinds)

    def test_tokens_cannot_be_guessed(self):
        """Last by its name, as all requests from this address are limited then."""
        for number in range(5):
            self.grpc_guess(number)
        answers = [self.guess(number) for number in range(60)]
        self.assertLess(answers.index(429), 20)
        self.assertEqual(set(answers[:answers.index(429)]), {401})
        self.assertLess(answers.count(401), 30, "they are limited from then on")
        limited = self.raw("GET", "/api/dtmsvr/newGid", b"Authorization: Bearer other\r\n",
                           role=None)
        self.assertEqual(statuses(limited), [429])
        self.assertIn(b"\r\nRetry-After: ", limited)
        # Who had a right token from here before goes on.
        self.assertEqual(statuses(self.raw("GET", "/metrics", role="viewer")), [200])
        page = self.raw("GET", "/metrics", role="viewer").decode()
        counted = int(re.search(r"(?m)^concerto_wrong_tokens_total (\d+)$", page).group(1))
        self.assertGreaterEqual(counted, 60)
        line = self.coordinator.process.wait_for_line("wrong token")
        self.assertIn("127.0.0.1", line)
        self.assertEqual(self.coordinator.process.lines("guess-|token-of-|dXNlcjpn"), [])
        with open(self.audit, encoding="utf-8") as file:
            self.assertNotIn("guess-", file.read())
        self.assertEqual(http_call("GET", f"http://127.0.0.1:{self.coordinator.http_port}"
                                          "/api/ping").status, 200)


if __name__ == "__main__":
    main(Injection, lambda parser: parser.add_argument("concertod"), __doc__)
