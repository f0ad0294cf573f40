"""Search of courses and of discovery on a shared OpenSearch: the rendered settings, in use."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from localcluster.certificates import Authority
from tutorplatform import manifests

from demo.tutor import TutorRoot
from tests.render.aws_services import PASSWORD, external_services
from tests.render.edx_platform import platform_settings, plugin_settings
from tests.render.search_server import Request, SearchServer

pytestmark = pytest.mark.render

NewRoot = Callable[..., TutorRoot]

SERVICES = ("platform", "discovery")
ROLE = {
    "AWS_ACCESS_KEY_ID": "AKIAROLE",
    "AWS_SECRET_ACCESS_KEY": "of-the-role",
    "AWS_SESSION_TOKEN": "token-of-the-role",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchServer]:
    with SearchServer(tmp_path_factory.mktemp("search")) as running:
        yield running


@pytest.fixture(scope="module")
def instances(new_root: NewRoot, ca_file: Path, server: SearchServer) -> dict[str, TutorRoot]:
    """Two on one domain, one called after an index prefix of the other, to make it hard."""
    made = {}
    for name in ("acme", "acmediscovery"):
        root = new_root(
            *("aws", "mfe", "discovery"),
            **{**external_services(ca_file), "AWS_OPENSEARCH": at(server), "K8S_NAMESPACE": name},
        )
        root.run("config", "save")
        made[name] = root
    return made


@pytest.fixture(scope="module")
def with_role(new_root: NewRoot, ca_file: Path, server: SearchServer) -> TutorRoot:
    search = {"AWS_OPENSEARCH": at(server, auth="role")}
    root = new_root("aws", "mfe", "discovery", **{**external_services(ca_file), **search})
    root.run("config", "save")
    return root


def at(server: SearchServer, **options: Any) -> dict[str, Any]:
    return {"host": "localhost", "port": server.port, **options}


def asked(
    server: SearchServer, root: TutorRoot, service: str, ca_file: Path | None = None
) -> list[Request]:
    """What the server is asked by a service that is in use."""
    seen = len(server.requests)
    authority = [str(ca_file or server.ca_file)]
    command = [sys.executable, "-m", "tests.render.searcher", str(root.path), service, *authority]
    environment = {**root.variables, **ROLE}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return server.requests[seen:]


@pytest.mark.wires(
    *("SEARCH_ENGINE", "ELASTIC_SEARCH_CONFIG", "ELASTIC_SEARCH_INDEX_PREFIX"),
    *("discovery:ELASTICSEARCH_DSL", "discovery:ELASTICSEARCH_INDEX_NAMES"),
    "discovery:DISCOVERY_RUN_ELASTICSEARCH",
)
@pytest.mark.parametrize("service", SERVICES)
def test_instances_keep_to_their_own_indexes(
    server: SearchServer, instances: dict[str, TutorRoot], service: str
) -> None:
    """Whatever they do, be it in a bulk request, and under their own user."""
    for name, root in instances.items():
        requests = asked(server, root, service)
        assert len(requests) > 3
        indexes = {index for request in requests for index in request.indexes}
        assert {index for index in indexes if not index.startswith(f"{name}_")} == set()
        login = b64encode(f"{name}openedx:{PASSWORD}".encode()).decode()
        assert {request.headers["authorization"] for request in requests} == {f"Basic {login}"}


def test_discovery_keeps_apart_from_the_platform(instances: dict[str, TutorRoot]) -> None:
    """It looks for what is behind an alias with `<alias>_*`."""
    names = plugin_settings(instances["acme"], "discovery")["ELASTICSEARCH_INDEX_NAMES"]
    assert sorted(names.values()) == ["acme_discovery_course", "acme_discovery_person"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_domain_that_cannot_prove_who_it_is_is_refused(
    server: SearchServer, instances: dict[str, TutorRoot], service: str, tmp_path: Path
) -> None:
    """Before it has seen a password."""
    other = tmp_path / "other.pem"
    other.write_bytes(Authority.new("somebody else").pem)
    seen = len(server.requests)
    with pytest.raises(AssertionError, match="CERTIFICATE_VERIFY_FAILED"):
        asked(server, instances["acme"], service, other)
    assert len(server.requests) == seen


@pytest.mark.wires("ELASTIC_SEARCH_IMPL")
@pytest.mark.parametrize("service", SERVICES)
def test_requests_are_signed_with_the_role(
    server: SearchServer, with_role: TutorRoot, service: str
) -> None:
    """Each as it arrives: method, path, query, host and body; no user is known at all."""
    requests = asked(server, with_role, service)
    assert len(requests) > 3
    for request in requests:
        assert request.is_signed("of-the-role", "eu-west-1", "es"), request
        assert request.headers["x-amz-security-token"] == "token-of-the-role"
    assert "http_auth" not in platform_settings(with_role, "lms")["ELASTIC_SEARCH_CONFIG"][0]


def test_reading_the_settings_needs_no_role(with_role: TutorRoot) -> None:
    """As where static files are collected."""
    assert platform_settings(with_role, "cms")["ELASTIC_SEARCH_IMPL"]


@pytest.mark.parametrize(("auth", "account"), [("role", "openedx-plugins"), ("password", None)])
def test_discoverys_pods_have_the_role_to_sign_with(
    auth: str, account: str | None, new_root: NewRoot, ca_file: Path, server: SearchServer
) -> None:
    """And none where a password does, if they keep no files on S3 either."""
    services = {"AWS_OPENSEARCH": at(server, auth=auth), "AWS_S3": {"enabled": False}}
    root = new_root("aws", "mfe", "discovery", **{**external_services(ca_file), **services})
    root.run("config", "save")
    specs = {
        manifests.name(each): manifests.pod_spec(each) or {}
        for each in manifests.of_kind(root.rendered(), "Deployment", "Job")
    }
    for name in ("discovery", "discovery-job"):
        assert specs[name].get("serviceAccountName") == account


def test_without_a_host_courses_stay_in_meilisearch(new_root: NewRoot, ca_file: Path) -> None:
    """As Tutor has them; and discovery, which has to be somewhere, in its own Elasticsearch."""
    services = {**external_services(ca_file), "AWS_OPENSEARCH": {}}
    root = new_root("aws", "mfe", "discovery", **services, DISCOVERY_RUN_ELASTICSEARCH=True)
    assert "nothing can be deployed" not in root.run("config", "save").stdout
    settings = platform_settings(root, "lms")
    assert settings["SEARCH_ENGINE"] == "search.meilisearch.MeilisearchEngine"
    assert [name for name in settings if name.startswith("ELASTIC")] == []
    hosts = plugin_settings(root, "discovery")["ELASTICSEARCH_DSL"]["default"]["hosts"]
    assert hosts == "http://elasticsearch:9200/"


@pytest.mark.wires("MEILISEARCH_API_KEY", "MEILISEARCH_INDEX_PREFIX", "MEILISEARCH_URL")
def test_instances_keep_to_their_own_indexes_in_a_shared_meilisearch(
    new_root: NewRoot, ca_file: Path, server: SearchServer
) -> None:
    """Each with a key of its own, though the master key is one for all."""
    url = f"https://localhost:{server.port}"
    elsewhere = {"RUN_MEILISEARCH": False, "MEILISEARCH_URL": url, "MEILISEARCH_PUBLIC_URL": url}
    services = {**external_services(ca_file), **elsewhere, "AWS_OPENSEARCH": {}}
    keys = set()
    for name in ("acme", "acmebeta"):
        root = new_root("aws", **services, K8S_NAMESPACE=name, MEILISEARCH_MASTER_KEY="master")
        root.run("config", "save")
        requests = asked(server, root, "meilisearch")
        assert len(requests) > 3
        for request in requests:
            assert request.target.startswith(f"/indexes/{name}_courseware_content/")
        (key,) = {request.headers["authorization"] for request in requests}
        keys.add(key)
    assert len(keys - {"Bearer master"}) == 2


def test_no_elasticsearch_runs_for_discovery(instances: dict[str, TutorRoot]) -> None:
    """Its volume would bind it to one zone."""
    names = {manifests.name(each) for each in instances["acme"].rendered()}
    assert "discovery" in names
    assert "elasticsearch" not in names


def test_the_password_is_a_token_with_the_secrets_plugin(new_root: NewRoot, ca_file: Path) -> None:
    """Nothing that is rendered holds it, and nothing asks for it in plain text."""
    services = {k: v for k, v in external_services(ca_file).items() if "PASSWORD" not in k}
    root = new_root("aws", "mfe", "discovery", "secrets", **services)
    assert "nothing can be deployed" not in root.run("config", "save").stdout
    _, password = platform_settings(root, "lms")["ELASTIC_SEARCH_CONFIG"][0]["http_auth"]
    hosts = plugin_settings(root, "discovery")["ELASTICSEARCH_DSL"]["default"]["hosts"]
    assert "OPENSEARCH_PASSWORD" in password
    assert hosts[0]["http_auth"] == ("acmeopenedx", password)
    plain = root.run("config", "save", "--set", "OPENSEARCH_PASSWORD=s3cret", check=False)
    assert plain.returncode == 1
    assert "OPENSEARCH_PASSWORD: a secret in plain text" in plain.stdout
