"""The simulated nodes and what kwok is told of them."""

from __future__ import annotations

import pytest
from localcluster import simulation
from localcluster.model import ZONE_LABEL, ClusterShape, NodeShape, PodTimes


def test_six_nodes_in_three_zones_by_default() -> None:
    shape = ClusterShape()
    assert shape.zones == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert len(set(shape.all_nodes())) == 6


def test_a_cluster_may_have_no_nodes() -> None:
    assert ClusterShape(nodes_per_zone=0).all_nodes() == []


@pytest.mark.parametrize(
    ("shape", "cpu", "memory"),
    [
        # EKS reserves 80m of 4 cores, and 255 + 11 x 58 MiB, and keeps 100 MiB for eviction.
        (NodeShape(), "3920m", f"{15155 - 255 - 638 - 100}Mi"),
        (NodeShape("m6i.2xlarge", 8, 32, 58), "7910m", f"{30310 - 255 - 638 - 100}Mi"),
        (NodeShape("m6i.large", 2, 8, 29), "1930m", f"{7577 - 255 - 319 - 100}Mi"),
    ],
    ids=lambda value: value.instance_type if isinstance(value, NodeShape) else None,
)
def test_pods_can_have_what_eks_leaves_them(shape: NodeShape, cpu: str, memory: str) -> None:
    assert shape.allocatable == {"cpu": cpu, "memory": memory, "pods": str(shape.max_pods)}


def test_a_node_says_which_zone_it_is_in() -> None:
    node = simulation.node(ClusterShape(), "eu-west-1b", "n")
    assert node["metadata"]["labels"][ZONE_LABEL] == "eu-west-1b"
    assert node["spec"]["providerID"].startswith("aws:///eu-west-1b/i-")


def test_pod_times_reach_kwok() -> None:
    """Each of the settable times is the delay of its stage."""
    documents = simulation.kwok_configuration(PodTimes(40, 9, 4, 1.5, "/mine:"))
    delays = {document["metadata"]["name"]: document["spec"].get("delay") for document in documents}
    assert delays["job-complete"] == {"durationMilliseconds": 4000}
    assert delays["pod-stop"] == {"durationMilliseconds": 1500}
    query = delays["pod-ready"]["durationFrom"]["expressionFrom"]
    assert query == (
        'if any(.spec.containers[].image; contains("/mine:")) then "40s" else "9s" end'
    )
