"""Comparison: the manifests for Git are what is deployed, in an order in which they can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tutorplatform import manifests as kubernetes
from tutorplatform.errors import ConfigError, DeployError
from tutorplatform.manifests import Manifest
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing.comparison import manifests
from tutorsecrets.rewriting.pods import GATE
from tutorsecrets.stores.store import Store
from tutorsecrets.tokens import token
from tutorsecrets.typed import Typed

EXTERNAL = """
SECRETS_MODE: external-secrets
SECRETS_EXTERNAL: {role_arn: "arn:aws:iam::000000000000:role/x"}
AWS_REGION: eu-west-1
"""

WAVE = "argocd.argoproj.io/sync-wave"


class Rendered:
    """A cluster that is asked for nothing but the rendered environment."""

    def __init__(self, manifests: list[Manifest]) -> None:
        self.manifests = manifests

    def kustomize(self, directory: str) -> str:
        raise AssertionError(directory)

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        raise AssertionError(argv)

    def ask(self, *argv: str, given: str = "") -> str:
        assert argv[0] == "kustomize"
        return kubernetes.dump(self.manifests)


def no_store(_: Any) -> Store:
    raise AssertionError("the manifests need no store")


def workload(kind: str, version: str, gate: str = GATE) -> Manifest:
    volume = {"name": "v", "configMap": {"name": "config"}}
    pod = {"containers": [], "volumes": [volume], "schedulingGates": [{"name": gate}]}
    spec = {"template": {"spec": pod}}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "lms"}, "spec": spec}


CONFIGMAP = {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"f": token("A")}}
NAMESPACE = {"kind": "Namespace", "metadata": {"name": "acme"}}


def printed(root: Path, settings: str, *rendered: Manifest) -> list[Manifest]:
    (root / "config.yml").write_text(f"ID: x\n{settings}")
    session = Session(str(root), no_store, Typed(), Rendered(list(rendered)))
    return kubernetes.load(manifests(session))


def test_what_others_need_comes_first_and_jobs_not_at_all(tmp_path: Path) -> None:
    """Tutor's job templates have no task, and would run as they are."""
    rendered = (workload("Deployment", "apps/v1"), workload("Job", "batch/v1"), CONFIGMAP)
    found = printed(tmp_path, EXTERNAL, *rendered, NAMESPACE)
    waves = [
        (each["kind"], (each["metadata"].get("annotations") or {}).get(WAVE)) for each in found
    ]
    assert waves == [
        ("Namespace", "-2"),
        ("ServiceAccount", "-1"),
        ("SecretStore", "-1"),
        ("ExternalSecret", "-1"),
        ("Deployment", None),
    ]


def test_an_environment_rendered_without_the_plugin_is_not_for_git(tmp_path: Path) -> None:
    """It has values in place of tokens."""
    with pytest.raises(DeployError, match="run `tutor config save`"):
        printed(tmp_path, EXTERNAL, workload("Deployment", "apps/v1", "another/gate"))


def test_in_the_direct_mode_there_is_nothing_for_git(tmp_path: Path) -> None:
    """Its manifests have the values in them."""
    with pytest.raises(ConfigError, match=r"^SECRETS_MODE: is direct"):
        printed(tmp_path, "", NAMESPACE)
