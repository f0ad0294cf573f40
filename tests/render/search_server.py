"""An HTTPS server that answers like an OpenSearch, or a Meilisearch, with no documents, and notes
what it is asked."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from localcluster.certificates import Authority

# Meilisearch's answers to a search, and to whatever changes something.
NOTHING_FOUND = {"hits": [], "estimatedTotalHits": 0, "processingTimeMs": 1, "query": ""}
TASK = {
    "taskUid": 1,
    "indexUid": "any",
    "status": "enqueued",
    "type": "settingsUpdate",
    "enqueuedAt": "2026-11-24T12:00:00.0Z",
}
# OpenSearch's.
NOTHING = {"took": 1, "hits": {"total": {"value": 0}, "max_score": None, "hits": []}}


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def indexes(self) -> set[str]:
        """The indexes that it reads or changes, in its path or, of a bulk, in its body."""
        first = urlsplit(self.target).path.split("/")[1]
        if first != "_bulk":
            return {first}
        lines = [json.loads(line) for line in self.body.splitlines()]
        return {
            action["_index"]
            for line in lines
            for name, action in line.items()
            if name in ("index", "delete", "create")
        }

    def is_signed(self, secret: str, region: str, service: str) -> bool:
        """Whether its signature is of this very request, made with this secret.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
        """
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=[^/]+/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
            r"SignedHeaders=(\S+), Signature=(\S+)",
            self.headers.get("authorization", ""),
        )
        if not match or (match[2], match[3]) != (region, service):
            return False
        url, names = urlsplit(self.target), match[4]
        query = sorted((quote(k, safe=""), quote(v, safe="")) for k, v in parse_qsl(url.query))
        canonical = "\n".join(
            [
                self.method,
                quote(url.path, safe="/~"),
                "&".join(f"{key}={value}" for key, value in query),
                *(f"{name}:{self.headers[name]}" for name in names.split(";")),
                "",
                names,
                hashlib.sha256(self.body).hexdigest(),
            ]
        )
        scope = f"{match[1]}/{region}/{service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self.headers['x-amz-date']}\n{scope}\n{digest}"
        key = f"AWS4{secret}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key.hex() == match[5]


@dataclass
class SearchServer:
    """It listens on `localhost`, from `start` on, with a certificate of its own authority."""

    folder: Path
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> SearchServer:
        authority = Authority.new("authority of search")
        pair = authority.issue("search", hosts=["localhost"])
        self.ca_file = self.folder / "search-ca.pem"
        self.ca_file.write_bytes(authority.pem)
        served = self.folder / "search.pem"
        served.write_bytes(pair.key + pair.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(served)
        self._server = ThreadingHTTPServer(("localhost", 0), _handler(self.requests))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_port


def _handler(requests: list[Request]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            requests.append(Request(self.command, self.path, headers, body))
            status, answer = _answer(self.command, self.path, body)
            text = b"" if self.command == "HEAD" else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def __getattr__(self, name: str) -> Callable[[], None]:
            """The server looks for `do_GET` and its like."""
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *_args: Any) -> None:
            """Nothing on the test's own output."""

    return Handler


def _answer(method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    if method == "HEAD":
        return 404, {}
    if path.startswith("/_bulk"):
        actions = [json.loads(line) for line in body.splitlines()]
        items = [{"index": {"status": 201}} for line in actions if "index" in line]
        return 200, {"errors": False, "items": items}
    if path.startswith("/indexes/"):
        return 200, NOTHING_FOUND if path.endswith("/search") else TASK
    if "_search" in path:
        return 200, NOTHING
    return 200, {"acknowledged": True, "count": 0}
