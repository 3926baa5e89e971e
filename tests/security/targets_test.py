"""Targets that attackers name: no client, branch or name server makes the coordinator call what
TargetDeny refuses (docs/security.md).

Usage: targets_test.py <concertod>
"""

import json
import os
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from attackers import SECRET, NameServer, Vault  # noqa: E402  (the path has to be set first)
from concerto_testing import BranchServer, Concertod, http_call, main, wait_until  # noqa: E402
from concerto_testing.concertod import to_yaml  # noqa: E402
from concerto_testing.namespaces import enter_own_network  # noqa: E402

# Hosts of which every spelling leads to the vault, and those that no resolver takes for an address.
SPELLINGS = ("169.254.169.254", "169.254.1.1", "2852039166", "0xa9fea9fe", "0xA9.0xFE.0xa9.0xfe",
             "0251.0376.0251.0376", "025177524776", "169.0xfe.0251.254", "169.16689662",
             "169.254.43518", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
             "[0:0:0:0:0:ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]",
             "[fd00:ec2::254]", "[fd20:ce::254]", "[fe80::1%lo]", "100.100.100.200",
             "168.63.129.16", "192.0.0.192", "0.0.0.0", "0", "[::]", "[::ffff:0.0.0.0]")
DEAD_SPELLINGS = ("169.254.169.254.", "[::169.254.169.254]", "[::ffff:0:169.254.169.254]",
                  "[fe80::1%25lo]", "224.0.0.1", "[ff02::1]", "255.255.255.255",
                  "metadata.google.internal", "Metadata.Google.Internal.")
# URLs of which no reader agrees with another where their host ends. Each is refused, or is a call
# to the host behind the last @.
ODD_URLS = ("http://169.254.169.254\\@127.0.0.1:9/", "http://127.0.0.1:9\\@169.254.169.254/",
            "http://127.0.0.1:9@169.254.169.254/", "http://127.0.0.1:9#@169.254.169.254/",
            "http://127.0.0.1:9?@169.254.169.254/", "http://127.0.0.1:9/@169.254.169.254/",
            "http://u:p@127.0.0.1@169.254.169.254/", "http:169.254.169.254/",
            "http:///169.254.169.254/", "http:\\\\169.254.169.254\\", "//169.254.169.254/",
            "http://169%2e254%2e169%2e254/", "http://%31%36%39.254.169.254/",
            "http://169。254。169。254/", "http://①⑥⑨.254.169.254/", "http://169.254.169.254%00.b/",
            "http://169.254.169.254:80:80/", "http://[169.254.169.254]/",
            "http://[::ffff:169.254.169.254/", "http://169.254.169.254 .b.org/",
            "http://127.0.0.1:9\r\nHost: 169.254.169.254/", "http://127.0.0.1:9/\r\nX: y",
            "http://169.254.169.254\t/", "gopher://169.254.169.254/", "file:///etc/passwd",
            "unix:///var/run/docker.sock", "HTTP://169.254.169.254/", "hTtPs://169.254.169.254:80/")
# The rule, and what a name means inside, are in the log alone.
REFUSED = "refused by TargetAllow or TargetDeny"
REFUSED_REDIRECT = "redirected to a target that TargetAllow or TargetDeny refuses"


