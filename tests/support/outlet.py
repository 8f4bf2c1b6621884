"""Where notifications go in tests: a web server on loopback that remembers what was posted."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outlet(ThreadingHTTPServer):
    """Where notifications go: what was posted, in its order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        outlet = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outlet.told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """As Apprise writes it, with a password."""
        return f"json://a-user:hunter2-of-ours@127.0.0.1:{self.server_port}"
