"""All files of TLS, callers and keys are replaced while calls go on: no call fails, and what is new
holds for new connections.

Usage: rotation_test.py [--rounds <number>] <concertod> <build directory>
"""

import json
import os
import re
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from callers import Credentials, Method, alert, ask, build, request  # noqa: E402
from concerto_testing import Concertod, Process, main, wait_until  # noqa: E402
from concerto_testing.certificates import Authority, put, put_text  # noqa: E402
from concerto_testing.tokens import AUDIENCE, ISSUER, Issuer, caller_line  # noqa: E402
from load import GID, Load, lane, protobuf  # noqa: E402

NEW_GID = Method("http", "GET", "/api/dtmsvr/newGid")
OWN = "DNS:localhost,IP:127.0.0.1"
READ_LINES = ('"msg":"reloaded: ', '"msg":"callers and keys are read again')
UNAUTHORIZED = 401


class Generation:
    """One of everything. Those of two generations have nothing in common."""

    def __init__(self, directory, number):
        where = os.path.join(directory, f"generation-{number}")
        self.clients, self.branches = (Authority(os.path.join(where, kind), f"{kind} {number}")
                                       for kind in ("clients", "branches"))
        self.number = number
        self.clients.issue("app", "DNS:app.b.org")
        self.clients.issue("lost", "DNS:lost.b.org")
        self.clients.issue(f"coordinator-{number}", "DNS:coordinator.b.org")
        self.clients.revoke()
        self.branches.issue("branch", OWN)
        self.issuer = Issuer(where, f"issuer-{number}")
        self.token = f"token-of-generation-{number}"
        self.jwt = self.issuer.token(sub="jo", roles=["client"])


