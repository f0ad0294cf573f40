"""What fills Meilisearch, as a process, with a server that knows what it needs to know."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tutoraws import search_indexer

KEYS = {"MEILISEARCH_API_KEY": "own", "MEILISEARCH_API_KEY_UID": "uid"}
MASTER = {"MEILISEARCH_MASTER_KEY": "master"}


@dataclass
class FakeMeilisearch:
    """It has one key at most, for its user `own`, and knows indexes by name."""

    port: int = 0
    key: dict[str, Any] | None = None
    # Name → primary key; of one that came into being with its first document, a guess.
    indexes: dict[str, str | None] = field(default_factory=dict)
    looked: int = 0

    def __enter__(self) -> FakeMeilisearch:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def do_DELETE(self) -> None:
                self.answer()

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length) or "{}")
                who = self.headers["Authorization"].removeprefix("Bearer ")
                status, answer = fake.answer(who, self.command, self.path, body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_args: Any) -> None:
                """Nothing on the test's own output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, who: str, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path.startswith("/keys"):
            if who != "master":
                return 403, {"code": "invalid_api_key"}
            self.key = body
            return 201, self.key
        if not (self.key and who == "own"):
            return 403, {"code": "invalid_api_key"}
        if method == "POST":
            self.indexes.setdefault(body["uid"], body["primaryKey"])
            return 202, {"taskUid": 1}
        if method == "DELETE":
            del self.indexes[path.removeprefix("/indexes/")]
            return 202, {"taskUid": 1}
        self.looked += 1
        return 200, {
            "results": [{"uid": uid, "primaryKey": key} for uid, key in self.indexes.items()]
        }


def tasks(commands: tuple[str, ...]) -> list[dict[str, Any]]:
    """One a command, written as `<name>=<command>`; what it fills is called like it."""
    named = dict(command.split("=", 1) for command in commands)
    return [{"name": n, "indexes": {n: "_pk"}, "command": c} for n, c in named.items()]


@contextmanager
def indexer(port: int, *commands: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The running program; it ends as it does when Kubernetes takes its pod away."""
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [sys.executable, search_indexer.__file__, "acme_", json.dumps(tasks(commands))],
        env={"PATH": "/usr/bin:/bin", "MEILISEARCH_URL": url, "POLL_S": "0.05"} | environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(10) == 0


def wait_for(happened: Any) -> None:
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def some_looks_later(server: FakeMeilisearch) -> None:
    wanted = server.looked + 3
    wait_for(lambda: server.looked >= wanted)


def noting(file: Path) -> str:
    """A command that leaves a trace, with what it was told."""
    return f'echo "ran ${{MEILISEARCH_MASTER_KEY:-without master key}}" >> {file}'


def test_an_empty_server_is_filled_once(tmp_path: Path) -> None:
    """With the key of Tutor's init task, for the instance's indexes only; then it just looks."""
    trace = tmp_path / "trace"
    with (
        FakeMeilisearch() as server,
        indexer(server.port, f"studio={noting(trace)}", **KEYS, **MASTER),
    ):
        wait_for(lambda: "acme_filled_studio" in server.indexes)
        some_looks_later(server)
        assert server.indexes == {"acme_studio": "_pk", "acme_filled_studio": "id"}
        assert server.key
        assert (server.key["uid"], server.key["indexes"]) == ("uid", ["acme_*"])
    assert trace.read_text() == "ran without master key\n"


def test_what_is_marked_is_left_alone(tmp_path: Path) -> None:
    """Another command is new, as that of a plugin that was enabled since."""
    trace = tmp_path / "trace"
    known = {"acme_filled_studio": "id", "acme_studio": "guessed"}
    marked = FakeMeilisearch(key={"uid": "uid"}, indexes={**known})
    commands = (f"studio=echo studio >> {trace}", f"forum=echo forum >> {trace}")
    with marked as server, indexer(server.port, *commands, **KEYS, **MASTER):
        wait_for(lambda: "acme_filled_forum" in server.indexes)
        some_looks_later(server)
        assert known.items() <= server.indexes.items()
    assert trace.read_text() == "forum\n"


def test_an_index_that_made_itself_is_made_anew(tmp_path: Path) -> None:
    """Of the first document: before its command runs, so that the next one finds the right key."""
    keys = {"acme_studio": None, "acme_forum": "_pk"}
    with FakeMeilisearch(key={"uid": "uid"}, indexes={**keys}) as server:
        commands = ("studio=sleep 60", "forum=true")
        with indexer(server.port, *commands, **KEYS, **MASTER):
            wait_for(lambda: server.indexes == {"acme_studio": "_pk", "acme_forum": "_pk"})


def test_a_server_that_loses_everything_is_filled_again(tmp_path: Path) -> None:
    """As when its pod is moved; it may be away for a while."""
    trace = tmp_path / "trace"
    with (
        FakeMeilisearch() as server,
        indexer(server.port, f"studio={noting(trace)}", **KEYS, **MASTER),
    ):
        wait_for(lambda: "acme_filled_studio" in server.indexes)
        server.__exit__()
        time.sleep(0.2)
        server.key, server.indexes = None, {}
        server.__enter__()
        wait_for(lambda: "acme_filled_studio" in server.indexes)
        assert server.key
    assert trace.read_text() == "ran without master key\n" * 2


def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """Nothing is marked before its command succeeds; others are not held up, nor done twice."""
    trace, database = tmp_path / "trace", tmp_path / "database"
    commands = (f"studio=test -e {database}", f"forum=echo forum >> {trace}")
    with FakeMeilisearch() as server, indexer(server.port, *commands, **KEYS, **MASTER):
        wait_for(lambda: "acme_filled_forum" in server.indexes)
        some_looks_later(server)
        assert "acme_filled_studio" not in server.indexes
        database.touch()
        wait_for(lambda: "acme_filled_studio" in server.indexes)
    assert trace.read_text() == "forum\n"


def test_without_the_master_key_it_waits_for_the_other_container(tmp_path: Path) -> None:
    """That of notes."""
    trace = tmp_path / "trace"
    with FakeMeilisearch() as server, indexer(server.port, f"notes={noting(trace)}", **KEYS) as it:
        assert it.stdout
        assert "Forbidden" in it.stdout.readline()
        assert not trace.exists()
        server.key = {"uid": "uid"}
        wait_for(lambda: "acme_filled_notes" in server.indexes)


def test_it_ends_at_once_while_it_fills(tmp_path: Path) -> None:
    """As a first process, it has to say so itself."""
    started = tmp_path / "started"
    command = f"studio=touch {started}; exec sleep 10"
    with FakeMeilisearch() as server, indexer(server.port, command, **KEYS, **MASTER):
        wait_for(started.exists)
        start = time.monotonic()
    assert time.monotonic() - start < 5


def test_a_command_that_hangs_is_ended_and_tried_again() -> None:
    """With what it has started."""
    command = "studio=sleep 30 & wait"
    with (
        FakeMeilisearch() as server,
        indexer(server.port, command, **KEYS, **MASTER, COMMAND_S="0.5") as process,
    ):
        assert process.stdout
        said = [process.stdout.readline().strip() for _ in range(3)]
    filling = "studio: not filled yet, filling it"
    assert said == [filling, "studio: failed (124); trying again", filling]


def test_it_ends_at_once_while_it_waits() -> None:
    with FakeMeilisearch() as server:
        port = server.port
    with indexer(port, "studio=false", **KEYS, **MASTER, POLL_S="60") as process:
        assert process.stdout
        assert "refused" in process.stdout.readline()
        start = time.monotonic()
    assert time.monotonic() - start < 5
