"""Edge: deletes Secrets that were made here and that nobody uses any more."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying import pruning
from tutorsecrets.deploying.kubectl import Cluster
from tutorsecrets.deploying.pruning import Made
from tutorsecrets.rewriting import external
from tutorsecrets.rewriting.pods import names_in
from tutorsecrets.rewriting.rewrite import MADE_FROM, OWN_SELECTOR, RUN_TIME


class Housekeeping:
    """What is to be deleted, now and at the end of a command."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        # (namespace, job) → (kind, name) of the Secrets that are its own.
        self._of_jobs: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def bind(self, namespace: str, workloads: list[Manifest], secrets: list[Manifest]) -> None:
        """Let the Secrets that only a job of this run uses be deleted together with it.

        Kubernetes does so an hour after its end, we at the end of the command.
        """
        self.delete_finished()
        for job in kubernetes.of_kind(workloads, "Job"):
            own = _own_secrets(job, secrets)
            if own:
                self._of_jobs[namespace, kubernetes.name(job)] = own
                self._own(namespace, kubernetes.name(job), own)

    def delete_finished(self) -> None:
        """Delete the Secrets of jobs that were bound here and have come to an end."""
        for namespace in {namespace for namespace, _ in self._of_jobs}:
            done = pruning.finished(self._get(namespace, "jobs"))
            for job in done:
                for kind, name in self._of_jobs.pop((namespace, job), []):
                    self._delete(namespace, kind, [name])

    def made(self, namespace: str, kind: str) -> list[Made]:
        """The objects of a kind that were made here."""
        listing = self._cluster.ask(
            "get", kind, f"--namespace={namespace}", f"--selector={MADE_FROM}", pruning.LISTING
        )
        return list(pruning.listed(listing))

    def prune(self, namespace: str, kind: str, applied: list[Manifest]) -> list[Made]:
        """Delete the objects of a kind that no workload uses; what there was of it before."""
        made = self.made(namespace, kind)
        self._delete(namespace, kind, self._unused(namespace, made, applied))
        return made

    def leave_operator(
        self, namespace: str, applied: list[Manifest], secrets: list[Manifest]
    ) -> None:
        """Delete the ExternalSecrets that no workload uses and, with the last one, their store.

        `secrets` are what has just been applied in their place. Those that keep their names stay.
        """
        names = {kubernetes.name(secret) for secret in secrets}
        made = self.made(namespace, external.RESOURCE)
        replaced = [each.name for each in made if each.name in names]
        unused = self._unused(namespace, made, applied)
        self._delete(namespace, external.RESOURCE, replaced, "--cascade=orphan")
        if {each.name for each in made} <= {*replaced, *unused}:
            # First: their Secrets tell the next run that there is something left to delete.
            selector = f"--selector={OWN_SELECTOR}"
            self._cluster.ask(
                "delete", external.STORE_RESOURCES, f"--namespace={namespace}", selector
            )
        self._delete(namespace, external.RESOURCE, unused)

    def _unused(self, namespace: str, made: list[Made], applied: list[Manifest]) -> list[str]:
        old = pruning.old(made, datetime.now(timezone.utc))
        candidates = pruning.unused(old, applied)
        if not candidates:
            return []
        return pruning.unused(candidates, self._get(namespace, pruning.USERS))

    def _own(self, namespace: str, job: str, secrets: list[tuple[str, str]]) -> None:
        uid = self._cluster.ask(
            "get", "job", job, f"--namespace={namespace}", "--output=jsonpath={.metadata.uid}"
        )
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": uid.strip()}
        patch = json.dumps({"metadata": {"ownerReferences": [owner]}})
        for kind, name in secrets:
            self._cluster.ask(
                *("patch", kind, name, f"--namespace={namespace}"),
                *("--type=merge", f"--patch={patch}"),
            )

    def _get(self, namespace: str, kinds: str) -> list[Manifest]:
        answer = self._cluster.ask("get", kinds, f"--namespace={namespace}", "--output=json")
        items: list[dict[str, Any]] = json.loads(answer)["items"]
        return items

    def _delete(self, namespace: str, kind: str, names: list[str], *options: str) -> None:
        if names:
            self._cluster.ask(
                "delete",
                kind,
                f"--namespace={namespace}",
                "--ignore-not-found",
                "--wait=false",
                *options,
                *names,
            )


def _own_secrets(job: Manifest, secrets: list[Manifest]) -> list[tuple[str, str]]:
    name = kubernetes.name(job)
    used = names_in(job)
    return [
        (secret["kind"].lower(), kubernetes.name(secret))
        for secret in secrets
        if RUN_TIME.search(name)
        and kubernetes.name(secret).startswith(f"{name}-")
        and kubernetes.name(secret) in used
    ]
