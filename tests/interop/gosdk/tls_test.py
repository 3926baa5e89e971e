#!/usr/bin/env python3
"""The SDK with TLS, a certificate and a token: sagas and messages over each protocol."""

import os

from sdk_test_case import WAIT, WIRES, SdkTest, add_arguments, step
from concerto_testing import main  # The path to it is set by sdk_test_case.py.
from concerto_testing.certificates import Authority, put_text
from concerto_testing.tokens import caller_line

TOKEN = "token-of-the-shop"


class Tls(SdkTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority, cls.stranger = (
            Authority(os.path.join(cls.directory, name), name) for name in ("ours", "stranger"))
        cls.authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        cls.authority.issue("app", "DNS:app.b.org")
        callers = put_text(os.path.join(cls.directory, "callers"),
                           caller_line("shop", "client", TOKEN))
        file = cls.authority.file
        cls.SETTINGS = {**SdkTest.SETTINGS, "Auth.CallersFile": callers,
                        "Tls.CertFile": file("server.pem"), "Tls.KeyFile": file("server.key"),
                        "Tls.ClientAuth": "required", "Tls.ClientCaFile": file("ca.pem")}
        cls.ACCESS = {"context": cls.authority.context("app"), "token": TOKEN}

    def start_app(self, wire, name, *options):
        return super().start_app(wire, name, "-token", self.token, "-ca", self.ca, *self.shown,
                                 *options)

    def setUp(self):
        super().setUp()
        self.token, self.ca = TOKEN, self.authority.file("ca.pem")
        self.shown = ("-shown", self.authority.file("app.both"))

    def test_modes(self):
        for wire in WIRES:
            for mode, ops in (("saga", ("action", "compensate")), ("msg", ("action",))):
                with self.subTest(wire=wire, mode=mode):
                    branches = self.branches(wire, step("a"), step("b"), ops=ops)
                    gid, program = self.begin(wire, mode, branches, options=WAIT)
                    self.succeeded(program)
                    self.ends(gid, "succeed", ["action 01 a", "action 02 b"])

    def check_refusal(self, pattern):
        for wire in WIRES:
            with self.subTest(wire=wire, pattern=pattern):
                branches = self.branches(wire, step("a"), ops=("action", "compensate"))
                gid, program = self.begin(wire, "saga", branches, options=WAIT)
                self.refused(program, pattern)
                self.assertEqual(self.participant.calls(gid), [])

    def test_refusals(self):
        self.token = "token-of-nobody"
        self.check_refusal("unknown, expired or not valid yet")
        self.token, self.ca = TOKEN, self.stranger.file("ca.pem")
        self.check_refusal("certificate signed by unknown authority")
        self.ca, self.shown = self.authority.file("ca.pem"), ()
        # The server closes the connection behind its alert, which may overtake it.
        self.check_refusal("certificate required|broken pipe|connection reset|connection closed|"
                           "closed network connection")


if __name__ == "__main__":
    main(Tls, add_arguments, __doc__)
