"""A headless Chromium, driven over DevTools' pipe."""

import base64
import fcntl
import json
import os
import queue
import subprocess
import tempfile
import threading

from concerto_testing import need_program, wait_until

PROGRAM, PACKAGE = "chromium-headless-shell", "chromium-headless-shell"
TIMEOUT_S = 30.0
# What protects visitors in newer browsers would only hide what the server lets in.
OFF = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,Translate,MediaRouter"
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-extensions", "--disable-dev-shm-usage", f"--disable-features={OFF}",
           "--remote-debugging-pipe")


class Browser:
    """`names` lead to this machine; no other name leads anywhere. `files` maps URLs to pages that
    the browser gets without asking a server."""

    def __init__(self, names):
        self.files = {}
        self._home = tempfile.TemporaryDirectory(prefix="concerto-browser-")
        rules = ",".join([*(f"MAP {name} 127.0.0.1" for name in names), "MAP * ~NOTFOUND",
                          "EXCLUDE 127.0.0.1", "EXCLUDE localhost"])
        to_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()

        def take_pipes():
            # DevTools reads descriptor 3 and writes descriptor 4, and ends with them.
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self._process = subprocess.Popen(
            [need_program(PROGRAM, PACKAGE), *OPTIONS, f"--user-data-dir={self._home.name}",
             f"--host-resolver-rules={rules}"],
            preexec_fn=take_pipes, pass_fds=(3, 4), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self._home.name, "no_proxy": "*"})
        os.close(to_browser)
        os.close(from_browser)
        self._number = 0
        self._waiting = {}
        self._pages = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def close(self):
        self._process.kill()
        self._process.wait()
        self._home.cleanup()

    def open(self, url):
        """A new page, once it is loaded."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, session["sessionId"])
        self._pages[session["sessionId"]] = page
        page.start(url)
        return page

    def call(self, method, parameters=None, session=None):
        """The result of a command."""
        answers = queue.Queue()
        number = self._send(method, parameters, session, answers)
        try:
            answer = answers.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise AssertionError(f"the browser does not answer {method}") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def _send(self, method, parameters, session, answers=None):
        with self._lock:
            self._number += 1
            self._waiting[self._number] = answers
            command = {"id": self._number, "method": method, "params": parameters or {}}
            if session:
                command["sessionId"] = session
            os.write(self._commands, json.dumps(command).encode() + b"\0")
            return self._number

    def _read(self):
        begun = b""
        while piece := os.read(self._answers, 1 << 20):
            *messages, begun = (begun + piece).split(b"\0")
            for text in messages:
                self._take(json.loads(text))

    def _take(self, message):
        if "id" in message:
            answers = self._waiting.pop(message["id"], None)
            if answers:
                answers.put(message)
        elif message["method"] == "Fetch.requestPaused":
            self._serve(message["params"], message["sessionId"])
        elif page := self._pages.get(message.get("sessionId")):
            page.events.append((message["method"], message["params"]))

    def _serve(self, paused, session):
        answer = {"requestId": paused["requestId"]}
        file = self.files.get(paused["request"]["url"])
        if file is None:
            return self._send("Fetch.continueRequest", answer, session)
        answer |= {"responseCode": 200, "body": base64.b64encode(file.encode()).decode(),
                   "responseHeaders": [{"name": "Content-Type", "value": "text/html"}]}
        return self._send("Fetch.fulfillRequest", answer, session)


class Page:
    """`events` has all events of the page: (method, parameters)."""

    def __init__(self, browser, session):
        self.events = []
        self._browser = browser
        self._session = session

    def call(self, method, **parameters):
        return self._browser.call(method, parameters, self._session)

    def start(self, url):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        if self._browser.files:
            self.call("Fetch.enable", patterns=[{"urlPattern": each}
                                                for each in self._browser.files])
        self.call("Page.navigate", url=url)
        wait_until(lambda: self.of("Page.loadEventFired"), f"{url} is loaded", TIMEOUT_S)

    def of(self, method):
        return [parameters for name, parameters in list(self.events) if name == method]

    def run(self, script):
        """The value of an expression, after its promises."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                           returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script[:200]}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def complaints(self):
        """What the console shows of errors, and of what a policy has refused."""
        entries = [each["entry"]["text"] for each in self.of("Log.entryAdded")]
        thrown = [str(each["exceptionDetails"]) for each in self.of("Runtime.exceptionThrown")]
        return entries + thrown

    def requests(self):
        return [each["request"]["url"] for each in self.of("Network.requestWillBeSent")]

    def statuses(self):
        """(URL, status) of each answer, also of those that no page may see."""
        return [(each["response"]["url"], each["response"]["status"])
                for each in self.of("Network.responseReceived")]
