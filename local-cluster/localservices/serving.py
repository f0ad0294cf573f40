"""Edge: an HTTP server of a few lines, that stands in for a service or before one."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localcluster.model import LOOPBACK


class QuietHandler(BaseHTTPRequestHandler):
    """Answers without a line in the log for each request."""

    def answer(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        """Send all of an answer."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler],
    tls: ssl.SSLContext | None = None,
    address: str = LOOPBACK,
) -> Iterator[int]:
    """The port on this machine where `handler` answers."""
    server = ThreadingHTTPServer((address, 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
