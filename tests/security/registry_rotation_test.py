"""The files for TLS to etcd, and etcd's own, are replaced while transactions go on: none fails, the
coordinator stays registered, and an etcd with the old certificate is refused at the end.

Usage: registry_rotation_test.py <concertod> <build directory>
"""

import json
import os
import signal
import ssl
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from callers import build  # noqa: E402
from concerto_testing import (  # noqa: E402
    BranchServer, Concertod, Etcd, http_call, main, need_program)
from concerto_testing.certificates import Authority, put, put_text  # noqa: E402
from load import GID, Load, lane  # noqa: E402

OWN = "DNS:localhost,IP:127.0.0.1"
REGISTERED = "dtmservice/"
RELOADED = '"msg":"reloaded: '


class RegistryRotation(unittest.TestCase):
    def setUp(self):
        self.caller = build(self.args.build_directory)
        self.members, self.clients = (
            [Authority(self.file(f"{kind}-{number}"), f"{kind} {number}") for number in (0, 1)]
            for kind in ("members", "clients"))
        for each in self.members:
            each.issue("etcd", OWN)
        for each in self.clients:
            each.issue("coordinator", "DNS:coordinator.b.org")
        self.show_member(0)
        self.show_client(0)
        self.accept(0)
        # A member's HTTP interface is a client of the member, with the member's certificate.
        put(self.file("etcd-clients.pem"), *(each.file("ca.pem")
                                             for each in (*self.clients, *self.members)))
        self.etcd = Etcd(self.directory, need_program("etcd", "etcd-server"), tls=(
            "--cert-file", self.file("etcd.pem"), "--key-file", self.file("etcd.key"),
            "--trusted-ca-file", self.file("etcd-clients.pem"), "--client-cert-auth"),
            context=self.context())
        self.addCleanup(self.etcd.kill)
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)
        target = (f"etcd://{self.etcd.address}/dtmservice?caCert={self.file('ca.pem')}"
                  f"&certFile={self.file('client.pem')}&keyFile={self.file('client.key')}")
        self.coordinator = Concertod(self.args.concertod, self.directory, {
            "Store.Driver": "memory", "Shards": 2, "MicroService.Driver": "dtm-driver-gozero",
            "MicroService.Target": target, "MicroService.EndPoint": "127.0.0.1:1"})
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start()

    def file(self, name):
        return os.path.join(self.directory, name)

    def context(self):
        """The test itself is a client of both members."""
        context = ssl.create_default_context()
        for each in self.members:
            context.load_verify_locations(each.file("ca.pem"))
        context.load_cert_chain(self.clients[0].file("coordinator.both"))
        return context

    def show_member(self, number):
        """etcd reads its certificate for each handshake."""
        for kind in ("key", "pem"):
            put(self.file("etcd." + kind), self.members[number].file("etcd." + kind))

    def show_client(self, number):
        for kind in ("key", "pem"):
            put(self.file("client." + kind), self.clients[number].file("coordinator." + kind))

    def accept(self, *numbers):
        put(self.file("ca.pem"), *(self.members[number].file("ca.pem") for number in numbers))

    def reload(self):
        count = len(self.coordinator.process.lines(RELOADED))
        os.kill(self.coordinator.process.pid, signal.SIGHUP)
        self.coordinator.process.wait_for_line(RELOADED, count=count + 1)

    def restart_etcd(self):
        self.etcd.kill()
        self.etcd.start()

    def wait_until_registered(self):
        """A key that somebody removes is put again, if the connection is good."""
        self.etcd.wait_for_keys(REGISTERED, len, "the coordinator is registered")
        for key in self.etcd.keys(REGISTERED):
            self.etcd.delete(key)
        self.etcd.wait_for_keys(REGISTERED, len, "the coordinator is registered again")

    def assert_etcd_is_refused(self):
        """A branch in etcd cannot be found. (The coordinator's own registration is tried again only
        when its lease is over.)"""
        answer = http_call("POST", self.coordinator.api + "/submit", json.dumps(
            {"gid": "lost", "trans_type": "saga", "wait_result": True, "payloads": [""],
             "protocol": "grpc", "request_timeout": 1,
             "steps": [{"action": f"etcd://{self.etcd.address}/order.rpc/busi.Busi/A"}]}).encode())
        self.assertNotEqual(answer.status, 200)
        self.assertIn("certificate verify failed", json.dumps(self.coordinator.why("lost")))

    def test_no_call_fails(self):
        put_text(self.file("no-token"), "")
        saga = json.dumps({"gid": GID, "trans_type": "saga", "wait_result": True, "payloads": [""],
                           "steps": [{"action": self.branches.url("a"), "compensate": ""}]})
        address = f"127.0.0.1:{self.coordinator.http_port}"
        load = Load(self.caller, self.file("lanes.json"), [
            lane("saga", "http", address, "/api/dtmsvr/submit", saga.encode(), "POST",
                 token_file=self.file("no-token")),
            lane("fresh", "http", address, "/api/dtmsvr/newGid", fresh=True,
                 token_file=self.file("no-token"))])
        self.addCleanup(load.kill)
        self.etcd.wait_for_keys(REGISTERED, len, "the coordinator is registered")
        self.accept(0, 1)
        self.show_client(1)
        self.reload()
        self.show_member(1)
        self.restart_etcd()
        self.wait_until_registered()
        self.accept(1)
        self.coordinator.process.wait_for_line("files of TLS have changed and are used")
        self.restart_etcd()
        self.wait_until_registered()
        self.show_member(0)
        self.restart_etcd()
        self.assert_etcd_is_refused()
        for label, each in load.end().items():
            self.assertIsNone(each["failures"], label)
            self.assertGreater(each["calls"], 0)


def add_arguments(parser):
    parser.add_argument("concertod", type=os.path.abspath)
    parser.add_argument("build_directory", help="for the program in Go", type=os.path.abspath)


if __name__ == "__main__":
    main(RegistryRotation, add_arguments, __doc__)
