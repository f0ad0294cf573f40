"""What a fleet asks for, and on how many nodes it fits."""

from __future__ import annotations

from typing import Any

import pytest
from localcluster.model import ZONE_LABEL
from localcluster.nodegroups import Size

from bench import demand, packing, prices
from bench.demand import Workload
from bench.packing import Packing

NODE = Size(4000, 16 * 2**30, pods=58)
SPREAD = [{"topologyKey": ZONE_LABEL, "whenUnsatisfiable": "DoNotSchedule"}]


def deployment(name: str, *containers: dict[str, str], **pod: Any) -> dict[str, Any]:
    listed = [{"resources": {"requests": requests}} for requests in containers]
    spec = {"containers": listed, **pod}
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"spec": spec}},
    }


def scaler(name: str, least: int, most: int) -> dict[str, Any]:
    target = {"kind": "Deployment", "name": name}
    spec = {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most}
    return {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "any"}, "spec": spec}


def workload(memory_gib: int, least: int = 2, spread: bool = True) -> Workload:
    return Workload("lms", least, 10, Size(500, memory_gib * 2**30), spread, 0, {})


def test_a_workload_has_the_bounds_of_its_autoscaler_and_the_requests_of_all_containers() -> None:
    rendered = [
        deployment(
            "lms",
            {"cpu": "500m", "memory": "2Gi"},
            {"cpu": "0.1"},
            topologySpreadConstraints=SPREAD,
            priorityClassName="serving",
        ),
        deployment("meilisearch", {}),
        scaler("lms", 2, 10),
    ]
    lms, meilisearch = demand.workloads(rendered, {"serving": 1000})
    assert (lms.least, lms.most, lms.size) == (2, 10, Size(600, 2 * 2**30))
    assert (lms.spread, lms.priority) == (True, 1000)
    assert (meilisearch.least, meilisearch.most, meilisearch.size) == (1, 1, Size(0, 0))
    assert demand.idle([lms, meilisearch]) == Size(1200, 4 * 2**30, pods=3)


def test_nothing_is_rendered_nothing_is_asked_for() -> None:
    assert demand.workloads([], {}) == []
    assert demand.idle([]) == Size(0, 0, pods=0)


@pytest.mark.parametrize(("enabled", "count"), [(True, 3), (False, 0)])
def test_the_room_for_a_surge_is_what_the_chart_says(enabled: bool, count: int) -> None:
    values = {"enabled": enabled, "replicas": 3, "cpu": "1", "memory": "4Gi", "priority": -5}
    room = demand.surge_room({"overprovisioning": values})
    assert len(room) == count
    assert {(pod.size, pod.priority) for pod in room} <= {(Size(1000, 4 * 2**30), -5)}


@pytest.mark.parametrize(("instances", "nodes"), [(0, 3), (1, 3), (2, 3), (8, 3), (9, 4), (16, 4)])
def test_pods_of_a_pair_are_in_two_zones(instances: int, nodes: int) -> None:
    """Eight of 2 GiB fill a node; a pair never shares a zone, though it would fit."""
    pods = [workload(2).pods(f"i{number}", 2) for number in range(instances)]
    packed = packing.pack(pods, NODE)
    assert len(packed) == nodes
    places = [(pod.namespace, node.zone) for node in packed for pod in node.pods]
    assert len(places) == len(set(places)) == 2 * instances


def test_instances_come_one_after_the_other() -> None:
    """What came first is not moved to make room: a small one on a node keeps a large one out."""
    small = [workload(1, least=1).pods(f"small-{number}", 1) for number in range(2)]
    large = [workload(16, least=1, spread=False).pods(f"l-{number}", 1) for number in range(2)]
    assert len(packing.pack([*small, *large], NODE)) == 3
    spread = [workload(1, least=2).pods("small", 2)]
    assert len(packing.pack([*spread, *large], NODE)) == 4


def test_the_price_is_that_of_the_nodes() -> None:
    found = packing.packing("small", [workload(2)], 2, [], "m6i.xlarge")
    assert (found.nodes, found.instances) == (3, 2)
    assert found.month_usd == round(3 * 0.214 * 730)
    assert found.instance_month_usd == round(3 * 0.214 * 730 / 2, 2)


def test_a_node_has_less_for_instances_than_it_has() -> None:
    """System, kubelet and EKS' own pods take their part."""
    shape = prices.shape("m6i.xlarge")
    size = demand.allocatable(shape, prices.ON_EVERY_NODE)
    assert (size.millicores, size.pods) == (3920 - 180, 58 - 3)
    assert 13 * 2**30 < size.memory_bytes < 14 * 2**30


def test_of_the_same_price_many_nodes_are_better() -> None:
    few = Packing("small", "m6i.2xlarge", 50, 10, 90, 90, 1000, 20.0)
    many = Packing("small", "m6i.xlarge", 50, 20, 90, 90, 1000, 20.0)
    dear = Packing("small", "r6i.xlarge", 50, 30, 90, 90, 2000, 40.0)
    assert packing.cheapest([few, many, dear]) == {"small": many}
