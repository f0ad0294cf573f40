"""Two instances on one Redis, with the rights that we give them: neither sees the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from localcluster.certificates import Authority
from localcluster.model import LOOPBACK
from localservices.redis import RedisServer
from tutoraws.access import redis_rules
from tutorplatform.instance import Instance

from demo.tutor import TutorRoot

pytestmark = pytest.mark.services

NewRoot = Callable[..., TutorRoot]

# Of characters that ElastiCache allows, and a URL minds.
PASSWORD = "a/b+c%d!&#$^<>-"


@pytest.fixture(scope="module")
def administrator(redis_server: RedisServer) -> Iterator[Any]:
    client = connect(redis_server)
    yield client
    for name in ("acme", "beta"):
        client.execute_command("ACL", "DELUSER", name)
    client.flushall()


@pytest.fixture(scope="module")
def tenants(
    redis_server: RedisServer, administrator: Any, new_root: NewRoot
) -> dict[str, TutorRoot]:
    """Instance → its Tutor root. They share even the indexes, to make it hard."""
    roots = {}
    for name in ("acme", "beta"):
        rules = redis_rules(Instance(name)).split()
        administrator.execute_command("ACL", "SETUSER", name, "reset", f">{PASSWORD}", *rules)
        roots[name] = new_root(
            "aws",
            K8S_NAMESPACE=name,
            LMS_HOST=f"learn.{name}.test",
            AWS_REDIS={"host": LOOPBACK, "port": redis_server.port, "username": name},
            REDIS_PASSWORD=PASSWORD,
        )
        roots[name].run("config", "save")
    return roots


def connect(server: RedisServer, **login: Any) -> Any:
    # Not redis.Redis: the library's types are not complete.
    return redis.Redis(LOOPBACK, server.port, ssl=True, ssl_ca_certs=str(server.authority), **login)


def tenant(root: TutorRoot, authority: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.localservices.tenant", str(root.path), *arguments],
        env={**os.environ, "SSL_CERT_FILE": str(authority), "PYTHONWARNINGS": "ignore"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def run(root: TutorRoot, server: RedisServer, *arguments: str) -> Any:
    done = tenant(root, server.authority, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.wires("EVENT_BUS_REDIS_CONNECTION_URL", "EVENT_BUS_TOPIC_PREFIX")
def test_events_stay_in_their_instance(
    tenants: dict[str, TutorRoot], redis_server: RedisServer, administrator: Any
) -> None:
    """Who produces and who consumes have all rights that they need, on streams of their own."""
    administrator.acl_log_reset()
    assert run(tenants["acme"], redis_server, "events") == [["ä"], ["ä"]]
    assert administrator.acl_log() == []
    assert connect(redis_server, db=0).exists("acme:events-enrollments")
    done = tenant(tenants["beta"], redis_server.authority, "events", "acme:events-enrollments")
    assert done.returncode != 0
    assert "NoPermissionError" in done.stderr


@pytest.fixture
def beta(redis_server: RedisServer, tenants: dict[str, TutorRoot]) -> Any:
    """What somebody in a pod of beta's can do."""
    assert "beta" in tenants
    return connect(redis_server, username="beta", password=PASSWORD)


def test_every_cache_works(
    tenants: dict[str, TutorRoot], redis_server: RedisServer, administrator: Any
) -> None:
    """Over TLS that is verified, with the rights of the instance alone."""
    administrator.acl_log_reset()
    found = run(tenants["acme"], redis_server, "cache")
    assert len(found) == 7
    assert all(each == [{"value": [1, "ä"]}, {"b": 2}, False, True] for each in found.values()), (
        found
    )
    keys = [key.decode() for key in connect(redis_server, db=1).scan_iter()]
    assert keys
    assert all(key.startswith("acme:") for key in keys)
    assert administrator.acl_log() == []


def test_a_server_that_cannot_be_verified_gets_no_password(
    tenants: dict[str, TutorRoot], redis_server: RedisServer, tmp_path: Path
) -> None:
    """Celery says so; caches cannot hide it either, since nothing is read back."""
    strangers = tmp_path / "ca.pem"
    strangers.write_bytes(Authority.new("somebody else").pem)
    done = tenant(tenants["acme"], strangers, "send", "1")
    assert done.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


@pytest.mark.wires("DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS")
def test_a_wrong_password_is_logged(redis_server: RedisServer, new_root: NewRoot) -> None:
    """The platform goes on without caches, and says so; the password it does not say."""
    root = new_root(
        "aws",
        AWS_REDIS={"host": LOOPBACK, "port": redis_server.port, "username": "acme"},
        REDIS_PASSWORD="not-the-right-one",
    )
    root.run("config", "save")
    done = tenant(root, redis_server.authority, "clear")
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" in done.stderr
    assert "invalid username-password pair" in done.stderr
    assert "not-the-right-one" not in done.stderr


