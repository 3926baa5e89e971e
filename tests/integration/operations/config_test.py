"""What an operator hears of a faulty configuration, and what nobody hears: its secrets.

Usage: config_test.py <concertod>
"""

import json
import os
import subprocess

from operations_test_case import OperationsTestCase, get, main

SECRETS = {"Store.Password": "pass-3141",
           "AlertWebHook": "http://user:hook-1618@localhost/h?token=query-5772"}
SECRET_WORDS = ("pass-3141", "hook-1618", "query-5772")
END_S = 20


class Configuration(OperationsTestCase):
    def run_with(self, text, *flags):
        path = os.path.join(self.directory, self._testMethodName + ".yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([self.args.concertod, "-c", path, *flags], timeout=END_S, text=True,
                              cwd=self.directory, capture_output=True, check=False)

    def test_unknown_key_is_a_warning_that_names_the_nearest(self):
        coordinator = self.start("unknown", {"RetryIntervall": 7, "Store.Pasword": "pass-3141",
                                             "TimeoutTofail": 30})
        for unknown, nearest in (("RetryIntervall", "RetryInterval"),
                                 ("Store.Pasword", "Store.Password"),
                                 ("TimeoutTofail", "TimeoutToFail")):
            (line,) = coordinator.process.lines(f"'{unknown}'")
            self.assertIn('"level":"warn"', line)
            self.assertIn(f"unknown key '{unknown}'; the nearest known one is '{nearest}'", line)
        self.assertNotIn("pass-3141", coordinator.process.text())
        self.assertEqual(get(coordinator, "/readyz").status, 200)

    def test_unknown_key_is_an_error_of_the_check(self):
        checked = self.run_with("RetryIntervall: 7\n", "--check-config")
        self.assertEqual(checked.returncode, 1)
        self.assertIn("unknown key 'RetryIntervall'; the nearest known one is 'RetryInterval'",
                      checked.stderr)
        self.assertEqual(checked.stdout, "")

    def test_misspelt_key_that_closes_something_ends_the_start(self):
        for text, meant in (("Auht:\n  CallersFile: c\n", "'Auth' was probably meant"),
                            ("Store:\n  Driver: memory\nTargetAlow: a.b\n", "'TargetAllow' was")):
            for flags in ((), ("--check-config",)):
                checked = self.run_with(text, *flags)
                self.assertEqual(checked.returncode, 1, text)
                self.assertIn(meant, checked.stderr)

    def test_check_accepts_what_is_correct(self):
        checked = self.run_with("RetryInterval: 7\nStore:\n  Driver: memory\n", "--check-config")
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertIn("correct", checked.stdout)

    def test_check_names_every_error(self):
        checked = self.run_with("RetryInterval: 0\nHttpPort: many\nStore:\n  Driver: papyrus\n",
                                "--check-config")
        self.assertEqual(checked.returncode, 1)
        for text in ("RetryInterval should not be less than", "HttpPort", "papyrus"):
            self.assertIn(text, checked.stderr)

    def test_check_finds_what_the_start_refuses(self):
        registry = "MicroService: {Driver: dtm-driver-gozero, EndPoint: 'h:1', Target: '%s'}\n"
        for text in ("ListenAddress: '127.0.0.1:80'\n", "ListenAddress: eth0\n",
                     "HttpPort: 39000\nGrpcPort: 39000\n", "AlertWebHook: nope\n",
                     "AllowedHosts: 'a b'\n", "AdminBasePath: /livez\n",
                     registry % "etcd://h:x/k", registry % "etcd://h:1/k?caCert=/none.pem"):
            with self.subTest(text):
                config = text + "Store: {Driver: memory}\n"
                checked, started = self.run_with(config, "--check-config"), self.run_with(config)
                self.assertEqual((checked.returncode, started.returncode), (1, 1))
                self.assertNotIn("correct", checked.stdout)
                self.assertIn(checked.stderr.strip(), json.loads(started.stderr)["msg"])

    def test_error_ends_the_start(self):
        for text in ("RetryInterval: 0\n", "Store:\n  Driver: redis\n", "a: [\n"):
            with self.subTest(text):
                ended = self.run_with(text)
                self.assertEqual(ended.returncode, 1)
                self.assertIn('"level":"error"', ended.stderr)

    def test_secrets_are_not_in_the_log(self):
        coordinator = self.start("secrets", {**SECRETS, "LogLevel": "debug"})
        log = coordinator.process.text()
        self.assertIn("Store.Password", log)
        self.assertIn("AlertWebHook", log)
        for word in SECRET_WORDS:
            self.assertNotIn(word, log)

    def test_secrets_are_not_printed(self):
        printed = self.run_with("".join(
            [f"AlertWebHook: {SECRETS['AlertWebHook']}\n",
             f"Store:\n  Password: {SECRETS['Store.Password']}\n"]), "--print-config")
        self.assertEqual(printed.returncode, 0)
        self.assertIn("AlertWebHook", printed.stdout)
        for word in SECRET_WORDS:
            self.assertNotIn(word, printed.stdout + printed.stderr)

    def test_user_of_a_url_without_a_password_is_a_secret(self):
        printed = self.run_with("AlertWebHook: http://token-2718@localhost/h\n", "--print-config")
        self.assertIn("@localhost/***", printed.stdout)
        self.assertNotIn("token-2718", printed.stdout)

    def test_secrets_are_not_in_errors(self):
        text = "".join([f"AlertWebHook: [{SECRETS['AlertWebHook']}]\n",
                        f"Store:\n  Password: {{ {SECRETS['Store.Password']}: 1 }}\n"])
        ended = self.run_with(text)
        self.assertEqual(ended.returncode, 1)
        for word in SECRET_WORDS:
            self.assertNotIn(word, ended.stdout + ended.stderr)


if __name__ == "__main__":
    main(Configuration, __doc__)
