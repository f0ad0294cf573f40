"""Certificates that Kubernetes and Python accept."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID
from localcluster import pki
from localcluster.certificates import Authority
from localcluster.model import LOOPBACK


def serve_once(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """The TLS version that a client of these contexts agrees on with a server."""
    import socket

    with socket.create_server((LOOPBACK, 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    server.wrap_socket(connection, server_side=True).close()
                except OSError:
                    return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with (
            socket.create_connection(listener.getsockname()) as plain,
            client.wrap_socket(plain, server_hostname=LOOPBACK) as wrapped,
        ):
            version = wrapped.version()
        thread.join(5)
        return version


def contexts(folder: Path, authority: Authority, trusted: Authority) -> tuple[ssl.SSLContext, ...]:
    pair = authority.issue("server", hosts=[LOOPBACK])
    (folder / "crt").write_bytes(pair.certificate)
    (folder / "key").write_bytes(pair.key)
    (folder / "ca").write_bytes(trusted.pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "crt", folder / "key")
    client = ssl.create_default_context(cafile=folder / "ca")
    # What Python 3.13 checks by default.
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    return server, client


def test_a_strict_client_trusts_a_server_of_its_authority(tmp_path: Path) -> None:
    authority = Authority.new("mine")
    assert serve_once(*contexts(tmp_path, authority, authority)) == "TLSv1.3"


def test_a_server_of_another_authority_is_refused(tmp_path: Path) -> None:
    server, client = contexts(tmp_path, Authority.new("theirs"), Authority.new("mine"))
    with pytest.raises(ssl.SSLCertVerificationError):
        serve_once(server, client)


def test_a_clients_groups_are_its_organizations() -> None:
    """Kubernetes reads the user from the common name and groups from organizations."""
    pair = Authority.new("mine").issue("admin", ["system:masters"])
    subject = x509.load_pem_x509_certificate(pair.certificate).subject
    [user] = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    [group] = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert (user.value, group.value) == ("admin", "system:masters")


def test_every_client_gets_a_kubeconfig_for_loopback() -> None:
    files = pki.files(6443, "key")
    for client in pki.CLIENTS:
        config = yaml.safe_load(files[f"{client}.kubeconfig"])
        assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"


def test_secrets_are_encrypted_at_rest() -> None:
    config = yaml.safe_load(pki.files(6443, "a-key")["encryption.yml"])
    [rule] = config["resources"]
    assert rule["resources"] == ["secrets"]
    assert rule["providers"] == [{"secretbox": {"keys": [{"name": "key", "secret": "a-key"}]}}]
