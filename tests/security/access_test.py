"""Every method with every role over each front end, in plain text, over TLS, and with certificates
of clients. The table of what is allowed is in access_table.py.

Usage: access_test.py <concertod> <build directory>
"""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from access_table import EVERYBODY, ROLES, printed_table, table  # noqa: E402
from bad_credentials import bad_certificates, bad_tokens  # noqa: E402
from callers import Credentials, Method, alert, ask, build, request, verdict  # noqa: E402
from concerto_testing import Concertod, main, wait_until  # noqa: E402
from concerto_testing.certificates import Authority, put_text  # noqa: E402
from concerto_testing.tokens import (  # noqa: E402
    AUDIENCE, ISSUER, Issuer, caller_line, token_hash)

REFLECT = b"\x3a\x01*"  # the list of services
# A method for everybody who is known, over each front end: who is refused is not known.
FOR_CALLERS = {Method("http", "GET", "/api/dtmsvr/query"), Method("json-rpc", "POST", "newGid"),
               Method("grpc", "", "dtmgimp.Dtm/NewGid")}
LATE = "token-of-long-ago"
READ = "callers and keys are read again"


def methods():
    """What to ask for each row of the table, and who may."""
    for (front_end, verb, name), who in table().items():
        for each in ("GET", "PUT") if verb == "*" else (verb,):
            body = b"{}" if each == "POST" else REFLECT if "Reflection" in name else b""
            yield Method(front_end, each, name.replace("*", "t"), body), who


