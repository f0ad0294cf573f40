"""A server on loopback in the place of AWS' trust store: the proxy through which all HTTPS goes."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from localcluster.certificates import Authority
from localcluster.model import LOOPBACK

HOSTS = (
    "truststore.pki.rds.amazonaws.com",
    "truststore.pki.us-gov-west-1.rds.amazonaws.com",
    "rds-truststore.s3.cn-north-1.amazonaws.com.cn",
)


class TrustStore:
    """Answers each request with `answer`, whole or `cut` short, and notes what was asked."""

    def __init__(self, folder: Path, hosts: tuple[str, ...] = HOSTS) -> None:
        authority = Authority.new("of the trust store")
        pair = authority.issue("trust store", hosts=hosts)
        self.answer: bytes = b""
        self.status = "200 OK"
        self.cut = False
        self.location = ""
        self.asked: list[str] = []
        self._authority = folder / "https.pem"
        self._authority.write_bytes(authority.pem)
        chain = folder / "server.pem"
        chain.write_bytes(pair.certificate + pair.key)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(chain)

    @property
    def environment(self) -> dict[str, str]:
        """What leads a program here, and makes it trust us."""
        port = self._socket.getsockname()[1]
        return {"HTTPS_PROXY": f"http://{LOOPBACK}:{port}", "SSL_CERT_FILE": str(self._authority)}

    def __enter__(self) -> TrustStore:
        self._socket = socket.create_server((LOOPBACK, 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                # A client that does not trust us hangs up.
                with connection, suppress(ssl.SSLError, ConnectionError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        host = _request(connection).split()[1].partition(":")[0]
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self._tls.wrap_socket(connection, server_side=True) as secure:
            self.asked.append(f"https://{host}{_request(secure).split()[1]}")
            location = f"Location: {self.location}\r\n" if self.location else ""
            head = f"HTTP/1.1 {self.status}\r\n{location}Content-Length: {len(self.answer)}\r\n\r\n"
            body = self.answer[: len(self.answer) // 2] if self.cut else self.answer
            secure.sendall(head.encode() + body)


def _request(connection: socket.socket) -> str:
    """The lines that a client sends, up to the empty one."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        chunk = connection.recv(4096)
        if not chunk:
            raise ConnectionError("hung up")
        received += chunk
    return received.decode()
