"""What edx-platform makes of the settings that the aws plugin renders."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
import pytest
from localcluster.certificates import Authority
from redis.connection import SSLConnection, parse_url

from demo.tutor import TutorRoot
from tests.render.aws_services import PASSWORD, external_services
from tests.render.edx_platform import PLUGIN_FILES, platform_settings, plugin_settings

pytestmark = pytest.mark.render

NewRoot = Callable[..., TutorRoot]

REDIS = {"host": "cache.test", "username": "openedx"}
S3 = "storages.backends.s3.S3Storage"


def redis_client(url: str) -> dict[str, Any]:
    """What redis-py connects to."""
    return dict(parse_url(url))  # type: ignore[no-untyped-call]


def mongo_client(parameters: dict[str, Any]) -> Any:
    """The client that edx-platform's `connect_to_mongodb` makes of them."""
    names = {"user": "username", "authsource": "authSource"}
    options = {names.get(key, key): value for key, value in parameters.items() if key != "db"}
    preference = getattr(pymongo.ReadPreference, options["read_preference"])
    return pymongo.MongoClient(**{**options, "read_preference": preference})


@pytest.fixture(scope="module")
def acme(new_root: NewRoot, ca_file: Path) -> TutorRoot:
    root = new_root("aws", "forum", *PLUGIN_FILES, "mfe", **external_services(ca_file))
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def beta(new_root: NewRoot, ca_file: Path) -> TutorRoot:
    # Named after a database of acme's, to make it hard.
    root = new_root(
        *("aws", "forum", *PLUGIN_FILES, "mfe"),
        **external_services(ca_file),
        K8S_NAMESPACE="acmeopenedx",
        LMS_HOST="learn.beta.test",
    )
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def lms(acme: TutorRoot) -> dict[str, Any]:
    return platform_settings(acme, "lms")


@pytest.fixture(scope="module")
def cms(acme: TutorRoot) -> dict[str, Any]:
    return platform_settings(acme, "cms")


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires(
    *("CACHES", "BROKER_CONNECTION_TIMEOUT", "BROKER_URL", "BROKER_USE_SSL"),
    "EVENT_BUS_REDIS_CONNECTION_URL",
)
def test_redis_is_reached_over_verified_tls(acme: TutorRoot, service: str) -> None:
    """Whatever the password holds, each client gets it back as it was."""
    settings = platform_settings(acme, service)
    caches = {name: c for name, c in settings["CACHES"].items() if "redis" in c["BACKEND"]}
    expected = {
        "username": "openedx",
        "password": PASSWORD,
        "host": "cache.test",
        "port": 6379,
        "connection_class": SSLConnection,
    }
    assert len(caches) == 7
    for cache in caches.values():
        assert redis_client(cache["LOCATION"]) == {**expected, "db": 1}
    for setting in ("BROKER_URL", "EVENT_BUS_REDIS_CONNECTION_URL"):
        assert redis_client(settings[setting]) == {**expected, "db": 0}
    assert settings["BROKER_USE_SSL"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    # Another zone's server needs longer than the platform's second.
    assert settings["BROKER_CONNECTION_TIMEOUT"] == 4


@pytest.mark.wires(
    "CELERY_BROKER_HOSTNAME",
    "CELERY_BROKER_PASSWORD",
    "CELERY_BROKER_USER",
    "CELERY_BROKER_VHOST",
)
@pytest.mark.parametrize("service", ["lms", "cms"])
def test_the_parts_of_the_brokers_url_say_the_same(new_root: NewRoot, service: str) -> None:
    """The platform joins them without quoting; what reads them alone finds the same server."""
    root = new_root("aws", AWS_REDIS={**REDIS, "celery_database": 4}, REDIS_PASSWORD=PASSWORD)
    root.run("config", "save")
    settings = platform_settings(root, service)
    parts = ("HOSTNAME", "USER", "PASSWORD", "VHOST")
    host, user, password, index = (settings[f"CELERY_BROKER_{part}"] for part in parts)
    url = redis_client(settings["BROKER_URL"])
    assert (f"{url['host']}:{url['port']}", url["username"]) == (host, user)
    assert (url["password"], str(url["db"])) == (password, str(index))


def test_redis_with_a_token_only(new_root: NewRoot, ca_file: Path) -> None:
    """Tutor itself would render a URL without any credentials."""
    services = external_services(ca_file)
    root = new_root("aws", **{**services, "AWS_REDIS": {"host": "cache.test", "cache_database": 5}})
    root.run("config", "save")
    url = redis_client(platform_settings(root, "lms")["CACHES"]["default"]["LOCATION"])
    assert (url.get("username"), url["password"], url["db"]) == (None, PASSWORD, 5)


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires("CELERY_ENABLE_REMOTE_CONTROL")
def test_nobody_steers_the_workers_through_redis(acme: TutorRoot, service: str) -> None:
    """Channels know no key prefix and no database index."""
    assert platform_settings(acme, service)["CELERY_ENABLE_REMOTE_CONTROL"] is False


@pytest.mark.wires("BROKER_URL", "BROKER_TRANSPORT_OPTIONS")
def test_lms_and_studio_share_one_broker(lms: dict[str, Any], cms: dict[str, Any]) -> None:
    """Each sends tasks to the other's queues."""
    assert lms["BROKER_URL"] == cms["BROKER_URL"]
    assert lms["BROKER_TRANSPORT_OPTIONS"] == cms["BROKER_TRANSPORT_OPTIONS"]
    assert lms["BROKER_TRANSPORT_OPTIONS"]["fanout_prefix"] is True


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires("DATABASES")
def test_mysql_is_verified_and_has_a_reader(acme: TutorRoot, service: str) -> None:
    """The reader has no transactions of its own, and the same TLS."""
    databases = platform_settings(acme, service)["DATABASES"]
    writer, reader = databases["default"], databases["read_replica"]
    assert (writer["HOST"], reader["HOST"]) == ("db.test", "db-ro.test")
    assert (writer["ATOMIC_REQUESTS"], reader["ATOMIC_REQUESTS"]) == (True, False)
    assert writer["PORT"] == 3306
    for database in (writer, reader):
        assert database["OPTIONS"]["ssl"] == {"ca": "/openedx/aws-ca/mysql.pem"}
        assert database["OPTIONS"]["ssl_mode"] == "VERIFY_IDENTITY"
        assert database["OPTIONS"]["init_command"]
        assert database["OPTIONS"]["charset"] == "utf8mb4"
        assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)


