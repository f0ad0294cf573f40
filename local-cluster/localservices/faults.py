"""Edge: an AWS API that fails on purpose, then passes on to the emulator, and counts calls."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from localcluster.model import LOOPBACK

from localservices.serving import QuietHandler, serving

JSON = "application/x-amz-json-1.1"


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

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            faults.calls.append(_action(self.headers.get("X-Amz-Target", ""), body))
            faults.bodies.append(body)
            if faults.codes:
                code = faults.codes.pop(0)
                error = {"__type": code, "message": "on purpose"}
                self.answer(400, json.dumps(error).encode(), JSON)
                return
            request = urllib.request.Request(endpoint, body, dict(self.headers.items()))
            with urllib.request.urlopen(request) as answer:
                self.answer(answer.status, answer.read(), JSON)

    with serving(Handler) as port:
        yield f"http://{LOOPBACK}:{port}"
