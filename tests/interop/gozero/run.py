#!/usr/bin/env python3
"""The go-zero article as a test: trans.rpc and an app of the official Go SDK meet through etcd.

The coordinator runs with the article's configuration. Checked are the lines that the service
prints, the coordinator's own state, and what stands in etcd, also over a kill of etcd.
"""

import json
import os
import re
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from concerto_testing import (  # noqa: E402  (the path has to be set first)
    Concertod, Etcd, Process, free_port, go_build, main, need_program, wait_for_port,
    wait_until)

COORDINATOR_KEY = "dtmservice/"
SERVICE_KEY = "trans.rpc/"
LEASE_TTL_S = 10
# etcd looks for expired leases twice a second, and begins to count anew after a start.
LEASE_MARGIN_S = 5
SERVICE_CONFIG = """\
Name: trans.rpc
ListenOn: 127.0.0.1:{port}
CpuThreshold: 0
Log:
  Level: error
"""
ETCD_CONFIG = """\
Etcd:
  Hosts:
  - {etcd}
  Key: trans.rpc
"""


class GoZero(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.work = os.path.join(self.directory, self.id().split(".")[-1])
        os.mkdir(self.work)
        go_build(HERE, self.args.build_directory)

    def start_service(self, etcd=None):
        """The go-zero service; `self.service_address` is where it listens."""
        port = free_port()
        self.service_address = f"127.0.0.1:{port}"
        config = SERVICE_CONFIG.format(port=port)
        if etcd:
            config += ETCD_CONFIG.format(etcd=etcd.address)
        path = os.path.join(self.work, "trans.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        service = Process("service", [self.program("service"), "-f", path], self.work)
        self.addCleanup(service.kill)
        wait_for_port(port, service)
        return service

    def start_coordinator(self, name="concertod", etcd=None):
        coordinator = Concertod(self.args.concertod, self.work, name=name)
        coordinator.settings["MicroService.Driver"] = "dtm-driver-gozero"
        coordinator.settings["MicroService.Target"] = (
            f"etcd://{etcd.address}/dtmservice" if etcd else "")
        coordinator.settings["MicroService.EndPoint"] = coordinator.grpc_address
        self.addCleanup(coordinator.kill)
        coordinator.start()
        return coordinator

    def program(self, name):
        return os.path.join(self.args.build_directory, name)

    def run_app(self, *arguments):
        """Runs the app to its end; returns its gid and the finished process."""
        done = subprocess.run([self.program("app"), *arguments], cwd=self.work, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        gid = re.search(r"^gid (\S+)$", done.stdout, re.MULTILINE)
        self.assertIsNotNone(gid, f"{done.stdout}\n{done.stderr}")
        return gid.group(1), done

    def check_transfers(self, coordinator, service, *finding):
        """A msg that succeeds, then a saga that is rolled back."""
        before = len(service.lines())
        gid, app = self.run_app("-mode", "msg", "-amount", "30", *finding)
        self.assertEqual(app.returncode, 0, app.stderr)
        self.assertEqual(self.printed(service, before),
                         ["transfer out 30 cents from 1", "transfer in 30 cents to 2"])
        self.assert_state(coordinator, gid, "succeed", [("action", "succeed")] * 2)

        before = len(service.lines())
        gid, app = self.run_app("-mode", "saga", "-amount", "3000", *finding)
        self.assertNotEqual(app.returncode, 0)
        self.assertIn("code = Aborted", app.stderr)
        self.assertIn("account 2 takes at most 1000 cents FAILURE", app.stderr)
        coordinator.wait_for_status(gid, "failed")
        self.assertEqual(self.printed(service, before),
                         ["transfer out 3000 cents from 1", "refuse to transfer in 3000 cents to 2",
                          "revert: transfer in 3000 cents to 2",
                          "revert: transfer out 3000 cents from 1"])
        self.assert_state(coordinator, gid, "failed",
                          [("compensate", "succeed"), ("action", "succeed"),
                           ("compensate", "succeed"), ("action", "failed")])

    def check_cpp_client(self, coordinator, service, etcd):
        """A saga and a tcc of the C++ client. The tcc's tries are its own calls, through etcd, too.
        """
        method = f"etcd://{etcd.address}/trans.rpc/trans.TransSvc/"
        urls = {"action": "TransOut", "compensate": "TransOutRevert", "try": "TransOut",
                "confirm": "TransIn", "cancel": "TransOutRevert"}
        branch = {"name": "", **{op: method + name for op, name in urls.items()}}
        for mode, lines in (("saga", ["transfer out"]), ("tcc", ["transfer out", "transfer in"])):
            before = len(service.lines())
            transaction = {"mode": mode, "gid": f"cpp-{mode}", "branches": [branch],
                           "options": {"wait_result": True}}
            done = subprocess.run([self.args.client_app, "-wire", "grpc", "-dtm",
                                   f"etcd://{etcd.address}/dtmservice", "-transaction",
                                   json.dumps(transaction)],
                                  timeout=60, stdout=subprocess.PIPE, text=True)
            self.assertEqual(done.stdout, "result: ok\n")
            coordinator.wait_for_status(f"cpp-{mode}", "succeed")
            self.assertEqual([" ".join(line.split()[:2])
                              for line in self.printed(service, before)], lines)

    def printed(self, service, before):
        return [line for line in service.lines()[before:] if "transfer" in line]

    def assert_state(self, coordinator, gid, status, branches):
        coordinator.wait_for_status(gid, status)
        state = coordinator.query(gid)
        self.assertEqual([(branch["op"], branch["status"]) for branch in state["branches"]],
                         branches)

    def wait_for_registration(self, etcd, coordinator, timeout_s=15.0):
        """Waits until the coordinator's key is the only one, in go-zero's layout. Returns the key.
        """
        keys = etcd.wait_for_keys(
            COORDINATOR_KEY, lambda found: list(found.values()) == [coordinator.grpc_address],
            f"one key {COORDINATOR_KEY}... = {coordinator.grpc_address}", timeout_s)
        key = next(iter(keys))
        self.assertRegex(key, "^dtmservice/[0-9]+$")
        return key

    def test_etcd(self):
        need_program("etcd", "etcd-server")
        etcd = Etcd(self.work)
        self.addCleanup(etcd.kill)
        service = self.start_service(etcd)
        coordinator = self.start_coordinator(etcd=etcd)
        by_registry = ["-dtm", f"etcd://{etcd.address}/dtmservice", "-etcd", etcd.address]
        self.wait_for_registration(etcd, coordinator)
        etcd.wait_for_keys(SERVICE_KEY, bool, "trans.rpc is registered")
        self.check_transfers(coordinator, service, *by_registry)
        self.check_cpp_client(coordinator, service, etcd)

        # While etcd is away the coordinator goes on with the addresses that it knows.
        etcd.kill()
        self.check_transfers(coordinator, service, "-dtm", coordinator.grpc_address, "-etcd",
                             etcd.address)
        etcd.start()
        self.wait_for_registration(etcd, coordinator, LEASE_TTL_S + LEASE_MARGIN_S)
        etcd.wait_for_keys(SERVICE_KEY, bool, "trans.rpc is registered again")
        self.check_transfers(coordinator, service, *by_registry)

        # An etcd that comes back empty does not know the lease either.
        etcd.kill()
        etcd.lose_data()
        etcd.start()
        self.wait_for_registration(etcd, coordinator)
        etcd.wait_for_keys(SERVICE_KEY, bool, "trans.rpc is registered anew", 30)
        self.check_transfers(coordinator, service, *by_registry)

        self.assertEqual(coordinator.terminate(), 0)
        self.assertEqual(etcd.keys(COORDINATOR_KEY), {}, "gone when SIGTERM has been obeyed")

    def test_etcd_after_kill(self):
        need_program("etcd", "etcd-server")
        etcd = Etcd(self.work)
        self.addCleanup(etcd.kill)
        coordinator = self.start_coordinator(etcd=etcd)
        self.wait_for_registration(etcd, coordinator)
        # The registration outlives its lease only if the lease is renewed.
        held_until = time.monotonic() + LEASE_TTL_S + 2
        wait_until(lambda: time.monotonic() > held_until, "the first lease would have expired", 20)
        self.wait_for_registration(etcd, coordinator, 0)
        coordinator.kill()
        etcd.wait_for_keys(COORDINATOR_KEY, lambda found: not found,
                           "the killed coordinator's key goes with its lease",
                           LEASE_TTL_S + LEASE_MARGIN_S)

    def test_etcd_starts_later(self):
        need_program("etcd", "etcd-server")
        etcd = Etcd(self.work)
        self.addCleanup(etcd.kill)
        etcd.kill()
        coordinator = self.start_coordinator(etcd=etcd)
        etcd.start()
        self.wait_for_registration(etcd, coordinator)

    def test_direct(self):
        service = self.start_service()
        coordinator = self.start_coordinator()
        self.check_transfers(coordinator, service, "-dtm", coordinator.grpc_address, "-direct",
                             self.service_address)


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where the Go programs are built",
                        type=os.path.abspath)
    parser.add_argument("client_app", help="the program of ../client", type=os.path.abspath)


if __name__ == "__main__":
    main(GoZero, add_arguments, __doc__)
