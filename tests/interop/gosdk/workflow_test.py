#!/usr/bin/env python3
"""Workflows of the SDK over HTTP and gRPC, resumed when they broke off or were killed."""

from sdk_test_case import FAILED, SdkTest, add_arguments, step
from concerto_testing import free_port, main  # The path to it is set by sdk_test_case.py.

WIRES = ("http", "grpc")
LABELS = ("a", "b", "c")
DONE = ["action 01 a", "action 02 b", "action 03 c"]
COMMITTED = ["commit 03 c", "commit 02 b", "commit 01 a"]
UNDONE = ["rollback 03 c", "rollback 02 b", "rollback 01 a"]
KEYS = ["01 action", "02 action", "03 action", "03 commit", "02 commit", "01 commit"]
# The output of a resumed application. The header came with the transaction.
RESUMED = {"http": "resume POST north", "grpc": "resume gRPC north"}


class Workflow(SdkTest):
    def steps(self, kind, participant=None, ops=("action", "rollback"), **answers):
        """The steps a, b and c; `b={"action": "failure"}` says how b answers."""
        steps = [step(label, **answers.get(label, {})) for label in LABELS]
        return self.branches(kind, *steps, ops=ops, participant=participant)

    def workflow(self, wire, branches, retry_interval=1):
        """Returns the gid, the program, and the address at which the application can be resumed."""
        address = f"127.0.0.1:{free_port()}"
        options = {"retry_interval": retry_interval, "branch_headers": {"X-Shop": "north"}}
        gid, program = self.begin(wire, "workflow", branches, address, options=options)
        return gid, program, address

    def test_success(self):
        for wire in WIRES:
            for kind in ("http", "grpc"):  # a step is a call of either kind
                with self.subTest(wire=wire, kind=kind):
                    gid, program, _ = self.workflow(
                        wire, self.steps(kind, ops=("action", "rollback", "commit")))
                    self.succeeded(program)
                    self.ends(gid, "succeed", DONE + COMMITTED)
                    self.assertEqual({call["kind"] for call in self.participant.calls(gid)},
                                     {kind})
                    self.assertEqual(list(self.branch_statuses(gid)), KEYS)

    def test_local_steps(self):
        def local(name, action="local"):
            return {"name": name, "action": action, "rollback": "local", "commit": "local"}

        for wire in WIRES:
            with self.subTest(wire=wire):
                gid, program, _ = self.workflow(wire, [local("a"), local("b")])
                self.succeeded(program)
                self.coordinator.wait_for_status(gid, "succeed")
                self.assertEqual(program.lines("^local"), [
                    "local action 01 a", "local action 02 b", "local commit 02 b",
                    "local commit 01 a"])
                gid, program, _ = self.workflow(wire, [local("a"), local("b", "local-failure")])
                self.refused(program)
                self.coordinator.wait_for_status(gid, "failed")
                self.assertEqual(program.lines("^local"), [
                    "local action 01 a", "local action 02 b", "local rollback 01 a"])

    def test_failure_at_each_step(self):
        for wire in WIRES:
            for index, label in enumerate(LABELS):
                with self.subTest(wire=wire, step=label):
                    gid, program, _ = self.workflow(
                        wire, self.steps(wire, **{label: {"action": "failure"}}))
                    self.refused(program, f"no money {FAILED}")
                    # The SDK does not roll back the step that failed.
                    self.ends(gid, "failed", DONE[:index + 1] + UNDONE[3 - index:])
                    self.assertRegex(self.transaction(gid)["rollback_reason"], "no money FAILURE$")

    def test_steps_that_do_not_succeed_at_once(self):
        cases = []
        for wire in WIRES:
            for index, label in enumerate(LABELS):
                for answer, heard in (("ongoing", "not yet ONGOING"), ("error", "out of order")):
                    gid, program, _ = self.workflow(
                        wire, self.steps(wire, **{label: {"action": answer + "-ok"}}))
                    cases.append((wire, index, answer, gid, program, heard))
        for wire, index, answer, gid, program, heard in cases:
            with self.subTest(wire=wire, step=LABELS[index], answer=answer):
                self.refused(program, heard)
                # The coordinator calls the application back. Recorded steps are not done again.
                self.ends(gid, "succeed", DONE[:index + 1] + DONE[index:])
                self.assertEqual(program.lines("^resume"), [RESUMED[wire]])

    def test_commit_and_rollback_that_do_not_succeed_at_once(self):
        cases = []
        for wire in WIRES:
            for phase, calls, status in (("commit", COMMITTED, "succeed"),
                                         ("rollback", UNDONE[1:], "failed")):
                answers = {"b": {phase: "error-ok"}}
                if phase == "rollback":
                    answers["c"] = {"action": "failure"}
                gid, program, _ = self.workflow(
                    wire, self.steps(wire, ops=("action", "commit", "rollback"), **answers))
                begin = calls.index(f"{phase} 02 b")
                cases.append((wire, phase, gid, program, status,
                              DONE + calls[:begin + 1] + calls[begin:]))
        for wire, phase, gid, program, status, calls in cases:
            with self.subTest(wire=wire, phase=phase):
                self.refused(program, "out of order")
                self.ends(gid, status, calls)
                self.assertEqual(program.lines("^resume"), [RESUMED[wire]])

    def test_application_is_killed(self):
        cases = []
        for wire in WIRES:
            for op, before, after, status in (
                    ("action", DONE[:2], DONE[1:] + COMMITTED, "succeed"),
                    ("commit", DONE + COMMITTED[:2], COMMITTED[1:], "succeed"),
                    ("rollback", DONE + UNDONE[1:2], UNDONE[1:], "failed")):
                answers = {"b": {op: "hang-ok"}}
                if op == "rollback":
                    answers["c"] = {"action": "failure"}
                # Time enough for a kill before the coordinator asks for the first time.
                gid, program, address = self.workflow(
                    wire, self.steps(wire, ops=("action", "commit", "rollback"), **answers),
                    retry_interval=3)
                cases.append((wire, op, gid, program, address, before, after, status))
        for wire, op, gid, program, address, before, after, status in cases:
            self.participant.wait_for_calls(gid, len(before))
            program.kill()
        others = {}
        for wire, op, gid, program, address, before, after, status in cases:
            others[gid] = self.start_app(wire, f"{gid}-again", "-listen", address)
        for wire, op, gid, program, address, before, after, status in cases:
            with self.subTest(wire=wire, op=op):
                self.ends(gid, status, before + after)
                self.assertEqual(others[gid].lines("^resume"), [RESUMED[wire]])
                self.assertEqual(program.lines("^res"), [])

    def test_participant_is_killed_in_a_call(self):
        cases = []
        for wire in WIRES:
            participant = self.start_participant(f"{wire}-participant")
            gid, program, _ = self.workflow(
                wire, self.steps(wire, participant, b={"action": "hang"}), retry_interval=3)
            cases.append((wire, participant, gid, program))
        for wire, participant, gid, program in cases:
            participant.wait_for_calls(gid, 2)
            participant.kill()
            participant.start("-healthy")
        for wire, participant, gid, program in cases:
            with self.subTest(wire=wire):
                self.refused(program, ".")
                self.ends(gid, "succeed", DONE[:2] + DONE[1:], participant)


if __name__ == "__main__":
    main(Workflow, add_arguments, __doc__)
