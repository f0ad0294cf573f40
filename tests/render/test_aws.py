"""What Tutor and kustomize render with the aws plugin."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tutorplatform import manifests

from demo.tutor import TutorRoot
from tests.render.aws_services import CERTIFICATE, external_services
from tests.render.edx_platform import platform_settings

pytestmark = pytest.mark.render

NewRoot = Callable[..., TutorRoot]

OWN_SERVICES = {"RUN_MYSQL": True, "RUN_REDIS": True, "RUN_MONGODB": True, "RUN_SMTP": True}
OFFICIAL_PLUGINS = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
STATELESS = {
    *("caddy", "cms", "cms-worker", "lms", "lms-worker"),
    *("meilisearch", "search-indexer"),
}


@pytest.fixture(scope="module")
def acme(new_root: NewRoot, ca_file: Path) -> TutorRoot:
    root = new_root("aws", **external_services(ca_file))
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def acme_objects(acme: TutorRoot) -> list[manifests.Manifest]:
    return acme.rendered()


def deployments(objects: list[manifests.Manifest]) -> set[str]:
    return {manifests.name(manifest) for manifest in manifests.of_kind(objects, "Deployment")}


def hosts(objects: list[manifests.Manifest]) -> list[str]:
    return [
        rule["host"]
        for manifest in manifests.of_kind(objects, "Ingress")
        for rule in manifest["spec"]["rules"]
    ]


# Kubernetes objects


def test_no_database_runs_in_the_cluster(acme_objects: list[manifests.Manifest]) -> None:
    """What is left has no data, except search, which is filled anew wherever it starts."""
    assert deployments(acme_objects) == STATELESS
    assert list(manifests.of_kind(acme_objects, "PersistentVolumeClaim")) == []


def test_every_queue_has_a_worker(acme_objects: list[manifests.Manifest]) -> None:
    """Also that of ORA2, where the platform sends tasks and Tutor's worker does not look."""
    (worker,) = (each for each in acme_objects if manifests.name(each) == "lms-worker")
    (container,) = worker["spec"]["template"]["spec"]["containers"]
    (queues,) = (word for word in container["args"] if word.startswith("--queues="))
    names = ("default", "high", "high_mem", "ora_workflow_update")
    assert queues == "--queues=" + ",".join(f"edx.lms.core.{name}" for name in names)


def test_every_public_host_has_one_ingress(acme_objects: list[manifests.Manifest]) -> None:
    """The browser talks to the LMS, to Studio and to Meilisearch."""
    assert hosts(acme_objects) == [
        "learn.acme.test",
        "meilisearch.learn.acme.test",
        "studio.learn.acme.test",
    ]


def test_the_ingress_finds_caddys_port(acme_objects: list[manifests.Manifest]) -> None:
    """The backend is a port that the Service has, by that name."""
    (caddy,) = (
        s for s in manifests.of_kind(acme_objects, "Service") if manifests.name(s) == "caddy"
    )
    assert caddy["spec"]["type"] == "ClusterIP"
    assert [port["name"] for port in caddy["spec"]["ports"]] == ["http"]


def test_tutor_starts_our_objects_with_its_own(acme_objects: list[manifests.Manifest]) -> None:
    """They are in the namespace and match the selector of `tutor k8s start`."""
    ours = list(manifests.of_kind(acme_objects, "Ingress", "ServiceAccount"))
    assert len(ours) == 5
    for manifest in ours:
        labels = manifests.labels(manifest)
        assert manifest["metadata"]["namespace"] == "acme"
        assert labels["app.kubernetes.io/managed-by"] == "tutor"
        assert labels.get("app.kubernetes.io/component") not in ("job", "namespace")


def test_the_platforms_pods_have_role_region_and_ca(
    acme_objects: list[manifests.Manifest],
) -> None:
    """Web servers, workers and jobs alike, and no other pods."""
    specs = {
        manifests.name(manifest): manifests.pod_spec(manifest) or {}
        for manifest in manifests.of_kind(acme_objects, "Deployment", "Job")
    }
    with_account = {name for name, spec in specs.items() if "serviceAccountName" in spec}
    assert with_account == {
        *("lms", "cms", "lms-worker", "cms-worker", "lms-job", "cms-job"),
        "search-indexer",
    }
    accounts = {manifests.name(a): a for a in manifests.of_kind(acme_objects, "ServiceAccount")}
    account = accounts["openedx"]
    (config_map,) = (
        manifest
        for manifest in manifests.of_kind(acme_objects, "ConfigMap")
        if manifests.name(manifest).startswith("aws-ca-")
    )
    assert config_map["data"].pop("mysql-client.cnf").startswith("[client]\n")
    assert config_map["data"] == {"mysql.pem": CERTIFICATE, "mongodb.pem": CERTIFICATE}
    for name in with_account:
        (container,) = specs[name]["containers"]
        volumes = {volume["name"]: volume for volume in specs[name]["volumes"]}
        assert specs[name]["serviceAccountName"] == manifests.name(account)
        assert {"name": "AWS_DEFAULT_REGION", "value": "eu-west-1"} in container["env"]
        assert {"name": "aws-ca", "mountPath": "/openedx/aws-ca"} in container["volumeMounts"]
        assert volumes["aws-ca"]["configMap"]["name"] == manifests.name(config_map)
        assert "settings-lms" in volumes


