"""An installation that did not come to its end is run again."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from localcluster.cluster import LocalCluster

from platformchart.errors import ChartError
from platformchart.local import merged
from platformchart.release import NAME, NAMESPACE, Release
from tests.cluster.installation import VALUES, interrupted, kubectl_items, live, namespaces

pytestmark = [pytest.mark.cluster, pytest.mark.contracts, pytest.mark.proof]

MORE = merged(VALUES, {"overprovisioning": {"replicas": 4}})


@pytest.fixture
def release(cluster: LocalCluster, platform_release: Release) -> Iterator[Release]:
    """The chart, not yet installed."""
    with namespaces(cluster, platform_release):
        yield platform_release


def replicas(cluster: LocalCluster, release: Release) -> int:
    count: int = live(cluster, release)["Deployment", "overprovisioning"]["spec"]["replicas"]
    return count


def test_after_ctrl_c_the_same_command_goes_on(cluster: LocalCluster, release: Release) -> None:
    interrupted(cluster, release, VALUES, signal.SIGINT)
    release.upgrade(VALUES)
    interrupted(cluster, release, MORE, signal.SIGINT)
    release.upgrade(MORE)
    assert replicas(cluster, release) == 4


def test_a_first_installation_that_was_killed_is_forgotten(
    cluster: LocalCluster, release: Release
) -> None:
    """By the Secret in which helm has noted it; what it has made is taken up."""
    interrupted(cluster, release, VALUES, signal.SIGKILL)
    with pytest.raises(ChartError, match=r"another operation .* is in progress"):
        release.upgrade(VALUES)
    forget = "--selector=owner=helm,name=platform,status=pending-install"
    cluster.kubectl("delete", "secret", f"--namespace={NAMESPACE}", forget)
    release.upgrade(VALUES)
    assert replicas(cluster, release) == 3


def test_an_upgrade_that_was_killed_is_rolled_back(cluster: LocalCluster, release: Release) -> None:
    release.upgrade(VALUES)
    interrupted(cluster, release, MORE, signal.SIGKILL)
    with pytest.raises(ChartError, match=r"another operation .* is in progress"):
        release.upgrade(MORE)
    release.run("rollback", NAME)
    assert replicas(cluster, release) == 3
    release.upgrade(MORE)
    assert replicas(cluster, release) == 4


def test_an_object_that_fails_is_mended(cluster: LocalCluster, release: Release) -> None:
    """Here a quota forbids the Deployment, when other objects are there already."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": NAMESPACE},
        "spec": {"hard": {"count/deployments.apps": "0"}},
    }
    cluster.apply(quota)
    with pytest.raises(ChartError, match="exceeded quota: none"):
        release.upgrade(VALUES)
    cluster.kubectl("delete", "resourcequota", "none", f"--namespace={NAMESPACE}")
    release.upgrade(VALUES)
    assert replicas(cluster, release) == 3


def test_an_object_of_somebody_else_is_not_taken(cluster: LocalCluster, release: Release) -> None:
    """Helm names it before it makes anything; who wants it to be the chart's gives it away."""
    theirs = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "openedx-serving"},
        "value": 7,
    }
    cluster.apply(theirs)
    try:
        with pytest.raises(ChartError, match=r'PriorityClass "openedx-serving".*exists'):
            release.upgrade(VALUES)
        assert kubectl_items(cluster, "deployments", f"--namespace={NAMESPACE}") == []
    finally:
        cluster.kubectl("delete", "priorityclass", "openedx-serving")
    release.upgrade(VALUES)
