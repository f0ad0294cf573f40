"""The chart is installed while the load balancer controller is down, and over CRDs that are old."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from localcluster.cluster import LocalCluster
from localcluster.model import Manifest

from platformchart.errors import ChartError
from platformchart.local import merged
from platformchart.release import Release
from platformchart.upstream import CHART, CONTRACTS
from tests.cluster import webhooks
from tests.cluster.installation import INGRESS, TENANT, VALUES, live, namespaces
from tests.cluster.installed import refusal

pytestmark = [pytest.mark.cluster, pytest.mark.contracts, pytest.mark.proof]

CONTROLLER = "aws-load-balancer-controller"
PARAMS = "ingressclassparams.elbv2.k8s.aws"
BOUND = CHART / "ci" / "target-group-binding-values.yaml"


@pytest.fixture
def release(cluster: LocalCluster, platform_release: Release) -> Iterator[Release]:
    """The chart, not yet installed."""
    with namespaces(cluster, platform_release):
        yield platform_release


def service(namespace: str) -> Manifest:
    metadata = {"name": "caddy", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"ports": [{"port": 80}]},
    }


def ingress(namespace: str) -> Manifest:
    metadata = {"name": "learn", "namespace": namespace}
    backend = {"service": {"name": "caddy", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": "learn.tenant.test", "http": {"paths": paths}}]
    spec = {"ingressClassName": "traefik", "rules": rules}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": spec,
    }


@pytest.fixture
def down(cluster: LocalCluster) -> Iterator[None]:
    """The controller's webhooks, as its chart makes them with our values; nobody answers."""
    ours = yaml.safe_load((CHART / "values.yaml").read_text())[CONTROLLER]
    with webhooks.registered(cluster, merged(upstream_values(), ours)):
        yield


def upstream_values() -> Mapping[str, Any]:
    values: Mapping[str, Any] = yaml.safe_load((CONTRACTS / CONTROLLER / "values.yaml").read_text())
    return values


def test_everything_can_be_installed_and_changed(
    cluster: LocalCluster, release: Release, down: None
) -> None:
    """The edge's Ingress and IngressClassParams among it; and instances can be deployed."""
    release.upgrade(VALUES)
    release.upgrade(merged(VALUES, {"edge": {"idleTimeout": 600}}))
    objects = live(cluster, release)
    params = objects["IngressClassParams", INGRESS]["spec"]["loadBalancerAttributes"]
    assert {"key": "idle_timeout.timeout_seconds", "value": "600"} in params
    assert ("Ingress", INGRESS) in objects
    assert refusal(cluster, service(TENANT)) == ""
    assert refusal(cluster, ingress(TENANT)) == ""


def test_what_the_controller_has_to_judge_waits(
    cluster: LocalCluster, release: Release, down: None
) -> None:
    """The chart says so before the API server does; until then it is installed without an edge."""
    with pytest.raises(ChartError, match="targetGroupBinding needs the controller"):
        release.upgrade(merged(VALUES, {"edge": yaml.safe_load(BOUND.read_text())["edge"]}))
    release.upgrade(merged(VALUES, {"edge": {"enabled": False}}))


def test_with_its_own_defaults_nobody_could_do_anything(cluster: LocalCluster) -> None:
    """Why these values are set; and that these webhooks here are what they are said to be."""
    with webhooks.registered(cluster, upstream_values()):
        assert "failed calling webhook" in refusal(cluster, service("default"))
        assert "failed calling webhook" in refusal(cluster, ingress("default"))


def test_a_crd_of_somebody_else_is_not_overwritten(cluster: LocalCluster, release: Release) -> None:
    """Helm 4 names the CRD before it makes anything; the documented command mends it."""
    stale(cluster)
    with pytest.raises(ChartError, match=r"failed to install CRD .*ingressclassparams"):
        release.upgrade(VALUES)
    with_new_crds(cluster, release)
    release.upgrade(VALUES)
    assert live(cluster, release)["IngressClassParams", INGRESS]["spec"]["wafv2AclName"] == "edge"


def test_an_upgrade_finds_that_a_crd_is_old(cluster: LocalCluster, release: Release) -> None:
    """It has no field for the web ACL's name. The sentence has the command that mends it."""
    with_new_crds(cluster, release)
    release.upgrade(VALUES)
    stale(cluster)
    with pytest.raises(ChartError, match="does not know wafv2AclName") as raised:
        release.upgrade(VALUES)
    assert "| kubectl apply --server-side --force-conflicts -f -" in str(raised.value)
    with_new_crds(cluster, release)
    release.upgrade(VALUES)
    assert live(cluster, release)["IngressClassParams", INGRESS]["spec"]["wafv2AclName"] == "edge"


def with_new_crds(cluster: LocalCluster, release: Release) -> None:
    """What is documented: helm show crds charts/platform | kubectl apply --server-side …"""
    subprocess.run(
        ["kubectl", "apply", "--server-side", "--force-conflicts", "--filename=-"],
        input=release.run("show", "crds", str(release.chart)),
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=True,
    )


def stale(cluster: LocalCluster) -> None:
    """Have the CRD of IngressClassParams as it was before it knew the web ACL's name."""
    text = (CONTRACTS / CONTROLLER / "crds" / "crds.yaml").read_text()
    [crd] = [each for each in yaml.safe_load_all(text) if each["metadata"]["name"] == PARAMS]
    for version in crd["spec"]["versions"]:
        del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["wafv2AclName"]
    cluster.apply(crd)
