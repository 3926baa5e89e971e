"""A coordinator that is registered in an etcd of three members, of which one gets into trouble.

Each member is a host of its own (a network namespace) with one cable to the coordinator and one to
the other members. Usage: cluster_test.py <concertod>
"""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import Concertod, Process, http_call, main, need_program  # noqa: E402
from concerto_testing import wait_until  # noqa: E402
from concerto_testing.etcd import keys_at  # noqa: E402
from concerto_testing.namespaces import Bridge, Namespace, enter_own_network  # noqa: E402

LEASE_S = 10
PREFIX = "dtmservice/"


class Member:
    def __init__(self, number, clients, peers):
        self._clients, self._peers = clients, peers
        self.name = f"m{number}"
        self.host = Namespace(number, [clients, peers])
        self.client_url = f"http://{self.host.address(clients)}:2379"
        self.peer_url = f"http://{self.host.address(peers)}:2380"

    def start(self, binary, cluster, directory):
        return Process(
            self.name,
            [*self.host.inside, binary, "--name", self.name,
             "--data-dir", os.path.join(directory, self.name + ".data"),
             "--listen-client-urls", self.client_url, "--advertise-client-urls", self.client_url,
             "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url,
             "--initial-cluster", cluster], directory)

    @property
    def address(self):
        return self.client_url.removeprefix("http://")

    def is_healthy(self):
        return http_call("GET", self.client_url + "/health", timeout_s=2).status == 200

    def cut_off_from_peers(self):
        self.host.unplug(self._peers)

    def swallow_everything(self):
        self.host.unplug(self._clients)

    def mend(self):
        self.host.plug_in(self._peers)
        self.host.plug_in(self._clients)
        wait_until(self.is_healthy, f"{self.name} serves again", 30)


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary = need_program("etcd", "etcd-server")
        clients, peers = Bridge(21), Bridge(22)
        cls.members = [Member(number, clients, peers) for number in (1, 2, 3)]
        cluster = ",".join(f"{member.name}={member.peer_url}" for member in cls.members)
        for member in cls.members:
            cls.addClassCleanup(member.host.close)
            process = member.start(binary, cluster, cls.directory)
            cls.addClassCleanup(process.kill)
        for member in cls.members:
            wait_until(member.is_healthy, f"{member.name} serves", 30)

    def start(self, name):
        hosts = ",".join(member.address for member in self.members)
        coordinator = Concertod(self.args.concertod, self.directory, {
            "MicroService.Driver": "dtm-driver-gozero",
            "MicroService.Target": f"etcd://{hosts}/dtmservice",
            "MicroService.EndPoint": "127.0.0.1:36790"}, name)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        return coordinator

    def keys(self, without=None):
        """The addresses as a member without trouble knows them. While a leader is elected, no
        member does."""
        member = next(member for member in self.members if member is not without)

        def read():
            try:
                return [keys_at(member.client_url, PREFIX)]
            except AssertionError as answer:
                if "etcdserver: " in str(answer):
                    return None
                raise

        return wait_until(read, f"{member.name} knows the keys", 15)[0]

    def wait_for_key(self, without=None):
        return wait_until(lambda: self.keys(without), "the coordinator is registered", 15)

    def used_member(self, coordinator):
        """The member to which the coordinator has a connection."""

        def find():
            with open(f"/proc/{coordinator.process.pid}/net/tcp", encoding="ascii") as table:
                peers = {line.split()[2] for line in table if line.split()[3] == "01"}
            for member in self.members:
                host, port = member.address.split(":")
                numbers = [int(part) for part in reversed(host.split("."))]
                if "".join(f"{part:02X}" for part in numbers) + f":{int(port):04X}" in peers:
                    return member
            return None

        return wait_until(find, "a connection to a member")

    def keeps_its_key_while(self, trouble):
        coordinator = self.start(trouble.__name__)
        self.addCleanup(self.end, coordinator)
        key = self.wait_for_key()
        wait_until(lambda: self.registered(coordinator), "the metric says so")
        member = self.used_member(coordinator)
        trouble(member)
        self.addCleanup(member.mend)
        end = time.monotonic() + LEASE_S + 5
        while time.monotonic() < end:
            self.assertEqual(self.keys(without=member), key)
            time.sleep(0.5)
        coordinator.process.wait_for_line("does not serve and is left for another")

    def end(self, coordinator):
        coordinator.terminate()
        wait_until(lambda: not self.keys(), "the key goes", LEASE_S + 5)

    def registered(self, coordinator):
        url = f"http://127.0.0.1:{coordinator.http_port}/api/metrics"
        return "concerto_registered 1\n" in http_call("GET", url).body.decode()

    def test_registers_whichever_member_is_cut_off_at_the_start(self):
        for member in self.members:
            member.cut_off_from_peers()
            for attempt in (1, 2):
                coordinator = self.start(f"without-{member.name}-{attempt}")
                self.wait_for_key(without=member)
                coordinator.terminate()
                wait_until(lambda: not self.keys(without=member), "the key goes", LEASE_S + 5)
            member.mend()

    def test_keeps_its_key_while_its_member_is_cut_off(self):
        self.keeps_its_key_while(Member.cut_off_from_peers)

    def test_keeps_its_key_while_its_member_swallows_everything(self):
        self.keeps_its_key_while(Member.swallow_everything)


if __name__ == "__main__":
    enter_own_network()
    main(Cluster, lambda parser: parser.add_argument("concertod"), __doc__)
