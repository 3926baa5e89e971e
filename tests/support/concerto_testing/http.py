"""Small HTTP calls. Proxy settings of the environment are ignored: all servers are local."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass


def _opener(context=None):
    return urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                       urllib.request.HTTPSHandler(context=context))


_plain_opener = _opener()


@dataclass
class HttpAnswer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def http_call(method, url, body=None, headers=None, timeout_s=5.0, context=None):
    """The answer, whatever its status. OSError if there is no answer. `context`: for TLS."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        try:
            opener = _opener(context) if context else _plain_opener
            answer = opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return HttpAnswer(answer.status, dict(answer.headers), answer.read())
    except http.client.HTTPException as error:  # the server was killed in the middle, say
        raise ConnectionError(f"{method} {url}: half an answer: {error!r}") from error


def http_json(method, url, value=None, timeout_s=5.0, headers=None, context=None):
    """Sends a JSON value (or nothing) and returns the JSON answer; AssertionError unless 200."""
    body = None if value is None else json.dumps(value).encode()
    answer = http_call(method, url, body,
                       {"Content-Type": "application/json", **(headers or {})}, timeout_s, context)
    if answer.status != 200:
        raise AssertionError(f"{method} {url}: HTTP {answer.status}: {answer.body[:500]!r}")
    return answer.json()
