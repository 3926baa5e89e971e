"""What these tests share: coordinators on one server, scripted branches, an operator's requests."""

import json
import os
import pty
import re
import struct
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "support"), os.path.join(HERE, "..", "operations")]
sys.dont_write_bytecode = True

from concerto_testing import BranchServer, Concertod, http_call, http_json, wait_until  # noqa: E402
from concerto_testing import main as run_tests  # noqa: E402
from concerto_testing.ports import free_ports  # noqa: E402
from concerto_testing.concertod import to_yaml  # noqa: E402
from concerto_testing.process import Process  # noqa: E402
from concerto_testing.suite import need_program  # noqa: E402
from grpc_wire import message as grpc_message  # noqa: E402
from told_states import (  # noqa: E402
    check_told_damage, check_told_states, check_told_without_time)

GRPC_OK, GRPC_UNAVAILABLE = 0, 14
SILENT = "accepts connections and does not answer|no connection within|no answer|handshake: reading"
CONNECTIONS = 4  # to a store, and more than there are to Redis
NODE_IN_LOG = r"this coordinator is (cc-\w+)"


class StoreTestCase(unittest.TestCase):
    """A script sets `server` in setUpClass: the tests of a script share it."""

    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)

    def coordinator(self, name, settings):
        coordinator = Concertod(self.args.concertod, self.directory,
                                {"Shards": 1, "TransCronInterval": 1, **settings}, name)
        self.addCleanup(coordinator.kill)
        return coordinator

    def start(self, name, settings):
        coordinator = self.coordinator(name, settings)
        coordinator.start()
        return coordinator

    def run_with(self, name, settings, *arguments):
        """The process of a coordinator that may end at its start."""
        coordinator = self.coordinator(name, settings)
        path = os.path.join(self.directory, name + ".yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(to_yaml(coordinator.settings))
        process = Process(name, [self.args.concertod, "-c", path, *arguments], self.directory)
        self.addCleanup(process.kill)
        return process

    def refused_reset(self, name, settings):
        """What a reset with a terminal as stdin says, which drops nothing; it asks nobody, because
        nobody would see the question."""
        self.run_with(name, settings, "-v").wait()  # writes the configuration
        leader, follower = pty.openpty()
        try:
            ended = subprocess.run(
                [self.args.concertod, "-c", os.path.join(self.directory, name + ".yml"), "-r"],
                stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=30, check=False)
        finally:
            os.close(leader)
            os.close(follower)
        self.assertEqual(ended.returncode, 1, ended.stdout)
        (line,) = [line for line in ended.stdout.splitlines() if "the store is not reset" in line]
        return line

    def check_reset_in_use(self, settings):
        """`-r` while another coordinator works, and after it was killed."""
        settings = {"RequestTimeout": 30, "Store.Lease": 5, **settings}
        busy = self.start("busy", settings)
        held = self.branches.hold("held")
        self.addCleanup(held.set)
        submit(busy, self.saga("held", "held"))
        self.branches.wait_for_calls(1, "held")
        self.assertRegex(self.refused_reset("in-use", settings),
                         "is in use: others .* work on 1 transaction there.* add --even-in-use")
        script = self.run_with("in-use-script", settings, "-r", "--yes")
        self.assertEqual(script.wait(30), 1)
        (line,) = script.lines("the store is not reset: .* is in use")
        self.assertIn("Nothing was changed.", line)
        self.assertEqual(busy.status("held"), "submitted")
        busy.kill()
        after = self.run_with("in-use-after", settings, "-r")
        after.wait_for_line("is dropped, 1 unfinished transaction with it", 30)
        after.wait_for_line("ready: HTTP on port", 20)
        self.assertEqual(after.lines("opened the store"), [])
        self.assertEqual(len(after.lines("opened a new store")), 1)

    def saga(self, gid, *names, **options):
        urls = [self.branches.url(name) for name in names]
        return {"gid": gid, "trans_type": "saga", "payloads": ["{}"] * len(urls),
                "steps": [{"action": url, "compensate": url} for url in urls], **options}

    def check_away(self, coordinator, wait_for_server):
        """The server is away: nothing is refused for good, and all is well when it is back."""
        wait_until(lambda: get(coordinator, "/readyz").status == 503, "it is not ready", 15)
        # A connection may not know yet that it is lost. What was sent on it has an unknown outcome.
        for number in range(CONNECTIONS):
            answer = post(coordinator, "submit", self.saga(f"away-{number}", "a", wait_result=True))
            self.assertEqual((answer.status, answer.headers.get("Retry-After")), (503, "1"),
                             answer.body)
            if "Concerto-Outcome" not in answer.headers:
                break
        self.assertEqual(answer.json()["message"], "the store is away or too busy at the moment, "
                         "and nothing was changed: try again")
        self.assertEqual(grpc_prepare(coordinator, "away-grpc"), GRPC_UNAVAILABLE)
        self.assertEqual(coordinator.metric('concerto_store_state{state="recovering"}'), 1)
        late = self.start("late", coordinator.settings | free_place())
        late.process.wait_for_line("not ready yet: .+", 10)
        coordinator.process.wait_for_line("not ready: .+")
        wait_for_server()
        wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready again", 5)
        late.process.wait_for_line("ready: HTTP on port", 10)
        order = late.process.lines("listening on|ready")
        self.assertRegex(" ".join(order), "listening on port.*not ready yet: .*ready: HTTP")
        self.assertEqual(coordinator.process.lines("change not stored"), [])
        submit(coordinator, self.saga("back", "a", wait_result=True))
        self.assertEqual(coordinator.status("back"), "succeed")
        self.assertEqual(grpc_prepare(coordinator, "away-grpc"), GRPC_OK)

    def check_refused(self, coordinator, refuse, allow, why):
        """The database refuses changes, and `why` is how it says so. The log says that once."""
        begun = r'"(warn|error)".*the database refuses changes: ' + why
        refuse()
        answers = [post(coordinator, "submit", self.saga(f"refused-{number}", "a"))
                   for number in range(3)]
        for answer in answers:
            self.assertEqual((answer.status, answer.headers.get("Retry-After")), (503, "1"),
                             answer.body)
        ready = get(coordinator, "/readyz")
        self.assertEqual(ready.status, 503, ready.body)
        self.assertRegex(ready.json()["reasons"][0], why)
        self.assertGreaterEqual(coordinator.metric("concerto_store_failed_changes_total"), 3)
        time.sleep(1)  # The store has looked for itself meanwhile, and can tell the end, too.
        allow()
        wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready again", 5)
        submit(coordinator, self.saga("allowed", "a", wait_result=True))
        self.assertEqual(len(coordinator.process.lines(begun)), 1, coordinator.process.tail())

    def check_silence(self, coordinator):
        """The server accepts connections and does not answer. Once that is known, nobody waits."""
        self.assertEqual(grpc_prepare(coordinator, "open"), GRPC_OK)
        self.server.pause()
        self.addCleanup(self.server.resume)
        branch = {"gid": "open", "trans_type": "tcc", "branch_id": "01", "data": "{}",
                  "confirm": self.branches.url("a"), "cancel": self.branches.url("a")}
        under_way = [
            Waiting(lambda: post(coordinator, "submit", self.saga("under-way", "a"))),
            Waiting(lambda: post(coordinator, "registerBranch", branch)),
            Waiting(lambda: http_call("GET", f"{coordinator.api}/query?gid=open", timeout_s=20.0))]
        wait_until(lambda: get(coordinator, "/readyz").status == 503, "it is not ready", 15)
        reasons = [get(coordinator, "/readyz").json()["reasons"]]
        self.assertRegex(reasons[0][0], SILENT)
        began = time.monotonic()
        for number in range(3):
            answer = post(coordinator, "submit", self.saga(f"silent-{number}", "a"))
            self.assertEqual((answer.status, answer.headers.get("Retry-After")), (503, "1"),
                             answer.body)
        self.assertEqual(grpc_prepare(coordinator, "silent-grpc"), GRPC_UNAVAILABLE)
        query = http_call("GET", f"{coordinator.api}/query?gid=allowed", timeout_s=20.0)
        self.assertEqual(query.status, 503, query.body)
        self.assertLess(time.monotonic() - began, 4)
        for waiting in under_way:
            answer = waiting.answer()
            self.assertEqual((answer.status, answer.headers.get("Retry-After")), (503, "1"),
                             answer.body)
            self.assertLess(waiting.took_s, 9)
            reasons.append(get(coordinator, "/readyz").json()["reasons"])
        self.assertTrue(all(reason == reasons[0] for reason in reasons), reasons)
        self.server.resume()
        wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready again", 8)
        submit(coordinator, self.saga("answered", "a", wait_result=True))
        self.check_repeated(coordinator, "under-way")
        self.assertEqual(coordinator.process.lines('"error".*cannot be read'), [])

    def check_repeated(self, coordinator, gid):
        """After an unknown outcome the same request, repeated, finds or makes the transaction."""
        def is_taken():
            answer = post(coordinator, "submit", self.saga(gid, "a"))
            return answer.status == 200 or b"current status 'succeed'" in answer.body
        wait_until(is_taken, f"{gid} is taken", 10)
        coordinator.wait_for_status(gid, "succeed", 5)

    def check_lock(self, coordinator, lock):
        """Somebody holds a lock until `lock` returns, for more than 11 s: every request is answered
        in time, and what the database makes afterwards is driven."""
        holder = Waiting(lock)
        time.sleep(0.5)
        waiting = [Waiting(lambda gid=gid: post(coordinator, "submit", self.saga(gid, "a")))
                   for gid in ("locked-1", "locked-2", "locked-3")]
        for request in waiting:
            answer = request.answer()
            self.assertEqual((answer.status, answer.headers.get("Retry-After")), (503, "1"),
                             answer.body)
            self.assertLess(request.took_s, 12)
        holder.answer()
        for gid in ("locked-1", "locked-2", "locked-3"):
            self.check_repeated(coordinator, gid)
        self.assertEqual(coordinator.process.lines("change not stored|cannot be read"), [])

    def check_damaged(self, coordinator, damages, repair):
        """`damages` are functions that damage a transaction that waits, by their names, with what
        is said of each. The others go on; nobody changes what is damaged; clients are told."""
        for gid in [*damages, "sound"]:
            self.branches.script(gid, (500, "oops"))
            post(coordinator, "submit", self.saga(gid, gid, gid, wait_result=True))
        coordinator.terminate()  # Memory has none of them any more.
        coordinator.start()
        for gid, (damage, _) in damages.items():
            self.branches.script(gid, (200, ""))
            damage(gid)
        self.branches.script("sound", (200, ""))
        listed = get(coordinator, "/api/dtmsvr/all?explain=true&limit=100")
        self.assertEqual(listed.status, 200, listed.body)
        self.assertIn("sound", [trans["gid"] for trans in listed.json()["transactions"]])
        for gid, (_, why) in damages.items():
            said = get(coordinator, f"/api/concerto/why?gid={gid}")
            self.assertIn(said.status, (200, 500), said.body)
            self.assertIn(f"transaction '{gid}' is damaged: {why}", said.body.decode())
            for request in ("submit", "resetNextCronTime", "forceStop"):
                answer = post(coordinator, request, self.saga(gid, gid, gid))
                self.assertEqual(answer.status, 500, (gid, request, answer.body))
                self.assertIn(f"transaction '{gid}' is damaged: ", answer.body.decode())
        called = {gid: len(self.branches.calls(gid)) for gid in damages}
        http_json("GET", f"{coordinator.api}/resetCronTime?timeout=0&limit=100")
        coordinator.wait_for_status("sound", "succeed", 10)
        for gid, calls in called.items():
            self.assertEqual(len(self.branches.calls(gid)), calls, gid)
            lines = coordinator.process.lines(f"transaction '{gid}' is damaged: ")
            self.assertEqual(len(lines), 1, lines)
        counted = (coordinator.metric("concerto_store_damaged_records") +
                   coordinator.metric("concerto_transactions_damaged"))
        self.assertEqual(counted, len(damages))
        check_told_damage(self, coordinator, {gid: why for gid, (_, why) in damages.items()})
        gid = next(iter(damages))
        repair(gid)
        answer = post(coordinator, "resetNextCronTime", {"gid": gid})
        self.assertEqual(answer.status, 200, answer.body)
        coordinator.wait_for_status(gid, "succeed", 10)

    def check_told(self, settings, forget_time=None):
        """What is told of transactions. `forget_time` removes the next_cron_time of one in the
        tables of a database."""
        coordinator = self.start("told", {"RetryInterval": 30, **settings})
        check_told_states(self, coordinator, self.branches)
        if forget_time is not None:
            check_told_without_time(self, coordinator, forget_time)

    def check_stop_in_silence(self, coordinator):
        """A stop ends soon, although the answer of a call cannot be stored. ShutdownGrace is 1."""
        release = self.branches.hold("held")
        submit(coordinator, self.saga("held", "held", "after"))
        self.branches.wait_for_calls(1, "held")
        self.server.pause()
        self.addCleanup(self.server.resume)
        release.set()
        scrape = Waiting(lambda: get(coordinator, "/metrics"))  # It asks the store, too.
        began = time.monotonic()
        self.assertEqual(coordinator.terminate(30.0), 0)
        self.assertLess(time.monotonic() - began, 12)
        line = "during the stop (the database|Redis) did not confirm [0-9]+ change"
        self.assertTrue(coordinator.process.lines(line), coordinator.process.tail())
        scrape.thread.join()
        self.server.resume()

    def check_all_coordinators(self, settings):
        """What one coordinator says of the transactions of another one, and how it takes over."""
        settings = {"RetryInterval": 30, "RequestTimeout": 30, "TimeoutToFail": 60,
                    "Store.Lease": 5, **settings}
        one = self.start("one", settings)
        two = self.start("two", settings)
        node = one.process.wait_for_line(NODE_IN_LOG)
        held = self.branches.hold("held")
        self.addCleanup(held.set)
        submit(one, self.saga("held", "held"))
        self.branches.wait_for_calls(1, "held")
        self.branches.script("broken", (500, "oops"), (200, ""))
        answer = post(one, "submit", self.saga("broken", "broken", wait_result=True))
        self.assertEqual(answer.headers.get("Concerto-Outcome"), "pending", answer.body)

        explanation = two.why("held")["explanation"]
        self.assertRegex(explanation, r"^another coordinator, cc-\w+, works on it; its lease ends")
        self.assertIn(explanation.split()[2].strip(","), node)
        self.assertRegex(one.why("held")["explanation"], "^calls branch")
        rests = two.why("broken")
        self.assertEqual((rests["state"], rests["attempts"]), ("waiting", []))
        self.assertRegex(rests["explanation"],
                         "^waits for its next try at http://.*/broken; its interval has grown to "
                         "60 s, since at least 1 pass ended in an error; its attempts are known "
                         "only to the coordinator that made them")
        self.assertRegex(one.why("broken")["explanation"], "^this coordinator's last call, branch")
        listed = http_json("GET", f"{two.api}/all?status=submitted")["transactions"]
        self.assertEqual({trans["gid"] for trans in listed}, {"held", "broken"})
        for coordinator in (one, two):  # The first scrape asks the store.
            self.assertEqual(coordinator.metric('concerto_transactions_unfinished{model="saga"}'),
                             2, coordinator.name)
        self.assertEqual(two.metric("concerto_backlog_complete"), 1)
        self.assertEqual(two.metric("concerto_leases_lost_total"), 0)

        http_json("GET", f"{one.api}/subscribe?topic=t&url=http://a/b")
        topics = http_json("GET", f"{two.api}/queryKV?cat=topics&key=t")
        self.assertIn("http://a/b", json.dumps(topics))

        reset = http_json("GET", f"{two.api}/resetCronTime?timeout=5&limit=10")
        self.assertTrue(reset["succeed_count"] == 1 and not reset["has_remaining"], reset)
        two.wait_for_status("broken", "succeed", 8)

        one.kill()
        held.set()
        two.wait_for_status("held", "succeed", 5 + 1 + 4)  # lease, poll, and a busy machine
        self.assertEqual(len(self.branches.calls("held")), 2)


class Waiting:
    """A call that a thread waits for."""

    def __init__(self, call):
        self.took_s = None
        self._call = call
        self._result = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def answer(self):
        self.thread.join(60.0)
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def _run(self):
        began = time.monotonic()
        try:
            self._result = self._call()
        except Exception as error:  # pylint: disable=broad-except
            self._result = error
        self.took_s = time.monotonic() - began


def get(coordinator, path):
    return http_call("GET", f"http://127.0.0.1:{coordinator.http_port}{path}")


def post(coordinator, name, request, timeout_s=40.0):
    return http_call("POST", f"{coordinator.api}/{name}", json.dumps(request).encode(),
                     timeout_s=timeout_s)


def submit(coordinator, request):
    http_json("POST", f"{coordinator.api}/submit", request, 40.0)


def grpc_prepare(coordinator, gid):
    """The gRPC status that a Prepare of a tcc is answered with."""
    body = grpc_message([(1, gid), (2, "tcc")])
    called = subprocess.run(
        [need_program("curl", "curl"), "--silent", "--show-error", "--http2-prior-knowledge",
         "--noproxy", "*", "--max-time", "30", "--header", "content-type: application/grpc",
         "--header", "te: trailers", "--data-binary", "@-", "--dump-header", "-",
         "--output", os.devnull, f"http://127.0.0.1:{coordinator.grpc_port}/dtmgimp.Dtm/Prepare"],
        input=b"\0" + struct.pack(">I", len(body)) + body, stdout=subprocess.PIPE, check=True)
    return int(re.search(rb"(?mi)^grpc-status: (\d+)", called.stdout)[1])


def wait_for_readyz(coordinator, text):
    """Waits until the coordinator is not ready, and /readyz says why: this. The log has it once."""
    def is_said():
        answer = get(coordinator, "/readyz")
        return answer.status == 503 and text in answer.body.decode()
    wait_until(is_said, f"/readyz says {text}", 20)
    lines = coordinator.process.lines(re.escape(text))
    if len(lines) != 1:
        raise AssertionError(f"{text!r} is {len(lines)} times in the log: {lines}")


def free_place():
    """Settings of another coordinator on the same store."""
    http_port, grpc_port = free_ports(2)
    return {"HttpPort": http_port, "GrpcPort": grpc_port}


def main(test_case, description):
    run_tests(test_case, lambda parser: parser.add_argument("concertod"), description)
