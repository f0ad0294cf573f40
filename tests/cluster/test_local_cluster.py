"""The local cluster behaves as a cluster does, and is lost and mended on demand."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from localcluster.cluster import LocalCluster
from localcluster.errors import LocalClusterError
from localcluster.model import LOOPBACK, ZONE_LABEL
from localcluster.processes import wait_for

pytestmark = pytest.mark.cluster

MEMORY_LIMIT_MIB = 1536
NUMBERS = itertools.count(1)


@pytest.fixture
def namespace(cluster: LocalCluster) -> Iterator[str]:
    name = f"try-{next(NUMBERS)}"
    cluster.kubectl("create", "namespace", name)
    # Without it a pod is refused.
    wait_for(lambda: get(cluster, "serviceaccounts", name), 20, "the service account")
    yield name
    # Its end takes seconds that nobody needs to wait for.
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def get(cluster: LocalCluster, kind: str, namespace: str) -> list[Any]:
    answer = json.loads(cluster.kubectl("get", kind, f"--namespace={namespace}", "--output=json"))
    items: list[Any] = answer["items"]
    return items


def run_pods(cluster: LocalCluster, namespace: str, name: str, image: str, count: int) -> None:
    cluster.kubectl(
        "create",
        "deployment",
        name,
        f"--image={image}",
        f"--replicas={count}",
        f"--namespace={namespace}",
    )


def test_six_nodes_over_three_zones_are_ready(cluster: LocalCluster) -> None:
    nodes = json.loads(cluster.kubectl("get", "nodes", "--output=json"))["items"]
    zones = [node["metadata"]["labels"][ZONE_LABEL] for node in nodes]
    assert sorted(zones) == sorted(2 * ["eu-west-1a", "eu-west-1b", "eu-west-1c"])


def test_everything_listens_on_loopback_only(cluster: LocalCluster) -> None:
    own = {psutil.Process(process.popen.pid) for process in cluster._processes}
    addresses = {
        connection.laddr.ip
        for process in own
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {LOOPBACK}


def test_the_whole_cluster_stays_within_its_memory(cluster: LocalCluster) -> None:
    assert 100 < cluster.memory_mib() < MEMORY_LIMIT_MIB


def test_access_rules_are_enforced(cluster: LocalCluster, namespace: str) -> None:
    """A service account may do nothing that no role allows."""
    user = f"--as=system:serviceaccount:{namespace}:default"
    with pytest.raises(subprocess.CalledProcessError) as raised:
        cluster.kubectl("get", "secrets", f"--namespace={namespace}", user)
    assert "forbidden" in raised.value.stderr


def test_service_accounts_get_tokens(cluster: LocalCluster, namespace: str) -> None:
    token = cluster.kubectl("create", "token", "default", f"--namespace={namespace}")
    assert token.count(".") == 2


def test_secrets_are_encrypted_in_etcd(cluster: LocalCluster, namespace: str) -> None:
    value = "a-value-that-must-not-be-on-disk"
    cluster.kubectl(
        "create",
        "secret",
        "generic",
        "s",
        f"--from-literal=key={value}",
        f"--namespace={namespace}",
    )
    cluster.kubectl(
        "create",
        "configmap",
        "c",
        "--from-literal=key=a-value-that-may-be-on-disk",
        f"--namespace={namespace}",
    )
    stored = b"".join(path.read_bytes() for path in cluster.home.rglob("etcd/**/*.wal"))
    assert b"a-value-that-may-be-on-disk" in stored
    assert value.encode() not in stored


def test_pods_get_ready_and_jobs_complete(cluster: LocalCluster, namespace: str) -> None:
    """Open edX images take longer than others: 4 s and 2 s on the cluster of the tests."""
    started = time.monotonic()
    run_pods(cluster, namespace, "lms", "docker.io/overhangio/openedx:22.0.3", 1)
    run_pods(cluster, namespace, "web", "docker.io/nginx:1", 1)
    cluster.kubectl("create", "job", "j", "--image=docker.io/nginx:1", f"--namespace={namespace}")
    ready_at: dict[str, float] = {}

    def all_done() -> bool:
        for pod in cluster.ready_pods(namespace):
            ready_at.setdefault(pod["metadata"]["labels"]["app"], time.monotonic() - started)
        [job] = get(cluster, "jobs", namespace)
        return len(ready_at) == 2 and job["status"].get("succeeded") == 1

    wait_for(all_done, 30, "two ready pods and a complete job")
    assert 2 <= ready_at["web"] < ready_at["lms"]
    assert ready_at["lms"] >= 4


def test_a_claim_gets_a_volume_in_the_zone_of_its_pod(
    cluster: LocalCluster, namespace: str
) -> None:
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "c", "namespace": namespace},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": namespace},
            "spec": {
                "containers": [{"name": "c", "image": "nginx"}],
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
            },
        }
    )
    [pod] = wait_for(lambda: cluster.ready_pods(namespace), 30, "a pod with its volume")
    [claim] = get(cluster, "persistentvolumeclaims", namespace)
    volume = json.loads(cluster.kubectl("get", "pv", claim["spec"]["volumeName"], "--output=json"))
    [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    [zone] = term["matchExpressions"][0]["values"]
    assert zone == cluster.nodes.zone_of(pod["spec"]["nodeName"])


def test_pods_of_a_lost_node_serve_nobody_until_it_is_healed(
    cluster: LocalCluster, namespace: str
) -> None:
    run_pods(cluster, namespace, "web", "nginx", 6)
    pods = wait_for(lambda: full(cluster, namespace, 6), 30, "six ready pods")
    node = pods[0]["spec"]["nodeName"]
    cluster.nodes.kill_node(node)
    left = cluster.ready_pods(namespace)
    assert 0 < len(left) < 6
    assert node not in {pod["spec"]["nodeName"] for pod in left}
    cluster.nodes.heal_node(node)
    wait_for(lambda: full(cluster, namespace, 6), 30, "six ready pods again")


def test_pods_of_a_lost_zone_serve_nobody_until_it_is_healed(
    cluster: LocalCluster, namespace: str
) -> None:
    run_pods(cluster, namespace, "web", "nginx", 6)
    pods = wait_for(lambda: full(cluster, namespace, 6), 30, "six ready pods")
    zone = cluster.nodes.zone_of(pods[0]["spec"]["nodeName"])
    cluster.nodes.kill_zone(zone)
    try:
        left = {cluster.nodes.zone_of(p["spec"]["nodeName"]) for p in cluster.ready_pods(namespace)}
        assert left == set(cluster.shape.zones) - {zone}
        with pytest.raises(LocalClusterError, match=f"^{zone}: is no living zone"):
            cluster.nodes.kill_zone(zone)
    finally:
        cluster.nodes.heal_zone(zone)
    wait_for(lambda: full(cluster, namespace, 6), 30, "six ready pods again")


def test_a_pod_that_was_called_not_ready_is_ready_again_at_once(
    cluster: LocalCluster, namespace: str
) -> None:
    """As after the silence of its node: its container ran on, and has nothing to start."""
    run_pods(cluster, namespace, "lms", "example.org/openedx:1", 1)
    [pod] = wait_for(lambda: full(cluster, namespace, 1), 30, "a ready pod")
    long_ago = "2001-02-03T04:05:06Z"
    silent = {"type": "Ready", "status": "False", "lastTransitionTime": long_ago}
    status = {"conditions": [silent]}
    argv = ("patch", "pod", pod["metadata"]["name"], f"--namespace={namespace}")
    started = time.monotonic()
    cluster.kubectl(*argv, "--subresource=status", f"--patch={json.dumps({'status': status})}")

    def again() -> bool:
        pods = cluster.ready_pods(namespace)
        return bool(pods) and ready_since(pods[0]) != long_ago

    wait_for(again, 30, "the pod is ready again")
    assert time.monotonic() - started < cluster.shape.pods.openedx_s - 1


def ready_since(pod: dict[str, Any]) -> str:
    [since] = [
        condition["lastTransitionTime"]
        for condition in pod["status"]["conditions"]
        if condition["type"] == "Ready"
    ]
    return str(since)


def full(cluster: LocalCluster, namespace: str, count: int) -> list[Any] | None:
    pods = cluster.ready_pods(namespace)
    return pods if len(pods) == count else None


def test_a_node_that_is_not_there_cannot_be_lost(cluster: LocalCluster) -> None:
    with pytest.raises(LocalClusterError, match=r"^nowhere: is no node of this cluster"):
        cluster.nodes.kill_node("nowhere")


def test_load_that_was_set_is_what_metrics_show(cluster: LocalCluster, namespace: str) -> None:
    """Through kwok, the real metrics-server and the aggregated API, as an HPA reads it.

    On every node, also where the kubelets are others than those that the cluster began with.
    """
    zone = cluster.shape.zones[0]
    cluster.nodes.kill_zone(zone)
    cluster.nodes.heal_zone(zone)
    run_pods(cluster, namespace, "web", "nginx", 6)
    pods = wait_for(lambda: full(cluster, namespace, 6), 30, "six ready pods")
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 6
    for pod in pods:
        cluster.set_load(namespace, pod["metadata"]["name"], "750m", "300Mi")

    def shown() -> bool:
        try:
            top = cluster.kubectl("top", "pods", "--no-headers", f"--namespace={namespace}")
        except subprocess.CalledProcessError:
            return False  # metrics-server has seen none of the pods yet
        loads = [line.split()[1:] for line in top.splitlines()]
        return len(loads) == 6 and all(
            700 <= int(cpu.rstrip("m")) <= 800 and memory == "300Mi" for cpu, memory in loads
        )

    wait_for(shown, 90, "the load in `kubectl top`", poll_s=2)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_nothing_stays_behind_after_a_cluster(end: signal.Signals, tmp_path: Path) -> None:
    """`python -m localcluster` ends all that it started and removes its folder."""
    with subprocess.Popen(
        [sys.executable, "-m", "localcluster"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as program:
        try:
            assert program.stdout
            for line in program.stdout:
                if line.startswith("Ctrl-C"):
                    break
            children = psutil.Process(program.pid).children()
            assert len(children) == 8
            program.send_signal(end)
            assert program.wait(20) == 0
        finally:
            program.kill()
    assert [child for child in children if child.is_running()] == []
    assert list(tmp_path.iterdir()) == []
