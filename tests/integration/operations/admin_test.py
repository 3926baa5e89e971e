"""The web console's page, the paths under which it is served, and the requests that it makes.

Usage: admin_test.py <concertod>
"""

import gzip
import json
import re

from operations_test_case import (OperationsTestCase, get, main, submit, try_now,
                                  wait_until_ready)

from concerto_testing import http_call, wait_until

API_PATHS = ("/api/ping", "/api/metrics", "/livez", "/readyz", "/api/dtmsvr/version")


class ConsolePages(OperationsTestCase):
    def check_page(self, coordinator, path):
        answer = get(coordinator, path)
        self.assertEqual(answer.status, 200, path)
        self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
        page = answer.body.decode()
        self.assertTrue(page.startswith("<!doctype html>"), page[:100])
        self.assertIn("</html>", page)
        return page

    def check_not_found(self, coordinator, path):
        answer = get(coordinator, path)
        self.assertEqual((answer.status, answer.body), (404, b"404 page not found"), path)

    def test_page_is_at_the_root(self):
        coordinator = self.start("root")
        pages = {self.check_page(coordinator, path)
                 for path in ("/", "/admin/anything", "/admin/a/b?c=d", "/admin/")}
        self.assertEqual(len(pages), 1)
        for path in ("/dtm/", "/admi", "/index.html"):
            self.check_not_found(coordinator, path)
        posted = http_call("POST", f"http://127.0.0.1:{coordinator.http_port}/", b"{}")
        self.assertEqual(posted.status, 404)
        for path in API_PATHS:
            self.assertEqual(get(coordinator, path).status, 200, path)

    def test_page_is_below_its_base(self):
        coordinator = self.start("base", {"AdminBasePath": "/dtm"})
        for path in ("/dtm/", "/dtm/admin/anything"):
            self.assertIn('"/dtm/admin/page.css"', self.check_page(coordinator, path))
        script = get(coordinator, "/dtm/admin/page.js")
        self.assertEqual(script.headers["Content-Type"], "text/javascript; charset=utf-8")
        for path in ("/", "/admin/anything", "/dtm/api/ping", "/dtm/api/dtmsvr/version"):
            self.check_not_found(coordinator, path)
        for path in API_PATHS:
            self.assertEqual(get(coordinator, path).status, 200, path)

    def test_page_asks_only_for_what_the_server_has(self):
        coordinator = self.start("links")
        page = self.check_page(coordinator, "/")
        self.assertNotIn("CONCERTO-BASE", page)
        parts = re.findall(r"(?:src|href)\s*=\s*\"(/admin/.*?)\"", page)
        self.assertIn("/admin/page.css", parts)
        style, script = (get(coordinator, f"/admin/page.{kind}").body.decode()
                         for kind in ("css", "js"))
        for text in (page, style):  # no other host
            self.assertEqual(re.findall(r"https?:|[\"'(]//|@import|url\(", text), [])
        # Names of XML are no addresses.
        hosts = set(re.findall(r"https?://([\w.-]+)", script)) - {"www.w3.org"}
        self.assertEqual(hosts, set())
        for part in parts:
            self.assertNotEqual(get(coordinator, part).body.decode(), page, part)

    def test_page_is_packed_for_those_who_accept_it(self):
        coordinator = self.start("packed")
        url = f"http://127.0.0.1:{coordinator.http_port}/admin/page.css"
        plain = http_call("GET", url)
        packed = http_call("GET", url, headers={"Accept-Encoding": "gzip, br"})
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertNotIn("Content-Encoding", plain.headers)

    def test_console_can_be_switched_off(self):
        coordinator = self.start("off", {"Admin.Console": 0})
        for path in ("/", "/admin/overview", "/admin/page.js", "/admin/console.json"):
            self.check_not_found(coordinator, path)
        for path in API_PATHS:
            self.assertEqual(get(coordinator, path).status, 200, path)

    def listed(self, coordinator, query):
        """What a list shows, by gid."""
        page = json.loads(get(coordinator, f"/api/dtmsvr/all?explain=true&{query}").body)
        return {trans["gid"]: trans for trans in page["transactions"]}

    def test_stuck_and_failed_ones_are_found_and_tried_again(self):
        """The requests of the page: after an outage, below other base paths, and after a restart.
        """
        coordinator = self.start("troubles", {"RetryInterval": 600, "TimeoutToFail": 600})
        self.branches.script("down", (503, "no disk"))
        self.branches.script("poor", (409, "no money"), (200, ""))
        for gid in ("stuck1", "stuck2"):
            submit(coordinator, self.saga(gid, "up", "down"))
        submit(coordinator, self.saga("failed", "up", "poor"))
        for number in range(20):
            submit(coordinator, self.saga(f"good{number}", "up", wait_result=True))
        stuck = "status=prepared,submitted,aborting&minAge=0&limit=2"

        def waiting():
            found = self.listed(coordinator, stuck)
            return found if all(t["why"]["attempts"] for t in found.values()) else None

        found = wait_until(waiting, "the stuck ones were tried", 20)
        self.assertEqual(sorted(found), ["stuck1", "stuck2"])
        for trans in found.values():
            self.assertEqual(trans["why"]["urls"], [self.branches.url("down")])
            self.assertIn("no disk", trans["why"]["explanation"])
        wait_until(lambda: list(self.listed(coordinator, "status=failed")) == ["failed"],
                   "one has failed", 20)
        self.assertEqual(list(self.listed(coordinator, "lastError=no%20money")), ["failed"])
        self.assertEqual(self.listed(coordinator, "target=/up"), {})

        coordinator.kill()
        coordinator.start()
        wait_until_ready(coordinator)
        self.assertEqual(sorted(self.listed(coordinator, "target=/down")), ["stuck1", "stuck2"])
        self.assertEqual(list(self.listed(coordinator, "target=/poor")), ["failed"])
        self.branches.script("down", (200, ""))
        for gid in ("stuck1", "stuck2"):
            try_now(coordinator, gid)
        wait_until(lambda: not self.listed(coordinator, stuck), "none is stuck any more", 20)


if __name__ == "__main__":
    main(ConsolePages, __doc__)
