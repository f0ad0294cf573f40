"""Which of our Secrets nobody uses any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting import external
from tutorsecrets.rewriting.rewrite import MADE_FROM, OWN_LABEL, texts

# On every Secret made here: when it was last applied.
APPLIED = "tutorsecrets/applied"

# A line per object, for `Made`.
LISTING = (
    "--output=jsonpath={range .items[*]}{.metadata.name}|{.metadata.labels.tutorsecrets/made-from}|"
    "{.metadata.ownerReferences[0].kind}|{.metadata.annotations.tutorsecrets/applied}\n{end}"
)

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


@dataclass(frozen=True)
class Made:
    """An object that was made here: from what, the kind of its owner, when it was applied.

    All but the name may be empty.
    """

    name: str
    made_from: str
    owner: str
    applied: str


def listed(listing: str) -> Iterator[Made]:
    """What kubectl prints with LISTING."""
    return (Made(*line.split("|")) for line in listing.splitlines())


def by_operator(secrets: Iterable[Made]) -> bool:
    """Whether the External Secrets Operator has made some of them."""
    return any(secret.owner == external.KIND for secret in secrets)


def old(made: Iterable[Made], now: datetime) -> set[str]:
    """The names of those that are ours to delete and were not applied lately.

    What has an owner goes with it, and another plugin's Secret is its own.
    """
    return {
        each.name
        for each in made
        if not each.owner
        and each.made_from == OWN_LABEL[MADE_FROM]
        and (not each.applied or datetime.fromisoformat(each.applied) < now - GRACE)
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
