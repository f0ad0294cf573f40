"""Edge: runs in a pod, and fills a Meilisearch that is empty.

    python search_indexer.py <index prefix> '[{"name": …, "indexes": {…}, "command": …}, …]'

Meilisearch's data go with its pod. What a command has filled is marked by an empty index, which
goes with them. So a mark that is missing is all there is to look for, and what has been marked
is not done again. Whatever fails, be it that the database is away, is tried again.

The indexes that a command fills (name: primary key) are made at once. Were a document written to
one that is not there, Meilisearch would make the index itself, guess its key, and guess wrong.

It has nothing but Python: both images of the pod that runs it have one, but not the same packages.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.error import HTTPError
from urllib.request import Request, urlopen

MARK = "filled_"
LONGEST_S = 300.0
# A command that takes longer hangs, as on a connection that was lost in a failover.
COMMAND_S = 6 * 3600


class Meilisearch:
    """A server, and who we are there. Calls raise OSError: of urllib's, HTTPError is one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._url = environment["MEILISEARCH_URL"]
        self._key = environment["MEILISEARCH_API_KEY"]
        self._uid = environment["MEILISEARCH_API_KEY_UID"]
        # Only one of the containers makes the key.
        self._master = environment.get("MEILISEARCH_MASTER_KEY", "")

    def indexes(self, prefix: str) -> dict[str, str | None]:
        """The instance's indexes → primary key. With the master key, makes ours if need be."""
        try:
            found = self._indexes()
        except HTTPError as error:
            if error.code != 403 or not self._master:
                raise
            # A new server does not know our key.
            self._make_key(prefix)
            found = self._indexes()
        return {index["uid"]: index["primaryKey"] for index in found}

    def make(self, name: str, primary_key: str = "id") -> None:
        """Make an empty index; it comes into being after all that was sent before."""
        self._ask("POST", "/indexes", self._key, {"uid": name, "primaryKey": primary_key})

    def delete(self, name: str) -> None:
        """Delete an index and what is in it."""
        self._ask("DELETE", f"/indexes/{name}", self._key)

    def _indexes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "/indexes?limit=1000", self._key)["results"]
        return found

    def _make_key(self, prefix: str) -> None:
        # The same as of Tutor's init task: the platform's settings have what derives from its id.
        key = {
            "uid": self._uid,
            "name": "Open edX backend API key",
            "actions": ["*"],
            "indexes": [f"{prefix}*"],
            "expiresAt": None,
        }
        self._ask("POST", "/keys", self._master, key)

    def _ask(self, method: str, path: str, key: str, body: Any = None) -> Any:
        request = Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)


def fill(server: Meilisearch, prefix: str, tasks: list[dict[str, Any]]) -> bool:
    """Run the commands whose mark is missing; whether all is filled now."""
    try:
        found = server.indexes(prefix)
        missing = [task for task in tasks if f"{prefix}{MARK}{task['name']}" not in found]
        for task in missing:
            _make_indexes(server, prefix, task["indexes"], found)
    except OSError as error:
        print(f"Meilisearch: {error}; trying again", flush=True)
        return False
    # One that fails does not hold up the others.
    outcomes = [_filled(server, prefix, **task) for task in missing]
    return all(outcomes)


def _make_indexes(
    server: Meilisearch, prefix: str, wanted: Mapping[str, str], found: Mapping[str, str | None]
) -> None:
    for name, primary_key in wanted.items():
        index = prefix + name
        if found.get(index, primary_key) != primary_key:
            server.delete(index)
        if found.get(index) != primary_key:
            server.make(index, primary_key)


def _filled(server: Meilisearch, prefix: str, *, name: str, command: str, indexes: object) -> bool:
    print(f"{name}: not filled yet, filling it", flush=True)
    # Django's commands have no business with it.
    environment = {k: v for k, v in os.environ.items() if k != "MEILISEARCH_MASTER_KEY"}
    # It ends what the shell has started, too; its status is 124 then.
    limited = ["timeout", os.environ.get("COMMAND_S", str(COMMAND_S)), "sh", "-e", "-c", command]
    try:
        subprocess.run(limited, env=environment, check=True)
        # A server that is new by now does not know our key, and takes no mark.
        server.make(f"{prefix}{MARK}{name}")
    except (OSError, subprocess.CalledProcessError) as error:
        # The command is long, its exit status is not.
        reason = getattr(error, "returncode", None)
        print(f"{name}: failed ({reason or error}); trying again", flush=True)
        return False
    print(f"{name}: filled", flush=True)
    return True


def main(prefix: str, tasks: str) -> NoReturn:
    """Look every POLL_S seconds; after a failure, ever more seldom."""
    # The first process of a container ignores the signal, if it does not say what to do.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    poll_s = wait_s = float(os.environ.get("POLL_S", "10"))
    server = Meilisearch(os.environ)
    while True:
        wait_s = poll_s if fill(server, prefix, json.loads(tasks)) else min(2 * wait_s, LONGEST_S)
        time.sleep(wait_s)


if __name__ == "__main__":
    main(*sys.argv[1:])
