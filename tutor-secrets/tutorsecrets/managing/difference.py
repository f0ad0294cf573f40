"""What a deployment would change; never a value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting.plain import LEAST_LENGTH
from tutorsecrets.rewriting.rewrite import OWN_LABEL, texts, title
from tutorsecrets.tokens import parse

# What the API server keeps, and nobody applies.
KEPT = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# Below these a secret may have been written by whoever knew nothing of this plugin.
MAY_HOLD_VALUES = frozenset(
    {"annotations", "args", "binaryData", "command", "data", "env", "stringData"}
)
HIDDEN = "<hidden>"

# What kustomize adds to the name of a ConfigMap, and what we add to that.
HASHES = re.compile(r"(-[a-z0-9]{10})?-[0-9a-f]{10}$")


@dataclass(frozen=True)
class Change:
    """A Secret that pods will use, the one that they use now (or none), and what differs."""

    new: str
    old: str
    entries: list[str]


def changes(wanted: Iterable[Manifest], used: Iterable[Manifest]) -> list[Change]:
    """The Secrets among `wanted` that `used` lacks, each beside the one it takes over from.

    Those of other plugins keep their name whatever is in them; ours have another one then.
    """
    used = list(used)
    present = {kubernetes.name(secret): secret for secret in used}
    before = {_base(secret): secret for secret in used}
    return [
        Change(kubernetes.name(secret), kubernetes.name(old) if old else "", different)
        for secret in wanted
        if not (_is_ours(secret) and kubernetes.name(secret) in present)
        for old in [present.get(kubernetes.name(secret)) or before.get(_base(secret))]
        if (different := _different(secret.get("data") or {}, (old or {}).get("data") or {}))
    ]


def lines(
    applied: Iterable[Manifest], live: Iterable[Manifest], planned: Iterable[Manifest]
) -> Iterator[str]:
    """A unified diff of each object as it would be and as it is, if they differ.

    What stands where a value could be, and does not come from `applied`, is hidden: what was in
    the cluster before may be in plain text.
    """
    sources = {title(each): each for each in applied}
    before = {title(each): each for each in live}
    for manifest in planned:
        name = title(manifest)
        known = {line for _, text in texts(sources.get(name)) for line in text.splitlines()}
        old, new = _written(before.get(name), known), _written(manifest, known)
        yield from difflib.unified_diff(old, new, f"live: {name}", f"new: {name}", n=2, lineterm="")


def _written(manifest: Manifest | None, known: Set[str]) -> list[str]:
    if manifest is None:
        return []
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in KEPT}
    annotations = dict(metadata.pop("annotations", None) or {})
    annotations.pop(LAST_APPLIED, None)
    shown: dict[str, Any] = {key: value for key, value in manifest.items() if key != "status"}
    shown["metadata"] = {**metadata, **({"annotations": annotations} if annotations else {})}
    return kubernetes.dump([_hidden(shown, known, may_hold=False)]).splitlines()


def _hidden(value: Any, known: Set[str], *, may_hold: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: _hidden(
                item, known, may_hold=(may_hold or key in MAY_HOLD_VALUES) and key != "name"
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_hidden(item, known, may_hold=may_hold) for item in value]
    if not may_hold or not isinstance(value, str):
        return value
    return "\n".join(line if line in known else HIDDEN for line in value.split("\n"))


def masked(text: str, values: Mapping[str, str]) -> str:
    """The text with names of settings in place of their values, longest first."""
    for token in sorted(values, key=lambda token: -len(values[token])):
        if len(values[token]) >= LEAST_LENGTH:
            text = text.replace(values[token], f"<{parse(token).key}>")
    return text


def _base(secret: Manifest) -> str:
    return HASHES.sub("", kubernetes.name(secret))


def _is_ours(secret: Manifest) -> bool:
    return OWN_LABEL.items() <= kubernetes.labels(secret).items()


def _different(new: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    return sorted(key for key in {*new, *old} if new.get(key) != old.get(key))
