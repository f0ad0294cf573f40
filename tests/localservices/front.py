"""An API in front of the AWS emulator that writes XML as AWS does.

The emulator leaves the `&` of an access string as it is, and no client can read that.
"""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from localcluster.model import LOOPBACK

BARE = re.compile(rb"&(?!\w+;)")


@contextmanager
def escaping(endpoint: str) -> Iterator[str]:
    """The URL of the API in front of `endpoint`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = urllib.request.Request(endpoint, body, dict(self.headers.items()))
            try:
                with urllib.request.urlopen(request) as answer:
                    self._answer(answer)
            except urllib.error.HTTPError as error:
                self._answer(error)

        def _answer(self, answer: Any) -> None:
            kind = answer.headers.get("Content-Type", "")
            body = answer.read()
            body = BARE.sub(b"&amp;", body) if "xml" in kind else body
            self.send_response(answer.status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
