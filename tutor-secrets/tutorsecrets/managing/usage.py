"""Who uses which secret."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.tasks import Task
from tutorsecrets.rewriting.pods import names_in
from tutorsecrets.tokens import keys_in


def by_workload(manifests: Iterable[Manifest]) -> dict[str, list[str]]:
    """Setting → the workloads, as `kind/name`, with its token in them or in their ConfigMaps."""
    manifests = list(manifests)
    in_configmaps = {
        kubernetes.name(configmap): keys_in(configmap.get("data"))
        for configmap in kubernetes.of_kind(manifests, "ConfigMap")
    }
    return _inverted(
        (
            f"{manifest['kind'].lower()}/{kubernetes.name(manifest)}",
            keys_in(pod).union(*(in_configmaps.get(name, ()) for name in names_in(manifest))),
        )
        for manifest in manifests
        # A job has no pods of its own until it is given a task.
        if (pod := kubernetes.pod_spec(manifest)) is not None and manifest["kind"] != "Job"
    )


def by_application(tasks: Mapping[str, Iterable[Task]]) -> dict[str, list[str]]:
    """Setting → the applications with its token in their init tasks."""
    return _inverted(
        (name, keys_in([script for _, script in scripts])) for name, scripts in tasks.items()
    )


def short(workload: str) -> str:
    """`lms` for `deployment/lms`, as most are; others with their kind."""
    return workload.removeprefix("deployment/")


def _inverted(pairs: Iterable[tuple[str, set[str]]]) -> dict[str, list[str]]:
    users: dict[str, set[str]] = defaultdict(set)
    for name, keys in pairs:
        for key in keys:
            users[key].add(name)
    return {key: sorted(names) for key, names in sorted(users.items())}
