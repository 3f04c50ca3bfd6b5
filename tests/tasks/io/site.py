"""A small HTTP server whose answers a test decides."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server answers to every request.

    Args:
        url: Address of its only file.
        status: HTTP status.
        content: The file's bytes.
        headers: Headers beside its length.
        cut: Bytes to send before the connection ends, where it ends too early.
    """

    url: str = ""
    status: int = 200
    content: bytes = b"text,label\nx,a\n"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


@contextlib.contextmanager
def served() -> Iterator[Site]:
    """Serve one file on the loopback address."""
    answer = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.content))}.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(answer.content[: answer.cut])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        answer.url = f"http://127.0.0.1:{server.server_port}/rows.csv"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield answer
        server.shutdown()
