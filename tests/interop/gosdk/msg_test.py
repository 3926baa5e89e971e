#!/usr/bin/env python3
"""Messages of the SDK over each protocol, sent at once or together with work of the application."""

from sdk_test_case import WAIT, WIRES, SdkTest, add_arguments, step
from concerto_testing import http_json, main  # The path to it is set by sdk_test_case.py.

DELIVERED = ["action 01 a", "action 02 b"]
ASKED = "msg 00 query"


class Msg(SdkTest):
    OPS = ("action",)

    def msg(self, wire, answer_a="ok", answer_b="ok", participant=None, query=None, work="",
            **options):
        """`query`: how the query about the application's work is answered, as `ongoing-ok`."""
        participant = participant or self.participant
        branches = self.branches(wire, step("a", action=answer_a), step("b", action=answer_b),
                                 participant=participant)
        url = participant.url(wire, f"query-{query}") if query else ""
        return self.begin(wire, "msg", branches, query=url, work=work, options=options)

    def test_success(self):
        for wire in WIRES:
            for query in (None, "ok"):
                with self.subTest(wire=wire, query=query):
                    gid, program = self.msg(wire, query=query, **WAIT)
                    self.succeeded(program)
                    self.ends(gid, "succeed", DELIVERED)
                    self.assertEqual({call["kind"] for call in self.participant.calls(gid)},
                                     {wire})

    def test_branches_that_do_not_succeed_at_once(self):
        cases = {}
        for wire in WIRES:
            for answer in ("failure", "ongoing", "error"):
                for index in (0, 1):
                    answers = ["ok", "ok"]
                    answers[index] = answer + "-ok"
                    gid, program = self.msg(wire, *answers)
                    cases[gid] = wire, answer, index, program
        for gid, (wire, answer, index, program) in cases.items():
            with self.subTest(wire=wire, answer=answer, branch=index):
                self.succeeded(program)
                self.ends(gid, "succeed", DELIVERED[:index + 1] + DELIVERED[index:])

    def test_waiting_for_a_branch_that_does_not_succeed(self):
        for wire in WIRES:
            for answer, heard in (("ongoing", "wait result not return success: FAILURE"),
                                  ("failure", "no money.* FAILURE"), ("error", "out of order")):
                with self.subTest(wire=wire, answer=answer):
                    gid, program = self.msg(wire, "ok", answer, **WAIT)
                    self.refused(program, heard)
                    self.assertEqual(self.transaction(gid)["status"], "submitted")

    def test_work_that_is_refused(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                gid, program = self.msg(wire, query="ok", work="failure")
                self.refused(program)
                self.ends(gid, "failed", [])

    def test_work_with_an_unknown_end(self):
        # The SDK calls the query itself. Over JSON-RPC it cannot: it calls the URL as a plain one.
        for wire in ("http", "grpc"):
            for query, status, calls in (("ok", "succeed", DELIVERED), ("failure", "failed", [])):
                with self.subTest(wire=wire, query=query):
                    gid, program = self.msg(wire, query=query, work="error")
                    self.refused(program, "was it committed")
                    self.ends(gid, status, [ASKED, *calls])

    def test_application_is_killed_before_it_submits(self):
        cases = []
        for wire in WIRES:
            for query, status, calls in (("ok", "succeed", DELIVERED), ("failure", "failed", []),
                                         ("ongoing-ok", "succeed", DELIVERED),
                                         ("error-failure", "failed", [])):
                gid, program = self.msg(wire, query=query, work="stop", timeout_to_fail=1)
                program.wait_for_line("^stopped$")
                program.kill()
                asked = [ASKED] * (query.count("-") + 1)
                cases.append((wire, query, gid, status, asked + calls))
        for wire, query, gid, status, calls in cases:
            with self.subTest(wire=wire, query=query):
                self.ends(gid, status, calls)

    def test_participant_is_killed_in_a_call(self):
        cases = []
        for wire in WIRES:
            participant = self.start_participant(f"{wire}-action")
            gid, _ = self.msg(wire, "ok", "hang", participant)
            cases.append((wire, participant, gid, DELIVERED, DELIVERED[1:]))
            participant = self.start_participant(f"{wire}-query")
            gid, program = self.msg(wire, participant=participant, query="hang", work="stop",
                                    timeout_to_fail=1)
            program.wait_for_line("^stopped$")
            program.kill()
            cases.append((wire, participant, gid, [ASKED], [ASKED, *DELIVERED]))
        for wire, participant, gid, before, after in cases:
            participant.wait_for_calls(gid, len(before))
            participant.kill()
            participant.start("-healthy")
        for wire, participant, gid, before, after in cases:
            with self.subTest(wire=wire, killed_in=before[-1]):
                self.ends(gid, "succeed", before + after, participant)

    def test_topic(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                topic = f"news-{wire}"
                for name in ("x", "y"):
                    url = self.participant.url(wire, name).replace("?", "%3F")
                    http_json("GET", f"{self.coordinator.api}/subscribe?topic={topic}&url={url}")
                gid, program = self.begin(wire, "msg", [{"name": "n", "topic": topic}],
                                          options=WAIT)
                self.succeeded(program)
                self.ends(gid, "succeed", ["action 01-01 x", "action 01-02 y"])
                gid, program = self.begin(wire, "msg", [{"name": "n", "topic": "nobody's"}])
                self.refused(program, "topic not found")
                self.assertIsNone(self.transaction(gid))


if __name__ == "__main__":
    main(Msg, add_arguments, __doc__)
