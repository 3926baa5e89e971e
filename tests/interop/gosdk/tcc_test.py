#!/usr/bin/env python3
"""TCC of the SDK over each protocol. Try is called by the application, all else by the coordinator.
"""

from sdk_test_case import WAIT, WIRES, SdkTest, add_arguments, step
from concerto_testing import main  # The path to it is set by sdk_test_case.py.

LABELS = ("a", "b", "c")
TRIED = ["try 01 a", "try 02 b", "try 03 c"]
CONFIRMED = ["confirm 03 c", "confirm 02 b", "confirm 01 a"]
CANCELLED = ["cancel 03 c", "cancel 02 b", "cancel 01 a"]


def steps(**answers):
    """The branches a, b and c; `b={"try": "failure"}` says how b answers."""
    return [step(label, **answers.get(label, {})) for label in LABELS]


class Tcc(SdkTest):
    OPS = ("try", "confirm", "cancel")

    def tcc(self, wire, *its_steps, participant=None, work="", **options):
        branches = self.branches(wire, *its_steps, participant=participant)
        if wire == "json-rpc":  # the application calls try itself, and over HTTP
            plain = self.branches("http", *its_steps, participant=participant)
            branches = [{**branch, "try": each["try"]} for branch, each in zip(branches, plain)]
        return self.begin(wire, "tcc", branches, options=options, work=work)

    def test_success(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                gid, program = self.tcc(wire, *steps(), **WAIT)
                self.succeeded(program)
                self.assertEqual(self.transaction(gid)["status"], "succeed")
                self.ends(gid, "succeed", TRIED + CONFIRMED)
                self.assertEqual({call["kind"] for call in self.participant.calls(gid)[3:]},
                                 {wire})

    def test_tries_that_do_not_succeed(self):
        for wire in WIRES:
            for index, label in enumerate(LABELS):
                for answer in ("failure", "ongoing", "error"):
                    with self.subTest(wire=wire, branch=label, answer=answer):
                        gid, program = self.tcc(wire, *steps(**{label: {"try": answer}}), **WAIT)
                        self.refused(program, "no money|not yet|out of order")
                        self.ends(gid, "failed", TRIED[:index + 1] + CANCELLED[2 - index:])
                        self.assertRegex(self.transaction(gid)["rollback_reason"],
                                         "no money|not yet|out of order")

    def test_confirm_that_does_not_succeed_at_once(self):
        cases = {}
        for wire in WIRES:
            for index, label in enumerate(reversed(LABELS)):
                for answer in ("failure", "ongoing", "error"):
                    gid, program = self.tcc(wire, *steps(**{label: {"confirm": answer + "-ok"}}))
                    cases[gid] = wire, index, answer, program
        for gid, (wire, index, answer, program) in cases.items():
            with self.subTest(wire=wire, confirm=CONFIRMED[index], answer=answer):
                self.succeeded(program)
                self.ends(gid, "succeed", TRIED + CONFIRMED[:index + 1] + CONFIRMED[index:])

    def test_cancel_that_does_not_succeed_at_once(self):
        cases = {}
        for wire in WIRES:
            for index, answer in enumerate(("failure", "ongoing", "error")):
                answers = {"c": {"try": "failure"}}
                answers.setdefault(CANCELLED[index][-1], {})["cancel"] = answer + "-ok"
                gid, program = self.tcc(wire, *steps(**answers))
                cases[gid] = wire, index, answer, program
        for gid, (wire, index, answer, program) in cases.items():
            with self.subTest(wire=wire, cancel=CANCELLED[index], answer=answer):
                self.refused(program, "no money")
                self.ends(gid, "failed", TRIED + CANCELLED[:index + 1] + CANCELLED[index:])

    def test_waiting_for_a_confirm_that_does_not_succeed(self):
        for wire in WIRES:
            for answer, heard in (("ongoing", "ONGOING"), ("failure", "no money.* FAILURE"),
                                  ("error", "out of order")):
                with self.subTest(wire=wire, answer=answer):
                    gid, program = self.tcc(wire, *steps(b={"confirm": answer}), **WAIT)
                    self.refused(program, heard)
                    self.assertEqual(self.transaction(gid)["status"], "submitted")

    def test_application_is_killed_before_it_submits(self):
        cases = []
        for wire in WIRES:
            gid, program = self.tcc(wire, *steps(), work="stop", timeout_to_fail=2)
            cases.append((wire, gid, program))
        for wire, gid, program in cases:
            program.wait_for_line("^stopped$")
            program.kill()
        for wire, gid, program in cases:
            with self.subTest(wire=wire):
                self.ends(gid, "failed", TRIED + CANCELLED)
                self.assertEqual(self.transaction(gid)["rollback_reason"],
                                 "Timeout after 2 seconds")

    def test_participant_is_killed_in_a_call(self):
        cases = []
        for wire in WIRES:
            for op, calls in (("try", TRIED[:2] + CANCELLED[1:]),
                              ("confirm", TRIED + CONFIRMED[:2] + CONFIRMED[1:]),
                              ("cancel", TRIED + CANCELLED[:2] + CANCELLED[1:])):
                participant = self.start_participant(f"{wire}-{op}")
                answers = {"b": {op: "hang"}}
                if op == "cancel":
                    answers["c"] = {"try": "failure"}
                gid, _ = self.tcc(wire, *steps(**answers), participant=participant)
                cases.append((wire, op, participant, gid, calls))
        for wire, op, participant, gid, calls in cases:
            participant.wait_for_calls(gid, 2 if op == "try" else 5)
            participant.kill()
            participant.start("-healthy")
        for wire, op, participant, gid, calls in cases:
            with self.subTest(wire=wire, op=op):
                status = "succeed" if op == "confirm" else "failed"
                self.ends(gid, status, calls, participant)

    def test_nested(self):
        inner = ["try 0101 inner", "try 0102 innermost"]
        for wire in ("http", "grpc"):
            for last, status, op in (("ok", "succeed", "confirm"), ("failure", "failed", "cancel")):
                with self.subTest(wire=wire, status=status):
                    branches = (step("outer", **{"try": "nest"}), step("last", **{"try": last}))
                    gid, program = self.tcc(wire, *branches)
                    if status == "succeed":
                        self.succeeded(program)
                    else:
                        self.refused(program, "no money")
                    self.ends(gid, status, [
                        "try 01 outer", *inner, "try 02 last", f"{op} 02 last",
                        f"{op} 0102 innermost", f"{op} 0101 inner", f"{op} 01 outer"])


if __name__ == "__main__":
    main(Tcc, add_arguments, __doc__)
