"""Two instances with every plugin, launched on one platform: nothing of one is the other's."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator

from demo import instances
from demo.tutor import TutorRoot
from demo.view import View
from tests.conftest import NewRoot
from tests.render import tenants

pytestmark = [pytest.mark.cluster, pytest.mark.proof]

PLUGINS = (
    *("autoscale", "aws", "secrets"),
    *("credentials", "discovery", "forum", "mfe", "notes", "xqueue"),
)
Objects = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def roots(
    new_root: NewRoot, cluster: LocalCluster, aws: AwsEmulator, tmp_path_factory: Any
) -> Iterator[list[TutorRoot]]:
    """Both launched, side by side."""
    authority = tmp_path_factory.mktemp("authority") / "databases.pem"
    authority.write_bytes(Authority.new("databases").pem)
    environment = {**cluster.environment, **aws.environment}
    both = [
        new_root(*PLUGINS, environment=environment, **instances.settings(number, authority))
        for number in range(2)
    ]
    with ThreadPoolExecutor() as pool:
        list(pool.map(launch, both))
    yield both
    for root in both:
        root.run("k8s", "delete", "--yes")


def launch(root: TutorRoot) -> None:
    root.run("config", "save")
    root.run("secrets", "init")
    done = root.run("k8s", "launch", "-I", check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture(scope="module")
def objects(roots: list[TutorRoot], cluster: LocalCluster) -> Objects:
    """Instance → what is in its namespace."""
    return {name: View(cluster).objects(name) for name in instances.NAMES}


@pytest.fixture(scope="module")
def identifiers(roots: list[TutorRoot], objects: Objects, tmp_path_factory: Any) -> list[Any]:
    """Those of the settings that the pods of each have mounted, secret values and all."""
    return [
        tenants.identifiers(mounted(root, objects[name], tmp_path_factory.mktemp(name)))
        for root, name in zip(roots, instances.NAMES, strict=True)
    ]


def mounted(root: TutorRoot, found: list[dict[str, Any]], folder: Path) -> TutorRoot:
    """The live ConfigMaps and Secrets as files, each where Tutor's kustomization takes it from."""
    contents = {
        (name_without_hash(each), key): text
        for each in found
        if each["kind"] in ("ConfigMap", "Secret")
        for key, text in texts(each).items()
    }
    kustomization = yaml.safe_load((root.path / "env" / "kustomization.yml").read_text())
    for generator in kustomization["configMapGenerator"]:
        for file in generator.get("files", []):
            path = folder / "env" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(contents[generator["name"], path.name])
    return TutorRoot(folder)


def name_without_hash(manifest: dict[str, Any]) -> str:
    """Kustomize names an object by its content, the secrets plugin by its values besides."""
    name: str = manifest["metadata"]["name"]
    parts = name.split("-")
    while len(parts) > 1 and len(parts[-1]) == 10 and any(c.isdigit() for c in parts[-1]):
        parts.pop()
    return "-".join(parts)


def texts(manifest: dict[str, Any]) -> dict[str, str]:
    data = manifest.get("data") or {}
    if manifest["kind"] == "Secret":
        return {key: b64decode(code).decode(errors="replace") for key, code in data.items()}
    return dict(data)


def test_no_identifier_is_shared(identifiers: list[dict[str, str]]) -> None:
    """Databases, users, buckets, prefixes, indexes, hosts: of all services, of all plugins."""
    acmes, betas = identifiers
    assert len(acmes) > 150
    assert acmes.keys() == betas.keys()
    assert tenants.shared(acmes, betas) == {}


def test_nothing_of_one_is_named_by_the_other(
    identifiers: list[dict[str, str]], objects: Objects
) -> None:
    """Whatever is acme's alone is found in acme's objects only, and the other way round."""
    acmes, betas = identifiers
    for own, others, name in ((acmes, betas, "beta"), (betas, acmes, "acme")):
        alone = {value for path, value in own.items() if others.get(path) != value}
        # A number, or a short word, may well be a part of something else.
        alone = {value for value in alone if len(value) > 5}
        assert len(alone) > 50
        text = "\n".join(
            json.dumps(each) + "\n".join(texts(each).values()) for each in objects[name]
        )
        assert sorted(value for value in alone if value in text) == []


def test_no_object_is_of_both(objects: Objects, cluster: LocalCluster) -> None:
    """Namespaces keep them apart; nothing is made outside of one but the namespace itself."""
    assert all(each["metadata"]["namespace"] == name for name in objects for each in objects[name])
    listed = cluster.kubectl("api-resources", "--verbs=list", "--namespaced=false", "-o=name")
    kinds = [kind for kind in listed.split() if not kind.endswith(".metrics.k8s.io")]
    ours = [
        f"{each['kind']}/{each['metadata']['name']}"
        for each in View(cluster).get(",".join(kinds))
        if (each["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") == "tutor"
    ]
    assert sorted(ours) == ["Namespace/acme", "Namespace/beta"]


def test_hosts_and_roles_are_of_one_instance(objects: Objects) -> None:
    hosts = {
        name: {
            rule["host"]
            for each in objects[name]
            if each["kind"] == "Ingress"
            for rule in each["spec"]["rules"]
        }
        for name in objects
    }
    assert len(hosts["acme"]) == len(hosts["beta"]) >= 5
    assert not hosts["acme"] & hosts["beta"]
    roles = {
        each["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for name in objects
        for each in objects[name]
        if each["kind"] == "ServiceAccount" and each["metadata"]["name"] == "openedx"
    }
    assert len(roles) == 2
