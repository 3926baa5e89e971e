"""Pages of other sites in a real browser: they change nothing and read nothing, and the web console
runs nothing that a text brings in (docs/operations.md, "Browsers, names and proxies").

Usage: browser_test.py <concertod>
"""

import http.client
import json
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from browser import PACKAGE, PROGRAM, Browser  # noqa: E402  (the path has to be set first)
from concerto_testing import (BranchServer, Concertod, http_call, main,  # noqa: E402
                              need_program, wait_until)
from concerto_testing.suite import skip  # noqa: E402

MARKUP = "<img src=x onerror='window.owned=1'><script>window.owned=1</script>"
FORGING = """
const BASE = "%(base)s", GRPC = "%(grpc)s", TO = "%(to)s", WHO = "%(who)s";
const body = (gid) => JSON.stringify({gid: `${WHO}-${gid}`, trans_type: "msg", payloads: ["{}"],
                                      steps: [{action: TO}]});
const api = (path) => BASE + "/api/dtmsvr/" + path;
const topic = (name) => `subscribe?topic=${WHO}-${name}&url=${encodeURIComponent(TO)}`;
const later = (ms) => new Promise((done) => setTimeout(done, ms));
const attempt = (promise) => Promise.race([promise, later(4000)]).then(() => {}, () => {});
const loads = (element, parent = document.body) => attempt(new Promise((done) => {
  element.onload = element.onerror = done;
  parent.append(element);
}));
const element = (name, fields) => Object.assign(document.createElement(name), fields);
let frames = 0;
function submitForm(enctype, name, value, action = api("submit")) {
  const frame = element("iframe", {name: "frame" + ++frames});
  document.body.append(frame);
  const form = element("form", {method: "POST", enctype, action, target: frame.name});
  form.append(element("input", {name, value}));
  document.body.append(form);
  const done = attempt(new Promise((end) => { frame.onload = end; }));
  form.submit();
  return done;
}
const half = (gid) => body(gid).replace(/}$/, ',"z":"');
const no_cors = (path, options) => attempt(fetch(path, {mode: "no-cors", ...options}));
const post = (gid, options) =>
  no_cors(api("submit"), {method: "POST", body: body(gid), ...options});
"""
# Each has to end; none of them may have an effect.
ATTACKS = """(async () => { %(forging)s
await Promise.all([
  submitForm("text/plain", half("form-text"), '"}'),
  submitForm("multipart/form-data", half("form-multipart"), '"}'),
  submitForm("application/x-www-form-urlencoded", body("form-urlencoded"), ""),
  submitForm("text/plain", half("form-slash"), '"}', api("submit/")),
  submitForm("text/plain", '{"gid":"seed","z":"', '"}', api("forceStop")),
  submitForm("text/plain", "a", "b", api(topic("form-topic"))),
  post("text", {headers: {"Content-Type": "text/plain"}}),
  post("urlencoded", {headers: {"Content-Type": "application/x-www-form-urlencoded"}}),
  post("untyped", {body: new Blob([body("untyped")])}),
  post("quiet", {referrerPolicy: "no-referrer", credentials: "include", keepalive: true}),
  no_cors(api("submit/"), {method: "POST", body: body("slash")}),
  no_cors("/redirect?to=" + encodeURIComponent(api("submit")), {method: "POST",
                                                                 body: body("redirected")}),
  attempt(fetch(api("submit"), {method: "POST", body: body("cors-text")})),
  attempt(fetch(api("submit"), {method: "POST", body: body("cors-json"),
                                headers: {"Content-Type": "application/json"}})),
  attempt(fetch(api("topic/seed"), {method: "DELETE"})),
  no_cors(api("forceStop"), {method: "POST", body: '{"gid":"seed"}'}),
  no_cors(api("resetNextCronTime"), {method: "POST", body: '{"gid":"seed"}'}),
  no_cors(api("resetCronTime"), {method: "POST"}),
  no_cors(api("resetCronTime?timeout=0&limit=100"), {referrerPolicy: "no-referrer"}),
  no_cors(api(topic("get")), {referrerPolicy: "no-referrer"}),
  no_cors(api("unsubscribe?topic=seed&url=" + encodeURIComponent(TO))),
  no_cors(BASE + "/api/json-rpc", {method: "POST", body: JSON.stringify(
      {jsonrpc: "2.0", id: "1", method: "submit", params: JSON.parse(body("rpc"))})}),
  no_cors(GRPC + "/dtmgimp.Dtm/Submit", {method: "POST", body: "\\0\\0\\0\\0\\0"}),
  loads(element("img", {src: api(topic("img")), referrerPolicy: "no-referrer"})),
  loads(element("script", {src: api(topic("script"))})),
  loads(element("link", {rel: "stylesheet", href: api(topic("style"))}), document.head),
  loads(element("iframe", {src: api(topic("frame")), referrerPolicy: "no-referrer"})),
  loads(element("object", {data: api(topic("object"))})),
  loads(element("video", {src: api(topic("video"))})),
  loads(element("iframe", {sandbox: "allow-scripts allow-forms",
    srcdoc: `<script>fetch(${JSON.stringify(api("submit"))}, {method: "POST", mode: "no-cors",
      body: ${JSON.stringify(body("sandbox"))}})</script>`})),
]);
navigator.sendBeacon(api("submit"), body("beacon"));
navigator.sendBeacon(api("submit"), new Blob([body("beacon-json")], {type: "application/json"}));
await later(300);
return true; })()"""
# What a page could find out, by name.
READS = """(async () => { %(forging)s
const seen = {};
const read = async (name, promise) => {
  try { const got = await promise; if (got) seen[name] = String(got).slice(0, 200); } catch {}
};
const text = (path, options) => fetch(BASE + path, options).then((answer) => answer.text());
window.onerror = (message) => { seen.script = message; };
const frame = element("iframe", {src: BASE + "/"});
const opened = window.open(BASE + "/api/dtmsvr/all");
await Promise.all([
  read("list", text("/api/dtmsvr/all")),
  read("simple", text("/api/dtmsvr/all", {mode: "no-cors"})),
  read("why", text("/api/concerto/why?gid=seed", {credentials: "include"})),
  read("metrics", text("/metrics")),
  read("ready", text("/readyz")),
  read("preflight", text("/api/dtmsvr/version", {headers: {"X-A": "b"}})),
  read("audit", text("/api/concerto/audit")),
  read("data", loads(element("script", {src: api("all")})).then(() => window.transactions)),
  read("socket", new Promise((done, fail) => {
    const socket = new WebSocket(BASE.replace("http", "ws") + "/api/json-rpc");
    socket.onopen = () => done("open");
    socket.onerror = fail;
  })),
  read("events", new Promise((done, fail) => {
    const events = new EventSource(api("all"));
    events.onmessage = (event) => done(event.data);
    events.onerror = () => { events.close(); fail(); };
  })),
  read("frame", loads(frame).then(() => frame.contentWindow.document.body.innerText)),
]);
await later(200);
try { seen.window = opened.document.body.innerText; } catch {}
if (opened) opened.close();
return JSON.stringify(seen); })()"""


