"""Edge: an AWS API on loopback: ministack's server, in a virtual environment of its own.

ministack pins botocore to a version that would clash with ours; see
docs/decisions/0002-emulator-in-its-own-environment.md. Whoever uses it knows nothing but
the standard AWS_… variables.
"""

from __future__ import annotations

from pathlib import Path

from localcluster.binaries import Progress, cache_directory
from localcluster.model import LOOPBACK
from localcluster.processes import free_port, listens, require_free

from localservices.environments import python_with
from localservices.service import Service

MINISTACK = "ministack==1.5.33"
START_TIMEOUT_S = 30


class AwsEmulator(Service):
    """The AWS API, empty at start and forgotten at stop."""

    name = "aws-emulator"

    def __init__(self, region: str = "eu-west-1", port: int = 0, progress: Progress = print):
        """`port` 0 means any free one."""
        super().__init__()
        self.region = region
        self._progress = progress
        self._port = port

    @property
    def environment(self) -> dict[str, str]:
        """The standard variables that lead AWS' clients here."""
        return {
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{self._port}",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "emulator",
            "AWS_SECRET_ACCESS_KEY": "emulator",
        }

    def start(self) -> None:
        """Start it and wait until it answers. LocalClusterError if it cannot."""
        self._port = require_free(self._port, self.name) if self._port else free_port()
        python = ensure_environment(cache_directory(), self._progress)
        process = self._run(
            [python, "-m", "ministack"],
            {
                "PATH": str(python.parent),
                "HOME": str(self.directory),
                "TMPDIR": str(self.directory),
                # Otherwise it listens on every interface of the machine.
                "BIND_HOST": LOOPBACK,
                "GATEWAY_PORT": str(self._port),
                "MINISTACK_REGION": self.region,
            },
        )
        process.wait_until(lambda: listens(self._port), START_TIMEOUT_S)


def ensure_environment(cache: Path, progress: Progress) -> Path:
    """The Python of an environment that has ministack; made first where there is none."""
    return python_with([MINISTACK], cache, "the AWS emulator", progress)
