"""References to a ConfigMap that became a Secret, in objects that are no workloads."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

# KEDA's: https://keda.sh/docs/latest/concepts/authentication/
AUTHENTICATIONS = ("TriggerAuthentication", "ClusterTriggerAuthentication")


def following(manifest: Manifest, names: Mapping[str, str]) -> Manifest:
    """The object with references to Secrets in place of those to ConfigMaps in `names`.

    Workloads come back as they are: `pods.following` knows them. DeployError for a kind that
    refers to such a ConfigMap, and that nobody here knows.
    """
    if kubernetes.pod_spec(manifest) is not None:
        return manifest
    if manifest["kind"] in AUTHENTICATIONS:
        manifest = _authentication(manifest, names)
    found = sorted(set(_configmaps(manifest)) & set(names))
    if found:
        raise DeployError(
            f"{manifest['kind']} {kubernetes.name(manifest)}",
            f"refers to ConfigMap {', '.join(found)}, which becomes a Secret for its tokens",
            "refer to a Secret of your own with the token in it",
        )
    return manifest


def _authentication(manifest: Manifest, names: Mapping[str, str]) -> Manifest:
    manifest = copy.deepcopy(manifest)
    spec = manifest["spec"]
    references = spec.pop("configMapTargetRef", [])
    kept = [reference for reference in references if reference["name"] not in names]
    moved = [
        {**reference, "name": names[reference["name"]]}
        for reference in references
        if reference["name"] in names
    ]
    if kept:
        spec["configMapTargetRef"] = kept
    if moved:
        spec["secretTargetRef"] = [*spec.get("secretTargetRef", []), *moved]
    return manifest


def _configmaps(value: Any, within: bool = False) -> Iterator[str]:
    # Every text below a key that speaks of ConfigMaps.
    if isinstance(value, str) and within:
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _configmaps(item, within or "configmap" in str(key).lower())
    elif isinstance(value, list):
        for item in value:
            yield from _configmaps(item, within)
