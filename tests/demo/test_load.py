"""Load is a total that ready pods share."""

from __future__ import annotations

from typing import Any

import pytest

from demo import load
from demo.load import Load


def deployment(cpu: str = "500m", memory: str = "2Gi") -> Any:
    container = {"resources": {"requests": {"cpu": cpu, "memory": memory}}}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def autoscaler(target: int = 70) -> Any:
    resource = {"name": "cpu", "target": {"averageUtilization": target}}
    return {"spec": {"metrics": [{"type": "ContainerResource", "containerResource": resource}]}}


@pytest.mark.parametrize("pods", [2, 4, 7])
def test_the_load_is_answered_with_that_many_pods(pods: int) -> None:
    """By the controller's rule: pods = ceil(total use / (request x target))."""
    total = load.load_for(pods, deployment(), autoscaler()).millicores
    assert -(-total // 350) == pods


def test_a_pods_share_shrinks_as_pods_are_added() -> None:
    total = Load(1200, 4096)
    assert (total.share(2), total.share(4)) == (("600m", "2048Mi"), ("300m", "1024Mi"))


def test_without_pods_nobody_bears_the_load() -> None:
    given: list[tuple[str, str, str, str]] = []
    load.spread(Load(1000, 100), [], lambda *share: given.append(share))
    assert given == []


def test_every_pod_is_given_its_share() -> None:
    given: list[tuple[str, str, str, str]] = []
    pods = [{"metadata": {"namespace": "acme", "name": name}} for name in ("a", "b")]
    load.spread(Load(1000, 100), pods, lambda *share: given.append(share))
    assert given == [("acme", "a", "500m", "50Mi"), ("acme", "b", "500m", "50Mi")]
