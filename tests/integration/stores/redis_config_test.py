"""The configuration of a store in Redis, on a real server.

Usage: redis_config_test.py <concertod>
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from store_test_case import (  # noqa: E402
    SILENT, StoreTestCase, get, main, post, submit, wait_for_readyz)
from concerto_testing import wait_until  # noqa: E402
from database_servers import Redis  # noqa: E402

DAY_S = 86_400


class RedisConfig(StoreTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Redis(cls.directory)
        cls.addClassCleanup(cls.server.kill)
        cls.server.start()

    def settings(self, prefix, **more):
        return {"Store.Driver": "redis", "Store.Host": "127.0.0.1", "Store.Port": self.server.port,
                "Store.RedisPrefix": prefix,
                **{f"Store.{name}": value for name, value in more.items()}}

    def test_user_prefix_and_lifetimes(self):
        self.server.command("ACL", "SETUSER", "clerk", "on", ">pw", "~*", "+@all")
        settings = self.settings("{b}", User="clerk", Password="pw", DataExpire=9 * DAY_S,
                                 FinishedDataExpire=3 * DAY_S)
        coordinator = self.start("keys", settings)
        coordinator.process.wait_for_line(
            r"opened a new store: Redis at 127.0.0.1:[0-9]+, keys \{b\}_\*; this coordinator is cc")
        submit(coordinator, self.saga("done", "a", wait_result=True))
        self.branches.script("broken", (500, "oops"))
        post(coordinator, "submit", self.saga("open", "broken", wait_result=True))
        for gid, days in (("done", 3), ("open", 9)):
            left = self.server.command("TTL", "{b}_g_" + gid) / DAY_S
            self.assertTrue(days - 0.1 < left < days + 0.1, (gid, left))
        coordinator.kill()
        coordinator.start()
        coordinator.process.wait_for_line("opened the store: Redis at ")
        wrong = self.run_with("wrong", {**settings, "Store.Password": "wp"})
        self.assertNotEqual(wrong.wait(15), 0)
        (line,) = wrong.lines("the store")
        self.assertRegex(line, "the store cannot be opened: Redis at .* does not let this "
                               "coordinator in .*WRONGPASS")

    def test_what_is_promised(self):
        coordinator = self.start("promise", self.settings("{p}"))
        coordinator.process.wait_for_line(
            "Redis 7[0-9.]+: acknowledged changes may be lost; a power failure of Redis's machine "
            "may lose the changes of the last half minute or more .appendfsync is no")
        answer = get(coordinator, "/readyz")
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.json()["warnings"][0], "appendfsync is no")

    def test_no_answer_without_the_replicas(self):
        coordinator = self.start("replicas", self.settings("{w}", RedisWaitReplicas=1))
        self.assertEqual(post(coordinator, "submit", self.saga("g", "a")).status, 503)
        self.assertEqual(self.server.command("EXISTS", "{w}_g_g"), 0)
        wait_for_readyz(coordinator, "fewer replicas than 1")

    def test_waiting_for_the_disk_needs_a_server_that_can(self):
        coordinator = self.start("disk", self.settings("{d}", RedisWaitOnDisk=1))
        if "WAITAOF" in str(self.server.command("COMMAND", "INFO", "WAITAOF")).upper():
            submit(coordinator, self.saga("g", "a", wait_result=True))
            return
        wait_for_readyz(coordinator, "Store.RedisWaitOnDisk is not possible: ")
        self.assertIn("unknown command", get(coordinator, "/readyz").body.decode())

    def test_reset_drops_the_prefix_alone(self):
        self.server.command("SET", "foreign", "1")
        settings = self.settings("{r}")
        coordinator = self.start("filled", settings)
        submit(coordinator, self.saga("g", "a", wait_result=True))
        coordinator.kill()
        reset = self.run_with("reset", settings, "-r")
        reset.wait_for_line("opened a new store: Redis at ", 20)
        self.assertEqual(self.server.command("EXISTS", "{r}_g_g", "foreign"), 1)

    def test_damaged_records(self):
        ask = self.server.command

        def edit(gid, text, new_text):
            record = ask("GET", "{g}_g_" + gid)
            self.assertIn(text, record)
            ask("SET", "{g}_g_" + gid, record.replace(text, new_text))

        damages = {
            "status": (lambda gid: ask("SET", "{g}_s_" + gid, "odd"), "{g}_s_status is 'odd'"),
            "no-status": (lambda gid: ask("DEL", "{g}_s_" + gid), "{g}_s_no-status is missing"),
            "branches": (lambda gid: ask("LSET", "{g}_b_" + gid, 1, "{"), "{g}_b_branches: "),
            "doubled": (lambda gid: ask("RPUSH", "{g}_b_" + gid, ask("LINDEX", "{g}_b_" + gid, 1)),
                        "branch 01 action is there twice"),
            "last-row": (lambda gid: ask("RPOP", "{g}_b_" + gid), "branch 02 has no action"),
            "custom": (lambda gid: edit(gid, '"gid":', '"custom_data":"{","gid":'),
                       "custom_data: not JSON"),
        }
        coordinator = self.start("damaged", self.settings("{g}"))
        self.check_damaged(coordinator, damages,
                           lambda gid: ask("SET", "{g}_s_" + gid, "submitted"))

    def test_what_is_told(self):
        self.check_told(self.settings("{t}"))

    def test_reset_of_a_store_in_use(self):
        self.check_reset_in_use(self.settings("{u}"))

    def test_all_coordinators(self):
        self.check_all_coordinators(self.settings("{s}"))

    def test_the_server_is_away(self):
        coordinator = self.start("away", self.settings("{a}"))
        self.server.kill()
        self.check_away(coordinator, self.server.start)
        begin, *changes, end = coordinator.process.lines('"the store is (away|still|back)')
        self.assertRegex(begin, "the store is away: .*(Connection refused|the connection was lost)")
        self.assertRegex(end, r"the store is back after [0-9.]+ s")
        # Where others use the processors, too, the server says for a while that it loads its data.
        others = [line for line in changes if "LOADING" not in line]
        self.assertLessEqual(len(others), 1, changes)
        self.assertLessEqual(len(changes) - len(others), 1, changes)

    def test_the_server_is_silent(self):
        coordinator = self.start("silent", self.settings("{i}") | {"ShutdownGrace": 1})
        submit(coordinator, self.saga("allowed", "a", wait_result=True))
        self.check_silence(coordinator)
        begin, end = coordinator.process.lines('"the store is (away|still|back)')
        self.assertRegex(begin, f"the store is away: .*({SILENT})")
        self.assertRegex(end, r"the store is back after [0-9.]+ s")
        self.check_stop_in_silence(coordinator)

    def test_the_server_cannot_save(self):
        coordinator = self.start("cannot-save", self.settings("{m}"))
        submit(coordinator, self.saga("before", "a", wait_result=True))
        in_the_way = os.path.join(self.server.command("CONFIG", "GET", "dir")["dir"], "dump.rdb")
        os.mkdir(in_the_way)
        self.server.command("CONFIG", "SET", "save", "3600 1000000")
        self.server.command("BGSAVE")
        # An idle coordinator finds out, too.
        wait_for_readyz(coordinator, "it cannot save its data to its disk: MISCONF")
        answer = post(coordinator, "submit", self.saga("meanwhile", "a"))
        self.assertEqual((answer.status, answer.headers.get("Retry-After")), (503, "1"))
        self.assertGreater(coordinator.metric("concerto_store_refused_by_disk_total"), 0)
        self.assertEqual(coordinator.metric('concerto_store_state{state="recovering"}'), 1)
        os.rmdir(in_the_way)
        self.server.command("CONFIG", "SET", "save", "")
        wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready again", 5)
        submit(coordinator, self.saga("after", "a", wait_result=True))
        coordinator.process.wait_for_line("Redis takes changes again", 15)
        self.assertEqual(len(coordinator.process.lines("Redis refuses changes")), 1)


if __name__ == "__main__":
    main(RedisConfig, __doc__)