class Rotation(unittest.TestCase):
    def setUp(self):
        self.caller = build(self.args.build_directory)
        self.authority = Authority(self.file("authority"))  # of the ports; clients keep it
        self.now = Generation(self.directory, 0)
        self.write_first_files()
        self.branch = Process("branch", [self.caller, "serve", "-shown", self.file("branch.both"),
                                         "-ca", self.file("branch-clients.pem")], self.directory)
        self.addCleanup(self.branch.kill)
        self.branch_ports = re.search(r"HTTP (\d+) gRPC (\d+)",
                                      self.branch.wait_for_line("HTTP .* gRPC")).groups()
        context = self.authority.context()
        context.load_cert_chain(self.file("app.both"))
        self.coordinator = Concertod(self.args.concertod, self.directory, self.settings(),
                                     context=context)
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start()

    def file(self, name):
        return os.path.join(self.directory, name)

    def write_first_files(self):
        now = self.now
        self.show_server(now)
        put(self.file("client-ca.pem"), now.clients.file("ca.pem"))
        put(self.file("client-crl.pem"), now.clients.file("crl.pem"))
        put(self.file("app.both"), now.clients.file("app.both"))
        put(self.file("branch-ca.pem"), now.branches.file("ca.pem"))
        put(self.file("branch.both"), now.branches.file("branch.both"))
        put(self.file("branch-clients.pem"), now.clients.file("ca.pem"))
        self.show_coordinator(now)
        self.write_callers(now)
        self.write_keys(now)
        put_text(self.file("token"), now.token)
        put_text(self.file("jwt"), now.jwt)

    def show_server(self, generation):
        """As Kubernetes replaces a secret: a link points to another directory."""
        name = f"server-{generation.number}"
        self.authority.issue(name, OWN)
        os.mkdir(self.file(name))
        for kind in ("pem", "key"):
            put(self.file(f"{name}/tls.{kind}"), self.authority.file(f"{name}.{kind}"))
        os.symlink(name, self.file("new-link"))
        os.replace(self.file("new-link"), self.file("current"))

    def show_coordinator(self, generation):
        for kind in ("pem", "key"):
            put(self.file("coordinator." + kind),
                generation.clients.file(f"coordinator-{generation.number}.{kind}"))

    def write_callers(self, *generations):
        put_text(self.file("callers"), "".join(caller_line("shop", "client", each.token)
                                               for each in generations))

    def write_keys(self, *generations):
        put_text(self.file("jwks"), json.dumps({"keys": [each.issuer.jwk()
                                                         for each in generations]}))

    def settings(self):
        return {"Store.Driver": "memory", "Shards": 2, "RetryInterval": 60, "TimeoutToFail": 60,
                "Tls.CertFile": self.file("current/tls.pem"),
                "Tls.KeyFile": self.file("current/tls.key"),
                "Tls.ClientAuth": "required", "Tls.ClientCaFile": self.file("client-ca.pem"),
                "Tls.ClientCrlFile": self.file("client-crl.pem"),
                "BranchTls.CaFile": self.file("branch-ca.pem"),
                "BranchTls.CertFile": self.file("coordinator.pem"),
                "BranchTls.KeyFile": self.file("coordinator.key"),
                "BranchTls.GrpcTargets": "127.0.0.1",
                "Auth.CallersFile": self.file("callers"), "Auth.JwksFile": self.file("jwks"),
                "Auth.JwtIssuer": ISSUER, "Auth.JwtAudience": AUDIENCE}

    def lanes(self):
        http = f"127.0.0.1:{self.coordinator.http_port}"
        grpc = f"127.0.0.1:{self.coordinator.grpc_port}"
        branch, grpc_branch = (f"127.0.0.1:{port}" for port in self.branch_ports)
        self.saga = json.dumps({"gid": GID, "trans_type": "saga", "wait_result": True,
                                "payloads": [""],
                                "steps": [{"action": f"https://{branch}/a", "compensate": ""}]})
        grpc_saga = protobuf([(1, GID.encode()), (2, b"saga"), (3, protobuf([(1, 1)])), (5, b""),
                              (7, json.dumps([{"action": grpc_branch + "/busi.Busi/A",
                                               "compensate": ""}]).encode())])
        files = {"ca": self.authority.file("ca.pem"), "shown": self.file("app.both")}
        token = {**files, "token_file": self.file("token")}
        jwt = {**files, "token_file": self.file("jwt")}
        return [lane("http", "http", http, NEW_GID.name, **token),
                lane("fresh http", "http", http, NEW_GID.name, fresh=True, **jwt),
                lane("grpc", "grpc", grpc, "dtmgimp.Dtm/NewGid", **jwt),
                lane("fresh grpc", "grpc", grpc, "dtmgimp.Dtm/NewGid", fresh=True, **token),
                lane("saga", "http", http, "/api/dtmsvr/submit", self.saga.encode(), "POST", **jwt),
                lane("grpc saga", "grpc", grpc, "dtmgimp.Dtm/Submit", grpc_saga, **token)]

    def reload(self):
        """SIGHUP reads all files, callers and keys last."""
        process = self.coordinator.process
        counts = {line: len(process.lines(line)) for line in READ_LINES}
        os.kill(process.pid, signal.SIGHUP)
        for line, count in counts.items():
            process.wait_for_line(line, count=count + 1)

    def round(self):
        """Some calls of each lane, with the files as they are now. None may fail."""
        lanes = self.load.round()
        for label, each in lanes.items():
            self.assertIsNone(each["failures"], label)
        return lanes

    def ask(self, token, shown, method=NEW_GID):
        return ask(self.caller, [request(f"127.0.0.1:{self.coordinator.http_port}",
                                         self.authority.file("ca.pem"), method,
                                         Credentials(token, shown))])[0]

    def rotate(self, new):
        old, self.now = self.now, new
        self.rotate_server(new)
        self.rotate_clients(old, new)
        self.rotate_callers(old, new)
        self.rotate_keys(old, new)
        self.rotate_branches(old, new)

    def rotate_server(self, new):
        self.show_server(new)
        name = f"server-{new.number}"
        self.coordinator.process.wait_for_line(f"files of TLS have changed and are used .*{name} ")
        lanes = self.round()
        for label in ("fresh http", "fresh grpc"):
            self.assertIn(name, lanes[label]["servers"])
        for label in ("http", "grpc"):
            self.assertEqual(list(lanes[label]["servers"]), ["server-0"], "it stays open")

    def rotate_clients(self, old, new):
        """While two authorities are accepted, the clients get certificates of the other one."""
        put(self.file("branch-clients.pem"), *(each.clients.file("ca.pem") for each in (old, new)))
        # The lists first: without its list an authority is not accepted.
        put(self.file("client-crl.pem"), *(each.clients.file("crl.pem") for each in (old, new)))
        self.reload()
        put(self.file("client-ca.pem"), *(each.clients.file("ca.pem") for each in (old, new)))
        self.reload()
        put(self.file("app.both"), new.clients.file("app.both"))
        self.round()
        put(self.file("client-ca.pem"), new.clients.file("ca.pem"))
        put(self.file("client-crl.pem"), new.clients.file("crl.pem"))
        self.reload()
        self.round()
        refused = self.ask(old.token, old.clients.file("app.both"))
        self.assertIn(alert(refused["failure"]), ("unknown certificate authority", None))
        self.assertNotEqual(refused["failure"], "")
        self.revoke(new)

    def revoke(self, new):
        lost = new.clients.file("lost.both")
        token = self.load_token()
        self.assertEqual(self.ask(token, lost)["code"], 200)
        new.clients.revoke("lost")
        put(self.file("client-crl.pem"), new.clients.file("crl.pem"))
        wait_until(lambda: self.ask(token, lost)["failure"], "the certificate is revoked")
        self.round()

    def load_token(self):
        with open(self.file("token"), encoding="utf-8") as file:
            return file.read()

    def rotate_callers(self, old, new):
        shown = new.clients.file("app.both")
        self.write_callers(old, new)
        self.reload()
        put_text(self.file("token"), new.token)
        self.round()
        self.write_callers(new)
        wait_until(lambda: self.ask(old.token, shown)["code"] == UNAUTHORIZED, "it is revoked")
        self.round()

    def rotate_keys(self, old, new):
        self.write_keys(old, new)
        self.reload()
        put_text(self.file("jwt"), new.jwt)
        self.round()
        self.write_keys(new)
        self.reload()
        wait_until(lambda: self.ask(old.jwt, new.clients.file("app.both"))["code"] == UNAUTHORIZED,
                   "the key is gone")
        self.round()

    def rotate_branches(self, old, new):
        """The authority of branches, the certificate of the branch, and the coordinator's own."""
        put(self.file("branch-ca.pem"), *(each.branches.file("ca.pem") for each in (old, new)))
        self.reload()
        put(self.file("branch.both"), new.branches.file("branch.both"))
        self.round()
        put(self.file("branch-ca.pem"), new.branches.file("ca.pem"))
        self.reload()
        self.show_coordinator(new)
        self.reload()
        self.branch.wait_for_line(f"client coordinator-{new.number}$")
        put(self.file("branch-clients.pem"), new.clients.file("ca.pem"))
        self.round()
        self.round()  # no connection of a branch is used for so many calls

    def check_first_branch_is_refused(self, first):
        """New connections check the authority of branches as it is now."""
        put(self.file("branch.both"), first.branches.file("branch.both"))
        token, shown = self.load_token(), self.file("app.both")
        gids = (f"last-{number}" for number in range(1000))

        def refused():
            gid = next(gids)
            body = self.saga.replace(GID, gid).encode()
            answer = self.ask(token, shown, Method("http", "POST", "/api/dtmsvr/submit", body))
            return answer["code"] != 200 and gid

        gid = wait_until(refused, "the branch's first certificate is refused")
        why = self.ask(token, shown, Method("http", "GET", "/api/concerto/why?gid=" + gid))
        self.assertIn("certificate verify failed", why["text"])

    def test_no_call_fails(self):
        first, begin = self.now, time.monotonic()
        self.load = Load(self.caller, self.file("lanes.json"), self.lanes())
        self.addCleanup(self.load.kill)
        self.round()
        for number in range(1, self.args.rounds + 1):
            self.rotate(Generation(self.directory, number))
        lanes = self.load.end()
        calls = {label: each["calls"] for label, each in lanes.items()}
        print(f"{sum(calls.values()) / (time.monotonic() - begin):.0f} calls a second:", calls)
        self.check_first_branch_is_refused(first)
        for label, each in lanes.items():
            self.assertIsNone(each["failures"], label)
            self.assertLessEqual(set(each["servers"]),
                                 {f"server-{number}" for number in range(self.args.rounds + 1)})
        self.assertNotIn("token-of-", self.coordinator.process.text())
        self.assertEqual(self.coordinator.terminate(), 0)


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("concertod", type=os.path.abspath)
    parser.add_argument("build_directory", help="for the program in Go", type=os.path.abspath)


if __name__ == "__main__":
    main(Rotation, add_arguments, __doc__)
