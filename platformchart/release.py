"""Edge: the chart as a release on a cluster, by helm."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from platformchart.errors import ChartError

NAME = NAMESPACE = "platform"


@dataclass(frozen=True)
class Release:
    """The release `platform` on the cluster that `environment` names, in its own namespace."""

    helm: Path
    chart: Path
    environment: Mapping[str, str]

    def upgrade(self, values: Mapping[str, Any], *argv: str) -> str:
        """Install or upgrade with these values alone; what helm prints, or ChartError."""
        where = (NAME, str(self.chart), "--values=-", *argv)
        return self.run("upgrade", "--install", *where, values=values)

    def uninstall(self, *argv: str) -> str:
        """Take it away, if it is there; what helm prints, or ChartError."""
        return self.run("uninstall", NAME, "--ignore-not-found", "--wait", *argv)

    def run(self, *argv: str, values: Mapping[str, Any] | None = None) -> str:
        """What `helm ARGV…` prints, with `values` on its standard input; ChartError if it fails."""
        done = subprocess.run(
            [self.helm, *argv, f"--namespace={NAMESPACE}"],
            env={"PATH": os.environ["PATH"], **self.environment},
            input=yaml.safe_dump(dict(values or {})),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ChartError(f"helm {argv[0]}", done.stderr.strip(), "mend that and run it again")
        return done.stdout

    def manifest(self) -> list[dict[str, Any]]:
        """The objects of the newest revision, as they were rendered."""
        return [each for each in yaml.safe_load_all(self.run("get", "manifest", NAME)) if each]

    def secret_bytes(self) -> int:
        """What the newest revision takes of the 1 MiB that a Secret may have."""
        command = ["kubectl", "get", "secrets", f"--namespace={NAMESPACE}", "--output=json"]
        found = subprocess.run(
            [*command, f"--selector=owner=helm,name={NAME},status=deployed"],
            env={"PATH": os.environ["PATH"], **self.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        [secret] = json.loads(found.stdout)["items"]
        return len(b64decode(secret["data"]["release"]))
