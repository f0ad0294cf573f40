"""What an upgrade, an uninstall and Tutor leave of the lists of hosts, and of namespaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for

from tests.cluster.installed import Release, installed

pytestmark = pytest.mark.cluster

NAMESPACE = "listed"
PLACE = "--namespace=platform"
TUTORS = "listedbytutor"


def values(*hosts: str, **more: Any) -> dict[str, Any]:
    return {"instances": {NAMESPACE: {"hosts": list(hosts)}, **more}}


@pytest.fixture(scope="module")
def release(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The chart with one host in its values."""
    with installed(cluster, tmp_path_factory.mktemp("chart"), values("a.example.org")) as release:
        yield release


def add(cluster: LocalCluster, host: str, namespace: str) -> None:
    """As an operator does it, see docs/how-to/custom-domains.md."""
    patch = json.dumps({"data": {host: namespace}})
    cluster.kubectl("patch", "configmap/hosts", PLACE, f"--patch={patch}")


def hosts(cluster: LocalCluster) -> dict[str, str]:
    answer = cluster.kubectl("get", "configmap/hosts", PLACE, "--output=jsonpath={.data}")
    found: dict[str, str] = json.loads(answer)
    return found


def test_what_was_added_by_hand_outlives_the_chart(release: Release, cluster: LocalCluster) -> None:
    """Upgrades with other hosts, an uninstall, and the next install."""
    add(cluster, "by-hand.example.org", NAMESPACE)
    release.upgrade(values("b.example.org"))
    expected = {"b.example.org": NAMESPACE, "by-hand.example.org": NAMESPACE}
    assert hosts(cluster) == expected
    release.helm("uninstall", "platform", PLACE)
    assert hosts(cluster) == expected
    release.upgrade(values("b.example.org"))
    assert hosts(cluster) == expected


def test_a_host_of_the_values_is_not_changed_by_hand(
    release: Release, cluster: LocalCluster
) -> None:
    """The next upgrade says who has done it, and where, until the values say the same."""
    release.upgrade(values("a.example.org"))
    add(cluster, "a.example.org", TUTORS)
    with pytest.raises(AssertionError, match=r'conflict with "kubectl-patch".*a\.example\.org'):
        release.upgrade(values("a.example.org"))
    assert hosts(cluster)["a.example.org"] == TUTORS
    release.upgrade({**values(), "hosts": {"a.example.org": TUTORS}})
    assert hosts(cluster)["a.example.org"] == TUTORS


def test_a_namespace_that_tutor_has_made_is_taken_over(
    release: Release, cluster: LocalCluster
) -> None:
    """On request only; what says whose it is stays."""
    owner = "app.kubernetes.io/instance=openedx-abc"
    cluster.kubectl("create", "namespace", TUTORS)
    cluster.kubectl("label", "namespace", TUTORS, owner)
    try:
        with pytest.raises(AssertionError, match="exists and cannot be imported"):
            release.upgrade(values(**{TUTORS: {}}))
        release.upgrade(values(**{TUTORS: {}}), "--take-ownership")
        found = json.loads(cluster.kubectl("get", "namespace", TUTORS, "--output=json"))
        labels = found["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "openedx-abc"
        assert labels["openedx-platform/edge"] == "allowed"
    finally:
        cluster.kubectl("delete", "namespace", TUTORS, "--wait=false")


def test_the_api_server_finds_no_fault_with_the_policies(
    release: Release, cluster: LocalCluster
) -> None:
    """It has checked the types in all of them, and warns of none."""

    def checks() -> list[Any]:
        listed = cluster.kubectl("get", "validatingadmissionpolicies", "--output=json")
        found = [each["status"].get("typeChecking") for each in json.loads(listed)["items"]]
        return found if None not in found else []

    assert len(wait_for(checks, 30, "types are checked")) >= 8
    assert [each for each in checks() if each] == []
