"""What is in the namespace, what is wanted → what has to change around an apply. Pure.

`kubectl apply` neither removes what is no longer rendered nor leaves alone what it has once set.
So a change of signals would leave two autoscalers, or end in a moment with one pod.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tutorplatform import manifests
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorautoscale.discovery import NAME
from tutorautoscale.effective import SETTING
from tutorautoscale.keda import INSTANCE
from tutorautoscale.scalers import OWNER
from tutorautoscale.selectors import selects

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

HPA, SCALED_OBJECT = "HorizontalPodAutoscaler", "ScaledObject"
PDB = "PodDisruptionBudget"

# Kind and name.
Key = tuple[str, str]


def forgotten_replicas(live: Iterable[Manifest], scaled: Iterable[str]) -> Iterator[Manifest]:
    """What was last applied of Deployments that an apply would set to one pod, without replicas.

    It takes away what it has applied before and finds no more, `replicas` included, and the
    default for that is 1.
    """
    names = set(scaled)
    for deployment in manifests.of_kind(live, "Deployment"):
        annotations = deployment["metadata"].get("annotations") or {}
        applied = json.loads(annotations.get(LAST_APPLIED, "{}"))
        spec = applied.get("spec", {})
        if manifests.name(deployment) in names and "replicas" in spec:
            kept = {key: value for key, value in spec.items() if key != "replicas"}
            yield {**applied, "spec": kept}


def released(live: Iterable[Manifest], wanted: Iterable[Manifest]) -> list[Key]:
    """Our ScaledObjects whose HPA is to stay: it is ours from now on, and no longer KEDA's."""
    keys = _keys(wanted)
    return [
        (kind, name)
        for kind, name in _keys(_ours(live))
        if kind == SCALED_OBJECT and (kind, name) not in keys and (HPA, name) in keys
    ]


def obsolete(live: Iterable[Manifest], wanted: Iterable[Manifest]) -> list[Key]:
    """Objects of ours that nothing is rendered for any more.

    The HPA of a ScaledObject is KEDA's, under our labels. Secrets are not among what is looked
    at: what gives access goes together with the Secret of its name.
    """
    keys = _keys(wanted)
    found = [
        (kind, name)
        for kind, name in _keys(_ours(live))
        if (kind, name) not in keys and not (kind == HPA and (SCALED_OBJECT, name) in keys)
    ]
    # First, so that an interrupted run leaves what tells the next one of it.
    secrets = [("Secret", name) for kind, name in found if kind == "TriggerAuthentication"]
    return [*secrets, *found]


def refuse_two_autoscalers(objects: Iterable[Manifest], scaled: Iterable[str]) -> None:
    """Raise DeployError if somebody else's scaler, live or rendered, is for one of our workloads.

    Two HPAs on one target both stop: https://github.com/kubernetes/kubernetes/pull/112011
    """
    names = set(scaled)
    for scaler in _of_others(objects, HPA, SCALED_OBJECT):
        target = scaler["spec"]["scaleTargetRef"]
        name, kind = target["name"], target.get("kind", "Deployment")
        if kind != "Deployment" or name not in names or _replaced(scaler, name):
            continue
        raise DeployError(
            f"{scaler['kind']} {manifests.name(scaler)}",
            f"scales {name}, too, and with two neither works",
            _remove(scaler),
        )


def _replaced(scaler: Manifest, name: str) -> bool:
    """Whether it is gone anyway: an HPA of that name is ours from now on, or it is KEDA's."""
    owners = scaler["metadata"].get("ownerReferences") or ()
    is_of_keda = any(owner["kind"] == SCALED_OBJECT for owner in owners)
    return scaler["kind"] == HPA and (manifests.name(scaler) == name or is_of_keda)


def refuse_two_budgets(objects: Iterable[Manifest], scaled: Iterable[str]) -> None:
    """Raise DeployError if somebody else's budget, live or rendered, is for one of our workloads.

    A pod with two budgets cannot be evicted at all, and no node with it drained:
    https://kubernetes.io/docs/tasks/run-application/configure-pdb/#arbitrary-controllers-and-selectors
    """
    found, names = list(objects), set(scaled)
    pods = {
        manifests.name(each): each["spec"]["template"]["metadata"].get("labels") or {}
        for each in manifests.of_kind(found, "Deployment")
        if manifests.name(each) in names
    }
    for budget in _of_others(found, PDB):
        selector, other = budget["spec"].get("selector"), manifests.name(budget)
        selected = [name for name, labels in pods.items() if selects(selector, labels)]
        # That of the same name is replaced.
        if selected and selected != [other]:
            raise DeployError(
                f"{PDB} {other}",
                f"is for {selected[0]}, too, and pods with two are never evicted",
                f"{_remove(budget)}; how many pods may go, {SETTING}.{selected[0]}.disruption says",
            )


def _of_others(objects: Iterable[Manifest], *kinds: str) -> Iterator[Manifest]:
    ours = set(_keys(_ours(objects := list(objects))))
    return (
        each
        for each in manifests.of_kind(objects, *kinds)
        if (each["kind"], manifests.name(each)) not in ours
    )


def _remove(other: Manifest) -> str:
    if "uid" not in other["metadata"]:
        return "disable the plugin that renders it"
    kind, name, namespace = other["kind"], manifests.name(other), other["metadata"]["namespace"]
    return (
        f"remove it with `kubectl delete {kind.lower()} {name} --namespace {namespace}`, "
        "and what renders it"
    )


def chosen(objects: Iterable[Manifest], name: str) -> list[Manifest]:
    """Those that `tutor k8s start <name>` applies; all of them without a name."""
    return [each for each in objects if not name or manifests.labels(each).get(NAME) == name]


def refuse_without_shared(live: Iterable[Manifest], wanted: Iterable[Manifest], name: str) -> None:
    """Raise DeployError if the start of one workload lacks what only that of all brings."""
    everything, there = list(wanted), set(_keys(live))
    lacking = [
        key
        for key in _keys(chosen(everything, INSTANCE))
        if key not in there and key[0] != "Secret"
    ]
    if lacking and SCALED_OBJECT in {each["kind"] for each in chosen(everything, name)}:
        kind, missing = lacking[0]
        raise DeployError(
            f"workload {name}",
            f"its signals need {kind} {missing}, which belongs to the whole instance",
            "run `tutor k8s start` without a name",
        )


def _ours(live: Iterable[Manifest]) -> Iterator[Manifest]:
    return (each for each in live if OWNER.items() <= manifests.labels(each).items())


def _keys(objects: Iterable[Manifest]) -> list[Key]:
    return [(each["kind"], manifests.name(each)) for each in objects]
