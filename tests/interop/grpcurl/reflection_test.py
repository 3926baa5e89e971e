#!/usr/bin/env python3
"""Server reflection, the health service and unknown calls, as grpcurl sees them."""

import os
import signal

from grpcurl import (
    HERE, NOT_FOUND, UNIMPLEMENTED, GrpcError, GrpcurlTest, add_arguments)
from concerto_testing import Process, main  # The path to it is set by grpcurl.py.

SERVICES = ["dtmgimp.Dtm", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"]
METHODS = ["Abort", "DeleteTopic", "NewGid", "Prepare", "PrepareWorkflow", "RegisterBranch",
           "Submit", "Subscribe", "Unsubscribe"]
MESSAGES = ["DtmTransOptions", "DtmRequest", "DtmGidReply", "DtmBranchRequest",
            "DtmProgressesReply", "DtmTransaction", "DtmProgress", "DtmTopicRequest"]
HEALTH = "grpc.health.v1.Health"


class Reflection(GrpcurlTest):
    def test_lists_services_and_methods(self):
        self.assertEqual(self.text("list").splitlines(), SERVICES)
        self.assertEqual(self.text("list", "dtmgimp.Dtm").splitlines(),
                         [f"dtmgimp.Dtm.{method}" for method in METHODS])
        self.assertNotEqual(self.grpcurl("list", "dtmgimp.Nope").returncode, 0)

    def test_describes_the_service_and_every_message(self):
        printed = "".join(self.text("describe", f"dtmgimp.{name}") for name in ["Dtm", *MESSAGES])
        with open(os.path.join(HERE, "described.txt"), encoding="utf-8") as file:
            self.assertEqual(printed, file.read())
        # Without a symbol: every service, each in full.
        described = self.text("describe")
        for service in SERVICES:
            self.assertIn(f"{service} is a service:\n", described)
        self.assertNotEqual(self.grpcurl("describe", "dtmgimp.Nope").returncode, 0)

    def test_health_is_checked(self):
        for service in ("", "dtmgimp.Dtm"):
            self.assertEqual(self.invoke(f"{HEALTH}/Check", {"service": service}),
                             {"status": "SERVING"})
        with self.assertRaises(GrpcError) as refusal:
            self.invoke(f"{HEALTH}/Check", {"service": "nope"})
        self.assertEqual(refusal.exception.code, NOT_FOUND)

    def test_health_is_watched_until_shutdown(self):
        watch = Process("watch", self.command(f"{HEALTH}/Watch"), self.directory)
        self.addCleanup(watch.kill)
        watch.wait_for_line('"status": "SERVING"')
        os.kill(self.coordinator.process.pid, signal.SIGTERM)
        watch.wait_for_line('"status": "NOT_SERVING"')
        watch.kill()  # it has seen enough
        self.assertEqual(self.coordinator.process.wait(), 0)
        self.assertEqual(watch.lines('"status"'),
                         ['  "status": "SERVING"', '  "status": "NOT_SERVING"'])

    def test_unknown_calls(self):
        unknown = [f"-import-path={HERE}", "-proto=unknown.proto"]
        for method, message in (
                ("dtmgimp.Dtm/Nope", "unknown method Nope for service dtmgimp.Dtm"),
                ("dtmgimp.Nope/Nope", "unknown service dtmgimp.Nope")):
            with self.assertRaises(GrpcError) as refusal:
                self.invoke(method, {}, *unknown)
            self.assertEqual((refusal.exception.code, refusal.exception.message),
                             (UNIMPLEMENTED, message))


if __name__ == "__main__":
    main(Reflection, add_arguments, __doc__)
