"""The chart's class of disks beside one that was there before, on the local cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from localcluster import binaries
from localcluster.cluster import LocalCluster

from platformchart import upstream
from platformchart.release import Release

pytestmark = pytest.mark.cluster

CLASS = "openedx-disks"
ROOM = yaml.safe_load((upstream.CHART / "ci" / "room-values.yaml").read_text())
VALUES: dict[str, Any] = {**ROOM, "storageClass": {"enabled": True, "name": CLASS}}


@pytest.fixture(scope="module")
def release(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The chart without charts of others, not installed."""
    helm = binaries.ensure(["helm"], print)["helm"]
    chart, _ = upstream.prepare(tmp_path_factory.mktemp("engine"), helm, print)
    return Release(helm, chart, cluster.environment)


@pytest.fixture
def younger(cluster: LocalCluster, release: Release) -> Iterator[None]:
    """The chart's class, default like the cluster's own, and made after it."""
    rendered = yaml.safe_load_all(release.run("template", *here(release), values=VALUES))
    [storage] = [each for each in rendered if each and each["kind"] == "StorageClass"]
    # Kubernetes tells their ages by the second.
    time.sleep(1.1)
    cluster.apply(storage)
    yield
    cluster.kubectl("delete", "storageclass", CLASS)


def here(release: Release) -> tuple[str, ...]:
    return ("platform", str(release.chart), "--values=-", "--kube-version=1.36.3")


def test_claims_get_the_younger_of_two_default_classes(
    cluster: LocalCluster, younger: None
) -> None:
    """So an old cluster's gp2 is no reason to refuse the chart."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    cluster.apply(claim)
    found = json.loads(cluster.kubectl("get", "pvc", "data", "--namespace=default", "-ojson"))
    cluster.kubectl("delete", "pvc", "data", "--namespace=default")
    assert found["spec"]["storageClassName"] == CLASS


def test_notes_name_the_other_default_class(release: Release) -> None:
    """Helm looks into the cluster for them, as at each install."""
    dry = ("install", "platform", str(release.chart), "--values=-", "--dry-run=server")
    said = release.run(*dry, "--create-namespace", values=VALUES)
    assert "Other classes of disks are default, too: gp3." in said
    without = {**VALUES, "storageClass": {"enabled": False}}
    assert "default, too" not in release.run(*dry, "--create-namespace", values=without)
