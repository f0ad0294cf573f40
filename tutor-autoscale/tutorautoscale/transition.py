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

from tutorautoscale.scalers import OWNER

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

HPA, SCALED_OBJECT = "HorizontalPodAutoscaler", "ScaledObject"

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


def refuse_two_autoscalers(live: Iterable[Manifest], scaled: Iterable[str]) -> None:
    """Raise DeployError if somebody else's HPA has one of our workloads for a target.

    Two HPAs on one target both stop: https://github.com/kubernetes/kubernetes/pull/112011
    """
    names = set(scaled)
    for scaler in manifests.of_kind(live, HPA):
        target = scaler["spec"]["scaleTargetRef"]
        other = manifests.name(scaler)
        if target["kind"] == "Deployment" and target["name"] in names and other != target["name"]:
            namespace = scaler["metadata"]["namespace"]
            raise DeployError(
                f"HorizontalPodAutoscaler {other}",
                f"scales {target['name']}, too, and with two neither works",
                f"remove it with `kubectl delete hpa {other} --namespace {namespace}`, "
                "and what renders it",
            )


def _ours(live: Iterable[Manifest]) -> Iterator[Manifest]:
    return (each for each in live if OWNER.items() <= manifests.labels(each).items())


def _keys(objects: Iterable[Manifest]) -> list[Key]:
    return [(each["kind"], manifests.name(each)) for each in objects]
