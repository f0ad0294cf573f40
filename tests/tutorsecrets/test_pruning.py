"""Pruning: Secrets that nobody uses, and none that somebody may still need."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tutorsecrets.deploying import pruning

NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
OLD = (NOW - timedelta(hours=2)).isoformat()
FRESH = (NOW - timedelta(minutes=2)).isoformat()


def replica_set(secret: str) -> dict[str, Any]:
    volume = {"name": "v", "secret": {"secretName": secret}}
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": "lms-1"},
        "spec": {"replicas": 0, "template": {"spec": {"volumes": [volume]}}},
    }


@pytest.mark.parametrize(
    ("listing", "users", "expected"),
    [
        pytest.param("", [], [], id="none"),
        pytest.param(f"a|tokens||{OLD}\n", [], ["a"], id="unused"),
        pytest.param("a|tokens||\n", [], ["a"], id="of an older version of the plugin"),
        pytest.param(f"a|tokens||{FRESH}\n", [], [], id="of a deployment under way"),
        pytest.param(f"a|tokens|Job|{OLD}\n", [], [], id="goes with its owner"),
        pytest.param(f"a|secret||{OLD}\n", [], [], id="of another plugin"),
        pytest.param(
            f"a|tokens||{OLD}\nb|tokens||{OLD}\n",
            [replica_set("a")],
            ["b"],
            id="one can go back to it",
        ),
        pytest.param(
            f"a|tokens||{OLD}\n",
            [{"kind": "TriggerAuthentication", "spec": {"secretTargetRef": [{"name": "a"}]}}],
            [],
            id="used by another kind",
        ),
    ],
)
def test_unused(listing: str, users: list[dict[str, Any]], expected: list[str]) -> None:
    made = pruning.listed(listing)
    assert pruning.unused(pruning.old(made, NOW), users) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([{"type": "Complete", "status": "True"}], {"j"}),
        ([{"type": "Failed", "status": "True"}], {"j"}),
        ([{"type": "Suspended", "status": "True"}], set()),
        ([{"type": "Complete", "status": "False"}], set()),
        ([], set()),
    ],
    ids=["complete", "failed", "suspended", "not complete", "running"],
)
def test_finished(conditions: list[dict[str, str]], expected: set[str]) -> None:
    job = {"kind": "Job", "metadata": {"name": "j"}, "status": {"conditions": conditions}}
    assert pruning.finished([job, {"kind": "Job", "metadata": {"name": "new"}}]) == expected
