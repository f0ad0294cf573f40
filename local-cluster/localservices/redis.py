"""Edge: a real Redis that speaks TLS only, in ElastiCache's place."""

from __future__ import annotations

from localcluster.model import LOOPBACK
from localcluster.processes import free_port, listens

from localservices.service import TlsService, find_server

START_TIMEOUT_S = 10


class RedisServer(TlsService):
    """Redis with 16 databases, on `port`; nothing is ever written to disk."""

    name = "redis-server"
    port: int

    def start(self) -> None:
        program = find_server("redis-server", "redis-server")
        certificate, key = self._write_certificates()
        self.port = free_port()
        settings = {
            "bind": LOOPBACK,
            "port": 0,
            "tls-port": self.port,
            "tls-cert-file": certificate,
            "tls-key-file": key,
            "tls-ca-cert-file": self.authority,
            # As ElastiCache: clients show a password, not a certificate.
            "tls-auth-clients": "no",
            "save": "",
            "appendonly": "no",
        }
        arguments = [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
        process = self._run([program, *arguments])
        process.wait_until(lambda: listens(self.port), START_TIMEOUT_S)
