"""Clients that ask a Caddy without a pause, and what each of their requests came to."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from localcluster.model import LOOPBACK

HOST = "learn.acme.test"
# A GET and a POST take turns. Longer than any answer may take that is no failure.
METHODS = ("GET", "POST")
PATIENCE_S = 12
BODY = b"x" * 100_000


@dataclass(frozen=True)
class Outcome:
    """One request: `status` is 0 if there was no answer."""

    method: str
    path: str
    status: int
    seconds: float


@dataclass
class Load:
    """Outcomes so far; more come until `stop` is set."""

    outcomes: list[Outcome] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def failed(self) -> list[Outcome]:
        return [each for each in self.outcomes if each.status != 200]

    def slowest_s(self) -> float:
        return max(each.seconds for each in self.outcomes)


@contextmanager
def load(port: int, clients: int, seconds: float, name: str = "load") -> Iterator[Load]:
    """Requests from many clients for these seconds, or for as long as the caller's block takes.

    After the block all outcomes are there. Paths are different, and begin with `name`.
    """
    found, until = Load(), time.monotonic() + seconds

    def ask(client: int) -> None:
        for number, method in zip(itertools.count(), itertools.cycle(METHODS)):
            if found.stop.is_set() and time.monotonic() > until:
                return
            found.outcomes.append(outcome(port, method, f"/{name}/{client}/{number}"))

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.stop.set()
        for thread in threads:
            thread.join()


def outcome(
    port: int, method: str, path: str, upload_s: float = 0, content: bytes = BODY
) -> Outcome:
    """What one request comes to. A POST has this content, half of it sent over `upload_s` seconds.

    An answer counts if it says that the upstream read all of that.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
    body = content if method == "POST" else b""
    start = time.monotonic()
    try:
        connection.request(method, path, _slowly(body, upload_s), _headers(body))
        response = connection.getresponse()
        answer, status = response.read(), response.status
        complete = status != 200 or answer == str(len(body)).encode()
    except (OSError, http.client.HTTPException):
        status, complete = 0, False
    finally:
        connection.close()
    return Outcome(method, path, status if complete else 0, time.monotonic() - start)


def _headers(body: bytes) -> dict[str, str]:
    return {"Host": HOST, **({"Content-Length": str(len(body))} if body else {})}


def _slowly(body: bytes, seconds: float) -> Iterator[bytes]:
    at_once = len(body) // 2
    yield body[:at_once]
    rest, parts = body[at_once:], max(1, int(seconds * 4))
    for part in range(parts):
        yield rest[part * len(rest) // parts : (part + 1) * len(rest) // parts]
        time.sleep(seconds / parts)
