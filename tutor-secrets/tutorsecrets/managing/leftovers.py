"""Edge: objects in the cluster that still have secret values in plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.pruning import finished, unused
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing.inspection import KINDS
from tutorsecrets.managing.search import keys_found
from tutorsecrets.rewriting.rewrite import texts

# As Tutor labels all that it makes.
INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True)
class Remains:
    """Objects with a value in them that nothing needs any more, and whose they are."""

    own: list[Manifest]
    foreign: list[Manifest]


def found(live: Iterable[Manifest], values: Mapping[str, str], instance: str) -> Remains:
    """The objects with a value in them that nothing needs any more.

    ConfigMaps that became Secrets, what a Deployment could go back to, jobs that are done. Those
    without the instance's label somebody else has made.
    """
    live = list(live)
    done = finished(kubernetes.of_kind(live, "Job"))
    idle = [each for each in live if _is_idle(each, done)]
    users = [each for each in live if _is_user(each, done)]
    unneeded = set(unused(map(kubernetes.name, idle), users))
    remains = [
        each
        for each in idle
        if kubernetes.name(each) in unneeded
        and keys_found([text for _, text in texts(each)], values)
    ]
    own = [each for each in remains if kubernetes.labels(each).get(INSTANCE) == instance]
    return Remains(own, [each for each in remains if each not in own])


def _is_idle(manifest: Manifest, done: set[str]) -> bool:
    kind = manifest["kind"]
    if kind == "ReplicaSet":
        return not manifest["spec"].get("replicas")
    return kind == "ConfigMap" or (kind == "Job" and kubernetes.name(manifest) in done)


def _is_user(manifest: Manifest, done: set[str]) -> bool:
    if manifest["kind"] == "Pod":
        return (manifest.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
    return kubernetes.pod_spec(manifest) is not None and not _is_idle(manifest, done)


def delete(session: Session, manifests: Iterable[Manifest]) -> None:
    """Delete them, and the pods of jobs with them."""
    names = [f"{each['kind'].lower()}/{kubernetes.name(each)}" for each in manifests]
    if names:
        session.cluster.ask(
            "delete", f"--namespace={session.namespace}", "--ignore-not-found", *names
        )


def look(session: Session, values: Mapping[str, str]) -> Remains:
    """What there is in the instance's namespace; TutorError if kubectl fails."""
    return found(session.live(KINDS), values, session.instance)
