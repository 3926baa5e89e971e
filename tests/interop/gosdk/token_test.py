#!/usr/bin/env python3
"""The SDK with a token: every mode over each protocol, on a coordinator that wants one."""

import hashlib
import os

from sdk_test_case import WAIT, WIRES, SdkTest, add_arguments, step
from concerto_testing import main  # The path to it is set by sdk_test_case.py.

TOKEN = "token-of-the-shop"


class Token(SdkTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        callers = os.path.join(cls.directory, "callers")
        with open(callers, "w", encoding="utf-8") as file:
            file.write(f"shop client sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
        cls.SETTINGS = {**SdkTest.SETTINGS, "Auth.CallersFile": callers}

    def start_app(self, wire, name, *options):
        return super().start_app(wire, name, "-token", self.token, *options)

    def test_modes(self):
        self.token = TOKEN
        for wire in WIRES:
            for mode, ops in (("saga", ("action", "compensate")), ("msg", ("action",)),
                              ("tcc", ("try", "confirm", "cancel"))):
                with self.subTest(wire=wire, mode=mode):
                    branches = self.branches(wire, step("a"), step("b"), ops=ops)
                    _, program = self.begin(wire, mode, branches, options=WAIT)
                    self.succeeded(program)

    def test_wrong_token(self):
        self.token = "token-of-nobody"
        for wire in WIRES:
            with self.subTest(wire=wire):
                branches = self.branches(wire, step("a"), ops=("action", "compensate"))
                gid, program = self.begin(wire, "saga", branches, options=WAIT)
                self.refused(program, "unknown, expired or not valid yet")
                self.assertEqual(self.participant.calls(gid), [])


if __name__ == "__main__":
    main(Token, add_arguments, __doc__)
