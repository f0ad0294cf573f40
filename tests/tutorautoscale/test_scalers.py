"""Profiles → HPAs and PDBs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tutorautoscale.profile import Cpu, Memory, Profile
from tutorautoscale.scalers import autoscaler, disruption_budget, objects

PROFILE = Profile(
    cpu=Cpu("500m", None, 70),
    memory=Memory("2Gi", "3Gi", 80),
    min=2,
    max=4,
    start_s=60,
    drain_s=15,
    grace_s=60,
    probes={},
)


def test_no_profiles_need_no_objects() -> None:
    """Nothing to scale, no objects."""
    assert objects({}) == []


def test_each_workload_gets_its_own_pair() -> None:
    """One HPA and one PDB per workload, which `tutor k8s start <name>` applies along with it."""
    found = objects({"lms": PROFILE, "cms": PROFILE})
    assert [(each["kind"], each["metadata"]["name"]) for each in found] == [
        ("HorizontalPodAutoscaler", "lms"),
        ("PodDisruptionBudget", "lms"),
        ("HorizontalPodAutoscaler", "cms"),
        ("PodDisruptionBudget", "cms"),
    ]
    for each in found:
        metadata = each["metadata"]
        assert metadata["labels"] == {"app.kubernetes.io/name": metadata["name"]}


@pytest.mark.parametrize(
    ("cpu", "memory", "expected"),
    [
        (70, 80, [("cpu", 70), ("memory", 80)]),
        (70, None, [("cpu", 70)]),
        (None, 80, [("memory", 80)]),
    ],
    ids=["both", "cpu", "memory"],
)
def test_only_resources_with_a_target_are_measured(
    cpu: int | None, memory: int | None, expected: list[tuple[str, int]]
) -> None:
    """A target of `null` takes its resource out of the decision."""
    profile = replace(PROFILE, cpu=Cpu("1", None, cpu), memory=Memory("1Gi", None, memory))
    metrics = [
        metric["containerResource"] for metric in autoscaler("web", profile)["spec"]["metrics"]
    ]
    assert [
        (metric["name"], metric["target"]["averageUtilization"]) for metric in metrics
    ] == expected
    assert {metric["container"] for metric in metrics} == {"web"}


def test_scaling_is_fast_up_and_slow_down() -> None:
    """Up without waiting, down only for what was not needed for minutes."""
    spec = autoscaler("web", PROFILE)["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    assert spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


def test_a_budget_never_forbids_all_evictions() -> None:
    """One pod may always go, and pods that are not ready may go besides."""
    spec = disruption_budget("web")["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": "web"}}
