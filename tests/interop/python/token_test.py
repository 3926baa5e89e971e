"""DTM's Python client with a token, which it can only have in its URL of the coordinator."""

import hashlib
import os

from client_test_case import ClientTestCase, add_arguments, quietly
from dtmcli import tcc
from dtmcli.saga import Saga

from concerto_testing import http_call, main, wait_until

TOKEN = "token-of-the-shop"


class Token(ClientTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        callers = os.path.join(cls.directory, "callers")
        with open(callers, "w", encoding="utf-8") as file:
            file.write(f"shop client sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
        cls.SETTINGS = {**ClientTestCase.SETTINGS, "Auth.CallersFile": callers}

    def setUp(self):
        super().setUp()
        self.api = self.coordinator.api.replace("://", f"://shop:{TOKEN}@")

    def assert_succeeds(self, gid):
        url = f"{self.coordinator.api}/query?gid={gid}"

        def succeeded():
            answer = http_call("GET", url, headers={"Authorization": "Bearer " + TOKEN})
            return answer.json()["transaction"]["status"] == "succeed"

        wait_until(succeeded, f"{gid} is succeed")

    def test_modes(self):
        saga = Saga(self.api, self.new_gid())
        saga.add({}, self.branches.url("a"), self.branches.url("a-undo"))
        saga.submit()
        self.assert_succeeds(saga.trans_base.gid)

        def work(of_gid):
            of_gid.call_branch({}, *(self.branches.url(op) for op in ("try", "confirm", "cancel")))

        gid = self.new_gid()
        quietly(tcc.tcc_global_transaction, self.api, gid, work)
        self.assert_succeeds(gid)
        self.api = self.coordinator.api
        with self.assertRaisesRegex(Exception, "bad result"):
            self.new_gid()


if __name__ == "__main__":
    main(Token, add_arguments, __doc__)
