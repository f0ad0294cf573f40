"""A server in front of another one, which notes down what it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from localservices.serving import serving

# Of one connection only; the server makes its own.
HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True)
class Request:
    """What a client sent, but for the body. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def bucket(self) -> str:
        return self.path.split("/")[1]

    @property
    def signature(self) -> str:
        """How it is signed: in a header, or in the link. Empty if it is not."""
        in_link = self.query.get("X-Amz-Credential", "")
        return self.headers.get("authorization", "") or (
            f"{self.query['X-Amz-Algorithm']} Credential={in_link}" if in_link else ""
        )


@dataclass
class Recorder:
    url: str
    requests: list[Request] = field(default_factory=list)


@contextmanager
def recording(target: str) -> Iterator[Recorder]:
    """Everything that is sent to the recorder's URL goes on to the server at `target`."""
    recorder = Recorder("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.requests.append(
                Request(self.command, url.path, dict(parse_qsl(url.query)), headers)
            )
            connection = HTTPConnection(urlsplit(target).netloc)
            # With the client's own Host, since that is signed.
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            # What a HEAD would have got is said, but not sent.
            said = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", said or str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        def __getattr__(self, name: str) -> Any:
            """`do_GET` and all others."""
            if name.startswith("do_"):
                return self.pass_on
            raise AttributeError(name)

        def log_message(self, *_args: object) -> None:
            """Nothing: the tests ask the recorder."""

    with serving(Handler) as port:
        recorder.url = f"http://127.0.0.1:{port}"
        yield recorder