@pytest.mark.parametrize("plugin", PLUGIN_FILES)
@pytest.mark.wires(
    "credentials:DATABASES", "discovery:DATABASES", "notes:DATABASES", "xqueue:DATABASES"
)
def test_plugins_have_a_verified_database_of_their_instance(acme: TutorRoot, plugin: str) -> None:
    """Tutor's plugins would all talk to one called after the plugin, without verifying it."""
    database = plugin_settings(acme, plugin)["DATABASES"]["default"]
    assert (database["HOST"], int(database["PORT"])) == ("db.test", 3306)
    assert (database["NAME"], database["USER"]) == (f"acme{plugin}", f"acme{plugin}")
    assert database["OPTIONS"]["ssl"] == {"ca": "/openedx/aws-ca/mysql.pem"}
    assert database["OPTIONS"]["ssl_mode"] == "VERIFY_IDENTITY"
    assert database["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize("plugin", PLUGIN_FILES)
def test_plugins_are_as_ever_with_tutors_own_services(new_root: NewRoot, plugin: str) -> None:
    password = {f"{plugin.upper()}_MYSQL_PASSWORD": "x"}
    own = {"RUN_MYSQL": True, "RUN_REDIS": True, "RUN_MONGODB": True}
    root = new_root("aws", "mfe", plugin, **own, **password)
    root.run("config", "save")
    plain = new_root("mfe", plugin, **password)
    plain.run("config", "save")
    for setting in ("DATABASES", "CACHES", "CELERY_BROKER_URL"):
        ours, tutors = (plugin_settings(each, plugin).get(setting) for each in (root, plain))
        assert ours == tutors


@pytest.mark.wires(
    "discovery:CACHES",
    "discovery:CELERY_BROKER_URL",
    "discovery:CELERY_BROKER_USE_SSL",
    "discovery:CELERY_BROKER_TRANSPORT_OPTIONS",
    "discovery:CELERY_WORKER_ENABLE_REMOTE_CONTROL",
    "EVENT_BUS_REDIS_CONNECTION_URL",
    "EVENT_BUS_TOPIC_PREFIX",
)
def test_discovery_shares_redis_over_verified_tls(acme: TutorRoot) -> None:
    """Cache, tasks and events; its tasks do not mix with the platform's."""
    settings = plugin_settings(acme, "discovery")
    login = {"username": "openedx", "password": PASSWORD, "host": "cache.test", "port": 6379}
    (cache,) = settings["CACHES"].values()
    for url, database in (
        (cache["LOCATION"], 1),
        (settings["CELERY_BROKER_URL"], 0),
        (settings["EVENT_BUS_REDIS_CONNECTION_URL"], 0),
    ):
        assert redis_client(url) == {**login, "connection_class": SSLConnection, "db": database}
    assert cache["KEY_PREFIX"] == "acme:discovery"
    assert settings["CELERY_BROKER_USE_SSL"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert settings["CELERY_BROKER_TRANSPORT_OPTIONS"] == {
        "global_keyprefix": "acme:discovery-celery:"
    }
    assert settings["CELERY_WORKER_ENABLE_REMOTE_CONTROL"] is False
    # Its events are for the platform, and the platform's for it.
    assert settings["EVENT_BUS_TOPIC_PREFIX"] == "acme:events"


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires("CONTENTSTORE", "DOC_STORE_CONFIG", "MODULESTORE")
def test_mongodb_is_verified_in_both_stores(acme: TutorRoot, service: str) -> None:
    """The module store reads from the primary, or authors see old content."""
    settings = platform_settings(acme, service)
    (store,) = settings["MODULESTORE"]["default"]["OPTIONS"]["stores"]
    for connection in (
        settings["DOC_STORE_CONFIG"],
        store["DOC_STORE_CONFIG"],
        settings["CONTENTSTORE"]["DOC_STORE_CONFIG"],
    ):
        assert connection["host"] == "mongo-a.test,mongo-b.test,mongo-c.test"
        assert connection["port"] == 27017
        assert connection["replicaSet"] == "rs0"
        assert connection["ssl"] is True
        assert connection["tlsCAFile"] == "/openedx/aws-ca/mongodb.pem"
        assert connection["read_preference"] == "PRIMARY"
        assert (connection["user"], connection["password"]) == ("acmeopenedx", PASSWORD)
        assert connection["w"] == "majority"


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires("FORUM_MONGODB_DATABASE", "FORUM_MONGODB_CLIENT_PARAMETERS")
def test_what_an_older_forum_left_is_the_instances_own(acme: TutorRoot, service: str) -> None:
    settings = platform_settings(acme, service)
    assert settings["FORUM_MONGODB_DATABASE"] == "acmeopenedx"
    parameters = settings["FORUM_MONGODB_CLIENT_PARAMETERS"]
    assert (parameters["ssl"], parameters["tlsCAFile"]) == (True, "/openedx/aws-ca/mongodb.pem")
    assert parameters["username"] == "acmeopenedx"


def test_pymongo_takes_the_parameters(lms: dict[str, Any], ca_file: Path, tmp_path: Path) -> None:
    """All servers, verified, as edx-platform hands the parameters on."""
    # pymongo reads the file at once, and our stand-in is no real certificate.
    authority = tmp_path / "ca.pem"
    authority.write_bytes(Authority.new("mongodb").pem)
    client = mongo_client({**lms["mongodb_parameters"], "tlsCAFile": str(authority)})
    assert client.options.pool_options._ssl_context is not None
    assert client._topology_settings.replica_set_name == "rs0"
    assert set(client._topology_settings.seeds) == {
        (f"mongo-{zone}.test", 27017) for zone in ("a", "b", "c")
    }
    assert client.write_concern.document == {"w": "majority"}
    assert client.options._options["authsource"] == "admin"


def test_mongodb_by_dns(new_root: NewRoot, ca_file: Path) -> None:
    """As Atlas has it: Tutor waits for no port, and no server is named."""
    services = external_services(ca_file)
    root = new_root("aws", **{**services, "AWS_MONGODB": {"srv_host": "acme.ab1cd.mongodb.test"}})
    root.run("config", "save")
    parameters = platform_settings(root, "lms")["mongodb_parameters"]
    assert parameters["host"] == "mongodb+srv://acme.ab1cd.mongodb.test"
    assert (parameters["ssl"], "tlsCAFile" in parameters) == (True, False)


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires("AWS_STORAGE_BUCKET_NAME", "STORAGES")
def test_files_go_to_the_private_bucket(acme: TutorRoot, service: str) -> None:
    """By default; static files stay local, and pictures for everybody are apart."""
    settings = platform_settings(acme, service)
    assert settings["AWS_STORAGE_BUCKET_NAME"] == "private"
    storages = settings["STORAGES"]
    assert storages.pop("staticfiles") == {"BACKEND": "static"}
    assert {storage["BACKEND"] for storage in storages.values()} == {S3}
    buckets = {name: each["OPTIONS"].get("bucket_name") for name, each in storages.items()}
    assert {name for name, bucket in buckets.items() if bucket == "public"} == {
        "profile_image",
        "video_image",
    }
    # Without a bucket of their own, photos of people are in the private one.
    assert buckets["verify_student"] == "private"


def test_without_s3_files_stay_as_tutor_has_them(new_root: NewRoot, ca_file: Path) -> None:
    """In the platform and in the plugins."""
    root = new_root(
        *("aws", "mfe", "discovery"), **{**external_services(ca_file), "AWS_S3": {"enabled": False}}
    )
    root.run("config", "save")
    settings = platform_settings(root, "cms")
    assert settings["STORAGES"]["default"] == {"BACKEND": "local"}
    assert settings["ORA2_FILEUPLOAD_BACKEND"] == "filesystem"
    assert plugin_settings(root, "discovery")["STORAGES"]["default"] == {"BACKEND": "local"}


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires(
    "EMAIL_BACKEND", "AWS_SES_REGION_NAME", "AWS_SES_REGION_ENDPOINT", "AWS_SES_CONFIGURATION_SET"
)
def test_mail_goes_through_ses_in_the_region(acme: TutorRoot, service: str) -> None:
    """Region and endpoint agree."""
    settings = platform_settings(acme, service)
    assert settings["EMAIL_BACKEND"] == "django_ses.SESBackend"
    assert settings["AWS_SES_REGION_NAME"] == "eu-west-1"
    assert settings["AWS_SES_REGION_ENDPOINT"] == "email.eu-west-1.amazonaws.com"
    assert settings["AWS_SES_CONFIGURATION_SET"] == "events"


def identifiers(root: TutorRoot) -> dict[str, str]:
    """What distinguishes an instance on services that it shares with others."""
    settings, discovery = platform_settings(root, "lms"), plugin_settings(root, "discovery")
    return {
        "MySQL database": settings["DATABASES"]["default"]["NAME"],
        "MySQL user": settings["DATABASES"]["default"]["USER"],
        "MongoDB database": settings["mongodb_parameters"]["db"],
        "MongoDB user": settings["mongodb_parameters"]["user"],
        "Celery": settings["BROKER_TRANSPORT_OPTIONS"]["global_keyprefix"],
        "events": settings["EVENT_BUS_TOPIC_PREFIX"],
        **{
            f"MySQL {part} of {plugin}": plugin_settings(root, plugin)["DATABASES"]["default"][part]
            for plugin in PLUGIN_FILES
            for part in ("NAME", "USER")
        },
        "MongoDB database of the old forum": settings["FORUM_MONGODB_DATABASE"],
        "discovery's cache": discovery["CACHES"]["default"]["KEY_PREFIX"],
        "discovery's tasks": discovery["CELERY_BROKER_TRANSPORT_OPTIONS"]["global_keyprefix"],
        **{
            f"cache {name}": cache["KEY_PREFIX"]
            for name, cache in settings["CACHES"].items()
            if "redis" in cache["BACKEND"]
        },
    }


def test_two_instances_on_the_same_services_do_not_meet(acme: TutorRoot, beta: TutorRoot) -> None:
    """No name of one is the start of a name of the other."""
    acmes, betas = identifiers(acme), identifiers(beta)
    for kind, name in acmes.items():
        assert name.rstrip(":") != betas[kind].rstrip(":")
    prefixes = [kind for kind in acmes if not kind.startswith("M")]
    assert len(prefixes) == 11
    for one in prefixes:
        for other in prefixes:
            assert not betas[one].startswith(acmes[other])
            assert not acmes[one].startswith(betas[other])
