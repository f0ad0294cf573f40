"""Edge: child processes on loopback that never outlive their parent."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from localcluster.errors import LocalClusterError
from localcluster.model import LOOPBACK

T = TypeVar("T")

POLL_S = 0.1
LOG_TAIL_LINES = 5

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on right now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different ports of the loopback interface that nobody listens on right now."""
    with ExitStack() as held:
        # All are held until the last one is drawn, or one could be drawn twice.
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def require_free(port: int, where: str) -> int:
    """`port`, or LocalClusterError when somebody listens on it already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise LocalClusterError(
                where,
                f"port {port} of {LOOPBACK} is taken ({error.strerror})",
                "stop what listens there, or leave the port out and a free one is chosen",
            ) from error
    return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_for(
    condition: Callable[[], T | None], timeout_s: float, what: str, poll_s: float = POLL_S
) -> T:
    """The first true value of `condition`; TimeoutError, naming `what`, after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:.0f} s for: {what}")
        time.sleep(poll_s)


@dataclass
class Process:
    """One running child, its output in a log file. Made by `start`; ended by `kill`."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls,
        name: str,
        argv: Sequence[str | Path],
        directory: Path,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Start `argv` in `directory`, with its output in `<name>.log` there."""
        log = directory / f"{name}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [str(argument) for argument in argv],
                cwd=directory,
                env=None if environment is None else dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C at the terminal reaches the parent alone, which then stops its
                # children in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        return cls(name, popen, log)

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def require_alive(self) -> None:
        """Raise LocalClusterError with the end of the log when the process has ended."""
        if not self.alive:
            problem = f"ended with status {self.popen.returncode}: {self.last_words()}"
            raise LocalClusterError(self.name, problem, "mend what it says and start again")

    def last_words(self) -> str:
        """The last lines of the log, on one line."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return " | ".join(lines) or "no output"

    def wait_until(self, condition: Callable[[], T | None], timeout_s: float) -> T:
        """The first true value of `condition`; LocalClusterError if the process ends before."""

        def checked() -> T | None:
            self.require_alive()
            return condition()

        try:
            return wait_for(checked, timeout_s, self.name)
        except TimeoutError as error:
            problem = f"not up within {timeout_s:.0f} s: {self.last_words()}"
            raise LocalClusterError(
                self.name, problem, "mend what it says and start again"
            ) from error

    def kill(self) -> None:
        """End the process at once; it keeps nothing that would be worth a farewell."""
        if self.alive:
            self.popen.kill()
        self.popen.wait()


def _die_with_parent() -> None:
    # Even a parent that is killed outright leaves no control plane behind. The kernel sends
    # the signal when the *thread* that started the child ends: start processes from the
    # main thread.
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
