"""An API in front of the AWS emulator, for what that one does not do.

It refuses what names a secret that nobody here may read: the emulator asks nobody's policy. And it
writes XML as AWS does: the emulator leaves the `&` of an access string as it is.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from localcluster.model import LOOPBACK
from localservices.serving import serving

BARE = re.compile(rb"&(?!\w+;)")


@dataclass
class Front:
    """The URL, the names that are refused, and how often each call was made or refused."""

    url: str = ""
    denied: frozenset[str] = frozenset()
    passed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def in_front_of(endpoint: str, *denied: str) -> Iterator[Front]:
    """The API in front of `endpoint`; calls that name one of `denied` are refused."""
    front = Front(denied=frozenset(denied))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            if any(name in body.decode() for name in front.denied):
                front.refused.append(call)
                text = json.dumps({"__type": "AccessDeniedException", "message": "by policy"})
                self._say(400, "application/x-amz-json-1.1", text.encode())
                return
            front.passed.append(call)
            request = urllib.request.Request(endpoint, body, dict(self.headers.items()))
            try:
                with urllib.request.urlopen(request) as answer:
                    self._pass_on(answer)
            except urllib.error.HTTPError as error:
                self._pass_on(error)

        def _pass_on(self, answer: Any) -> None:
            kind = answer.headers.get("Content-Type", "")
            body = answer.read()
            self._say(answer.status, kind, BARE.sub(b"&amp;", body) if "xml" in kind else body)

        def _say(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as port:
        front.url = f"http://{LOOPBACK}:{port}"
        yield front
