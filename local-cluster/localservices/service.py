"""Edge: what the stand-ins for AWS' services have in common: a folder, a process, an end."""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from localcluster.certificates import Authority
from localcluster.errors import LocalClusterError
from localcluster.model import LOOPBACK
from localcluster.processes import Process
from typing_extensions import Self


class Service(ABC):
    """One server on loopback with a temporary folder, used as a context manager."""

    name: str

    def __init__(self) -> None:
        self._directory: Path | None = None
        self.process: Process | None = None

    @property
    def directory(self) -> Path:
        """The server's temporary folder, there from start to stop."""
        if self._directory is None:
            raise LocalClusterError(self.name, "does not run", "use it in a `with` statement")
        return self._directory

    def __enter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Start the server and wait until it answers. LocalClusterError if it cannot."""

    def stop(self) -> None:
        """End the server and remove its folder. Safe to repeat, and before any start."""
        if self.process:
            self.process.kill()
            self.process = None
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _run(
        self, argv: Sequence[str | Path], environment: Mapping[str, str] | None = None
    ) -> Process:
        self.process = Process.start(self.name, argv, self.directory, environment)
        return self.process


class TlsService(Service):
    """A server that speaks TLS only, with a certificate of an authority of its own."""

    @property
    def authority(self) -> Path:
        """The PEM file that a client verifies the server with."""
        return self.directory / "ca.crt"

    def _write_certificates(self) -> tuple[Path, Path]:
        authority = Authority.new(f"{self.name} authority")
        pair = authority.issue(self.name, hosts=[LOOPBACK, "localhost"])
        self.authority.write_bytes(authority.pem)
        certificate, key = self.directory / "server.crt", self.directory / "server.key"
        certificate.write_bytes(pair.certificate)
        key.write_bytes(pair.key)
        return certificate, key


class MissingServerError(LocalClusterError):
    """A server program is not installed on this machine."""


def find_server(program: str, package: str) -> Path:
    """The path of a server program; MissingServerError names the Debian package that has it."""
    # Debian keeps servers where an ordinary user's PATH does not lead.
    found = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin")
    if found is None:
        raise MissingServerError(
            program, "is not on this machine", f"run `apt-get install {package}`"
        )
    return Path(found)
