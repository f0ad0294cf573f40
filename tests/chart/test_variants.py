"""Every way to use the chart that `ci/` has values for, against every Kubernetes that it is for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from platformchart.upstream import CHART
from tests.chart import schemas
from tests.chart.conftest import Chart, Helm

pytestmark = pytest.mark.chart

VARIANTS = sorted((CHART / "ci").glob("*-values.yaml"))
KUBERNETES = ("1.34.0", "1.35.0", schemas.NEWEST)

Rendered = Callable[..., list[Manifest]]

each_variant = pytest.mark.parametrize("values", VARIANTS, ids=lambda path: path.stem)
each_kubernetes = pytest.mark.parametrize("kubernetes", KUBERNETES)


@pytest.fixture(scope="session")
def rendered(helm: Helm, chart: Chart) -> Rendered:
    """The objects of a file of values, each rendered once."""

    @cache
    def render(values: Path, kubernetes: str = schemas.NEWEST) -> list[Manifest]:
        return fresh(helm, chart, values, kubernetes)

    return render


# Charts of others ask for it before they use it, and helm without a cluster knows of no kinds.
BUDGETS = "--api-versions=policy/v1/PodDisruptionBudget"


def fresh(helm: Helm, chart: Chart, values: Path, kubernetes: str) -> list[Manifest]:
    where = ("--namespace=platform", f"--kube-version={kubernetes}", BUDGETS)
    given = yaml.safe_load(values.read_text())
    return manifests.load(helm("template", "platform", str(chart.path), *where, **given))


@each_variant
@each_kubernetes
def test_helm_finds_nothing_to_blame(
    helm: Helm, chart: Chart, values: Path, kubernetes: str
) -> None:
    where = ("--strict", "--namespace=platform", f"--kube-version={kubernetes}")
    said = helm("lint", *where, str(chart.path), **yaml.safe_load(values.read_text()))
    assert "0 chart(s) failed" in said
    assert "[WARNING]" not in said


@pytest.mark.contracts
@each_variant
@each_kubernetes
def test_every_object_is_one_that_the_api_server_knows(
    rendered: Rendered, values: Path, kubernetes: str
) -> None:
    """By the schemas of that Kubernetes, and by those of the CRDs that the charts bring."""
    objects = rendered(values, kubernetes)
    known = [each for each in objects if each["kind"] not in schemas.WITHOUT_SCHEMA]
    assert [problem for each in known for problem in schemas.problems(each, kubernetes)] == []


@each_variant
def test_rendering_twice_gives_the_same(
    helm: Helm, chart: Chart, rendered: Rendered, values: Path
) -> None:
    """Otherwise each upgrade would change something, and start pods anew.

    But for certificates that charts of others make, and keep once they find them in the cluster.
    """
    again = fresh(helm, chart, values, schemas.NEWEST)
    assert without_certificates(again) == without_certificates(rendered(values))


def without_certificates(objects: Any) -> Any:
    """The same, but for the data of Secrets, and for whom the API server is to trust."""
    if isinstance(objects, list):
        return [without_certificates(each) for each in objects]
    if not isinstance(objects, dict):
        return objects
    hidden = {"caBundle"} | ({"data"} if objects.get("kind") == "Secret" else set())
    return {k: without_certificates(v) for k, v in objects.items() if k not in hidden}


@each_variant
def test_every_object_is_there_once(rendered: Rendered, values: Path) -> None:
    """And says by its labels whose it is."""
    objects = rendered(values)
    names = [
        (o["apiVersion"], o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])
        for o in objects
    ]
    assert sorted(set(names)) == sorted(names)
    for each in objects:
        # Those that charts of others bring.
        if each["kind"] != "CustomResourceDefinition":
            labels = each["metadata"]["labels"]
            ours = labels.get("app.kubernetes.io/part-of") == "platform"
            # Traefik's chart adds the namespace.
            theirs = ("platform", "platform-platform")
            assert ours or labels["app.kubernetes.io/instance"] in theirs


@each_variant
def test_the_only_door_is_the_edge(rendered: Rendered, values: Path) -> None:
    """A Service of type LoadBalancer or NodePort would be one without a web ACL."""
    services = [o for o in rendered(values) if o["kind"] == "Service"]
    types = {o["spec"].get("type", "ClusterIP") for o in services}
    assert types <= {"ClusterIP", "ExternalName"}
    assert not any("externalIPs" in o["spec"] for o in services)


@each_variant
def test_there_is_one_default_class_at_most(rendered: Rendered, values: Path) -> None:
    """Of Ingress, and of storage; and `alb` is none."""
    objects = rendered(values)
    for kind, annotation in {
        "IngressClass": "ingressclass.kubernetes.io/is-default-class",
        "StorageClass": "storageclass.kubernetes.io/is-default-class",
    }.items():
        default = [
            o["metadata"]["name"]
            for o in objects
            if o["kind"] == kind and o["metadata"].get("annotations", {}).get(annotation) == "true"
        ]
        assert len(default) <= 1
        assert not any(name.startswith("alb") for name in default)


@each_variant
def test_every_priority_class_that_pods_name_exists(rendered: Rendered, values: Path) -> None:
    objects = rendered(values)
    made = {o["metadata"]["name"] for o in objects if o["kind"] == "PriorityClass"}
    named = {o["spec"]["template"]["spec"].get("priorityClassName") for o in workloads(objects)}
    # Those that every cluster has.
    assert named - {None, "system-cluster-critical", "system-node-critical"} <= made


@each_variant
def test_a_workload_of_two_survives_a_node(rendered: Rendered, values: Path) -> None:
    """By its spread; and a drain that takes a node may not take both, by its budget."""
    objects = rendered(values)
    for each in workloads(objects):
        template = each["spec"]["template"]
        # Room is there to be taken.
        if each["spec"].get("replicas", 1) < 2 or each["metadata"]["name"] == "overprovisioning":
            continue
        labels = template["metadata"]["labels"].items()
        budgets = [o for o in objects if o["kind"] == "PodDisruptionBudget"]
        fitting = [b for b in budgets if b["spec"]["selector"]["matchLabels"].items() <= labels]
        assert len(fitting) == 1, each["metadata"]["name"]
        assert template["spec"]["topologySpreadConstraints"]


def workloads(objects: list[Manifest]) -> list[Manifest]:
    return [o for o in objects if o["kind"] in ("Deployment", "StatefulSet", "DaemonSet")]


@pytest.mark.contracts
def test_what_the_api_server_would_drop_is_noticed() -> None:
    """A field that a schema does not know, deep in an object of Kubernetes or of a CRD."""
    rule = {"host": "a.test", "htp": {}}
    ingress = made("networking.k8s.io/v1", "Ingress", {"rules": [rule]})
    params = made("elbv2.k8s.aws/v1beta1", "IngressClassParams", {"wafv2AclNam": "edge"})
    for each in (ingress, params):
        assert [problem for problem in schemas.problems(each, "1.36.0") if "unexpected" in problem]
    assert schemas.unknown([ingress, params, made("example.org/v1", "Own", {})]) == {"Own"}


def made(version: str, kind: str, spec: Manifest) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
