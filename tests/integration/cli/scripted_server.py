"""A server of the operators' API that answers as a test says, and remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class ScriptedServer:
    """`script(path, answer, ..)`: answers are (status, value) or (status, value, headers), one for
    each request, the last one for all that follow. An unknown path has no route, but for the
    version."""

    def __init__(self):
        self.requests = []  # (method, path, parameters or body, headers)
        self._scripts = {"/api/dtmsvr/version": [(200, {"version": "v0.0.1"})]}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def root(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def script(self, path, *answers):
        self._scripts[path] = list(answers)

    def asked(self, path):
        return [request for request in self.requests if request[1] == path]

    def _handler(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self):
                url = urlsplit(self.path)
                size = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size)
                what = json.loads(body) if body else dict(parse_qsl(url.query))
                outer.requests.append((self.command, url.path, what, dict(self.headers)))
                script = outer._scripts.get(url.path)
                more = {}
                if script is None:
                    status, text = 404, b"404 page not found"
                else:
                    status, value, *rest = script.pop(0) if len(script) > 1 else script[0]
                    more = rest[0] if rest else {}
                    text = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                for name, value in more.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = _answer

            def log_message(self, *_):
                pass

        return Handler
