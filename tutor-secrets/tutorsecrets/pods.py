"""What happens to a pod spec on its way to the cluster. Nothing here changes its argument."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.tokens import TOKEN, parse

PodSpec = dict[str, Any]

# patches/kustomization-patches puts this gate on every pod: with it, none is ever scheduled.
# https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
GATE = "tutorsecrets/apply-with-tutor-k8s"

# Kubernetes replaces $(NAME) in these, but not in probes or lifecycle hooks.
SCRIPTS = ("command", "args")


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
    for container in _containers(pod):
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


def tokens(pod: PodSpec) -> set[str]:
    """The tokens in the environment and the scripts of the pod's containers."""
    values = {
        str(entry.get("value", ""))
        for container in _containers(pod)
        for entry in container.get("env") or []
    }
    return _tokens(values) | script_tokens(pod)


def script_tokens(pod: PodSpec) -> set[str]:
    """The tokens in `command` and `args` of the pod's containers."""
    return _tokens(
        text
        for container in _containers(pod)
        for part in SCRIPTS
        for text in container.get(part) or []
    )


def with_variables(pod: PodSpec, secret: str) -> PodSpec:
    """The pod with variables, fed by the Secret named `secret`, in place of its tokens.

    The Secret holds the value of each token under the key `variable(token)`.
    """
    pod = copy.deepcopy(pod)
    for container in _containers(pod):
        needed = _tokens(text for part in SCRIPTS for text in container.get(part) or [])
        environment = []
        for entry in container.get("env") or []:
            value = str(entry.get("value", ""))
            if TOKEN.fullmatch(value):
                entry = _fed(entry["name"], value, secret)
            elif TOKEN.search(value):
                needed |= _tokens([value])
                entry = {**entry, "value": _with_references(value)}
            environment.append(entry)
        for part in SCRIPTS:
            if container.get(part):
                container[part] = [_with_references(text) for text in container[part]]
        # First, because a variable can only refer to those before it.
        front = [_fed(variable(token), token, secret) for token in sorted(needed)]
        if front or environment:
            container["env"] = [*front, *environment]
    return pod


def variable(token: str) -> str:
    """The environment variable, and key of the pod's Secret, for a token."""
    recording = parse(token)
    name = f"TUTOR_SECRET_{recording.key}"
    # Filters and attributes are too long for a name.
    return f"{name}_{hashlib.sha256(token.encode()).hexdigest()[:8]}" if recording.steps else name


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


def _fed(name: str, token: str, secret: str) -> dict[str, Any]:
    return {
        "name": name,
        "valueFrom": {"secretKeyRef": {"name": secret, "key": variable(token)}},
    }


def _with_references(text: str) -> str:
    return TOKEN.sub(lambda match: f"$({variable(match[0])})", text)


def _tokens(texts: Iterable[str]) -> set[str]:
    return {match[0] for text in texts for match in TOKEN.finditer(text)}


def _containers(pod: PodSpec) -> Iterator[dict[str, Any]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.get(kind) or []