# Tutor's own services


@pytest.mark.parametrize(
    ("change", "running", "untouched"),
    [
        pytest.param({"RUN_MYSQL": True}, {"mysql"}, "DATABASES", id="MySQL"),
        pytest.param({"RUN_REDIS": True}, {"redis"}, "CACHES", id="Redis"),
        pytest.param({"RUN_MONGODB": True}, {"mongodb"}, "MODULESTORE", id="MongoDB"),
        pytest.param({"RUN_SMTP": True}, {"smtp"}, "EMAIL_BACKEND", id="SMTP"),
        pytest.param({"AWS_S3": {"enabled": False}}, set(), "STORAGES", id="files"),
    ],
)
def test_each_service_can_be_tutors_own(
    new_root: NewRoot,
    ca_file: Path,
    vanilla: TutorRoot,
    change: dict[str, Any],
    running: set[str],
    untouched: str,
) -> None:
    """Its pod is back, and the platform talks to it as it does without the plugin."""
    # REDIS_PASSWORD and MONGODB_PASSWORD stay away: they would be Tutor's servers' passwords.
    services = {k: v for k, v in external_services(ca_file).items() if "PASSWORD" not in k}
    root = new_root()
    root.write_config({**vanilla.config(), **services, **change}, ["aws"])
    root.run("config", "save")
    assert deployments(root.rendered()) == STATELESS | running
    for service in ("lms", "cms"):
        ours, tutors = platform_settings(root, service), platform_settings(vanilla, service)
        assert ours[untouched] == tutors[untouched]


@pytest.fixture(scope="module")
def vanilla(new_root: NewRoot) -> TutorRoot:
    """Tutor without any plugin."""
    root = new_root(ENABLE_HTTPS=True)
    root.run("config", "save")
    return root


def test_with_all_of_tutors_own_services_nothing_changes(
    new_root: NewRoot, vanilla: TutorRoot
) -> None:
    """The settings of an instance that brings nothing along are Tutor's own, to the last value."""
    own = {**vanilla.config(), **OWN_SERVICES, "ENABLE_WEB_PROXY": True}
    root = new_root()
    left = {
        "AWS_S3": {"enabled": False},
        "AWS_LOGS": {"format": "files"},
        "AWS_MEILISEARCH": {"ephemeral": False},
    }
    root.write_config({**own, **left}, ["aws"])
    output = root.run("config", "save").stdout
    assert "nothing can be deployed" not in output
    for service in ("lms", "cms"):
        ours, tutors = (
            {k: v for k, v in platform_settings(r, service).items() if k.isupper()}
            for r in (root, vanilla)
        )
        # Which the platform has no use for.
        assert tutors.pop("MEILISEARCH_MASTER_KEY")
        assert not ours.pop("MEILISEARCH_MASTER_KEY")
        assert ours == tutors
    caddyfile, tutors_caddyfile = (
        (r.path / "env/apps/caddy/Caddyfile").read_text() for r in (root, vanilla)
    )
    assert caddyfile == tutors_caddyfile
    assert deployments(root.rendered()) == deployments(vanilla.rendered())
    assert hosts(root.rendered()) == []


def test_search_that_runs_elsewhere(new_root: NewRoot, ca_file: Path) -> None:
    """It gets the instance's prefix, and no Ingress, since Caddy does not serve it."""
    elsewhere = "https://search.example.test"
    root = new_root(
        "aws",
        **external_services(ca_file),
        RUN_MEILISEARCH=False,
        MEILISEARCH_URL=elsewhere,
        MEILISEARCH_PUBLIC_URL=elsewhere,
    )
    root.run("config", "save")
    assert hosts(root.rendered()) == ["learn.acme.test", "studio.learn.acme.test"]
    assert platform_settings(root, "lms")["MEILISEARCH_INDEX_PREFIX"] == "acme_"


