#!/usr/bin/env python3
"""Sagas of the SDK over each protocol, with branches of the same kind."""

from sdk_test_case import WAIT, WIRES, SdkTest, add_arguments, step
from concerto_testing import main  # The path to it is set by sdk_test_case.py.

LABELS = ("a", "b", "c")
ACTIONS = ["action 01 a", "action 02 b", "action 03 c"]
UNDONE = ["compensate 01 a", "compensate 02 b", "compensate 03 c"]


def steps(**answers):
    """The steps a, b and c; `b={"action": "failure"}` says how b answers."""
    return [step(label, **answers.get(label, {})) for label in LABELS]


class Saga(SdkTest):
    OPS = ("action", "compensate")

    def saga(self, wire, *its_steps, participant=None, **options):
        branches = self.branches(wire, *its_steps, participant=participant)
        return self.begin(wire, "saga", branches, options=options)

    def test_success(self):
        payloads = {"http": '{"name":"a"}', "json-rpc": "a", "grpc": "\n\x01a"}
        for wire in WIRES:
            with self.subTest(wire=wire):
                gid, program = self.saga(wire, *steps(), **WAIT)
                self.succeeded(program)
                self.assertEqual(self.transaction(gid)["status"], "succeed")
                self.ends(gid, "succeed", ACTIONS)
                call = self.participant.calls(gid)[0]
                self.assertEqual((call["kind"], call["trans_type"], call["payload"]),
                                 (wire, "saga", payloads[wire]))

    def test_failure_at_each_step(self):
        for wire in WIRES:
            for index, label in enumerate(LABELS):
                with self.subTest(wire=wire, step=label):
                    gid, program = self.saga(
                        wire, *steps(**{label: {"action": "failure"}}), **WAIT)
                    self.refused(program, "return failed: .*no money.* FAILURE")
                    self.ends(gid, "failed", ACTIONS[:index + 1] + UNDONE[index::-1])
                    statuses = self.branch_statuses(gid)
                    self.assertEqual(
                        [statuses[f"{number:02} action"] for number in (1, 2, 3)],
                        (["succeed"] * index + ["failed", "prepared", "prepared"])[:3])
                    self.assertEqual(
                        [statuses[f"{number:02} compensate"] for number in (1, 2, 3)],
                        (["succeed"] * (index + 1) + ["prepared"] * 2)[:3])
                    self.assertRegex(self.transaction(gid)["rollback_reason"],
                                     "^url:.*return failed: .*no money.* FAILURE$")

    def test_ongoing_and_errors_at_each_step(self):
        cases = {}
        for wire in WIRES:
            for index, label in enumerate(LABELS):
                for answer in ("ongoing", "error", "ongoing-error"):
                    gid, program = self.saga(wire, *steps(**{label: {"action": answer + "-ok"}}))
                    cases[gid] = wire, index, answer, program
        for gid, (wire, index, answer, program) in cases.items():
            with self.subTest(wire=wire, step=LABELS[index], answer=answer):
                self.succeeded(program)
                repeats = answer.count("-") + 1
                self.ends(gid, "succeed",
                          ACTIONS[:index] + [ACTIONS[index]] * repeats + ACTIONS[index:])

    def test_compensations_that_do_not_succeed_at_once(self):
        cases = {}
        for wire in WIRES:
            for index, answer in enumerate(("failure", "ongoing", "error")):
                answers = {"c": {"action": "failure"}}
                answers.setdefault(LABELS[index], {})["compensate"] = answer + "-ok"
                gid, program = self.saga(wire, *steps(**answers))
                cases[gid] = wire, index, answer, program
        for gid, (wire, index, answer, program) in cases.items():
            with self.subTest(wire=wire, step=LABELS[index], answer=answer):
                self.succeeded(program)
                self.ends(gid, "failed",
                          ACTIONS + UNDONE[:index:-1] + [UNDONE[index]] + UNDONE[index::-1])

    def test_timeout(self):
        cases = {}
        for wire in WIRES:
            gid, program = self.saga(wire, *steps(b={"action": "ongoing"}), timeout_to_fail=1)
            cases[gid] = wire, program
        for gid, (wire, program) in cases.items():
            with self.subTest(wire=wire):
                self.succeeded(program)
                self.coordinator.wait_for_status(gid, "failed")
                self.assertEqual(self.transaction(gid)["rollback_reason"],
                                 "Timeout after 1 seconds")
                statuses = self.branch_statuses(gid)
                # It is unknown whether b did anything. c was never called.
                self.assertEqual((statuses["02 action"], statuses["02 compensate"],
                                  statuses["03 compensate"]), ("prepared", "succeed", "prepared"))

    def test_participant_is_killed_in_a_call(self):
        cases = []
        for wire in WIRES:
            for op, label, status, before in (
                    ("action", "b", "succeed", ACTIONS[:2]),
                    ("compensate", "a", "failed", ACTIONS + UNDONE[:0:-1] + UNDONE[:1])):
                participant = self.start_participant(f"{wire}-{op}")
                answers = {label: {op: "hang"}}
                if op == "compensate":
                    answers["c"] = {"action": "failure"}
                gid, _ = self.saga(wire, *steps(**answers), participant=participant)
                after = ACTIONS[1:] if op == "action" else UNDONE[:1]
                cases.append((wire, op, participant, gid, status, before, after))
        for wire, op, participant, gid, status, before, after in cases:
            participant.wait_for_calls(gid, len(before))
            participant.kill()
            participant.start("-healthy")
        for wire, op, participant, gid, status, before, after in cases:
            with self.subTest(wire=wire, op=op):
                self.ends(gid, status, before + after, participant)


if __name__ == "__main__":
    main(Saga, add_arguments, __doc__)
