"""The way out of `charts/platform`, on a real API server: no load balancer is left behind.

No controller runs here. A finalizer stands for the one that it sets.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from localcluster.cluster import LocalCluster
from localcluster.model import ClusterShape
from localcluster.processes import wait_for

from tests.chart.conftest import REQUIRED, Chart, chart, merged

pytestmark = [pytest.mark.cluster, pytest.mark.contracts]
__all__ = ["chart"]

ALLOWED = "openedx-platform/edge=allowed"
HERE: dict[str, Any] = {
    # The local cluster has a class of its name, which is not Helm's.
    "storageClass": {"enabled": False},
    "policies": {"enabled": False},
}
ANCHOR = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "certificates", "namespace": "acme"},
    "spec": {"ingressClassName": "alb", "rules": [{"host": "learn.acme.org"}]},
}


class Platform(NamedTuple):
    """The release, and the cluster that it is on."""

    cluster: LocalCluster
    chart: Chart

    def helm(self, *argv: str, **changes: Any) -> str:
        """What Helm says in the end, good or bad."""
        values = yaml.safe_dump(merged(REQUIRED, {**HERE, **changes}))
        done = subprocess.run(
            ["helm", *argv, "--namespace=platform"],
            input=values,
            env=self.cluster.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def upgraded(self, **edge: Any) -> str:
        where = ("platform", str(self.chart.path), "--values=-")
        return self.helm("upgrade", "--install", *where, edge=edge)

    def kubectl(self, *argv: str) -> str:
        return self.cluster.kubectl(*argv, "--namespace=platform")

    def is_guarded(self) -> bool:
        """Whether the API server refuses what Helm makes before it uninstalls."""
        try:
            self.kubectl("create", "configmap", "platform-uninstall", "--dry-run=server")
        except subprocess.CalledProcessError:
            return True
        return False


@pytest.fixture(scope="module")
def platform(chart: Chart) -> Iterator[Platform]:
    """A cluster of its own with a namespace for the platform, and one for an instance."""
    with LocalCluster(ClusterShape()) as cluster:
        for name in ("platform", "acme"):
            cluster.kubectl("create", "namespace", name)
        yield Platform(cluster, chart)


def test_the_edge_goes_in_steps_and_each_is_checked(platform: Platform) -> None:
    """Whoever skips one is told which, and nothing has changed."""
    assert f"kubectl label namespace platform {ALLOWED}" in platform.upgraded()
    platform.kubectl("label", "namespace", "platform", ALLOWED)
    assert "STATUS: deployed" in platform.upgraded()

    wait_for(platform.is_guarded, timeout_s=30, what="the API server to know the policy")
    assert "edge-main is still there" in platform.helm("uninstall", "platform")
    # Helm takes it for half uninstalled.
    assert "Rollback was a success" in platform.helm("rollback", "platform", "1")
    assert "first upgrade with edge.deletionProtection=false" in platform.upgraded(enabled=False)
    assert "STATUS: deployed" in platform.upgraded(deletionProtection=False)

    platform.cluster.apply(ANCHOR)
    assert "kubectl delete ingress --namespace acme certificates" in platform.upgraded(
        enabled=False
    )
    platform.cluster.kubectl("delete", "ingress", "certificates", "--namespace=acme")

    hold(platform, "ingress.k8s.aws/resources")
    assert "STATUS: deployed" in platform.upgraded(enabled=False)
    assert "edge-main is still there" in platform.helm("uninstall", "platform")
    hold(platform)
    assert 'release "platform" uninstalled' in platform.helm("uninstall", "platform")
    assert platform.kubectl("get", "ingressclassparams,ingresses", "--output=name") == ""


def hold(platform: Platform, *finalizers: str) -> None:
    """Let the edge's Ingress wait for these."""
    patch = json.dumps({"metadata": {"finalizers": list(finalizers)}})
    platform.kubectl("patch", "ingress", "edge-main", "--type=merge", f"--patch={patch}")
