"""Edge: a real Caddy with a Caddyfile of ours, on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from localcluster import binaries
from localcluster.binaries import Progress
from localcluster.errors import LocalClusterError
from localcluster.model import LOOPBACK
from localcluster.processes import free_port, listens

from localservices.service import Service

START_TIMEOUT_S = 30
METRICS = ":9180"


class CaddyServer(Service):
    """Serves the hosts of `caddyfile` on `port`, whatever port they have there.

    `metrics_port`: where it serves what the file has at port 9180.
    `upstreams` says where on this machine is what the file names, such as `lms:8000`.
    """

    name = "caddy"
    port: int
    metrics_port: int

    def __init__(
        self, caddyfile: str, upstreams: Mapping[str, str], progress: Progress = print
    ) -> None:
        super().__init__()
        self._caddyfile = caddyfile
        self._upstreams = upstreams
        self._progress = progress

    def start(self) -> None:
        program = binaries.ensure([self.name], self._progress)[self.name]
        config = adapted(program, self._caddyfile)
        self.port = free_port()
        self.metrics_port = free_port()
        for server in config["apps"]["http"]["servers"].values():
            own = server["listen"] == [METRICS]
            server["listen"] = [f"{LOOPBACK}:{self.metrics_port if own else self.port}"]
            # Which it has not at port 80, where the file has its hosts.
            server["automatic_https"] = {"disable": True}
        for upstream in _upstreams(config):
            upstream["dial"] = self._upstreams.get(upstream["dial"], upstream["dial"])
        # Otherwise every Caddy of this machine would want one and the same port for it.
        config["admin"] = {"disabled": True, "config": {"persist": False}}
        file = self.directory / "caddy.json"
        file.write_text(json.dumps(config))
        process = self._run(
            [program, "run", "--config", file],
            {"HOME": str(self.directory), "PATH": os.environ["PATH"]},
        )
        process.wait_until(lambda: listens(self.port), START_TIMEOUT_S)


def adapted(program: Path, caddyfile: str) -> Any:
    """What Caddy makes of a Caddyfile of a pod. LocalClusterError if it refuses it."""
    result = subprocess.run(
        [program, "adapt", "--adapter=caddyfile", "--config=-"],
        input=caddyfile,
        env={**os.environ, "default_site_port": ":80"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise LocalClusterError(
            "caddy adapt", result.stderr.strip().splitlines()[-1], "correct the Caddyfile"
        )
    return json.loads(result.stdout)


def _upstreams(config: Any) -> Iterator[dict[str, str]]:
    if isinstance(config, dict):
        yield from config.get("upstreams", [])
        for value in config.values():
            yield from _upstreams(value)
    elif isinstance(config, list):
        for value in config:
            yield from _upstreams(value)
