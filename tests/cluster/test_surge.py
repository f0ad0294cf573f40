"""What `make bench-surge` claims, with pods and nodes that are quick, on a cluster of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from localcluster.cluster import LocalCluster
from localcluster.model import PodTimes
from localcluster.nodescaler import NodeScaler, Pace
from rich.console import Console

from bench import reaction, surge
from bench.surging import Surge
from demo.view import View

pytestmark = [pytest.mark.cluster, pytest.mark.proof]

SHAPE = replace(surge.SHAPE, pods=PodTimes(openedx_s=4, other_s=2, job_s=1, stop_s=0.5))
# Nodes take their time: quick pods have the autoscaler ask a second time, after a minute, and what
# it asks for then is to find room at once too.
PACE = Pace(node_s=90, unneeded_s=30, scan_s=2)
# Instead of five minutes and a fifth a minute: here the nodes are what is looked at.
QUICKLY = {
    "stabilizationWindowSeconds": 15,
    "policies": [{"type": "Percent", "value": 50, "periodSeconds": 15}],
}


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Surge]:
    """An instance, and room for a surge; nodes come and go."""
    with (
        LocalCluster(SHAPE) as cluster,
        NodeScaler(cluster.client, cluster.nodes, SHAPE, PACE) as scaler,
    ):
        found = Surge(View(cluster), scaler, Console(), ("acme",))
        found.install_room(tmp_path)
        found.deploy(tmp_path)
        patch = json.dumps({"spec": {"behavior": {"scaleDown": QUICKLY}}})
        cluster.kubectl("patch", "hpa", "lms", "--namespace=acme", f"--patch={patch}")
        yield found


def test_a_surge_finds_room_at_once_and_leaves_no_nodes(acme: Surge) -> None:
    """Never with fewer than two ready LMS pods on the way back."""
    found = reaction.reaction("quick", *surge.phases(acme, surge.CALM, falls=True))
    assert (found.pods_before, found.pods_after) == (2, 8)
    assert [claim for claim, holds, _ in reaction.claims(found) if not holds] == []
    assert found.nodes_after is not None
    assert found.nodes_after <= found.nodes_before
