"""Kubernetes manifests as plain dicts: read, find, write. Nothing here changes its argument."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

Manifest = dict[str, Any]


# What is written in C, where PyYAML has it, is ten times as fast.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Loader(_SafeLoader):  # type: ignore[misc]  # either of the two
    """YAML 1.1 without the implicit types that would change a value on its way through."""


# `2001-01-01` must stay text, `=` and `<<` are ordinary scalars in a ConfigMap.
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag.rpartition(":")[2] not in {"timestamp", "value", "merge"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(_SafeDumper):  # type: ignore[misc]  # either of the two
    """YAML that spells everything out: what reads it next need not know anchors and aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def load(text: str) -> list[Manifest]:
    """One dict per non-empty YAML document."""
    return [document for document in yaml.load_all(text, Loader=_Loader) if document]


def dump(manifests: Iterable[Mapping[str, Any]]) -> str:
    """A YAML stream whose every document starts with `---`; empty for no manifests.

    Tutor pastes such text into files that other plugins write to as well: without the
    leading `---` it would silently replace its neighbour, and mere whitespace breaks kustomize.
    """
    return "".join(
        "---\n" + yaml.dump(dict(manifest), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
        for manifest in manifests
    )


def dump_quickly(manifests: Iterable[Mapping[str, Any]]) -> str:
    """The same for a file of our own, as JSON, which is YAML too: a tenth of the time.

    It counts where every `tutor config save` waits for it.
    """
    return "".join(
        f"---\n{json.dumps(manifest, indent=2, ensure_ascii=False)}\n" for manifest in manifests
    )


def of_kind(manifests: Iterable[Manifest], *kinds: str) -> Iterator[Manifest]:
    """The manifests of the given kinds, in order."""
    return (manifest for manifest in manifests if manifest["kind"] in kinds)


def name(manifest: Mapping[str, Any]) -> str:
    """`metadata.name`."""
    return str(manifest["metadata"]["name"])


def labels(manifest: Mapping[str, Any]) -> dict[str, str]:
    """`metadata.labels`, empty where there are none."""
    return dict(manifest["metadata"].get("labels") or {})


def pod_spec(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pod spec inside a Pod, Deployment, StatefulSet, DaemonSet, Job or CronJob; else None."""
    spec = manifest.get("spec") or {}
    if manifest["kind"] == "Pod":
        return dict(spec)
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template = spec.get("template")
    if not isinstance(template, dict) or "spec" not in template:
        return None
    return dict(template["spec"])
