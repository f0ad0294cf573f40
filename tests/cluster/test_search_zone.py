"""Meilisearch, and the loss of the zone that it runs in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for

from demo import instances
from demo.tutor import TutorRoot
from tests.cluster.keeper import objects
from tests.conftest import NewRoot

pytestmark = [pytest.mark.cluster, pytest.mark.proof]

# All else of an instance is of no interest here.
SEARCH = ("meilisearch", "search-indexer")
PASSWORDS = dict.fromkeys(("MONGODB_PASSWORD", "OPENSEARCH_PASSWORD", "REDIS_PASSWORD"), "x")


@contextmanager
def instance(
    new_root: NewRoot, cluster: LocalCluster, folder: Path, *started: str, **settings: Any
) -> Iterator[TutorRoot]:
    """One of which Tutor has started only this, and the service account that it needs."""
    authority = folder / "databases.pem"
    authority.write_bytes(Authority.new("databases").pem)
    config = {**instances.settings(0, authority), **PASSWORDS, **settings}
    root = new_root("aws", environment=cluster.environment, **config)
    root.run("config", "save")
    root.run("k8s", "start", "openedx", *started)
    try:
        yield root
    finally:
        root.run("k8s", "delete", "--yes")


@contextmanager
def lost_zone(cluster: LocalCluster, zone: str) -> Iterator[None]:
    cluster.nodes.kill_zone(zone)
    try:
        yield
    finally:
        cluster.nodes.heal_zone(zone)


def ready_in(cluster: LocalCluster, namespace: str, name: str) -> str | None:
    """The zone in which a pod of this name can serve."""
    pods = cluster.ready_pods(namespace, {"app.kubernetes.io/name": name})
    return cluster.nodes.zone_of(pods[0]["spec"]["nodeName"]) if pods else None


def test_it_comes_back_in_another_zone(
    new_root: NewRoot, cluster: LocalCluster, tmp_path: Path
) -> None:
    """By itself, within two minutes; what fills it again comes along."""
    namespace = "searcha"

    def both_ready() -> str | None:
        """Meilisearch's zone."""
        zones = [ready_in(cluster, namespace, name) for name in SEARCH]
        return zones[0] if all(zones) else None

    with instance(new_root, cluster, tmp_path, *SEARCH, K8S_NAMESPACE=namespace):
        zone = wait_for(both_ready, 60, "Meilisearch, and what fills it")
        with lost_zone(cluster, zone):
            assert ready_in(cluster, namespace, "meilisearch") is None
            assert wait_for(both_ready, 150, "both of them, elsewhere") != zone


def test_with_a_claim_it_stays_away(
    new_root: NewRoot, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Its volume is in the zone that was lost: even somebody who steps in does not get it back."""
    namespace = "searchb"
    claim = {"AWS_MEILISEARCH": {"ephemeral": False}}
    with instance(new_root, cluster, tmp_path, SEARCH[0], K8S_NAMESPACE=namespace, **claim):
        zone = wait_for(lambda: ready_in(cluster, namespace, "meilisearch"), 60, "meilisearch")
        (lost,) = objects(cluster, namespace, "pods")
        with lost_zone(cluster, zone):
            wait_for(lambda: is_known_as_lost(cluster, zone), 120, "Kubernetes to notice")
            cluster.kubectl("delete", "pod", lost, f"--namespace={namespace}", "--force")
            why = wait_for(lambda: unschedulable(cluster, namespace), 30, "a pod without a place")
            assert "PersistentVolume's node affinity" in why


def is_known_as_lost(cluster: LocalCluster, zone: str) -> bool:
    nodes = json.loads(cluster.kubectl("get", "nodes", "--output=json"))["items"]
    taints = [
        {taint["key"] for taint in node["spec"].get("taints", [])}
        for node in nodes
        if cluster.nodes.zone_of(node["metadata"]["name"]) == zone
    ]
    return all("node.kubernetes.io/unreachable" in keys for keys in taints)


def unschedulable(cluster: LocalCluster, namespace: str) -> str | None:
    """Why a pod finds no node, if there is such a pod."""
    pods = objects(cluster, namespace, "pods").values()
    conditions = [each for pod in pods for each in pod["status"].get("conditions", [])]
    messages = (each["message"] for each in conditions if each.get("reason") == "Unschedulable")
    return next(messages, None)
