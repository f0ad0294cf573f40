"""Edge: runs Tutor's own command line on one Tutor root."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

# The console script that belongs to this interpreter, whatever PATH says.
TUTOR = str(Path(sys.executable).with_name("tutor"))


@dataclass(frozen=True)
class TutorRoot:
    """A Tutor project root and the environment variables that Tutor and kubectl run with there.

    `environment` replaces the caller's variables rather than adding to them, so that no
    TUTOR_… or AWS_… of the person at the keyboard finds its way into a run. `program` is another
    environment's Tutor, for who compares plugins that are not installed in ours.
    """

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    program: str = TUTOR

    def run(
        self, *argv: str, check: bool = True, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `tutor ARGV…` with `given` on its standard input; stdout has stderr too.

        CalledProcessError unless it exits with 0.
        """
        return subprocess.run(
            [self.program, *argv],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            input=given,
            text=True,
            check=check,
        )

    def start(self, log: Path, *argv: str) -> subprocess.Popen[bytes]:
        """Start `tutor ARGV…` with its stdout and stderr in `log`."""
        with log.open("wb") as output:
            return subprocess.Popen(
                [self.program, *argv],
                env=self.variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def write_config(self, settings: Mapping[str, Any], plugins: Sequence[str] = ()) -> None:
        """Write config.yml with these settings and enabled plugins."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "config.yml").write_text(
            yaml.safe_dump({**settings, "PLUGINS": sorted(plugins)})
        )

    def config(self) -> dict[str, Any]:
        """config.yml as it stands on disk."""
        loaded: dict[str, Any] = yaml.safe_load((self.path / "config.yml").read_text())
        return loaded

    def rendered(self) -> list[Manifest]:
        """The objects that `kubectl kustomize` makes of the rendered environment."""
        output = subprocess.run(
            ["kubectl", "kustomize", str(self.path / "env")],
            env=self.variables,
            capture_output=True,
            text=True,
            check=True,
        )
        return manifests.load(output.stdout)

    @property
    def variables(self) -> dict[str, str]:
        """All that Tutor and kubectl run with."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            **self.environment,
            "TUTOR_ROOT": str(self.path),
            # Plugins come from this environment's packages alone.
            "TUTOR_PLUGINS_ROOT": str(self.path / "plugins"),
        }
