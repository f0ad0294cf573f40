"""What is there, what is wanted → what has to change around an apply."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tutorautoscale.scalers import metadata
from tutorautoscale.transition import (
    LAST_APPLIED,
    forgotten_replicas,
    obsolete,
    refuse_two_autoscalers,
    released,
)
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

HPA, PDB, SCALED, VPA = (
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "ScaledObject",
    "VerticalPodAutoscaler",
)


def ours(kind: str, name: str = "lms") -> Manifest:
    """An object that this plugin renders, or KEDA's HPA, which has its labels too."""
    return {"kind": kind, "metadata": metadata(name)}


def theirs(kind: str, name: str = "lms") -> Manifest:
    """The same from somebody else."""
    return {"kind": kind, "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}}}


def running(applied: dict[str, Any] | None, name: str = "lms") -> Manifest:
    """A Deployment with three pods of which `applied` was applied."""
    whole = {"kind": "Deployment", "metadata": {"name": name}, **(applied or {})}
    annotations = {"x": "y", **({LAST_APPLIED: json.dumps(whole)} if applied else {})}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "resourceVersion": "7", "annotations": annotations},
        "spec": {"replicas": 3},
    }


APPLIED = {"spec": {"replicas": 1, "paused": False}}


def test_replicas_that_were_applied_are_forgotten() -> None:
    """Of what was applied, nothing else changes."""
    before = running(APPLIED)
    assert list(forgotten_replicas([before], ["lms"])) == [
        {"kind": "Deployment", "metadata": {"name": "lms"}, "spec": {"paused": False}}
    ]
    assert before == running(APPLIED)


@pytest.mark.parametrize(
    "live",
    [
        [],
        [running(None)],
        [running({"spec": {"paused": False}})],
        [running(APPLIED, name="mysql")],
        [{**running(APPLIED), "kind": "StatefulSet"}],
    ],
    ids=["nothing there", "never applied", "without replicas", "does not scale", "another kind"],
)
def test_what_an_apply_leaves_alone_is_left_alone(live: list[Manifest]) -> None:
    """Deployments that scale, and whose replicas were applied, are all that changes."""
    assert list(forgotten_replicas(live, ["lms"])) == []


def test_several_deployments_are_changed_at_once() -> None:
    """One apply brings them all."""
    live = [running(APPLIED, name) for name in ("lms", "cms", "mysql")]
    changed = forgotten_replicas(live, {"cms": 1, "lms": 1})
    assert [each["metadata"]["name"] for each in changed] == ["lms", "cms"]


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ([], [], []),
        ([ours(HPA), ours(PDB)], [ours(HPA), ours(PDB)], []),
        ([ours(HPA), ours(PDB)], [], [(HPA, "lms"), (PDB, "lms")]),
        ([theirs(HPA), theirs(PDB), theirs(VPA)], [], []),
        ([ours(VPA), ours(HPA)], [ours(HPA)], [(VPA, "lms")]),
        # Its HPA is KEDA's, and goes with it.
        ([ours(SCALED), ours(HPA)], [ours(SCALED)], []),
        ([ours(SCALED), ours(HPA)], [ours(HPA)], [(SCALED, "lms")]),
        ([ours(HPA), ours(HPA, "cms")], [ours(HPA, "cms"), ours(SCALED, "cms")], [(HPA, "lms")]),
        ([running(None)], [], []),
    ],
    ids=[
        "nothing",
        "all wanted",
        "all gone",
        "others'",
        "recommendations switched off",
        "KEDA's HPA",
        "KEDA's time is over",
        "one of two",
        "a Deployment",
    ],
)
def test_what_is_rendered_no_more_is_obsolete(
    live: list[Manifest], wanted: list[Manifest], expected: list[tuple[str, str]]
) -> None:
    """Of ours alone, known by their label."""
    assert obsolete(live, wanted) == expected


def test_a_password_goes_with_what_it_gives_access_to() -> None:
    """Secrets are never read, so that none is found by its label."""
    access = ours("TriggerAuthentication", "autoscale-broker")
    assert obsolete([access], []) == [
        ("Secret", "autoscale-broker"),
        ("TriggerAuthentication", "autoscale-broker"),
    ]
    assert obsolete([access], [access]) == []


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ([ours(SCALED)], [ours(HPA)], [(SCALED, "lms")]),
        ([ours(SCALED)], [ours(SCALED)], []),
        ([ours(SCALED)], [], []),
        ([theirs(SCALED)], [ours(HPA)], []),
        ([ours(SCALED), ours(SCALED, "cms")], [ours(HPA, "cms")], [(SCALED, "cms")]),
    ],
    ids=["HPA again", "stays", "workload gone", "others'", "one of two"],
)
def test_an_hpa_that_is_to_stay_is_released(
    live: list[Manifest], wanted: list[Manifest], expected: list[tuple[str, str]]
) -> None:
    """Before it is applied as ours; else it would end with KEDA's object."""
    assert released(live, wanted) == expected


def scaling(name: str, target: str, kind: str = "Deployment") -> Manifest:
    """A live HPA."""
    return {
        "kind": HPA,
        "metadata": {"name": name, "namespace": "acme"},
        "spec": {"scaleTargetRef": {"kind": kind, "name": target}},
    }


@pytest.mark.parametrize(
    "live",
    [
        [],
        [scaling("lms", "lms")],
        [scaling("mine", "mysql")],
        [scaling("mine", "lms", "StatefulSet")],
        [theirs(PDB)],
    ],
    ids=["none", "ours", "another workload", "another kind", "no HPA"],
)
def test_one_autoscaler_is_taken(live: list[Manifest]) -> None:
    """That of our name we replace."""
    refuse_two_autoscalers(live, ["lms"])


def test_two_autoscalers_are_refused() -> None:
    """With the command that removes the other one."""
    with pytest.raises(DeployError) as caught:
        refuse_two_autoscalers([scaling("lms", "lms"), scaling("lms-hpa", "lms")], ["lms"])
    assert str(caught.value) == (
        "HorizontalPodAutoscaler lms-hpa: scales lms, too, and with two neither works; "
        "remove it with `kubectl delete hpa lms-hpa --namespace acme`, and what renders it"
    )