class PagesOfOtherSites(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.branches = BranchServer()
        cls.branches.script("down", (500, MARKUP))
        cls.open_one = cls.start("open", {})
        cls.named = cls.start("named", {"AllowedHosts": "dtm.test"})
        cls.files = BranchServer()
        cls.browser = Browser(("evil.test", "dtm.test"))
        for coordinator in (cls.open_one, cls.named):
            for host in ("evil.test", "dtm.test", "127.0.0.1"):
                url = f"http://{host}:{coordinator.http_port}/attack.html"
                cls.browser.files[url] = "<!doctype html><body></body>"

    @classmethod
    def start(cls, name, settings):
        coordinator = Concertod(
            cls.args.concertod, cls.directory,
            {"Shards": 1, "Store.Driver": "memory", "RetryInterval": 600, "TimeoutToFail": 600,
             **settings}, name)
        coordinator.start()
        down = cls.branches.url("down")
        for path, fields in (
                ("submit", {"gid": "seed", "trans_type": "msg", "payloads": ["{}"],
                            "steps": [{"action": down}]}),
                (f"subscribe?topic=seed&url={down}", {})):
            answer = http_call("POST", f"{coordinator.api}/{path}", json.dumps(fields).encode())
            assert answer.status == 200, answer
        wait_until(lambda: coordinator.why("seed")["attempts"], "the seed was tried")
        return coordinator

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.open_one.kill()
        cls.named.kill()
        cls.branches.close()
        cls.files.close()

    def forging(self, coordinator, base, who):
        return FORGING % {"base": base, "who": who, "to": self.branches.url("robbed"),
                          "grpc": f"http://127.0.0.1:{coordinator.grpc_port}"}

    def state(self, coordinator):
        """All that a page could have changed."""
        listed = http_call("GET", coordinator.api + "/all?limit=500").json()["transactions"]
        topics = http_call("GET", coordinator.api + "/scanKV?cat=topics&limit=500").json()["kv"]
        return ([(each["gid"], each["status"], each["next_cron_time"]) for each in listed],
                [(each["k"], each["v"]) for each in topics])

    def sites(self, coordinator):
        """Pages of attackers, and where these send their requests."""
        port, files = coordinator.http_port, self.files.url("").rstrip("/").rpartition(":")[2]
        for url, target in ((f"http://evil.test:{files}/page", f"http://127.0.0.1:{port}"),
                            (f"http://evil.test:{files}/page", f"http://dtm.test:{port}"),
                            (f"http://127.0.0.1:{files}/page", f"http://127.0.0.1:{port}"),
                            (f"http://dtm.test:{files}/page", f"http://dtm.test:{port}"),
                            # A name that leads to the server: for the browser all is of one site.
                            (f"http://evil.test:{port}/attack.html", f"http://evil.test:{port}")):
            yield url, target

    def test_pages_of_other_sites_change_and_read_nothing(self):
        self.files.script("page", (200, "<!doctype html><meta charset=utf-8><body></body>",
                                   {"Content-Type": "text/html"}))
        for coordinator in (self.open_one, self.named):
            before = self.state(coordinator)
            for number, (url, target) in enumerate(self.sites(coordinator)):
                with self.subTest(server=coordinator.name, page=url, target=target):
                    self.files.script("redirect", (307, "", {
                        "Location": f"{target}/api/dtmsvr/submit"}))
                    page = self.browser.open(url)
                    forging = self.forging(coordinator, target, f"w{number}")
                    self.assertTrue(page.run(ATTACKS % {"forging": forging}))
                    self.assertEqual(self.state(coordinator), before)
                    seen = json.loads(page.run(READS % {"forging": forging}))
                    if url.startswith(target):
                        for name, text in seen.items():
                            self.assertIn("is no name of this server", text, name)
                    else:
                        self.assertEqual(seen, {})
                        if (target + "/", 403) not in page.statuses():
                            self.assertRegex("\n".join(page.complaints()),
                                             "Refused to display .* in a frame|frame-ancestors")
                    # The requests were sent: all this is the server's doing.
                    refused = [path for path, status in page.statuses()
                               if status == 403 and path.startswith(target)]
                    self.assertGreater(len(refused), 5, page.statuses())
                    self.assertEqual(self.state(coordinator), before)
                    page.call("Page.close")
        self.assertEqual([call for call in self.branches.calls() if call.name == "robbed"], [])

    def test_the_attacks_work_where_nothing_is_refused(self):
        """The suite has teeth: a page of the server itself may do what is refused above."""
        base = f"http://127.0.0.1:{self.open_one.http_port}"
        page = self.browser.open(base + "/attack.html")
        page.run(ATTACKS % {"forging": self.forging(self.open_one, base, "own")})
        wanted = {f"own-{name}" for name in (
            "form-text", "text", "urlencoded", "untyped", "cors-json", "beacon", "rpc",
            "beacon-json", "slash", "form-slash")}
        wait_until(lambda: wanted <= {gid for gid, *_ in self.state(self.open_one)[0]}, wanted)
        self.assertIn("own-get", dict(self.state(self.open_one)[1]))

    def test_clients_are_not_pages(self):
        """As the SDKs send them: without Origin, with any type of content or none, by any name."""
        types = (None, "application/json", "application/json; charset=utf-8", "text/plain",
                 "application/x-www-form-urlencoded")
        for number, kind in enumerate(types):
            for agent in (None, "Go-http-client/1.1", "python-requests/2.31.0", "GuzzleHttp/7"):
                gid = f"client-{number}-{agent and agent[:2]}"
                fields = {"Host": "dtm:36789", "Content-Type": kind, "User-Agent": agent}
                body = json.dumps({"gid": gid, "trans_type": "msg", "payloads": ["{}"],
                                   "steps": [{"action": self.branches.url("paid")}]})
                client = http.client.HTTPConnection("127.0.0.1", self.open_one.http_port)
                client.request("POST", "/api/dtmsvr/submit", body,
                               {name: value for name, value in fields.items() if value})
                self.assertEqual(client.getresponse().status, 200, fields)
                client.close()
                self.open_one.wait_for_status(gid, "succeed")
        topic = http_call("GET", f"{self.open_one.api}/subscribe?topic=ours&url=http://b/c")
        self.assertEqual(topic.status, 200)

    def test_the_console_works_and_runs_only_its_script(self):
        for host in ("127.0.0.1", "dtm.test"):
            coordinator = self.named
            base = f"http://{host}:{coordinator.http_port}/"
            if b'id="console"' not in http_call("GET", coordinator.root + "/").body:
                skip("this build has no web console (-DCONCERTO_CONSOLE=ON)")
            page = self.browser.open(base + "admin/transaction/seed")
            self.run_page(coordinator, page)
            self.assertEqual(page.complaints(), [])
            self.assertEqual([url for url in page.requests() if not url.startswith(base)], [])
            self.assert_closed(page)

    def run_page(self, coordinator, page):
        """Looks at the transaction whose branch answers with markup, and tries it again."""
        text = "document.querySelector('main').innerText"
        shows = "(document.querySelector('main')?.innerText ?? '').includes"
        wait_until(lambda: page.run(shows + "('<img src=x onerror=')"), "the attempts are shown")
        count = len(self.branches.calls("seed"))
        retry = "[...document.querySelectorAll('button')].find((b) => b.innerText === 'Try now')"
        wait_until(lambda: page.run(f"{retry} !== undefined"), "the operator may act")
        page.run(retry + ".click()")
        submit = "document.querySelector('dialog button[type=submit]')"
        wait_until(lambda: page.run(submit + " !== null"), "the dialog is open")
        page.run(submit + ".click()")
        wait_until(lambda: len(self.branches.calls("seed")) > count, "it was tried now")
        self.assertEqual(coordinator.status("seed"), "submitted")
        wait_until(lambda: page.run("document.querySelector('dialog') === null"), "it is closed")
        page.run("document.querySelector('a[href=\"/admin/topics\"]').click()")
        wait_until(lambda: "seed" in page.run(text) and "onerror" not in page.run(text),
                   "the topics are shown")
        self.assertEqual(page.run("[document.images.length, typeof window.owned].join()"),
                         "0,undefined")

    def assert_closed(self, page):
        """What a fault of the page could let in would not run."""
        forged = {
            "inline": "document.head.append(Object.assign(document.createElement('script'),"
                      " {textContent: 'window.owned = 1'}))",
            "markup": f"document.body.innerHTML = {json.dumps(MARKUP)}",
            "other": "document.head.append(Object.assign(document.createElement('script'),"
                     f" {{src: {json.dumps(self.files.url('script'))}}}))",
            "style": "document.head.append(Object.assign(document.createElement('style'),"
                     " {textContent: 'body {background: red}'}))",
            "sent": f"fetch({json.dumps(self.files.url('stolen'))}, {{mode: 'no-cors'}})"
                    ".catch(() => {})",
            "image": f"new Image().src = {json.dumps(self.files.url('stolen'))}",
            "form": "const form = document.createElement('form'); form.method = 'post';"
                    f" form.action = {json.dumps(self.files.url('stolen'))};"
                    " document.body.append(form); form.submit()"}
        for name, script in forged.items():
            count = len(page.complaints())
            page.run(f"try {{ {script} }} catch (error) {{ setTimeout(() => {{ throw error; }}) }}"
                     "; true")
            wait_until(lambda count=count: re.search(
                "Content Security Policy|'Trusted[A-Z]", "\n".join(page.complaints()[count:])),
                f"{name} is refused")
        self.assertEqual(page.run("typeof window.owned"), "undefined")
        self.assertEqual([call for call in self.files.calls() if call.name in ("stolen",
                                                                               "script")], [])

    def test_the_console_has_its_fields(self):
        for path, kind in (("/", "text/html"), ("/admin/page.js", "text/javascript"),
                           ("/admin/page.css", "text/css")):
            answer = http_call("GET", f"http://127.0.0.1:{self.open_one.http_port}{path}")
            self.assertEqual(answer.headers["Content-Type"], kind + "; charset=utf-8")
            policy = answer.headers["Content-Security-Policy"]
            self.assertNotRegex(policy, "unsafe|data:|blob:|\\*|https?:")
            for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'",
                         "base-uri 'none'", "form-action 'none'"):
                self.assertIn(rule, policy.split("; "))
            for name, value in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
                                ("Referrer-Policy", "same-origin")):
                self.assertEqual(answer.headers[name], value)
            inline = r"<script(?![^>]* src=)|<style| style=|\son[a-z]+=|javascript:"
            if path == "/":
                self.assertIsNone(re.search(inline, answer.body.decode(), re.I))


if __name__ == "__main__":
    need_program(PROGRAM, PACKAGE)
    main(PagesOfOtherSites, lambda parser: parser.add_argument("concertod"), __doc__)
