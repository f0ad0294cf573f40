"""What `charts/platform` says to a cluster that it cannot be installed on: its checks, one by one.

`lookup` finds nothing without a cluster, so each check is told what it would have found.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.chart.conftest import REQUIRED, Chart, Helm, merged

pytestmark = pytest.mark.chart

Check = Callable[[str, Any], str]

TRY = """kind: Said
said: {{ include .Values.global.check .Values.global.found | trim | quote }}
"""
LABELS = {"app.kubernetes.io/instance": "platform"}
FIELDS = ["wafv2AclArn", "wafv2AclName", "prefixListsIDs", "inboundCIDRs", "loadBalancerName"]
FIELDS += ["sslRedirectPort", "targetType"]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory, chart: Chart, helm: Helm) -> Check:
    """Runs one check with what the cluster has; what it says."""
    copy = tmp_path_factory.mktemp("checks") / "platform"
    shutil.copytree(chart.path, copy)
    (copy / "templates" / "try.yaml").write_text(TRY)

    def run(name: str, found: Any) -> str:
        tried = {"global": {"check": f"platform.checks.{name}", "found": found}}
        where = ("--namespace=platform", "--kube-version=1.36.3")
        only = "--show-only=templates/try.yaml"
        said = helm("template", "platform", str(copy), *where, only, **merged(REQUIRED, tried))
        text: str = yaml.safe_load(said)["said"]
        return text

    return run


def crd(fields: list[str]) -> dict[str, Any]:
    spec = {"properties": {key: {"type": "string"} for key in fields}}
    schema = {"openAPIV3Schema": {"properties": {"spec": spec}}}
    return {"spec": {"versions": [{"name": "v1beta1", "schema": schema}]}}


def params(name: str, protected: str, release: str = "platform") -> dict[str, Any]:
    attributes = [{"key": "deletion_protection.enabled", "value": protected}]
    return {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": release}},
        "spec": {"loadBalancerAttributes": attributes},
    }


def ingress(namespace: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": "certificates"}, "spec": spec}


@pytest.mark.parametrize(
    ("version", "refused"),
    [("v3.10.3", True), ("v3.17.4", True), ("v3.18.0", False), ("v4.3.1", False)],
)
def test_an_old_helm_is_refused(check: Check, version: str, refused: bool) -> None:
    """Before 3.18 it does not read the schema."""
    said = check("helm", version)
    assert said.startswith(f"helm: {version} does not read") is refused
    assert bool(said) is refused


@pytest.mark.parametrize("missing", [[], ["wafv2AclName"], ["wafv2AclArn", "wafv2AclName"]])
def test_a_stale_crd_is_refused_with_the_command(check: Check, missing: list[str]) -> None:
    """Otherwise Helm 3 says "deployed", and the web ACL is not in the object."""
    said = check("stale", crd([each for each in FIELDS if each not in missing]))
    assert bool(said) is bool(missing)
    assert ", ".join(missing) in said
    if missing:
        command = "helm show crds charts/platform | kubectl apply --server-side"
        assert command in said


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        ({}, True),
        ({"metadata": {"name": "platform"}}, True),
        ({"metadata": {"labels": {"openedx-platform/edge": "no"}}}, True),
        ({"metadata": {"labels": {"openedx-platform/edge": "allowed"}}}, False),
    ],
    ids=["absent", "bare", "denied", "allowed"],
)
def test_the_namespace_has_to_be_allowed(check: Check, found: Any, refused: bool) -> None:
    """Without the label the controller would ignore the edge, and only its log would say so."""
    said = check("namespace", ["platform", found])
    assert bool(said) is refused
    if refused:
        assert "kubectl label namespace platform openedx-platform/edge=allowed" in said


def test_a_protected_load_balancer_is_not_taken_away(check: Check) -> None:
    """Those that stay, that may go, and those of others are no matter."""
    live = [
        params("edge-main", "true"),
        params("edge-second", "false"),
        params("x", "true", "other"),
    ]
    assert check("protected", ["platform", ["edge-main"], live]) == ""
    said = check("protected", ["platform", [], live])
    assert said.startswith("edge: the load balancer of edge-main is to go, and AWS refuses")
    assert "edge.deletionProtection=false" in said
    assert len(said.splitlines()) == 1


def test_anchors_are_not_left_behind(check: Check) -> None:
    """An instance's Ingress would keep the load balancer, and every request would be 404."""
    live = [
        ingress("platform", ingressClassName="alb"),
        ingress("acme", ingressClassName="alb"),
        ingress("acme", ingressClassName="traefik"),
        ingress("beta"),
    ]
    assert check("anchors", ["platform", [], live]) == ""
    said = check("anchors", ["platform", ["alb"], live])
    assert said.startswith("edge: Ingress acme/certificates is of class alb")
    assert said.endswith("`kubectl delete ingress --namespace acme certificates`")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("found", "refused"),
    [({}, True), ({"status": {}}, True), ({"status": {"readyReplicas": 1}}, False)],
    ids=["absent", "down", "ready"],
)
def test_target_groups_wait_for_the_controller(check: Check, found: Any, refused: bool) -> None:
    """The API server asks it about each binding; no label spares it, other than for classes."""
    said = check("webhook", found)
    assert said.startswith("edge.mode: targetGroupBinding needs the controller") is refused
    assert bool(said) is refused


def test_every_sentence_says_what_to_do(check: Check) -> None:
    """Where, what is wrong, and after a semicolon what to do."""
    for name, found in {
        "helm": "v3.10.0",
        "stale": crd([]),
        "namespace": ["platform", {}],
        "protected": ["platform", [], [params("edge-main", "true")]],
        "anchors": ["platform", ["alb"], [ingress("acme", ingressClassName="alb")]],
        "webhook": {},
    }.items():
        where, _, rest = check(name, found).partition(": ")
        assert where
        assert ", " in rest or "; " in rest