# Other plugins


@pytest.fixture(scope="module")
def with_official_plugins(new_root: NewRoot, ca_file: Path) -> list[manifests.Manifest]:
    root = new_root("aws", *OFFICIAL_PLUGINS, **external_services(ca_file))
    root.run("config", "save")
    for service in ("lms", "cms"):
        path = root.path / f"env/apps/openedx/settings/{service}/production.py"
        compile(path.read_text(), str(path), "exec")
    return root.rendered()


def test_all_official_plugins_together(with_official_plugins: list[manifests.Manifest]) -> None:
    """They render, with an Ingress for each host they declare."""
    assert STATELESS | {"credentials", "discovery", "mfe", "notes", "xqueue"} <= deployments(
        with_official_plugins
    )
    assert set(hosts(with_official_plugins)) == {
        "learn.acme.test",
        "studio.learn.acme.test",
        "apps.learn.acme.test",
        "credentials.learn.acme.test",
        "discovery.learn.acme.test",
        "meilisearch.learn.acme.test",
        "notes.learn.acme.test",
        "xqueue.learn.acme.test",
    }
    assert len(hosts(with_official_plugins)) == 8


# Images


@pytest.mark.parametrize("own", [False, True], ids=["AWS' services", "Tutor's own services"])
def test_every_image_comes_from_ecr(new_root: NewRoot, ca_file: Path, own: bool) -> None:
    """Tutor's and its plugins' own ones, and those of others through the cache."""
    registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    services = {k: v for k, v in external_services(ca_file).items() if "PASSWORD" not in k}
    root = new_root(
        *("aws", "autoscale", "secrets", *OFFICIAL_PLUGINS),
        **{**services, **(OWN_SERVICES if own else {})},
        AWS_ECR={"registry": registry, "pull_through": {"docker.io": "hub"}},
        DOCKER_IMAGE_MEILISEARCH="registry.acme.test/meilisearch:1",
    )
    root.run("config", "save")
    images = {
        container["image"]
        for manifest in root.rendered()
        for kind in ("containers", "initContainers")
        for container in (manifests.pod_spec(manifest) or {}).get(kind, [])
    }
    # What somebody has chosen stays.
    images.remove("registry.acme.test/meilisearch:1")
    assert [image for image in images if not image.startswith(f"{registry}/")] == []
    names = {image.removeprefix(f"{registry}/").partition(":")[0] for image in images}
    expected = {"overhangio/openedx", "hub/library/caddy", "hub/library/mysql"}
    if own:
        expected |= {"hub/library/redis", "hub/library/mongo", "hub/devture/exim-relay"}
    assert expected < names


# Incomplete configurations


def fake_kubectl(folder: Path) -> Path:
    """A kubectl for a cluster that answers, and takes note of what it is asked to do."""
    version = {"minor": "36"}
    answer = json.dumps({"clientVersion": version, "serverVersion": version})
    script = folder / "kubectl"
    script.write_text(
        f"""#!/bin/sh
echo "$1" >> '{folder}/calls'
if [ "$1" = version ]; then echo '{answer}'; fi
"""
    )
    script.chmod(0o755)
    return folder / "calls"


def with_kubectl(root: TutorRoot, folder: Path) -> TutorRoot:
    return TutorRoot(root.path, {"PATH": f"{folder}:{os.environ['PATH']}"})


def test_enabling_the_plugin_needs_nothing_set(new_root: NewRoot, tmp_path: Path) -> None:
    """It renders, says once what is missing, and nothing is applied before that is there."""
    calls = fake_kubectl(tmp_path)
    plain = new_root()
    root = with_kubectl(plain, tmp_path)
    enabled = root.run("plugins", "enable", "aws")
    assert enabled.stdout.count("nothing can be deployed before") == 1
    assert "--set AWS_MYSQL='{host: …, ca_file: …}'" in enabled.stdout
    assert deployments(plain.rendered()) == STATELESS

    started = root.run("k8s", "start", check=False)
    assert started.returncode == 1
    assert "Error: aws: nothing can be deployed before" in started.stdout
    assert "Traceback" not in started.stdout
    assert "apply" not in calls.read_text().split()


def test_a_complete_configuration_is_applied(acme: TutorRoot, tmp_path: Path) -> None:
    """And there is nothing to be alerted of."""
    calls = fake_kubectl(tmp_path)
    saved = acme.run("config", "save")
    assert "nothing can be deployed" not in saved.stdout
    with_kubectl(acme, tmp_path).run("k8s", "start")
    assert "apply" in calls.read_text().split()
