"""Edge: a real MariaDB that speaks TLS only, in Aurora MySQL's place."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

from localcluster.errors import LocalClusterError
from localcluster.model import LOOPBACK
from localcluster.processes import free_port, listens

from localservices.service import TlsService, find_server

START_TIMEOUT_S = 30
PACKAGE = "mariadb-server"


class MariadbServer(TlsService):
    """MariaDB on `port`, with `root` who needs no password and refuses plain connections."""

    name = "mariadbd"
    port: int

    def start(self) -> None:
        program = find_server("mariadbd", PACKAGE)
        data = self.directory / "data"
        initialize(data)
        certificate, key = self._write_certificates()
        self.port = free_port()
        process = self._run(
            [
                program,
                # First, or the machine's own settings come in.
                "--no-defaults",
                f"--user={getpass.getuser()}",
                f"--datadir={data}",
                f"--socket={self.directory / 'socket'}",
                f"--bind-address={LOOPBACK}",
                f"--port={self.port}",
                f"--ssl-cert={certificate}",
                f"--ssl-key={key}",
                f"--ssl-ca={self.authority}",
                "--require-secure-transport=ON",
                "--character-set-server=utf8mb4",
                "--collation-server=utf8mb4_unicode_ci",
            ]
        )
        process.wait_until(lambda: listens(self.port), START_TIMEOUT_S)


def initialize(data: Path) -> None:
    """Make an empty data folder with its system tables."""
    result = subprocess.run(
        [
            find_server("mariadb-install-db", PACKAGE),
            "--no-defaults",
            f"--user={getpass.getuser()}",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise LocalClusterError(
            "mariadb-install-db",
            (result.stderr.splitlines() or ["failed without a word"])[-1],
            "free some disk space, or reinstall mariadb-server",
        )
