#!/usr/bin/env python3
"""What Submit and Abort answer when they wait for branches, and what deadlines and sizes do.

Branches over gRPC are the coordinator's own services: Health/Check answers NOT_FOUND for an unknown
service, and Submit answers ABORTED for a finished transaction.
"""

import socket

from grpcurl import (
    ABORTED, DEADLINE_EXCEEDED, FAILED_PRECONDITION, INTERNAL, NOT_FOUND, RESOURCE_EXHAUSTED,
    UNAVAILABLE, UNIMPLEMENTED, UNKNOWN, GrpcError, GrpcurlTest, add_arguments, b64, steps)
from concerto_testing import BranchServer, free_port, main  # The path is set by grpcurl.py.
from concerto_testing.branch_server import FAILURE, ONGOING

WAIT = {"TransOptions": {"WaitResult": True, "RequestTimeout": "1"}}
RETRIED = r"\A[^\n]+\n[^\n]+\nunkown result will be retried: "
NOT_FINISHED = "wait result not return success: FAILURE"
UNKNOWN_SERVICE = b64(b"\x0a\x04nope")  # HealthCheckRequest
FINISHED = b64(b"\x0a\x04done\x12\x03tcc")  # DtmRequest


class Results(GrpcurlTest):
    def setUp(self):
        super().setUp()
        self.http = BranchServer()
        self.addCleanup(self.http.close)

    def branch(self, method):
        return f"{self.coordinator.grpc_address}/{method}"

    def unreachable(self):
        return f"localhost:{free_port()}/busi.Busi/A"

    def mute(self):
        """A branch that accepts connections and never answers."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        return f"127.0.0.1:{listener.getsockname()[1]}/busi.Busi/A"

    def test_success(self):
        for gid, trans_type in (("saga", "saga"), ("msg", "msg")):
            self.assertEqual(self.call("Submit", Gid=gid, TransType=trans_type, **WAIT, **steps(
                self.http.url("a"), self.branch("dtmgimp.Dtm/NewGid"),
                self.branch("grpc.health.v1.Health/Check"))
                | {"BinPayloads": [b64(b"\x00\xff"), "", ""]}), {})
            self.assertEqual(self.transaction(gid)["status"], "succeed")
            (call,) = self.http.calls(gid)
            self.assertEqual((call.method, str(call), call.body),
                             ("POST", "action 01 a", b"\x00\xff"))

    def test_saga_is_refused(self):
        self.call("Submit", Gid="done", TransType="tcc")
        self.coordinator.wait_for_status("done", "succeed")
        self.http.script("no", FAILURE)
        submit = self.branch("dtmgimp.Dtm/Submit")
        for gid, url, payload, reason in (
                ("grpc", submit, FINISHED, f"url:{submit} return failed: current status "
                 "'succeed', cannot sumbmit. FAILURE"),
                ("http", self.http.url("no"), "",
                 f"url:{self.http.url('no')} return failed: no money FAILURE")):
            self.refused(ABORTED, reason, "Submit", Gid=gid, TransType="saga", **WAIT,
                         **steps((url, self.http.url("undo"))) | {"BinPayloads": [payload]})
            self.coordinator.wait_for_status(gid, "failed")
            self.assertEqual(self.transaction(gid)["rollback_reason"], reason)
            self.assertEqual(str(self.http.calls(gid)[-1]), "compensate 01 undo")

    def test_saga_is_not_finished(self):
        self.http.script("later", ONGOING)
        for gid, url in (("ongoing", self.http.url("later")), ("gone", self.unreachable())):
            self.refused(ABORTED, NOT_FINISHED, "Submit", Gid=gid, TransType="saga", **WAIT,
                         **steps(url))
            self.assertEqual(self.transaction(gid)["status"], "submitted")

    def test_msg_passes_on_the_branch_error(self):
        self.http.script("no", FAILURE)
        self.http.script("later", ONGOING)
        self.http.script("broken", (500, "out of order"))
        health = self.branch("grpc.health.v1.Health/Check")
        name = "rpc error: code = {} desc = "
        for gid, url, code, text in (
                ("not-found", health, NOT_FOUND, name.format("NotFound") + "unknown service nope$"),
                ("unknown", self.branch("busi.Busi/A"), UNIMPLEMENTED,
                 name.format("Unimplemented") + "unknown service busi.Busi$"),
                ("unreachable", self.unreachable(), UNAVAILABLE, name.format("Unavailable")),
                ("mute", self.mute(), DEADLINE_EXCEEDED, name.format("DeadlineExceeded")),
                ("failure", self.http.url("no"), ABORTED, "no money FAILURE$"),
                ("broken", self.http.url("broken"), UNKNOWN, "out of order$")):
            self.refused_with(code, RETRIED + text, "Submit", Gid=gid, TransType="msg", **WAIT,
                              **steps(url) | {"BinPayloads": [UNKNOWN_SERVICE]})
            self.assertEqual(self.transaction(gid)["status"], "submitted")
        self.refused(ABORTED, NOT_FINISHED, "Submit", Gid="ongoing", TransType="msg", **WAIT,
                     **steps(self.http.url("later")))

    def test_tcc_and_xa_pass_on_the_branch_error(self):
        self.http.script("later", ONGOING)
        health = self.branch("grpc.health.v1.Health/Check")
        not_found = "rpc error: code = NotFound desc = unknown service nope$"
        for trans_type, decision in (("tcc", "Submit"), ("tcc", "Abort"), ("xa", "Submit"),
                                     ("xa", "Abort")):
            for what, url, code, text in (("later", self.http.url("later"), FAILED_PRECONDITION,
                                           "^ONGOING$"),
                                          ("error", health, NOT_FOUND, RETRIED + not_found)):
                gid = f"{trans_type}-{decision}-{what}"
                self.call("Prepare", Gid=gid, TransType=trans_type, **WAIT)
                self.call("RegisterBranch", Gid=gid, TransType=trans_type, BranchID="01",
                          BusiPayload=UNKNOWN_SERVICE,
                          Data={"confirm": url, "cancel": url, "url": url})
                self.refused_with(code, text, decision, Gid=gid, TransType=trans_type, **WAIT)
                self.assertEqual(self.transaction(gid)["status"],
                                 {"Submit": "submitted", "Abort": "aborting"}[decision])

    def test_a_deadline_ends_the_waiting_alone(self):
        gate = self.http.hold("slow")
        request = {"Gid": "slow", "TransType": "saga", **steps(self.http.url("slow")),
                   "TransOptions": {"WaitResult": True, "RequestTimeout": "60"}}
        with self.assertRaises(GrpcError) as refusal:
            self.invoke("dtmgimp.Dtm/Submit", request, "-max-time=0.5")
        self.assertEqual(refusal.exception.code, DEADLINE_EXCEEDED)
        self.assertEqual(len(self.http.wait_for_calls(1)), 1)
        gate.set()
        self.coordinator.wait_for_status("slow", "succeed")
        self.assertEqual(len(self.http.calls()), 1, "the call that ran was not cut off")

    def test_branch_headers_reach_branches_over_http(self):
        self.call("Submit", Gid="headers", TransType="saga", **steps(self.http.url("a")),
                  TransOptions={"WaitResult": True, "BranchHeaders": {"X-Shop": "north"}})
        self.assertEqual(self.http.calls()[0].headers.get("X-Shop"), "north")

    def test_sizes(self):
        limit = 4 * 1024 * 1024
        self.call("Submit", Gid="big", TransType="msg", **WAIT,
                  **steps("") | {"BinPayloads": [b64(b"\x01" * (limit - 1024))]})
        self.assertEqual(self.transaction("big")["status"], "succeed")
        self.refused_with(RESOURCE_EXHAUSTED, ".", "Submit", Gid="large", TransType="msg",
                          **steps("") | {"BinPayloads": [b64(b"\x01" * limit)]})
        self.refused_with(INTERNAL, "gid", "Submit", Gid="g" * 129, TransType="tcc")
        self.assertIsNone(self.transaction("large"))


if __name__ == "__main__":
    main(Results, add_arguments, __doc__)
