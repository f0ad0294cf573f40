"""Edge: objects in the cluster that still have secret values in plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.pruning import finished
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing.inspection import KINDS, keys_found
from tutorsecrets.rewriting.rewrite import texts


def found(live: Iterable[Manifest], values: Mapping[str, str]) -> list[Manifest]:
    """The objects with a value in them that nothing needs any more.

    ConfigMaps that became Secrets, what a Deployment could go back to, jobs that are done.
    """
    live = list(live)
    done = finished(kubernetes.of_kind(live, "Job"))
    return [
        manifest
        for manifest in live
        if _is_idle(manifest, done) and keys_found([text for _, text in texts(manifest)], values)
    ]


def _is_idle(manifest: Manifest, done: set[str]) -> bool:
    kind = manifest["kind"]
    if kind == "ReplicaSet":
        return not manifest["spec"].get("replicas")
    return kind == "ConfigMap" or (kind == "Job" and kubernetes.name(manifest) in done)


def delete(session: Session, manifests: Iterable[Manifest]) -> None:
    """Delete them, and the pods of jobs with them."""
    names = [f"{each['kind'].lower()}/{kubernetes.name(each)}" for each in manifests]
    if names:
        session.cluster.ask(
            "delete", f"--namespace={session.namespace}", "--ignore-not-found", *names
        )


def look(session: Session, values: Mapping[str, str]) -> list[Manifest]:
    """What there is in the instance's namespace; TutorError if kubectl fails."""
    return found(session.live(KINDS), values)
