"""Where notifications go in tests: a web server on loopback that remembers what was posted."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outlet(ThreadingHTTPServer):
    """Where notifications go: what was posted, in its order."""

    def __init__(self, port: int = 0) -> None:
        self.told: list[str] = []
        """Bodies that were answered with 200."""
        self.posts: list[tuple[dict[str, str], bytes, int]] = []
        """Headers (names in lower case), body and answer of every post."""
        self.answers: list[int] = []
        """What the next posts are answered with; 200 once it is empty."""
        self.down = False
        """Whether every post is answered with 503."""
        outlet = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outlet.answers.pop(0) if outlet.answers else 503 if outlet.down else 200
                headers = {name.lower(): value for name, value in self.headers.items()}
                outlet.posts.append((headers, body, status))
                if status == 200:
                    outlet.told.append(body.decode())
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """As Apprise writes it, with a password."""
        return f"json://a-user:hunter2-of-ours@127.0.0.1:{self.server_port}"

    @property
    def hook(self) -> str:
        """As a webhook."""
        return f"http://127.0.0.1:{self.server_port}/hook"

    def stop(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()
