#!/usr/bin/env python3
"""grpcurl with TLS, a certificate and a token."""

import os

from grpcurl import HERE, GrpcError, GrpcurlTest, add_arguments, steps
from concerto_testing import main  # The path to it is set by grpcurl.py.
from concerto_testing.certificates import Authority, put_text
from concerto_testing.tokens import caller_line

PERMISSION_DENIED, UNAUTHENTICATED = 7, 16
PROTO = os.path.join(HERE, "..", "..", "..", "net", "protocol", "proto")


class Tls(GrpcurlTest):
    @classmethod
    def setUpClass(cls):
        cls.authority, cls.stranger = (
            Authority(os.path.join(cls.directory, name), name) for name in ("ours", "stranger"))
        cls.authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        cls.authority.issue("app", "DNS:app.b.org")
        cls.callers = put_text(os.path.join(cls.directory, "callers"),
                               caller_line("shop", "client", "token-of-the-shop") +
                               caller_line("vera", "viewer", "token-of-vera"))
        file = cls.authority.file
        cls.SETTINGS = {"Auth.CallersFile": cls.callers, "Tls.CertFile": file("server.pem"),
                        "Tls.KeyFile": file("server.key"), "Tls.ClientAuth": "required",
                        "Tls.ClientCaFile": file("ca.pem")}
        cls.ACCESS = {"context": cls.authority.context("app"), "token": "token-of-vera"}

    def setUp(self):
        super().setUp()
        self.use("token-of-the-shop", self.authority.file("ca.pem"))

    def use(self, token, ca, shown=True):
        certificate = (f"-cert={self.authority.file('app.pem')}",
                       f"-key={self.authority.file('app.key')}") if shown else ()
        self.OPTIONS = ("-connect-timeout=1", f"-cacert={ca}", *certificate,
                        *(("-H", f"authorization: Bearer {token}") if token else ()))

    def submit(self, trans_type):
        """A client may not ask the reflection service, so grpcurl needs the description."""
        request = {"Gid": trans_type, "TransType": trans_type, **steps("" if trans_type == "msg"
                                                                       else ("", ""))}
        return self.invoke("dtmgimp.Dtm/Submit", request, f"-import-path={PROTO}",
                           "-proto=dtmgimp.proto")

    def test_saga_and_message(self):
        for trans_type in ("saga", "msg"):
            self.assertEqual(self.submit(trans_type), {})
            self.coordinator.wait_for_status(trans_type, "succeed")

    def test_reflection_is_for_viewers(self):
        self.assertNotEqual(self.grpcurl("list").returncode, 0)
        self.use("token-of-vera", self.authority.file("ca.pem"))
        self.assertIn("dtmgimp.Dtm", self.text("list").splitlines())

    def test_refusals(self):
        ours = self.authority.file("ca.pem")
        for token, code in (("", UNAUTHENTICATED), ("token-of-nobody", UNAUTHENTICATED),
                            ("token-of-vera", PERMISSION_DENIED)):
            self.use(token, ours)
            with self.assertRaises(GrpcError) as refusal:
                self.submit("saga")
            self.assertEqual(refusal.exception.code, code)
            self.assertNotIn("token-of-", refusal.exception.message)
        for options, reason in (((self.stranger.file("ca.pem"),), "unknown authority"),
                                ((ours, False), ".")):
            self.use("token-of-the-shop", *options)
            done = self.grpcurl(f"-import-path={PROTO}", "-proto=dtmgimp.proto",
                                "dtmgimp.Dtm/NewGid")
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, reason)
        self.assertIsNone(self.transaction("saga"))


if __name__ == "__main__":
    main(Tls, add_arguments, __doc__)
