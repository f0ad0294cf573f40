"""Two instances that share services, and their bootstraps."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from localcluster.model import LOOPBACK
from localservices.aws import AwsEmulator
from localservices.mariadb import MariadbServer
from localservices.redis import RedisServer

from tests.conftest import NewRoot
from tests.localservices.bootstrapping import Bootstrap, bootstrap
from tests.localservices.front import in_front_of
from tests.localservices.mongod import mongod
from tests.localservices.shared import GROUP, PASSWORDS, SECRET, Platform, clear, forget, prepare


@pytest.fixture(scope="module")
def platform(
    mariadb_server: MariadbServer,
    redis_server: RedisServer,
    aws: AwsEmulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Platform]:
    endpoint = aws.environment["AWS_ENDPOINT_URL"]
    with in_front_of(endpoint) as front, mongod(tmp_path_factory.mktemp("mongod")) as mongodb:
        environment = {**aws.environment, "AWS_ENDPOINT_URL": front.url}
        found = Platform(mariadb_server, redis_server, mongodb, environment)
        prepare(found)
        yield found
        clear(found)


@pytest.fixture(scope="module")
def volumes(
    platform: Platform, new_root: NewRoot, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Bootstrap]:
    """Instance → its bootstrap."""
    made = {}
    for name in ("acme", "beta"):
        root = new_root(
            *("aws", "credentials", "notes"),
            K8S_NAMESPACE=name,
            LMS_HOST=f"learn.{name}.test",
            AWS_REGION="eu-west-1",
            AWS_MYSQL={
                "host": LOOPBACK,
                "port": platform.mariadb.port,
                "ca_file": str(platform.mariadb.authority),
            },
            AWS_REDIS={"host": LOOPBACK, "port": platform.cache.port, "username": name},
            AWS_MONGODB={
                "hosts": [LOOPBACK],
                "port": platform.mongod.port,
                "replica_set": "rs0",
                "ca_file": str(platform.mongod.authority),
            },
            AWS_BOOTSTRAP={
                "mysql_admin": SECRET,
                "mongodb_admin": SECRET,
                "redis_user_group": GROUP,
            },
            REDIS_PASSWORD="later",
            MONGODB_PASSWORD="later",
        )
        environment = {
            **platform.aws,
            # The library's own certificates are the public ones, as ElastiCache has them.
            "SSL_CERT_FILE": str(platform.cache.authority),
        }
        made[name] = bootstrap(root, tmp_path_factory.mktemp(name), environment)
        # config.yml takes none with quotes; those in the secrets plugin's store may have them.
        made[name].change(**{key: text.replace("acme", name) for key, text in PASSWORDS.items()})
    return made


@pytest.fixture
def instances(
    platform: Platform, volumes: dict[str, Bootstrap], tmp_path: Path
) -> Iterator[dict[str, Bootstrap]]:
    """The same, to be changed at will; nothing of them is on the servers yet."""
    # Other tests have used the same servers.
    forget(platform)
    yield {
        name: Bootstrap(
            Path(shutil.copytree(each.folder, tmp_path / name)),
            each.environment,
        )
        for name, each in volumes.items()
    }
    forget(platform)
