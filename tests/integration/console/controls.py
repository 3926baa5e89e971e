"""What a test in the browser lets happen to the servers."""

import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer


class Controls:
    """Calls `actions[name]` at `POST /name`, and answers when the action is over."""

    def __init__(self, actions):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                status, text = 200, ""
                try:
                    actions[self.path[1:]]()
                except Exception:  # pylint: disable=broad-except
                    status, text = 500, traceback.format_exc()
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        # One thread for all: what an action starts ends with the thread that has started it.
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
