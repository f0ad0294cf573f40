"""Which of our Secrets nobody uses any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting.rewrite import texts

# On every Secret made here: when it was last applied.
APPLIED = "tutorsecrets/applied"

# What somebody else applies right now may not be in use yet.
GRACE = timedelta(hours=1)

# Old ReplicaSets are what `kubectl rollout undo` goes back to.
USERS = "pods,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs"


def stamped(secrets: Iterable[Manifest], now: datetime) -> Iterator[Manifest]:
    """The same objects with the time in an annotation."""
    for secret in secrets:
        metadata = secret["metadata"]
        annotations = {
            **(metadata.get("annotations") or {}),
            APPLIED: now.isoformat(timespec="seconds"),
        }
        yield {**secret, "metadata": {**metadata, "annotations": annotations}}


def old(applied: Mapping[str, str], now: datetime) -> set[str]:
    """The names of those that were not applied lately.

    `applied` maps the names of our Secrets to their annotation, which may be empty.
    """
    return {
        name
        for name, when in applied.items()
        if not when or datetime.fromisoformat(when) < now - GRACE
    }


def unused(names: Iterable[str], users: Iterable[Manifest]) -> list[str]:
    """Those names that none of `users`, whole objects, mentions."""
    mentioned = {text for manifest in users for _, text in texts(manifest)}
    return sorted(set(names) - mentioned)


def finished(jobs: Iterable[Manifest]) -> set[str]:
    """The names of the jobs that have come to an end, whichever."""
    return {
        kubernetes.name(job)
        for job in jobs
        if any(
            condition["type"] in {"Complete", "Failed"} and condition["status"] == "True"
            for condition in (job.get("status") or {}).get("conditions") or []
        )
    }
