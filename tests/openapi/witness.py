"""Makes requests, and checks every request and its answer with the description."""

import json
import threading
import urllib.parse

from concerto_testing import http_call
from description import mismatch, typed
SHOWN_BYTES_MAX = 600


def header(answer, name):
    """The value of a header, in whatever case its name is written. Empty if it is absent."""
    return next((value for key, value in answer.headers.items() if key.lower() == name), "")


def was_refused(answer):
    """Whether the status is not 2xx, or the answer is an error of JSON-RPC."""
    if not 200 <= answer.status < 300:
        return True
    try:
        value = answer.json()
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("error") is not None


class Witness:
    """`call` is used like http_call. Several threads may use it at the same time."""

    def __init__(self, description, server_url):
        self._description = description
        self._server_url = server_url
        self._lock = threading.Lock()
        self.problems = {}   # key -> text, with the first request that had the problem
        self.met = set()     # (operation as text, status)
        self.request_count = 0

    def call(self, method, url, body=None, headers=None, timeout_s=15.0):
        answer = http_call(method, url, body, headers, timeout_s)
        self.check(method, url.removeprefix(self._server_url), body, answer)
        return answer

    def get(self, target):
        return self.call("GET", self._server_url + target)

    def post(self, target, value):
        return self.call("POST", self._server_url + target, json.dumps(value).encode())

    def post_query(self, target):
        return self.call("POST", self._server_url + target)

    def check(self, method, target, body, answer):
        split = urllib.parse.urlsplit(target)
        path = urllib.parse.unquote(split.path)
        operation = self._description.find(method, path)
        with self._lock:
            self.request_count += 1
            if operation:
                self.met.add((str(operation), answer.status))
        if operation is None:
            problems = _unknown_problems(method, path, answer)
        else:
            problems = [*_answer_problems(operation, method, answer)]
            if not was_refused(answer):
                problems += _request_problems(operation, method, split.query, body)
        request = f"{method} {target} {(body or b'')[:SHOWN_BYTES_MAX]!r}"
        with self._lock:
            for key, text in problems:
                self.problems.setdefault(
                    key, f"{text}\n    {request}\n    {answer.status} "
                         f"{answer.body[:SHOWN_BYTES_MAX]!r}")


# The following methods yield pairs: a key, which is the same for problems of one kind, and a text.


def _problem(text, wrong=None):
    return (text, text) if wrong is None else (text + wrong.rule, f"{text}: {wrong}")


def _unknown_problems(method, path, answer):
    text = b"" if method == "HEAD" else b"404 page not found"
    content_type = header(answer, "content-type")
    if answer.status != 404 or answer.body != text or not content_type.startswith("text/plain"):
        yield _problem(f"{method} {path}: not described, and not 404 'page not found' as text")


def _answer_problems(operation, method, answer):
    response = operation.responses.get(str(answer.status))
    where = f"{operation}: {answer.status}"
    if response is None:
        yield _problem(f"{where} is not described")
        return
    content_type = header(answer, "content-type")
    media, *attributes = [part.strip() for part in content_type.split(";")]
    if media not in response["content"]:
        yield _problem(f"{where}: Content-Type {content_type!r} is not described")
        return
    if media != "text/plain" and "charset=utf-8" not in attributes:
        yield _problem(f"{where}: Content-Type {content_type!r} lacks charset=utf-8")
    for name, described in response.get("headers", {}).items():
        text = header(answer, name.lower())
        if text and (wrong := mismatch(described["schema"], typed(described["schema"], text))):
            yield _problem(f"{where}: header {name}", wrong)
    if method == "HEAD":
        return
    try:
        text = answer.body.decode()
        value = json.loads(text) if media == "application/json" else text
    except ValueError as error:
        yield _problem(f"{where}: the body is no {media}: {error}")
        return
    if wrong := mismatch(response["content"][media]["schema"], value):
        yield _problem(where, wrong)


def _request_problems(operation, method, query, body):
    """Why the description would refuse a request that the server has accepted."""
    if method != operation.method:
        return
    for name, wrong in operation.parameter_problems(query):
        yield _problem(f"{operation}: accepted with parameter {name}: {wrong}")
    if operation.request_schema is None:
        if body:
            yield _problem(f"{operation}: accepted with a body, which is not described")
    elif wrong := mismatch(operation.request_schema, json.loads(body)):
        yield _problem(f"{operation}: accepted a body that the description refuses", wrong)
