"""The verbs with a coordinator that has 10,000 stuck transactions.

Usage: stuck_test.py <concerto> <concertod>
"""

import json

from cli_test_case import DONE, CliTestCase, dead_url, main

from concerto_testing import wait_until

COUNT = 10_000


class Stuck(CliTestCase):
    def stuck_ones(self):
        coordinator = self.start({"MaxJournal": COUNT})
        url = dead_url("stock")
        self.submit_many(COUNT, url)
        wait_until(lambda: coordinator.metric("concerto_alarms") == COUNT, "all wait", 60)
        return url


    def test_each_verb_shows_all_of_them(self):
        url = self.stuck_ones()
        target = url.rpartition("/")[0]
        gids = self.expect(DONE, "list", "--all", "--gids").out.split()
        self.assertEqual(sorted(gids), [f"stuck-{number:05}" for number in range(COUNT)])
        table = self.expect(DONE, "list", "--all", "--status", "unfinished").out.splitlines()
        self.assertEqual(len(table), COUNT + 1)
        listed = self.expect(DONE, "list", "--all", "--target", target, "-o", "json").json()
        self.assertEqual(len(listed), COUNT)
        self.assertTrue(all(one["why"]["urls"] == [url] for one in listed))
        some = self.expect(DONE, "list")
        self.assertEqual(len(some.out.splitlines()), 101)
        self.assertIn("--all", some.err)
        for by, value in (("status", None), ("target", target), ("mode", "saga")):
            counted = self.expect(DONE, "count", "--by", by, "-o", "json").json()
            self.assertEqual((counted["total"], counted.get("complete", True)),
                             (COUNT, True), by)
            if value:
                (group,) = counted["groups"]
                self.assertTrue(group["value"].startswith(value), group)
                self.assertEqual(group["count"], COUNT)
        targets = self.expect(DONE, "targets", "-o", "json").json()
        self.assertEqual([(one["target"], one["waiting"]) for one in targets], [(target, COUNT)])
        top = self.expect(DONE, "top", "--interval", "0.1", "-o", "json").json()
        self.assertEqual(top["unfinished"], COUNT)
        doctor = self.expect(DONE, "doctor", "-o", "json").json()
        self.assertEqual([one["state"] for one in doctor if one["check"] == "reach"], ["ok"])
        self.in_terminal()
        self.in_bulk(target)

    def in_bulk(self, target):
        """A preview equals its effect, and the job and the audit log tell of it."""
        preview = self.expect(DONE, "retry", "--target", target, "--dry-run", "-o", "json").json()
        self.assertEqual(preview["matched"], COUNT)
        ran = self.expect(DONE, "retry", "--target", target, "--yes", "--reason", "it is back",
                          "-o", "json")
        self.assertEqual((ran.json()["done"], ran.json()["failed"]), (COUNT, 0))
        ran = self.run_in_terminal("stop", "--target", target, "--reason", "paid by hand",
                                   keys="y\n")
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn(f"{COUNT} transactions", ran.out)
        self.assertIn(f"{COUNT} of {COUNT}", ran.out)
        self.assertEqual(self.expect(DONE, "count", "-o", "json").json()["total"], 0)
        jobs = self.expect(DONE, "jobs", "-o", "json").json()
        self.assertEqual([(job["action"], job["state"], job["done"], job["reason"])
                          for job in jobs], [("stop", "done", COUNT, "paid by hand"),
                                             ("retry", "done", COUNT, "it is back")])
        records = self.expect(DONE, "audit", "--action", "stop", "-o", "json").json()
        self.assertEqual({record["reason"] for record in records}, {"paid by hand"})

    def in_terminal(self):
        """Progress is shown on a terminal, and is no part of the result."""
        ran = self.run_in_terminal("list", "--all", "--gids")
        self.assertEqual(ran.code, DONE)
        self.assertIn("\r", ran.out)
        ran = self.run_in_terminal("count", "-o", "json")
        self.assertIn(f'"total": {COUNT}', ran.out)
        self.assertEqual(self.run_cli("count", "-o", "json").err, "")
        self.assertEqual(json.loads(self.run_cli("count", "-o", "json").out)["total"], COUNT)
        listed = self.run_cli("list", "--limit", "1000", "--gids").out
        ran = self.expect(DONE, "retry", "-", stdin=listed)
        self.assertEqual(ran.err, "")


if __name__ == "__main__":
    main(Stuck, __doc__)
