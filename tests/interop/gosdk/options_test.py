#!/usr/bin/env python3
"""What each option of the SDK does, over each protocol; timeouts are among the tests of the modes.

The coordinator's own intervals are so long that no effect could be theirs.
"""

import json
import time

from sdk_test_case import WAIT, WIRES, SdkTest, add_arguments, step
from concerto_testing import main, wait_until  # The path to it is set by sdk_test_case.py.

OPS = {"saga": ("action", "compensate"), "tcc": ("try", "confirm", "cancel"), "msg": ("action",)}
FORWARD = {"saga": "action", "tcc": "confirm", "msg": "action"}
NORTH = {"branch_headers": {"X-Shop": "north"}}


class Options(SdkTest):
    SETTINGS = {"RetryInterval": 60, "TimeoutToFail": 60, "RequestTimeout": 60}

    def one(self, wire, mode, answer="ok", **more):
        """A transaction with one branch, and how that branch answers the forward op."""
        branch = self.branches(wire, step("a", **{FORWARD[mode]: answer}), ops=OPS[mode])
        if mode == "tcc":  # The application calls try itself.
            kind = "grpc" if wire == "grpc" else "http"
            branch[0]["try"] = self.participant.url(kind, "a")
        return self.begin(wire, mode, branch, **more)

    def sagas(self, *steps, **more):
        """The same saga over each protocol."""
        return [(wire, *self.begin(wire, "saga", self.branches(wire, *steps, ops=OPS["saga"]),
                                   **more)) for wire in WIRES]

    def labels(self, gid, op):
        return [call["name"] for call in self.participant.calls(gid) if call["op"] == op]

    def wait_for_label(self, gid, op, label):
        wait_until(lambda: label in self.labels(gid, op), f"{op} of {label} is called")

    def test_wait_result(self):
        cases = [(wire, mode, options, *self.one(wire, mode, "hold", options=options))
                 for wire in WIRES for mode in OPS for options in (WAIT, {})]
        for wire, mode, options, gid, program in cases:
            with self.subTest(wire=wire, mode=mode, options=options):
                self.wait_for_label(gid, FORWARD[mode], "a")
                if not options:
                    self.succeeded(program)
                self.assertEqual(self.transaction(gid)["status"], "submitted")
        for wire, mode, options, gid, program in cases:
            if options:
                self.assertEqual(program.lines("^result"), [], "it waits")
        self.participant.release()
        for wire, mode, options, gid, program in cases:
            with self.subTest(wire=wire, mode=mode, options=options):
                self.succeeded(program)
                self.coordinator.wait_for_status(gid, "succeed")

    def test_retry_interval(self):
        cases = [(wire, mode, *self.one(wire, mode, "ongoing-ok", options={"retry_interval": 1}))
                 for wire in WIRES for mode in OPS]
        for wire, mode, gid, program in cases:
            with self.subTest(wire=wire, mode=mode):
                self.succeeded(program)
                self.coordinator.wait_for_status(gid, "succeed")
                self.assertEqual(self.labels(gid, FORWARD[mode]), ["a", "a"])
                self.assertEqual(self.transaction(gid)["next_cron_interval"], 1)

    def test_retry_limit(self):
        for answer in ("error", "ongoing"):
            for wire, gid, program in self.sagas(step("a"), step("b", action=answer),
                                                 options={"retry_limit": 2, **WAIT}):
                with self.subTest(wire=wire, answer=answer):
                    reason = "RetryCount is greater than RetryLimit, RetryLimit: 2"
                    self.refused(program, f"{reason} FAILURE")
                    self.ends(gid, "failed", ["action 01 a", *["action 02 b"] * 3,
                                              "compensate 02 b", "compensate 01 a"])
                    self.assertEqual(self.transaction(gid)["rollback_reason"], reason)

    def test_request_timeout(self):
        options = {"request_timeout": 1, "retry_interval": 1}
        cases = [(wire, mode, *self.one(wire, mode, "hang-ok", options=options))
                 for wire in WIRES for mode in OPS]
        for wire, mode, gid, program in cases:
            with self.subTest(wire=wire, mode=mode):
                self.succeeded(program)
                self.coordinator.wait_for_status(gid, "succeed")
                self.assertEqual(self.labels(gid, FORWARD[mode]), ["a", "a"])

    def test_branch_headers(self):
        sagas = [saga[1:] for saga in self.sagas(step("a", action="failure"), options=NORTH)]
        tccs = [self.one(wire, "tcc", options=NORTH, work=work)
                for wire in WIRES for work in ("", "failure")]
        query = {wire: self.participant.url(wire, "query") for wire in WIRES}
        options = {**NORTH, "timeout_to_fail": 1}
        msgs = [self.one(wire, "msg", options=options, work="stop", query=query[wire])
                for wire in WIRES]
        for (gid, _), ops in ([(saga, ["action", "compensate"]) for saga in sagas] +
                              [(tcc, ["try", op]) for tcc, op in
                               zip(tccs, ["confirm", "cancel"] * 3)] +
                              [(msg, ["msg", "action"]) for msg in msgs]):
            with self.subTest(gid=gid, ops=ops):
                calls = self.participant.wait_for_calls(gid, 2)
                self.assertEqual([(call["op"], call["shop"]) for call in calls],
                                 [(op, "north") for op in ops])

    def test_concurrent_saga(self):
        steps = [step("a", action="hold"), step("b", action="hold")]
        together = self.sagas(*steps, options={"concurrent": True})
        in_turn = self.sagas(*steps)
        for wire, gid, _ in together:
            self.participant.wait_for_calls(gid, 2)
        for wire, gid, _ in in_turn:
            self.wait_for_label(gid, "action", "a")
            self.assertEqual(self.labels(gid, "action"), ["a"])
        self.participant.release()
        for wire, gid, program in together + in_turn:
            with self.subTest(wire=wire):
                self.succeeded(program)
                self.coordinator.wait_for_status(gid, "succeed")
                self.assertEqual(sorted(self.labels(gid, "action")), ["a", "b"])

    def test_orders_of_a_concurrent_saga(self):
        # c comes after a, d after b and c. A held step is compensated later than the steps after
        # it.
        sagas = self.sagas(step("a", action="hold"), step("b"), step("c"),
                           step("d", action="failure"), options={"concurrent": True},
                           orders={2: [0], 3: [1, 2]})
        for wire, gid, _ in sagas:
            with self.subTest(wire=wire):
                wait_until(lambda: self.branch_statuses(gid).get("02 action") == "succeed",
                           "b is done")
                self.assertEqual(sorted(self.labels(gid, "action")), ["a", "b"])
        self.participant.release()
        for wire, gid, _ in sagas:
            with self.subTest(wire=wire):
                self.coordinator.wait_for_status(gid, "failed")
                self.assertEqual(self.labels(gid, "action")[2:], ["c", "d"])
                undone = self.labels(gid, "compensate")
                self.assertEqual(sorted(undone), ["a", "b", "c", "d"])
                self.assertEqual(undone[0], "d")
                self.assertLess(undone.index("c"), undone.index("a"))

    def test_concurrent_msg(self):
        # Over gRPC the SDK has no such option.
        branches = {wire: self.branches(wire, step("a", action="hold"), step("b"),
                                        ops=OPS["msg"]) for wire in WIRES}
        gids = {wire: self.begin(wire, "msg", branches[wire], options={"concurrent": True})[0]
                for wire in WIRES}
        for wire in ("http", "json-rpc"):
            self.participant.wait_for_calls(gids[wire], 2)
        self.wait_for_label(gids["grpc"], "action", "a")
        self.assertEqual(self.labels(gids["grpc"], "action"), ["a"])
        self.participant.release()
        for gid in gids.values():
            self.coordinator.wait_for_status(gid, "succeed")
            self.assertEqual(sorted(self.labels(gid, "action")), ["a", "b"])

    def test_delay(self):
        delay_s = 2
        begin = time.monotonic()
        cases = [(wire, query, *self.one(
            wire, "msg", delay=delay_s,
            query=self.participant.url(wire, "query") if query else ""))
            for wire in WIRES for query in (False, True)]
        for wire, query, gid, program in cases:
            with self.subTest(wire=wire, query=query):
                self.succeeded(program)
        for wire, query, gid, program in cases:
            with self.subTest(wire=wire, query=query):
                self.participant.wait_for_calls(gid, 1)
                self.assertGreaterEqual(time.monotonic() - begin, delay_s)
                self.coordinator.wait_for_status(gid, "succeed")

    def test_custom_data(self):
        custom = json.dumps({"shop": "north"})
        for wire in WIRES:
            for mode in OPS:
                with self.subTest(wire=wire, mode=mode):
                    gid, program = self.one(wire, mode, custom_data=custom)
                    self.succeeded(program)
                    self.assertEqual(self.transaction(gid)["custom_data"], custom)

    def test_rollback_reason(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                gid, _ = self.one(wire, "tcc", work="failure")
                self.coordinator.wait_for_status(gid, "failed")
                self.assertEqual(self.transaction(gid)["rollback_reason"], "no money FAILURE")


if __name__ == "__main__":
    main(Options, add_arguments, __doc__)
