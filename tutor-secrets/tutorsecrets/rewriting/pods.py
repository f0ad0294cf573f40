"""What happens to a pod spec on its way to the cluster. Nothing here changes its argument."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

PodSpec = dict[str, Any]

# patches/kustomization-patches puts this scheduling gate on every pod. It is no valid name, so the
# API server refuses each workload that has it, and shows it: what runs stays as it is.
GATE = "deploy with tutor k8s start, not with kubectl apply"

# What the patch reaches, of these API groups.
GATED_KINDS = (
    *("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"),
    *("Job", "CronJob", "Pod"),
)
GATED_GROUPS = ("v1", "apps", "batch")


def with_pod_spec(manifest: Manifest, pod: PodSpec) -> Manifest:
    """The same workload with another pod spec."""
    manifest = copy.deepcopy(manifest)
    if manifest["kind"] == "Pod":
        return {**manifest, "spec": pod}
    spec = manifest["spec"]
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    spec["template"]["spec"] = pod
    return manifest


def ungated(pod: PodSpec) -> PodSpec:
    """The pod without our scheduling gate; other gates stay."""
    gates = [gate for gate in pod.get("schedulingGates") or [] if gate.get("name") != GATE]
    rest = {key: value for key, value in pod.items() if key != "schedulingGates"}
    return {**rest, "schedulingGates": gates} if gates else rest


def require_gates(manifests: Iterable[Manifest]) -> None:
    """Raise DeployError for a workload without our gate: it was rendered without this plugin.

    Then the manifests beside it have values in place of tokens, and nothing else tells.
    """
    for manifest in manifests:
        group = manifest.get("apiVersion", "").partition("/")[0]
        if manifest["kind"] not in GATED_KINDS or group not in GATED_GROUPS:
            continue
        gates = (kubernetes.pod_spec(manifest) or {}).get("schedulingGates") or []
        if GATE not in [gate.get("name") for gate in gates]:
            raise DeployError(
                f"{manifest['kind']} {kubernetes.name(manifest)}",
                "was rendered without the secrets plugin, or by an older version of it",
                "run `tutor config save`, then this command again",
            )


def following(pod: PodSpec, names: Mapping[str, str]) -> PodSpec:
    """The pod with references to Secrets, where it refers to a ConfigMap in `names`."""
    pod = copy.deepcopy(pod)
    for volume in pod.get("volumes") or []:
        _follow(volume, "configMap", "secret", names)
        if "name" in volume.get("secret", {}):
            # Only here, Kubernetes calls it so.
            volume["secret"]["secretName"] = volume["secret"].pop("name")
        for source in (volume.get("projected") or {}).get("sources") or []:
            _follow(source, "configMap", "secret", names)
    for container in containers(pod):
        for source in container.get("envFrom") or []:
            _follow(source, "configMapRef", "secretRef", names)
        for entry in container.get("env") or []:
            _follow(entry.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef", names)
    return pod


def _follow(holder: dict[str, Any], old: str, new: str, names: Mapping[str, str]) -> None:
    reference = holder.get(old) or {}
    if reference.get("name") in names:
        del holder[old]
        holder[new] = {**reference, "name": names[reference["name"]]}


def names_in(manifest: Manifest) -> set[str]:
    """Every name in the workload's pod spec, among them those of its ConfigMaps and Secrets."""
    return set(_names(kubernetes.pod_spec(manifest)))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (value[key] for key in ("name", "secretName") if isinstance(value.get(key), str))
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _names(item)


def containers(pod: PodSpec) -> Iterator[dict[str, Any]]:
    """Every container of the pod, of whatever kind."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.get(kind) or []
