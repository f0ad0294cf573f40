"""What is wrong in config.yml is said by `tutor config save`: where, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from localcluster.certificates import Authority

from tests.conftest import NewRoot
from tests.render.aws_services import PASSWORD, external_services
from tests.render.edx_platform import PLUGIN_FILES
from tests.render.test_aws_settings import mongo_client, platform_settings, redis_client

pytestmark = pytest.mark.render

AUTHORITY = Authority.new("databases")


@dataclass(frozen=True)
class Mistake:
    """A wrong setting, and what is said of it."""

    name: str
    value: Any
    where: str
    what: str
    do: str


def of(setting: str, what: str, do: str, **mapping: Any) -> Mistake:
    """A mistake in one key of a mapping."""
    (key,) = mapping
    return Mistake(setting, mapping, f"{setting}.{key}", what, do)


HOST = "a host name (without scheme and port)"
MISTAKES = [
    of("AWS_MYSQL", f"'mysql://db.test' is not {HOST}", "write one like", host="mysql://db.test"),
    of("AWS_MYSQL", f"'db.test:3307' is not {HOST}", "write one like", reader_host="db.test:3307"),
    of("AWS_REDIS", f"'rediss://c.test' is not {HOST}", "write one like", host="rediss://c.test"),
    of("AWS_S3", f"'https://cdn.test' is not {HOST}", "write one", public_host="https://cdn.test"),
    of("AWS_MYSQL", "70000 is out of range", "write a number from 1 to 65535", port=70000),
    of("AWS_REDIS", "0 is out of range", "write a number from 1 to 65535", port=0),
    of("AWS_MONGODB", "'27017' is not a whole number", "write a whole number", port="27017"),
    of(
        "AWS_S3", "'Acme_Files' is not a bucket name", "write one like", private_bucket="Acme_Files"
    ),
    of("AWS_S3", "'ab' is not a bucket name", "write one like 'acme-private'", public_bucket="ab"),
    of(
        "AWS_MYSQL", "cannot read absent.pem", "`tutor aws ca-bundle` fetches", ca_file="absent.pem"
    ),
    of("AWS_MYSQL", "note.txt holds no PEM", "name the CA bundle", ca_file="note.txt"),
    of("AWS_MYSQL", "key.pem holds a private key", "with certificates only", ca_file="key.pem"),
    of("AWS_MONGODB", "key.pem holds a private key", "with certificates only", ca_file="key.pem"),
    of("AWS_MONGODB", "has no servers", "name them in AWS_MONGODB.hosts", replica_set="rs0"),
    of("AWS_MYSQL", "there is no such setting", "use one of host, reader_host", hots="db.test"),
    Mistake("AWS_MYSQL", 5, "AWS_MYSQL", "5 is not a mapping", "write `AWS_MYSQL: {…}`"),
    Mistake("AWS_MYSLQ", {}, "AWS_MYSLQ", "there is no such setting", "use one of AWS_"),
    Mistake("MYSQL_PORT", "abc", "MYSQL_PORT", "'abc' is not a whole number", "write a whole"),
    Mistake("REDIS_HOST", "rediss://c.test", "REDIS_HOST", f"is not {HOST}", "write one like"),
    Mistake("OPENEDX_CACHE_REDIS_DB", 0, "OPENEDX_CACHE_REDIS_DB", "is 0, as OPENEDX_CEL", "own"),
    Mistake(
        "AWS_REDIS",
        {"celery_database": 1},
        "OPENEDX_CACHE_REDIS_DB",
        "is 1, as OPENEDX_CELERY_REDIS_DB is",
        "AWS_REDIS.cache_database",
    ),
    Mistake("K8S_NAMESPACE", "platform", "K8S_NAMESPACE", "is reserved", "choose another"),
    Mistake("K8S_NAMESPACE", "kubeacme", "K8S_NAMESPACE", "is reserved", "choose another"),
    Mistake("K8S_NAMESPACE", "a" * 17, "K8S_NAMESPACE", "is not an instance name", "2 to 16"),
    Mistake("K8S_NAMESPACE", "acme-1", "K8S_NAMESPACE", "is not an instance name", "2 to 16"),
    *(
        Mistake(f"{service}_MYSQL_USERNAME", "u" * 31, f"{service}_MYSQL_USERNAME", what, do)
        for service, what, do in [
            ("OPENEDX", "is no name for MySQL", "30 at most"),
            ("NOTES", "is no name for MySQL", "`tutor config save --unset NOTES_MYSQL_USERNAME`"),
        ]
    ),
    Mistake("OPENEDX_MYSQL_DATABASE", "a;b", "OPENEDX_MYSQL_DATABASE", "'a;b' is no", "letters,"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: f"{each.where} {each.value}"[:60])
def test_a_mistake_is_refused_when_saved(new_root: NewRoot, mistake: Mistake) -> None:
    """Nothing is rendered. Tutor itself writes config.yml before it looks at what is in there."""
    root = new_root("aws", "mfe", "notes", **{mistake.name: mistake.value})
    (root.path / "note.txt").write_text("no certificate")
    (root.path / "key.pem").write_bytes(AUTHORITY.issue("server").key + AUTHORITY.pem)
    saved = root.run("config", "save", check=False)
    assert saved.returncode == 1
    error = saved.stdout.partition("Error: ")[2]
    assert error.startswith(f"{mistake.where}: ")
    assert mistake.what in error
    assert mistake.do in error.partition("; ")[2]
    assert "Traceback" not in saved.stdout
    assert "PRIVATE KEY" not in saved.stdout
    assert not (root.path / "env").exists()


@pytest.mark.parametrize(
    "settings", [{"AWS_MYSQL": {"port": 0}}, {"LMS_HOST": "a_b.test"}], ids=["setting", "host"]
)
def test_another_save_repairs_it(new_root: NewRoot, settings: dict[str, Any]) -> None:
    """Where a plugin declares its hosts is known while rendering only."""
    root = new_root("aws", **settings)
    saved = root.run("config", "save", check=False)
    assert saved.returncode == 1
    (name,) = settings
    assert f"{name}" in saved.stdout.partition("Error: ")[2]
    assert "Traceback" not in saved.stdout
    root.run("config", "save", "--unset", name)


@pytest.mark.wires("mongodb_parameters")
def test_a_password_may_hold_what_urls_cannot(new_root: NewRoot, tmp_path: Path) -> None:
    """It arrives as it is, with the longest name of an instance."""
    authority = tmp_path / "ca.pem"
    authority.write_bytes(AUTHORITY.pem)
    root = new_root(
        "aws", "mfe", *PLUGIN_FILES, **external_services(authority), K8S_NAMESPACE="a" * 16
    )
    root.run("config", "save")
    settings = platform_settings(root, "lms")
    for url in (settings["CACHES"]["default"]["LOCATION"], settings["BROKER_URL"]):
        assert redis_client(url)["password"] == PASSWORD
    client = mongo_client({**settings["mongodb_parameters"], "tlsCAFile": str(authority)})
    assert client.options._options["password"] == PASSWORD
    assert len(settings["DATABASES"]["default"]["USER"]) == 23
