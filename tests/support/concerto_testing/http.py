"""Small HTTP calls. Proxy settings of the environment are ignored: all servers are local."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class HttpAnswer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def http_call(method, url, body=None, headers=None, timeout_s=5.0):
    """The answer, whatever its status. OSError if there is no answer."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        try:
            answer = _opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return HttpAnswer(answer.status, dict(answer.headers), answer.read())
    except http.client.HTTPException as error:  # the server was killed in the middle, say
        raise ConnectionError(f"{method} {url}: half an answer: {error!r}") from error


def http_json(method, url, value=None, timeout_s=5.0):
    """Sends a JSON value (or nothing) and returns the JSON answer; AssertionError unless 200."""
    body = None if value is None else json.dumps(value).encode()
    answer = http_call(method, url, body, {"Content-Type": "application/json"}, timeout_s)
    if answer.status != 200:
        raise AssertionError(f"{method} {url}: HTTP {answer.status}: {answer.body[:500]!r}")
    return answer.json()
