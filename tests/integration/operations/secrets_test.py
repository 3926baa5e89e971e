"""No secret of the configuration is printed, logged or served, whatever goes wrong.

Usage: secrets_test.py <concertod>
"""

import os
import resource
import signal
import socketserver
import subprocess
import threading

from operations_test_case import (OperationsTestCase, get, hang_up, main, post, submit, to_yaml,
                                  wait_until)

from concerto_testing import Concertod

MARK = "mark-of-a-secret"
RUN_S = 30
PAGES = ("/readyz", "/livez", "/metrics", "/", "/api/concerto/why?gid=g", "/api/concerto/audit",
         "/api/dtmsvr/query?gid=g", "/api/dtmsvr/all?explain=true", "/api/dtmsvr/scanKV?cat=topics")


class Redis(socketserver.BaseRequestHandler):
    """Repeats what it got, as a proxy does that has no AUTH."""

    def handle(self):
        while data := self.request.recv(65_536):
            said = data.decode(errors="replace").replace("\r\n", " ")
            self.request.sendall(f"-ERR unknown command, with args: {said}\r\n".encode())


class Postgres(socketserver.BaseRequestHandler):
    """Asks for the password and repeats it in the error."""

    code = b"28P01"  # a wrong password

    def handle(self):
        self.request.recv(65_536)
        self.request.sendall(b"R\0\0\0\x08\0\0\0\x03")
        password = self.request.recv(65_536)[5:].rstrip(b"\0")
        fields = (b"SFATAL\0VFATAL\0C" + self.code + b"\0Mno password " + password + b"\0\0")
        self.request.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)


class StartingPostgres(Postgres):
    code = b"57P03"  # not yet


class Secrets(OperationsTestCase):
    def serve(self, handler):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def file(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_once(self, settings, *options):
        """What a run prints that ends by itself, or after a while."""
        if not isinstance(settings, str):
            settings = to_yaml({"HttpPort": 0, "GrpcPort": 0, "ListenAddress": "127.0.0.1",
                                "LogLevel": "debug", "Shards": 1, **settings})
        config = self.file("once.yml", settings)
        with subprocess.Popen([self.args.concertod, "-c", config, *options], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            lines = []
            stop = threading.Timer(RUN_S, process.kill)
            stop.start()
            for line in process.stdout:
                lines.append(line)
                if "not ready" in line or "is away" in line:
                    process.kill()
            stop.cancel()
        return "".join(lines)

    def database(self, driver, port):
        return {"Store.Driver": driver, "Store.Host": "127.0.0.1", "Store.Port": port,
                "Store.User": "u", "Store.Password": MARK}

    def test_servers_that_repeat_passwords(self):
        for driver, port, words in (("redis", self.serve(Redis), "***"),
                                    ("postgres", self.serve(Postgres), "password ***"),
                                    ("mysql", self.serve(Redis), "mysql")):
            printed = self.run_once(self.database(driver, port))
            self.assertIn(words, printed, driver)
            self.assertNotIn(MARK, printed, driver)

    def test_probes_while_the_store_is_away(self):
        settings = self.database("postgres", self.serve(StartingPostgres))
        with Concertod(self.args.concertod, self.directory, settings, "away") as coordinator:
            said = wait_until(lambda: _with(get(coordinator, "/readyz").body, b"password"),
                              "the probe has the words of the database")
            self.assertNotIn(MARK.encode(), said)
            self.assertNotIn(MARK, coordinator.process.text())

    def test_findings(self):
        secret = self.file("secret", MARK + "\n")
        base = {"Store.Path": os.path.join(self.directory, "findings")}
        for settings in (self.database("redis", 1), {**base, "AlertWebHook": f"no://u:{MARK}@h"},
                         {**base, "AlertWebHook": f"https://h/{MARK}?x={MARK}"},
                         {**base, "MicroService.Driver": "dtm-driver-gozero",
                          "MicroService.Target": f"etcd://u:{MARK}@h?password={MARK}"},
                         {**base, "Store.Password": MARK, "Store.PasswordFile": secret},
                         {**base, "Store.PasswordFile": secret},
                         f"Store: {{Password: [{MARK}]}}", f"Store: {{Password: {MARK}"):
            for option in ("--print-config", "--check-config"):
                self.assertNotIn(MARK, self.run_once(settings, option), settings)

    def test_a_running_coordinator(self):
        password = self.file("password", MARK + "-db\n")
        hook = self.file("hook", f"http://u:{MARK}-hook@127.0.0.1:9/h/{MARK}-path1?x={MARK}-any1&"
                                 f"access_token={MARK}-token\n")
        target = self.file("target", f"etcd://root:{MARK}-etcd@127.0.0.1:9/dtmservice\n")
        coordinator = self.start("running", {
            "LogLevel": "debug", "AlertRetryLimit": 1, "AlertWebHookFile": hook,
            "MicroService.Driver": "dtm-driver-gozero", "MicroService.TargetFile": target,
            "MicroService.EndPoint": "localhost:1", "Store.PasswordFile": password,
            "Audit.File": os.path.join(self.directory, "secrets.jsonl")})
        url = f"http://u:{MARK}-branch@127.0.0.1:9/b?access_token={MARK}-branch"
        submit(coordinator, self.saga("g", url))
        coordinator.process.wait_for_line("alert")
        get(coordinator, f"/api/dtmsvr/subscribe?topic=t&url=http://u:{MARK}@b/u&reason=no")
        post(coordinator, "forceStop", {"gid": "nobody"})
        self.file("password", MARK + "-new\n")
        hang_up(coordinator, "Store.Password takes effect after a restart")
        for page in PAGES:
            answer = get(coordinator, page)
            # What a client has stored as a topic is shown as it was stored.
            text = answer.body.decode(errors="replace")
            if "scanKV" not in page:
                self.assertNotIn(MARK, text, page)
        self.assertEqual(coordinator.terminate(), 0)
        self.assertNotIn(MARK, coordinator.process.text())
        with open(os.path.join(self.directory, "secrets.jsonl"), encoding="utf-8") as file:
            self.assertNotIn(MARK, file.read())

    def test_a_crash_leaves_no_core_dump(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, (soft, hard))
        coordinator = self.start("crash", {"CoreDumps": 0})
        coordinator.kill()
        config = os.path.join(self.directory, "crash.yml")
        quiet = [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
        pid = os.posix_spawn(self.args.concertod, [self.args.concertod, "-c", config], os.environ,
                             file_actions=quiet)
        wait_until(lambda: _answers(coordinator), "it answers")
        os.kill(pid, signal.SIGSEGV)
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.WTERMSIG(status), signal.SIGSEGV)
        self.assertFalse(os.WCOREDUMP(status))


def _with(body, words):
    return body if words in body else None


def _answers(coordinator):
    return get(coordinator, "/livez").status == 200


if __name__ == "__main__":
    main(Secrets, __doc__)
