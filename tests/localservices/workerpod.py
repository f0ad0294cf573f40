"""A pod of the LMS' worker: a real Celery worker with the rendered command and settings."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from localcluster.processes import wait_for
from localservices.service import Service

START_TIMEOUT_S = 60
REPOSITORY = Path(__file__).parents[2]
# A process namespace of its own, where the worker is number 1.
CONTAINER = (
    "unshare",
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
)


class WorkerPod(Service):
    """Starts to work, until it is told to end. `container`: as the first process of one."""

    name = "celery"

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], container: bool = False
    ) -> None:
        super().__init__()
        self._command = command
        self._environment = environment
        self._container = container

    def start(self) -> None:
        """Start it, without a wait until it works."""
        (self.directory / "lms").mkdir()
        (self.directory / "lms" / "celery.py").write_text(
            "from tests.localservices.worker_app import app\n"
        )
        program = Path(sys.executable).with_name(self._command[0])
        around = CONTAINER if self._container else ()
        self._run(
            [*around, program, *self._command[1:]],
            {**self._environment, "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        )

    def wait_until_ready(self) -> None:
        """LocalClusterError if it ends before."""
        assert self.process
        log = self.process.log
        self.process.wait_until(lambda: " ready." in log.read_text(), START_TIMEOUT_S)

    @property
    def pid(self) -> int:
        """The worker's main process."""
        assert self.process
        pid = self.process.popen.pid
        if not self._container:
            return pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        return int(wait_for(children.read_text, START_TIMEOUT_S, "unshare").split()[0])

    def terminate(self) -> None:
        """As kubelet does it: SIGTERM to the container's first process alone."""
        os.kill(self.pid, signal.SIGTERM)

    def ended(self, grace_s: float) -> int:
        """Its exit status; TimeoutExpired when the grace is not enough."""
        assert self.process
        return self.process.popen.wait(grace_s)

    def stop(self) -> None:
        if self.process and self.process.alive:
            # With its children, which would otherwise work on.
            os.killpg(self.process.popen.pid, signal.SIGKILL)
        super().stop()
