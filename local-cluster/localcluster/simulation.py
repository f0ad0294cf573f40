"""The simulated nodes, and what tells kwok how nodes and pods behave. Pure."""

from __future__ import annotations

import hashlib
import json
from importlib import resources

import yaml

from localcluster.model import (
    KUBELET_LABEL,
    REGION_LABEL,
    ZONE_LABEL,
    ClusterShape,
    Manifest,
    PodTimes,
)

# Read by the usage document in kwok.yml.
CPU_ANNOTATION = "kwok.x-k8s.io/usage-cpu"
MEMORY_ANNOTATION = "kwok.x-k8s.io/usage-memory"


def node(shape: ClusterShape, zone: str, name: str) -> Manifest:
    """A Node as a managed EKS node group registers it."""
    instance_id = "i-" + hashlib.sha256(name.encode()).hexdigest()[:17]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                ZONE_LABEL: zone,
                REGION_LABEL: shape.region,
                KUBELET_LABEL: zone,
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "node.kubernetes.io/instance-type": shape.node.instance_type,
                "eks.amazonaws.com/nodegroup": f"apps-{zone}",
                "eks.amazonaws.com/capacityType": "ON_DEMAND",
            },
            "annotations": {
                # Where metrics-server finds the node's usage: the path in kwok.yml.
                "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{name}/metrics/resource",
            },
        },
        "spec": {"providerID": f"aws:///{zone}/{instance_id}"},
        "status": {"capacity": shape.node.capacity, "allocatable": shape.node.allocatable},
    }


def kwok_configuration(pods: PodTimes) -> list[Manifest]:
    """The documents of kwok.yml, with the delay of each stage that takes time."""
    text = (resources.files("localcluster") / "kwok.yml").read_text(encoding="utf-8")
    delays = {
        "pod-ready": _ready_delay(pods),
        "job-complete": _delay(pods.job_s),
        "pod-stop": _delay(pods.stop_s),
    }
    return [_with_delay(document, delays) for document in yaml.safe_load_all(text)]


def _with_delay(document: Manifest, delays: dict[str, Manifest]) -> Manifest:
    name = document["metadata"]["name"]
    if name not in delays:
        return dict(document)
    return {**document, "spec": {**document["spec"], "delay": delays[name]}}


def _delay(seconds: float) -> Manifest:
    return {"durationMilliseconds": round(seconds * 1000)}


def _ready_delay(pods: PodTimes) -> Manifest:
    is_platform = f"any(.spec.containers[].image; contains({json.dumps(pods.openedx_image)}))"
    query = f'if {is_platform} then "{pods.openedx_s}s" else "{pods.other_s}s" end'
    return {"durationFrom": {"expressionFrom": query}}