def test_clearing_a_cache_harms_nobody(
    tenants: dict[str, TutorRoot], redis_server: RedisServer
) -> None:
    """Django's `clear` is FLUSHDB: it is refused, and the platform goes on."""
    run(tenants["acme"], redis_server, "cache")
    client = connect(redis_server, db=1)
    before = client.dbsize()
    run(tenants["beta"], redis_server, "clear")
    assert client.dbsize() == before


def test_workers_take_tasks_of_their_own_instance_only(
    tenants: dict[str, TutorRoot], redis_server: RedisServer, administrator: Any
) -> None:
    """Same queue name, same index; five tasks for one and three for the other."""
    administrator.acl_log_reset()
    run(tenants["acme"], redis_server, "send", "5")
    run(tenants["beta"], redis_server, "send", "3")
    with ThreadPoolExecutor() as pool:
        done = {
            name: pool.submit(run, root, redis_server, "work", "6")
            for name, root in tenants.items()
        }
    assert sorted(done["acme"].result()) == [0, 1, 2, 3, 4]
    assert sorted(done["beta"].result()) == [0, 1, 2]
    # Nothing that a worker does by itself is refused: an audit finds no noise.
    assert administrator.acl_log() == []


FORBIDDEN = [
    pytest.param(["GET", "acme:x"], id="key"),
    pytest.param(["SET", "acme:x", "1"], id="write"),
    pytest.param(["LPUSH", "acme:celery:edx.lms.core.default", "task"], id="task"),
    pytest.param(["COPY", "acme:x", "beta:x"], id="copy"),
    pytest.param(["EVAL", "return redis.call('GET', 'acme:x')", "0"], id="script"),
    pytest.param(["KEYS", "*"], id="names of keys"),
    pytest.param(["SCAN", "0"], id="names of keys, one by one"),
    pytest.param(["RANDOMKEY"], id="name of a key"),
    pytest.param(["FLUSHDB"], id="FLUSHDB"),
    pytest.param(["FLUSHALL"], id="FLUSHALL"),
    pytest.param(["SWAPDB", "0", "1"], id="SWAPDB"),
    pytest.param(["MONITOR"], id="MONITOR"),
    pytest.param(["CLIENT", "LIST"], id="other clients"),
    pytest.param(["CLIENT", "KILL", "TYPE", "normal"], id="end other clients"),
    pytest.param(["CONFIG", "GET", "*"], id="configuration"),
    pytest.param(["ACL", "LIST"], id="users"),
    pytest.param(["FUNCTION", "LIST"], id="functions"),
    pytest.param(["SHUTDOWN", "NOSAVE"], id="shutdown"),
    pytest.param(["CLIENT", "TRACKING", "ON", "BCAST"], id="keys as they change"),
    pytest.param(["SCRIPT", "FLUSH"], id="scripts of all"),
    pytest.param(["SCRIPT", "KILL"], id="somebody's script"),
    pytest.param(["CLUSTER", "SLOTS"], id="the cluster"),
    pytest.param(["PUBSUB", "CHANNELS"], id="channels"),
    pytest.param(["PUBLISH", "acme:celery:/0.celery.pidbox", "{}"], id="remote control"),
    pytest.param(["SUBSCRIBE", "acme:celery:/0.celery.pidbox"], id="listening"),
    pytest.param(["PSUBSCRIBE", "*"], id="listening to all"),
]


@pytest.mark.parametrize("command", FORBIDDEN)
@pytest.mark.parametrize("database", [0, 1, 5])
def test_another_instance_is_out_of_reach(
    beta: Any, administrator: Any, command: list[str], database: int
) -> None:
    """Whatever index is selected: channels, users and scripts have none."""
    administrator.set("acme:x", "s3cret")
    beta.execute_command("SELECT", database)
    with pytest.raises(redis.exceptions.ResponseError, match=r"permission|can't access"):
        beta.execute_command(*command)
    assert administrator.get("acme:x") == b"s3cret"


def test_what_is_ones_own_is_in_reach(beta: Any) -> None:
    """The refusals above are about what is asked for, not about who asks."""
    assert beta.set("beta:x", "1") is True
    assert beta.get("beta:x") == b"1"
    assert beta.publish("beta:celery:/0.celeryev", "{}") == 0
    assert beta.eval("return redis.call('GET', KEYS[1])", 1, "beta:x") == b"1"
