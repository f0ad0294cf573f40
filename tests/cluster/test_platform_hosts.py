"""What an upgrade, an uninstall and Tutor leave of the chart's rules, and what was before them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for

from platformchart.errors import ChartError
from tests.cluster.attempts import route, rule, with_metadata
from tests.cluster.installed import ATTEMPT, Rules, gone, installed, refusal

pytestmark = pytest.mark.cluster

NAMESPACE = "listed"
PLACE = "--namespace=platform"
TUTORS = "listedbytutor"


def values(*hosts: str, **more: Any) -> dict[str, Any]:
    return {"instances": {NAMESPACE: {"hosts": list(hosts)}, **more}}


@pytest.fixture(scope="module")
def release(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
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


def test_what_was_added_by_hand_outlives_the_chart(release: Rules, cluster: LocalCluster) -> None:
    """Upgrades with other hosts, an uninstall, and the next install."""
    add(cluster, "by-hand.example.org", NAMESPACE)
    release.upgrade(values("b.example.org"))
    expected = {"b.example.org": NAMESPACE, "by-hand.example.org": NAMESPACE}
    assert hosts(cluster) == expected
    release.run("uninstall", "platform")
    assert hosts(cluster) == expected
    release.upgrade(values("b.example.org"))
    assert hosts(cluster) == expected


def test_a_host_of_the_values_is_not_changed_by_hand(release: Rules, cluster: LocalCluster) -> None:
    """The next upgrade says who has done it, and where, until the values say the same."""
    release.upgrade(values("a.example.org"))
    add(cluster, "a.example.org", TUTORS)
    with pytest.raises(ChartError, match=r'conflict with "kubectl-patch".*a\.example\.org'):
        release.upgrade(values("a.example.org"))
    assert hosts(cluster)["a.example.org"] == TUTORS
    release.upgrade({**values(), "hosts": {"a.example.org": TUTORS}})
    assert hosts(cluster)["a.example.org"] == TUTORS


def test_a_namespace_that_traefik_could_mistake_gets_no_route(
    release: Rules, cluster: LocalCluster
) -> None:
    """A Service `x-caddy` of `listed` would have the name of `caddy` in `listed-x`."""
    add(cluster, "c.example.org", f"{NAMESPACE}-x")
    cluster.kubectl("create", "namespace", f"{NAMESPACE}-x")
    try:
        said = refusal(cluster, routed(f"{NAMESPACE}-x"))
        assert f"namespace {NAMESPACE}-x has a - in its name" in said
    finally:
        gone(cluster, f"{NAMESPACE}-x")
    add(cluster, "c.example.org", NAMESPACE)
    wait_for(lambda: refusal(cluster, routed(NAMESPACE)) == "", 30, "it is listed")


def routed(namespace: str) -> dict[str, Any]:
    """A way to one host, in this namespace."""
    return with_metadata(route(rule("c.example.org")), namespace=namespace)


def test_a_namespace_that_tutor_has_made_is_taken_over(
    release: Rules, cluster: LocalCluster
) -> None:
    """By the commands of the refusal. What says whose it is stays, and so does all of it when the
    release goes back to before; Helm alone would delete it then."""
    owners = ("app.kubernetes.io/instance=openedx-abc", "app.kubernetes.io/managed-by=tutor")
    cluster.kubectl("create", "namespace", TUTORS)
    cluster.kubectl("label", "namespace", TUTORS, *owners)
    try:
        with pytest.raises(ChartError, match="this namespace was there before") as raised:
            release.upgrade(values(**{TUTORS: {}}))
        for command in re.findall(r"`kubectl ([^`]+)`", str(raised.value)):
            cluster.kubectl(*command.split())
        release.upgrade(values(**{TUTORS: {}}))
        release.run("rollback", "platform")
        found = json.loads(cluster.kubectl("get", "namespace", TUTORS, "--output=json"))
        assert found["status"]["phase"] == "Active"
        labels = found["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "openedx-abc"
        assert labels["openedx-platform/edge"] == "allowed"
    finally:
        cluster.kubectl("delete", "namespace", TUTORS, "--wait=false")


def test_what_was_there_before_the_policies_can_go(release: Rules, cluster: LocalCluster) -> None:
    """Controllers may still take their marks off it, but nobody may change what it does."""
    release.upgrade({**values(), "policies": {"enabled": False}})
    wait_for(lambda: refusal(cluster, ATTEMPT) == "", 30, "no policy is in force any more")
    cluster.apply(with_metadata(ATTEMPT, finalizers=["service.k8s.aws/resources"]))
    release.upgrade(values())
    wait_for(lambda: "opens a door" in refusal(cluster, ATTEMPT), 30, "policies are in force")
    where = ("service/attempt", "--namespace=default", "--type=merge")
    with pytest.raises(subprocess.CalledProcessError) as raised:
        cluster.kubectl("patch", *where, '--patch={"spec": {"ports": [{"port": 81}]}}')
    assert "opens a door past the WAF" in raised.value.stderr
    cluster.kubectl("patch", *where, '--patch={"metadata": {"finalizers": null}}')
    cluster.kubectl("delete", *where[:2])


def test_the_api_server_finds_no_fault_with_the_policies(
    release: Rules, cluster: LocalCluster
) -> None:
    """It has checked the types in all of them, and warns of none."""

    def checks() -> list[Any]:
        listed = cluster.kubectl("get", "validatingadmissionpolicies", "--output=json")
        found = [each["status"].get("typeChecking") for each in json.loads(listed)["items"]]
        return found if None not in found else []

    assert len(wait_for(checks, 30, "types are checked")) >= 8
    assert [each for each in checks() if each] == []