class Targets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.vault = Vault()
        cls.names = NameServer(cls.directory)

    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)
        self.vault.visits.clear()
        self.names.asked.clear()
        self.names.script = {}

    def start(self, settings=None, env=None):
        coordinator = Concertod(
            self.args.concertod, self.directory,
            {"Shards": 1, "RetryInterval": 60, "TimeoutToFail": 60, "Store.Driver": "memory",
             "MicroService.Driver": "dtm-driver-gozero", **(settings or {})},
            self.id().split(".")[-1], env)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        return coordinator

    def post(self, coordinator, path, **fields):
        return http_call("POST", f"{coordinator.api}/{path}", json.dumps(fields).encode(),
                         {"Content-Type": "application/json"}, timeout_s=10.0)

    def submit(self, coordinator, gid, url, protocol="http", **fields):
        """A saga with one step. Returns the answer."""
        return self.post(coordinator, "submit", gid=gid, trans_type="saga", payloads=["{}"],
                         protocol=protocol, steps=[{"action": url}], **fields)

    def assert_request_refused(self, answer, field, about):
        text = answer.body.decode()
        self.assertNotEqual(answer.status, 200, about)
        self.assertIn(REFUSED, text, about)
        self.assertIn(field, text, about)
        self.assertNotIn(SECRET, text, about)
        self.assertNotIn("TargetDeny has", text, about)

    def assert_call_refused(self, coordinator, gid, url, protocol="http", refused=REFUSED):
        """The request is taken; its call ends in an error, and the transaction waits."""
        answer = self.submit(coordinator, gid, url, protocol, wait_result=True)
        self.assertNotIn(SECRET, answer.body.decode(), url)
        why = json.dumps(coordinator.why(gid))
        self.assertIn(refused, why, url)
        self.assertNotIn("TargetDeny has", why + answer.body.decode(), url)
        self.assertNotIn(SECRET, why, url)
        self.assertEqual(coordinator.status(gid), "submitted", url)

    def test_without_rules_the_vault_is_reached(self):
        """The suite has teeth: all that is refused below succeeds here."""
        coordinator = self.start({"TargetDeny": ""})
        self.names.script["inside.test"] = [["169.254.169.254"]]
        for number, host in enumerate((*SPELLINGS, "inside.test")):
            self.vault.visits.clear()
            self.submit(coordinator, f"in-{number}", f"http://{host}/latest", wait_result=True)
            self.assertEqual(len(self.vault.visits), 1, host)
        self.vault.visits.clear()
        self.submit(coordinator, "in-grpc", "inside.test:80/p.S/M", "grpc", wait_result=True)
        self.assertGreater(len(self.vault.visits), 0)

    def test_requests_with_addresses_in_every_spelling(self):
        coordinator = self.start()
        for number, host in enumerate((*SPELLINGS, *DEAD_SPELLINGS)):
            for protocol, url in (("http", f"http://{host}/latest/meta-data?x=1"),
                                  ("http", f"https://a:b@{host}:80/"),
                                  ("json-rpc", f"http://{host}/?method=x"),
                                  ("grpc", f"{host}:80/p.S/M"),
                                  ("grpc", f"dns:///{host}:80/p.S/M"),
                                  ("grpc", f"direct:///127.0.0.1:9,{host}:80/p.S/M"),
                                  ("grpc", f"etcd://{host}:80/key/p.S/M")):
                if "%" in host and "//" in url and protocol == "grpc":
                    continue  # refused, for another reason: this is no legal escape
                answer = self.submit(coordinator, f"s-{number}", url, protocol)
                self.assert_request_refused(answer, "steps[0].action", url)
                self.assertNotIn("a:b@", answer.body.decode())
        self.assertEqual(self.vault.visits, [])
        self.assertEqual(self.names.asked, [], "what is refused is not looked up")

    def test_every_field_that_has_a_url(self):
        coordinator = self.start()
        url, good = "http://169.254.169.254/", self.branches.url("a")
        post = self.post
        self.assert_request_refused(
            post(coordinator, "submit", gid="c", trans_type="saga", payloads=["{}"],
                 steps=[{"action": good, "compensate": url}]), "steps[0].compensate", "compensate")
        self.assert_request_refused(
            post(coordinator, "prepare", gid="m", trans_type="msg", payloads=["{}"],
                 steps=[{"action": good}], query_prepared=url), "query_prepared", "msg")
        self.assert_request_refused(
            post(coordinator, "prepareWorkflow", gid="w", trans_type="workflow", query_prepared=url,
                 custom_data='{"name":"n","data":""}'), "query_prepared", "workflow")
        for trans_type, fields in (("tcc", ("confirm", "cancel")), ("xa", ("url",))):
            self.assertEqual(post(coordinator, "prepare", gid=trans_type,
                                  trans_type=trans_type).status, 200)
            for field in fields:
                urls = dict.fromkeys(fields, good) | {field: url}
                self.assert_request_refused(
                    post(coordinator, "registerBranch", gid=trans_type, trans_type=trans_type,
                         branch_id="01", data="", **urls), field, trans_type)
        answer = http_call("GET", f"{coordinator.api}/subscribe?topic=t&url={url}")
        self.assert_request_refused(answer, "url", "topic")
        self.assertEqual(self.vault.visits, [])

    def test_urls_that_are_read_in_two_ways(self):
        coordinator = self.start()
        for number, url in enumerate(ODD_URLS):
            for protocol in ("http", "grpc"):
                gid = f"odd-{number}-{protocol}"
                answer = self.submit(coordinator, gid, url, protocol, wait_result=True)
                self.assertNotIn(SECRET, answer.body.decode(), url)
                self.assertNotEqual(answer.status, 200, url)
        self.assertEqual(self.vault.visits, [])
        for headers in ({"X": "y\r\nHost: 169.254.169.254"}, {"X: y\r\nZ": "z"},
                        {"Host": "a\r\nb"}, {"Transfer-Encoding": "chunked"}, {"X": "a\0b"}):
            answer = self.submit(coordinator, "header", self.branches.url("a"),
                                 branch_headers=headers)
            self.assertNotEqual(answer.status, 200, headers)
        self.assertEqual(self.branches.calls(), [])

    def test_names_of_refused_addresses(self):
        coordinator = self.start()
        self.names.script = {"inside.test": [["169.254.169.254"]],
                             "inside6.test": [["fd00:ec2::254", "::ffff:169.254.169.254"]],
                             "mapped.test": [["64:ff9b::a9fe:a9fe"]],
                             "zero.test": [["0.0.0.0", "::"]]}
        for name in self.names.script:
            self.assert_call_refused(coordinator, f"h-{name}", f"http://{name}/latest")
            self.assert_call_refused(coordinator, f"r-{name}", f"http://{name}/?method=x",
                                     "json-rpc")
            self.assert_call_refused(coordinator, f"g-{name}", f"{name}:80/p.S/M", "grpc")
            self.assert_call_refused(coordinator, f"d-{name}", f"dns:///{name}:80/p.S/M", "grpc")
            self.assert_call_refused(coordinator, f"e-{name}", f"etcd://{name}:80/k/p.S/M", "grpc")
        self.assertNotIn("fd00:ec2::254", json.dumps(coordinator.why("h-inside6.test")))
        coordinator.process.wait_for_line("target http://inside6.test:80 is refused: TargetDeny "
                                          "has the address fd00:ec2::254 of its name: 'metadata'")
        self.assertEqual(self.vault.visits, [])

    def test_names_that_change_their_addresses(self):
        """DNS rebinding: the address that was checked is the one that is connected to."""
        coordinator = self.start()
        port = self.branches.url("").split(":")[2].rstrip("/")
        self.branches.script("a", (500, "again", {"Connection": "close"}))
        self.names.script["rebinds.test"] = [["127.0.0.1"], ["169.254.169.254"]]
        self.submit(coordinator, "first", f"http://rebinds.test:{port}/a", wait_result=True)
        self.assertEqual(len(self.branches.calls("first")), 1, "allowed as long as it is here")
        self.assert_call_refused(coordinator, "then", "http://rebinds.test/latest")
        self.names.script["both.test"] = [["169.254.169.254", "127.0.0.1"]]
        answer = self.submit(coordinator, "both", f"http://both.test:{port}/b", wait_result=True)
        self.assertEqual(answer.status, 200, "the other address is used")
        self.assertEqual(self.vault.visits, [])

    def test_redirects(self):
        coordinator = self.start()
        self.names.script["inside.test"] = [["169.254.169.254"]]
        for number, host in enumerate((*SPELLINGS, "inside.test")):
            for status in (302, 307):
                gid = f"to-{number}-{status}"
                self.branches.script(gid, (status, "", {"Location": f"http://{host}/latest"}))
                self.assert_call_refused(coordinator, gid, self.branches.url(gid),
                                         refused=REFUSED_REDIRECT)
        self.branches.script("relative", (302, "", {"Location": "//169.254.169.254/latest"}))
        self.assert_call_refused(coordinator, "relative", self.branches.url("relative"),
                                 refused=REFUSED_REDIRECT)
        self.assertEqual(self.vault.visits, [])

    def test_alert_hook(self):
        self.names.script["hook.test"] = [["169.254.169.254"]]
        coordinator = self.start({"AlertWebHook": "http://hook.test/", "AlertRetryLimit": 0})
        self.branches.script("broken", (500, "oops"))
        self.submit(coordinator, "told", self.branches.url("broken"), wait_result=True)
        coordinator.process.wait_for_line("alert not delivered: target http://hook.test:80 is " +
                                          REFUSED)
        self.assertEqual(self.vault.visits, [])

    def test_proxy(self):
        """A proxy gets no request for what the text of the URL shows to be refused."""
        proxy = self.branches.url("").rstrip("/")
        env = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "", "http_proxy": "",
               "https_proxy": "", "no_proxy": ""}
        coordinator = self.start({"TargetAllow": "outside.test, loopback, 10.0.0.0/8"}, env)
        coordinator.process.wait_for_line("HTTP_PROXY or HTTPS_PROXY is set: the proxy looks names")
        for number, host in enumerate((*SPELLINGS, *DEAD_SPELLINGS, "unlisted.test")):
            gid = f"proxied-{number}"
            answer = self.submit(coordinator, gid, f"http://{host}/", wait_result=True)
            self.assertNotEqual(answer.status, 200, host)
        self.assertEqual(self.branches.calls(), [], "nothing was sent to the proxy")
        answer = self.submit(coordinator, "good", "http://outside.test/a", wait_result=True)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(len(self.branches.calls("good")), 1)
        self.assertEqual(self.names.asked.count("outside.test"), 0, "the proxy looks it up")

    def test_allow_list_and_reload(self):
        coordinator = self.start()
        url = self.branches.url("a")
        self.assertEqual(self.submit(coordinator, "open", url, wait_result=True).status, 200)
        path = os.path.join(self.directory, coordinator.name + ".yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(to_yaml({**coordinator.settings, "TargetAllow": "https://*, 10.0.0.0/8"}))
        os.kill(coordinator.process.pid, signal.SIGHUP)
        refused = "is refused by TargetAllow or TargetDeny"
        wait_until(lambda: refused in self.submit(coordinator, "shut", url).body.decode(),
                   "the target is refused", 10)
        port = self.branches.url("").split(":")[2].rstrip("/")
        answer = self.submit(coordinator, "shut-grpc", f"127.0.0.1:{port}/p.S/M", "grpc")
        self.assertIn(refused, answer.body.decode())
        coordinator.process.wait_for_line("is refused: TargetAllow does not have it")

    def test_hosts_of_branch_headers(self):
        """An allowed address is not asked for a site that no rule names."""
        port = self.branches.url("").split(":")[2].rstrip("/")
        coordinator = self.start({"TargetAllow": f"127.0.0.0/8, *.shop.test:{port}"})
        url = self.branches.url("a")
        for number, host in enumerate(("inside.test", "169.254.169.254", "shop.test")):
            answer = self.submit(coordinator, f"site-{number}", url, branch_headers={"Host": host})
            self.assert_request_refused(answer, "branch header 'Host'", host)
        for number, host in enumerate(("a.shop.test", "127.0.0.1", url.split("/")[2])):
            answer = self.submit(coordinator, f"good-{number}", url, wait_result=True,
                                 branch_headers={"Host": host})
            self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(len(self.branches.calls()), 3)


if __name__ == "__main__":
    enter_own_network("--mount")
    main(Targets, lambda parser: parser.add_argument("concertod"), __doc__)
