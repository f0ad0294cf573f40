"""The chart is installed, changed, rolled back and taken away, and no controller of it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from localcluster.cluster import LocalCluster
from localcluster.model import Manifest
from localcluster.processes import wait_for

from platformchart.errors import ChartError
from platformchart.local import merged
from platformchart.release import NAME, Release
from tests.cluster.installation import (
    EDGE_OFF,
    INGRESS,
    TENANT,
    VALUES,
    guarded,
    held,
    kubectl_items,
    leftovers,
    live,
    namespaces,
    unheld,
)
from tests.cluster.installed import refusal

pytestmark = [pytest.mark.cluster, pytest.mark.contracts]

# The chart as it was before it depended on others: `helm package` of it.
PREVIOUS = Path(__file__).with_name("platform-0.1.0.tgz")
MORE = {"overprovisioning": {"replicas": 4}, "networkPolicies": {"enabled": False}}


@pytest.fixture
def release(cluster: LocalCluster, platform_release: Release) -> Iterator[Release]:
    """The chart, not yet installed."""
    with namespaces(cluster, platform_release):
        yield platform_release


def test_a_second_installation_changes_nothing(cluster: LocalCluster, release: Release) -> None:
    """No object is made anew, and none has another content."""
    release.upgrade(VALUES)
    before = live(cluster, release)
    release.upgrade(VALUES)
    assert live(cluster, release) == before


@pytest.mark.proof
def test_an_upgrade_is_rolled_back(cluster: LocalCluster, release: Release) -> None:
    """What it has changed, added and taken away is as it was."""
    release.upgrade(VALUES)
    before = live(cluster, release)
    release.upgrade(merged(VALUES, MORE))
    between = live(cluster, release)
    assert between["Deployment", "overprovisioning"]["spec"]["replicas"] == 4
    assert not any(kind == "NetworkPolicy" for kind, _ in between)
    release.run("rollback", NAME)
    after = live(cluster, release)
    assert after.keys() == before.keys()
    assert {key: o["spec"] for key, o in after.items() if "spec" in o} == {
        key: o["spec"] for key, o in before.items() if "spec" in o
    }


@pytest.mark.proof
def test_the_previous_version_is_upgraded(cluster: LocalCluster, release: Release) -> None:
    """What both have stays the same object."""
    previous = replace(release, chart=PREVIOUS)
    previous.upgrade({})
    before = live(cluster, previous)
    release.upgrade(VALUES)
    after = live(cluster, release)
    assert before.keys() <= after.keys()
    for key, manifest in before.items():
        assert after[key]["metadata"]["uid"] == manifest["metadata"]["uid"]


@pytest.mark.proof
def test_an_uninstallation_waits_for_the_load_balancer(
    cluster: LocalCluster, release: Release
) -> None:
    """Its controller would be gone before it had deleted it."""
    release.upgrade(VALUES)
    held(cluster)
    guarded(cluster)
    with pytest.raises(ChartError, match=f"{INGRESS} is still there"):
        release.uninstall()
    restored(release)
    with pytest.raises(ChartError, match=r"first upgrade with edge.deletionProtection=false"):
        release.upgrade(merged(VALUES, {"edge": {"enabled": False}}))
    release.upgrade(merged(VALUES, {"edge": {"deletionProtection": False}}))
    release.upgrade(merged(VALUES, EDGE_OFF))
    [ingress] = kubectl_items(cluster, "ingress", "--namespace=platform")
    assert "deletionTimestamp" in ingress["metadata"]
    assert kubectl_items(cluster, "ingressclassparams") != []
    with pytest.raises(ChartError, match=f"{INGRESS} is still there"):
        release.uninstall()
    unheld(cluster)
    release.uninstall()


def restored(release: Release) -> None:
    """What the refusal says: the release is as it was before somebody tried to uninstall it."""
    history = yaml.safe_load(release.run("history", NAME, "--output=json"))
    release.run("rollback", NAME, str(history[-1]["revision"]))


@pytest.mark.proof
def test_little_is_left_and_taken_up_again(cluster: LocalCluster, release: Release) -> None:
    """Instances outlive the chart, and with them whose hosts and certificates are whose."""
    release.upgrade(merged(VALUES, {"edge": {"deletionProtection": False}}))
    release.upgrade(merged(VALUES, EDGE_OFF))
    release.uninstall()
    policies = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    assert leftovers(cluster) == {
        ("ConfigMap", "certificates"),
        ("ConfigMap", "hosts"),
        ("Namespace", TENANT),
        *((kind, f"platform-params-{of}") for kind in policies for of in ("configmap", "ingress")),
    }
    release.upgrade(VALUES)
    assert ("Namespace", TENANT) in live(cluster, release)


def test_another_installation_judges_by_its_own_hosts(
    cluster: LocalCluster, release: Release
) -> None:
    """The API server has watched hosts before, and stopped to; without what is kept, for good."""
    off = merged(VALUES, {"edge": {"enabled": False}})
    release.upgrade(off)
    wait_for(lambda: refusal(cluster, ingress("new.test")), 30, "the policies are in force")
    assert refusal(cluster, ingress("learn.tenant.test")) == ""
    release.uninstall()
    wait_for(lambda: not refusal(cluster, ingress("new.test")), 30, "the policies are gone")
    release.upgrade(merged(off, {"instances": {TENANT: {"hosts": ["new.test"]}}}))
    wait_for(lambda: refusal(cluster, ingress("learn.tenant.test")), 30, "the host is known")
    assert refusal(cluster, ingress("new.test")) == ""


def ingress(host: str) -> Manifest:
    """An instance's route, as Tutor's plugin makes it."""
    backend = {"service": {"name": "caddy", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "learn", "namespace": TENANT},
        "spec": {
            "ingressClassName": "traefik",
            "rules": [{"host": host, "http": {"paths": paths}}],
        },
    }
