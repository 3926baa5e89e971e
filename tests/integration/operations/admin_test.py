"""The admin page, and the paths under which it is served.

Usage: admin_test.py <concertod>
"""

import re

from operations_test_case import OperationsTestCase, get, main

from concerto_testing import http_call

API_PATHS = ("/api/ping", "/api/metrics", "/livez", "/readyz", "/api/dtmsvr/version")


class AdminPage(OperationsTestCase):
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
            self.check_page(coordinator, path)
        for path in ("/", "/admin/anything", "/dtm/api/ping", "/dtm/api/dtmsvr/version"):
            self.check_not_found(coordinator, path)
        for path in API_PATHS:
            self.assertEqual(get(coordinator, path).status, 200, path)

    def test_page_needs_no_other_host(self):
        page = self.check_page(self.start("hosts"), "/")
        self.assertEqual(re.findall(r"https?:|[\"'(]//|@import|url\(", page), [])
        self.assertEqual(re.findall(r"(?:src|href)\s*=", page), [])

    def test_page_asks_only_for_what_the_server_has(self):
        coordinator = self.start("links")
        page = self.check_page(coordinator, "/")
        paths = set(re.findall(r"\"(/(?:api|livez|readyz)[^\"?]*)", page))
        self.assertIn("/readyz", paths)
        for path in paths - {"/api/dtmsvr/"}:  # The base of others.
            self.assertNotEqual(get(coordinator, path).status, 404, path)


if __name__ == "__main__":
    main(AdminPage, __doc__)
