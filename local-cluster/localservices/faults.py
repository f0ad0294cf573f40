"""Edge: an AWS API that fails on purpose, then passes on to the emulator, and counts calls."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from localcluster.model import LOOPBACK


class Faults:
    """What the next calls are answered with, and which calls there were, with their bodies.

    `codes` are errors of AWS for the next calls, one each; after that calls are passed on.
    """

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.calls: list[str] = []
        self.bodies: list[bytes] = []


def _action(target: str, body: bytes) -> str:
    """The call's name. APIs of the older kind have it in a form."""
    if target:
        return target.rpartition(".")[2]
    return parse_qs(body.decode()).get("Action", [""])[0]


@contextmanager
def aws_with(faults: Faults, endpoint: str) -> Iterator[str]:
    """The URL of an API in front of `endpoint` that has these faults."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            faults.calls.append(_action(self.headers.get("X-Amz-Target", ""), body))
            faults.bodies.append(body)
            if faults.codes:
                code = faults.codes.pop(0)
                self._answer(400, json.dumps({"__type": code, "message": "on purpose"}).encode())
                return
            request = urllib.request.Request(endpoint, body, dict(self.headers.items()))
            with urllib.request.urlopen(request) as answer:
                self._answer(answer.status, answer.read())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
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
