"""The chart's own objects, without those of the charts that it depends on, as a release."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from localcluster import binaries
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for

from platformchart import upstream
from platformchart.release import NAME, NAMESPACE, Release
from tests.chart.conftest import REQUIRED, merged

# Other tests use the cluster as well: of the rest there is nothing.
RULES_ALONE: dict[str, Any] = {
    "components": dict.fromkeys(
        ("loadBalancerController", "traefik", "clusterAutoscaler", "metricsServer"), False
    ),
    "edge": {"enabled": False},
    "overprovisioning": {"enabled": False},
    "networkPolicies": {"enabled": False},
    "storageClass": {"enabled": False},
}
ATTEMPT = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "attempt", "namespace": "default"},
    "spec": {"type": "NodePort", "ports": [{"port": 80}]},
}


class Rules(Release):
    """The chart, of which each upgrade brings the rules alone."""

    def upgrade(self, values: Mapping[str, Any], *argv: str) -> str:
        """Install it, or give it other values; what helm prints, or ChartError."""
        everything = merged(merged(REQUIRED, RULES_ALONE), values)
        return super().upgrade(everything, "--create-namespace", *argv)


@contextmanager
def installed(cluster: LocalCluster, folder: Path, values: Mapping[str, Any]) -> Iterator[Rules]:
    """The release; its policies are in force. Nothing is left of it, nor of its instances."""
    helm = binaries.ensure(["helm"], print)["helm"]
    chart, _ = upstream.prepare(folder, helm, print)
    release = Rules(helm, chart, cluster.environment)
    # Other tests have one of this name, too.
    gone(cluster, NAMESPACE)
    try:
        release.upgrade(values)
        wait_for(lambda: refusal(cluster, ATTEMPT) != "", 30, "policies are in force")
        yield release
    finally:
        release.run("uninstall", NAME, "--ignore-not-found")
        gone(cluster, NAMESPACE, *values.get("instances", {}))
        wait_for(lambda: refusal(cluster, ATTEMPT) == "", 30, "no policy is in force any more")


def gone(cluster: LocalCluster, *namespaces: str) -> None:
    """Delete these namespaces, and wait until they are no more."""
    cluster.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=60s")


def refusal(
    cluster: LocalCluster, manifest: Mapping[str, Any], *options: str, verb: str = "create"
) -> str:
    """Why the API server would not take an object; empty if it would."""
    done = subprocess.run(
        ["kubectl", verb, "--filename=-", "--dry-run=server", *options],
        input=yaml.safe_dump(dict(manifest)),
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip()
