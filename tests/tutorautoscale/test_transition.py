"""What is there, what is wanted → what has to change around an apply."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tutorautoscale.scalers import metadata
from tutorautoscale.transition import (
    LAST_APPLIED,
    chosen,
    forgotten_replicas,
    obsolete,
    refuse_two_autoscalers,
    refuse_two_budgets,
    refuse_without_shared,
    released,
)
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tests.tutorautoscale import made

HPA, PDB, SCALED, VPA = (
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "ScaledObject",
    "VerticalPodAutoscaler",
)


def ours(kind: str, name: str = "lms") -> Manifest:
    """An object that this plugin renders, or KEDA's HPA, which has its labels too."""
    return {"kind": kind, "metadata": metadata(made.deployment(name))}


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


def scaling(name: str, target: str, kind: str = "Deployment", **metadata: Any) -> Manifest:
    """A live HPA."""
    return {
        "kind": HPA,
        "metadata": {"name": name, "namespace": "acme", "uid": "1", **metadata},
        "spec": {"scaleTargetRef": {"kind": kind, "name": target}},
    }


def theirs_by_keda(target: str, **metadata: Any) -> Manifest:
    """Somebody's ScaledObject, rendered; it need not say which kind it scales."""
    labels = {"name": "mine", "namespace": "acme", **metadata}
    return {"kind": SCALED, "metadata": labels, "spec": {"scaleTargetRef": {"name": target}}}


@pytest.mark.parametrize(
    "objects",
    [
        [],
        [scaling("lms", "lms")],
        [scaling("mine", "mysql")],
        [scaling("mine", "lms", "StatefulSet")],
        [theirs_by_keda("mysql")],
        [scaling("keda-hpa-mine", "lms", ownerReferences=[{"kind": SCALED}])],
        [theirs_by_keda("lms", **metadata(made.deployment("lms")))],
        [theirs(PDB)],
    ],
    ids=["none", "ours", "another", "another kind", "KEDA's", "of KEDA's", "ours", "no HPA"],
)
def test_one_autoscaler_is_taken(objects: list[Manifest]) -> None:
    """That of our name we replace, and that of a ScaledObject goes with it."""
    refuse_two_autoscalers(objects, ["lms"])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            scaling("lms-hpa", "lms"),
            "HorizontalPodAutoscaler lms-hpa: scales lms, too, and with two neither works; remove "
            "it with `kubectl delete horizontalpodautoscaler lms-hpa --namespace acme`, and what "
            "renders it",
        ),
        (
            theirs_by_keda("lms"),
            "ScaledObject mine: scales lms, too, and with two neither works; "
            "disable the plugin that renders it",
        ),
    ],
    ids=["live", "rendered"],
)
def test_two_autoscalers_are_refused(other: Manifest, message: str) -> None:
    """With what is to be done about the other one."""
    with pytest.raises(DeployError) as caught:
        refuse_two_autoscalers([scaling("lms", "lms"), other], ["lms"])
    assert str(caught.value) == message


LMS = {"app": "lms", "tier": "web"}


def deployed(name: str = "lms", labels: Any = LMS) -> Manifest:
    """A Deployment as kustomize renders it."""
    template = {"metadata": {"labels": labels}, "spec": {}}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template}}


def budget(selector: Any, **more: Any) -> Manifest:
    """Somebody's PodDisruptionBudget, live."""
    named = {"name": "mine", "namespace": "acme", "uid": "1", **more}
    return {"kind": PDB, "metadata": named, "spec": {"selector": selector}}


@pytest.mark.parametrize(
    "objects",
    [
        [],
        [deployed()],
        [deployed(), budget({"matchLabels": LMS}, name="lms")],
        [deployed(), budget({"matchLabels": {"app": "cms"}})],
        [deployed("mysql"), budget({"matchLabels": LMS})],
        [deployed(labels=None), budget({"matchLabels": LMS})],
        [deployed(), budget(None)],
        [deployed(), scaling("mine", "lms")],
        # Its Deployment has another name now; it goes after the apply.
        [deployed(), budget({"matchLabels": LMS}, **metadata(made.deployment("old")))],
    ],
    ids=[
        *("none", "no budget", "ours", "others'", "not scaled", "no labels", "of nothing", "HPA"),
        "obsolete",
    ],
)
def test_one_budget_is_taken(objects: list[Manifest]) -> None:
    """That of our name we replace."""
    refuse_two_budgets(objects, ["lms"])


def test_two_budgets_are_refused() -> None:
    """With the command that removes the other one, and where to say what it said."""
    with pytest.raises(DeployError) as caught:
        refuse_two_budgets([deployed(), budget({"matchLabels": {"tier": "web"}})], ["lms"])
    assert str(caught.value) == (
        "PodDisruptionBudget mine: is for lms, too, and pods with two are never evicted; "
        "remove it with `kubectl delete poddisruptionbudget mine --namespace acme`, and what "
        "renders it; how many pods may go, AUTOSCALE_SERVICES.lms.disruption says"
    )


def test_one_workload_is_chosen_by_its_label() -> None:
    """Without a name, everything is."""
    objects = [ours(HPA), ours(PDB, "cms"), {"kind": PDB, "metadata": {"name": "lms"}}]
    assert chosen(objects, "lms") == [ours(HPA)]
    assert chosen(objects, "") == objects


def shared(kind: str = "Service") -> Manifest:
    """What belongs to the whole instance."""
    return {
        "kind": kind,
        "metadata": {**metadata(made.deployment("openedx")), "name": "caddy-metrics"},
    }


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ([], [ours(HPA)]),
        ([], [ours(HPA), shared(), ours(SCALED, "cms")]),
        ([shared()], [ours(SCALED), shared()]),
        # Secrets are not among what is looked at.
        ([], [ours(SCALED), shared("Secret")]),
    ],
    ids=["no signals", "signals of others", "there already", "a Secret"],
)
def test_one_workload_may_start_alone(live: list[Manifest], wanted: list[Manifest]) -> None:
    """Unless it has signals that something for all of them is needed for."""
    refuse_without_shared(live, wanted, "lms")


def test_one_workload_does_not_start_without_what_all_need() -> None:
    """Its autoscaler would see nothing, and nobody would say so."""
    with pytest.raises(DeployError) as caught:
        refuse_without_shared([], [ours(SCALED), shared()], "lms")
    assert str(caught.value) == (
        "workload lms: its signals need Service caddy-metrics, which belongs to the whole "
        "instance; run `tutor k8s start` without a name"
    )
