"""Which pods, and jobs that may yet start some, still have the values from before. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.pruning import finished
from tutorsecrets.rewriting.pods import names_in
from tutorsecrets.tokens import keys_in

# What `rewriting.rewrite` appends to the name of a ConfigMap or workload.
HASH = re.compile(r"-[0-9a-f]{10}$")

# What `Users` looks at.
KINDS = "pods,jobs"


@dataclass(frozen=True)
class Users:
    """Who uses the Secrets of an instance, after a deployment.

    `current` are the names of those that it has brought, `untouched` as `untouched` returns it.
    """

    current: Collection[str]
    untouched: Collection[str]

    def outdated(self, live: Iterable[Manifest], own: Iterable[str]) -> list[Manifest]:
        """Those with a Secret among `own` that a deployment now would not bring."""
        return _unfinished(live, self._concerned(own) - set(self.current))

    def passing(self, live: Iterable[Manifest], own: Iterable[str]) -> list[Manifest]:
        """Those with any of these Secrets that nothing replaces: on their way out, or of a job."""
        return [each for each in _unfinished(live, self._concerned(own)) if _is_passing(each)]

    def _concerned(self, own: Iterable[str]) -> set[str]:
        return {name for name in own if HASH.sub("", name) not in self.untouched}


def untouched(rendered: Iterable[Manifest], keys: Collection[str]) -> set[str]:
    """The Secrets, without the hash in their names, that have none of these settings.

    Of one that is not in the rendered manifests any more, nobody knows.
    """
    has_some = defaultdict[str, bool](bool)
    for manifest in rendered:
        pod = kubernetes.pod_spec(manifest)
        if manifest["kind"] == "ConfigMap":
            name, holder = kubernetes.name(manifest), manifest.get("data")
        elif pod is not None:
            name, holder = f"{kubernetes.name(manifest)}-secrets", pod
        else:
            continue
        # A Deployment and a CronJob may have the same name.
        has_some[name] |= not keys_in(holder).isdisjoint(keys)
    return {name for name, some in has_some.items() if not some}


def _unfinished(live: Iterable[Manifest], secrets: Collection[str]) -> list[Manifest]:
    live = list(live)
    done = finished(kubernetes.of_kind(live, "Job"))
    return [
        each
        for each in live
        if not (each["kind"] == "Job" and kubernetes.name(each) in done)
        and (each.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
        and not names_in(each).isdisjoint(secrets)
    ]


def _is_passing(manifest: Manifest) -> bool:
    owners = manifest["metadata"].get("ownerReferences") or []
    return (
        manifest["kind"] == "Job"
        or "deletionTimestamp" in manifest["metadata"]
        or any(owner["kind"] == "Job" for owner in owners)
    )
