"""Each service's rendered settings, in Django, on a server that speaks TLS only."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from localcluster.certificates import Authority
from localcluster.model import LOOPBACK
from localservices.mariadb import MariadbServer

from demo.tutor import TutorRoot
from tests.localservices.mysql_client import IN_POD, TEXT
from tests.render.aws_services import external_services
from tests.render.edx_platform import PLUGIN_FILES, platform_settings, plugin_settings

pytestmark = [pytest.mark.services, pytest.mark.render]

ROOT = Path(__file__).parents[2]
PLATFORM = ("lms", "cms")
SERVICES = (*PLATFORM, *PLUGIN_FILES)
# What Tutor's own scripts can hold of what is difficult in URLs, SQL and settings.
PASSWORD = "p/+%d&#!^<>-"
# Another spelling of the server's address, which is not in its certificate.
MISNAMED = "127.1"
# The other name in it, spelled so that mysqlclient does not take it for a socket.
READER = "Localhost"

each_service = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture(scope="module")
def strangers_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_bytes(Authority.new("somebody else").pem)
    return path


@pytest.fixture(scope="module")
def root(new_root: Callable[..., TutorRoot], mariadb_server: MariadbServer) -> TutorRoot:
    address = {"host": LOOPBACK, "reader_host": READER, "port": mariadb_server.port}
    services = external_services(mariadb_server.authority)
    passwords = {f"{name.upper()}_MYSQL_PASSWORD": PASSWORD for name in ("openedx", *PLUGIN_FILES)}
    root = new_root(
        *("aws", "mfe", *PLUGIN_FILES),
        **{**services, "AWS_MYSQL": {**address, "ca_file": str(mariadb_server.authority)}},
        **passwords,
    )
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def _databases(root: TutorRoot, mariadb_server: MariadbServer) -> None:
    """A database and a user for each service, as its settings name them."""
    with administrator(mariadb_server) as cursor:
        for service in SERVICES:
            database = settings(root, service)["DATABASES"]["default"]
            user, name = database["USER"], database["NAME"]
            cursor.execute(f"CREATE OR REPLACE DATABASE {name}")
            cursor.execute(f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT ALL ON {name}.* TO {user}")


def administrator(server: MariadbServer) -> Any:
    return pymysql.connect(
        host=LOOPBACK, port=server.port, user="root", ssl_ca=str(server.authority)
    ).cursor()


def settings(root: TutorRoot, service: str) -> dict[str, Any]:
    return (platform_settings if service in PLATFORM else plugin_settings)(root, service)


def django(root: TutorRoot, service: str, ca_file: Path, *address: object) -> dict[str, Any]:
    """What Django gets, with the settings of a service; at another address, if one is given."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.localservices.mysql_client"]
        + [str(part) for part in (root.path, service, ca_file, *address)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.wires("DATABASES", *(f"{plugin}:DATABASES" for plugin in PLUGIN_FILES))
@pytest.mark.usefixtures("_databases")
@each_service
def test_django_connects_verified_and_survives_a_failover(
    root: TutorRoot, mariadb_server: MariadbServer, service: str
) -> None:
    """As the instance's own user; a request after a lost connection just gets a new one."""
    found = django(root, service, mariadb_server.authority)
    default = found["default"]
    name = f"acme{'openedx' if service in PLATFORM else service}"
    assert default["tls"] == "TLSv1.3"
    assert (default["user"], default["database"], default["host"]) == (name, name, LOOPBACK)
    assert default["charsets"] == ["utf8mb4"]
    assert default["strict"]
    assert found["text"] == [TEXT, "utf8mb4_unicode_ci"]
    # The second request has the connection of the first; the third, a new one, as has the fourth.
    assert found["requests"] == [0, 0, 2, 2]
    if service in PLATFORM:
        reader = {**default, "host": READER, "atomic": False}
        assert (found["read_replica"], default["atomic"]) == (reader, True)


@each_service
def test_a_server_of_another_authority_is_refused(
    root: TutorRoot, strangers_authority: Path, service: str
) -> None:
    refused = django(root, service, strangers_authority)["refused"].lower()
    assert "certificate" in refused


@each_service
def test_a_server_under_another_name_is_refused(
    root: TutorRoot, mariadb_server: MariadbServer, service: str
) -> None:
    """Any customer of Amazon's has a server that the region's authorities have signed."""
    address = (MISNAMED, mariadb_server.port)
    refused = django(root, service, mariadb_server.authority, *address)["refused"].lower()
    assert "mismatch" in refused or "certificate" in refused


class PlainServer:
    """Greets as a MySQL server without TLS does, and notes what it is told then."""

    # Long passwords, a database in the login, the protocol of 4.1, its passwords, plugins.
    CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x8000 | 0x80000

    def __init__(self) -> None:
        self._socket = socket.create_server((LOOPBACK, 0))
        self.port = self._socket.getsockname()[1]
        self.told = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            low, high = self.CAPABILITIES & 0xFFFF, self.CAPABILITIES >> 16
            greeting = (
                b"\x0a8.0.40\0"
                + struct.pack("<I8sx", 1, b"12345678")
                + struct.pack("<HBHHB10x", low, 45, 2, high, 21)
                + b"123456789012\0mysql_native_password\0"
            )
            connection.sendall(struct.pack("<I", len(greeting)) + greeting)
            self.told = connection.recv(4096)

    def close(self) -> None:
        self._thread.join(timeout=5)
        self._socket.close()


@pytest.fixture
def plain_server() -> Iterator[PlainServer]:
    server = PlainServer()
    yield server
    server.close()


@each_service
def test_a_server_without_tls_is_told_nothing(
    root: TutorRoot, mariadb_server: MariadbServer, plain_server: PlainServer, service: str
) -> None:
    """Somebody between the two could take TLS out of what the server offers."""
    address = (LOOPBACK, plain_server.port)
    refused = django(root, service, mariadb_server.authority, *address)["refused"]
    plain_server.close()
    assert "SSL" in refused
    assert b"acme" not in plain_server.told


@pytest.mark.usefixtures("_databases")
def test_the_server_refuses_who_comes_without_tls(
    root: TutorRoot, mariadb_server: MariadbServer
) -> None:
    """Whatever the client's settings are."""
    database = settings(root, "lms")["DATABASES"]["default"]
    login = {"user": database["USER"], "password": database["PASSWORD"]}
    with pytest.raises(pymysql.err.OperationalError, match=r"\((1045|3159)"):
        pymysql.connect(host=LOOPBACK, port=mariadb_server.port, ssl_disabled=True, **login)


@pytest.mark.usefixtures("_databases")
@pytest.mark.parametrize("case", ["good", "another authority", "another name"])
def test_the_jobs_client_verifies_the_server(
    root: TutorRoot,
    mariadb_server: MariadbServer,
    strangers_authority: Path,
    tmp_path: Path,
    case: str,
) -> None:
    """With the options file of the ConfigMap, as far as MariaDB's client has the same options."""
    (options,) = (
        manifest["data"]["mysql-client.cnf"]
        for manifest in root.rendered()
        if "mysql-client.cnf" in manifest.get("data", {})
    )
    # MySQL's own; MariaDB's has another word for it.
    assert "ssl-mode=VERIFY_IDENTITY\n" in options
    options = options.replace("ssl-mode=VERIFY_IDENTITY", "ssl-verify-server-cert")
    authority = strangers_authority if case == "another authority" else mariadb_server.authority
    file = tmp_path / "client.cnf"
    file.write_text(options.replace(IN_POD, str(authority)))
    client = str(shutil.which("mariadb") or shutil.which("mysql"))
    host = MISNAMED if case == "another name" else LOOPBACK
    address = [f"--host={host}", f"--port={mariadb_server.port}", "--user=acmeopenedx"]
    done = subprocess.run(
        [client, f"--defaults-file={file}", *address, "--execute=SELECT 'in'"],
        env={"MYSQL_PWD": PASSWORD, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is (case == "good"), done.stderr
    assert ("in" in done.stdout) is (case == "good")
    assert case == "good" or "SSL" in done.stderr
