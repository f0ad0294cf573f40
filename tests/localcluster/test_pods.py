"""Only a pod that is ready, stays, and stands on a living node serves users."""

from __future__ import annotations

from typing import Any

import pytest
from localcluster import pods


def pod(ready: str = "True", node: str = "n1", **metadata: Any) -> Any:
    return {
        "metadata": {"name": "p", "namespace": "x", **metadata},
        "spec": {"nodeName": node},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("candidate", "serves"),
    [
        (pod(), True),
        (pod(ready="False"), False),
        (pod(node="lost"), False),
        ({"metadata": {"name": "p"}, "spec": {}}, False),
        (pod(deletionTimestamp="2026-01-01T00:00:00Z"), False),
    ],
    ids=["ready", "not ready", "on a lost node", "not placed", "being deleted"],
)
def test_who_serves_users(candidate: Any, serves: bool) -> None:
    assert pods.is_ready(candidate, {"n1", "n2"}) is serves


def test_nobody_serves_when_all_nodes_are_lost() -> None:
    assert pods.ready([pod(), pod()], set()) == []
