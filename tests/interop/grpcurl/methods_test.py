#!/usr/bin/env python3
"""Every method of dtmgimp.Dtm with success and refusals; effects are looked up over HTTP."""

import json

from grpcurl import ABORTED, INTERNAL, UNKNOWN, GrpcurlTest, add_arguments, b64, steps
from concerto_testing import http_json, main  # The path to it is set by grpcurl.py.

NOT_STORED = "storage: NotFound"
NOT_UTF8 = b"\x00\xff\x08\x1e"
WORKFLOW = {"TransType": "workflow", "QueryPrepared": "localhost:1/workflow.Workflow/Execute",
            "CustomedData": '{"name":"wf","data":"CB4="}'}


class Methods(GrpcurlTest):
    def succeeded(self, gid):
        """A finished transaction."""
        self.call("Submit", Gid=gid, TransType="tcc")
        self.coordinator.wait_for_status(gid, "succeed")

    def topic(self, name):
        """Subscribers and version of a topic. None if there is no such topic."""
        found = http_json("GET", f"{self.coordinator.api}/queryKV?cat=topics&key={name}")["kv"]
        return (json.loads(found[0]["v"]), found[0]["version"]) if found else None

    def test_new_gid(self):
        gids = {self.call("NewGid")["Gid"] for _ in range(3)}
        self.assertEqual(len(gids), 3)
        for gid in gids:
            self.assertRegex(gid, "^[A-Za-z0-9_-]{1,128}$")

    def test_prepare(self):
        for trans_type in ("saga", "msg", "tcc", "xa"):
            request = {"Gid": trans_type, "TransType": trans_type}
            if trans_type in ("saga", "msg"):
                request.update(steps("localhost:1/busi.Busi/A", "localhost:1/busi.Busi/B"))
                request["BinPayloads"] = [b64(NOT_UTF8), b64(b"")]
            for _ in range(2):  # a second prepare is not an error
                self.assertEqual(self.call("Prepare", **request), {})
            stored = self.transaction(trans_type)
            self.assertEqual((stored["trans_type"], stored["status"], stored["protocol"]),
                             (trans_type, "prepared", "grpc"))
        ops = [("01", "action", "prepared"), ("02", "action", "prepared")]
        self.assertEqual(self.branches("msg"), ops)
        self.assertEqual(self.branches("tcc"), [])
        # Payloads are shown byte by byte.
        self.assertEqual(self.coordinator.query("msg")["branches"][0]["bin_data"], b64(NOT_UTF8))

        self.succeeded("done")
        self.refused(ABORTED, "current status 'succeed', cannot prepare. FAILURE", "Prepare",
                     Gid="done", TransType="tcc")
        self.refused(INTERNAL, "topic not found", "Prepare", Gid="x", TransType="msg",
                     **steps("topic://nope"))
        for bad in ({"TransType": "nope"}, {"TransType": ""},
                    {"TransType": "saga", "Steps": "[{"},
                    {"TransType": "msg", "Steps": '[{"action":"localhost:1/a.A/B"}]'}):
            self.refused_with(INTERNAL, ".", "Prepare", Gid="x", **bad)
        self.refused_with(INTERNAL, ".", "Prepare", Gid="", TransType="tcc")
        self.assertIsNone(self.transaction("x"))

    def test_submit(self):
        self.assertEqual(self.call("Submit", Gid="tcc", TransType="tcc", Steps="null"), {})
        self.coordinator.wait_for_status("tcc", "succeed")
        self.refused(ABORTED, "current status 'succeed', cannot sumbmit. FAILURE", "Submit",
                     Gid="tcc", TransType="tcc")
        # A branch without URL succeeds without a call.
        self.call("Submit", Gid="saga", TransType="saga", **steps(("", "")))
        self.coordinator.wait_for_status("saga", "succeed")
        self.assertEqual(self.branches("saga"),
                         [("01", "compensate", "prepared"), ("01", "action", "succeed")])
        # A prepared transaction goes on with what was prepared, and keeps its mode.
        self.call("Prepare", Gid="msg", TransType="msg", **steps("", ""))
        self.refused_with(ABORTED, " FAILURE$", "Submit", Gid="msg", TransType="tcc")
        self.call("Submit", Gid="msg", TransType="msg")
        self.coordinator.wait_for_status("msg", "succeed")
        self.assertEqual(self.branches("msg"),
                         [("01", "action", "succeed"), ("02", "action", "succeed")])

        self.refused(INTERNAL, "topic not found", "Submit", Gid="x", TransType="msg",
                     **steps("topic://nope"))
        for bad in ({"TransType": ""}, {"TransType": "nope"},
                    {"TransType": "saga", "Steps": "{"},
                    {"TransType": "saga", "Steps": '[{"action":""}]'},
                    {"TransType": "saga", "CustomedData": "{", **steps("")}):
            self.refused_with(INTERNAL, ".", "Submit", Gid="x", **bad)
        self.assertIsNone(self.transaction("x"))

    def test_abort(self):
        self.call("Prepare", Gid="tcc", TransType="tcc")
        self.call("RegisterBranch", Gid="tcc", TransType="tcc", BranchID="01", Data={})
        self.call("Abort", Gid="tcc", TransType="tcc", RollbackReason="no money")
        self.coordinator.wait_for_status("tcc", "failed")
        self.assertEqual(self.transaction("tcc")["rollback_reason"], "no money")
        self.assertEqual(self.branches("tcc"),
                         [("01", "cancel", "succeed"), ("01", "confirm", "prepared")])
        self.call("Prepare", Gid="msg", TransType="msg", **steps("localhost:1/busi.Busi/A"))
        self.call("Abort", Gid="msg", TransType="msg")
        self.assertEqual(self.transaction("msg")["status"], "failed")
        self.assertEqual(self.branches("msg"), [("01", "action", "prepared")])

        self.succeeded("done")
        self.call("Prepare", Gid="saga", TransType="saga", **steps(""))
        for gid, trans_type, status in (("done", "tcc", "succeed"), ("tcc", "tcc", "failed"),
                                        ("saga", "saga", "prepared"), ("msg", "msg", "failed")):
            self.refused(ABORTED, f"trans type: '{trans_type}' current status '{status}', "
                         "cannot abort. FAILURE", "Abort", Gid=gid, TransType=trans_type)
        self.refused(INTERNAL, "no TransGlobal with gid: nogid found", "Abort", Gid="nogid",
                     TransType="tcc")

    def test_register_branch(self):
        for trans_type, data, ops in (
                ("tcc", {"confirm": "h:1/s/c", "cancel": "h:1/s/x"},
                 [("cancel", "h:1/s/x"), ("confirm", "h:1/s/c")]),
                ("xa", {"url": "h:1/s/x"}, [("rollback", "h:1/s/x"), ("commit", "h:1/s/x")])):
            self.call("Prepare", Gid=trans_type, TransType=trans_type)
            branch = {"Gid": trans_type, "TransType": trans_type, "BranchID": "01", "Data": data,
                      "BusiPayload": b64(NOT_UTF8)}
            self.assertEqual(self.call("RegisterBranch", **branch), {})
            rows = self.coordinator.query(trans_type)["branches"]
            self.assertEqual([(row["op"], row["url"]) for row in rows], ops)
            self.assertEqual({(row["branch_id"], row["status"], row["bin_data"]) for row in rows},
                             {("01", "prepared", b64(NOT_UTF8))})
            self.refused(UNKNOWN, "storage: UniqueKeyConflict", "RegisterBranch", **branch)

        self.refused(UNKNOWN, "unknow trans type: nope", "RegisterBranch", Gid="tcc",
                     TransType="nope", BranchID="02")
        self.succeeded("done")
        for gid in ("nogid", "done"):
            self.refused(ABORTED, f"no trans with gid: {gid} status: prepared found FAILURE",
                         "RegisterBranch", Gid=gid, TransType="tcc", BranchID="01")

    def test_prepare_workflow(self):
        new = {"transaction": {"gid": "wf", "status": "prepared"}}
        for _ in range(2):
            self.assertEqual(self.call("PrepareWorkflow", Gid="wf", **WORKFLOW), new)
        for branch_id, status, result in (("02", "failed", b"no"), ("01", "succeed", NOT_UTF8)):
            self.call("RegisterBranch", Gid="wf", TransType="workflow", BranchID=branch_id,
                      BusiPayload=b64(result), Data={"op": "action", "status": status})
        # In the order of their registration.
        progresses = [
            {"status": "failed", "bin_data": b64(b"no"), "branch_id": "02", "op": "action"},
            {"status": "succeed", "bin_data": b64(NOT_UTF8), "branch_id": "01", "op": "action"}]
        self.assertEqual(self.call("PrepareWorkflow", Gid="wf", **WORKFLOW),
                         {**new, "progresses": progresses})

        extra = {"status": "succeed", "result": b64(NOT_UTF8), "rollback_reason": ""}
        self.refused_with(INTERNAL, "weird", "Submit", Gid="wf", TransType="workflow",
                          ReqExtra={"status": "weird"})
        self.call("Submit", Gid="wf", TransType="workflow", ReqExtra=extra)
        self.assertEqual(self.call("PrepareWorkflow", Gid="wf", **WORKFLOW),
                         {"transaction": {"gid": "wf", "status": "succeed",
                                          "result": b64(NOT_UTF8)}, "progresses": progresses})
        for gid in ("wf", "nogid"):  # a finished gid, and one that was never prepared
            self.refused(INTERNAL, NOT_STORED, "Submit", Gid=gid, TransType="workflow",
                         ReqExtra=extra)

        self.call("PrepareWorkflow", Gid="undone", **WORKFLOW)
        self.call("Submit", Gid="undone", TransType="workflow",
                  ReqExtra={"status": "failed", "rollback_reason": "no money"})
        self.assertEqual(self.call("PrepareWorkflow", Gid="undone", **WORKFLOW),
                         {"transaction": {"gid": "undone", "status": "failed",
                                          "rollback_reason": "no money"}})
        self.refused_with(INTERNAL, ".", "PrepareWorkflow", Gid="x", TransType="nope")

    def test_topics(self):
        for url, remark in (("h:1/s/a", "first"), ("h:1/s/b", "")):
            self.call("Subscribe", Topic="news", URL=url, Remark=remark)
        self.assertEqual(self.topic("news"), ([{"url": "h:1/s/a", "remark": "first"},
                                               {"url": "h:1/s/b", "remark": ""}], 2))
        self.refused(UNKNOWN, "this url exists", "Subscribe", Topic="news", URL="h:1/s/a")
        self.call("Prepare", Gid="msg", TransType="msg", **steps("topic://news"))
        self.assertEqual(self.branches("msg"),
                         [("01-01", "action", "prepared"), ("01-02", "action", "prepared")])

        self.call("Unsubscribe", Topic="news", URL="h:1/s/a")
        self.assertEqual(self.topic("news"), ([{"url": "h:1/s/b", "remark": ""}], 3))
        self.refused(UNKNOWN, "no such an url ", "Unsubscribe", Topic="news", URL="h:1/s/a")
        self.call("Unsubscribe", Topic="news", URL="h:1/s/b")
        self.assertEqual(self.topic("news"), ([], 4))
        self.refused(UNKNOWN, "this topic is empty", "Unsubscribe", Topic="news", URL="h:1/s/b")
        self.refused(UNKNOWN, "no such a topic", "Unsubscribe", Topic="nope", URL="h:1/s/b")
        for method in ("Subscribe", "Unsubscribe"):
            self.refused(UNKNOWN, "empty topic", method, URL="h:1/s/a")
            self.refused(UNKNOWN, "empty url", method, Topic="news")

        self.assertEqual(self.call("DeleteTopic", Topic="news"), {})
        self.assertIsNone(self.topic("news"))
        for name in ("news", ""):
            self.refused(UNKNOWN, NOT_STORED, "DeleteTopic", Topic=name)


if __name__ == "__main__":
    main(Methods, add_arguments, __doc__)