class Access(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.caller = build(cls.args.build_directory)
        cls.issuer = Issuer(cls.directory, "issuer")
        cls.authority = Authority(os.path.join(cls.directory, "authority"))
        cls.authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        cls.authority.issue("stranger", "DNS:stranger.b.org")
        cls.tokens = {role: "token-of-" + role for role in ROLES.values()}
        cls.jwts = {role: cls.issuer.token(sub="jo", roles=[role]) for role in ROLES.values()}
        for role in ROLES.values():
            cls.authority.issue(role, f"URI:spiffe://b.org/{role}")
        cls.bad_tokens = bad_tokens(cls.issuer, cls.directory)
        cls.bad_certificates = bad_certificates(cls.authority, cls.directory)
        put_text(cls.file("jwks"), json.dumps({"keys": [cls.issuer.jwk()]}))

    @classmethod
    def file(cls, name):
        return os.path.join(cls.directory, name)

    def setUp(self):
        self.addresses = 1  # of this machine, that a client has used
        self.write_callers(*ROLES.values())

    def write_callers(self, *roles):
        put_text(self.file("callers"), "".join(
            caller_line("token-" + role, role, self.tokens[role]) +
            f"certified-{role} {role} uri:spiffe://b.org/{role}\n" for role in roles) +
            f"late operator {token_hash(LATE)} until=2020-01-01\n")

    def settings(self, tls, client_auth):
        settings = {"Store.Driver": "memory", "Shards": 2, "AdminBasePath": "/dtm",
                    "Auth.CallersFile": self.file("callers"), "Auth.JwksFile": self.file("jwks"),
                    "Auth.JwtIssuer": ISSUER, "Auth.JwtAudience": AUDIENCE, "Auth.JwtClockSkew": 0}
        if tls:
            settings |= {"Tls.CertFile": self.authority.file("server.pem"),
                         "Tls.KeyFile": self.authority.file("server.key")}
        if client_auth:
            settings |= {"Tls.ClientAuth": client_auth,
                         "Tls.ClientCaFile": self.authority.file("ca.pem"),
                         "Tls.ClientCrlFile": self.authority.file("crl.pem")}
        return settings

    def start(self, tls=False, client_auth=None):
        self.tls = tls
        shown = "stranger" if client_auth else None
        self.coordinator = Concertod(
            self.args.concertod, self.directory, self.settings(tls, client_auth),
            self.id().split(".")[-1], context=self.authority.context(shown) if tls else None)
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start()

    def from_own_address(self, token, shown=""):
        """Credentials of somebody whose guesses are not counted together with those of others."""
        self.addresses += 1
        return Credentials(token, shown, f"127.0.1.{self.addresses}")

    def shown(self, name):
        return self.authority.file(name + ".both")

    def answers(self, pairs):
        """The answers for pairs of methods and credentials."""
        ports = {"grpc": self.coordinator.grpc_port}
        answers = ask(self.caller, [
            request(f"127.0.0.1:{ports.get(method.front_end, self.coordinator.http_port)}",
                    self.authority.file("ca.pem") if self.tls else "", method, credentials)
            for method, credentials in pairs])
        self.assertEqual(len(answers), len(pairs))
        for answer in answers:
            self.assertNotIn("token-of-", answer["text"])
        return answers

    def ask(self, pairs):
        """The verdicts."""
        return [verdict(method, answer) for (method, _), answer in zip(pairs, self.answers(pairs))]

    def check_table(self, credentials):
        """`credentials`: pairs of a letter and what such a caller has. A letter that the table does
        not have is somebody with a wrong token."""
        asked = [(letter, held, method, who) for letter, held in credentials
                 for method, who in methods()]
        verdicts = self.ask([(method, held) for _, held, method, _ in asked])
        for (letter, held, method, who), got in zip(asked, verdicts):
            known = letter in ROLES
            allowed = letter in who or who == EVERYBODY
            wanted = "allowed" if allowed else "forbidden" if known else "unknown"
            if got == "limited" and letter == "x":
                got = "unknown"  # not looked at, because there were others before
            self.assertEqual(got, wanted, (letter, held, method))

    def callers_with_tokens(self, shown=""):
        return [(letter, Credentials(tokens[role], shown))
                for tokens in (self.tokens, self.jwts) for letter, role in ROLES.items()]

    def callers_with_certificates(self):
        return [(letter, Credentials(shown=self.shown(role))) for letter, role in ROLES.items()]

    def check_revocation(self, shown=""):
        """A caller that is no longer in the file is refused, on open connections too."""
        held = [Credentials(self.tokens["operator"], shown)]
        if shown:
            held.append(Credentials(shown=self.shown("operator")))
        pairs = [(method, each) for method in sorted(FOR_CALLERS, key=str) for each in held]
        self.assertEqual(set(self.ask(pairs)), {"allowed"})
        self.write_callers("client", "viewer")
        count = len(self.coordinator.process.lines(READ))
        os.kill(self.coordinator.process.pid, signal.SIGHUP)
        self.coordinator.process.wait_for_line(READ, count=count + 1)
        self.assertEqual(set(self.ask(pairs)), {"unknown"})

    def check_bad_tokens(self, shown=""):
        good = Credentials(self.issuer.token(sub="jo", roles=["operator"]), shown)
        self.assertEqual(set(self.ask([(method, good) for method in FOR_CALLERS])), {"allowed"})
        bad = {"too late": LATE, **self.bad_tokens}
        for name, token in bad.items():
            held = self.from_own_address(token, shown)
            with self.subTest(token=name):
                self.assertEqual(set(self.ask([(method, held) for method in FOR_CALLERS])),
                                 {"unknown"})

    def check_end_of_a_token(self):
        """A token is refused from its end on, also by those who have remembered it."""
        held = self.from_own_address(
            self.issuer.token(sub="jo", roles=["operator"], exp=time.time() + 2))
        pairs = [(method, held) for method in FOR_CALLERS]
        self.assertEqual(set(self.ask(pairs)), {"allowed"})
        wait_until(lambda: set(self.ask(pairs)) == {"unknown"}, "the token has expired")

    def check_bad_certificates(self):
        """Nobody with a bad certificate is heard, whatever their token is."""
        for name, (shown, reason) in self.bad_certificates.items():
            held = Credentials(self.tokens["operator"], shown)
            pairs = [(method, held) for method in (*FOR_CALLERS, Method("http", "GET", "/livez"))]
            with self.subTest(certificate=name):
                answers = self.answers(pairs)
                self.assertEqual({verdict(method, answer)
                                  for (method, _), answer in zip(pairs, answers)}, {"unheard"})
                alerts = {alert(answer["failure"] or answer["text"]) for answer in answers}
                self.assertLessEqual(alerts, {reason, None})

    def test_the_table_is_that_of_the_program(self):
        config = self.file("printed.yml")
        put_text(config, "AdminBasePath: /dtm\n")
        printed = subprocess.run([self.args.concertod, "-c", config, "--print-access"], check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
        self.assertEqual(printed_table(printed), table())
        put_text(config, "Auth: {Metrics: anyone, Reflection: nobody}\n")
        printed = subprocess.run([self.args.concertod, "-c", config, "--print-access"], check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
        self.assertIn("anyone\thttp\tGET\t/metrics\n", printed)
        self.assertNotIn("reflection", printed)

    def test_plain(self):
        self.start()
        self.check_table([("-", Credentials()), ("x", self.from_own_address("token-of-nobody")),
                          *self.callers_with_tokens()])
        self.check_bad_tokens()
        self.check_end_of_a_token()
        self.check_revocation()

    def test_tls(self):
        self.start(tls=True)
        self.check_table([("-", Credentials()), ("x", self.from_own_address("token-of-nobody")),
                          *self.callers_with_tokens()])
        self.check_bad_tokens()
        self.check_revocation()

    def test_certificates_are_required(self):
        self.start(tls=True, client_auth="required")
        stranger = self.shown("stranger")
        self.check_table([("-", Credentials(shown=stranger)),
                          ("x", self.from_own_address("token-of-nobody", self.shown("operator"))),
                          *self.callers_with_certificates(), *self.callers_with_tokens(stranger),
                          # A token counts alone: a proxy may have shown its own certificate.
                          ("c", Credentials(self.tokens["client"], self.shown("operator")))])
        operator = Credentials(self.tokens["operator"])
        self.assertEqual(set(self.ask([(method, operator) for method, _ in methods()])),
                         {"unheard"})
        self.check_bad_certificates()
        self.check_bad_tokens(stranger)
        self.check_revocation(stranger)

    def test_certificates_are_optional(self):
        self.start(tls=True, client_auth="optional")
        self.check_table([("-", Credentials()), ("-", Credentials(shown=self.shown("stranger"))),
                          ("x", self.from_own_address("token-of-nobody", self.shown("operator"))),
                          *self.callers_with_certificates(), *self.callers_with_tokens()])
        self.check_bad_certificates()
        self.check_revocation(self.shown("stranger"))

    def tearDown(self):
        coordinator = getattr(self, "coordinator", None)
        if coordinator and coordinator.process:
            log = coordinator.process.text()
            self.assertNotIn("token-of-", log)
            self.assertNotRegex(log, "eyJ[a-zA-Z]")


def add_arguments(parser):
    parser.add_argument("concertod", type=os.path.abspath)
    parser.add_argument("build_directory", help="for the program in Go", type=os.path.abspath)


if __name__ == "__main__":
    main(Access, add_arguments, __doc__)
