"""Profiles → HPAs, PDBs and VPAs."""

from __future__ import annotations

import pytest
from tutorautoscale.objects import objects
from tutorautoscale.profile import Resource
from tutorautoscale.scalers import autoscaler, disruption_budget, recommender

from tests.tutorautoscale.made import WEB, container, deployment, sources, workload

LMS, CMS = workload(name="lms"), workload(name="cms")


def test_no_workloads_need_no_objects() -> None:
    """Nothing to scale, no objects, whatever the cluster has."""
    assert objects([], sources()) == []
    assert objects([], sources(recommendations=True)) == []


def test_each_workload_gets_its_own_pair() -> None:
    """One HPA and one PDB per workload, which `tutor k8s start <name>` applies along with it."""
    found = objects([LMS, CMS], sources())
    assert [(each["kind"], each["metadata"]["name"]) for each in found] == [
        ("HorizontalPodAutoscaler", "lms"),
        ("PodDisruptionBudget", "lms"),
        ("HorizontalPodAutoscaler", "cms"),
        ("PodDisruptionBudget", "cms"),
    ]
    for each in found:
        metadata = each["metadata"]
        assert metadata["labels"] == {
            "app.kubernetes.io/name": metadata["name"],
            "app.kubernetes.io/created-by": "tutor-autoscale",
        }


def test_recommendations_change_nothing() -> None:
    """One VPA per workload if they are wanted; two autoscalers of one pod would fight."""
    kinds = [each["kind"] for each in objects([LMS], sources(recommendations=True))]
    assert kinds[2:] == ["VerticalPodAutoscaler"]
    spec = recommender(LMS)["spec"]
    assert spec["updatePolicy"] == {"updateMode": "Off"}
    assert spec["targetRef"] == autoscaler(LMS)["spec"]["scaleTargetRef"]


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
    profile = WEB._replace(cpu=Resource("1", None, cpu), memory=Resource("1Gi", None, memory))
    metrics = [
        metric["containerResource"] for metric in autoscaler(workload(profile))["spec"]["metrics"]
    ]
    assert [
        (metric["name"], metric["target"]["averageUtilization"]) for metric in metrics
    ] == expected
    assert {metric["container"] for metric in metrics} == {"web"}


def test_the_container_that_serves_is_measured() -> None:
    """Not a sidecar, wherever it stands."""
    found = deployment("web", container("agent"), container("web"))
    metrics = autoscaler(workload()._replace(found=found))["spec"]["metrics"]
    assert {metric["containerResource"]["container"] for metric in metrics} == {"web"}


def test_scaling_is_fast_up_and_slow_down() -> None:
    """Up without waiting, down only for what was not needed for minutes."""
    spec = autoscaler(workload())["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    assert spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


@pytest.mark.parametrize("disruption", [1, "25%"])
def test_a_budget_never_forbids_all_evictions(disruption: int | str) -> None:
    """So many pods may always go, and pods that are not ready may go besides."""
    spec = disruption_budget(workload(WEB._replace(disruption=disruption)))["spec"]
    assert spec["maxUnavailable"] == disruption
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": "web"}}
