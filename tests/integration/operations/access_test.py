"""Tokens and roles: who may call a coordinator, and how its files of callers and keys change.

Usage: access_test.py <concertod>
"""

import json
import os
import re
import signal
import threading

from operations_test_case import OperationsTestCase, main

from concerto_testing import http_call, wait_until
from concerto_testing.tokens import AUDIENCE, ISSUER, Issuer, caller_line

LOADED = '"msg":"callers and keys are read again; there are '
KEPT = '"level":"error".*the callers stay as they were: '


def line(name, role):
    return caller_line(name, role, "token-" + name)


class Access(OperationsTestCase):
    def replace(self, name, text):
        """Replaces a file at once, as operators should."""
        path = os.path.join(self.directory, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def status(self, coordinator, token, path="/api/dtmsvr/newGid"):
        headers = {"Authorization": "Bearer " + token} if token else {}
        return http_call("GET", f"http://127.0.0.1:{coordinator.http_port}{path}",
                         headers=headers).status

    def wait_for_lines(self, coordinator, pattern, count):
        wait_until(lambda: len(coordinator.process.lines(pattern)) >= count,
                   f"{count} lines {pattern}")

    def test_roles_and_changes(self):
        issuers = [Issuer(self.directory, name) for name in ("old", "new")]
        callers = line("shop", "client") + line("vera", "viewer") + line("otto", "operator")
        jwks = json.dumps({"keys": [issuers[0].jwk()]})
        coordinator = self.start_with(callers, jwks)
        self.roles(coordinator)
        self.keys(coordinator, issuers)
        self.callers(coordinator, callers)
        self.guesses(coordinator)
        log = coordinator.process.text()
        self.assertNotIn("token-", log)
        self.assertNotRegex(log, "eyJ[a-zA-Z]")
        self.assertNotIn("everybody who reaches", log)

    def start_with(self, callers, jwks):
        self.replace("callers", callers)
        self.replace("jwks", jwks)
        return self.start("access", {"Auth.CallersFile": os.path.join(self.directory, "callers"),
                                     "Auth.JwksFile": os.path.join(self.directory, "jwks"),
                                      "Auth.JwtIssuer": ISSUER, "Auth.JwtAudience": AUDIENCE,
                                      "AdminBasePath": "/dtm",
                                      "Audit.File": os.path.join(self.directory, "audit")})

    def roles(self, coordinator):
        """Pages that the unit tests of the routes do not have. Nobody is who has no token."""
        paths = {"/livez": (200, 200, 200, 200), "/readyz": (200, 200, 200, 200),
                 "/dtm/": (200, 200, 200, 200), "/metrics": (401, 403, 200, 200),
                 "/api/metrics": (401, 403, 200, 200), "/api/dtmsvr/all": (401, 403, 200, 200),
                 "/api/dtmsvr/newGid": (401, 200, 403, 200)}
        for path, wanted in paths.items():
            got = tuple(self.status(coordinator, name and "token-" + name, path)
                        for name in ("", "shop", "vera", "otto"))
            self.assertEqual(got, wanted, path)

    def keys(self, coordinator, issuers):
        """A key is replaced by another one while both are in use, and no call is refused."""
        old, new = (issuer.token(sub="jo", roles=["client"]) for issuer in issuers)
        self.assertEqual(self.status(coordinator, old), 200)
        self.assertEqual(self.status(coordinator, new), 401)
        self.assertEqual(self.status(coordinator, issuers[0].token(sub="jo", roles=[])), 403)
        self.assertEqual(self.status(coordinator, issuers[0].token(sub="jo", exp=1)), 401)
        self.assertEqual(self.status(coordinator, issuers[0].token(sub="jo", aud="bank")), 401)
        refused, stop = [], threading.Event()

        def use():
            while not stop.is_set():
                refused.extend(status for status in (self.status(coordinator, old),
                                                     self.status(coordinator, "token-shop"))
                               if status != 200)

        user = threading.Thread(target=use)
        user.start()
        try:
            self.replace("jwks", json.dumps({"keys": [issuer.jwk() for issuer in issuers]}))
            coordinator.process.wait_for_line(LOADED + "3 tokens, 0 certificates, 2 keys")
            wait_until(lambda: self.status(coordinator, new) == 200, "the new key is used")
            self.replace("jwks", "{")
            coordinator.process.wait_for_line(KEPT)
            self.assertEqual(self.status(coordinator, new), 200)
        finally:
            stop.set()
            user.join()
        self.assertEqual(refused, [])
        self.replace("jwks", json.dumps({"keys": [issuers[1].jwk()]}))
        wait_until(lambda: self.status(coordinator, old) == 401, "the old key is gone")
        self.assertEqual(self.status(coordinator, new), 200)

    def callers(self, coordinator, callers):
        """SIGHUP reads the files, too. A token that is not in the file any more is refused."""
        count = len(coordinator.process.lines(LOADED))
        os.kill(coordinator.process.pid, signal.SIGHUP)
        self.wait_for_lines(coordinator, LOADED + "3 tokens", count + 1)
        self.replace("callers", callers.replace(line("shop", "client"), ""))
        wait_until(lambda: self.status(coordinator, "token-shop") == 401, "the token is revoked")
        wait_until(lambda: self.reloads()[-2:] == [("begun", "2 tokens, 0 certificates, 1 key"),
                                                   ("done", "2 tokens, 0 certificates, 1 key")],
                   "the change has its records")

    def reloads(self):
        with open(os.path.join(self.directory, "audit"), encoding="utf-8") as file:
            records = [json.loads(record) for record in file]
        return [(record["event"], record.get("details")) for record in records
                if record["action"] == "reloadCallers"]

    def guesses(self, coordinator):
        for guess in range(30):
            last = self.status(coordinator, f"token-{guess}")
        self.assertEqual(last, 429)
        self.assertEqual(self.status(coordinator, "token-vera", "/api/dtmsvr/all"), 200)
        page = http_call("GET", f"http://127.0.0.1:{coordinator.http_port}/metrics",
                         headers={"Authorization": "Bearer token-vera"}).body.decode()
        self.assertGreaterEqual(int(re.search(r"(?m)^concerto_wrong_tokens_total (\d+)$",
                                              page).group(1)), 30)

    def test_closed_pages(self):
        coordinator = self.start("closed", {"Auth.Metrics": "nobody"})
        self.assertEqual(self.status(coordinator, "", "/metrics"), 404)


if __name__ == "__main__":
    main(Access, __doc__)
