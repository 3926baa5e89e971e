"""DTM's Python client with TLS and a token. It trusts the authorities of REQUESTS_CA_BUNDLE."""

import os

from client_test_case import ClientTestCase, add_arguments
from dtmcli.msg import Msg
from dtmcli.saga import Saga
from requests.exceptions import SSLError

from concerto_testing import main
from concerto_testing.certificates import Authority, put_text
from concerto_testing.tokens import caller_line

TOKEN = "token-of-the-shop"


class Tls(ClientTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority, cls.stranger = (
            Authority(os.path.join(cls.directory, name), name) for name in ("ours", "stranger"))
        cls.authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        callers = put_text(os.path.join(cls.directory, "callers"),
                           caller_line("shop", "client", TOKEN))
        cls.SETTINGS = {**ClientTestCase.SETTINGS, "Auth.CallersFile": callers,
                        "Tls.CertFile": cls.authority.file("server.pem"),
                        "Tls.KeyFile": cls.authority.file("server.key")}
        cls.ACCESS = {"context": cls.authority.context(), "token": TOKEN}

    def setUp(self):
        super().setUp()
        os.environ["REQUESTS_CA_BUNDLE"] = self.authority.file("ca.pem")
        self.api = self.coordinator.api.replace("://", f"://shop:{TOKEN}@")

    def test_modes(self):
        saga = Saga(self.api, self.new_gid())
        saga.add({}, self.branches.url("a"), self.branches.url("a-undo"))
        saga.submit()
        self.assert_ends(saga.trans_base.gid, "succeed", ["action 01 a"])
        msg = Msg(self.api, self.new_gid())
        msg.add({}, self.branches.url("b"))
        msg.submit()
        self.assert_ends(msg.trans_base.gid, "succeed", ["action 01 b"])

    def test_refusals(self):
        good = self.api
        for api in (good.replace(TOKEN, "token-of-nobody"), self.coordinator.api):
            self.api = api
            with self.assertRaisesRegex(Exception, "bad result"):
                self.new_gid()
        self.api = good
        os.environ["REQUESTS_CA_BUNDLE"] = self.stranger.file("ca.pem")
        with self.assertRaises(SSLError):
            self.new_gid()
        self.assertEqual(self.branches.calls(), [])


if __name__ == "__main__":
    main(Tls, add_arguments, __doc__)
