#!/usr/bin/env python3
"""Branches of each kind in transactions of each protocol, as far as the protocol can call them.

The protocol decides: to HTTP, every URL is HTTP; to gRPC and JSON-RPC, those without http:// are
gRPC. A URL with a method is JSON-RPC to a transaction of that protocol alone.
"""

from sdk_test_case import WAIT, SdkTest, add_arguments, step
from concerto_testing import main  # The path to it is set by sdk_test_case.py.

# (wire, protocol that the transaction names): for each kind of URL, the kind of call that is made.
CALLED_AS = {
    ("http", ""): {"http": "http", "json-rpc": "http"},
    ("json-rpc", ""): {"http": "http", "json-rpc": "json-rpc", "grpc": "grpc"},
    ("grpc", ""): {"grpc": "grpc", "http": "http", "json-rpc": "http"},
    # A client that talks HTTP to the coordinator may still have branches over gRPC.
    ("http", "grpc"): {"grpc": "grpc", "http": "http", "json-rpc": "http"},
}
LABELS = "abcdef"


class Kinds(SdkTest):
    def mixed(self, kinds, ops, last):
        """One branch per kind, each with URLs of that kind. `last`: the answers of the last branch.
        """
        branches = []
        for index, kind in enumerate(kinds):
            answers = last if index == len(kinds) - 1 else {}
            branches += self.branches(kind, step(LABELS[index], **answers), ops=ops)
        return branches

    def kinds_called(self, gid, op):
        return [call["kind"] for call in self.participant.calls(gid) if call["op"] == op]

    def test_saga(self):
        for (wire, protocol), called_as in CALLED_AS.items():
            for answer, status in (("ok", "succeed"), ("failure", "failed")):
                with self.subTest(wire=wire, protocol=protocol, answer=answer):
                    branches = self.mixed(called_as, ("action", "compensate"), {"action": answer})
                    gid, program = self.begin(wire, "saga", branches, protocol=protocol,
                                              options=WAIT)
                    if status == "succeed":
                        self.succeeded(program)
                    else:
                        self.refused(program)
                    self.coordinator.wait_for_status(gid, status)
                    self.assertEqual(self.kinds_called(gid, "action"), list(called_as.values()))
                    undone = list(called_as.values())[::-1] if status == "failed" else []
                    self.assertEqual(self.kinds_called(gid, "compensate"), undone)

    def test_tcc(self):
        for (wire, protocol), called_as in CALLED_AS.items():
            # The application calls try itself, and the SDK can do so in only one way.
            own = "grpc" if wire == "grpc" else "http"
            for answer, op in (("ok", "confirm"), ("failure", "cancel")):
                with self.subTest(wire=wire, protocol=protocol, op=op):
                    branches = self.mixed(called_as, ("confirm", "cancel"), {})
                    for index, branch in enumerate(branches):
                        last = index == len(branches) - 1
                        name = f"{branch['name']}-{answer if last else 'ok'}"
                        branch["try"] = self.participant.url(own, name)
                    gid, program = self.begin(wire, "tcc", branches, protocol=protocol)
                    if op == "confirm":
                        self.succeeded(program)
                    else:
                        self.refused(program, "no money")
                    self.coordinator.wait_for_status(gid, {"confirm": "succeed",
                                                           "cancel": "failed"}[op])
                    self.assertEqual(self.kinds_called(gid, op), list(called_as.values())[::-1])

    def test_msg(self):
        cases = []
        for (wire, protocol), called_as in CALLED_AS.items():
            for kind, called in called_as.items():
                branches = self.mixed(called_as, ("action",), {})
                gid, program = self.begin(
                    wire, "msg", branches, protocol=protocol, work="stop",
                    query=self.participant.url(kind, "query"), options={"timeout_to_fail": 1})
                program.wait_for_line("^stopped$")
                program.kill()
                cases.append((wire, protocol, gid, called, called_as))
        for wire, protocol, gid, called, called_as in cases:
            with self.subTest(wire=wire, protocol=protocol, query=called):
                self.coordinator.wait_for_status(gid, "succeed")
                self.assertEqual(self.kinds_called(gid, "msg"), [called])
                self.assertEqual(self.kinds_called(gid, "action"), list(called_as.values()))

    def test_payloads_are_the_bytes_that_were_given(self):
        for wire, protocol, given in (("http", "", '{"name":"a"}'), ("grpc", "", "\n\x01a"),
                                      ("http", "grpc", '{"name":"a"}')):
            for kind in CALLED_AS[wire, protocol]:
                with self.subTest(wire=wire, protocol=protocol, kind=kind):
                    branches = self.branches(kind, step("a"), ops=("action",))
                    gid, program = self.begin(wire, "msg", branches, protocol=protocol,
                                              options=WAIT)
                    self.succeeded(program)
                    self.assertEqual([call["payload"] for call in self.participant.calls(gid)],
                                     [given])

    def test_urls_that_cannot_be_called_are_refused(self):
        grpc = self.participant.url("grpc", "b")
        for wire, url in (("http", grpc), ("grpc", grpc.split("/")[0]),
                          ("grpc", "nobody://" + grpc), ("json-rpc", "nobody://" + grpc)):
            with self.subTest(wire=wire, url=url):
                good = self.branches(wire, step("a"), ops=("action", "compensate"))
                bad = [{"name": "b", "action": url, "compensate": url}]
                gid, program = self.begin(wire, "saga", good + bad, options=WAIT)
                self.refused(program, r"steps\[1\]\.(action|compensate): ")
                self.assertEqual(self.participant.calls(gid), [])

    def test_answers_in_the_old_way(self):
        cases = {}
        for wire in ("http", "grpc"):
            branches = self.branches(wire, step("a", action="oldongoing-ok"),
                                     step("b", action="oldfailure"), ops=("action", "compensate"))
            cases[wire], program = self.begin(wire, "saga", branches)
            self.succeeded(program)
        for wire, gid in cases.items():
            with self.subTest(wire=wire):
                self.ends(gid, "failed", ["action 01 a", "action 01 a", "action 02 b",
                                          "compensate 02 b", "compensate 01 a"])


if __name__ == "__main__":
    main(Kinds, add_arguments, __doc__)
