"""Redis, MariaDB and the AWS API stand ready on loopback, and only as strictly as AWS has them."""

from __future__ import annotations

from pathlib import Path

import boto3
import psutil
import pymysql
import pytest
import redis
from localcluster.certificates import Authority
from localcluster.errors import LocalClusterError
from localcluster.model import LOOPBACK
from localservices.aws import AwsEmulator
from localservices.mariadb import MariadbServer
from localservices.redis import RedisServer
from localservices.service import MissingServerError, Service, find_server

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def strangers_authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_bytes(Authority.new("somebody else").pem)
    return str(path)


def redis_client(server: RedisServer, authority: str) -> redis.Redis:
    return redis.Redis(LOOPBACK, server.port, ssl=True, ssl_ca_certs=authority)


def test_redis_answers_a_client_that_verifies_it(redis_server: RedisServer) -> None:
    client = redis_client(redis_server, str(redis_server.authority))
    client.set("key", "value")
    assert client.get("key") == b"value"


def test_redis_is_refused_by_a_client_of_another_authority(
    redis_server: RedisServer, strangers_authority: str
) -> None:
    with pytest.raises(redis.exceptions.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        redis_client(redis_server, strangers_authority).ping()


def test_redis_refuses_a_plain_connection(redis_server: RedisServer) -> None:
    with pytest.raises(redis.exceptions.ConnectionError):
        redis.Redis(LOOPBACK, redis_server.port).ping()


def test_mariadb_answers_a_client_that_verifies_it(mariadb_server: MariadbServer) -> None:
    with pymysql.connect(
        host=LOOPBACK,
        port=mariadb_server.port,
        user="root",
        ssl_ca=str(mariadb_server.authority),
        ssl_verify_identity=True,
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
        assert cursor.fetchall() == (("Ssl_version", "TLSv1.3"),)


def test_mariadb_is_refused_by_a_client_of_another_authority(
    mariadb_server: MariadbServer, strangers_authority: str
) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        pymysql.connect(
            host=LOOPBACK,
            port=mariadb_server.port,
            user="root",
            ssl_ca=strangers_authority,
            ssl_verify_identity=True,
        )


def test_mariadb_refuses_a_plain_connection(mariadb_server: MariadbServer) -> None:
    # The user whom the test above lets in. The server says no in one of two ways.
    with pytest.raises(pymysql.err.OperationalError, match=r"\((1045|3159)"):
        pymysql.connect(host=LOOPBACK, port=mariadb_server.port, user="root", ssl_disabled=True)


def test_the_aws_api_is_reached_by_the_standard_variables(
    aws: AwsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("secretsmanager")
    client.create_secret(Name="test/reached", SecretString="{}")
    answer = client.batch_get_secret_value(SecretIdList=["test/reached"])
    assert [found["Name"] for found in answer["SecretValues"]] == ["test/reached"]


def test_servers_listen_on_loopback_only(
    redis_server: RedisServer, mariadb_server: MariadbServer, aws: AwsEmulator
) -> None:
    services: list[Service] = [redis_server, mariadb_server, aws]
    for service in services:
        assert service.process
        tree = psutil.Process(service.process.popen.pid)
        listening = {
            connection.laddr.ip
            for process in [tree, *tree.children(recursive=True)]
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {LOOPBACK}, service.name


def test_a_service_that_is_stopped_leaves_nothing() -> None:
    with AwsEmulator() as emulator:
        assert emulator.process
        process = psutil.Process(emulator.process.popen.pid)
        folder = emulator.directory
    emulator.stop()
    assert not process.is_running()
    assert not folder.exists()


def test_stopping_what_never_ran_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "precious").touch()
    monkeypatch.chdir(tmp_path)
    RedisServer().stop()
    assert (tmp_path / "precious").exists()


def test_a_service_on_a_taken_port_says_which(aws: AwsEmulator) -> None:
    port = int(aws.environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with pytest.raises(LocalClusterError, match=rf"^aws-emulator: port {port} .* is taken"):
        AwsEmulator(port=port).__enter__()


def test_a_missing_server_names_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingServerError, match=r"no-such-server: .*apt-get install some-package"):
        find_server("no-such-server", "some-package")
